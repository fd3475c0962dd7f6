# SPDX-License-Identifier: GPL-2.0-only
"""The suites of `make check`."""

import argparse
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import termios
import threading
import time
from pathlib import Path

from . import (bench, bench_report, deb, debian, docs, initramfs, kernel, patches, peer, qemu,
               sources, static, tree)
from .lab import SOCKETS, stale_directory
from .programs import (LAB, PROGRAMS, SELFTESTS, SHOW_KUNIT, call, lab, vm_command,
                       vm_cost_command)
from .term import clean_env
from .tree import BUILD, SRC, TOP

NOT_STATUS = (124, 125)		# the lab's own


# ---- programs on this machine ---------------------------------------------------


def vtdsim(suite):
    """vtdsim's own unit tests, under the address and undefined-behaviour sanitizers."""
    status, out, err = call(["make", "-s", "-C", TOP / "tools/testing/vtdsim",
                             f"O={BUILD / 'vtdsim'}", f"-j{kernel.jobs()}", "check"], suite)
    whole = suite.ktap(out)
    if status or not whole:
        suite.item("all unit tests run and pass", False, (out + err)[-2000:])


def libgpasid(suite):
    """The unit tests of the tests' pretend guest, on the VMM's library."""
    status, out, err = call(["make", "-s", "-C", SELFTESTS / "guest",
                             f"O={BUILD / 'lib'}",
                             f"KHDR={kernel.directory('release')}/usr/include", "check"], suite)
    if not suite.counts(out) or status and not suite.failed:
        suite.item("all unit tests run", False, (out + err)[-2000:])


def vtd_make(*targets):
    return ["make", "-s", "-C", TOP / "tools/lib/vtd", f"O={BUILD / 'lib/vtd'}",
            f"-j{kernel.jobs()}", *targets]


def vtd_fuzz(suite):
    """A few seconds, and what earlier runs have found."""
    if not shutil.which("clang"):
        suite.skip("the fuzzer finds nothing", "no clang")
        return
    status, out, err = call(vtd_make("fuzz", "TIME=5"), suite, 120)
    runs = re.search(r"^stat::number_of_executed_units: (\d+)", err, re.M)
    suite.item("the fuzzer finds nothing", status == 0 and runs, (out + err)[-2000:])


def vtd_coverage(suite):
    status, out, err = call(vtd_make("coverage"), suite)
    seen = re.search(r"^ *([\d.]+) % of +(\d+) lines  all$", out, re.M)
    suite.item("the tests reach 95 % of the library's lines",
               status == 0 and seen and float(seen[1]) >= 95, out + err)


def vtd(suite):
    """The virtual VT-d unit: unit tests, a guest at random, fuzzer, coverage; vsva's registers."""
    vsva = ["make", "-s", "-C", TOP / "tools/vsva", f"O={BUILD / 'lib/vsva'}", "check"]
    for argv in (vtd_make("all", "check"), vsva):
        status, out, err = call(argv, suite)
        whole = suite.ktap(out)
        if status or not whole:
            suite.item("all unit tests run and pass", False, (out + err)[-2000:])
    vtd_fuzz(suite)
    vtd_coverage(suite)


# ---- the road to a real host -------------------------------------------------------


def applied(suite, tool, commands, want):
    """The series in a directory that holds what it changes, by one tool."""
    with tempfile.TemporaryDirectory(dir=BUILD) as tmp:
        patches.originals(Path(tmp))
        script = "set -e; cd " + shlex.quote(tmp) + "\n" + "\n".join(commands)
        status, out, err = call(["sh", "-c", script], suite)
        suite.item(f"{tool} applies the series", status == 0, out + err)
        suite.item(f"{tool}: the files are as in the project's own tree",
                   patches.files(Path(tmp)) == want)
    return out


def patch(suite):
    """make patch: git am, quilt, and the newest 6.12.y of Debian 12 and of Debian 13."""
    found = patches.write()
    want = patches.content()
    where = shlex.quote(str(patches.PATCHES))
    git = "git -c user.name=lab -c user.email=lab@lab.invalid -c init.defaultBranch=main"
    log = applied(suite, "git am", [
        f"{git} init -q", "git add -A", f"{git} commit -q -m Debian",
        f"{git} am -q --whitespace=error $(sed 's,^,{where}/,' {where}/series)", "git log --format=%an:%s%n%b"], want)
    author = (patches.MESSAGES / "AUTHOR").read_text().strip()
    for message in patches.messages():
        suite.item(f"git am: {message.subject}",
                   f"{author.split(' <')[0]}:{message.subject}\n{message.body}\n\n"
                   f"Signed-off-by: {author}\n" in log, log[-2000:])
    applied(suite, "quilt", [f"QUILT_PATCHES={where} quilt --quiltrc - push -a -q"], want)
    text = b"".join(path.read_bytes() for path in found)
    suite.item("no patch names a directory of this machine", str(TOP).encode() not in text)
    try:
        newest = sources.newest()
    except debian.Unavailable as e:
        suite.skip("the newest sources of Debian", str(e))
        return
    for release, (version, source) in newest.items():
        try:
            same = patches.patched(found, source) == patches.content(source)
            suite.item(f"{release}: rules and patches make the same of {version}", same)
        except tree.BuildError as e:
            suite.item(f"{release}: the series applies to {version}", False, str(e))
    suite.item("both releases have a source", set(newest) == set(debian.RELEASES), str(newest))


