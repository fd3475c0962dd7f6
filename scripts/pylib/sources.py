# SPDX-License-Identifier: GPL-2.0-only
"""The newest linux-source-6.12 of each Debian that has one, as far as we change it.

build/sources/VERSION       the files that the integration changes, unmodified
"""

import os
import shutil
import subprocess

from . import debian, tree
from .patches import changes
from .term import Step, clean_env
from .tree import BUILD, LOGS, SRC, BuildError

WHERE = BUILD / "sources"
PACKAGE = "linux-source-6.12"


def names():
    return ["Makefile", *changes()]


def extract(tarball, where):
    """The files in a directory that is complete or not there."""
    part = where.with_name(f"{where.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    proc = subprocess.run(["tar", "-xJf", str(tarball), "--strip-components=1", "-C", str(part),
                           *(f"{PACKAGE}/{name}" for name in names())], env=clean_env(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if proc.returncode:
        raise BuildError(f"{tarball.name} lacks files that the integration changes:\n{proc.stdout}")
    shutil.rmtree(where, ignore_errors=True)
    os.rename(part, where)


def installed():
    """The version of the package on this machine, from which build/src-6.12 is."""
    proc = subprocess.run(["dpkg-query", "-W", "-f=${Version}", PACKAGE], env=clean_env(),
                          capture_output=True, text=True)
    return proc.stdout


def fetch(version, step):
    if version == installed():
        return SRC
    where = WHERE / version
    if all((where / name).is_file() for name in names()):
        return where
    debs = debian.download([f"{PACKAGE}={version}"], step, alone=True)
    root = debian.unpack(debs, WHERE / "root")
    extract(root / f"usr/src/{PACKAGE}.tar.xz", where)
    shutil.rmtree(root)
    return where


def newest():
    """{release: (version, source)} of those that have the package."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with tree.lock("debian"):
        step = Step("sources")
        debian.index(step, debian.security())
        found = {release: debian.versions(PACKAGE, release) for release in debian.RELEASES}
        return {release: (versions[0], fetch(versions[0], step))
                for release, versions in found.items() if versions}
