# SPDX-License-Identifier: GPL-2.0-only
"""The kernel source: unpack, overlay, integrate.

build/src-6.12      Debian's source, unpacked once, never written to again
build/linux-6.12    hard links to it, plus our files, plus what integration/6.12
                    makes of the files that it names

A file in build/linux-6.12 is replaced only when its content differs, so that
make rebuilds what depends on a change and nothing else.  A file that is put
back to Debian's content gets a new time, for the same reason.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from .term import Step, clean_env, run_logged, tail

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build"
LOGS = BUILD / "logs"
TARBALL = Path("/usr/src/linux-source-6.12.tar.xz")
SRC = BUILD / "src-6.12"
TREE = BUILD / "linux-6.12"
MUTANTS = BUILD / "mutants-6.12"
PACKAGED = BUILD / "packaged-6.12"
RULES = TOP / "integration/6.12"
LAB_RULES = RULES / "lab"	# for the lab's own kernels alone
KCONFIG = TOP / "Kconfig"
MACROS = Path(__file__).with_name("coccinelle.h")

# What of the repository is laid over the kernel tree: programs of selftests are
# built from here, as the kernel has a Makefile of its own at their place.
OVERLAY = {
    "drivers": ("*.c", "*.h", "Kconfig*"),
    "include": ("*.h",),
    "lib": ("*.c", "*.h", "Kconfig*"),
    "samples": ("*.c", "*.h", "Kconfig*", "Makefile"),
    "tools/testing/selftests/iommu": ("*.c", "*.h"),
    "tools/testing/vtdsim": ("vtdsim_abi.h",),
}


class BuildError(Exception):
    """Something that the user has to read; no traceback."""


@contextlib.contextmanager
def lock(name, shared=False):
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / f".lock-{name}", "w") as f:
        fcntl.flock(f, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def digest(*parts):
    h = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            part = part.read_bytes()
        elif isinstance(part, str):
            part = part.encode()
        h.update(len(part).to_bytes(8, "little"))
        h.update(part)
    return h.hexdigest()


def put(path, content):
    """Make the file hold this content; leave it alone when it does already."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{path.name}.new")
    tmp.write_bytes(content)
    os.replace(tmp, path)		# breaks the hard link, if it was one
    return True


def overlay_files():
    """Our files, as {path in the kernel tree: path in the repository}."""
    out = {}
    for top, patterns in OVERLAY.items():
        for path in sorted((TOP / top).rglob("*")):
            if path.is_file() and any(path.match(p) for p in patterns):
                out[str(path.relative_to(TOP))] = path
    return out


def rule_targets(rule):
    """The `// file: PATH` lines at the head of a semantic patch."""
    targets = []
    for line in rule.read_text().splitlines():
        if not line.startswith("//"):
            break
        m = re.match(r"//\s*file:\s*(\S+)", line)
        if m:
            targets.append(m.group(1))
    if not targets:
        raise BuildError(f"{rule.relative_to(TOP)}: no '// file: PATH' line at its head")
    return targets


def integration(tops=(RULES, LAB_RULES)):
    """{path in the kernel tree: [semantic patches in order, appended files]}."""
    out = {"Kconfig": [KCONFIG]}
    for top in tops:
        for rule in sorted((top / "cocci").glob("*.cocci")):
            for target in rule_targets(rule):
                out.setdefault(target, []).append(rule)
        for path in sorted((top / "append").rglob("*")):
            if path.is_file():
                out.setdefault(str(path.relative_to(top / "append")), []).append(path)
    return out


