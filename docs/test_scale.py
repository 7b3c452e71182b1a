# SPDX-License-Identifier: BSD-3-Clause
"""The page about scale shows what the model computes."""

import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("scale", ROOT / "benchmarks" / "scale.py")
scale = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(scale)


def test_the_table_is_that_of_the_model():
    assert "\n".join(scale.table()) in (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("data", [scale.DENSE, scale.WIDE])
def test_a_pass_is_never_faster_than_its_parts(data):
    for machines in 1, 8, 1000, 100_000:
        seconds = scale.one_pass(data, scale.RENTED, machines)
        asked = scale.questions(data, scale.RENTED, machines)
        assert seconds >= scale.compute(data, scale.RENTED, machines) + asked
        assert scale.questions(data, scale.RENTED, machines, aligned=True) <= asked


def test_parts_of_a_pass():
    one = replace(scale.RENTED, cores=1, bandwidth=math.inf)
    data = scale.Data("", 1e6, 1200, 1200, 10, 4)
    assert scale.compute(data, one, 1) == 1.0
    assert scale.compute(data, one, 4) == 0.25
    assert scale.compute(data, replace(one, bandwidth=1e9), 1) == 12.0
    assert scale.compute(replace(data, n_x=1e5, width=70), one, 1) == pytest.approx(1.0)
    assert [scale.levels(n) for n in (1, 8, 9, 64, 65)] == [1, 1, 2, 2, 3]
    assert scale.slowest(1) == 1.0
