# SPDX-License-Identifier: BSD-3-Clause
"""The tests run on the installed package, and README's command runs a sample of the long ones."""

import random
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# In the root of the clone, logreg_c is only the source.
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]

# A slow machine is no fault: no test is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items):
    """Mark all but n cases of a test that is `sampled(n)` as `long`; its name draws them."""
    cases = defaultdict(list)
    for item in items:
        if marker := item.get_closest_marker("sampled"):
            cases[item.location[2].partition("[")[0], *marker.args].append(item)
    for (name, n), those in cases.items():
        left_out = random.Random(name).sample(those, max(0, len(those) - n))  # noqa: S311
        for item in left_out:
            item.add_marker(pytest.mark.long)
