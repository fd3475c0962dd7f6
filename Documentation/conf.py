# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx: the project's documentation, with the kernel's own kernel-doc extension.

KERNEL_SRC names an unpacked kernel tree, from which the extension and its script
are; `make htmldocs` sets it.
"""

import logging
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KERNEL = os.environ["KERNEL_SRC"]
sys.path.insert(0, os.path.join(KERNEL, "Documentation/sphinx"))

project = "gpasid"
copyright = "the gpasid project"
extensions = ["kerneldoc"]
kerneldoc_bin = os.path.join(KERNEL, "scripts/kernel-doc")
kerneldoc_srctree = TOP
kerneldoc_verbosity = 0

root_doc = "index"
primary_domain = "c"
highlight_language = "none"
html_theme = "alabaster"
html_theme_options = {"page_width": "64em", "description": "Guest PASIDs on Intel VT-d"}
html_show_sphinx = False
# Attributes of the kernel, which mean nothing to a C parser.
c_id_attributes = ["__user", "__init", "__exit", "__rcu", "__must_check"]


def one_name_for_two(record):
    """Sphinx takes a function and a structure of one name for a name given twice."""
    return "Duplicate C declaration" not in record.getMessage() or "_stats" not in record.getMessage()


def setup(app):
    for handler in logging.getLogger("sphinx").handlers:
        handler.filters.insert(0, one_name_for_two)
