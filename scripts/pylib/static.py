# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own checkers on our files: sparse, Coccinelle, checkpatch, kernel-doc."""

import ast
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from functools import cache, reduce
from pathlib import Path

from . import initramfs, kernel, mutate, tree
from .term import clean_env
from .tree import BUILD, SRC, TOP, TREE

# What checkpatch reads; kernel code and programs alike.
STYLED = ("drivers", "include", "integration", "lib", "samples", "tools")

# Advice to use what only the kernel has; not for programs.
KERNEL_ONLY = "BIT_MACRO,STRCPY,PREFER_DEFINED_ATTRIBUTE_MACRO,VOLATILE"

# What is exported is in the kernel file that the lines are appended to.
APPENDED = "EXPORT_SYMBOL"

# How every trace header of the kernel looks.
TRACE_ONLY = "OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT"

# Where no circle of calls is to be between files; each with what is below it.
LAYERED = ("drivers", "tools/gpasid", "tools/lib/gpasid", "tools/lib/vtd",
           "tools/testing/selftests/iommu", "tools/testing/vtdsim", "tools/vsva")

# Where what FILE.c defines for others is declared in FILE.h.
OWN_HEADERS = "tools/testing/vtdsim"

# Where files are that others include by name alone.
INCLUDE_DIRS = ("include", "include/uapi", "tools/lib/gpasid", "tools/lib/vtd",
                "tools/testing/selftests/iommu", "tools/testing/selftests/iommu/guest")

# sparse does not see that a guard() ends with its scope.
SPARSE = ("C=2", "CHECK=sparse", "CF=-Wno-context")


def ours(tops, suffixes):
    return [p for top in tops for p in sorted((TOP / top).rglob("*"))
            if p.suffix in suffixes and p.is_file()]


def name_of(path):
    return str(path.relative_to(TOP))


def capture(argv, **kwargs):
    proc = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          env=clean_env(), **kwargs)
    return proc.returncode, proc.stdout


def each(suite, tool, paths, argv):
    """A tool that says nothing about a file that is right."""
    with ThreadPoolExecutor(int(kernel.jobs())) as pool:
        runs = list(pool.map(lambda p: capture(argv(p)), paths))
    for path, (status, out) in zip(paths, runs):
        suite.item(f"{tool} {name_of(path)}", not status and not out.strip(), out)


def checkpatch(suite):
    def argv(path):
        ignore = {"tools": KERNEL_ONLY, "integration": APPENDED}.get(name_of(path).split("/")[0])
        if name_of(path).startswith("include/trace/"):
            ignore = TRACE_ONLY
        return ["perl", str(SRC / "scripts/checkpatch.pl"), "--strict", "--no-tree", "-q",
                *(["--ignore", ignore] if ignore else []), "-f", str(path)]

    each(suite, "checkpatch", ours(STYLED, (".c", ".h")), argv)


def kernel_doc(suite):
    script = str(SRC / "scripts/kernel-doc")
    each(suite, "kernel-doc", ours(("drivers", "include", "integration", "samples"), (".c", ".h")),
         lambda p: ["perl", script, "-none", "-Wall", str(p)])


def kernel_objects():
    """Our C files that the debug kernel is built from."""
    return [p for p in ours(("drivers", "lib", "samples"), (".c",))
            if (kernel.directory("debug") / name_of(p)).with_suffix(".o").is_file()]


def about(out, path):
    """Lines of a compiler-like tool on one file, whatever path it has for it."""
    return "\n".join(l for l in out.splitlines()
                     if re.match(rf"\S*{re.escape(path)}:\d+", l))


def sparse(suite):
    paths = kernel_objects()
    targets = [str(p.relative_to(TOP).with_suffix(".o")) for p in paths]
    status, out = capture(kernel.make("debug", *SPARSE, *targets))
    suite.note(out)
    for path in paths:
        said = about(out, name_of(path))
        suite.item(f"sparse {name_of(path)}", not status and not said, said or out)

    kdir = kernel.directory("debug")
    initramfs.base(kdir)
    module = BUILD / "lab" / tree.digest(str(kdir))[:12] / "vtdsim/module"
    status, out = capture(["make", "-C", str(kdir), f"M={module}", *SPARSE, "modules"])
    suite.note(out)
    for path in sorted(initramfs.MODULE.glob("*.c")):
        said = about(out, path.name)
        suite.item(f"sparse {name_of(path)}", not status and not said, said or out)


def semantic_checks():
    """(script, its options) of the kernel's checks that can report and need no OCaml."""
    for path in sorted((SRC / "scripts/coccinelle").rglob("*.cocci")):
        text = path.read_text()
        if re.search(r"^virtual .*\breport\b", text, re.M) and ":ocaml" not in text:
            options = re.search(r"^// *Options: *(.*)$", text, re.M)
            yield path, options.group(1).split() if options else []


