# SPDX-License-Identifier: GPL-2.0-only
"""Plots of `make bench`, by gnuplot: each as SVG and as PNG."""

import re
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
set xtics ("1" 1, "10" 10, "100" 100, "1,000" 1000, "10^4" 10000, "10^5" 100000, "10^6" 1000000)
set grid lc rgb "#d8d8d8" lw 0.5
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


def names_in(report, floor):
    """Native SVA has no second stage and no HWPT: it is shown with times alone."""
    return [n for n in report.implementations(PANELS) if n != "native-sva" or floor]


def panel(report, operation, what, floor):
    """One set of axes: data blocks, and the plot of them."""
    data, plots = [], []
    for name in names_in(report, floor):
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


def bottom_key(shown):
    """In a plot of its own, which shows nothing else."""
    return ("unset title; unset border; unset tics; unset xlabel; unset ylabel; unset grid\n"
            "set origin 0,0; set size 1,1; set xrange [0:1]; set yrange [0:1]; unset logscale\n"
            "set lmargin 0; set rmargin 0\n"
            "set key at screen 0.5,0.035 center center horizontal samplen 3 maxrows 1 width -3 "
            "font \",9\"\nplot " + ", ".join(shown) + "\n")


def key(report, floor):
    """One key for all panels, in the first one's plot, below all of them."""
    names = names_in(report, floor)
    shown = [f"NaN with linespoints {style(report, n)} title {quoted(title_of(report, n))}"
             for n in names]
    if floor:
        shown.append('NaN with lines lc rgb "#404040" dt 3 lw 1.2 title "a null ioctl"')
    return bottom_key(shown)


