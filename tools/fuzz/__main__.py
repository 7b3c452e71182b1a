# SPDX-License-Identifier: BSD-3-Clause
"""Generated calls of every function: none may crash, hang, or disagree with the formulas.

    python -P tools/fuzz --calls 1000000        all of them, over the machine's CPUs
    python -P tools/fuzz --seconds 20           as many as that allows
    python -P tools/fuzz --only 123             call 123 alone, in this process, to see it fail
    python -P tools/fuzz --models --seconds 20  models with valid arguments in place of calls

Call k is made from (seed, k) alone, so that it can be had again. It may have anything in any place:
every dtype, byte order, stride and alignment, sizes from 0 on, NaN, infinities, subnormals and
numbers near the ends of the range, arrays that overlap or cannot be written to, columns of mixed
types, objects of every Python type, and objects that lie about what they are. What must come of it
is worked out by `expect`, a second reading of the documentation that shares nothing with the
package: either an exception of a documented type, whose message names the argument, or results
within the error bounds of `exact`, the formulas in long double.

Model k is made likewise, of arguments that are all valid: several classes, l1, bounds, sparse X,
categories, paths and many fits. `truth` has J and its derivatives in long double, and a linear
program that says whether there is a minimum.
"""

import argparse
import itertools
import math
import multiprocessing
import os
import sys
import time

from work import check, show, warn_as_errors, work

SECONDS_A_CALL = 60  # more is a hang


def main():
    parser = argparse.ArgumentParser(description="Make generated calls, and check what comes.")
    parser.add_argument("--calls", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", type=int)
    parser.add_argument("--models", action="store_true")
    chosen = parser.parse_args()
    if chosen.only is not None:
        warn_as_errors()
        print(show(chosen.seed, chosen.only, of_models=chosen.models), flush=True)
        print(check(chosen.seed, chosen.only, of_models=chosen.models))
        return

    context = multiprocessing.get_context("spawn")
    began = time.monotonic()
    until = began + chosen.seconds
    workers = []
    for k in range(chosen.processes):
        place, tallies = context.Value("q", -1), context.Array("q", 2)
        arguments = (chosen.seed, k, chosen.processes, chosen.calls, until, place, tallies)
        settings = {"target": work, "args": arguments, "kwargs": {"of_models": chosen.models}}
        workers.append((context.Process(**settings), place, tallies))
        workers[-1][0].start()
    failures = 0
    seen = {}
    for process, place, _ in itertools.cycle(workers):
        process.join(0.5)
        index, now = place.value, time.monotonic()
        if process.exitcode is None and index >= 0:
            if seen.get(process, (None,))[0] != index:
                seen[process] = index, now
            elif now - seen[process][1] > SECONDS_A_CALL:
                process.kill()
                process.join()
                print(f"call {index} of seed {chosen.seed} hangs", flush=True)  # or making it does
        if all(p.exitcode is not None for p, _, _ in workers):
            break
    for process, place, _ in workers:
        if process.exitcode:
            failures += 1
        if process.exitcode and process.exitcode < 0:
            call = f"call {place.value} of seed {chosen.seed}"
            print(f"{call} died by signal {-process.exitcode}; --only {place.value} makes it alone")
    made = sum(t[0] for _, _, t in workers)
    refused = sum(t[1] for _, _, t in workers)
    print(
        f"{made} calls as expected, {refused} of them exceptions, {failures} processes failed; "
        f"seed {chosen.seed}, {time.monotonic() - began:.0f} s"
    )
    sys.exit(1 if failures or not made else 0)


if __name__ == "__main__":
    main()
