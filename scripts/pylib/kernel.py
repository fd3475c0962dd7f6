# SPDX-License-Identifier: GPL-2.0-only
"""Configure and build the kernels.

release    build/linux-6.12/release    our tree
debug      build/linux-6.12/debug      our tree, with every checker
pristine   build/src-6.12/pristine     Debian's tree as it is
variant    build/linux-6.12/variant    our tree, configured otherwise: to be built
                                       only, one after the other

Each build directory stands inside its source tree, because then kbuild's own
paths are relative, and the pristine kernel can begin with the release kernel's
objects: the few sources that differ are compiled again, not all.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import tree
from .term import Step, clean_env, run_logged, tail
from .tree import BUILD, LOGS, MUTANTS, PACKAGED, RULES, SRC, TREE, BuildError

CONFIGS = {
    "release": ("lab", "gpasid", "lab-sva"),
    "debug": ("lab", "gpasid", "lab-sva", "debug"),
    "pristine": ("lab",),
    "variant": ("lab", "gpasid"),
}
VARIANTS = RULES / "configs/variants"
SOURCE = {"release": TREE, "debug": TREE, "pristine": SRC, "variant": TREE,
          "mutant": MUTANTS, "mutant-debug": MUTANTS,
          "deb": PACKAGED, "deb-check": PACKAGED}

# Same text in every build, whoever builds and wherever.
IDENTITY = {
    "KBUILD_BUILD_USER": "gpasid",
    "KBUILD_BUILD_HOST": "lab",
    "KBUILD_BUILD_VERSION": "1",
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
    "LOCALVERSION": "",
}

OUR_SYMBOLS = ("IOASID", "GPASID", "INTEL_GPASID", "IOMMUFD_GPASID", "VFIO_GPASID",
               "IOASID_KUNIT_TEST", "SAMPLE_GPASID_VDCM")


def directory(name):
    return SOURCE[name] / name


def jobs():
    return os.environ.get("JOBS") or str(len(os.sched_getaffinity(0)))


def make(name, *args):
    """The command line of the kernel's own make for one of the builds."""
    return ["make", "-C", str(SOURCE[name]), f"O={directory(name)}", f"-j{jobs()}", *args]


def env():
    return clean_env(**IDENTITY)


def parse_config(text):
    out = {}
    for line in text.splitlines():
        m = re.match(r"CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set", line)
        if m:
            out[m.group(1) or m.group(3)] = m.group(2) or "n"
    return out


def fragments(name):
    parts = [SOURCE[name] / "kernel/configs/tiny-base.config",
             SOURCE[name] / "arch/x86/configs/tiny.config"]
    return parts + [RULES / f"configs/{part}.config" for part in CONFIGS[name]]


def known_symbols(names):
    """Those of the names that some Kconfig file in our tree defines."""
    text = ""
    for path in list(tree.overlay_files().values()) + [TREE / n for n in tree.touched()]:
        if path.name.startswith("Kconfig"):
            text += path.read_text()
    return {n for n in names if re.search(rf"^(menu)?config {n}$", text, re.M)}


def check_config(name, want, have):
    wrong = [f"CONFIG_{k}: wanted {v}, is {have.get(k, 'n')}"
             for k, v in sorted(want.items()) if have.get(k, "n") != v]
    absent = set(OUR_SYMBOLS) - known_symbols(OUR_SYMBOLS)
    wrong = [w for w in wrong if w.split(":")[0][len("CONFIG_"):] not in absent]
    if wrong:
        raise BuildError(f"{name}: these lines of the configuration did not take effect:\n  "
                         + "\n  ".join(wrong))


def configure(name, log, step, more=()):
    """tinyconfig's rules plus our fragments; the last line on a symbol wins."""
    want, ours = {}, {}
    for path in [*fragments(name), *more]:
        lines = parse_config(path.read_text())
        want.update(lines)
        if RULES in path.parents:
            ours.update(lines)
    out = directory(name)
    out.mkdir(parents=True, exist_ok=True)
    merged = "".join(f"CONFIG_{k}={v}\n" if v != "n" else f"# CONFIG_{k} is not set\n"
                     for k, v in want.items())
    seed = out / ".fragments.config"
    seed.write_text(merged)
    # allnoconfig writes over .config: keep its time when nothing changed.
    config = out / ".config"
    new = out / ".config.gpasid"
    e = env()
    e.update(KCONFIG_ALLCONFIG=str(seed), KCONFIG_CONFIG=str(new))
    if run_logged(make(name, "allnoconfig"), log, step, env=e):
        raise BuildError(f"{name}: configuration failed:\n{tail(log)}")
    check_config(name, ours, parse_config(new.read_text()))
    tree.put(config, new.read_bytes())
    new.unlink()


def copy_objects(source, name):
    """Begin a build with the objects of another one.  make decides by time: a
    source file that differs must be newer than the object from the other one."""
    out = directory(name)
    part = out.with_name(f"{name}.part")
    shutil.rmtree(part, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(directory(source)), str(part)],
                   check=True)
    (part / ".built").unlink(missing_ok=True)
    (part / ".objects-of").write_text(source)
    os.rename(part, out)


