# SPDX-License-Identifier: BSD-3-Clause
"""Run the command line on generated files, and check how each run ends.

Run k is made from a seed and k alone: a table from a grammar of faults (container, encoding,
dialect, header, cell), a model with a fault in a member, options, names, streams. A process forked
from one that has the modules loaded does RUNS_A_CHILD of them, one after the other, with limits on
time and memory; one run in A_PROCESS_EVERY is a process of its own, started as a shell does.

    python -P tools/fuzz_cli.py --runs 1000
    python -P tools/fuzz_cli.py --seed 0 --only 17      # show one
"""

import argparse
import contextlib
import csv
import faulthandler
import gc
import gzip
import io
import itertools
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

import logreg_c._cli.exporting
import logreg_c._cli.inspection
import logreg_c._cli.report
import logreg_c._cli.scoring
import logreg_c._cli.training  # noqa: F401 (loaded here, so that no run has to)
from logreg_c._cli import main as command_line

CPU_SECONDS_A_RUN = 60
SECONDS_A_RUN = 900  # the machine may be busy with something else
BYTES = 4 << 30  # of address space, of which the libraries take more than half
CHILDREN = 2  # at a time
RUNS_A_CHILD = 25
MOST_FAILURES = 20
A_PROCESS_EVERY = 200  # it takes a second of CPU time, which is as much as a hundred others
LINES_OF_STDERR = 20
ODD = [
    *("", " ", "a b", "ünï", "身長", "\x1b[2J", "\x1b]0;x\x07", "\u202eabc", "a\u2066b", "\ufeff"),
    *(
        "\u200b",
        "\u3164",
        "\x00",
        "\x85",
        "\u2028",
        "$x_1^2$",
        "^b$",
        "*",
        "<b>",
        "&amp;",
        "#010203",
    ),
    *(
        "'DejaVu Sans'z",
        '"',
        "'",
        "a,b",
        "a\nb",
        "a\r\nb",
        "-",
        "--json",
        "NA",
        "nan",
        "inf",
        "1e999",
    ),
    *("0x10", "1_000", "true", "None", "x" * 5000, "9" * 400, "=1+1", "\U0001f469\u200d\U0001f4bb"),
]
DATES = ["2024-01-31", "2024-02-29T23:59:60Z", "31.01.2024", "1/2/24", "0000-00-00", "NA"]
NUMBERS = ["0", "1", "-1", "0.5", "1e308", "-1e308", "1e-320", "12345678901234567890", "nan", "inf"]


def odd(rng):
    """Return a text of the kind that breaks things."""
    return rng.choice(ODD)


# ---- Tables --------------------------------------------------------------------------------------


def rows_of(rng):
    """Return a header and rows: mostly sound, with a fault or two."""
    m = rng.choice([0, 1, 2, 3, *[20] * 16, 60, 60])
    n = rng.choice([0, 1, *[2] * 16, 3, 8])
    header = [f"x{j}" for j in range(n)] + ["y"]
    labels = rng.choice([("no", "yes")] * 9 + [("0", "1"), ("-1.5", "2"), ("true", "false")])
    rows = [[f"{rng.gauss(0, 1):.3f}" for _ in range(n)] for _ in range(m)]
    for row in rows:
        row.append(labels[float(row[0]) > 0] if n else rng.choice(labels))
    extra = []
    for _ in range(rng.choice([0] * 10 + [1, 1, 1, 2, 4])):
        kind, j = rng.randrange(8), rng.randrange(n + 1)
        if kind == 0:
            header[j] = odd(rng)
        elif kind == 1:
            header[j] = rng.choice(header)
        elif kind == 2 and rows:
            rng.choice(rows)[j] = odd(rng)
        elif kind == 3 and rows:
            rng.choice(rows)[j] = rng.choice(NUMBERS)
        elif kind == 4:
            values = [odd(rng), odd(rng)]
            for row in rows:
                row[j] = rng.choice(values)
        elif kind == 5 and rows:
            extra.append(rng.choice([[], [""], ["1"], ["1"] * (n + 4)]))
        elif kind == 6:
            made = rng.choice([lambda: "7", lambda: rng.choice(DATES), lambda: f"k{rng.random()}"])
            for row in rows:
                row[j] = made()
        else:
            rng.shuffle(header)
    return header, rows + extra


