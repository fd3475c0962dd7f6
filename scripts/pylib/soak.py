# SPDX-License-Identifier: GPL-2.0-only
"""scripts/lab soak: any number of checked DMAs while bindings change."""

import argparse
import secrets

from . import programs

FOREVER = 1e9		# seconds
MOST = 2 ** 63


def count(text):
    """A number of DMAs: 1000000, or 1e6."""
    try:
        value = int(text) if text.isdecimal() else float(text)
    except ValueError:
        value = 0
    if not 1 <= value < MOST or value != int(value):
        raise argparse.ArgumentTypeError(f"{text}: not a number of DMAs, such as 1000000 or 1e6")
    return int(value)


def prepare(args):
    """One seed for the hardware, which is adverse, and for what changes; no end in time."""
    if not args.no_build:
        programs.build()
    if args.seed is None:
        args.seed = str(secrets.randbelow(1 << 32))
    print(f"soak: --dma {args.dma} --seed {args.seed}", flush=True)
    args.adverse = True
    args.timeout = FOREVER
    args.program = [str(programs.PROGRAMS / "gpasid_soak"), str(args.dma), args.seed]