def keep_objtool_time(name):
    """After copy_objects(): objtool is built with absolute paths, so again in the
    new directory, and every object depends on it.  Let the new one, of the same
    source, pass for the old one."""
    mark = directory(name) / ".objects-of"
    if not mark.exists():
        return
    subprocess.run(make(name, "prepare"), env=env(), check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    old = directory(mark.read_text()) / "tools/objtool/objtool"
    for path in (directory(name) / "tools/objtool").rglob("*"):
        os.utime(path, ns=(old.stat().st_atime_ns, old.stat().st_mtime_ns))
    mark.unlink()


def seed_pristine(step):
    """Only the few sources that differ from the release kernel's are compiled."""
    pristine = directory("pristine")
    if pristine.exists() or not (directory("release") / ".built").is_file():
        return
    step.say("starting from the objects of the release kernel")
    copy_objects("release", "pristine")
    for pattern in ("*.ko", "*.mod", "*.mod.c", "modules.order", "Module.symvers",
                    "vmlinux*", "bzImage", ".config*"):
        for path in pristine.rglob(pattern):
            path.unlink()
    shutil.rmtree(pristine / "usr/include", ignore_errors=True)
    for name in tree.touched():
        os.utime(SRC / name)


def compile_line(line):
    return line.startswith(("  CC ", "  AS ", "  LD ", "  AR ", "  HOSTCC "))


def explain(log):
    """The lines of a build log that say what is wrong, or its end."""
    lines = Path(log).read_text(errors="replace").splitlines()
    bad = [i for i, l in enumerate(lines)
           if re.search(r"\berror\b|Error \d|ERROR:|undefined", l)]
    if not bad:
        return tail(log)
    return "\n".join(lines[max(0, bad[0] - 5):bad[0] + 35]) + "\n"


def stamp_of(name, key):
    gcc = subprocess.run(["gcc", "--version"], capture_output=True, text=True).stdout
    return tree.digest(key if SOURCE[name] is TREE else (BUILD / ".unpacked").read_text(),
                       gcc, Path(__file__), *fragments(name))


def link(path, target):
    target = os.path.relpath(target, BUILD)
    if not (path.is_symlink() and os.readlink(path) == target):
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def build(name):
    """Bring one kernel up to date.  Quick when nothing changed."""
    key = tree.prepare()
    with tree.lock(name), tree.lock("tree", shared=True):
        stamp = directory(name) / ".built"
        want = stamp_of(name, key)
        if stamp.is_file() and stamp.read_text() == want:
            return
        step = Step(f"kernel {name}")
        log = LOGS / f"kernel-{name}.log"
        if name == "pristine":
            seed_pristine(step)
        stamp.unlink(missing_ok=True)
        configure(name, log, step)
        link(BUILD / name, directory(name))
        keep_objtool_time(name)
        step.say(f"building Linux {tree.version(SOURCE[name])}, log in "
                 f"{log.relative_to(tree.TOP)}")
        if run_logged(make(name, "bzImage", "modules", "headers"), log, step,
                      count=compile_line, env=env(), append=True):
            raise BuildError(f"kernel {name} does not build ({log}):\n{explain(log)}")
        if name == "release":
            link(BUILD / "khdr", directory(name) / "usr")
        stamp.write_text(want)
        step.say("built")


def build_variant(path):
    """Build the kernel once more, as a fragment of VARIANTS says.  What it has in
    common with the release kernel, or the variant before, is not compiled again."""
    name = "variant"
    tree.prepare()
    with tree.lock(name), tree.lock("tree", shared=True):
        step = Step(f"kernel {path.stem}")
        log = LOGS / f"kernel-{path.stem}.log"
        if not directory(name).exists():
            copy_objects("release", name)
        configure(name, log, step, [path])
        keep_objtool_time(name)
        if run_logged(make(name, "bzImage", "modules"), log, step,
                      count=compile_line, env=env(), append=True):
            raise BuildError(f"{path.stem} does not build ({log}):\n{explain(log)}")
        # -Werror would be another command line: everything would be compiled again.
        warned = [l for l in log.read_text(errors="replace").splitlines() if "warning:" in l.lower()]
        if warned:
            raise BuildError("\n".join(warned))


def headers():
    """The exported headers of our tree: of a build if there is one, else alone."""
    tree.prepare()
    if (directory("release") / "usr/include/linux/gpasid.h").is_file():
        return directory("release") / "usr/include"
    out = BUILD / "headers"
    log = LOGS / "headers.log"
    with tree.lock("headers"), tree.lock("tree", shared=True):
        if run_logged(["make", "-C", str(TREE), f"O={out}", f"-j{jobs()}", "ARCH=x86",
                       "headers"], log, Step("headers"), env=env()):
            raise BuildError(f"the kernel's headers are not made ({log}):\n{explain(log)}")
    return out / "usr/include"


def run_make(name, args):
    """Any target of the kernel's make, output on the terminal."""
    tree.prepare()
    with tree.lock(name), tree.lock("tree", shared=True):
        if not (directory(name) / ".config").is_file():
            step = Step(f"kernel {name}")
            configure(name, LOGS / f"kernel-{name}.log", step)
            link(BUILD / name, directory(name))
        return subprocess.call(make(name, *args), env=env())
