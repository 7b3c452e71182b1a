# SPDX-License-Identifier: BSD-3-Clause
"""One process at work on many calls."""

import faulthandler
import sys
import time
import traceback
import warnings

import numpy as np
from check import check_call
from check_models import check_model
from generate import generate
from models import model

import logreg_c


def check(seed, index, *, of_models):
    """Make call or model `index`, and check it; return its name and the expected exception."""
    return check_model(seed, index) if of_models else check_call(seed, index)


def show(seed, index, *, of_models):
    """Tell what call or model `index` is, as far as it can be told."""
    if of_models:
        name, given, *_ = model(seed, index)
        lines = [f"model {index} of seed {seed}: {name}"]
    else:
        name, given, changed = generate(seed, index)
        lines = [f"call {index} of seed {seed}: {name}, changed while it runs: {changed}"]
    for argument, value in given.items():
        try:
            text = repr(value)
        except Exception:
            text = f"a {type(value).__name__} without a repr"
        if type(value) is np.ndarray:
            text = f"{value.dtype} {value.shape} strides {value.strides}\n{text}"
        lines.append(f"  {argument} = {text[:600]}")
    return "\n".join(lines)


def warn_as_errors():
    """No warning but the documented ones may come; np.matrix announces its own end."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", logreg_c.DivergenceWarning)
    warnings.simplefilter("ignore", logreg_c.ConvergenceWarning)
    warnings.simplefilter("ignore", PendingDeprecationWarning)


def work(seed, first, step, calls, until, place, tallies, *, of_models):
    """Make calls first, first + step ...; `place` always holds the one under way."""
    faulthandler.enable()
    warn_as_errors()
    failed = 0
    for index in range(first, calls, step):
        if time.monotonic() > until:
            break
        place.value = index
        try:
            _, error = check(seed, index, of_models=of_models)
            tallies[0] += 1
            tallies[1] += error is not None
        except Exception:  # a Disagreement, or a fault of this script
            print(f"{show(seed, index, of_models=of_models)}\n{traceback.format_exc()}", flush=True)
            failed += 1
            if failed == 5:
                break
    place.value = -1
    sys.exit(1 if failed else 0)
