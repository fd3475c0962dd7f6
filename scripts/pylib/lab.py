# SPDX-License-Identifier: GPL-2.0-only
"""Run the lab: vtdsim, QEMU, and one program in the virtual machine.

Nothing is left behind, however a run ends.  Guest memory, the ACPI table, the
initramfs and the kernel log are memory files without a name, passed on as
descriptors; both children are killed by the kernel when this process dies.
Only QEMU's control socket needs a name: its directory goes at the end, or,
should this process be killed, at the start of the next run.
"""

import contextlib
import ctypes
import fcntl
import os
import re
import secrets
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from . import initramfs, kernel, peer, tree
from .term import Step, clean_env, run_logged
from .tree import BUILD, LOGS, TOP, BuildError

VTDSIM = TOP / "tools/testing/vtdsim"
WINDOW = "16M$0x1F000000"		# VTDSIM_WINDOW_BASE in vtdsim_abi.h
WINDOW_END = 0x20000000

TIMEOUT, FAILED = 124, 125

# What a kernel log must not hold.
SPLAT = re.compile("|".join((
    r"BUG:", r"WARNING:", r"Oops", r"Kernel panic", r"general protection fault",
    r"UBSAN:", r"ODEBUG:", r"unreferenced object", r"cut here",
    r"possible circular locking", r"possible recursive locking",
    r"inconsistent lock state", r"suspicious RCU", r"INFO: task .* blocked",
    r"self-detected stall", r"detected stalls", r"refcount_t:", r"corruption",
    r"sleeping function called", r"scheduling while atomic",
    r"held lock", r"segfault at", r"trap divide error")))


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)		# PR_SET_PDEATHSIG


def memory_file(name, content=b"", size=0):
    fd = os.memfd_create(name, 0)
    if size:
        os.ftruncate(fd, size)
    with open(fd, "wb", closefd=False) as f:
        f.write(content)
    return fd


def fd_path(fd):
    return f"/proc/self/fd/{fd}"


SOCKETS = "gpasid-lab-"


