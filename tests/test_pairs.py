# SPDX-License-Identifier: BSD-3-Clause
"""What L-BFGS remembers, in compact form: its direction is that of the two loops over the pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logreg_c._solvers.pairs import MEMORY, Pairs


def two_loops(pairs, g, P, *, scaled):
    """Nocedal's recursion (1980)."""
    q, shares = g.copy(), []
    for s, y in reversed(pairs):
        shares.append(s @ q / (s @ y))
        q -= shares[-1] * y
    q = P @ q
    if scaled and pairs:
        s, y = pairs[-1]
        q *= s @ y / (y @ P @ y)
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        q += (share - y @ q / (s @ y)) * s
    return -q


def quadratic(n, seed):
    """Return a Hessian, and what stands for its inverse."""
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(n, 2 * n))
    H = F @ F.T / (2 * n) + np.eye(n) / 10
    return H, np.diag(rng.uniform(0.5, 2.0, n) / np.diagonal(H))


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), steps=st.integers(0, 3 * MEMORY))
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("scaled", [False, True])
def test_the_direction_is_that_of_two_loops(scaled, seed, n, steps):
    H, P = quadratic(n, seed)
    rng = np.random.default_rng(seed)
    at, known, pairs = rng.normal(size=n), [], Pairs(n)
    for k in range(steps + 1):
        g = H @ at
        direction = pairs.direction(g, P @ g, scaled=scaled)
        expected = two_loops(known[-MEMORY:], g, P, scaled=scaled)
        scale = np.abs(expected).max() + np.abs(P @ g).max()
        np.testing.assert_allclose(direction, expected, rtol=0, atol=1e-8 * scale)
        step = rng.normal(size=n) * 10.0 ** -(k % 4)
        pairs.take(step)
        known.append((step, H @ step))
        at = at + step


def test_a_step_without_curvature_is_left_out():
    pairs = Pairs(2)
    g = np.array([1.0, -1.0])
    pairs.direction(g, g, scaled=False)
    pairs.take(np.array([1.0, 1.0]))
    np.testing.assert_array_equal(pairs.direction(g - 1.0, g - 1.0, scaled=True), 1.0 - g)


def test_they_go_on_from_their_state():
    H, P = quadratic(6, 0)
    rng = np.random.default_rng(1)
    at, pairs = rng.normal(size=6), Pairs(6)
    for _ in range(MEMORY + 3):
        pairs.direction(H @ at, P @ H @ at, scaled=True)
        step = rng.normal(size=6)
        pairs.take(step)
        at = at + step
    here = pairs.direction(H @ at, P @ H @ at, scaled=True)
    again = Pairs(6)
    again.resume({name: value.copy() for name, value in pairs.state().items()})
    np.testing.assert_array_equal(again.direction(H @ at, P @ H @ at, scaled=True), here)
    for one in pairs, again:
        one.take(step)
    at = at + step
    ends = [one.direction(H @ at, P @ H @ at, scaled=True) for one in (pairs, again)]
    np.testing.assert_array_equal(*ends)
