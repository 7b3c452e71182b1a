# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of `train` with other libraries, and with simply reading X.

``python -m benchmarks`` measures float64 in most shapes, and uint8 in one. ``--full`` measures
every type, layout and shape, six decades of size, threads and `predict_proba`, and draws the plots.
All competitors take turns in each repeat. A row shows the time of our iteration and these ratios,
as median and quartiles over the repeats: the time to read the matrix once as float64 (for mixed
columns, their bytes) divided by ours, and each peer's time divided by ours. Above 1, we are faster.
"""

import argparse
import json
import os
import platform
import statistics
from pathlib import Path

import numpy as np

import logreg_c
from benchmarks import THREADS
from benchmarks.cases import LAYOUTS, Case, full, predictions, quick, sizes, threads
from benchmarks.peers import PEERS, missing, our_prediction, ours, ours_with
from benchmarks.timing import BareRead, Competitor, Times, fastest, measure, ratio

MOST_FOR_PEERS = 2 * 10**8  # values of X; NumPy gets another copy, in the other order


def machine() -> dict[str, object]:
    """Describe what the times depend on."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "threads": THREADS,
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "logreg_c": logreg_c.show_config(),
    }


def compare(
    case: Case, read: BareRead, peers: list[str], repeats: int
) -> tuple[Times, dict[str, str]]:
    """Time one case; also return why any peers are absent."""
    competitors: dict[str, Competitor] = ours(case) | read.competitors(case)
    absent = {}
    for name in peers:
        try:
            competitors |= PEERS[name][1](case)
        except (NotImplementedError, ValueError, TypeError, AttributeError) as error:
            absent[name] = str(error)
    return measure(competitors, repeats), absent


def sweeps(read: BareRead, peers: list[str], repeats: int) -> dict[str, list[dict[str, object]]]:
    """Time a range of sizes, of threads, and `predict_proba`."""
    found: dict[str, list[dict[str, object]]] = {"sizes": [], "threads": [], "predictions": []}
    for case in sizes():
        fits = peers if case.n_x * case.m < MOST_FOR_PEERS else []
        times, _ = compare(case, read, fits, repeats)
        found["sizes"].append({**vars_of(case), "seconds": times})
    print("| X | one thread / n threads, for n = 1, 2, ... |\n|---|---|")
    for case in threads():
        by_threads = {str(n): ours_with(case, n) for n in range(1, THREADS + 1)}
        times = measure(by_threads, repeats)
        speedups = [shown(*ratio(times["1"], times[n])) for n in times]
        print(f"| {case} | {', '.join(speedups)} |", flush=True)
        found["threads"].append({**vars_of(case), "seconds": times})
    print("| predict_proba of X | one call | read / ours |\n|---|---|---|")
    for case in predictions():
        times = measure(our_prediction(case) | read.competitors(case), repeats)
        print("| " + " | ".join(row(case, times, [])) + " |", flush=True)
        found["predictions"].append({**vars_of(case), "seconds": times})
    return found


def shown(low: float, median: float, high: float) -> str:
    """Format a ratio as it appears in the table."""
    return f"{median:.2f} [{low:.2f} {high:.2f}]"


def duration(seconds: float) -> str:
    """Format a time as it appears in the table."""
    return f"{seconds * 1e6:.3g} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def row(case: Case, times: Times, peers: list[str]) -> list[str]:
    """Return the cells of one row."""
    own = times["ours"]
    read = fastest(times, "read")
    cells = [str(case), duration(statistics.median(own)), shown(*ratio(times[read], own))]
    for peer in peers:
        name = fastest(times, peer)
        cells.append(shown(*ratio(times[name], own)) if name else "-")
    return cells


def main() -> None:
    """Run the benchmarks that the options select."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--full", action="store_true", help="all types, layouts, shapes, and plots")
    parser.add_argument("--repeats", type=int, help="of each case (default: 7; with --full: 9)")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER")
    parser.add_argument("--shape", help="n_x,m: only this shape")
    parser.add_argument("--types", nargs="+", help="only these types")
    parser.add_argument("--output", type=Path, default=Path("benchmarks.json"), help="JSON file")
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    repeats = options.repeats or (9 if options.full else 7)

    about = machine()
    absent = {name: reason for name in options.peers if (reason := missing(name))}
    peers = [name for name in options.peers if name not in absent]
    cases = full() if options.full else quick()
    if options.shape:
        n_x, m = map(int, options.shape.split(","))
        types = options.types or sorted({case.dtype for case in cases} - {"mixed"})
        cases = [Case(n_x, m, dtype, layout) for dtype in types for layout in LAYOUTS]
    elif options.types:
        cases = [case for case in cases if case.dtype in options.types]

    print(json.dumps(about))
    for name, reason in absent.items():
        print(f"missing: {name}, {reason}")
    print("| " + " | ".join(["X", "one iteration", "read / ours", *(f"{p} / ours" for p in peers)]))
    print("|" + "---|" * (3 + len(peers)), flush=True)
    read = BareRead()
    rows = []
    for case in cases:
        times, why = compare(case, read, peers, repeats)
        print("| " + " | ".join(row(case, times, peers)) + " |", flush=True)
        rows.append({**vars_of(case), "seconds": times, "absent": why})
    result: dict[str, object] = {"machine": about, "missing": absent, "rows": rows}
    if options.full and not options.shape and not options.types:
        result |= sweeps(read, [peer for peer in peers if peer == "numpy"], repeats)
    options.output.write_text(json.dumps(result, indent=1))
    print(f"wrote {options.output}")
    if options.full:
        from benchmarks import plots  # noqa: PLC0415 (needs matplotlib)

        plots.draw(result, options.output.parent)


def vars_of(case: Case) -> dict[str, object]:
    """Return the JSON fields of a case."""
    return {
        "case": str(case),
        "n_x": case.n_x,
        "m": case.m,
        "dtype": case.dtype,
        "layout": case.layout,
        "nbytes": case.nbytes,
    }


if __name__ == "__main__":
    main()
