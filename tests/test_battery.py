# SPDX-License-Identifier: BSD-3-Clause
"""`fit` reaches the known minimum of every problem of the benchmark, in few passes."""

import importlib.util
from pathlib import Path

import pytest

import logreg_c

SPEC = importlib.util.spec_from_file_location(
    "battery", Path(__file__).parent.parent / "benchmarks" / "battery.py"
)
battery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(battery)

QUICK = {"200x5", "breast cancer", "breast cancer, standardized"}
TOO_LONG = {"autoregressive"}  # Newton's method alone takes minutes
NAMES = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.long)
    for name in battery.MINIMA.keys() - TOO_LONG
]


def test_every_problem_has_its_minimum():
    assert battery.MINIMA.keys() == (battery.PROBLEMS | battery.UNSEEN).keys()


@pytest.mark.parametrize("name", sorted(NAMES, key=lambda param: param.values[0]))
def test_the_minimum_is_reached_in_few_passes(name):
    p = (battery.PROBLEMS | battery.UNSEEN)[name]()
    J_min, passes = battery.MINIMA[name]
    for tol, limit in zip(battery.GAPS, passes, strict=True):
        found = logreg_c.fit(p.A.T, p.y, l2=p.l2, sample_weight=p.sample_weight, tol=tol)
        assert found.converged
        assert found.passes <= limit
        # a predicted gap may be 4 times too small; J is never below its minimum
        assert -1e-12 <= (found.costs[-1] - J_min) / J_min <= max(4 * tol, 1e-12)