def coccicheck(suite):
    """What scripts/coccicheck does, but for copies of our kernel files alone."""
    work = BUILD / "coccicheck"
    shutil.rmtree(work, ignore_errors=True)
    paths = ours(("drivers", "lib", "include", "samples", "tools/testing/vtdsim/module"),
                 (".c", ".h"))
    for path in paths:
        tree.put(work / name_of(path), path.read_bytes())
    include = [a for d in ("arch/x86/include", "include", "include/uapi")
               for a in ("-I", str(TREE / d))]

    def check(script):
        path, options = script
        return capture(["spatch", "-D", "report", "--no-show-diff", "--very-quiet",
                        "--macro-file", str(tree.MACROS), "--cocci-file", str(path), *options,
                        "--dir", str(work), *include])

    with ThreadPoolExecutor(int(kernel.jobs())) as pool:
        scripts = list(semantic_checks())
        runs = list(pool.map(check, scripts))
    broken = [f"{path}: {out}" for (path, _), (status, out) in zip(scripts, runs) if status]
    text = "".join(out for _, out in runs)
    suite.note(text)
    suite.item(f"coccicheck: all {len(scripts)} checks run", not broken, "\n".join(broken))
    for path in paths:
        said = about(text, name_of(path))
        suite.item(f"coccicheck {name_of(path)}", not said, said)


def mutations(suite):
    """What `make mutate` breaks is where the mutations look for it."""
    def applies(mutation):
        work = BUILD / "mutations" / mutation.name
        shutil.rmtree(work, ignore_errors=True)
        try:
            mutate.apply(mutation, work)
        except tree.BuildError as e:
            return str(e)
        return ""

    found = mutate.every()
    with ThreadPoolExecutor(int(kernel.jobs())) as pool:
        for name, said in zip(found, pool.map(applies, found.values())):
            suite.item(f"mutation {name}", not said, said)


def imports():
    """{module of pylib: those of pylib that it imports, at its head or in a function}."""
    paths = {p.stem: p for p in Path(__file__).parent.glob("*.py")}
    out = {}
    for name, path in paths.items():
        nodes = [n for n in ast.walk(ast.parse(path.read_text()))
                 if isinstance(n, ast.ImportFrom) and n.level]
        found = {a.name for n in nodes if not n.module for a in n.names}
        out[name] = (found | {n.module for n in nodes}) & set(paths)
    return out


def circle(graph):
    """The edges left when nodes without an edge in, or without one out, are taken away."""
    left = {node: set(needed) for node, needed in graph.items()}
    while free := [n for n in left if not left[n] & set(left) or
                   not any(n in left[m] for m in left)]:
        for node in free:
            del left[node]
    return [(n, m) for n in left for m in sorted(left[n] & set(left))]


def circles(suite):
    found = imports()
    suite.item("pylib has modules that import others", any(found.values()), str(found))
    edges = circle(found)
    suite.item("no circle of imports", not edges, str(edges))


@cache
def included(path):
    """Files of ours that it includes."""
    dirs = (path.parent, *(TOP / d for d in INCLUDE_DIRS))
    names = re.findall(r'^#\s*include ["<](.+?)[">]', path.read_text(), re.M)
    found = (next((p for d in dirs if (p := (d / n).resolve()).is_file()), None) for n in names)
    return {p for p in found if p and p != path}


def includes(suite):
    """No file includes, be it by way of others, one that includes it or its header."""
    graph = {}
    for path in ours(("drivers", "include", "samples", "tools"), (".c", ".h")):
        needed = {p.with_suffix("") for p in included(path)} - {path.with_suffix("")}
        graph.setdefault(path.with_suffix(""), set()).update(needed)
    suite.item("files of ours include others", any(graph.values()), str(graph))
    edges = circle(graph)
    suite.item("no circle of includes", not edges, str(edges))


def seen(path):
    """The files of ours that a file includes, be it by way of others."""
    out, todo = set(), [path]
    while todo:
        new = included(todo.pop()) - out
        out |= new
        todo += new
    return out


@cache
def code(path):
    """Its text without comments, strings and names of members."""
    noise = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?:->|\.)\s*\w+'
    return re.sub(noise, " ", path.read_text(), flags=re.S)


@cache
def defined(path):
    """The functions that a file has for others."""
    head = r"^(?!static\b)\w[^;{}#=()]*?\b(\w+)\([^;{}]*\)\s*^\{"
    return set(re.findall(head, code(path), re.M))


def declared(paths):
    """The functions that headers tell of."""
    return {name for p in paths for name in re.findall(r"\b(\w+)\(", code(p))}