def examples():
    """{man page: its example}, each a C file."""
    found = {}
    for page in sorted((TOP / "tools/lib/gpasid/man").glob("*.3")):
        text = re.search(r"^\.EX\n(.*?)^\.EE$", page.read_text(), re.M | re.S)
        found[page.stem] = text.group(1).replace("\\-", "-") if text else ""
    return found


def compile_examples(suite, root, flags):
    """Each example as C and as C++, with the library as it is installed."""
    for name, text in examples().items():
        for compiler, suffix in (("gcc", "c"), ("g++", "cc")):
            source = root / f"{name}.{suffix}"
            source.write_text(f"{text}\nint main() {{ return 0; }}\n")
            status, out, err = call([compiler, "-Wall", "-Wextra", "-Werror", "-O2", source,
                                     "-o", root / name, *flags], suite)
            suite.item(f"the example of {name}(3) by {compiler}", status == 0 and bool(text), out + err)


VVTD_VMM = """
static void *ptr(void *vmm, uint64_t gpa, size_t len, bool write)
{
	return write && len ? (char *)vmm + gpa : NULL;
}

static void msi(void *vmm, uint64_t addr, uint32_t data)
{
	printf("%p %d\\n", vmm, addr == data);
}

static uint64_t now(void *vmm)
{
	return !vmm;
}

int main(void)
{
	struct vvtd_iommufd dev = { .iommufd = -1 };
	struct vvtd_dev *guest;

	return unit(NULL, &dev, 8, &guest) ? 1 : 0;
}
"""


def compile_vvtd(suite, root, pkg_config):
    """The example of libvvtd's man page, as a VMM that has no device."""
    status, out, err = call([*pkg_config, "libvvtd"], suite)
    suite.item("pkg-config knows libvvtd", status == 0, err)
    page = (root / "usr/share/man/man3/libvvtd.3").read_text()
    text = re.search(r"^\.EX\n(.*?)^\.EE$", page, re.M | re.S)[1]
    source = root / "libvvtd.c"
    source.write_text(text.replace("\\e", "\\") + VVTD_VMM)
    status, said, err = call(["gcc", "-Wall", "-Wextra", "-Werror", "-O2", source, "-o",
                              root / "libvvtd", *out.split()], suite)
    suite.item("the example of libvvtd(3)", status == 0, said + err)
    status, said, err = call([root / "libvvtd"], suite)
    suite.item("it runs, and finds no device", status == 0, said + err)
    tool_vsva(suite, root / "usr/sbin/vsva")


def tool_vsva(suite, tool):
    """What can be wrong with its arguments, in words."""
    status, out, err = call([tool, "--help"], suite)
    suite.item("vsva runs", status == 0 and out.startswith("usage: vsva"), out + err)
    device = ("--device", "0000:00:00.0", "--memory", "1M")
    for flags, words in (((), "--device and --memory are needed"), (device, "no QEMU to start"),
                         (("--memory", "3k"), "not a number of mebibytes"),
                         (("--registers", "0x8000010"), "not the address of a page"),
                         (("--slot", "20.0"), "not a device and a function"),
                         ((*device, "--", "true"), "no memory of the guest is at 0x8000000")):
        status, out, err = call([tool, *flags], suite)
        suite.item(f"vsva {' '.join(flags)}: {words}",
                   status == 1 and err.startswith("vsva: ") and words in err, out + err)


def install(suite):
    """make install: pkg-config, C and C++, static and shared, the man pages' examples."""
    with tempfile.TemporaryDirectory(dir=BUILD) as tmp:
        root = Path(tmp)
        status, out, err = call(["make", "-C", TOP, f"DESTDIR={tmp}", "PREFIX=/usr", "install"], suite)
        suite.item("make install", status == 0, out + err)
        lib = root / "usr/lib"
        pkg_config = ["env", f"PKG_CONFIG_SYSROOT_DIR={tmp}",
                      f"PKG_CONFIG_LIBDIR={lib / 'pkgconfig'}",
                      "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1", "PKG_CONFIG_ALLOW_SYSTEM_LIBS=1",
                      "pkg-config", "--cflags", "--libs"]
        status, out, err = call([*pkg_config, "libgpasid"], suite)
        suite.item("pkg-config knows the library", status == 0, err)
        flags = out.split()
        compile_examples(suite, root, flags)
        compile_vvtd(suite, root, pkg_config)
        program = root / "libgpasid"
        _, out, _ = call(["readelf", "-d", program], suite)
        suite.item("a program needs the library by its ABI version", "[libgpasid.so.1]" in out, out)
        status, out, err = call(["env", f"LD_LIBRARY_PATH={lib}", program], suite)
        suite.item("it runs", status == 0, err)
        status, out, err = call(["gcc", "-static", f"{program}.c", "-o", program, *flags], suite)
        suite.item("a program links with the static library", status == 0, err)
        _, out, _ = call(["nm", "-D", "--defined-only", lib / "libgpasid.so"], suite)
        names = set(re.findall(r" T (\w+)@@LIBGPASID_1", out))
        header = (root / "usr/include/gpasid.h").read_text()
        suite.item("the library has the functions of its header and no others",
                   names == set(re.findall(r"^int (\w+)\(", header, re.M)), out)
        pages = {p.stem for p in (root / "usr/share/man/man3").glob("*.3")}
        suite.item("each function has a man page", names < pages, str(names - pages))
        for page in sorted((root / "usr/share/man").rglob("*.[38]")):
            if not page.read_text().startswith(".so"):
                _, out, err = call(["groff", "-ww", "-man", "-Tascii", "-P-cbu", page], suite)
                suite.item(f"man {page.stem}", "NAME" in out and not err, err)
        status, out, err = call([root / "usr/sbin/gpasid", "--help"], suite)
        suite.item("the tool runs", status == 0 and out.startswith("usage: gpasid"), out + err)
    with tempfile.TemporaryDirectory(dir=BUILD) as tmp:
        other = Path(tmp) / "usr/include/other.h"
        other.parent.mkdir(parents=True)
        other.write_text("")
        for what in ("install", "uninstall"):
            status, out, err = call(["make", "-C", TOP, f"DESTDIR={tmp}", "PREFIX=/usr", what], suite)
        left = [path for path in Path(tmp).rglob("*") if not path.is_dir()]
        suite.item("make uninstall removes what make install wrote, and nothing else",
                   status == 0 and left == [other], f"{out}{err}{left}")