def apply_rule(rule, target, path, origin=SRC):
    """One semantic patch on one file of the source @origin, in place.  It has to change it."""
    before = path.read_bytes()
    proc = subprocess.run(["spatch", "--very-quiet", "--no-includes", "--in-place",
                           "--macro-file", str(MACROS), "--sp-file", str(rule), str(path)],
                          env=clean_env(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    name = rule.relative_to(TOP)
    if proc.returncode:
        raise BuildError(f"{name}: spatch failed on {target}:\n{proc.stdout}")
    if path.read_bytes() == before:
        raise BuildError(f"{name}: matches nothing in {target} of Linux {version(origin)}\n"
                         f"{proc.stdout}The rule has to be adapted to this source.")


def without_licence(text):
    """What is appended to a kernel file: that has a licence line of its own."""
    return re.sub(rb"\A(//|/\*|#) SPDX-License-Identifier:.*\n", b"", text)


def integrate(target, changes, work, origin=SRC):
    """The content of a file of the source @origin after all changes to it."""
    source = origin / target
    if not source.is_file():
        raise BuildError(f"{changes[0].relative_to(TOP)}: Linux {version(origin)} has no {target}")
    # The result depends on nothing else, so it can be kept under its name.
    key = work / digest(target, source, *changes)
    if key.is_file():
        return key.read_bytes()
    scratch = work / "scratch" / target
    scratch.parent.mkdir(parents=True, exist_ok=True)
    scratch.write_bytes(source.read_bytes())
    for change in changes:
        if change.suffix == ".cocci" and change.parent.name == "cocci":
            apply_rule(change, target, scratch, origin)
        else:
            with open(scratch, "ab") as f:
                f.write(b"\n" + without_licence(change.read_bytes()))
    os.replace(scratch, key)
    return key.read_bytes()


def version(tree):
    values = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) = *(\S+)",
                             (tree / "Makefile").read_text(), re.M))
    return ".".join(values[k] for k in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def unpack(step):
    """Debian's source into build/src-6.12, once per tarball."""
    stamp = BUILD / ".unpacked"
    if not TARBALL.is_file():
        raise BuildError(f"{TARBALL} is missing (package linux-source-6.12)")
    st = TARBALL.stat()
    want = f"{TARBALL} {st.st_size} {int(st.st_mtime)}\n"
    if stamp.is_file() and stamp.read_text() == want:
        return
    step.say(f"unpacking {TARBALL.name}, {st.st_size >> 20} MiB")
    stamp.unlink(missing_ok=True)
    for old in (SRC, TREE, MUTANTS, PACKAGED):
        shutil.rmtree(old, ignore_errors=True)
    SRC.mkdir(parents=True)
    log = LOGS / "unpack.log"
    if run_logged(["tar", "-xJf", str(TARBALL), "--strip-components=1", "-C", str(SRC),
                   "--checkpoint=5000", "--checkpoint-action=echo"], log, step):
        raise BuildError(f"unpacking failed:\n{tail(log)}")
    if not version(SRC).startswith("6.12."):
        raise BuildError(f"{TARBALL} is Linux {version(SRC)}, not 6.12")
    subprocess.run(["cp", "-al", str(SRC), str(TREE)], check=True)
    stamp.write_text(want)


def wanted():
    """(what the tree has to hold, a digest of all that it is made from)."""
    files = overlay_files()
    changes = integration()
    parts = [BUILD / ".unpacked", Path(__file__)]
    for name, path in files.items():
        parts += [name, path]
    for name, paths in changes.items():
        parts += [name, *paths]
    return files, changes, digest(*parts)


def update(step, files, changes):
    manifest = BUILD / ".touched"
    old = manifest.read_text().split() if manifest.is_file() else []
    work = BUILD / "integrated"
    work.mkdir(exist_ok=True)
    content = {}
    for name, path in files.items():
        if (SRC / name).exists():
            raise BuildError(f"{name}: the kernel has a file of this name")
        content[name] = path.read_bytes()
    for n, (name, paths) in enumerate(changes.items()):
        step.progress(f"semantic patches, {n} of {len(changes)} kernel files")
        content[name] = integrate(name, paths, work)
    step.close()
    # Written first: a run that is cut short must not forget what it touched.
    manifest.write_text("".join(f"{n}\n" for n in sorted(set(old) | set(content))))
    for name in set(old) - set(content):
        if (SRC / name).is_file():
            put(TREE / name, (SRC / name).read_bytes())
        else:
            (TREE / name).unlink(missing_ok=True)
    changed = [name for name in content if put(TREE / name, content[name])]
    manifest.write_text("".join(f"{n}\n" for n in sorted(content)))
    if changed:
        step.say(f"{len(files)} files of ours, {len(changes)} kernel files changed; "
                 f"{len(changed)} new or different")


def prepare():
    """Bring build/linux-6.12 up to date; returns the digest of its sources."""
    LOGS.mkdir(parents=True, exist_ok=True)
    stamp = BUILD / ".tree"
    with lock("unpack"):
        step = Step("kernel source")
        unpack(step)
        files, changes, key = wanted()
        if stamp.is_file() and stamp.read_text() == key:
            return key
        with lock("tree"):		# no build is running now
            stamp.unlink(missing_ok=True)
            update(step, files, changes)
            stamp.write_text(key)
    return key


def touched():
    """Kernel files that differ from Debian's, without ours."""
    names = (BUILD / ".touched").read_text().split()
    return [n for n in names if (SRC / n).is_file()]
