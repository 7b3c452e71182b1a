/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes layer in plain C: the definition that every other page equals bit for bit.
 *
 * `lanes` are 8 float64 values that are worked on side by side, whatever the width of the
 * machine's vectors: 64 bytes, a cache line. A
 * mask says yes or no for each lane; here every lane is all ones or all zeros in its bits. Each
 * operation is one IEEE 754 operation a lane, so what a kernel written in them computes does not
 * depend on the page it was compiled over.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include "portable.h"

#define LANES 8

typedef struct lanes {
    double at[LANES];
} lanes;

typedef lanes lanes_mask;

LOGREG_INLINE lanes lanes_set(double value)
{
    lanes r;
    for (int i = 0; i < LANES; i++) r.at[i] = value;
    return r;
}

LOGREG_INLINE lanes lanes_load(const double *p)
{
    lanes r;
    for (int i = 0; i < LANES; i++) r.at[i] = p[i];
    return r;
}

/* The first n values at p, 0 <= n < 8, then zeros; nothing beyond them is read. */
LOGREG_INLINE lanes lanes_load_first(const double *p, int n)
{
    lanes r;
    for (int i = 0; i < LANES; i++) r.at[i] = i < n ? p[i] : 0.0;
    return r;
}

LOGREG_INLINE void lanes_store(double *p, lanes a)
{
    for (int i = 0; i < LANES; i++) p[i] = a.at[i];
}

#define LANES_C_EACH(name, expression)                                                             \
    LOGREG_INLINE lanes name(lanes a, lanes b)                                                     \
    {                                                                                              \
        lanes r;                                                                                   \
        for (int i = 0; i < LANES; i++) r.at[i] = expression;                                      \
        return r;                                                                                  \
    }

LANES_C_EACH(lanes_add, a.at[i] + b.at[i])
LANES_C_EACH(lanes_sub, a.at[i] - b.at[i])
LANES_C_EACH(lanes_mul, a.at[i] * b.at[i])
LANES_C_EACH(lanes_div, a.at[i] / b.at[i])
LANES_C_EACH(lanes_min, a.at[i] < b.at[i] ? a.at[i] : b.at[i]) /* b where either is NaN */
LANES_C_EACH(lanes_max, a.at[i] > b.at[i] ? a.at[i] : b.at[i])
LANES_C_EACH(lanes_above,
             logreg_double_of(a.at[i] > b.at[i] ? ~(uint64_t)0 : 0)) /* a > b, a mask */

#undef LANES_C_EACH

/* yes where the mask is set, no elsewhere */
LOGREG_INLINE lanes lanes_choose(lanes_mask mask, lanes yes, lanes no)
{
    lanes r;
    for (int i = 0; i < LANES; i++) r.at[i] = logreg_bits_of(mask.at[i]) ? yes.at[i] : no.at[i];
    return r;
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    lanes r;
    for (int i = 0; i < LANES; i++) r.at[i] = logreg_double_of(logreg_bits_of(a.at[i]) << 1 >> 1);
    return r;
}

/* The double whose exponent field is the lowest 11 bits of a: 2^(n - 1023) where the lowest 12
 * bits of a hold n, 0 < n < 2047. */
LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    lanes r;
    for (int i = 0; i < LANES; i++) r.at[i] = logreg_double_of(logreg_bits_of(a.at[i]) << 52);
    return r;
}

/* For a positive normal a = 2^k f with 1 <= f < 2: k, and f. */
LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    lanes r;
    for (int i = 0; i < LANES; i++) r.at[i] = (double)(logreg_bits_of(a.at[i]) >> 52) - 1023.0;
    return r;
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    lanes r;
    for (int i = 0; i < LANES; i++)
        r.at[i] =
            logreg_double_of((logreg_bits_of(a.at[i]) & 0x000fffffffffffff) | 0x3ff0000000000000);
    return r;
}

/* The sum of the lanes, by the tree that folds them in half: i with i + 4, then + 1, then + 2. */
LOGREG_INLINE double lanes_sum(lanes a)
{
    double t[4];
    for (int i = 0; i < 4; i++) t[i] = a.at[i] + a.at[i + 4];
    return (t[0] + t[1]) + (t[2] + t[3]);
}

/* Four such sums. */
LOGREG_INLINE void lanes_sum4(lanes a, lanes b, lanes c, lanes d, double *out)
{
    out[0] = lanes_sum(a);
    out[1] = lanes_sum(b);
    out[2] = lanes_sum(c);
    out[3] = lanes_sum(d);
}

#endif
