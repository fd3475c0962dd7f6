# SPDX-License-Identifier: GPL-2.0-only
"""Plots of `make bench`, by gnuplot: each as SVG and as PNG."""

import shutil
import subprocess

from .term import clean_env
from .tree import TOP, BuildError

IMAGE = TOP / "Documentation/images/bench.svg"

PANELS = ("attach", "unmap_page", "detach", "dirty_start", "close", "invalidate_16")
PANEL_TITLES = {
    "attach": "attach a PASID", "unmap_page": "unmap a second-stage page",
    "detach": "detach a PASID", "dirty_start": "start dirty tracking",
    "close": "close the device, all bound", "invalidate_16": "invalidate 16 first-stage ranges",
    "replace": "replace a PASID's table", "invalidate_512": "invalidate 512 ranges",
}
# Told apart without colours, too: by the points.
STYLES = {
    "ours": 'lc rgb "#0060ad" lw 2 pt 7 ps 0.6',
    "ours-own-abi": 'lc rgb "#3c9d3c" lw 1.5 pt 9 ps 0.7 dt 2',
    "native-sva": 'lc rgb "#888888" lw 1.5 pt 13 ps 0.7',
}
PEER_STYLE = 'lc rgb "#d95f02" lw 2 pt 5 ps 0.6'
FONT = "DejaVu Sans,10"

HEAD = """\
set multiplot layout {rows},{columns} title {title} font ",13" \\
	margins 0.075,0.985,0.135,0.885 spacing 0.065,0.115
set logscale x 10
set xrange [0.7:2000000]
set xtics (1, 10, 100, "1,000" 1000, "10^4" 10000, "10^5" 100000, "10^6" 1000000)
set grid lc rgb "#e0e0e0" lw 0.5
set border 3 lc rgb "#606060"
set tics nomirror textcolor rgb "#404040" font ",9"
set title offset 0,-0.6 font ",11"
"""


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def available():
    return shutil.which("gnuplot")


def points(report, implementation, operation, what):
    """(n, value) of what can be shown on a logarithmic axis."""
    found = [(d["n"], d[what]) for d in report.details
             if (d["implementation"], d["operation"]) == (implementation, operation)]
    return sorted((n, v) for n, v in found if n and v)


def style(report, implementation):
    return PEER_STYLE if implementation == report.results.peer else STYLES[implementation]


def title_of(report, implementation):
    names = {"ours": "this project, upstream's ABI", "ours-own-abi": "this project, its own ABI",
             "native-sva": "native SVA"}
    return names.get(implementation, implementation.replace("linux-", "Linux "))


def panel(report, operation, what, floor):
    """One set of axes: data blocks, and the plot of them."""
    data, plots = [], []
    for name in report.implementations():
        series = points(report, name, operation, what)
        if not series:
            continue
        block = f"$d{abs(hash((name, operation, what))) % 10**9}"
        data.append(f"{block} << E\n" + "".join(f"{n} {v}\n" for n, v in series) + "E\n")
        plots.append(f"{block} with linespoints {style(report, name)} notitle")
    if floor:
        plots.append('1 with lines lc rgb "#404040" dt 3 lw 1.2 notitle')
    lines = [f"set title {quoted(PANEL_TITLES[operation])}", "plot " + ", ".join(plots)]
    return "".join(data) + "\n".join(lines) + "\n" if plots else "set multiplot next\n"


def key(report, floor):
    """One key for all panels, in the first one's plot, below all of them."""
    names = [n for n in report.implementations() if n != "native-sva" or floor]
    shown = [f"NaN with linespoints {style(report, n)} title {quoted(title_of(report, n))}"
             for n in names]
    if floor:
        shown.append('NaN with lines lc rgb "#404040" dt 3 lw 1.2 title "a null ioctl"')
    return ("unset title; unset border; unset tics; unset xlabel; unset ylabel; unset grid\n"
            "set origin 0,0; set size 1,1; set yrange [0:1]; unset logscale\n"
            "set lmargin 0; set rmargin 0\n"
            "set key at screen 0.5,0.035 center center horizontal samplen 3 font \",10\"\n"
            "plot " + ", ".join(shown) + "\n")


def grid(report, title, operations, what, ylabel, floor):
    """Panels in three columns."""
    text = HEAD.format(rows=-(-len(operations) // 3), columns=3, title=quoted(title))
    text += "set logscale y 10; set format y \"10^{%T}\"; unset key\n"
    for i, operation in enumerate(operations):
        text += f"set ylabel {quoted(ylabel if i % 3 == 0 else '')} font \",10\" offset 1.2,0\n"
        text += f"set xlabel {quoted('PASIDs bound' if i >= len(operations) - 3 else '')} " \
                "font \",10\" offset 0,0.4\n"
        text += panel(report, operation, what, floor)
    return text + key(report, floor) + "unset multiplot\n"


def run(script, out, name, size):
    """The same script for both kinds of file."""
    width, height = size
    made = []
    for suffix, terminal in (
            ("svg", f"svg size {width},{height} font \"{FONT}\" background \"#ffffff\""),
            ("png", f"pngcairo size {2 * width},{2 * height} font \"{FONT}\" fontscale 2 "
                    "linewidth 2 pointscale 2 background \"#ffffff\"")):
        path = out / f"{name}.{suffix}"
        text = f"set terminal {terminal}\nset output {quoted(str(path))}\n{script}set output\n"
        proc = subprocess.run(["gnuplot"], input=text, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=clean_env(LC_ALL="C.UTF-8"))
        if proc.returncode or not path.is_file():
            raise BuildError(f"gnuplot fails on {path.name}:\n{proc.stdout}")
        made.append(path)
    return made


def draw(report, out):
    """All plots that there are results for."""
    if not available():
        print("bench: no plots, there is no gnuplot: scripts/setup bench installs it")
        return []
    time = grid(report, "Time of an operation, as a multiple of a null ioctl on the same kernel",
                PANELS, "ratio_to_floor", "times a null ioctl", True)
    counts = grid(report, "Descriptors that an operation makes the VT-d unit execute",
                  ("unmap_page", "detach", "replace", "dirty_start", "close", "invalidate_512"),
                  "descriptors", "descriptors", False)
    made = run(time, out, "time", (960, 560))
    made += run(counts, out, "descriptors", (960, 560))
    return made


def publish(out):
    IMAGE.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(out / "time.svg", IMAGE)