def as_csv(rng, header, rows):
    out = io.StringIO()
    dialect = {
        "delimiter": rng.choice(",,,,;\t|"),
        "lineterminator": rng.choice(["\n", "\n", "\r\n", "\r"]),
        "quoting": rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    }
    csv.writer(out, **dialect).writerows([header, *rows] if rng.random() < 0.98 else rows)
    text = out.getvalue() + rng.choice([""] * 12 + ["\n\n", " \n", '"', "#"])
    encoding = rng.choice(["utf-8"] * 20 + ["utf-8-sig", "utf-16", "latin-1", "utf-32"])
    content = text.encode(encoding, errors="replace")
    return gzip.compress(content) if rng.random() < 0.05 else content


def columns_of(header, rows):
    n = len(header)
    table = {}
    for j, name in enumerate(header):
        values = [row[j] if j < len(row) else None for row in rows if len(row) <= n]
        try:
            table[name] = [float(value) for value in values]
        except (TypeError, ValueError):
            table[name] = values
    return table


def table_of(rng):
    """Return a suffix and bytes."""
    header, rows = rows_of(rng)
    kind = rng.choice([".csv"] * 6 + [".parquet", ".arrow", ".arrows", ".npy", ".npz"])
    out = io.BytesIO()
    if kind == ".csv":
        content = as_csv(rng, header, rows)
    else:
        columns = columns_of(header, rows)
        if kind.startswith(".np"):
            made = {re.sub(r"[\x00/]", "_", k)[:80]: np.array(v) for k, v in columns.items()}
            made = {k: v.astype(str) if v.dtype == object else v for k, v in made.items()}
            if kind == ".npz":
                np.savez(out, **{k or "_": v for k, v in made.items() if k != "file"})
            else:
                np.save(out, np.array([[rng.random(), k % 2] for k in range(len(rows))]))
        else:
            frame = pl.DataFrame(columns, strict=False)
            write = {".parquet": frame.write_parquet, ".arrow": frame.write_ipc}
            write.get(kind, frame.write_ipc_stream)(out)
        content = out.getvalue()
    if rng.random() < 0.07:
        content = damaged(rng, content)
    if rng.random() < 0.03:
        kind = rng.choice([".csv", ".parquet", ".npz", ".xlsx", ""])
    return kind, content


def damaged(rng, content):
    """Cut, repeat or change bytes."""
    content = bytearray(content or b"x")
    at = rng.randrange(len(content))
    kind = rng.randrange(5)
    if kind == 0:
        return bytes(content[:at])
    if kind == 1:
        return bytes(content[:at] + content[at + rng.randrange(50) :])
    if kind == 2:
        return bytes(content + content)
    for _ in range(rng.choice([1, 1, 8])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


# ---- Models --------------------------------------------------------------------------------------


def member_of(rng):
    """Return the bytes of a member that is not what it should be."""
    values = rng.choice([
        np.zeros(rng.randrange(4)),
        np.array(rng.choice([np.nan, np.inf, 1e308, -1.0, 0.0])),
        np.array([1e308, -1e308]),
        np.array(odd(rng) + "x"),
        np.array(["a", "b"]),
        np.array(rng.choice(["{}", "[]", "[" * 5000, '{"x0": ["a"]}', '{"a": NaN}', "9" * 5000])),
        np.arange(3)[::-1],
        np.array(2**62),
        np.array([b"a", b"\xff"]),
    ])  # fmt: skip
    out = io.BytesIO()
    np.save(out, values)
    content = out.getvalue()
    if rng.random() < 0.3:
        shape = rng.choice([b"(1000000000000,)", b"(2**9,)", b"(0, 9223372036854775807)", b"(-1,)"])
        text = b"{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + b", }\n"
        content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
    return content


