# SPDX-License-Identifier: GPL-2.0-only
"""What `make bench` says of its measurements: tables, records, targets."""

import json
import re
import statistics

KEYS = ("implementation", "operation", "n", "descriptors", "waits", "median_us", "spread_us",
        "ratio_to_peer")

# Those of a small run
OPERATIONS = ("null_ioctl", "allocate", "attach", "replace", "detach", "free", "invalidate_1",
              "invalidate_16", "invalidate_512", "map_page", "unmap_page", "map_64m", "unmap_64m",
              "dirty_start", "dirty_stop", "page_request", "close")

TITLES = {
    "null_ioctl": "null ioctl",
    "allocate": "allocate an HWPT or a PASID",
    "attach": "attach a PASID",
    "replace": "replace its table",
    "detach": "detach",
    "free": "free the HWPT or PASID",
    "invalidate_1": "invalidate a first-stage page",
    "invalidate_16": "invalidate 16 ranges",
    "invalidate_512": "invalidate 512 ranges",
    "map_page": "map a second-stage page",
    "unmap_page": "unmap it",
    "map_64m": "map 64 MiB",
    "unmap_64m": "unmap 64 MiB",
    "dirty_start": "start dirty tracking",
    "dirty_stop": "stop dirty tracking",
    "page_request": "page request, to the end of the DMA",
    "close": "close the device",
    "vm_bind": "bind a PASID",
    "vm_invalidate": "invalidate a page",
    "vm_come": "ten processes come",
    "vm_go": "and go",
    "vm_take": "a page is taken from the VM",
    "vm_dirty": "the dirty rounds of a migration",
    "vm_reset": "reset of the device",
    "vm_unbind": "unbind a PASID",
    "vm_close": "the VM is killed",
    "lookup": "one processor",
    "lookup_1_of_2": "while another one computes",
    "lookup_2_of_2": "while another one looks up, too",
}

# (title, prefix of the operations, are there descriptors, what times are multiples of)
GROUPS = (
    ("Operations", "", True, "null ioctl"),
    ("What a second VM sees", "second_vm_", True, "null ioctl"),
    ("A day in a VM's life", "vm_", True, None),
    ("Look-up of a guest PASID", "lookup", False, "one in a set of ten"),
)


def middle(values):
    """The median; an integer where all values are the same."""
    m = statistics.median(values)
    return int(m) if m == int(m) else m


def spread(values):
    """From the first to the third quartile."""
    if len(values) < 2:
        return 0.0
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    return quarters[2] - quarters[0]