def stale_directory(path):
    """A socket directory that no process holds any more: descriptor, or None."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except OSError:
            os.close(fd)
    return None


@contextlib.contextmanager
def socket_directory():
    """A directory for the control socket; removes those of killed runs too.

    It gets the name by which others find it only when it is locked.
    """
    base = Path(tempfile.gettempdir())
    for old in base.glob(SOCKETS + "*"):
        fd = stale_directory(old)
        if fd is not None:
            shutil.rmtree(old, ignore_errors=True)
            os.close(fd)
    new = Path(tempfile.mkdtemp(prefix="new-" + SOCKETS))
    fd = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    path = base / new.name[len("new-"):]
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        new.rename(path)
        yield path
    finally:
        for left in (new, path):
            shutil.rmtree(left, ignore_errors=True)
        os.close(fd)


def parse_size(text):
    m = re.fullmatch(r"(\d+)([KMG]?)", text.upper())
    size = int(m.group(1)) << {"": 0, "K": 10, "M": 20, "G": 30}[m.group(2)] if m else 0
    if not size or size & ((1 << 20) - 1):
        raise BuildError(f"--mem {text}: not a number of mebibytes, such as 1536M or 2G")
    return size


def least_memory(initrd):
    """QEMU puts the initramfs, and a few tables, at the top; the window stands below."""
    return WINDOW_END + (1 << 20) + (-(-initrd >> 20) << 20)


def build_vtdsim():
    out = BUILD / "vtdsim"
    LOGS.mkdir(parents=True, exist_ok=True)
    with tree.lock("vtdsim"):
        log = LOGS / "vtdsim.log"
        if run_logged(["make", "-C", str(VTDSIM), f"O={out}", "all"], log, Step("vtdsim")):
            raise BuildError(f"vtdsim does not build ({log}):\n{kernel.explain(log)}")
    return out / "vtdsim"


def kernel_directory(args, name=None):
    """Of the kernel of this name or directory, brought up to date if it is ours."""
    name = name or args.kernel
    if name == "peer":
        return peer.KERNEL if args.no_build else peer.build()
    if name not in kernel.CONFIGS:
        return Path(name).resolve()
    if not args.no_build:
        kernel.build(name)
    return kernel.directory(name)


def is_dynamic(path):
    """A program that needs a loader, which the virtual machine has not."""
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF" and b"/ld-linux" in f.read(4096)


def command(args):
    """(shell text, {name in /lab: host file}) of what is to run."""
    files = {}
    for item in args.push:
        path, _, name = item.partition(":")
        files[name or os.path.basename(path)] = path
    words = list(args.program)
    if "/" in words[0] and os.path.isfile(words[0]):
        name = os.path.basename(words[0])
        files[name] = words[0]
        words[0] = f"/lab/{name}"
    for path in files.values():
        if not os.path.isfile(path):
            raise BuildError(f"{path}: no such file")
        if is_dynamic(path):
            raise BuildError(f"{path} is dynamically linked; the lab runs static programs")
    return shlex.join(words), files


def settings(args, key):
    def yes(flag):
        return "y" if flag else "n"

    out = {
        "key": key,
        "endpoints": yes(not args.no_vtdsim and not args.no_endpoints),
        "vfio": yes(not args.no_vtdsim and not args.no_vfio),
        "gpasid": yes(not args.no_gpasid),
        "finish": yes(args.check_log),
        "hugepages": args.hugepages,
        "modules": " ".join(args.modprobe),
    }
    if args.interactive and sys.stdout.isatty():
        size = shutil.get_terminal_size()
        out.update(rows=size.lines, cols=size.columns)
    return "".join(f"{k}={shlex.quote(str(v))}\n" for k, v in out.items())


class Lab:
    """One run.  Used as a context, so that children end with it."""

    def __init__(self, args):
        self.args = args
        self.key = secrets.token_hex(8)
        if args.adverse and args.seed is None:
            args.seed = str(secrets.randbelow(1 << 32))
            print(f"lab: --adverse --seed {args.seed}", file=sys.stderr)
        self.debug = args.kernel == "debug"
        self.mem = parse_size(args.mem)
        self.cpus = args.cpus or (2 if self.debug else 1)
        self.stack = contextlib.ExitStack()
        self.vtdsim = self.qemu = None
        self.status = None
        self.vtdsim_said = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for proc in (self.qemu, self.vtdsim):
            if proc and proc.poll() is None:
                proc.kill()
                proc.wait()
        self.stack.close()

    def memfd(self, *args, **kwargs):
        fd = memory_file(*args, **kwargs)
        self.stack.callback(os.close, fd)
        return fd

    def spawn(self, argv, fds, **kwargs):
        try:
            return subprocess.Popen(argv, pass_fds=fds, preexec_fn=die_with_parent,
                                    env=clean_env(), **kwargs)
        except FileNotFoundError:
            raise BuildError(f"{argv[0]} is not there; scripts/setup installs what the "
                             "lab needs") from None

    def prepare(self):
        self.kdir = kernel_directory(self.args)
        self.bzimage = self.kdir / "arch/x86/boot/bzImage"
        if not self.bzimage.is_file():
            raise BuildError(f"no kernel at {self.bzimage}")
        base = initramfs.base(self.kdir)
        self.vtdsim_bin = None if self.args.no_vtdsim else build_vtdsim()
        initrd = base.read_bytes() + self.contents()
        least = least_memory(len(initrd))
        if self.mem < least:
            raise BuildError(f"--mem {self.args.mem}: the lab and these files need {least >> 20}M")
        self.initrd = self.memfd("initrd", initrd)
        self.log_fd = self.memfd("log")
        self.log = fd_path(self.log_fd)
        kept = open(self.args.log or BUILD / "lab/last.log", "ab")
        self.stack.callback(self.keep_log, kept)

    def settings(self):
        return settings(self.args, self.key)

    def contents(self):
        """What the machine finds in memory beside the archive for its kernel."""
        text, files = command(self.args)
        texts = {"settings": self.settings(), "command": text + "\n"}
        if self.args.interactive:
            texts["interactive"] = ""
        return initramfs.extra(files, texts)

    def keep_log(self, kept):
        with kept, open(self.log, "rb") as f:
            kept.truncate(0)
            shutil.copyfileobj(f, kept)

    def start_vtdsim(self, sockets):
        self.ram = self.memfd("ram", size=self.mem)
        self.dmar = self.memfd("dmar")
        if not self.vtdsim_bin:
            return
        a = self.args
        argv = [str(self.vtdsim_bin), "--ram", fd_path(self.ram), "--ram-size", str(self.mem),
                "--dmar", fd_path(self.dmar), "--qtest", str(sockets / "qtest")]
        for name in ("unit", "ep"):
            for value in getattr(a, name):
                argv += [f"--{name}", value]
        for name in ("evict", "seed", "counters"):
            if getattr(a, name) is not None:
                argv += [f"--{name}", getattr(a, name)]
        argv += ["--trace"] if a.trace else []
        argv += ["--adverse"] if a.adverse else []
        argv += ["--no-oracle"] if a.no_oracle else []
        self.vtdsim = self.spawn(argv, (self.ram, self.dmar), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.wait_ready()

    def wait_ready(self):
        end = time.monotonic() + 20
        fd = self.vtdsim.stdout.fileno()
        os.set_blocking(fd, False)
        with selectors.DefaultSelector() as sel:
            sel.register(fd, selectors.EVENT_READ)
            while b"ready\n" not in self.vtdsim_said:
                data = os.read(fd, 65536) if sel.select(end - time.monotonic()) else b""
                if not data:
                    said = self.vtdsim_said.decode(errors="replace")
                    raise BuildError(f"vtdsim did not become ready:\n{said}")
                self.vtdsim_said += data

    def start_qemu(self, sockets):
        # A loaded machine may not run the virtual one for seconds: no panic for a
        # timer that is late, no complaint about a stall that is not the kernel's.
        append = ("console=ttyS0 panic=1 no_timer_check rcupdate.rcu_cpu_stall_timeout=100 "
                  f"intel_iommu=on,sm_on iommu=pt memmap={WINDOW} "
                  "iommufd.allow_unsafe_interrupts=1 vfio_iommu_type1.allow_unsafe_interrupts=1 "
                  f"{self.args.append}")
        argv = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
                "-display", "none", "-accel", "tcg,thread=multi", "-smp", str(self.cpus),
                "-machine", "q35,memory-backend=ram",
                "-object", f"memory-backend-file,id=ram,mem-path={fd_path(self.ram)},"
                           f"size={self.mem},share=on",
                "-m", f"{self.mem >> 20}M",
                "-chardev", f"file,id=log,path={self.log}", "-serial", "chardev:log",
                "-chardev", "stdio,id=program,signal=off", "-serial", "chardev:program",
                "-kernel", str(self.bzimage), "-initrd", fd_path(self.initrd),
                "-append", append]
        if self.vtdsim:
            argv += ["-acpitable", f"file={fd_path(self.dmar)}",
                     "-qtest", f"unix:{sockets / 'qtest'},server=on,wait=off",
                     "-qtest-log", "none"]
        argv += self.args.qemu_arg
        pipes = {} if self.args.interactive else {
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.qemu = self.spawn(argv, (self.ram, self.dmar, self.initrd, self.log_fd), **pipes)

    def take_vtdsim(self, data):
        self.vtdsim_said = (self.vtdsim_said + data)[-65536:]
        if self.args.trace:
            sys.stderr.buffer.write(data)
            sys.stderr.flush()

    def take_program(self, data):
        """Pass the program's output on, up to the line that tells its status."""
        self.held += data
        mark = b"\x01" + self.key.encode()
        at = self.held.find(mark)
        if at >= 0:
            line = self.held[at + len(mark):]
            if b"\n" in line:
                self.status = int(line.split()[0])
                self.held = self.held[:at]
        end = self.held.rfind(b"\x01") if self.status is None else len(self.held)
        if end < 0 or len(self.held) - end > len(mark) + 8:
            end = len(self.held)
        out, self.held = self.held[:end], self.held[end:]
        sys.stdout.buffer.write(out)
        sys.stdout.flush()

    def watch(self, deadline):
        """Until QEMU has gone, vtdsim has gone, or the time is over."""
        self.held = b""
        said = []
        with selectors.DefaultSelector() as sel:
            sel.register(self.qemu.stdout, selectors.EVENT_READ, self.take_program)
            sel.register(self.qemu.stderr, selectors.EVENT_READ, said.append)
            if self.vtdsim:
                sel.register(self.vtdsim.stdout, selectors.EVENT_READ, self.take_vtdsim)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    return "timeout"
                for item, _ in sel.select(min(left, 1)):
                    data = os.read(item.fd, 65536)
                    if data:
                        item.data(data)
                        continue
                    sel.unregister(item.fileobj)
                    # It goes by itself when QEMU has closed the control socket.
                    if self.vtdsim and item.fileobj is self.vtdsim.stdout and \
                       self.vtdsim.wait():
                        return "vtdsim"
                if self.qemu.stdout not in [k.fileobj for k in sel.get_map().values()]:
                    break
        self.qemu.wait()
        sys.stderr.buffer.write(b"".join(said))
        return None

    def stop_vtdsim(self):
        """Let it write its counters."""
        if not self.vtdsim:
            return
        os.set_blocking(self.vtdsim.stdout.fileno(), True)
        if self.vtdsim.poll() is None:
            self.vtdsim.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            out, _ = self.vtdsim.communicate(timeout=10)
            self.take_vtdsim(out)

    def complain(self, text, lines=0):
        print(f"lab: {text}", file=sys.stderr)
        if lines:
            with open(self.log, errors="replace") as f:
                for line in f.readlines()[-lines:]:
                    print(f"  | {line.rstrip()}", file=sys.stderr)
        sys.stderr.flush()

    def splats(self):
        allowed = [re.compile(p) for p in self.args.allow_log]
        with open(self.log, errors="replace") as f:
            lines = [line.rstrip() for line in f]
        bad = [i for i, line in enumerate(lines)
               if SPLAT.search(line) and not any(a.search(line) for a in allowed)]
        shown = -1
        for i in bad[:5]:
            for j in range(max(i - 2, shown + 1), min(i + 30, len(lines))):
                print(f"  | {lines[j]}", file=sys.stderr)
                shown = j
        return len(bad)

    def verdict(self, end):
        if end == "timeout":
            self.complain(f"not done after {self.args.timeout:g} s; end of the kernel log:", 40)
            return TIMEOUT
        if end == "vtdsim":
            self.complain("vtdsim ended; its last words:")
            sys.stderr.write(self.vtdsim_said.decode(errors="replace")[-4000:])
            return FAILED
        if self.status is None:
            self.complain("the machine ended before the program; end of the kernel log:", 60)
            return FAILED
        if self.args.check_log:
            count = self.splats()
            if count:
                self.complain(f"{count} lines in the kernel log to answer for")
                return self.status or FAILED
        return self.status

    def run(self):
        self.prepare()
        with socket_directory() as sockets:
            self.start_vtdsim(sockets)
            self.start_qemu(sockets)
            if self.args.interactive:
                end = self.interact()
            else:
                end = self.watch(time.monotonic() + self.args.timeout)
            self.stop_vtdsim()
            return self.verdict(end)

    def interact(self):
        """QEMU has the terminal; the shell's status is in the kernel log."""
        saved = termios.tcgetattr(0) if sys.stdin.isatty() else None
        try:
            while self.qemu.poll() is None:
                if self.vtdsim:
                    with contextlib.suppress(BlockingIOError):
                        self.take_vtdsim(os.read(self.vtdsim.stdout.fileno(), 65536))
                    if self.vtdsim.poll():
                        return "vtdsim"
                time.sleep(0.05)
        finally:
            if saved:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
        with open(self.log, errors="replace") as f:
            ended = re.search(rf"^{self.key} (\d+)$", f.read(), re.M)
        self.status = int(ended.group(1)) if ended else None
        return None


def on_signal(number, _frame):
    sys.exit(128 + number)


def main(args, kind=Lab):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    with kind(args) as lab:
        if args.command == "prepare":
            initramfs.base(kernel_directory(args))
            if not args.no_vtdsim:
                build_vtdsim()
            return 0
        return lab.run()
