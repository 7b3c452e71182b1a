/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes over AVX-512F and DQ: one vector. lanes_c.h says what each operation means.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include <immintrin.h>

#include "platform/portable.h"

#if REAL_BITS == 64
typedef double real;
typedef __m512d lanes;
typedef __mmask8 lanes_mask;
enum { LANES = 8 };
#define AVX512(operation) _mm512_##operation##_pd
#define AVX512_ABOVE _mm512_cmp_pd_mask
#else
typedef float real;
typedef __m512 lanes;
typedef __mmask16 lanes_mask;
enum { LANES = 16 };
#define AVX512(operation) _mm512_##operation##_ps
#define AVX512_ABOVE _mm512_cmp_ps_mask
#endif

/* The tile of a Gram whose sums fit into the registers. */
enum { TILE_ROWS = 8, TILE_LANES = 2 };

/* Before a loop over a few lanes: unrolled, they stay in registers. */
#define LANES_UNROLL LOGREG_UNROLL

LOGREG_INLINE lanes lanes_broadcast(real value)
{
    return AVX512(set1)(value);
}

LOGREG_INLINE lanes lanes_load(const real *p)
{
    return AVX512(loadu)(p);
}

LOGREG_INLINE lanes lanes_load_first(const real *p, int n)
{
    return AVX512(maskz_loadu)((lanes_mask)((1u << n) - 1), p);
}

LOGREG_INLINE lanes lanes_first(lanes a, int n)
{
    return AVX512(maskz_mov)((lanes_mask)((1u << n) - 1), a);
}

LOGREG_INLINE void lanes_store(real *p, lanes a)
{
    AVX512(storeu)(p, a);
}

LOGREG_INLINE __m128i lanes_load_16_bytes(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

#if REAL_BITS == 64

LOGREG_INLINE lanes lanes_load_float32(const float *p)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}

LOGREG_INLINE lanes lanes_load_float16(const logreg_float16 *p)
{
    return _mm512_cvtps_pd(_mm256_cvtph_ps(lanes_load_16_bytes(p)));
}

LOGREG_INLINE lanes lanes_load_int64(const int64_t *p)
{
    return _mm512_cvtepi64_pd(_mm512_loadu_si512(p));
}

LOGREG_INLINE lanes lanes_load_int32(const int32_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_loadu_si256((const __m256i *)p));
}

LOGREG_INLINE lanes lanes_load_int16(const int16_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_cvtepi16_epi32(lanes_load_16_bytes(p)));
}

LOGREG_INLINE lanes lanes_load_uint16(const uint16_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_cvtepu16_epi32(lanes_load_16_bytes(p)));
}

LOGREG_INLINE lanes lanes_load_int8(const int8_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

LOGREG_INLINE lanes lanes_load_uint8(const uint8_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

LOGREG_INLINE lanes lanes_load_bool(const uint8_t *p)
{
    const __m128i v = _mm_min_epu8(_mm_loadl_epi64((const __m128i *)p), _mm_set1_epi8(1));
    return _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(v));
}

#else

LOGREG_INLINE lanes lanes_load_float16(const logreg_float16 *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

LOGREG_INLINE lanes lanes_load_int16(const int16_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)p)));
}

LOGREG_INLINE lanes lanes_load_uint16(const uint16_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)));
}

LOGREG_INLINE lanes lanes_load_int8(const int8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(lanes_load_16_bytes(p)));
}

LOGREG_INLINE lanes lanes_load_uint8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(lanes_load_16_bytes(p)));
}

LOGREG_INLINE lanes lanes_load_bool(const uint8_t *p)
{
    const __m128i v = _mm_min_epu8(lanes_load_16_bytes(p), _mm_set1_epi8(1));
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(v));
}

#endif

LOGREG_INLINE lanes lanes_add(lanes a, lanes b)
{
    return AVX512(add)(a, b);
}

LOGREG_INLINE lanes lanes_sub(lanes a, lanes b)
{
    return AVX512(sub)(a, b);
}

LOGREG_INLINE lanes lanes_mul(lanes a, lanes b)
{
    return AVX512(mul)(a, b);
}

LOGREG_INLINE lanes lanes_div(lanes a, lanes b)
{
    return AVX512(div)(a, b);
}

LOGREG_INLINE lanes lanes_min(lanes a, lanes b)
{
    return AVX512(min)(a, b);
}

LOGREG_INLINE lanes lanes_max(lanes a, lanes b)
{
    return AVX512(max)(a, b);
}

LOGREG_INLINE lanes_mask lanes_gt(lanes a, lanes b)
{
    return AVX512_ABOVE(a, b, _CMP_GT_OQ);
}

