# SPDX-License-Identifier: GPL-2.0-only
"""The documentation as HTML, by Sphinx and the kernel's kernel-doc extension.

build/htmldocs
"""

import subprocess

from . import tree
from .term import Step, clean_env
from .tree import BUILD, SRC, TOP, BuildError

OUT = BUILD / "htmldocs"


def build():
    """A warning is an error."""
    step = Step("htmldocs")
    with tree.lock("unpack"):
        tree.unpack(step)
    proc = subprocess.run(["sphinx-build", "-W", "--keep-going", "-E", "-q", "-b", "html",
                           "-d", str(BUILD / "htmldocs.doctrees"), str(TOP / "Documentation"),
                           str(OUT)], env=clean_env(KERNEL_SRC=str(SRC)),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if proc.returncode:
        raise BuildError(f"the documentation has warnings:\n{proc.stdout}")
    step.say(f"{len(list(OUT.rglob('*.html')))} pages in {OUT.relative_to(TOP)}")
