/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Twice the precision of float64: a number as the unevaluated sum of two.
 */
#ifndef LOGREG_TWOFOLD_H
#define LOGREG_TWOFOLD_H

#include "platform/portable.h"

typedef struct twofold { /* hi + lo */
    double hi, lo;
} twofold;

/* a + b, exactly (Knuth). */
LOGREG_INLINE twofold two_sum(double a, double b)
{
    const double s = a + b, v = s - a;
    const twofold r = {s, (a - (s - v)) + (b - v)};
    return r;
}

/* a in halves of 26 bits (Veltkamp). */
LOGREG_INLINE twofold split(double a)
{
    const double scaled = 134217729.0 * a, hi = scaled - (scaled - a); /* 2^27 + 1 */
    const twofold r = {hi, a - hi};
    return r;
}

/* a b, exactly (Dekker), where neither overflows nor underflows. */
LOGREG_INLINE twofold two_product(double a, double b)
{
    const twofold x = split(a), y = split(b);
    const double p = a * b;
    const twofold r = {p, ((x.hi * y.hi - p) + x.hi * y.lo + x.lo * y.hi) + x.lo * y.lo};
    return r;
}

/* (a + a_lo) + sign * s, rounded to a twofold. */
LOGREG_INLINE twofold add_twofold(double a, double a_lo, double sign, twofold s)
{
    const twofold sum = two_sum(a, sign * s.hi);
    return two_sum(sum.hi, sum.lo + (a_lo + sign * s.lo));
}

#endif
