# SPDX-License-Identifier: GPL-2.0-only
"""Break one rule at a time; some test has to turn red.

A mutation is a semantic patch in tools/testing/selftests/iommu/mutations.  Its
head says, in comment lines:

// file: PATH            kernel file, ours or an integrated one; may be repeated
// breaks: TEXT          the rule that it breaks
// run: PROGRAM ARG...   what turns red; with several, one of them is enough
// run: kunit MODULE [GLOB]  the same: its suites, or the tests of KUnit that match
// test: NAME            a test that has to fail, whatever else does
// lab: FLAGS            more flags for scripts/lab
// kernel: debug         instead of the release kernel
// timeout: SECONDS      of the lab; a test that has not ended by then has failed

The mutants' source tree is build/mutants-6.12, hard links to build/linux-6.12,
and their builds begin with its objects: a mutation costs what it touches.
"""

import re
import shlex
import subprocess
import time

from . import kernel, tree
from .programs import LAB, PROGRAMS, SELFTESTS, SHOW_KUNIT, call
from .results import Suite
from .term import Step, run_logged
from .tree import BUILD, LOGS, MUTANTS, TREE, BuildError

DIRECTORY = SELFTESTS / "mutations"
BUILDS = {"release": "mutant", "debug": "mutant-debug"}


class Mutation:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        head = {}
        for line in path.read_text().splitlines():
            m = re.match(r"//\s*(\w+):\s*(.*\S)", line)
            if not m:
                break
            head.setdefault(m.group(1), []).append(m.group(2))
        for key in ("file", "breaks", "run"):
            if key not in head:
                raise BuildError(f"{path.name}: no '// {key}:' line at its head")
        self.files = head["file"]
        self.breaks = " ".join(head["breaks"])
        self.runs = [shlex.split(text) for text in head["run"]]
        self.tests = head.get("test", [])
        self.flags = shlex.split(" ".join(head.get("lab", [])))
        self.timeout = int(head.get("timeout", [400])[0])
        self.kernel = head.get("kernel", ["release"])[0]
        if self.kernel not in BUILDS:
            raise BuildError(f"{path.name}: no kernel of the name {self.kernel}")


def sync_tree():
    """The mutants' tree as the real one; what an earlier mutation left goes."""
    manifest = BUILD / ".mutants"
    if not MUTANTS.is_dir():
        part = MUTANTS.with_name("mutants.part")
        subprocess.run(["rm", "-rf", str(part)], check=True)
        part.mkdir()
        entries = [str(p) for p in TREE.iterdir() if p.name not in kernel.CONFIGS]
        subprocess.run(["cp", "-al", "-t", str(part), *entries], check=True)
        part.rename(MUTANTS)
    old = manifest.read_text().split() if manifest.is_file() else []
    new = (BUILD / ".touched").read_text().split()
    manifest.write_text("".join(f"{n}\n" for n in sorted(set(old) | set(new))))
    for name in set(old) | set(new):
        if (TREE / name).is_file():
            tree.put(MUTANTS / name, (TREE / name).read_bytes())
        else:
            (MUTANTS / name).unlink(missing_ok=True)
    manifest.write_text("".join(f"{n}\n" for n in new))


def build(which, step):
    """One of the mutants' kernels, as the source is now.  Returns what went wrong."""
    name = BUILDS[which]
    out = kernel.directory(name)
    log = LOGS / f"kernel-{name}.log"
    if not out.exists():
        kernel.copy_objects(which, name)
    kernel.keep_objtool_time(name)
    tree.put(out / ".config", (kernel.directory(which) / ".config").read_bytes())
    status = run_logged(kernel.make(name, "bzImage", "modules"), log, step, env=kernel.env())
    return kernel.explain(log) if status else None


def program(words):
    """What the lab is asked to run, flags first: a program, or a module of KUnit."""
    if words[0] != "kunit":
        return ["--", PROGRAMS / words[0], *words[1:]]
    module, glob = words[1], words[2] if len(words) > 2 else "*"
    script = f"""
        modprobe kunit && echo -n '{glob}' >/sys/module/kunit/parameters/filter_glob
        modprobe {module} || exit 1
        {SHOW_KUNIT}
        grep -q '^ok' /sys/kernel/debug/kunit/*/results || exit 1
        ! grep -q '^ *not ok' /sys/kernel/debug/kunit/*/results"""
    return ["--no-vtdsim", "--no-gpasid", "--", "sh", "-c", script]