def uses(paths):
    """
    {file: {other file of these: functions that it uses of it}}, as its headers tell it
    of them. Of several with one name it is the one whose header it includes, or the one
    beside it: a test has stand-ins.
    """
    out = {p: {} for p in paths}
    for p in paths:
        headers = seen(p)
        own = set(re.findall(r"^static\b[^;{}#=()]*?\b(\w+)\(", code(p), re.M))
        names = set(re.findall(r"\w+", code(p))) & declared(headers) - defined(p) - own
        for name in sorted(names):
            owners = [q for q in paths if name in defined(q)]
            near = [q for q in owners if q.with_suffix(".h") in headers]
            near = near or [q for q in owners if q.parent == p.parent] or owners
            for q in near:
                out[p].setdefault(q, []).append(name)
    return out


def calls(suite):
    """No file calls one that calls it, be it by way of others."""
    for top in LAYERED:
        found = uses(ours((top,), (".c",)))
        suite.item(f"{top} has files that call others", any(found.values()), str(found))
        edges = [f"{p.name} -> {q.name}: {', '.join(found[p][q])}" for p, q in circle(found)]
        suite.item(f"no circle of calls in {top}", not edges, "\n".join(edges))


def own_headers(suite):
    """What a file has for others is declared in its header."""
    for path in sorted((TOP / OWN_HEADERS).glob("*.c")):
        header = path.with_suffix(".h")
        lacks = defined(path) - {"main"} - declared([header] if header.is_file() else [])
        suite.item(f"{header.name} declares what {path.name} defines", not lacks, str(lacks))


def maintainers(suite):
    """Each file of ours has an entry, and each entry a file."""
    lines = (TOP / "MAINTAINERS").read_text().splitlines()
    patterns = [line.split()[1] for line in lines if line.startswith("F:\t")]
    tops = [p for p in TOP.iterdir() if p.name not in (".git", "build")
            and not p.name.startswith(".checkpatch-camelcase")]
    names = [name_of(p) for top in tops for p in (top, *top.rglob("*")) if p.is_file()]

    def covers(pattern, name):
        return name.startswith(pattern) if pattern.endswith("/") else fnmatch(name, pattern)

    bare = [n for n in names if not any(covers(p, n) for p in patterns)]
    suite.item("MAINTAINERS covers each file", not bare, " ".join(bare))
    dead = [p for p in patterns if not any(covers(p, n) for n in names)]
    suite.item("each pattern of MAINTAINERS has a file", not dead, " ".join(dead))


# What takes a lock, and has a guard; by the name of what takes it, what releases it.
TAKES = re.compile(r"^(\t+)(?:\*?\w+ = )?((?:mutex|(?:raw_)?spin|read|write|rcu_read|srcu_read|xa|device)"
                   r"_lock(?:_bh|_irq|_irqsave)?|down_(?:read|write)|preempt_disable|"
                   r"local_irq_(?:disable|save))\(([^,]*?)(?:, .*)?\);$")
RELEASES = (("irqsave", "irqrestore"), ("irq_save", "irq_restore"), ("_lock", "_unlock"),
            ("down_", "up_"), ("disable", "enable"))


def brackets(lines):
    """(line number, what takes it) of each lock that is taken and released in one block.

    By the indentation: what comes next about the lock releases it, as deep as it is taken.
    """
    for n, line in enumerate(lines, 1):
        m = TAKES.match(line)
        if not m:
            continue
        tabs, take, held = m.groups()
        release = reduce(lambda name, pair: name.replace(*pair), RELEASES, take)
        about = re.compile(rf"(\t+).*\b(?:{take}|({release}))\({re.escape(held)}[,)]")
        for later in lines[n:]:
            if re.match(r"\w+:|#|$", later):
                continue	# a label, the preprocessor
            found = about.match(later)
            if found and found[2] and found[1] == tabs:
                yield n, take
            if found or not later.startswith(tabs):
                break


def guards(suite):
    """Locks are taken as Documentation/hacking.rst says."""
    kernels = (SRC / "drivers/iommu/iommufd/device.c").read_text().splitlines()
    suite.item("brackets of locks are found", any(brackets(kernels)))
    for path in ours(("drivers", "include", "samples", "tools/testing/vtdsim/module"),
                     (".c", ".h")):
        text = path.read_text()
        said = [f"{name_of(path)}:{n}: {take}() and its release in one block: guard() or "
                "scoped_guard()" for n, take in brackets(text.splitlines())]
        for body in re.findall(r"^\{$(.*?)^\}$", text, re.M | re.S):
            if re.search(r"\bgoto\b", body) and re.search(r"\bguard\(\w+\)\(|\bscoped_guard\(", body):
                said.append(f"{name_of(path)}: guard() and goto in one function:{body}")
        suite.item(f"guards {name_of(path)}", not said, "\n".join(said))


def run(suite):
    """sparse, coccicheck, checkpatch --strict and kernel-doc on our files."""
    for tool in (circles, includes, calls, own_headers, maintainers, guards, checkpatch,
                 kernel_doc, sparse, coccicheck, mutations):
        tool(suite)