def configs(suite):
    """FULL=1: the kernel builds in other configurations than the lab's, without a warning."""
    for path in sorted(kernel.VARIANTS.glob("*.config")):
        what = f"{path.stem}: {path.read_text().splitlines()[0].lstrip('# ')}"
        if not os.environ.get("FULL"):
            suite.skip(what)
            continue
        try:
            kernel.build_variant(path)
            suite.item(what, True)
        except tree.BuildError as e:
            suite.item(what, False, str(e))


def htmldocs(suite):
    """make htmldocs: without a warning, and every page can be reached."""
    try:
        docs.build()
        suite.item("the documentation has no warning", True)
    except tree.BuildError as e:
        suite.item("the documentation has no warning", False, str(e))
    for page in sorted((TOP / "Documentation").rglob("*.rst")):
        html = docs.OUT / page.relative_to(TOP / "Documentation").with_suffix(".html")
        suite.item(f"{page.relative_to(TOP)} is a page", html.is_file())


def packages(suite):
    """make deb: packages of a small kernel; unpacked, they pass the story in the lab."""
    where = BUILD / "deb-check"
    made = deb.build("deb-check", (kernel.directory("release") / ".config").read_text(),
                     where, "none", objects="release")
    release = f"{tree.version(SRC)}-gpasid"
    suite.item("an image and headers", [p.name.split("_")[0] for p in made]
               == [f"linux-image-{release}", f"linux-headers-{release}"], str(made))
    status, out, err = call(["dpkg-deb", "-f", made[0], "Version", "Maintainer"], suite)
    author = (patches.MESSAGES / "AUTHOR").read_text()
    suite.item("their version and their maintainer are the project's",
               out == f"Version: {deb.version()}\nMaintainer: {author}", out + err)
    kdir = deb.unpacked(made, where / "root")
    config = kernel.parse_config((where / f"root/boot/config-{release}").read_text())
    want = kernel.parse_config(deb.FRAGMENT.read_text())
    suite.item("all options are on", {k: config.get(k) for k in want} == want, str(config))
    suite.item("no option of the lab is there", not any(k.startswith("LAB_") for k in config))
    status, out, err = lab(suite, "--kernel", kdir, program=[PROGRAMS / "gpasid_run"])
    if not suite.counts(out) or status and not suite.failed:
        suite.item("gpasid_run on the packages", False, err or out[-2000:])


# ---- programs in the lab ----------------------------------------------------------


def take_tap(suite, name, status, out, detail, without=()):
    """What one kselftest program printed, and the status it ended with."""
    for test in without:
        out, left_out = re.subn(rf"^not (ok \d+ \S*\b{test})$", r"\1 # SKIP", out, flags=re.M)
        status = 0 if left_out and status == 1 else status
    seen = re.search(r"^1\.\.\d+", out, re.M)
    failed = suite.failed
    whole = not seen or suite.ktap(out, f"{name}: ")
    if status == 4 and not seen:
        suite.skip(name)
    elif not seen or status in NOT_STATUS or not whole:
        # No TAP: the status is the result.  Or: the end of it is missing.
        suite.item(name, status == 0 and whole, detail or out[-2000:])
    elif status and suite.failed == failed:
        suite.item(f"{name}: exit status {status}", False, detail or out[-2000:])


def in_lab(suite, name, flags, program, timeout, without=()):
    """One boot, one kselftest program."""
    status, out, err = lab(suite, *flags, program=program, timeout=timeout)
    take_tap(suite, name, status, out, err, without)


def variants():
    """The boots of lab-variants: {(kernel, flags): {name: (program, arguments)}}."""
    boots = {}
    for line in (SELFTESTS / "lab-variants").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, flags, program = (part.strip() for part in line.split("|"))
            if name.startswith("full-") and not os.environ.get("FULL"):
                continue
            what = "release" if name.startswith("slow-") else "debug"
            boots.setdefault((what, flags), {})[name] = shlex.split(program)
    return boots


def boot(suite, what, flags, programs):
    """One boot, several kselftest programs one after the other."""
    mark = "== of the lab:"
    limit = 1200 if what == "release" else 600
    script = "".join(f"echo '{mark} {name}'; timeout -s KILL {limit} {shlex.join(words)};"
                     f"rc=$?; echo; echo '{mark} status' $rc;" for name, words in programs.items())
    push = [arg for path in sorted({PROGRAMS / words[0] for words in programs.values()}
                                   | {PROGRAMS / "gpasid"}) for arg in ("--push", path)]

    def each_line(line):
        if line.startswith(mark) and "status" not in line:
            suite.progress(line.split()[-1])

    suite.progress("boot, " + (flags or "defaults"))
    status, out, err = lab(suite, "--kernel", what, *shlex.split(flags), *push,
                           program=["sh", "-c", script], timeout=limit * len(programs),
                           each_line=each_line)
    parts = dict(re.findall(rf"^{mark} (\S+)\n(.*?)(?=^{mark} \S+\n|\Z)", out, re.M | re.S))
    for name in programs:
        said, _, ended = parts.get(name, "").partition(f"{mark} status ")
        take_tap(suite, name, int(ended) if ended.strip() else 125, said,
                 "" if ended.strip() else err or "it did not end")
    if status:
        suite.item(f"{' '.join(programs)}: the boot, and the kernel's log", False, err)