def digits(value, count=3):
    """A number for people."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{count}g}"


class Report:
    """Records in the order of the measurements, with what follows from them."""

    def __init__(self, results):
        self.results = results
        self.files = []
        self.details = [self.detail(key, cost) for key, cost in results.costs.items()]
        self.by_key = {(d["implementation"], d["operation"], d["n"]): d for d in self.details}

    def get(self, implementation, operation, n, what="median_us"):
        d = self.by_key.get((implementation, operation, n))
        return d and d[what]

    def find(self, implementation, operation):
        """The median at whatever n it was measured first."""
        return next((d["median_us"] for d in self.details
                     if (d["implementation"], d["operation"]) == (implementation, operation)), None)

    def floor(self, implementation):
        """A null ioctl on the same kernel; measured at each n, of which none matters to it."""
        for name in (implementation, "ours"):
            medians = [statistics.median(c.ns) for (i, o, _), c in self.results.costs.items()
                       if (i, o) == (name, "null_ioctl")]
            if medians:
                return min(medians)
        return None

    @staticmethod
    def net(cost):
        """Without what the descriptors took the unit."""
        return statistics.median(t - u for t, u in zip(cost.ns, cost.unit))

    def detail(self, key, cost):
        implementation, operation, n = key
        median = statistics.median(cost.ns)
        net = self.net(cost)
        other = self.results.costs.get((self.results.peer, operation, n))
        floor = self.floor(implementation)
        return {
            "implementation": implementation, "operation": operation, "n": n,
            "descriptors": middle(cost.descriptors), "waits": middle(cost.waits),
            "median_us": round(median / 1000, 3), "spread_us": round(spread(cost.ns) / 1000, 3),
            "ratio_to_peer": other and float(f"{median / statistics.median(other.ns):.4g}"),
            "ratio_to_floor": floor and float(f"{median / floor:.4g}"),
            "without_unit_us": round(net / 1000, 3),
            "without_unit_ratio_to_peer": other and float(
                f"{net / self.net(other):.4g}"),
            "fastest_us": round(min(cost.ns) / 1000, 3),
            "fastest_ratio_to_floor": floor and float(f"{min(cost.ns) / floor:.4g}"),
            "samples": len(cost.ns), "exact": len(set(cost.descriptors)) == 1,
            "descriptors_seen": sorted(set(cost.descriptors)),
        }

    # ---- files ------------------------------------------------------------------

    def write(self, out):
        records = [{k: d[k] for k in KEYS} for d in self.details]
        self.put(out / "result.json", json.dumps(records, indent=1))
        self.put(out / "details.json", json.dumps({
            "versions": self.results.versions, "notes": self.results.notes,
            "memory": [{"implementation": i, "object": o, "n": m[0], "slab_bytes": m[1],
                        "page_bytes": m[2]} for (i, o), m in self.results.memory.items()],
            "records": self.details}, indent=1))
        self.put(out / "result.md", self.markdown())

    def put(self, path, text):
        path.write_text(text + "\n")
        self.files.append(path)

    # ---- tables -----------------------------------------------------------------

    def operations(self, prefix=""):
        """Those of a group, in order."""
        others = [g[1] for g in GROUPS if g[1]]
        names = dict.fromkeys(d["operation"] for d in self.details)
        if prefix:
            return [n for n in names if n.startswith(prefix)]
        return [n for n in names if not n.startswith(tuple(others))]

    def implementations(self, operations=None):
        return list(dict.fromkeys(d["implementation"] for d in self.details
                                  if operations is None or d["operation"] in operations))

    def counts(self, d):
        if not d:
            return "-"
        return f"{'' if d['exact'] else '~'}{d['descriptors']:,} ({d['waits']:,})"

    def time(self, d, unit):
        """As a multiple, or nothing where it depends on too much."""
        if not d or not unit:
            return "-"
        base = d["ratio_to_floor"]
        if unit != "null ioctl":
            base = d["median_us"] / self.get("ours", "lookup", 10)
        return digits(base)

    def title(self, operation):
        m = re.match(r"second_vm_(bind|invalidate)(_worst)?_during_(\w+)", operation)
        if not m:
            return TITLES.get(operation, operation)
        return f"{m[1]}, {'worst' if m[2] else 'median'}, during {m[3]}"

    def rows(self, operations, names, counted, unit):
        for operation in operations:
            for n in sorted({d["n"] for d in self.details if d["operation"] == operation}):
                found = [self.by_key.get((i, operation, n)) for i in names]
                row = [self.title(operation), f"{n:,}"]
                row += [self.counts(d) for d in found] if counted else []
                row += [self.time(d, unit) for d in found] if unit else []
                if counted:
                    row += [digits(self.get("ours", operation, n, key))
                            for key in ("ratio_to_peer", "without_unit_ratio_to_peer")]
                yield row

    def tables(self):
        """(title, what its times are multiples of, head, rows)"""
        for title, prefix, counted, unit in GROUPS:
            operations = self.operations(prefix)
            names = self.implementations(operations)
            head = ["", "n", *(names if counted else []), *(names if unit else []),
                    *(["ours/peer", "net"] if counted else [])]
            rows = list(self.rows(operations, names, counted, unit))
            if rows:
                yield title, counted, unit, head, rows

    @staticmethod
    def explain(counted, unit):
        words = ["descriptors (waits)"] if counted else []
        words += [f"times as multiples of a {unit}" if unit == "null ioctl" else
                  f"times as multiples of {unit}"] if unit else []
        return ", then ".join(words)

    def terminal(self):
        lines = []
        for title, counted, unit, head, rows in self.tables():
            width = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
            lines += ["", f"{title}: {self.explain(counted, unit)}"]
            for row in [head, *rows]:
                lines.append("  ".join(c.rjust(w) if i else c.ljust(w)
                                       for i, (c, w) in enumerate(zip(row, width))))
        return "\n".join([*lines, "", *self.memory_lines(), "", *self.target_lines()])

    def memory_lines(self):
        return [f"memory of an {o}: {i}: {m[1]:,} bytes of kernel objects, {m[2]:,} bytes of "
                f"table pages (n = {m[0]:,})" for (i, o), m in self.results.memory.items()]

    # ---- targets ----------------------------------------------------------------

    def memory_of(self, implementation):
        found = [m[1] for (i, _), m in self.results.memory.items() if i == implementation]
        return sum(found) if found else None

    def ratio(self, operation, n, what):
        """The peer's cost by ours."""
        a, b = (self.get(i, operation, n, what) for i in (self.results.peer, "ours"))
        return a / b if a is not None and b else None

    def flatness(self, first):
        """By the fastest samples: an attach is a few microseconds without a wait."""
        times = [d["fastest_us"] for d in self.details if d["n"] >= first and
                 (d["operation"], d["implementation"]) == ("attach", "ours")]
        return max(times) / min(times) if times else None

    def targets(self):
        """(what, wanted, measured as a number, is it met)"""
        n = 10000
        peer_memory, memory = (self.memory_of(i) for i in (self.results.peer, "ours"))
        share = memory / peer_memory if memory and peer_memory else None
        waits = self.ratio("detach", n, "waits")
        items = (
            ("attach at n = 10,000: times faster", 10, self.ratio("attach", n, "median_us"), True),
            ("attach, slowest n by fastest n", 1.5, self.flatness(1), False),
            ("the same from the second PASID of a device on", 1.5, self.flatness(2), False),
            ("unmap of a page at n = 10,000: times fewer descriptors", 1000,
             self.ratio("unmap_page", n, "descriptors"), True),
            ("detach: times fewer waits", 3, waits, True),
            ("close with 5,000 bound: times faster", 20, self.ratio("close", 5000, "median_us"),
             True),
            ("start of dirty tracking at n = 10,000: times fewer waits", 100,
             self.ratio("dirty_start", n, "waits"), True),
            ("memory of an attached HWPT, share of the peer's", 0.5, share, False),
        )
        for what, wanted, measured, more in items:
            met = measured is not None and (measured >= wanted if more else measured <= wanted)
            yield what, ("at least " if more else "at most ") + str(wanted), measured, met

    def target_lines(self):
        lines = []
        for what, wanted, measured, met in self.targets():
            if measured is not None:
                lines.append(f"{'met   ' if met else 'MISSED'}  {what}: {digits(measured)} ({wanted})")
        return lines

    def markdown(self):
        versions = ", ".join(f"{i}: Linux {v}" for i, v in self.results.versions.items())
        lines = ["# Guest PASIDs: what operations cost", "", versions + ".", "",
                 *self.results.notes, "",
                 "n is the number of PASIDs bound. Descriptors, and in brackets waits among them, "
                 "are what the VT-d unit was asked for; they are exact (~: they differ between "
                 "samples). Times are medians, as multiples. \"ours/peer\" is the ratio of times, "
                 "\"net\" the same after the time that the descriptors took the unit is taken "
                 "out of both."]
        for title, counted, unit, head, rows in self.tables():
            lines += ["", f"## {title}", "", self.explain(counted, unit) + ".", "",
                      "| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
            lines += ["| " + " | ".join(row) + " |" for row in rows]
        lines += ["", "## Memory", "", *(f"- {x}" for x in self.memory_lines()),
                  "", "## Targets", "", *(f"- {x}" for x in self.target_lines())]
        return "\n".join(lines)
