# SPDX-License-Identifier: GPL-2.0-only
"""The newest Linux that Debian's backports have the source of, unmodified.

It is the peer of the comparisons, and a guest that needs no switch.

build/peer/src      the source
build/peer/kernel   its build
"""

import os
import re
import shutil

from . import debian, kernel, tree
from .term import Step, run_logged
from .tree import BUILD, LOGS, RULES, BuildError

WHERE = BUILD / "peer"
SRC = WHERE / "src"
KERNEL = WHERE / "kernel"
NAME = r"linux-source-\d+\.\d+"
FIRST = (7, 0)


def version(name):
    return tuple(int(n) for n in re.findall(r"\d+", name))


def unpack(step):
    """The newest source, once; debian.Unavailable says why not."""
    if SRC.is_dir():
        return
    debian.index(step)
    name = debian.newest(NAME)
    if not name or version(name) < FIRST:
        raise debian.Unavailable(f"the archive has {name or 'no kernel source'}")
    root = debian.unpack(debian.download([name], step, alone=True), WHERE / "root")
    tarball = next((root / "usr/src").glob("linux-source-*.tar.xz"))
    step.say(f"unpacking {tarball.name}")
    part = WHERE / "src.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    if run_logged(["tar", "-xJf", str(tarball), "--strip-components=1", "-C", str(part),
                   "--checkpoint=5000", "--checkpoint-action=echo"], LOGS / "peer.log", step):
        raise BuildError(f"{tarball.name} cannot be unpacked")
    shutil.rmtree(root)
    os.rename(part, SRC)


def make(*args):
    return ["make", "-C", str(SRC), f"O={KERNEL}", f"-j{kernel.jobs()}", *args]


def configure(step):
    """tinyconfig's rules and the lab's fragment; what it does not know, it leaves out."""
    want = {}
    for path in (SRC / "kernel/configs/tiny-base.config", SRC / "arch/x86/configs/tiny.config",
                 RULES / "configs/lab.config"):
        want.update(kernel.parse_config(path.read_text()))
    KERNEL.mkdir(exist_ok=True)
    seed = KERNEL / ".fragments.config"
    seed.write_text("".join(f"CONFIG_{k}={v}\n" if v != "n" else f"# CONFIG_{k} is not set\n"
                            for k, v in want.items()))
    env = kernel.env()
    env["KCONFIG_ALLCONFIG"] = str(seed)
    if run_logged(make("allnoconfig"), LOGS / "peer.log", step, env=env):
        raise BuildError(f"peer: configuration failed:\n{kernel.explain(LOGS / 'peer.log')}")


def build():
    """Its build directory, made once."""
    LOGS.mkdir(parents=True, exist_ok=True)
    WHERE.mkdir(parents=True, exist_ok=True)
    with tree.lock("debian"):
        stamp = KERNEL / ".built"
        want = tree.digest(RULES / "configs/lab.config")
        if stamp.is_file() and stamp.read_text() == want:
            return KERNEL
        step = Step("kernel peer")
        unpack(step)
        configure(step)
        step.say(f"building Linux {tree.version(SRC)}, unmodified")
        if run_logged(make("bzImage", "modules"), LOGS / "peer.log", step,
                      count=kernel.compile_line, env=kernel.env(), append=True):
            raise BuildError(f"peer does not build:\n{kernel.explain(LOGS / 'peer.log')}")
        stamp.write_text(want)
        step.say("built")
        return KERNEL
