# SPDX-License-Identifier: BSD-3-Clause
"""Numbers, switches, counts and callbacks that a user passes."""

from __future__ import annotations

import math
import numbers
import operator
import sys
from typing import Any

import numpy as np

from logreg_c._threads import MAX_THREADS, default_threads

from .arrays import SHORT

LARGEST = sys.float_info.max


def number(value: object, name: str, expected: str = "a finite number") -> float:
    """Check one finite real number; no bool, no string."""
    if type(value) is not float:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
            raise TypeError(_wrong_type(value, name, expected))
        try:
            value = float(value)
        except OverflowError:
            raise ValueError(_out_of_range(value, name, expected)) from None
        except (TypeError, ValueError):
            raise TypeError(_wrong_type(value, name, expected)) from None
    if not math.isfinite(value):
        raise ValueError(_out_of_range(value, name, expected))
    return value


def positive(value: object, name: str, expected: str = "a finite number > 0") -> float:
    """Check a finite number above 0."""
    result = number(value, name, expected)
    if result <= 0.0:
        raise ValueError(_out_of_range(result, name, expected))
    return result


def not_negative(value: object, name: str) -> float:
    """Check a finite number from 0 up."""
    expected = "a finite number >= 0"
    result = number(value, name, expected)
    if result < 0.0:
        raise ValueError(_out_of_range(result, name, expected))
    return result


def probability(value: object, name: str, expected: str = "a probability within [0, 1]") -> float:
    """Check a number within [0, 1]."""
    result = number(value, name, expected)
    if not 0.0 <= result <= 1.0:
        raise ValueError(_out_of_range(result, name, expected))
    return result


def integer(value: Any, name: str, least: int) -> int:
    """Check an integer from `least` up; no bool, no float."""
    expected = f"an integer >= {least}"
    try:
        result = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        result = None
    if result is None:
        raise TypeError(_wrong_type(value, name, expected))
    if result < least:
        raise ValueError(_out_of_range(result, name, expected))
    return result


def boolean(value: object, name: str) -> bool:
    """Check True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(_wrong_type(value, name, "True or False"))
    return bool(value)


def threads(n_threads: int | None) -> int:
    """Check n_threads: None for what the machine offers."""
    if n_threads is None:
        return default_threads()
    return min(integer(n_threads, "n_threads", 1), MAX_THREADS)


def _wrong_type(value: object, name: str, expected: str) -> str:
    return f"{name} is {SHORT.repr(value)} of type {type(value).__name__}; expected {expected}"


def _out_of_range(value: object, name: str, expected: str) -> str:
    return f"{name} is {SHORT.repr(value)}; expected {expected}"


def callbacks(given: object) -> tuple[Any, ...]:
    """Check callbacks: none, one, or a list of them."""
    if given is None:
        return ()
    checked: tuple[Any, ...] = (given,)
    if isinstance(given, (list, tuple)) and not callable(given):
        checked = tuple(given)
    for callback in checked:
        if isinstance(callback, type):
            name = callback.__name__
            msg = f"callback is the class {name}; expected one of its instances: {name}(...)"
            raise TypeError(msg)
        if not callable(callback):
            verb = "is" if callback is given else "holds"
            msg = (
                f"callback {verb} an object of type {type(callback).__name__}; expected a callable"
                " that takes k, cost, w, b, or a list of such"
            )
            raise TypeError(msg)
    return checked
