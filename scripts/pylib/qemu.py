# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU for the lab's own machine: one that speaks upstream's PASID ABI.

This machine's QEMU plays the lab's host and may be old.  The one that runs
inside that host comes from Debian's backports and is kept as an archive for the
initramfs: the program, the libraries that its loader names, and firmware.
"""

import os
import re
import shutil
import subprocess

from . import debian, tree
from .cpio import Archive
from .term import Step, clean_env
from .tree import BUILD, LOGS

PACKAGE = "qemu-system-x86"
FIRST = 11			# PASID attach with the names that stay
PROGRAM = "usr/bin/qemu-system-x86_64"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "lib64/ld-linux-x86-64.so.2"
FIRMWARE = ("usr/share/seabios/bios-256k.bin", *(f"usr/share/qemu/{n}" for n in (
    "kvmvapic.bin", "linuxboot_dma.bin", "multiboot_dma.bin", "pvh.bin")))

WHERE = BUILD / "qemu"
ARCHIVE = WHERE / "qemu.cpio"
VERSION = WHERE / "version"


def version():
    """Of the QEMU that was fetched; None when there is none."""
    return VERSION.read_text().strip() if ARCHIVE.is_file() and VERSION.is_file() else None


def libraries(root):
    """What the loader would load, as {name: path}."""
    loader = root / LIBRARIES / "ld-linux-x86-64.so.2"
    proc = subprocess.run([str(loader), "--inhibit-cache", "--library-path",
                           str(root / LIBRARIES), "--list", str(root / PROGRAM)],
                          env=clean_env(), capture_output=True, text=True)
    missing = re.findall(r"^\s*(\S+) => not found", proc.stdout, re.M)
    if proc.returncode or missing:
        raise debian.Unavailable(f"QEMU's libraries: {proc.stderr}{' '.join(missing)}")
    return {name: path for name, path in re.findall(r"^\s*(\S+) => (/\S+)", proc.stdout, re.M)
            if "/" not in name}


def pack(root):
    part = ARCHIVE.with_suffix(".part")
    with open(part, "wb") as f:
        archive = Archive(f)
        archive.file(PROGRAM, root / PROGRAM, 0o755)
        archive.file(LOADER, root / LIBRARIES / "ld-linux-x86-64.so.2", 0o755)
        for name, path in sorted(libraries(root).items()):
            archive.file(f"{LIBRARIES}/{name}", path, 0o755)
        for name in FIRMWARE:
            archive.file(name, root / name, 0o644)
        archive.close()
    os.replace(part, ARCHIVE)


def fetch():
    """The archive, made once; debian.Unavailable says why it cannot be."""
    LOGS.mkdir(parents=True, exist_ok=True)
    WHERE.mkdir(parents=True, exist_ok=True)
    with tree.lock("debian"):
        if version():
            return ARCHIVE
        step = Step("qemu")
        debian.index(step)
        found = debian.candidate(PACKAGE) or "none"
        if not found[:1].isdigit() or int(found.split(".")[0]) < FIRST:
            raise debian.Unavailable(f"the archive has {PACKAGE} {found}, older than {FIRST}")
        root = debian.unpack(debian.download([PACKAGE], step), WHERE / "root")
        pack(root)
        shutil.rmtree(root)
        VERSION.write_text(found + "\n")
        step.say(f"QEMU {found}, {ARCHIVE.stat().st_size >> 20} MiB")
        return ARCHIVE