def soak(suite):
    """10^6 checked DMAs while bindings change; FULL=1: 10^7, by chance."""
    steps = ["10000000"] if os.environ.get("FULL") else ["1000000", "1"]
    in_lab(suite, f"{steps[0]} DMAs under churn", ["--kernel", "debug", "--adverse"],
           [PROGRAMS / "gpasid_soak", *steps], 1200)


def selftests(suite):
    """Tests of the ioctls and of DMA, on the debug kernel with two processors."""
    for (what, flags), programs in variants().items():
        boot(suite, what, flags, programs)
    soak(suite)


def story(suite):
    """What `make run` shows, on the debug kernel."""
    status, out, err = lab(suite, "--kernel", "debug", program=[PROGRAMS / "gpasid_run"])
    if not suite.counts(out) or status and not suite.failed:
        suite.item("gpasid_run", False, err or out[-2000:])


def nested(suite):
    """The lab proved by code that is not ours: an unmodified kernel's nested attach."""
    in_lab(suite, "unmodified 6.12", ["--kernel", "pristine"], [PROGRAMS / "lab_nested"], 300)


def kunit_modules():
    """All that there are, and those of the core before what uses it."""
    makefiles = (tree.RULES / "append").rglob("Makefile")
    return [name for path in sorted(makefiles, key=lambda p: (len(p.parts), p))
            for name in re.findall(r"\+= (\w+_kunit)\.o", path.read_text())]


def take_kunit(suite, count, status, out, err):
    """The files of @count KUnit suites, each after a line with its name."""
    results = re.split(r"^== ", out, flags=re.M)[1:]
    for text in results:
        name = text.split("/")[-2] if "/" in text else "?"
        failed = suite.failed
        whole = suite.ktap(text, f"{name}: ", indent=4)
        good = re.search(r"^ok \d+", text, re.M)
        if not whole or not good and suite.failed == failed:
            suite.item(f"{name}: the whole suite", False, text[-1500:])
    if status or len(results) < count or "not ok 1 modprobe" in out:
        suite.item("kernel log and exit status", False, err or out[-1500:])


def kunit(suite):
    """KUnit suites, in the debug lab."""
    modules = kunit_modules()
    script = f"""
        for m in {' '.join(modules)}; do modprobe $m || echo "not ok 1 modprobe $m"; done
        {SHOW_KUNIT}
        for m in {' '.join(modules)}; do rmmod $m; done"""
    # Without the other modules: one suite counts who uses the module it tests.
    status, out, err = lab(suite, "--kernel", "debug", "--no-vtdsim", "--no-gpasid",
                           program=["sh", "-c", script], timeout=600)
    take_kunit(suite, len(modules), status, out, err)


def ioasid_files(suite):
    """What an administrator reads and writes."""
    script = """
        refused() { if (echo $1 >$2) 2>/dev/null; then echo "$2 took $1"; exit 1; fi; }
        modprobe ioasid; cd /sys/module/ioasid/parameters; d=/sys/kernel/debug/ioasid
        [ $(cat ceiling) = 1048575 ]; [ $(cat default_quota) = 65536 ]
        [ $(cat host_reserve) = 65536 ]; [ $(cat user_limit) = 0 ]
        echo 5 >ceiling; echo 3 >default_quota; echo 0 >host_reserve; echo 2 >user_limit
        for x in 0 1048576 -1 x; do refused $x ceiling; refused $x default_quota; done
        for x in 1048576 -1 x; do refused $x host_reserve; refused $x user_limit; done
        [ $(cat ceiling) = 5 ]; [ $(cat default_quota) = 3 ]
        pool="ceiling 5 allocated 0 default_quota 3 host_reserve 0 user_limit 2"
        [ "$(echo $(cat $d/pool))" = "$pool" ]
        [ $(wc -l <$d/sets) = 1 ]; [ $(wc -l <$d/free_pending) = 1 ]"""
    status, out, err = lab(suite, "--kernel", "release", "--no-vtdsim", "--no-gpasid",
                           program=["sh", "-exc", script], timeout=60)
    suite.item("parameters and debugfs files", status == 0, out + err)


def ioasid(suite):
    """All 2^20 - 1 IOASIDs, and the benchmark, on the release kernel."""
    ioasid_files(suite)
    script = f"""
        run() {{
            echo -n "$2" >/sys/module/kunit/parameters/filter_glob
            modprobe $1 || echo "not ok 1 modprobe $1"
        }}
        modprobe kunit
        run ioasid_kunit 'ioasid_races.all_numbers*'; run ioasid_bench '*.*'
        run gpasid_kunit '*.an_owner_is_looked_for_with_reschedules'
        {SHOW_KUNIT}
        rmmod ioasid_kunit ioasid_bench gpasid_kunit"""
    take_kunit(suite, 3, *lab(suite, "--kernel", "release", "--cpus", "2", "--no-vtdsim",
                              "--no-gpasid", program=["sh", "-c", script], timeout=300))


