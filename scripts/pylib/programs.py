# SPDX-License-Identifier: GPL-2.0-only
"""The programs for the lab, and the command lines that run them."""

import shlex
import subprocess
import tempfile
import threading

from . import kernel, tree
from .term import clean_env
from .tree import BUILD, SRC, TOP

LAB = TOP / "scripts/lab"
PROGRAMS = BUILD / "selftests"
SELFTESTS = TOP / "tools/testing/selftests/iommu"

# One after another, what KUnit has said.
SHOW_KUNIT = 'for f in /sys/kernel/debug/kunit/*/results; do echo "== $f"; cat $f; done'


def call(argv, suite, timeout=None, each_line=None):
    """Status and standard output; everything goes to the suite's log."""
    suite.note("$ " + shlex.join(map(str, argv)))
    with tempfile.TemporaryFile("w+", errors="replace") as err:
        proc = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=err, text=True,
                                errors="replace", env=clean_env())
        late = threading.Event()
        timer = threading.Timer(timeout or threading.TIMEOUT_MAX,
                                lambda: (late.set(), proc.kill()))
        timer.daemon = True
        timer.start()
        out = []
        for line in proc.stdout:
            out.append(line)
            suite.note(line)
            if each_line:
                each_line(line)
        proc.wait()
        timer.cancel()
        err.seek(0)
        errors = err.read()
    if late.is_set():
        errors += f"not done after {timeout} s\n"
    if errors:
        suite.note(errors)
    return 124 if late.is_set() else proc.returncode, "".join(out), errors


def lab(suite, *args, program, timeout=300, check_log=True, each_line=None):
    argv = [LAB, "run", "--no-build", "--timeout", timeout,
            *(["--check-log"] if check_log else []), *args, "--", *program]
    return call(argv, suite, timeout + 120, each_line)


def selftest_make(*targets):
    return ["make", "-s", "-C", str(SELFTESTS), f"O={PROGRAMS}", f"KERNEL_SRC={SRC}",
            f"KHDR={kernel.directory('release')}/usr/include", f"-j{kernel.jobs()}", *targets]


def vm_command(*args, host="", program):
    """scripts/lab vm, with one of our programs in the host, if not the usual one."""
    host = ["--host-program", f"{PROGRAMS}/{host}"] if host else []
    return [LAB, "vm", "--no-build", *args, *host, "--", *program]


def vm_cost_command(counts, *args, driver="vtdsim_pasid"):
    """vm_cost: with a page of the VM's memory that can be taken from it."""
    page = ("-object", "memory-backend-ram,id=page,size=4096",
            "-device", "ivshmem-plain,memdev=page")
    return vm_command(*args, *(f"--vm-arg={a}" for a in page), "--guest-driver", driver,
                      host=shlex.join(["vm_cost", *map(str, counts)]),
                      program=[PROGRAMS / "vm_pasids"])


def build():
    """Build the programs that run in the lab."""
    with tree.lock("programs"):
        proc = subprocess.run(selftest_make("all"), env=clean_env(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if proc.returncode:
        raise tree.BuildError(f"the programs for the lab do not build:\n{proc.stdout[-4000:]}")
