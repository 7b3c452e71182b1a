/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes layer over AVX2: two vectors of four. lanes_c.h says what each operation means.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include <immintrin.h>

#include "portable.h"

#define LANES 8

typedef struct lanes {
    __m256d lo, hi;
} lanes;

typedef lanes lanes_mask;

LOGREG_INLINE lanes lanes_of(__m256d lo, __m256d hi)
{
    lanes r;
    r.lo = lo;
    r.hi = hi;
    return r;
}

LOGREG_INLINE lanes lanes_set(double value)
{
    return lanes_of(_mm256_set1_pd(value), _mm256_set1_pd(value));
}

LOGREG_INLINE lanes lanes_load(const double *p)
{
    return lanes_of(_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4));
}

LOGREG_INLINE lanes lanes_load_first(const double *p, int n)
{
    const __m256i wanted = _mm256_set1_epi64x(n);
    const __m256i lo = _mm256_cmpgt_epi64(wanted, _mm256_setr_epi64x(0, 1, 2, 3));
    const __m256i hi = _mm256_cmpgt_epi64(wanted, _mm256_setr_epi64x(4, 5, 6, 7));
    return lanes_of(_mm256_maskload_pd(p, lo), _mm256_maskload_pd(p + 4, hi));
}

LOGREG_INLINE void lanes_store(double *p, lanes a)
{
    _mm256_storeu_pd(p, a.lo);
    _mm256_storeu_pd(p + 4, a.hi);
}

LOGREG_INLINE lanes lanes_add(lanes a, lanes b)
{
    return lanes_of(_mm256_add_pd(a.lo, b.lo), _mm256_add_pd(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_sub(lanes a, lanes b)
{
    return lanes_of(_mm256_sub_pd(a.lo, b.lo), _mm256_sub_pd(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_mul(lanes a, lanes b)
{
    return lanes_of(_mm256_mul_pd(a.lo, b.lo), _mm256_mul_pd(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_div(lanes a, lanes b)
{
    return lanes_of(_mm256_div_pd(a.lo, b.lo), _mm256_div_pd(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_min(lanes a, lanes b)
{
    return lanes_of(_mm256_min_pd(a.lo, b.lo), _mm256_min_pd(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_max(lanes a, lanes b)
{
    return lanes_of(_mm256_max_pd(a.lo, b.lo), _mm256_max_pd(a.hi, b.hi));
}

LOGREG_INLINE lanes_mask lanes_above(lanes a, lanes b)
{
    return lanes_of(_mm256_cmp_pd(a.lo, b.lo, _CMP_GT_OQ), _mm256_cmp_pd(a.hi, b.hi, _CMP_GT_OQ));
}

LOGREG_INLINE lanes lanes_choose(lanes_mask mask, lanes yes, lanes no)
{
    return lanes_of(_mm256_blendv_pd(no.lo, yes.lo, mask.lo),
                    _mm256_blendv_pd(no.hi, yes.hi, mask.hi));
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    const __m256d sign = _mm256_set1_pd(-0.0);
    return lanes_of(_mm256_andnot_pd(sign, a.lo), _mm256_andnot_pd(sign, a.hi));
}

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    return lanes_of(_mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a.lo), 52)),
                    _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a.hi), 52)));
}

/* 2^52 + n, as a double, has n in its lowest bits: so an integer becomes a double. */
LOGREG_INLINE __m256d lanes_half_exponent(__m256d a)
{
    const __m256i n = _mm256_srli_epi64(_mm256_castpd_si256(a), 52);
    const __m256d two52 = _mm256_set1_pd(0x1p52);
    const __m256d shifted = _mm256_or_pd(_mm256_castsi256_pd(n), two52);
    return _mm256_sub_pd(shifted, _mm256_set1_pd(0x1p52 + 1023.0));
}

LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    return lanes_of(lanes_half_exponent(a.lo), lanes_half_exponent(a.hi));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    const __m256d keep = _mm256_castsi256_pd(_mm256_set1_epi64x(0x000fffffffffffff));
    const __m256d one = _mm256_set1_pd(1.0);
    return lanes_of(_mm256_or_pd(_mm256_and_pd(a.lo, keep), one),
                    _mm256_or_pd(_mm256_and_pd(a.hi, keep), one));
}

LOGREG_INLINE double lanes_sum(lanes a)
{
    const __m256d t = _mm256_add_pd(a.lo, a.hi);
    const __m256d u = _mm256_hadd_pd(t, t);
    return _mm_cvtsd_f64(_mm_add_sd(_mm256_castpd256_pd128(u), _mm256_extractf128_pd(u, 1)));
}

LOGREG_INLINE void lanes_sum4(lanes a, lanes b, lanes c, lanes d, double *out)
{
    const __m256d ab = _mm256_hadd_pd(_mm256_add_pd(a.lo, a.hi), _mm256_add_pd(b.lo, b.hi));
    const __m256d cd = _mm256_hadd_pd(_mm256_add_pd(c.lo, c.hi), _mm256_add_pd(d.lo, d.hi));
    const __m256d low = _mm256_permute2f128_pd(ab, cd, 0x20);
    const __m256d high = _mm256_permute2f128_pd(ab, cd, 0x31);
    _mm256_storeu_pd(out, _mm256_add_pd(low, high));
}

#endif
