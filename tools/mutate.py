# SPDX-License-Identifier: BSD-3-Clause
"""Does the suite notice a change to one operator or one constant in the sources?

    python -P tools/mutate.py kernel --count 120 --seed 0
    python -P tools/mutate.py wrapper --only '_input/arrays.py'

The script makes mutants of the sources, one at a time, in a copy. It runs the tests, starting with
those most likely to notice; for the kernel, it runs only the kernel's own tests in C. A mutant that
does not compile is not counted, and one that hangs counts as caught. mutants.toml lists the
survivors that no test could catch, each with the reason.

Existing tools do not fit. Each knows only one language, or none and then changes lines of text. The
latter also mutate docstrings and produce sources that do not compile, which inflates the rate.
"""

import argparse
import ast
import importlib.util
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LEAST_RATE = 0.95

# The wrapper is every file of the package but these folders.
ELSEWHERE = {
    "_cli": "every one of its tests starts processes; tools/fuzz_cli.py generates its files",
    "dask": "a cluster starts for its tests; its arithmetic is that of _parts.py",
}
# The tests that run first, those most closely related to a file: only speed depends on them.
RELATED = {
    "_config.py": "public_face same_bits threads",
    "_curvature.pxi": "gram inference",
    "_data.pxi": "public_face bad_input types interrupt_and_threads",
    "_descent.pxi": "callbacks divergence public_face standardize",
    "_errors.py": "divergence interrupt_and_threads callbacks",
    "_files.py": "files",
    "_fit.py": "fit quasi_separation batches penalties softmax",
    "_fit_many.py": "fit_many",
    "_fit_path.py": "path screening batches_l1",
    "_inference.py": "inference softmax_inference quasi_separation categories firth",
    "_input/arrays.py": "bad_input types public_face no_copy",
    "_input/categories.py": "categories",
    "_input/classes.py": "softmax batches_classes bad_input",
    "_input/frame_categories.py": "categories",
    "_input/frame_types.py": "frames",
    "_input/frames.py": "frames",
    "_input/many.py": "fit_many",
    "_input/matrix.py": "bad_input types public_face frames",
    "_input/per_feature.py": "penalties path softmax",
    "_input/scalars.py": "bad_input public_face threads",
    "_input/sparse.py": "sparse sparse_softmax",
    "_input/vectors.py": "bad_input weights types frames",
    "_kernel.pyx": "public_face bad_input types weights standardize callbacks",
    "_many.pxi": "fit_many",
    "_minimization.pxi": "fit battery",
    "_names.py": "frames public_face",
    "_npz.py": "callbacks",
    "_objective.py": "public_face bad_input divergence sparse categories penalties",
    "_outputs.py": "softmax categories sparse public_face",
    "_parts.py": "parts batches batches_l1",
    "_predict.py": "public_face bad_input accuracy divergence types",
    "_quadratic.pxi": "penalties columns",
    "_result.py": "callbacks public_face frames",
    "_signals.py": "interrupt_and_threads",
    "_softmax.pxi": "softmax sparse_softmax",
    "_softmax.py": "softmax batches_classes softmax_inference",
    "_softmax_parts.py": "batches_classes",
    "_solvers/columns.py": "columns sparse",
    "_solvers/continuation.py": "sklearn",
    "_solvers/curvature.py": "curvature",
    "_solvers/descent.py": "callbacks divergence public_face standardize sklearn",
    "_solvers/divergence.py": "divergence",
    "_solvers/firth.py": "firth",
    "_solvers/hessian.py": "inference firth softmax_inference quasi_separation",
    "_solvers/minimum.py": "fit quasi_separation sklearn cli_minimum",
    "_solvers/path.py": "path sklearn_cv",
    "_solvers/penalized.py": "penalties batches_l1 callbacks",
    "_solvers/penalty.py": "penalties path softmax columns",
    "_solvers/proximal.py": "penalties path columns batches_l1 sparse",
    "_solvers/quasi_separation.py": "quasi_separation",
    "_solvers/result.py": "fit firth penalties",
    "_solvers/screening.py": "screening path",
    "_solvers/softmax.py": "softmax sparse_softmax batches_classes",
    "_solvers/softmax_descent.py": "softmax",
    "_solvers/softmax_factor.py": "softmax sparse_softmax",
    "_solvers/softmax_hessian.py": "softmax_inference softmax",
    "_solvers/softmax_proximal.py": "softmax sklearn_l1_classes batches_classes",
    "_solvers/training.py": "callbacks fit softmax",
    "_sparse.pxi": "sparse",
    "_summary.py": "inference softmax_inference",
    "_sums.pxi": "parts",
    "_threads.py": "threads interop",
    "_train.py": "public_face bad_input divergence weights standardize callbacks",
    "batches/ahead.py": "batches",
    "batches/arrow.py": "batches",
    "batches/batches.py": "batches",
    "batches/cache.py": "batches",
    "batches/columns.py": "batches",
    "batches/formats.py": "batches",
    "batches/npz.py": "batches",
    "batches/pages.py": "batches",
    "batches/parts.py": "batches",
    "batches/sources.py": "batches",
    "callbacks/checkpoint.py": "callbacks",
    "callbacks/early_stopping.py": "callbacks",
    "callbacks/progress.py": "callbacks",
    "model.py": "cli_load",
    "onnx.py": "onnx",
    "reference.py": "reference",
    "sklearn/callbacks.py": "sklearn_callbacks",
    "sklearn/cross_validation.py": "sklearn_cv",
    "sklearn/elastic_net.py": "sklearn sklearn_cv",
    "sklearn/estimator.py": "sklearn",
    "sklearn/folds.py": "sklearn_cv",
    "sklearn/grid.py": "sklearn_cv",
    "sklearn/labels.py": "sklearn",
    "sklearn/parameters.py": "sklearn",
    "sklearn/predicting.py": "sklearn",
    "sklearn/samples.py": "sklearn",
    "sklearn/scores.py": "sklearn_cv",
    "sklearn/search.py": "sklearn sklearn_cv",
    "sklearn/weights.py": "sklearn",
}
ENDINGS = ("*.py", "*.pyx", "*.pxi")
SLOW = ["cli", *(f"test_{name}.py" for name in ("interop", "no_memory", "same_bits"))]

