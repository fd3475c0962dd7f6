# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages of a kernel with the project in it, by the kernel's own rules.

build/packaged-6.12     Debian's source with the series of patches applied
build/deb               the packages
"""

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import kernel, patches, tree
from .term import Step, clean_env, run_logged
from .tree import BUILD, LOGS, PACKAGED, RULES, SRC, TREE, BuildError

OUT = BUILD / "deb"
FRAGMENT = RULES / "configs/host.config"
# Keys of a distribution, of which its source package has the files.
KEYS = ("SYSTEM_TRUSTED_KEYS", "SYSTEM_REVOCATION_KEYS")


def running_config():
    """The configuration of the kernel that runs here."""
    boot, proc = Path(f"/boot/config-{os.uname().release}"), Path("/proc/config.gz")
    if boot.is_file():
        return boot.read_text()
    if proc.is_file():
        return gzip.decompress(proc.read_bytes()).decode()
    raise BuildError(f"neither {boot} nor {proc} is here: name a configuration, CONFIG=FILE")


def source(found):
    """The tree with the patches applied.  A file that the lab's kernels have, too,
    gets the time that it has there, so that their objects pass for it."""
    manifest = BUILD / ".packaged"
    if not PACKAGED.is_dir():
        part = PACKAGED.with_name("packaged.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        entries = [str(p) for p in SRC.iterdir() if p.name not in kernel.CONFIGS]
        subprocess.run(["cp", "-al", "-t", str(part), *entries], check=True)
        part.rename(PACKAGED)
    content = patches.patched(found)
    old = set(manifest.read_text().split()) if manifest.is_file() else set()
    manifest.write_text("".join(f"{n}\n" for n in sorted(old | set(content))))
    for name in old - set(content):
        (PACKAGED / name).unlink(missing_ok=True)
        if (SRC / name).is_file():
            content[name] = (SRC / name).read_bytes()
    for name, text in content.items():
        twin = TREE / name
        if tree.put(PACKAGED / name, text) and twin.is_file() and twin.read_bytes() == text:
            os.utime(PACKAGED / name, ns=(twin.stat().st_atime_ns, twin.stat().st_mtime_ns))


def configure(name, config, log, step):
    """The configuration with our lines on top, the last one on a symbol wins."""
    ours = kernel.parse_config(FRAGMENT.read_text())
    want = {**kernel.parse_config(config), **ours}
    for key in set(KEYS) & set(want):
        want[key] = '""'
    new = kernel.directory(name) / ".config.gpasid"
    new.parent.mkdir(parents=True, exist_ok=True)
    new.write_text("".join(f"CONFIG_{k}={v}\n" if v != "n" else f"# CONFIG_{k} is not set\n"
                           for k, v in want.items()))
    env = {**kernel.env(), "KCONFIG_CONFIG": str(new)}
    if run_logged(kernel.make(name, "olddefconfig"), log, step, env=env, append=True):
        raise BuildError(f"{name}: configuration failed:\n{kernel.explain(log)}")
    kernel.check_config(name, ours, kernel.parse_config(new.read_text()))
    tree.put(new.with_name(".config"), new.read_bytes())
    new.unlink()


def codename():
    text = Path("/etc/os-release").read_text()
    m = re.search(r"^VERSION_CODENAME=(\w+)", text, re.M)
    return m.group(1) if m else "unstable"


def version():
    """Of the packages: the kernel's, then when the last change was made here."""
    stamp = subprocess.run(["git", "-C", str(tree.TOP), "log", "-1", "--format=%cd",
                            "--date=format-local:%Y%m%d.%H%M"],
                           env=clean_env(TZ="UTC"), capture_output=True, text=True).stdout.strip()
    return f"{tree.version(SRC)}-gpasid" + (stamp or "1")


def environment(compress):
    name, mail = re.fullmatch(r"(.*) <(.*)>\n", (patches.MESSAGES / "AUTHOR").read_text()).groups()
    return {**kernel.env(), "DEBFULLNAME": name, "DEBEMAIL": mail, "KDEB_COMPRESS": compress,
            "KDEB_PKGVERSION": version(), "KDEB_CHANGELOG_DIST": codename(),
            "DEB_BUILD_PROFILES": "pkg.linux-upstream.nokerneldbg"}


def packages(out, release):
    """The paths of linux-image and linux-headers."""
    names = (f"linux-image-{release}", f"linux-headers-{release}")
    return [path for name in names for path in sorted(out.glob(f"{name}_*.deb"))]


def build(name="deb", config=None, out=OUT, compress="xz", objects=None):
    """The packages, in a directory that holds nothing else.  Returns their paths.
    The first build can begin with the @objects of another kernel."""
    found = patches.write()
    with tree.lock(name), tree.lock("tree", shared=True):
        step = Step("packages")
        log = LOGS / f"{name}.log"
        log.write_text("")
        source(found)
        if objects and not kernel.directory(name).exists():
            kernel.copy_objects(objects, name)
        configure(name, config or running_config(), log, step)
        kernel.keep_objtool_time(name)
        step.say(f"building Linux {tree.version(PACKAGED)}, log in {log.relative_to(tree.TOP)}")
        for old in PACKAGED.glob("*.deb"):
            old.unlink()
        if run_logged(kernel.make(name, "bindeb-pkg"), log, step, count=kernel.compile_line,
                      env=environment(compress), append=True):
            raise BuildError(f"the packages are not built ({log}):\n{kernel.explain(log)}")
        release = (kernel.directory(name) / "include/config/kernel.release").read_text().strip()
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        for path in packages(PACKAGED, release):
            path.rename(out / path.name)
        for left in PACKAGED.glob("linux-*_*"):		# linux-libc-dev and lists
            left.unlink()
        made = packages(out, release)
        step.say("\n".join(["built", *(str(p.relative_to(tree.TOP)) for p in made)]))
        return made


def unpacked(debs, where):
    """A directory that scripts/lab takes for a kernel build, out of the packages alone:
    the headers, with the image and the modules at the places that a build has."""
    shutil.rmtree(where, ignore_errors=True)
    for path in debs:
        subprocess.run(["dpkg-deb", "-x", str(path), str(where)], check=True, env=clean_env())
    kdir, = (where / "usr/src").glob("linux-headers-*")
    release = kdir.name.removeprefix("linux-headers-")
    image = kdir / "arch/x86/boot/bzImage"
    image.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(where / f"boot/vmlinuz-{release}", image)
    shutil.copytree(where / f"lib/modules/{release}/kernel", kdir / "installed")
    return kdir
