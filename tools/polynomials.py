# SPDX-License-Identifier: BSD-3-Clause
"""The polynomials of src/simd/math_*.h: what they approximate, how well, and how well one could.

    python tools/polynomials.py

reads the coefficients from the sources and prints, for each polynomial, its error as it stands
there, rounded, and that of the best polynomial of the same degree before rounding, with the
coefficients of that one. It fails where a committed error exceeds what the comment beside it says.

The coefficients of float64 are those of a Remez exchange, rounded one by one; those of float32 are
from least squares. Neither run was kept: the coefficients of float64 agree with the exchange below
in all but the low digits of the higher terms. To replace them, round those that are printed; the
bits of every result change then.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mpmath import cos, exp, log, lu_solve, matrix, mp, mpf, nstr, pi, sqrt

SIMD = Path(__file__).resolve().parent.parent / "src" / "simd"
NUMBER = r"0x1\.[\da-f]*p[-+]\d+"
mp.prec = 160

HALF_LN2 = log(mpf(2)) / 2
LARGEST_S = (sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1)  # of f within a factor of sqrt(2) of 1


def exp_tail(r: mpf) -> mpf:
    """(exp(r) - 1 - r) / r^2."""
    return (exp(r) - 1 - r) / r**2 if abs(r) > 1e-12 else mpf(1) / 2 + r / 6


def log_tail(z: mpf) -> mpf:
    """(log((1 + s) / (1 - s)) / s - 2) / z with z = s^2."""
    s = sqrt(z)
    return (log((1 + s) / (1 - s)) / s - 2) / z if z > 1e-12 else mpf(2) / 3 + 2 * z / 5


class Polynomial(NamedTuple):
    """One polynomial of the sources."""

    file: str
    pattern: str  # of a line that holds coefficients
    falling: bool  # from the highest power on
    target: Callable[[mpf], mpf]
    weight: Callable[[mpf], mpf]  # what an error of it is multiplied by in the result
    low: mpf
    high: mpf
    limit: float  # which the comment in the source states

    def coefficients(self) -> list[mpf]:
        """Those of the source, from the lowest power on."""
        lines = re.findall(self.pattern, (SIMD / self.file).read_text(encoding="utf-8"))
        powers = [n for line in lines for n in reversed(re.findall(NUMBER, line))]
        return [mpf(float.fromhex(n)) for n in (reversed(powers) if self.falling else powers)]

    def error(self, coefficients: list[mpf], x: mpf) -> mpf:
        """Return the weighted error at x."""
        value = sum(c * x**k for k, c in enumerate(coefficients))
        return (value - self.target(x)) * self.weight(x)

    def nodes(self, n: int) -> list[mpf]:
        """Chebyshev's, from low to high, but for a zero of the weight."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        nodes = [middle + half * cos(pi * (n - 1 - k) / (n - 1)) for k in range(n)]
        return [x if abs(x) > half / 100 else half / 10 for x in nodes]


def best(p: Polynomial, terms: int) -> list[mpf]:
    """Return the polynomial with the least largest error, by Remez' exchange."""
    extrema = p.nodes(terms + 1)
    for _ in range(8):
        system, right = matrix(terms + 1, terms + 1), matrix(terms + 1, 1)
        for i, x in enumerate(extrema):
            for k in range(terms):
                system[i, k] = x**k * p.weight(x)
            system[i, terms] = mpf((-1) ** i)
            right[i] = p.target(x) * p.weight(x)
        found = list(lu_solve(system, right))[:terms]
        grid = p.nodes(60 * terms)
        errors = [p.error(found, x) for x in grid]
        turns = [k for k in range(1, len(grid)) if (errors[k] > 0) != (errors[k - 1] > 0)]
        pieces = zip([0, *turns], [*turns, len(grid)], strict=True)
        peaks = [max(range(a, b), key=lambda k: abs(errors[k])) for a, b in pieces]
        while len(peaks) > terms + 1:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        extrema = [grid[k] for k in peaks]
    return found


EXP = (exp_tail, lambda r: r**2 / exp(r), -HALF_LN2, HALF_LN2)
LOG = (log_tail, lambda z: z, mpf(0), LARGEST_S**2)
POLYNOMIALS = {
    "float64 exp(r), relative": Polynomial(
        "math_float64.h", rf"affine\(r, {NUMBER}, {NUMBER}\)", False, *EXP, 1.2e-17
    ),
    "float64 R(z), absolute": Polynomial(
        "math_float64.h", rf"\bR = .*?{NUMBER}", True, *LOG, 3.3e-18
    ),
    "float32 exp(r), relative": Polynomial(
        "math_float32.h", rf"\bp = .*?{NUMBER}", True, *EXP, 3.8e-9
    ),
    "float32 R(z), absolute": Polynomial(
        "math_float32.h", rf"\bR = .*?{NUMBER}", True, *LOG, 2.4e-9
    ),
}


def main() -> int:
    """Print all errors; whether one is too large."""
    failed = False
    for name, p in POLYNOMIALS.items():
        committed = p.coefficients()
        optimal = best(p, len(committed))
        here, least = (max(abs(p.error(c, x)) for x in p.nodes(2000)) for c in (committed, optimal))
        failed |= here > p.limit
        print(f"{name}: {nstr(here, 3)}, stated {p.limit}; the best {nstr(least, 3)}:")
        print("   ", " ".join(float(c).hex() for c in optimal))
    return failed


if __name__ == "__main__":
    sys.exit(main())