LOGREG_INLINE lanes lanes_select(lanes_mask mask, lanes yes, lanes no)
{
    return AVX512(mask_blend)(mask, no, yes);
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    return AVX512(abs)(a);
}

#if REAL_BITS == 64

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a), 52));
}

LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    const __m512i n = _mm512_srli_epi64(_mm512_castpd_si512(a), 52);
    return _mm512_sub_pd(_mm512_cvtepi64_pd(n), _mm512_set1_pd(1023.0));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    const __m512d keep = _mm512_castsi512_pd(_mm512_set1_epi64(0x000fffffffffffff));
    return _mm512_or_pd(_mm512_and_pd(a, keep), _mm512_set1_pd(1.0));
}

/* The lower half of a plus its upper half. */
LOGREG_INLINE __m256d lanes_fold(lanes a)
{
    return _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
}

LOGREG_INLINE double lanes_reduce_add(lanes a)
{
    const __m256d t = lanes_fold(a);
    const __m256d u = _mm256_hadd_pd(t, t);
    return _mm_cvtsd_f64(_mm_add_sd(_mm256_castpd256_pd128(u), _mm256_extractf128_pd(u, 1)));
}

LOGREG_INLINE void lanes_reduce_add4(lanes a, lanes b, lanes c, lanes d, double *out)
{
    const __m256d ab = _mm256_hadd_pd(lanes_fold(a), lanes_fold(b));
    const __m256d cd = _mm256_hadd_pd(lanes_fold(c), lanes_fold(d));
    const __m256d low = _mm256_permute2f128_pd(ab, cd, 0x20);
    const __m256d high = _mm256_permute2f128_pd(ab, cd, 0x31);
    _mm256_storeu_pd(out, _mm256_add_pd(low, high));
}

/* Sets pairs of lanes 0 and 2 of each, or 1 and 3. */
#define LANES_EVEN_PAIRS(a, b) _mm512_shuffle_f64x2(a, b, 0x88)
#define LANES_ODD_PAIRS(a, b) _mm512_shuffle_f64x2(a, b, 0xdd)

LOGREG_INLINE void lanes_transpose(lanes v[LANES])
{
    lanes pairs[LANES], quads[LANES];
    LOGREG_UNROLL
    for (int i = 0; i < LANES; i += 2) {
        pairs[i] = _mm512_unpacklo_pd(v[i], v[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_pd(v[i], v[i + 1]);
    }
    LOGREG_UNROLL
    for (int i = 0; i < 4; i++) {
        const int from = i / 2 * 4 + i % 2;
        quads[2 * i] = LANES_EVEN_PAIRS(pairs[from], pairs[from + 2]);
        quads[2 * i + 1] = LANES_ODD_PAIRS(pairs[from], pairs[from + 2]);
    }
    LOGREG_UNROLL
    for (int i = 0; i < 4; i++) {
        const int to = i / 2 + i % 2 * 2;
        v[to] = LANES_EVEN_PAIRS(quads[i], quads[i + 4]);
        v[to + 4] = LANES_ODD_PAIRS(quads[i], quads[i + 4]);
    }
}

#undef LANES_EVEN_PAIRS
#undef LANES_ODD_PAIRS

#else

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 23));
}

LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    const __m512i n = _mm512_srli_epi32(_mm512_castps_si512(a), 23);
    return _mm512_sub_ps(_mm512_cvtepi32_ps(n), _mm512_set1_ps(127.0f));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    const __m512 keep = _mm512_castsi512_ps(_mm512_set1_epi32(0x007fffff));
    return _mm512_or_ps(_mm512_and_ps(a, keep), _mm512_set1_ps(1.0f));
}

/* 16 lanes folded to 4. */
LOGREG_INLINE __m128 lanes_fold(lanes a)
{
    const __m256 t = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    return _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
}

LOGREG_INLINE float lanes_reduce_add(lanes a)
{
    const __m128 t = lanes_fold(a), u = _mm_hadd_ps(t, t);
    return _mm_cvtss_f32(_mm_hadd_ps(u, u));
}

LOGREG_INLINE void lanes_reduce_add4(lanes a, lanes b, lanes c, lanes d, float *out)
{
    const __m128 ab = _mm_hadd_ps(lanes_fold(a), lanes_fold(b));
    const __m128 cd = _mm_hadd_ps(lanes_fold(c), lanes_fold(d));
    _mm_storeu_ps(out, _mm_hadd_ps(ab, cd));
}

#endif

#undef AVX512
#undef AVX512_ABOVE

#endif