# The replacements of an operator or word, separated by spaces; "_" is a space, "" is nothing.
SWAPS = {
    "+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "*", "<<": ">>", ">>": "<<", "&": "|",
    "|": "&", "^": "&", "&&": "||", "||": "&&", "==": "!=", "!=": "==", "<": "<= >=", "<=": "< >",
    ">": ">= <=", ">=": "> <", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "&=": "|=",
    "|=": "&=", "and": "or", "or": "and", "is": "is_not", "is not": "is", "in": "not_in",
    "not in": "in", "not": "", "!": "", "True": "False", "False": "True", "min": "max",
    "max": "min", "break": "continue", "continue": "break",
}  # fmt: skip
# Binary operators have spaces around them, because the sources are formatted.
BINARY = r"is not|not in|and|or|is|in|<<|>>|//|&&|\|\||[-+*/<>=!&|]=|[-+*/%<>&|^]"
NUMBER = r"0x[\da-fA-F.]+(?:p[-+]?\d+)?|\d+(?:\.\d*)?(?:e[-+]?\d+)?"
WORD = r"\b(?:True|False|break|continue|min|max|not)\b|!(?=[\w(])"
TOKEN = rf"(?<=\s)(?P<operator>{BINARY})(?=\s)|(?<![\w.])(?P<number>{NUMBER})|(?P<word>{WORD})"
TEXT_IN_C = r"/\*[\s\S]*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|^[ \t]*#(?:\\\n|[^\n])*"
TEXT = r"\"\"\"[\s\S]*?\"\"\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|#[^\n]*"


class Mutant(NamedTuple):
    """One source with one change."""

    file: str
    line: int
    change: str  # the line, with the change marked as [before > after]
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.change}"


def replacements(token, kind):
    """Return the replacements of a token."""
    if kind != "number":
        return [word.replace("_", " ") for word in SWAPS[token].split(" ")]
    if re.fullmatch(r"0x[\da-fA-F]+|\d+", token):
        value = int(token, 0)
        return ["2", "0"] if value == 1 else [str(value + 1)]
    value = float.fromhex(token) if token.startswith("0x") else float(token)
    return [repr(2.0 * value or 1.0)]


def mutants_of(path, lines):
    """Return all mutants of the given lines of a file."""
    source, name, found = path.read_text(), str(path.relative_to(ROOT)), []
    skipped = TEXT_IN_C if path.suffix in {".c", ".h"} else TEXT
    for match in re.finditer(f"(?:{skipped})|{TOKEN}", source, re.MULTILINE):
        number = source.count("\n", 0, match.start()) + 1
        if match.lastgroup is None or number not in lines:
            continue
        before, after = source[: match.start()], source[match.end() :]
        for word in replacements(match[0], match.lastgroup):
            line = before.rpartition("\n")[2] + f"[{match[0]} > {word}]" + after.partition("\n")[0]
            found.append(Mutant(name, number, line.strip(), before + word + after))
    return found