def grid(report, title, operations, what, ylabel, floor):
    """Panels in three columns."""
    text = HEAD.format(rows=-(-len(operations) // 3), columns=3, title=quoted(title))
    text += "set logscale y 10; set format y \"10^{%T}\"; unset key\n"
    text += "set mytics 1; set mxtics 1\n"
    text += "set yrange [0.5:100<*]\n" if floor else "set yrange [1:100<*]\n"
    for i, operation in enumerate(operations):
        text += f"set ylabel {quoted(ylabel if i % 3 == 0 else '')} font \",10\" offset 1.2,0\n"
        text += f"set xlabel {quoted('PASIDs bound' if i >= len(operations) - 3 else '')} " \
                "font \",10\" offset 0,0.4\n"
        text += panel(report, operation, what, floor)
    return text + key(report, floor) + "unset multiplot\n"


def slim(svg):
    """Without empty groups, what is the default anyway, and space at the ends of lines."""
    for default in (' stroke-linecap="butt" stroke-linejoin="miter"', ' class="gridline"',
                    ' color="black"', ' color="gray"'):
        svg = svg.replace(default, "")
    svg = re.sub(r'(<tspan) font-family="[^"]*" ?', r"\1", svg)
    while True:
        svg, count = re.subn(r"<g\b[^>]*>\s*</g>", "", svg)
        if not count:
            return re.sub(r"\s*\n\s*", "\n", svg)


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
        if suffix == "svg":
            path.write_text(slim(path.read_text()))
        made.append(path)
    return made


LOADS = ("rest", "attach", "invalidate_1", "invalidate_16", "invalidate_512", "unmap_page",
         "unmap_64m", "dirty", "page_request", "close")
LOAD_TITLES = ("rests", "attaches", "invalidates 1", "invalidates 16", "invalidates 512",
               "unmaps a page", "unmaps 64 MiB", "switches dirty tracking", "has page requests",
               "closes, all bound")
PAIR_HEAD = """\
set multiplot layout 1,2 title {title} font ",13" margins 0.075,0.985,0.34,0.85 spacing 0.07,0.1
set logscale y 10; set format y "10^{{%T}}"
set grid y lc rgb "#d8d8d8" lw 0.5
set border 3 lc rgb "#606060"
set tics nomirror textcolor rgb "#404040" font ",9"
set title offset 0,-0.6 font ",11"
set xrange [-0.5:9.5]
set xtics rotate by 30 right ({tics}) font ",9"
unset key
"""


def second_vm_panel(report, measure, names):
    """From the median up to the worst, under each load, as a multiple of a null ioctl."""
    data, plots = [], []
    for i, name in enumerate(names):
        floor = report.floor(name) / 1000
        rows = []
        for x, load in enumerate(LOADS):
            median, worst = (report.find(name, f"second_vm_{measure}{w}_during_{load}")
                             for w in ("", "_worst"))
            if median and worst:
                rows.append(f"{x + 0.16 * (2 * i - 1):.2f} {median / floor} {median / floor} "
                            f"{worst / floor}\n")
        data.append(f"$p{measure}{i} << E\n{''.join(rows)}E\n")
        plots.append(f"$p{measure}{i} with yerrorbars {style(report, name)} notitle")
    title = "its bind" if measure == "bind" else "its invalidation of a page"
    return "".join(data) + f"set title {quoted(title)}\nplot {', '.join(plots)}\n"


def second_vm(report):
    names = [n for n in report.implementations()
             if report.find(n, "second_vm_bind_during_rest")]
    tics = ", ".join(f"{quoted(t)} {i}" for i, t in enumerate(LOAD_TITLES))
    text = PAIR_HEAD.format(title=quoted("A second VM's latency, median up to worst, while the "
                                         "first one, 10,000 bound, ..."), tics=tics)
    text += 'set ylabel "times a null ioctl" font ",10" offset 1.2,0\n'
    text += second_vm_panel(report, "bind", names) + 'set ylabel ""\n'
    text += second_vm_panel(report, "invalidate", names)
    shown = [f"NaN with points {style(report, n)} title {quoted(title_of(report, n))}"
             for n in names]
    return text + bottom_key(shown) + "unset multiplot\n"


MEANS = {"ours": "set", "xarray": "XArray", "hash": "hash, 1,024", "rhashtable":
         "rhashtable", "list": "list, spinlock"}
MEANS_STYLES = {"ours": STYLES["ours"], "xarray": 'lc rgb "#d95f02" lw 1.5 pt 5 ps 0.6',
                "hash": 'lc rgb "#3c9d3c" lw 1.5 pt 9 ps 0.7 dt 2',
                "rhashtable": 'lc rgb "#7570b3" lw 1.5 pt 13 ps 0.7',
                "list": 'lc rgb "#888888" lw 1.5 pt 11 ps 0.7 dt 3'}


def lookup(report):
    """By n on one processor; and at n = 1,000 what a second one that looks up costs."""
    unit = report.get("ours", "lookup", 10)
    names = [n for n in MEANS if report.get(n, "lookup", 10)]
    text = HEAD.format(rows=1, columns=2, title=quoted(
        "Look-up of a guest PASID, as a multiple of one in a set of ten")).replace(
            "0.135,0.885", "0.24,0.84")
    text += "set logscale y 10; set format y \"10^{%T}\"; unset key\n"
    data, plots = [], []
    for name in names:
        series = points(report, name, "lookup", "median_us")
        data.append(f"$l{name} << E\n" + "".join(f"{n} {v / unit}\n" for n, v in series) + "E\n")
        plots.append(f"$l{name} with linespoints {MEANS_STYLES[name]} notitle")
    text += "".join(data) + 'set title "one processor"\nset xlabel "numbers in the set" ' \
        "font \",10\"\nplot " + ", ".join(plots) + "\n"
    data, plots, tics = [], [], []
    for i, name in enumerate(names):
        two = [report.get(name, f"lookup_{k}_of_2", 1000) for k in (1, 2)]
        tics.append(f"{quoted(MEANS[name])} {i}")
        for k, value in enumerate(two):
            if value:
                data.append(f"$t{name}{k} << E\n{i + 0.2 * (2 * k - 1)} {value / unit}\nE\n")
                fill = "fs solid 0.35" if k == 0 else "fs solid 0.9"
                plots.append(f"$t{name}{k} with boxes {fill} "
                             f"{MEANS_STYLES[name].split(' lw')[0]} notitle")
    text += "".join(data) + "unset logscale x; set boxwidth 0.36; set xrange [-0.6:4.6]\n" \
        f"set xtics ({', '.join(tics)}) font \",8\"; set xlabel \"\"; set yrange [0.1:*]\n" \
        'set title "1,000 numbers; the other computes (pale), looks up"\n'
    text += f"plot {', '.join(plots)}\n" if plots else "set multiplot next\n"
    shown = [f"NaN with linespoints {MEANS_STYLES[n]} title {quoted(MEANS[n])}" for n in names]
    return text + bottom_key(shown) + "unset multiplot\n"


def draw(report, out):
    """All plots that there are results for."""
    if not available():
        print("bench: no plots, there is no gnuplot: scripts/setup bench installs it")
        return []
    made = []
    if report.find("ours", "attach"):
        # Medians on a loaded machine are the machine's.
        made += run(grid(report, "Time of an operation, fastest sample, as a multiple of a null "
                         "ioctl on the same kernel", PANELS, "fastest_ratio_to_floor",
                         "times a null ioctl", True),
                    out, "time", (960, 560))
        made += run(grid(report, "Descriptors that an operation makes the VT-d unit execute",
                         ("unmap_page", "detach", "replace", "dirty_start", "close",
                          "invalidate_512"), "descriptors", "descriptors", False),
                    out, "descriptors", (960, 560))
    if report.find("ours", "second_vm_bind_during_rest") and report.floor("ours"):
        made += run(second_vm(report), out, "second-vm", (960, 420))
    if report.get("ours", "lookup", 10):
        made += run(lookup(report), out, "lookup", (960, 420))
    return made


def publish(out):
    """What README shows: it is exact, so another run on another machine draws the same."""
    IMAGE.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(out / "descriptors.svg", IMAGE)