IOMMUFD_TEST = SRC / "tools/testing/selftests/iommu/iommufd.c"


def newer_iommufd_test():
    """The test, with the one answer that the ABI of today gives otherwise: an
    invalidation of an HWPT that is not nested."""
    old, new = (f"test_err_hwpt_invalidate({e}, parent_hwpt_id" for e in ("ENOENT", "EINVAL"))
    text = IOMMUFD_TEST.read_text()
    if text.count(old) + text.count(new) != 1:
        raise tree.BuildError(f"{IOMMUFD_TEST}: the invalidation of a parent is not tested as it was")
    return text.replace(old, new)


def build_iommufd_test(suite, program):
    """The test as it is, or with what its own tree lacks.  Returns tests to leave out."""
    source = program.with_suffix(".c")
    program.parent.mkdir(parents=True, exist_ok=True)
    tree.put(source, newer_iommufd_test().encode())
    argv = ["gcc", "-static", "-O2", "-w", "-D_GNU_SOURCE=", "-isystem",
            kernel.directory("pristine") / "usr/include", "-I", IOMMUFD_TEST.parent,
            "-o", program, source]
    status, out, err = call(argv, suite)
    if not status:
        return ()
    # It asks for a kind of information that this kernel's ABI cannot name.
    status, out, err = call([*argv, "-include", SELFTESTS / "iommufd_compat.h"], suite)
    if status:
        raise tree.BuildError(f"the kernel's iommufd.c does not build:\n{err[-2000:]}")
    return ("get_hw_info",)


def kernel_tests(suite):
    """The kernel's own iommufd selftest on our kernel."""
    program = PROGRAMS / "kernel" / "iommufd"
    without = build_iommufd_test(suite, program)
    in_lab(suite, "iommufd", ["--kernel", "debug", "--no-vtdsim", "--mem", "2G",
                              "--hugepages", "64"], [program], 1500, without)


# ---- the lab itself -------------------------------------------------------------------


