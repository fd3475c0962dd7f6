# SPDX-License-Identifier: GPL-2.0-only
"""Measurements of `make bench`: which runs there are, and what they print.

Each run is one boot of the lab with one program in it.  The program is the same
on this project's kernel and on the peer, and so is the hardware.
"""

import argparse
import collections
import re
import shlex
import subprocess
import sys
import time

from . import bench_plot, bench_report, debian, initramfs, lab, peer, programs, qemu, tree
from .term import Step, clean_env
from .tree import BuildError

OURS, OWN, NATIVE = "ours", "ours-own-abi", "native-sva"
PARTS = ("costs", "large", "memory", "lookup", "second-vm", "vm")
MANY = 10000
# By what the processors do: one; one beside one that computes; both
LOOKUPS = {"1": "lookup", "1+1": "lookup_1_of_2", "2": "lookup_2_of_2"}
LARGEST = (1 << 20) - 1

# @kernel, @flags: of scripts/lab; @seconds: on a quiet machine, for the time left
Run = collections.namedtuple("Run", "part implementation kernel flags program seconds")
Cost = collections.namedtuple("Cost", "descriptors waits ns unit")


class Results:
    """What was measured, by (implementation, operation, n)."""

    def __init__(self):
        self.costs = {}
        self.memory = {}
        self.versions = {}
        self.notes = []
        self.peer = None

    def merge(self, implementation, line):
        """A line of a program: words for whoever waits, or nothing."""
        for pattern, take in self.LINES:
            m = re.search(pattern, line)
            if m:
                return take(self, implementation, *m.groups())
        return ""

    def take_cost(self, implementation, operation, n, *lists):
        """Of gpasid_bench and gpasid_bench_pair."""
        samples = ([int(x) for x in text.split(",")] for text in lists)
        self.costs[implementation, operation, int(n)] = Cost(*samples)
        return f"{operation}, n = {int(n):,}"

    def take_vm(self, implementation, event, n, *values):
        """Of vm_cost: one sample, in microseconds."""
        descriptors, waits, us, unit = map(int, values)
        self.costs[implementation, f"vm_{event}", int(n)] = Cost(
            [descriptors], [waits], [us * 1000], [unit])
        return f"a guest: {event}, n = {int(n):,}"

    def take_lookup(self, _, means, n, processors, ps):
        """Of ioasid_bench, in picoseconds; 0: it could not be measured."""
        if int(ps):
            key = OURS if means == "set" else means, LOOKUPS[processors], int(n)
            self.costs[key] = Cost([0], [0], [int(ps) / 1000], [0])
        return f"look-up by {means}"

    def take_memory(self, implementation, what, *values):
        self.memory[implementation, what] = tuple(map(int, values))
        return f"memory, {what}"

    def take_progress(self, _, n):
        return f"{int(n):,} bound"

    LINES = (
        (r"^cost: (\S+) (\d+) descriptors=(\S+) waits=(\S+) ns=(\S+) unit=(\S+)$", take_cost),
        (r"^cost: (\S+) n=(\d+) descriptors=(\d+) waits=(\d+) us=(\d+) unit=(\d+)$", take_vm),
        (r" lookup: (\S+) n=(\d+) processors=(\S+) ps=(\d+)$", take_lookup),
        (r"^memory: (\S+) (\d+) slab=(-?\d+) pages=(-?\d+)$", take_memory),
        (r"^at: (\d+)$", take_progress),
    )


class Clock:
    """Progress, and the time left by what the runs before took."""

    def __init__(self, runs):
        self.step = Step("bench", every=10)
        self.left = sum(r.seconds for r in runs)
        self.done = 0
        self.begun = self.step.elapsed()

    def text(self, run):
        spent = self.step.elapsed() - self.begun
        pace = max(1.0, (self.step.elapsed() + 5) / (self.done + min(spent, run.seconds) + 5))
        left = pace * (self.left - min(spent, run.seconds * 0.9))
        return f"about {max(left, 1):.0f} s left"

    def show(self, run, what):
        self.step.progress(f"{self.text(run)}; {run.implementation}: {what}")

    def begin(self, run):
        self.begun = self.step.elapsed()
        self.step.say(f"{self.text(run)}; {run.part}, {run.implementation}")

    def end(self, run):
        self.left -= run.seconds
        self.done += run.seconds


# ---- what is run ----------------------------------------------------------------


def program(*words):
    return [programs.PROGRAMS / words[0], *map(str, words[1:])]


def costs(args, kernels):
    """The same client on each kernel; n up to what the peer can do in a minute."""
    some, n = (25, (1, 10, 100, 1000, "close:5000", MANY))
    natives = (1, 10, 100, 1000)
    if args.quick:
        some, n, natives = (15, (1, 100, "close:5000", MANY), (1, 100))
    if args.smoke:
        some, n, natives = (3, (1, 10), ())
    for name, kernel in kernels:
        yield Run("costs", name, kernel, (), program("gpasid_bench", "upstream", some, *n),
                  60 if name == OURS else 120)
    own = [x for x in n if not isinstance(x, str)]
    yield Run("costs", OWN, "release", (), program("gpasid_bench", "own", some, *own), 40)
    if natives:
        yield Run("costs", NATIVE, "release", ("--modprobe", "vtdsim_sva"),
                  program("gpasid_bench", "native", some, *natives), 30)


