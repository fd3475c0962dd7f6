# SPDX-License-Identifier: GPL-2.0-only
"""What the lab's virtual machine finds in memory when it starts.

For each kernel one archive is kept: busybox, that kernel's modules, and the
lab's own modules built for it.  The program to run, and what else is pushed,
follows in a second archive made for each run.
"""

import io
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import tree
from .cpio import Archive
from .kernel import env, explain, jobs
from .term import Step, run_logged
from .tree import BUILD, LOGS, TOP, BuildError

MODULE = TOP / "tools/testing/vtdsim/module"
INIT = TOP / "scripts/lab-init.sh"
BUSYBOX = Path("/bin/busybox")


def kernel_release(kdir):
    path = kdir / "include/config/kernel.release"
    if not path.is_file():
        raise BuildError(f"{kdir} is not a kernel build directory: no {path.name}")
    return path.read_text().strip()


def built_modules(kdir):
    """The .ko files of a build: what its own list says, if it has one."""
    order = kdir / "modules.order"
    if not order.is_file():
        return sorted(p for p in kdir.rglob("*.ko"))
    names = [re.sub(r"\.o$", ".ko", line) for line in order.read_text().split()]
    return [kdir / n for n in names if (kdir / n).is_file()]


def kernel_key(kdir):
    """Tells two states of a kernel build apart, as far as modules go."""
    parts = [str(kdir), kernel_release(kdir)]
    for path in [kdir / ".config", kdir / "Module.symvers"] + built_modules(kdir):
        if path.is_file():
            st = path.stat()
            parts.append(f"{path} {st.st_size} {st.st_mtime_ns}")
    return tree.digest(*parts)


def lab_sources():
    return [MODULE / "Kbuild", *sorted(MODULE.glob("*.[ch]")), MODULE.parent / "vtdsim_abi.h"]


def build_lab_modules(kdir, out, step):
    """The lab's modules for this kernel.  Sources are copied: kbuild builds beside them."""
    for path in lab_sources():
        where = out / "vtdsim" / path.relative_to(MODULE.parent)
        tree.put(where, path.read_bytes())
    log = LOGS / "vtdsim_ep.log"
    if run_logged(["make", "-C", str(kdir), f"M={out / 'vtdsim/module'}", f"-j{jobs()}",
                   "modules"], log, step, env=env()):
        raise BuildError(f"the lab's modules do not build against {kdir}:\n{explain(log)}")
    return built_modules(out / "vtdsim/module")


def add_modules(archive, modules, kdir, release):
    """Modules with the tables that modprobe reads."""
    with tempfile.TemporaryDirectory(dir=BUILD) as tmp:
        base = Path(tmp) / "lib/modules" / release
        base.mkdir(parents=True)
        for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
            if (kdir / name).is_file():
                shutil.copy(kdir / name, base / name)
        for path in modules:
            shutil.copy(path, base / path.name)
        depmod = shutil.which("depmod", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
        subprocess.run([depmod or "depmod", "-b", tmp, release], check=True,
                       stderr=subprocess.DEVNULL)
        for path in sorted(base.iterdir()):
            if not path.name.endswith(".bin"):
                archive.file(f"lib/modules/{release}/{path.name}", path, 0o644)


def add_busybox(archive):
    archive.file("bin/busybox", BUSYBOX, 0o755)
    names = subprocess.run([str(BUSYBOX), "--list"], capture_output=True, text=True,
                           check=True).stdout.split()
    for name in names:
        if name != "busybox":
            archive.symlink(f"bin/{name}", "busybox")


def base(kdir):
    """The archive for a kernel, made again when the kernel or our part changed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    name = tree.digest(str(kdir))[:12]
    out = BUILD / "lab" / name
    out.mkdir(parents=True, exist_ok=True)
    with tree.lock(f"lab-{name}"):
        key = tree.digest(kernel_key(kdir), INIT, BUSYBOX, Path(__file__), *lab_sources())
        image, stamp = out / "initramfs.cpio", out / "initramfs.key"
        if image.is_file() and stamp.is_file() and stamp.read_text() == key:
            return image
        step = Step("lab")
        release = kernel_release(kdir)
        modules = build_lab_modules(kdir, out, step)
        part = out / "initramfs.part"
        with open(part, "wb") as f:
            archive = Archive(f)
            for d in ("dev", "proc", "sys", "tmp", "lab"):
                archive.dir(d)
            archive.file("init", INIT, 0o755)
            add_busybox(archive)
            add_modules(archive, built_modules(kdir) + modules, kdir, release)
            archive.close()
        os.replace(part, image)
        stamp.write_text(key)
        step.say(f"initramfs for {release}, {image.stat().st_size >> 10} KiB")
        return image


def extra(files, texts):
    """The second archive: {name under /lab: host path} and {name: text or bytes}."""
    out = io.BytesIO()
    archive = Archive(out)
    for name, path in files.items():
        archive.file(f"lab/{name}", path)
    for name, text in texts.items():
        archive.data(f"lab/{name}", text.encode() if isinstance(text, str) else text)
    archive.close()
    return out.getvalue()