def children(pid):
    """{pid: start time} of the processes that a lab has started."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found[int(path.parent.name)] = fields[19]
    return found


def alive(procs):
    left = []
    for pid, start in procs.items():
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if fields[19] == start and fields[0] != "Z":
                left.append(pid)
    return left


def stale_files():
    """Socket directories without an owner, what is in /dev/shm and in build/lab."""
    stale = []
    for path in Path(tempfile.gettempdir()).glob(f"*{SOCKETS}*"):
        fd = stale_directory(path)
        if fd is not None:
            os.close(fd)
            stale.append(path.name)
    return set(stale) | {p.name for d in ("/dev/shm", BUILD / "lab") for p in Path(d).iterdir()}


def started(program):
    """A lab whose program has begun to speak, and its children."""
    # A job in the background ignores SIGINT, and so would what it starts.
    proc = subprocess.Popen([str(LAB), "run", "--no-build", "--", "sh", "-c", program],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=clean_env(),
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    proc.stdout.readline()
    return proc, children(proc.pid)


def nothing_left(suite, name, procs, before):
    """Two seconds are given for what was killed to go."""
    for _ in range(20):
        left = alive(procs) + sorted(stale_files() - before)
        if not left:
            break
        time.sleep(0.1)
    suite.item(f"{name}: no process and no file is left", not left, f"left: {left}")


def lab_killed(suite, name, number):
    before = stale_files()
    proc, procs = started("echo begun; sleep 1000")
    suite.item(f"{name}: vtdsim and QEMU run", len(procs) == 2, str(procs))
    proc.send_signal(number)
    proc.communicate()
    if number == signal.SIGKILL:
        # Its socket directory goes with the next run.
        call([LAB, "run", "--no-build", "--", "true"], suite)
    nothing_left(suite, name, procs, before)


def lab_statuses(suite):
    cases = (
        ("exit status", 7, ["sh", "-c", "exit 7"]),
        ("killed by a signal", 128 + 9, ["sh", "-c", "kill -9 $$"]),
        ("a program that is not there", 127, ["no-such-program"]),
        ("power off from inside", 125, ["poweroff", "-f"]),
    )
    for name, want, program in cases:
        status, _, err = lab(suite, program=program, timeout=60, check_log=False)
        suite.item(f"{name} gives {want}", status == want, f"status {status}\n{err}")
    status, _, err = lab(suite, "--append", "rdinit=/none init=/none", program=["true"], check_log=False)
    suite.item("kernel panic gives 125 and the log", status == 125 and "Kernel panic" in err,
               f"status {status}\n{err}")
    with tempfile.NamedTemporaryFile() as counters:
        status, _, _ = lab(suite, "--counters", counters.name, program=["sleep", "1000"], timeout=9,
                           check_log=False)
        suite.item("out of time gives 124 and the counters",
                   status == 124 and b"descriptors" in counters.read(), f"status {status}")
    splat = "echo 'BUG: not really' >/dev/kmsg; true"
    status, _, _ = lab(suite, program=["sh", "-c", splat])
    suite.item("a splat in the kernel log gives 125", status == 125, f"status {status}")
    status, _, _ = lab(suite, "--allow-log", "BUG: not", program=["sh", "-c", splat])
    suite.item("unless it is allowed", status == 0, f"status {status}")


def lab_output(suite):
    """A quarter of a megabyte, with every byte in it."""
    awk = ("BEGIN { for (i = 0; i < 4096; i++) for (b = 1; b < 64; b++) "
           "printf \"%c\", (b == 10) ? 1 : b; }")
    proc = subprocess.run([str(LAB), "run", "--no-build", "--", "awk", awk],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=clean_env())
    want = bytes(1 if b == 10 else b for b in range(1, 64)) * 4096
    suite.item("a program's output arrives byte by byte", proc.stdout == want,
               f"{len(proc.stdout)} of {len(want)} bytes")


def lab_devices(suite):
    script = """
        d=/sys/bus/pci/devices; all() { ls $d | grep -c '^000[12]'; }
        iomem() { grep -A2 'vtdsim endpoints' /proc/iomem; }
        set -e; first=$(iomem); [ $(all) = 4 ]
        echo 1 >$d/0001:00:00.0/remove; echo 1 >$d/0001:00:01.0/remove; [ $(all) = 2 ]
        echo 1 >/sys/bus/pci/rescan; [ $(all) = 4 ]; [ "$(iomem)" = "$first" ]
        [ $(ls /dev/vfio/devices | wc -l) = 4 ]; echo 1 >$d/0002:00:00.0/reset
        rmmod vtdsim_ep; [ $(all) = 0 ]; modprobe vtdsim_ep; [ $(all) = 4 ]
        [ "$(iomem)" = "$first" ]"""
    status, out, err = lab(suite, "--kernel", "debug", program=["sh", "-exc", script])
    suite.item("endpoints can be removed, found again, reset and unloaded", status == 0, out + err)


def lab_ports(suite):
    """Each unit has what the table says; a bus gets its number when it is found."""
    script = """
        d=/sys/bus/pci/devices; unit() { basename $(readlink $d/0001:$1/iommu); }
        units() { echo $(for i in 00:00.0 01:00.0 01:00.1 00:01.0 02:00.0; do unit $i; done); }
        set -ex; want='dmar0 dmar0 dmar0 dmar1 dmar1'; [ "$(units)" = "$want" ]
        echo 1 >$d/0001:00:10.0/remove; [ ! -e $d/0001:01:00.1 ]; [ -e $d/0001:02:00.0 ]
        echo 1 >/sys/bus/pci/rescan; [ "$(units)" = "$want" ]
        rmmod vtdsim_ep; [ ! -e $d/0001:00:10.0 ]
        modprobe vtdsim_ep; [ "$(units)" = "$want" ]"""
    flags = ["--kernel", "debug", "--unit", "seg=1,scope=1", "--unit", "seg=1"]
    for ep in ("unit=0", "unit=0,port=1", "unit=0,port=1", "unit=1", "unit=1,port=1"):
        flags += ["--ep", ep]
    status, out, err = lab(suite, *flags, program=["sh", "-c", script])
    suite.item("endpoints behind ports, of two units on one segment", status == 0, out + err)


def lab_mistakes(suite):
    """Words, not a traceback, say what is wrong."""
    for flags in (("--push", "/no-such-file"), ("--log", "/no/such/directory"),
                  ("--mem", "1048577K"), ("--mem", "much"), ("--evict", "abc"), ("--seed", "-1"),
                  ("--unit", "seg=1", "--unit", "seg=1"), ("--unit", "seg=0"),
                  ("--unit", "new=1"), ("--ep", "unit=2"), ("--ep", "port=2")):
        status, _, err = lab(suite, *flags, program=["true"], check_log=False)
        suite.item(f"{shlex.join(flags)} is refused in words",
                   status == 125 and err.startswith("lab: "), f"status {status}\n{err}")
    for out in ("", "2>&1 >/dev/null"):
        status, _, err = call(["bash", "-o", "pipefail", "-c", f"{LAB} run --no-build --trace -- "
                               f"seq 100000 {out} | head -1"], suite)
        suite.item(f"a reader that goes ends the lab {out}",
                   status == 141 and "Traceback" not in err, f"status {status}\n{err[-1000:]}")


def shell(at_prompt, *flags):
    """scripts/lab shell at a terminal: what was seen, and its status."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (37, 123))
    proc = subprocess.Popen([str(LAB), "shell", "--no-build", *flags], stdin=theirs,
                            stdout=theirs, stderr=theirs, env=clean_env())
    os.close(theirs)
    timer = threading.Timer(120, proc.kill)
    timer.start()
    seen, asked = b"", False
    with contextlib.suppress(OSError):		# EIO: nobody has the other end
        while data := os.read(ours, 4096):
            seen += data
            if b"/lab # " in seen and not asked:
                asked = True
                at_prompt(proc, ours)
    os.close(ours)
    status = proc.wait()
    timer.cancel()
    return seen.decode(errors="replace"), status


def lab_shell(suite):
    def leave(_, terminal):
        os.write(terminal, b"stty size; exit 3\r")

    def end_vtdsim(proc, _):
        for pid in children(proc.pid):
            if b"vtdsim" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
                os.kill(pid, signal.SIGKILL)

    cases = (
        ("its exit status, at a terminal of the same size", leave, (), 3, "37 123"),
        ("vtdsim killed gives 125", end_vtdsim, (), 125, "vtdsim ended"),
        ("kernel panic gives 125", leave, ("--append", "rdinit=/none init=/none"), 125,
         "Kernel panic"),
        ("an argument that QEMU refuses gives 125", leave, ("--qemu-arg=-nonsense",), 125,
         "-nonsense"),
    )
    for name, at_prompt, flags, want, text in cases:
        seen, status = shell(at_prompt, *flags)
        suite.item(f"shell: {name}", status == want and text in seen, f"status {status}\n{seen}")