def large(args, _kernels):
    """What only this kernel can do; the PASID table alone takes 64 MiB."""
    for name, abi in ((OURS, "upstream"), (OWN, "own")):
        yield Run("large", name, "release", ("--mem", "4G"),
                  program("gpasid_bench", abi, 25, 60000, LARGEST), 150)


def memory(args, kernels):
    n = 1000 if args.smoke else MANY
    for name, kernel in kernels:
        yield Run("memory", name, kernel, (), program("gpasid_bench", "memory", "upstream", n), 8)
    yield Run("memory", OWN, "release", (), program("gpasid_bench", "memory", "own", n), 8)


def lookup(_args, _kernels):
    """The KUnit benchmark of IOASID sets: it has the other ways beside it."""
    script = f"""
        modprobe kunit; echo -n '*.*' >/sys/module/kunit/parameters/filter_glob
        modprobe ioasid_bench; {programs.SHOW_KUNIT}; rmmod ioasid_bench"""
    yield Run("lookup", OURS, "release", ("--cpus", "2", "--no-vtdsim", "--no-gpasid"),
              ["sh", "-c", script], 40)


def second_vm(args, kernels):
    for name, kernel in kernels:
        yield Run("second-vm", name, kernel, ("--cpus", "2"),
                  program("gpasid_bench_pair", MANY, 150 if args.quick else 1000),
                  30 if name == OURS else 90)


def vm(args, kernels):
    """A day in a VM's life, with an unmodified QEMU and guest; not on the terminal."""
    try:
        qemu.fetch()
    except debian.Unavailable as e:
        print(f"bench: no VM: {e}", file=sys.stderr)
        return
    for name, kernel in kernels:
        yield Run("vm", name, kernel, (), (1, 10, 100, 1000), 150)


MAKERS = {"costs": costs, "large": large, "memory": memory, "lookup": lookup,
          "second-vm": second_vm, "vm": vm}


def parts(args):
    if args.only:
        return args.only
    if args.smoke:
        return ["costs", "memory"]
    return [p for p in PARTS if not args.quick or p not in ("large", "vm")]


def plan(args, kernels):
    return [run for part in parts(args) for run in MAKERS[part](args, kernels)]


# ---- running it -----------------------------------------------------------------


def command(run):
    if run.part == "vm":
        return [*map(str, programs.vm_cost_command(run.program, "--kernel", run.kernel,
                                                   "--timeout", "1800"))]
    return [str(programs.LAB), "run", "--no-build", "--check-log", "--timeout", "1800",
            "--kernel", run.kernel, *run.flags, "--", *map(str, run.program)]


def execute(run, clock, results):
    argv = command(run)
    clock.begin(run)
    said, found = collections.deque(maxlen=30), 0
    proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                            errors="replace", env=clean_env())
    try:
        for line in proc.stdout:
            said.append(line)
            what = results.merge(run.implementation, line)
            if what:
                found += 1
                clock.show(run, what)
        status = proc.wait()
    finally:
        if proc.poll() is None:
            proc.terminate()
            proc.wait()
        clock.step.close()
    if status or not found:
        sys.stderr.writelines(said)
        raise BuildError(f"{run.part}, {run.implementation}: status {status}, {found} results\n"
                         f"$ {shlex.join(argv)}")
    clock.end(run)


def kernels(args, results, build=peer.build):
    """(name, kernel) of what the client runs on; the peer where it can be had."""
    found = [(OURS, "release")]
    directory = lab.kernel_directory(argparse.Namespace(kernel="release", no_build=False))
    results.versions[OURS] = initramfs.kernel_release(directory)
    if args.ours or args.smoke:
        return found
    try:
        version = initramfs.kernel_release(build())
    except debian.Unavailable as e:
        results.notes.append(f"No peer: {e}")
        return found
    results.peer = "linux-" + ".".join(version.split(".")[:2])
    results.versions[results.peer] = version
    return found + [(results.peer, "peer")]


def main(args):
    results = Results()
    start = time.monotonic()
    found = kernels(args, results)
    programs.build()
    for note in results.notes:
        print(f"bench: {note}", file=sys.stderr)
    runs = plan(args, found)
    clock = Clock(runs)
    args.out.mkdir(parents=True, exist_ok=True)
    for run in runs:
        execute(run, clock, results)
        # What is known already is kept, should the next run fail.
        report = bench_report.Report(results)
        report.write(args.out)
    results.notes.append(f"Measured in {time.monotonic() - start:.0f} s.")
    report = bench_report.Report(results)
    report.write(args.out)
    plots = [] if args.smoke else bench_plot.draw(report, args.out)
    print(report.terminal())
    print(f"\n{', '.join(p.name for p in [*report.files, *plots])} in {args.out}")
    if args.publish:
        bench_plot.publish(args.out)
    return 0