def model_of(rng, good):
    """Return the model, more often than not with a fault."""
    if rng.random() < 0.9:
        return good
    if rng.random() < 0.3:
        return damaged(rng, good)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        names = archive.namelist()
        changed = rng.choice(names)
        compression = rng.choice([zipfile.ZIP_STORED] * 4 + [zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(out, "w", compression) as made:
            for name in names:
                made.writestr(name, member_of(rng) if name == changed else archive.read(name))
    return out.getvalue()


# ---- Commands ------------------------------------------------------------------------------------


def file_name(rng, suffix):
    """Return a name of a file, as bytes."""
    stem = b"t" if rng.random() < 0.8 else os.fsencode(re.sub(r"[\x00/]", "_", odd(rng))[:60])
    if rng.random() < 0.03:
        stem += b"\xff"
    return (stem or b"_") + suffix.encode()


def options_of(rng):
    """Return options of train."""
    made = ["--iters", str(rng.choice([1, 5, 20, 20, 50]))]
    choices = [
        ["--one-hot"],
        ["--drop", rng.choice(["x0", "x*", "y", "*", odd(rng)])],
        ["--features", rng.choice(["x0", "x?", "[", odd(rng)])],
        ["--missing", rng.choice(["drop", "mean", "median", "indicator", odd(rng)])],
        ["--na-value", rng.choice([*NUMBERS, "7", "inf", "yes", odd(rng)])],
        ["--date-parts", rng.choice(["days", "year,month,weekday,hour,days", "days,days", ","])],
        ["--min-count", rng.choice(["2", "5", "0", "9" * 30])],
        ["--separator", rng.choice([";", "|", "tab", "^", " ", '"', odd(rng)])],
        ["--decimal", rng.choice([",", ".", "x"])],
        ["--encoding", rng.choice(["cp1252", "utf-16", "shift-jis", "utf-7", "rot13", odd(rng)])],
        ["--solver", rng.choice(["gd", "auto", "auto", "newton"])],
        ["--alpha", rng.choice(["auto", "0.1", "1e9", "nan", "0", "-1", "1e-300", odd(rng)])],
        ["--tol", rng.choice(["0", "1e-3", "10", "inf", "-1", odd(rng)])],
        ["--l2", rng.choice(["0", "1", "1e300", "nan"])],
        ["--no-standardize"],
        ["--test-fraction", rng.choice(["0", "0.5", "0.99", "1", "1e-9"])],
        ["--group-by", rng.choice(["x0", "x1", "y", odd(rng)])],
        ["--split-by-time", rng.choice(["x0", "x1", "y", odd(rng)])],
        ["--cv", rng.choice(["2", "3", "1", "1000"])],
        ["--positive", rng.choice(["yes", "1", "True", odd(rng)])],
        ["--class-weight", rng.choice(["balanced", "1=2", "yes=1e300,no=2", "=", odd(rng)])],
        ["--weight", rng.choice(["x0", "x1", "y", odd(rng)])],
        ["--threshold", rng.choice(["0.3", "f1", "youden", "cost=1:9", "cost=:", "2", odd(rng)])],
        ["--report", rng.choice(["r.html", "no/r.html", "."])],
        ["--early-stopping", rng.choice(["1", "3", "0", "9" * 30])],
        ["--validation-fraction", rng.choice(["0.3", "0", "2"])],
        ["--seed", rng.choice(["1", "-1", "1e400", "9" * 5000, str(2**64)])],
        ["--resume", rng.choice(["run.npz", "no/run.npz", "."])],
        ["--stream", "--cache", rng.choice(["cache", "cache/of", "t.csv"])],
        ["--json"],
        [rng.choice(["--nope", "--iters", "extra", odd(rng)])],
    ]
    for _ in range(rng.choice([0, 0, 0, 1, 2, 4])):
        made += rng.choice(choices)
    return made


# A report takes a second of CPU time, so it is rare.
COMMANDS = ["train"] * 45 + ["predict"] * 24 + ["evaluate"] * 20 + ["inspect"] * 6 + ["export"] * 4
COMMANDS += ["report"]
READ_BOTH = {"predict", "evaluate", "report"}


class Run(NamedTuple):
    """What a run is given, and what was there before it."""

    arguments: list[str]
    output: Path
    table: Path
    content: bytes  # of the table
    stdin: bytes
    stdout: str | None  # None for a file
    before: set[str]


def generate(rng, place, good):
    """Write the files of a run; return the run."""
    suffix, content = table_of(rng)
    table = place / os.fsdecode(file_name(rng, suffix))
    table.write_bytes(content)
    command = rng.choice(COMMANDS)
    stdin = b""
    named = table.name
    if rng.random() < 0.1:
        named, stdin = "-", content
    names = ["out.npz"] * 20 + ["out.parquet", "out.arrow", "out.csv", "n" * 300]
    out = place / rng.choice(names if command != "predict" else [*names[20:23] * 6, names[23]])
    if command == "train":
        target = "y" if rng.random() < 0.96 else odd(rng)
        arguments = ["train", named, "--target", target, *options_of(rng)]
        arguments += ["--stream"] * (rng.random() < 0.3)
    else:
        (place / "model.npz").write_bytes(model_of(rng, rng.choice([*good, *good[:1] * 4])))
        arguments = [command, "model.npz", *([named] if command in READ_BOTH else [])]
        arguments += ["--json"] if command in {"evaluate", "inspect"} and rng.random() < 0.5 else []
    writes = command in {"train", "predict"}
    if command in {"export", "report"} or (writes and rng.random() < 0.7):
        arguments += ["-o", out.name]
        if rng.random() < 0.3:
            with contextlib.suppress(OSError):
                out.write_bytes(b"old")
                out.chmod(0o600)
    arguments = [argument.replace("\0", "") for argument in arguments]  # no shell gives them
    stdout = "/dev/full" if rng.random() < 0.02 else None
    before = {path.name for path in place.iterdir()}
    return Run(arguments, out, table, content, stdin, stdout, before)


# ---- A run ---------------------------------------------------------------------------------------


def run_here(arguments, streams):
    """Run the command line in this process; return its exit code."""
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
    )
    sys.argv = ["logreg-c", *arguments]
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS_A_RUN)
    signal.alarm(SECONDS_A_RUN)
    try:
        command_line()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.alarm(0)
    for stream in sys.stdout, sys.stderr:
        stream.flush()
    return code


