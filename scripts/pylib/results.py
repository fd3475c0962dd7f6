# SPDX-License-Identifier: GPL-2.0-only
"""Counting what passed: one Suite each, from whatever a tool prints."""

import re
import sys
import time

from .tree import LOGS, TOP


class Suite:
    """Results of one suite, with all output in build/logs/NAME.log."""

    def __init__(self, name):
        self.name = name
        self.path = LOGS / f"{name}.log"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.log = open(self.path, "w", errors="replace")
        self.start = time.monotonic()
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def note(self, text):
        self.log.write(text if text.endswith("\n") else text + "\n")
        self.log.flush()

    def progress(self, what):
        print(f"  [{time.monotonic() - self.start:6.1f} s] {what}", flush=True)

    def item(self, name, ok, detail=""):
        """One thing that was tried.  @detail: what a reader needs on failure."""
        self.note(f"{'passed' if ok else 'FAILED'}: {name}")
        if ok:
            self.passed += 1
            return
        self.failed += 1
        self.failures.append((name, detail))
        if detail:
            self.note(detail)

    def skip(self, name, why=""):
        self.skipped += 1
        self.note(f"skipped: {name} {why}")

    def counts(self, text):
        """Lines that end in "N passed, N failed"; False when there are none."""
        found = re.findall(r"^(.*?)(\d+) (?:steps )?passed, (\d+) failed", text, re.M)
        for name, passed, failed in found:
            self.passed += int(passed)
            self.failed += int(failed)
            if int(failed):
                self.failures.append((name.strip(" :") or "see the log", ""))
        return bool(found)

    def ktap(self, text, prefix="", indent=0):
        """Results at one level of indentation.  False when a planned one is missing."""
        pad = " " * indent
        plans = re.findall(rf"^{pad}1\.\.(\d+)\s*$", text, re.M)
        lines = re.findall(rf"^{pad}(ok|not ok) \d+ (.*)$", text, re.M)
        for verdict, name in lines:
            name, _, directive = name.lstrip("- ").partition(" # ")
            if directive.upper().startswith("SKIP"):
                self.skip(prefix + name, directive)
            else:
                self.item(prefix + name, verdict == "ok")
        return bool(plans) and sum(map(int, plans)) == len(lines)

    def close(self):
        took = time.monotonic() - self.start
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.name}: {self.passed} passed, {self.failed} failed{skipped} ({took:.1f} s)")
        for name, detail in self.failures[:20]:
            print(f"  FAILED {name}")
            for line in detail.splitlines()[-15:]:
                print(f"    | {line}")
        if self.failed:
            print(f"  all of it: {self.path.relative_to(TOP)}")
        sys.stdout.flush()
        self.log.close()