def lab_memory(suite):
    """The initramfs and the device window do not meet."""
    count = ["sh", "-c", "ls /sys/bus/pci/devices | grep -c ^000[12]"]
    with tempfile.NamedTemporaryFile() as big:
        big.truncate(24 << 20)
        flags = ["--push", f"{big.name}:big"]
        status, out, err = lab(suite, *flags, program=count)
        suite.item("a large file leaves the endpoints alone", out == "4\n",
                   f"status {status}\n{out}{err}")
        status, _, err = lab(suite, *flags, "--mem", "512M", program=["true"])
        suite.item("too little memory is refused", status == 125 and "need" in err, err)
    # As if the initramfs were there.
    wipe = "loader,addr=0x1F000000,data=0,data-len=8"
    status, _, err = lab(suite, "--qemu-arg=-device", f"--qemu-arg={wipe}", program=["true"])
    suite.item("a window that was overwritten gives 125", status == 125 and "no endpoints" in err,
               f"status {status}\n{err}")


def lab_pair(suite):
    before = stale_files()
    pair = [started(f"echo begun; sleep 2; echo {i}; exit {i}") for i in (3, 4)]
    ends = []
    for proc, _ in pair:
        out, err = proc.communicate()
        suite.note(err.decode(errors="replace"))
        ends.append((out.strip(), proc.returncode))
    suite.item("two labs run at once", ends == [(b"3", 3), (b"4", 4)], str(ends))
    nothing_left(suite, "two labs", pair[0][1] | pair[1][1], before)


def lab_itself(suite):
    """scripts/lab: statuses, output, and that nothing is left behind."""
    lab_statuses(suite)
    lab_output(suite)
    lab_devices(suite)
    lab_ports(suite)
    lab_memory(suite)
    lab_mistakes(suite)
    lab_shell(suite)
    lab_pair(suite)
    for name, number in (("SIGINT", signal.SIGINT), ("SIGTERM", signal.SIGTERM),
                         ("SIGKILL", signal.SIGKILL)):
        lab_killed(suite, name, number)


# ---- a VM in the lab ------------------------------------------------------------------


def vm_steps(suite, name, argv, timeout=300):
    """A story in a VM: its steps are results.  Returns what it printed."""
    suite.progress(name)
    argv[2:2] = ["--check-log", "--timeout", timeout]
    status, out, err = call(argv, suite, timeout + 120)
    failed = suite.failed
    if not suite.counts(out) or status and suite.failed == failed:
        suite.item(name, False, err or out[-2000:])
    return out


def vm_costs(suite):
    """An unmodified 6.12 as the guest; costs do not depend on how many are bound."""
    out = vm_steps(suite, "costs, with an unmodified guest kernel",
                   vm_cost_command((1, 40), "--guest-kernel", "pristine"))
    costs = {}
    for op, _, cost in re.findall(r"^cost: (\S+) n=(\d+) (descriptors=\d+ waits=\d+)", out, re.M):
        costs.setdefault(op, []).append(cost)
    for op, (one, *more) in costs.items():
        if more:
            suite.item(f"{op}: the same with 1 and with 40 bound", more == [one], f"{one}; {more}")


def vm_peer(suite):
    """The newest kernel as it is, as a guest: VFIO and iommufd attach PASIDs in it, processes bind."""
    try:
        peer.build()
    except debian.Unavailable as e:
        suite.skip("the newest kernel as a guest", str(e))
        return
    vm_steps(suite, "the newest kernel as a guest",
             vm_cost_command((1, 10), "--guest-kernel", "peer", driver="vfio-pci"))
    vm_steps(suite, "processes of the newest kernel, demand paging",
             vm_command("--vsva", "--guest-kernel", "peer", host="vm_vsva",
                        program=[PROGRAMS / "vm_guest"]))


def vm_statuses(suite):
    suite.progress("statuses, two endpoints in a VM")
    argv = vm_command("--dev", "0001:00:00.0", "--dev", "0002:00:01.0",
                      program=["sh", "-c", "ls /dev/vtdsim_sva-*; exit 7"])
    status, out, err = call(argv, suite, 300)
    suite.item("a program's output and status", status == 7, f"status {status}\n{out}{err}")
    suite.item("two endpoints in one VM", len(out.split()) == 2, out)
    for flags in (("--vms", "9"), ("--dev", "1"), ("--guest-kernel", "/none")):
        status, _, err = call(vm_command(*flags, program=["true"]), suite, 60)
        suite.item(f"vm {shlex.join(flags)} is refused in words",
                   status == 125 and err.startswith("lab: "), f"status {status}\n{err}")
    status, out, err = call(vm_command("--vm-arg=-nonsense", program=["true"]), suite, 300)
    suite.item("an argument that QEMU refuses gives 125 and its words",
               status == 125 and "-nonsense" in out, f"status {status}\n{out}{err}")