def run_process(arguments, streams):
    """Run the command line in a process of its own; return its exit code."""
    stdin, stdout, stderr = streams
    started = subprocess.Popen(
        [sys.executable, "-P", "-m", "logreg_c", *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=os.environ | {"TMPDIR": tempfile.gettempdir()},
    )
    try:
        return started.wait(SECONDS_A_RUN)
    except subprocess.TimeoutExpired:
        started.kill()
        return started.wait()


def look_again(arguments, output, folder):
    """Write what another way to the same numbers gives into a file, for `check` to compare."""
    again = folder / "again"
    if arguments[0] == "train" and "--stream" in arguments and "-" not in arguments:
        named = {"--resume", "--report", "--cache", "-o"}
        pairs = zip(arguments, ["", *arguments], strict=False)
        given = [a for a, before in pairs if not {a, before} & named and a != "--stream"]
        command(*given, "-o", str(again))
    elif arguments[0] == "evaluate" and arguments[2] != "-":
        command("predict", arguments[1], arguments[2], "-o", str(again))
    elif arguments[0] == "predict" and "-o" in arguments:
        read = {".parquet": pl.read_parquet, ".arrow": pl.read_ipc}.get(output.suffix)
        if read is not None:
            read(output).write_csv(again)


def check(code, out, err, run, folder):
    """Return what is wrong with the way a run ended, or nothing."""
    lines = err.split("\n")[:-1]
    arguments, output = run.arguments, run.output
    left = {path.name for path in (folder / "run").iterdir()} - run.before
    pairs = itertools.pairwise(arguments)
    caches = {Path(value).parts[0] for option, value in pairs if option == "--cache"}
    expected = {output.name, "run.npz"} | caches | ({"r.html"} if code != 2 else set())
    new = output.exists() and output.read_bytes() != b"old" if len(output.name) < 255 else False
    faults = {
        f"exit code {code}": code not in {0, 1, 2},
        "a traceback": "Traceback" in err or "panicked" in err,
        "an internal error": "internal error" in err,
        "many lines": len(lines) > LINES_OF_STDERR,
        "an unfinished line": err != "" and not err.endswith("\n"),
        "a line of somebody else": not all(line.startswith("logreg-c: ") for line in lines),
        "a line that is a page": any(len(line) > 700 for line in lines),
        "what a terminal would obey on stdout": arguments[0] != "predict"
        and not all(line.isprintable() for line in out.split("\n")),
        "what a terminal would obey": not all(line.isprintable() for line in lines),
        "failure without a line": code != 0 and not lines,
        "stdout though refused": code == 2 and out != "" and arguments[0] != "predict",
        f"files left: {left - expected}": bool(left - expected),
        "an output though refused": code == 2 and new,
        "the table has changed": run.table.read_bytes() != run.content,
        "temporary files left": any((folder / "tmp").iterdir()),
        "another mode": output.name in run.before and output.stat().st_mode & 0o777 != 0o600,
    }
    faults = [what for what, there in faults.items() if there]
    again = folder / "again"
    if code == 0 and {"--stream", "-o"} <= {*arguments} and again.exists():
        same = again.read_bytes() == output.read_bytes()
        faults += [] if same else ["another model than of rows in memory"]
    if code == 0 and run.stdout is None and "--json" in arguments:
        try:
            found = json.loads(out, parse_constant=faults.append)
        except ValueError:
            return [*faults, "no JSON"]
        if arguments[0] == "evaluate":
            faults += check_evaluation(found, again)
    if code == 0 and arguments[0] == "predict" and run.stdout is None:
        faults += check_predictions(out, output, arguments, lines, again)
    return faults


def check_evaluation(found, again):
    """Compare an evaluation with the predictions, if there are any, and with itself."""
    (tn, fp), (fn, tp) = found["confusion_matrix"]
    rows = tn + fp + fn + tp
    faults = {
        "rows that are not in the matrix": found["rows"] != rows,
        "another accuracy": found["accuracy"] != (tn + tp) / rows,
    }
    if again.exists():
        predicted = list(csv.reader(io.StringIO(again.read_text())))[1:]
        A = [float(row[0]) for row in predicted if row[0]]  # empty where values are missing
        second = sum(a > found["threshold"] for a in A)
        counted = tn + fn, fp + tp
        # Rows without a class have a prediction and do not count.
        faults["predictions that are not counted"] = (
            rows == len(A) and counted != (len(A) - second, second)
        ) or rows > len(A)
    return [what for what, there in faults.items() if there]


def check_predictions(out, output, arguments, lines, again):
    """Compare the predictions with the number of rows that stderr names."""
    rows = int(re.search(r"logreg-c: (\d+) rows;", lines[-1])[1])
    if "-o" in arguments:
        out = (again if output.suffix in {".parquet", ".arrow"} else output).read_text()
    header, *predicted = csv.reader(io.StringIO(out))
    A = [float(row[0] or "nan") for row in predicted]  # empty where values are missing
    above = re.search(r"predicted above (\S+)$", lines[-1])  # in six digits
    threshold = float(above[1]) if above else 0.5
    faults = {
        "another header": header != ["probability", "prediction"],
        "another number of rows": len(predicted) != rows,
        "probabilities outside of [0, 1]": any(a < 0 or a > 1 for a in A),
        "a class without a probability": any((row[0] == "") != (row[1] == "") for row in predicted),
        "one class on both sides": bool(
            {row[1] for row, a in zip(predicted, A, strict=True) if a > threshold * (1 + 1e-5)}
            & {row[1] for row, a in zip(predicted, A, strict=True) if a < threshold * (1 - 1e-5)}
        ),
    }
    return [what for what, there in faults.items() if there]


def text_of(path):
    return path.read_bytes().decode("utf-8", "replace")


def attempt(seed, k, folder, good):
    """Do run k; return its exit code and what is wrong."""
    for name in "run", "tmp":
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    (folder / "again").unlink(missing_ok=True)
    (folder / "arguments").write_text("[]")
    (folder / "stderr").write_bytes(b"")
    tempfile.tempdir = str(folder / "tmp")
    os.chdir(folder / "run")
    run = generate(random.Random(f"{seed} {k}"), folder / "run", good)  # noqa: S311 (no secret)
    (folder / "arguments").write_text(json.dumps(run.arguments))
    (folder / "stdin").write_bytes(run.stdin)
    with (
        (folder / "stdin").open("rb") as stdin,
        (folder / (run.stdout or "stdout")).open("wb") as stdout,
        (folder / "stderr").open("wb") as stderr,
    ):
        run_it = run_process if k % A_PROCESS_EVERY == 0 else run_here
        code = run_it(run.arguments, (stdin, stdout, stderr))
    if code == 0:
        look_again(run.arguments, run.output, folder)
    out = "" if run.stdout else text_of(folder / "stdout")
    return code, check(code, out, text_of(folder / "stderr"), run, folder)


def tell(seed, k, code, faults, folder):
    """Print how a run ended."""
    arguments = json.loads((folder / "arguments").read_text())
    shown = " ".join(a[:60] + "..." * (len(a) > 60) for a in arguments)
    wrong = ", ".join(faults) or "as expected"
    print(f"{seed} {k}: {shown!a} ended with {code}: {wrong}")
    print("   ", ascii(text_of(folder / "stderr")[:1000]), flush=True)


def start(seed, numbers, folder, good):
    """Fork; there do these runs, and write a line about each. Return the process.

    The files of the runs are made there too, for polars does not work in a child of a process that
    used it.
    """
    folder.mkdir(exist_ok=True)
    (folder / "ended").write_bytes(b"")
    pid = os.fork()
    if pid:
        return pid
    try:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for limit in signal.SIGALRM, signal.SIGPROF:
            faulthandler.register(limit, chain=True)  # to stderr: where it hangs
        console = os.dup(1)
        with (folder / "ended").open("a", buffering=1) as ended:
            for k in numbers:
                code, faults = attempt(seed, k, folder, good)
                if faults or len(numbers) == 1:
                    os.dup2(console, 1)
                    sys.stdout = sys.__stdout__
                    tell(seed, k, code, faults, folder)
                print(json.dumps([code, faults]), file=ended)
    except BaseException:
        os.dup2(console, 2)
        sys.__excepthook__(*sys.exc_info())
        os._exit(70)
    os._exit(0)


def run_all(seed, runs, deadline, root, good):
    """Do these runs, in children; return how many ended with each exit code, and how many failed.

    The last files of each child remain in its folder.
    """
    pieces = (runs[k : k + RUNS_A_CHILD] for k in range(0, len(runs), RUNS_A_CHILD))
    idle = [root / f"child{j}" for j in range(CHILDREN)]
    busy, codes, failed = {}, {}, 0
    while True:
        going_on = failed < MOST_FAILURES and time.monotonic() < deadline
        while going_on and idle and (piece := next(pieces, None)):
            folder = idle.pop()
            busy[start(seed, piece, folder, good)] = piece, folder
        if not busy:
            return codes, failed
        pid, status = os.wait()
        piece, folder = busy.pop(pid)
        idle.append(folder)
        ended = [json.loads(line) for line in (folder / "ended").read_text().splitlines()]
        if len(ended) < len(piece):
            k, rest = piece[len(ended)], piece[len(ended) + 1 :]
            faults = ["the process has ended"]
            ended.append((os.waitstatus_to_exitcode(status), faults))
            tell(seed, k, *ended[-1], folder)
            pieces = itertools.chain([rest] if rest else [], pieces)
        for code, faults in ended:
            codes[code] = codes.get(code, 0) + 1
            failed += bool(faults)
            if (made := sum(codes.values())) % 10_000 == 0:
                print(f"{made} runs so far, {failed} failed", flush=True)


def command(*arguments):
    """Run the command line in this process."""
    sys.argv = ["logreg-c", *arguments]
    silence = io.StringIO()
    with (
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
        contextlib.suppress(SystemExit),
    ):
        command_line()


def write_good_models(folder):
    """Write models of numbers, and of gaps, text and dates under every --missing."""
    table = folder / "good.csv"
    table.write_text("x0,x1,y\n" + "1,2,yes\n-1,1,no\n" * 10)
    command("train", str(table), "--target", "y", "-o", str(folder / "good.npz"))
    options = [
        "--target",
        "y",
        "--one-hot",
        "--min-count",
        "2",
        "--date-parts",
        "year,month,days",
        "--na-value",
        "7",
    ]
    for x1 in ["a", "b", "rare"], ["2024-01-31", "2023-02-28", "2020-01-01"]:
        rows = f"1,{x1[0]},yes\n-1,{x1[1]},no\n,{x1[0]},no\n3,NA,yes\n" * 5
        table.write_text(f"x0,x1,y\n1,{x1[2]},no\n{rows}")
        for missing in "drop", "mean", "median", "indicator":
            model = folder / f"good_{missing}_{x1[0]}.npz"
            command("train", str(table), *options, "--missing", missing, "-o", str(model))


def main():
    parser = argparse.ArgumentParser(description="Run the command line on generated files.")
    parser.add_argument("--runs", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # in a process of its own: threads that have run do not live on in a fork
        if os.fork() == 0:
            write_good_models(folder)
            os._exit(0)
        os.wait()
        for arguments in ("inspect", "none.npz"), ("train", "none.csv", "--target", "y"):
            command(*arguments)  # which loads what every child needs
        gc.freeze()  # a collection would copy what is shared with every child
        good = [path.read_bytes() for path in sorted(folder.glob("good*.npz"))]
        only = chosen.only
        runs = range(chosen.runs) if only is None else range(only, only + 1)
        codes, failed = run_all(chosen.seed, runs, began + chosen.seconds, folder, good)
        for path in folder.glob("child*/run/*") if only is not None else ():
            print(path.name, path.read_bytes()[:2000])
    seconds = time.monotonic() - began
    print(f"{sum(codes.values())} runs in {seconds:.0f} s, exit codes {codes}, {failed} failed")
    sys.exit(1 if failed or not codes else 0)


if __name__ == "__main__":
    main()
