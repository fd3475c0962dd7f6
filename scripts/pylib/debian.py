# SPDX-License-Identifier: GPL-2.0-only
"""Packages of a later Debian than this machine's, unpacked and not installed.

apt has a state directory of its own under build/, so that nothing on the
machine changes.  The mirror is the one that the machine's own configuration
names; what comes from there apt verifies with the Debian archive's keys.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import tree
from .term import Step, clean_env, run_logged, tail
from .tree import BUILD, LOGS, BuildError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
RELEASES = ("bookworm", "trixie")
SUITE = "trixie"
BACKPORTS = f"{SUITE}-backports"
STATE = BUILD / "debian"


class Unavailable(BuildError):
    """What is wanted cannot be had from here; the text says why."""


def mirrors(suites=r"[a-z]+"):
    """Archives of the machine's configuration that hold whole releases, or other suites."""
    proc = subprocess.run(["apt-get", "indextargets", "--format",
                           "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
                          env=clean_env(), capture_output=True, text=True)
    found = []
    for line in proc.stdout.splitlines():
        uri, release, component = (line.split() + ["", ""])[:3]
        if component == "main" and re.fullmatch(suites, release) and uri not in found:
            found.append(uri)
    return found


def options():
    """For apt: this state and these sources, the machine's settings otherwise."""
    values = {
        "Dir::State": STATE / "state",
        "Dir::State::status": STATE / "status",
        "Dir::Cache": STATE / "cache",
        "Dir::Etc::sourcelist": STATE / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Default-Release": "",
        "APT::Architecture": "amd64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
        "Acquire::Languages": "none",
        "DPkg::Post-Invoke": "",
    }
    return [arg for k, v in values.items() for arg in ("-o", f"{k}={v}")]


def security():
    """Lines for the security updates of each release."""
    return [f"deb [signed-by={KEYRING}] {uri} {release}-security main\n"
            for uri in mirrors(r"[a-z]+-security")[:1] for release in RELEASES]


def index(step, more=()):
    """Fetch the lists of packages from the first mirror that has them."""
    if not shutil.which("apt-get") or not KEYRING.is_file():
        raise Unavailable(f"no apt here, or no {KEYRING}")
    found = mirrors()
    if not found:
        raise Unavailable("the machine's apt configuration names no Debian archive")
    (STATE / "state/lists/partial").mkdir(parents=True, exist_ok=True)
    (STATE / "cache").mkdir(exist_ok=True)
    (STATE / "status").touch()
    log = LOGS / "debian.log"
    for uri in found:
        lines = [f"deb [signed-by={KEYRING}] {uri} {s} main\n" for s in (SUITE, BACKPORTS)]
        (STATE / "sources.list").write_text("".join([*lines, *more]))
        step.say(f"package lists of {BACKPORTS}")
        if not run_logged(["apt-get", *options(), "-q", "-y", "--error-on=any", "update"],
                          log, step):
            return
    raise Unavailable(f"no package lists of {BACKPORTS} from here:\n{tail(log, 6)}")


def newest(pattern):
    """The last by version of the packages whose name matches, or None."""
    proc = subprocess.run(["apt-cache", *options(), "pkgnames"], env=clean_env(),
                          capture_output=True, text=True, check=True)
    names = [n for n in proc.stdout.split() if re.fullmatch(pattern, n)]
    return max(names, key=lambda n: [int(x) for x in re.findall(r"\d+", n)], default=None)


def candidate(package):
    """The version that `download()` would take, without its epoch; None: there is none."""
    proc = subprocess.run(["apt-cache", *options(), "-t", BACKPORTS, "policy", package],
                          env=clean_env(), capture_output=True, text=True, check=True)
    m = re.search(r"Candidate: (?:\d+:)?(\d\S*)", proc.stdout)
    return m and m.group(1)


def versions(package, release):
    """All versions that a release and its updates have, the latest first."""
    proc = subprocess.run(["apt-cache", *options(), "madison", package], env=clean_env(),
                          capture_output=True, text=True)
    return re.findall(rf"\| *(\S+) \| \S+ {release}(?:-security)?/main", proc.stdout)


def download(packages, step, alone=False):
    """The packages, and (unless alone) all that they depend on: paths of .deb files."""
    log = LOGS / "debian.log"
    archives = STATE / "archives"
    shutil.rmtree(archives, ignore_errors=True)
    (archives / "partial").mkdir(parents=True)
    action = ["download"] if alone else ["--download-only", "install"]
    step.say(f"fetching {', '.join(packages)}")
    if run_logged(["apt-get", *options(), "-o", f"Dir::Cache::archives={archives}",
                   "-t", BACKPORTS, "-q", "-y", *action, *packages],
                  log, step, cwd=archives, append=True):
        raise Unavailable(f"{' '.join(packages)} cannot be fetched:\n{tail(log, 6)}")
    return sorted(archives.glob("*.deb"))


def unpack(debs, where):
    """The files of packages, in a directory that is complete or not there."""
    part = where.with_name(f"{where.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for deb in debs:
        subprocess.run(["dpkg-deb", "-x", str(deb), str(part)], check=True, env=clean_env())
    shutil.rmtree(where, ignore_errors=True)
    os.rename(part, where)
    shutil.rmtree(STATE / "archives", ignore_errors=True)
    return where