def run_lines(path):
    """Return a Python file's lines, without annotations and what only type checkers read."""
    source, unread = path.read_text(), []
    for node in ast.walk(ast.parse(source)):
        unread += [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            unread.append(node)
    skipped = {n for node in unread if node for n in range(node.lineno, node.end_lineno + 1)}
    return set(range(source.count("\n") + 1)) - skipped


def compiled_lines():
    """Return {file: lines} of src/ that are compiled here, i.e. that the preprocessor keeps."""
    seen = {}
    for source, flag in product((ROOT / "src").glob("*/*.c"), ["-fopenmp", "-DLOGREG_PLAIN_LANES"]):
        line, command = 0, ["gcc", "-E", "-std=c11", f"-I{ROOT / 'src'}", "-fopenmp", flag, source]
        for text in subprocess.check_output(command, text=True).splitlines():
            if marker := re.match(r'# (\d+) "(.*?)"', text):
                line, lines = int(marker[1]), seen.setdefault(Path(marker[2]).name, set())
            else:
                lines |= {line} if text.strip() else set()
                line += 1
    return seen


def run(*command, cwd, seconds=600, **environment):
    """Run a command, limit the CPU time of each of its processes, and return its exit status."""
    child = subprocess.Popen(
        ["prlimit", f"--cpu={seconds}", *map(str, command)],
        cwd=cwd,
        env=os.environ | environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return child.wait(timeout=6 * seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return child.wait()


class Copy:
    """A copy of the tree in which one source at a time is changed."""

    def __init__(self, folder):
        self.tree, self.site, self.unchanged = (folder / n for n in ("tree", "site", "unchanged"))
        for name in "src", "logreg_c", "tests", "examples", "benchmarks":
            shutil.copytree(ROOT / name, self.tree / name, ignore=shutil.ignore_patterns("build"))
        for name in "setup.py", "pyproject.toml":
            shutil.copy(ROOT / name, self.tree)
        installed = importlib.util.find_spec("logreg_c").submodule_search_locations[0]
        shutil.copytree(
            installed, self.unchanged / "logreg_c", ignore=shutil.ignore_patterns("__pycache__")
        )

    def prepare(self, path):  # noqa: ARG002 (Kernel uses it)
        """Restore everything before `path` is changed."""
        shutil.rmtree(self.site, ignore_errors=True)
        shutil.copytree(self.unchanged, self.site)

    def build(self):
        """Build the extension; return whether that worked."""
        command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", self.site]
        return run(*command, cwd=self.tree) == 0

    def passes(self, tests=""):
        """Return whether the suite, or the given tests, pass; failing tests run a second time."""
        command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-m", "not clone"]
        command += ["-c", self.tree / "pyproject.toml"]
        folder = self.tree / "tests"
        chosen = [path for name in tests.split() for path in folder.rglob(f"test_{name}.py")]
        command += chosen or [f"--ignore={name}" for name in SLOW]
        environment = {"PYTHONPATH": str(self.site), "PYTHONDONTWRITEBYTECODE": "1"}
        how = {"cwd": folder, "seconds": 200 if tests else 600, **environment}
        ended = run(*command, **how)
        return ended == 0 or (ended == 1 and run(*command, "--lf", **how) == 0)

    def result(self, mutant, explained):
        """Return the fate of a mutant: "caught", "survived", "explained" or "no mutant"."""
        path = self.tree / mutant.file
        before, times = path.read_text(), path.stat()
        self.prepare(path)
        path.write_text(mutant.text)
        try:
            if not self.valid(path):
                return "no mutant"
            if not self.likely(path):
                return "caught"
            if explained:
                return "explained"
            return "survived" if self.others() else "caught"
        finally:
            path.write_text(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


class Wrapper(Copy):
    """The Python files and the binding."""

    @staticmethod
    def mutants():
        """Return all mutants; refuse tests of a file that is not there."""
        package = ROOT / "logreg_c"
        files = {path.relative_to(package) for ending in ENDINGS for path in package.rglob(ending)}
        if gone := set(RELATED) - {file.as_posix() for file in files}:
            sys.exit(f"RELATED names files that do not exist: {', '.join(sorted(gone))}")
        paths = [package / file for file in sorted(files) if file.parts[0] not in ELSEWHERE]
        lines = [run_lines(path) if path.suffix == ".py" else range(10**6) for path in paths]
        return [mutant for pair in zip(paths, lines, strict=True) for mutant in mutants_of(*pair)]

    def __init__(self, folder):
        """Also check that the tests pass without a change."""
        super().__init__(folder)
        self.prepare(None)
        if not self.passes() or not self.passes(RELATED["_solvers/minimum.py"]):
            sys.exit("the tests fail without a change")

    def valid(self, path):
        """Return whether the mutant compiles."""
        if path.suffix in {".pyx", ".pxi"}:
            return self.build()
        shutil.copy(path, self.site / path.relative_to(self.tree))
        return run(sys.executable, "-m", "py_compile", path, cwd=self.tree) == 0

    def likely(self, path):
        """Return whether the tests most closely related to the file pass, or all if none are."""
        return self.passes(RELATED.get(path.relative_to(self.tree / "logreg_c").as_posix(), ""))

    def others(self):
        """Return whether all tests but the slow ones pass."""
        return self.passes()


class Kernel(Copy):
    """The C files that are compiled here."""

    FLAGS = "-std=c11 -w -ffp-contract=off -fno-math-errno -fno-trapping-math"
    VARIANTS = ("baseline", "avx2", "avx512")

    @cache  # noqa: B019 (there is only one instance)
    def built(self, plain):
        """Build and run the kernel's tests without a change, and return the folder."""
        build = self.tree / f"built{plain}"
        if not self.make(build, plain, "gcc", "bits-of-gcc"):
            sys.exit("the kernel's own tests fail without a change")
        return build

    def prepare(self, path):
        """Also restore the build."""
        super().prepare(path)
        build = self.built(self.is_plain(path))
        shutil.rmtree(self.tree / "changed", ignore_errors=True)
        shutil.copytree(build, self.tree / "changed")

    @staticmethod
    def is_plain(path):
        """Return whether only the plain C build reads a file."""
        return path.name == "lanes_c.h"

    @staticmethod
    def mutants():
        """Return all mutants."""
        paths, lines = sorted((ROOT / "src").rglob("*.[ch]")), compiled_lines()
        return [mutant for path in paths for mutant in mutants_of(path, lines.get(path.name, ()))]

    def make(self, build, plain, *targets, kept=(), seconds=60):
        """Make targets of the kernel's tests without rebuilding `kept`; return success."""
        compiler = "gcc=gcc -O1 -fopenmp" + plain * " -DLOGREG_PLAIN_LANES"
        command = ["make", "-s", "-j2", f"BUILD={build}", f"FLAGS={self.FLAGS}", compiler]
        command += [f"-o{path}" for path in kept]
        return run(*command, *targets, cwd=self.tree / "tests" / "kernel", seconds=seconds) == 0

    def make_changed(self, path, *targets):
        """Make targets after a change; a header's only in the one variant that it affects."""
        build, page = self.tree / "changed", path.stem.removeprefix("lanes_")
        others = set(self.VARIANTS) - {page if page in self.VARIANTS else "baseline"}
        stems = [f"variant_{isa}_float{n}" for isa in others for n in (32, 64)]
        kept = [f"{build}/gcc/{stem}.o" for stem in stems if path.suffix == ".h"]
        return self.make(build, self.is_plain(path), *targets, kept=kept)

    def valid(self, path):
        """Return whether the mutant compiles."""
        programs = [f"{self.tree}/changed/gcc/{name}.exe" for name in ("test_kernel", "bits")]
        return self.make_changed(path, *programs)

    def likely(self, path):
        """Return whether the kernel's own tests pass and its bits are unchanged."""
        return all(self.make_changed(path, target) for target in ("gcc", "bits-of-gcc"))

    def others(self):
        """Return whether the sanitizers report nothing."""
        return self.make(self.tree / "changed", False, "gcc-sanitized", seconds=600)


def main():
    """Run the mutants; fail if the suite catches too few."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=["kernel", "wrapper"])
    parser.add_argument("--count", type=int, default=120, help="number of mutants to draw")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw")
    parser.add_argument(
        "--only", default="", help="regular expression that must match FILE:LINE: CHANGE"
    )
    given = parser.parse_args()
    part = {"kernel": Kernel, "wrapper": Wrapper}[given.part]
    mutants = [mutant for mutant in part.mutants() if re.search(given.only, str(mutant))]
    print(f"{len(mutants)} mutants", flush=True)
    drawn = random.Random(given.seed).sample(mutants, min(given.count, len(mutants)))  # noqa: S311
    known = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text())["equivalent"]
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder:
        copy = part(Path(folder))
        for mutant in drawn:
            explained = any(
                mutant.file == reason["file"] and change in mutant.change
                for reason in known
                for change in reason["changes"]
            )
            result = copy.result(mutant, explained)
            counts[result] += 1
            print(f"{result:9} {mutant}", flush=True)
    possible = counts["caught"] + counts["survived"]
    rates = [counts["caught"] / max(n, 1) for n in (possible + counts["explained"], possible)]
    print(dict(counts), "caught: {:.1%} of all, {:.1%} of those a test can catch".format(*rates))
    sys.exit(rates[1] < LEAST_RATE)


if __name__ == "__main__":
    main()
