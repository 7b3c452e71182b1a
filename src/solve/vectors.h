/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arithmetic on vectors of float64, and a logarithm, in orders that the source fixes.
 */
#ifndef LOGREG_VECTORS_H
#define LOGREG_VECTORS_H

#include "platform/portable.h"

/* Eight sums side by side, so that they can be vectors on any CPU, then folded. */
LOGREG_INLINE double logreg_dot(const double *x, const double *y, int64_t n)
{
    enum { SUMS = 8 };
    double sum[SUMS] = {0};
    int64_t i = 0;
    for (; i + SUMS <= n; i += SUMS)
        for (int k = 0; k < SUMS; k++) sum[k] += x[i + k] * y[i + k];
    for (int k = 0; i < n; i++, k++) sum[k] += x[i] * y[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* y += a x */
LOGREG_INLINE void logreg_add_multiple(double *y, double a, const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

/* ln x of a normal x > 0, within about 1e-14 of max(1, |ln x|): with x = 2^e f and f within
 * [1/sqrt 2, sqrt 2), ln f = 2 artanh((f - 1) / (f + 1)). */
LOGREG_INLINE double logreg_ln(double x)
{
    static const double ln_2 = 0x1.62e42fefa39efp-1;
    uint64_t bits = logreg_bits_of(x);
    int64_t e = (int64_t)(bits >> 52) - 1023;
    double f = logreg_double_of((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
    if (f > 1.4142135623730951) {
        f *= 0.5;
        e++;
    }
    const double s = (f - 1.0) / (f + 1.0), s2 = s * s;
    double series = 0.0;
    for (int k = 19; k >= 1; k -= 2) series = series * s2 + 1.0 / k;
    return (double)e * ln_2 + 2.0 * s * series;
}

#endif
