# SPDX-License-Identifier: BSD-3-Clause
"""Rules that the C sources must follow for every CPU, whichever one runs the tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import logreg_c

pytestmark = pytest.mark.clone

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.[ch]")}
TARGET = re.compile(r'target\("([^"]*)"\)')

# what dispatch.c asks for, as GCC's options
ASKED = {
    "avx2": {"avx2", "f16c"},
    "avx512": {"avx2", "f16c", "avx512f", "avx512dq", "avx512vbmi2"},
}


def test_only_the_begin_pages_raise_the_target():
    raising = {name for name, text in SOURCES.items() if TARGET.search(text)}
    assert raising == {f"begin_{isa}.h" for isa in ASKED}


@pytest.mark.parametrize("isa", ASKED)
def test_headers_that_raise_the_target_are_included_only_by_their_variants(isa):
    begin, end = f'#include "simd/begin_{isa}.h"', '#include "simd/end_target.h"'
    reading = {name for name, text in SOURCES.items() if begin in text}
    assert reading == {f"variant_{isa}_{real}.c" for real in ("float32", "float64")}
    for name in reading:
        assert SOURCES[name].index(begin) < SOURCES[name].index(end)


@pytest.mark.parametrize("isa", ASKED)
def test_dispatch_asks_for_all_that_a_variant_is_compiled_for(isa):
    body = re.search(
        rf"int has_{isa}\(void\)\n{{(.*?)^}}", SOURCES["dispatch.c"], re.MULTILINE | re.DOTALL
    )[1]
    asked = set(re.findall(r'supports\("(\w+)"\)', body))
    asked |= {"f16c"} if "bit_F16C" in body else set()
    asked |= ASKED["avx2"] if "has_avx2()" in body else set()
    assert asked == ASKED[isa]
    targets = TARGET.findall(SOURCES[f"begin_{isa}.h"])
    assert len(targets) == 2  # Clang's and GCC's
    for target in targets:
        assert set(target.split(",")) <= asked


@pytest.mark.long
def test_the_polynomials_are_as_accurate_as_the_sources_say():
    tool = ROOT / "tools" / "polynomials.py"
    run = subprocess.run([sys.executable, "-P", tool], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("stated") == 4


def test_no_variable_is_thread_local():
    for name, text in SOURCES.items():
        assert not re.search(r"__thread|_Thread_local|thread_local|declspec\(thread\)", text), name


def test_the_documents_name_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {logreg_c.__version__}\n" in citation
    assert f"{logreg_c.__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
