# SPDX-License-Identifier: GPL-2.0-only
"""The project as a series of patches for linux-source-6.12.

build/patches       one patch for each subsystem, and `series`, for git am and quilt

integration/6.12/patches has a file for each patch: first comment lines with the
patterns of the files that it changes, then the message.  What the lab's kernels
alone have is in none of them, and neither are the selftests, which need the lab.
"""

import fnmatch
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import tree
from .kernel import IDENTITY
from .term import Step, clean_env
from .tree import BUILD, LOGS, RULES, SRC, TOP, BuildError

MESSAGES = RULES / "patches"
PATCHES = BUILD / "patches"
LEFT_OUT = "tools/testing/selftests/"


class Message:
    """What one patch is about."""

    def __init__(self, path):
        self.name = path.stem
        head, text = re.fullmatch(r"((?:#[^\n]*\n)+)(.*)", path.read_text(), re.S).groups()
        self.patterns = re.sub(r"^#", "", head, flags=re.M).split()
        self.subject, _, self.body = text.strip().partition("\n\n")

    def holds(self, name):
        return any(fnmatch.fnmatchcase(name, p) for p in self.patterns)


def messages():
    return [Message(p) for p in sorted(MESSAGES.glob("*.txt"))]


def owner(name, found):
    """The one message that a file belongs to."""
    owners = [m for m in found if m.holds(name)]
    if len(owners) != 1:
        raise BuildError(f"{name} belongs to {len(owners)} of {MESSAGES.relative_to(TOP)}: "
                         + " ".join(m.name for m in owners))
    return owners[0]


def changes():
    """{path in the kernel tree: what integrate() takes} without the lab's."""
    return tree.integration((RULES,))


def content(source=SRC):
    """{path in the kernel tree: its text with the project in it} for one source."""
    work = BUILD / "integrated"
    work.mkdir(parents=True, exist_ok=True)
    out = {name: path.read_bytes() for name, path in tree.overlay_files().items()
           if not name.startswith(LEFT_OUT)}
    for name, paths in changes().items():
        out[name] = tree.integrate(name, paths, work, source)
    return out


def date():
    """Of the last commit: the same series each time; without git, that of the lab's kernels."""
    proc = subprocess.run(["git", "-C", str(TOP), "log", "-1", "--format=%aD"],
                          env=clean_env(), capture_output=True, text=True)
    return proc.stdout.strip() or IDENTITY["KBUILD_BUILD_TIMESTAMP"]


def difference(name, old, new):
    """A file's part of a patch, and how many lines it adds and removes."""
    with tempfile.TemporaryDirectory(dir=BUILD) as tmp:
        before, after = Path(tmp) / "before", Path(tmp) / "after"
        before.write_bytes(old or b"")
        after.write_bytes(new)
        labels = (f"a/{name}" if old is not None else "/dev/null", f"b/{name}")
        proc = subprocess.run(["diff", "-up", *(f"--label={l}" for l in labels), before, after],
                              env=clean_env(), capture_output=True)
    if proc.returncode != 1:
        raise BuildError(f"{name}: nothing to patch\n{proc.stderr.decode()}")
    mode = b"new file mode 100644\n" if old is None else b""
    lines = proc.stdout.splitlines()[2:]
    counts = [sum(l.startswith(sign) for l in lines) for sign in (b"+", b"-")]
    return f"diff --git a/{name} b/{name}\n".encode() + mode + proc.stdout, counts


def statistics(counts):
    width = max(map(len, counts))
    return "".join(f" {name:{width}} | {added:4} +, {removed} -\n"
                   for name, (added, removed) in counts.items())


def mail(message, number, total, author, when, counts, text):
    head = (f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nFrom: {author}\nDate: {when}\n"
            f"Subject: [PATCH {number}/{total}] {message.subject}\n\n{message.body}\n\n"
            f"Signed-off-by: {author}\n---\n{statistics(counts)}\n")
    return head.encode() + text + b"-- \n6.12\n\n"


def series(source=SRC):
    """{name of a patch: its text}, in order."""
    found = messages()
    parts = {m.name: [] for m in found}
    for name, new in sorted(content(source).items()):
        parts[owner(name, found).name].append((name, new))
    author, when = (MESSAGES / "AUTHOR").read_text().strip(), date()
    out = {}
    for number, message in enumerate(found, 1):
        text, counts = b"", {}
        for name, new in parts[message.name]:
            path = source / name
            old = path.read_bytes() if path.is_file() else None
            part, counts[name] = difference(name, old, new)
            text += part
        if not counts:
            raise BuildError(f"{message.name}: none of its files is changed")
        title = re.sub(r"[^A-Za-z0-9]+", "-", message.subject).strip("-")
        out[f"{number:04}-{title}.patch"] = mail(message, number, len(found), author, when,
                                                 counts, text)
    return out


def write():
    """build/patches from Debian's source.  Returns the patches in order."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with tree.lock("unpack"):
        step = Step("patches")
        tree.unpack(step)
        found = series()
        part = PATCHES.with_name("patches.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for name, text in found.items():
            (part / name).write_bytes(text)
        (part / "series").write_text("".join(f"{name}\n" for name in found))
        shutil.rmtree(PATCHES, ignore_errors=True)
        os.rename(part, PATCHES)
    step.say(f"{len(found)} for Linux {tree.version(SRC)}, in {PATCHES.relative_to(TOP)}")
    return [PATCHES / name for name in found]


def originals(where, source=SRC):
    """Those files of a source that the series changes, in a directory of their own."""
    for name in changes():
        tree.put(where / name, (source / name).read_bytes())


def patched(patches, source=SRC):
    """{path in the kernel tree: its text} after the patches."""
    with tempfile.TemporaryDirectory(dir=BUILD) as tmp:
        originals(Path(tmp), source)
        for path in patches:
            proc = subprocess.run(["patch", "-p1", "-s", "-f", "--no-backup-if-mismatch",
                                   "-d", tmp, "-i", str(path)],
                                  env=clean_env(), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if proc.returncode:
                raise BuildError(f"{path.name} does not apply to Linux {tree.version(source)}:\n"
                                 f"{proc.stdout}")
        return files(Path(tmp))


def files(where):
    """{path under a directory: its text}, without what git and quilt keep there."""
    names = [p.relative_to(where) for p in sorted(where.rglob("*")) if p.is_file()]
    return {str(n): (where / n).read_bytes() for n in names if n.parts[0] not in (".git", ".pc")}
