/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes layer over SSE2, which every x86-64 CPU has: four vectors of two. lanes_c.h says what
 * each operation means.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include <emmintrin.h>

#include "portable.h"

#define LANES 8

typedef struct lanes {
    __m128d at[4];
} lanes;

typedef lanes lanes_mask;

/* A lanes of the expression for each of its four vectors, number i. */
#define LANES_SSE2(expression)                                                                     \
    do {                                                                                           \
        lanes r;                                                                                   \
        for (int i = 0; i < 4; i++) r.at[i] = expression;                                          \
        return r;                                                                                  \
    } while (0)

LOGREG_INLINE lanes lanes_set(double value)
{
    LANES_SSE2(_mm_set1_pd(value));
}

LOGREG_INLINE lanes lanes_load(const double *p)
{
    LANES_SSE2(_mm_loadu_pd(p + 2 * i));
}

LOGREG_INLINE lanes lanes_load_first(const double *p, int n)
{
    LANES_SSE2(2 * i + 1 < n ? _mm_loadu_pd(p + 2 * i)
               : 2 * i < n   ? _mm_load_sd(p + 2 * i)
                             : _mm_setzero_pd());
}

LOGREG_INLINE void lanes_store(double *p, lanes a)
{
    for (int i = 0; i < 4; i++) _mm_storeu_pd(p + 2 * i, a.at[i]);
}

LOGREG_INLINE lanes lanes_add(lanes a, lanes b)
{
    LANES_SSE2(_mm_add_pd(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_sub(lanes a, lanes b)
{
    LANES_SSE2(_mm_sub_pd(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_mul(lanes a, lanes b)
{
    LANES_SSE2(_mm_mul_pd(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_div(lanes a, lanes b)
{
    LANES_SSE2(_mm_div_pd(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_min(lanes a, lanes b)
{
    LANES_SSE2(_mm_min_pd(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_max(lanes a, lanes b)
{
    LANES_SSE2(_mm_max_pd(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes_mask lanes_above(lanes a, lanes b)
{
    LANES_SSE2(_mm_cmpgt_pd(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_choose(lanes_mask mask, lanes yes, lanes no)
{
    LANES_SSE2(_mm_or_pd(_mm_and_pd(mask.at[i], yes.at[i]), _mm_andnot_pd(mask.at[i], no.at[i])));
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    LANES_SSE2(_mm_andnot_pd(_mm_set1_pd(-0.0), a.at[i]));
}

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    LANES_SSE2(_mm_castsi128_pd(_mm_slli_epi64(_mm_castpd_si128(a.at[i]), 52)));
}

/* 2^52 + n, as a double, has n in its lowest bits: so an integer becomes a double. */
LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    LANES_SSE2(_mm_sub_pd(_mm_or_pd(_mm_castsi128_pd(_mm_srli_epi64(_mm_castpd_si128(a.at[i]), 52)),
                                    _mm_set1_pd(0x1p52)),
                          _mm_set1_pd(0x1p52 + 1023.0)));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    LANES_SSE2(_mm_or_pd(_mm_and_pd(a.at[i], _mm_castsi128_pd(_mm_set1_epi64x(0x000fffffffffffff))),
                         _mm_set1_pd(1.0)));
}

LOGREG_INLINE double lanes_sum(lanes a)
{
    const __m128d t01 = _mm_add_pd(a.at[0], a.at[2]);
    const __m128d t23 = _mm_add_pd(a.at[1], a.at[3]);
    const __m128d u = _mm_add_pd(_mm_unpacklo_pd(t01, t23), _mm_unpackhi_pd(t01, t23));
    return _mm_cvtsd_f64(_mm_add_sd(u, _mm_unpackhi_pd(u, u)));
}

LOGREG_INLINE void lanes_sum4(lanes a, lanes b, lanes c, lanes d, double *out)
{
    out[0] = lanes_sum(a);
    out[1] = lanes_sum(b);
    out[2] = lanes_sum(c);
    out[3] = lanes_sum(d);
}

#undef LANES_SSE2

#endif