def vm(suite):
    """An unmodified QEMU and Linux guests: story, costs, two VMs, hot-plug; FULL=1: a 7.x guest."""
    try:
        qemu.fetch()
    except debian.Unavailable as e:
        suite.progress(f"skipped: {e}")
        suite.skip("all of it", str(e))
        return
    vm_steps(suite, "the story of a guest, debug kernel",
             vm_command("--kernel", "debug", "--host-push", PROGRAMS / "vm_calls.so",
                        host="vm_story", program=[PROGRAMS / "vm_guest"]), 600)
    vm_costs(suite)
    # The same steps each time, but where there is time to look at what others find.
    steps = "vm_random 300" if os.environ.get("FULL") else "vm_random 100 7"
    vm_steps(suite, "a guest's tables and unit at random",
             vm_command("--guest-driver", "vtdsim_pasid", "--guest-modprobe", "vtdsim_unit",
                        host=steps, program=[PROGRAMS / "vm_pasids"]), 600)
    vm_steps(suite, "two VMs, debug kernel",
             vm_command("--kernel", "debug", "--vms", "2", host="vm_pair",
                        program=[PROGRAMS / "vm_guest"]), 600)
    vm_steps(suite, "unplug, memory in huge pages, debug kernel",
             vm_command("--kernel", "debug", "--root-port", "--guest-ram", "hugetlb",
                        "--hugepages", "128", host="vm_unplug",
                        program=[PROGRAMS / "vm_guest"]), 600)
    vm_steps(suite, "hot-plug, shared memory, debug kernel",
             vm_command("--kernel", "debug", "--hot-plug", "--guest-ram", "memfd",
                        host="vm_hotplug", program=[PROGRAMS / "vm_guest"]), 600)
    vm_steps(suite, "a virtual unit beside QEMU, demand paging, debug kernel",
             vm_command("--kernel", "debug", "--vsva", host="vm_vsva",
                        program=[PROGRAMS / "vm_guest"]), 600)
    vm_statuses(suite)
    if os.environ.get("FULL"):
        vm_peer(suite)


# ---- make bench -------------------------------------------------------------------------


def bench_records(suite, records):
    """What the records of a small run have to say."""
    keys = [list(r) for r in records]
    suite.item("each record has the keys that are promised",
               bool(keys) and all(k == list(bench_report.KEYS) for k in keys), str(keys[:1]))
    found = {(r["implementation"], r["operation"], r["n"]): r for r in records}
    want = {(i, o, n) for i in (bench.OURS, bench.OWN) for o in bench_report.OPERATIONS
            for n in (1, 10)}
    suite.item("every operation was measured, with 1 and 10 bound", want == set(found),
               str(want ^ set(found)))
    suite.item("times are positive, spreads not negative",
               all(r["median_us"] > 0 <= r["spread_us"] for r in records), str(records))
    for operation, waits in (("attach", 0), ("detach", 1), ("replace", 1), ("invalidate_16", 1),
                             ("unmap_page", 1), ("dirty_start", 1)):
        seen = {(found[k]["descriptors"], found[k]["waits"]) for k in found
                if k[:2] == (bench.OURS, operation)}
        suite.item(f"{operation}: the same descriptors with 1 and 10 bound, {waits} waits",
                   len(seen) == 1 and {w for _, w in seen} == {waits}, str(seen))


def bench_ratios(suite):
    """A peer that takes twice as long: what the report makes of it."""
    results = bench.Results()
    results.peer = "linux-7.0"
    for name, ns in ((bench.OURS, 100), (results.peer, 200)):
        results.costs[name, "null_ioctl", 1] = bench.Cost([0] * 3, [0] * 3, [50] * 3, [0] * 3)
        results.costs[name, "detach", 10000] = bench.Cost(
            [ns // 25] * 3, [ns // 100] * 3, [ns - 20, ns, ns + 40], [20] * 3)
    report = bench_report.Report(results)
    ours = report.by_key[bench.OURS, "detach", 10000]
    suite.item("ratio_to_peer is our time by the peer's", ours["ratio_to_peer"] == 0.5, str(ours))
    suite.item("the floor is a null ioctl", ours["ratio_to_floor"] == 2.0, str(ours))
    suite.item("the unit's share is taken out of both",
               ours["without_unit_ratio_to_peer"] == round(80 / 180, 4), str(ours))
    targets = {t[0].split(":")[0]: t[2:] for t in report.targets()}
    suite.item("a target that is missed is called missed", targets["detach"] == (2.0, False),
               str(targets))


def bench_alone(suite):
    """Where the package of the peer cannot be had."""
    def unavailable():
        raise debian.Unavailable("no archive")

    results = bench.Results()
    found = bench.kernels(argparse.Namespace(ours=False, smoke=False), results, unavailable)
    suite.item("without a peer, ours is measured alone, and the run says so",
               found == [(bench.OURS, "release")] and results.notes == ["No peer: no archive"],
               f"{found} {results.notes}")


def bench_itself(suite):
    """make bench: a small run on our kernel alone, and what is made of it."""
    bench_ratios(suite)
    bench_alone(suite)
    with tempfile.TemporaryDirectory() as tmp:
        status, out, err = call([TOP / "scripts/bench", "--smoke", "--out", tmp], suite, 300)
        suite.item("it ends well", status == 0, err or out[-2000:])
        if not status:
            bench_records(suite, json.loads((Path(tmp) / "result.json").read_text()))
            text = (Path(tmp) / "result.md").read_text()
            suite.item("result.md has the tables", "## Operations" in text and "## Memory" in text,
                       text[:1000])


SUITES = {
    "vtdsim": vtdsim,
    "libgpasid": libgpasid,
    "vtd": vtd,
    "static": static.run,
    "patch": patch,
    "packages": packages,
    "configs": configs,
    "htmldocs": htmldocs,
    "install": install,
    "lab": lab_itself,
    "nested": nested,
    "kunit": kunit,
    "ioasid": ioasid,
    "selftests": selftests,
    "story": story,
    "kernel-tests": kernel_tests,
    "vm": vm,
    "bench": bench_itself,
}
