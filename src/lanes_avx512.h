/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes layer over AVX-512F: one vector of eight. lanes_c.h says what each operation means.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include <immintrin.h>

#include "portable.h"

#define LANES 8

typedef __m512d lanes;

typedef __mmask8 lanes_mask;

LOGREG_INLINE lanes lanes_set(double value)
{
    return _mm512_set1_pd(value);
}

LOGREG_INLINE lanes lanes_load(const double *p)
{
    return _mm512_loadu_pd(p);
}

LOGREG_INLINE lanes lanes_load_first(const double *p, int n)
{
    return _mm512_maskz_loadu_pd((__mmask8)((1 << n) - 1), p);
}

LOGREG_INLINE void lanes_store(double *p, lanes a)
{
    _mm512_storeu_pd(p, a);
}

LOGREG_INLINE lanes lanes_add(lanes a, lanes b)
{
    return _mm512_add_pd(a, b);
}

LOGREG_INLINE lanes lanes_sub(lanes a, lanes b)
{
    return _mm512_sub_pd(a, b);
}

LOGREG_INLINE lanes lanes_mul(lanes a, lanes b)
{
    return _mm512_mul_pd(a, b);
}

LOGREG_INLINE lanes lanes_div(lanes a, lanes b)
{
    return _mm512_div_pd(a, b);
}

LOGREG_INLINE lanes lanes_min(lanes a, lanes b)
{
    return _mm512_min_pd(a, b);
}

LOGREG_INLINE lanes lanes_max(lanes a, lanes b)
{
    return _mm512_max_pd(a, b);
}

LOGREG_INLINE lanes_mask lanes_above(lanes a, lanes b)
{
    return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ);
}

LOGREG_INLINE lanes lanes_choose(lanes_mask mask, lanes yes, lanes no)
{
    return _mm512_mask_blend_pd(mask, no, yes);
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    return _mm512_abs_pd(a);
}

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a), 52));
}

/* 2^52 + n, as a double, has n in its lowest bits: so an integer becomes a double. */
LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    const __m512i n = _mm512_srli_epi64(_mm512_castpd_si512(a), 52);
    const __m512i shifted = _mm512_or_si512(n, _mm512_castpd_si512(_mm512_set1_pd(0x1p52)));
    return _mm512_sub_pd(_mm512_castsi512_pd(shifted), _mm512_set1_pd(0x1p52 + 1023.0));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    const __m512i keep = _mm512_set1_epi64(0x000fffffffffffff);
    const __m512i one = _mm512_castpd_si512(_mm512_set1_pd(1.0));
    return _mm512_castsi512_pd(
        _mm512_or_si512(_mm512_and_si512(_mm512_castpd_si512(a), keep), one));
}

/* a's lower half plus its upper half. */
LOGREG_INLINE __m256d lanes_halved(lanes a)
{
    return _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
}

LOGREG_INLINE double lanes_sum(lanes a)
{
    const __m256d t = lanes_halved(a);
    const __m256d u = _mm256_hadd_pd(t, t);
    return _mm_cvtsd_f64(_mm_add_sd(_mm256_castpd256_pd128(u), _mm256_extractf128_pd(u, 1)));
}

LOGREG_INLINE void lanes_sum4(lanes a, lanes b, lanes c, lanes d, double *out)
{
    const __m256d ab = _mm256_hadd_pd(lanes_halved(a), lanes_halved(b));
    const __m256d cd = _mm256_hadd_pd(lanes_halved(c), lanes_halved(d));
    const __m256d low = _mm256_permute2f128_pd(ab, cd, 0x20);
    const __m256d high = _mm256_permute2f128_pd(ab, cd, 0x31);
    _mm256_storeu_pd(out, _mm256_add_pd(low, high));
}

#endif