def run(suite, mutation, words):
    """Status and output of one program on the mutants' kernel."""
    debug = mutation.kernel == "debug"
    argv = [LAB, "run", "--kernel", kernel.directory(BUILDS[mutation.kernel]), "--timeout", mutation.timeout,
            *(["--mem", "1G", "--cpus", "2"] if debug else []), *mutation.flags, *program(words)]
    return call(argv, suite, mutation.timeout + 100)


def red_tests(out):
    """Their names; of a program without the harness, what was tried.

    The last one that began has failed, too, if it did not end: a kernel may hang.
    """
    found = re.findall(r"^ *not ok \d+ (?:- )?(\S+)|^  BAD (.+)", out, re.M)
    begun = re.findall(r"^#  RUN +(\S+) \.\.\.", out, re.M)
    if begun and not re.search(rf"^(?:not )?ok \d+ {re.escape(begun[-1])}\b", out, re.M):
        found.append((begun[-1], ""))
    return [name or what for name, what in found]


def wanted(mutation, red):
    """Of the tests that failed, those that the mutation has to break; any, if it names none."""
    names = mutation.tests
    return [t for t in red if not names or t.rpartition(".")[2] in names]


def all_green(suite, mutations, step):
    """Without a mutation every program passes: else a red one would prove nothing."""
    seen = set()
    for mutation in mutations:
        for words in mutation.runs:
            key = (mutation.kernel, *mutation.flags, *words)
            if key in seen:
                continue
            seen.add(key)
            status, out, err = run(suite, mutation, words)
            if status:
                raise BuildError(f"not broken, and {shlex.join(words)} does not pass "
                                 f"(status {status}): {' '.join(red_tests(out)[:5])}\n{err[-1500:]}")
    step.say(f"nothing broken: {len(seen)} programs pass")


def every():
    """All mutations by their names."""
    return {m.name: m for m in map(Mutation, sorted(DIRECTORY.glob("*.cocci")))}


def apply(mutation, where):
    """Break the files in the tree @where."""
    for name in mutation.files:
        if not (TREE / name).is_file():
            raise BuildError(f"{mutation.path.name}: no file {name}")
        path = where / name
        tree.put(path, (TREE / name).read_bytes() + b"\n")	# no longer a hard link
        path.write_bytes((TREE / name).read_bytes())
        tree.apply_rule(mutation.path, name, path)


def restore(mutation):
    with tree.lock("tree", shared=True):
        for name in mutation.files:
            tree.put(MUTANTS / name, (TREE / name).read_bytes())


def try_one(suite, mutation, step):
    """(whether a test turned red, what happened)."""
    try:
        with tree.lock("tree", shared=True):
            apply(mutation, MUTANTS)
        broken = build(mutation.kernel, step)
        if broken:
            return False, f"does not build:\n{broken}"
        said = []
        for words in mutation.runs:
            status, out, err = run(suite, mutation, words)
            red = red_tests(out)
            if status and wanted(mutation, red):
                return True, f"{shlex.join(words)}: {', '.join(wanted(mutation, red)[:3])}"
            if status:
                said.append(f"{shlex.join(words)}: status {status}, but not the test wanted: "
                            f"{', '.join(red[:3])}\n{err[-1500:]}")
            else:
                said.append(f"{shlex.join(words)} is green")
        return False, "; ".join(said)
    except BuildError as e:
        return False, str(e)
    finally:
        restore(mutation)


def prepare(mutations, step):
    which = sorted({m.kernel for m in mutations})
    sync_tree()
    for name in which:
        broken = build(name, step)
        if broken:
            raise BuildError(f"the kernel to break does not build:\n{broken}")


def run_all(mutations):
    """The suite, closed."""
    step = Step("mutate")
    with tree.lock("mutants"):
        suite = Suite("mutate")
        with tree.lock("tree", shared=True):
            prepare(mutations, step)
        all_green(suite, mutations, step)
        for mutation in mutations:
            start = time.monotonic()
            red, text = try_one(suite, mutation, step)
            suite.item(f"{mutation.name}: {mutation.breaks}", red, text)
            step.say(f"{mutation.name}: {'red' if red else 'NOT RED'}, {text.splitlines()[0]} "
                     f"({time.monotonic() - start:.1f} s)")
        suite.close()
    return suite
