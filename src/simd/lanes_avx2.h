/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes over AVX2 and F16C: two vectors. lanes_c.h says what each operation means.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include <immintrin.h>

#include "platform/portable.h"

#if REAL_BITS == 64
typedef double real;
typedef __m256d vector;
enum { LANES = 8, WIDTH = 4 };
#define AVX2(operation) _mm256_##operation##_pd
#else
typedef float real;
typedef __m256 vector;
enum { LANES = 16, WIDTH = 8 };
#define AVX2(operation) _mm256_##operation##_ps
#endif

typedef struct lanes {
    vector lo, hi;
} lanes;

typedef lanes lanes_mask;

/* The tile of a Gram whose sums fit into the registers. */
enum { TILE_ROWS = 4, TILE_LANES = 1 };

/* Before a loop over a few lanes: unrolled, they stay in registers. */
#define LANES_UNROLL LOGREG_UNROLL

LOGREG_INLINE lanes lanes_of(vector lo, vector hi)
{
    lanes r;
    r.lo = lo;
    r.hi = hi;
    return r;
}

LOGREG_INLINE lanes lanes_broadcast(real value)
{
    return lanes_of(AVX2(set1)(value), AVX2(set1)(value));
}

LOGREG_INLINE lanes lanes_load(const real *p)
{
    return lanes_of(AVX2(loadu)(p), AVX2(loadu)(p + WIDTH));
}

LOGREG_INLINE void lanes_store(real *p, lanes a)
{
    AVX2(storeu)(p, a.lo);
    AVX2(storeu)(p + WIDTH, a.hi);
}

/* Ones in the lanes of a half that come before lane n; the half begins with lane `first`. */
LOGREG_INLINE __m256i lanes_mask_of(int first, int n)
{
#if REAL_BITS == 64
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n - first), _mm256_setr_epi64x(0, 1, 2, 3));
#else
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n - first),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
#endif
}

LOGREG_INLINE lanes lanes_load_first(const real *p, int n)
{
    return lanes_of(AVX2(maskload)(p, lanes_mask_of(0, n)),
                    AVX2(maskload)(p + WIDTH, lanes_mask_of(WIDTH, n)));
}

LOGREG_INLINE __m128i lanes_load_4_bytes(const void *p)
{
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
}

#if REAL_BITS == 64

LOGREG_INLINE lanes lanes_first(lanes a, int n)
{
    return lanes_of(_mm256_and_pd(a.lo, _mm256_castsi256_pd(lanes_mask_of(0, n))),
                    _mm256_and_pd(a.hi, _mm256_castsi256_pd(lanes_mask_of(WIDTH, n))));
}

#define LANES_AVX2_LOAD(name, type, half)                                                          \
    LOGREG_INLINE lanes name(const type *p)                                                        \
    {                                                                                              \
        return lanes_of(half(p), half(p + WIDTH));                                                 \
    }

LOGREG_INLINE __m256d lanes_4_float32(const float *p)
{
    return _mm256_cvtps_pd(_mm_loadu_ps(p));
}

LOGREG_INLINE __m256d lanes_4_float16(const logreg_float16 *p)
{
    return _mm256_cvtps_pd(_mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)p)));
}

/* The upper 32 bits, signed, at 2^84 and the lower 32, unsigned, at 2^52: both are exact as doubles
 * once the offsets are taken away, and one addition rounds. */
LOGREG_INLINE __m256d lanes_4_int64(const int64_t *p)
{
    const __m256i v = _mm256_loadu_si256((const __m256i *)p);
    const __m256i low = _mm256_blend_epi32(v, _mm256_castpd_si256(_mm256_set1_pd(0x1p52)), 0xaa);
    const __m256i high = _mm256_xor_si256(_mm256_srli_epi64(v, 32),
                                          _mm256_castpd_si256(_mm256_set1_pd(0x1p84 + 0x1p63)));
    const __m256d upper =
        _mm256_sub_pd(_mm256_castsi256_pd(high), _mm256_set1_pd(0x1p84 + 0x1p63 + 0x1p52));
    return _mm256_add_pd(upper, _mm256_castsi256_pd(low));
}

LOGREG_INLINE __m256d lanes_4_int32(const int32_t *p)
{
    return _mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)p));
}

LOGREG_INLINE __m256d lanes_4_int16(const int16_t *p)
{
    return _mm256_cvtepi32_pd(_mm_cvtepi16_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

LOGREG_INLINE __m256d lanes_4_uint16(const uint16_t *p)
{
    return _mm256_cvtepi32_pd(_mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

LOGREG_INLINE __m256d lanes_4_int8(const int8_t *p)
{
    return _mm256_cvtepi32_pd(_mm_cvtepi8_epi32(lanes_load_4_bytes(p)));
}

LOGREG_INLINE __m256d lanes_4_uint8(const uint8_t *p)
{
    return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(lanes_load_4_bytes(p)));
}

LOGREG_INLINE __m256d lanes_4_bool(const uint8_t *p)
{
    const __m128i v = _mm_min_epu8(lanes_load_4_bytes(p), _mm_set1_epi8(1));
    return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(v));
}

LANES_AVX2_LOAD(lanes_load_float32, float, lanes_4_float32)
LANES_AVX2_LOAD(lanes_load_float16, logreg_float16, lanes_4_float16)
LANES_AVX2_LOAD(lanes_load_int64, int64_t, lanes_4_int64)
LANES_AVX2_LOAD(lanes_load_int32, int32_t, lanes_4_int32)
LANES_AVX2_LOAD(lanes_load_int16, int16_t, lanes_4_int16)
LANES_AVX2_LOAD(lanes_load_int8, int8_t, lanes_4_int8)
LANES_AVX2_LOAD(lanes_load_uint16, uint16_t, lanes_4_uint16)
LANES_AVX2_LOAD(lanes_load_uint8, uint8_t, lanes_4_uint8)
LANES_AVX2_LOAD(lanes_load_bool, uint8_t, lanes_4_bool)

#else

LOGREG_INLINE lanes lanes_first(lanes a, int n)
{
    return lanes_of(_mm256_and_ps(a.lo, _mm256_castsi256_ps(lanes_mask_of(0, n))),
                    _mm256_and_ps(a.hi, _mm256_castsi256_ps(lanes_mask_of(WIDTH, n))));
}

LOGREG_INLINE lanes lanes_load_float16(const logreg_float16 *p)
{
    return lanes_of(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)),
                    _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + WIDTH))));
}

#define LANES_AVX2_LOAD(name, type, widen, load)                                                   \
    LOGREG_INLINE lanes name(const type *p)                                                        \
    {                                                                                              \
        return lanes_of(_mm256_cvtepi32_ps(widen(load((const __m128i *)p))),                       \
                        _mm256_cvtepi32_ps(widen(load((const __m128i *)(p + WIDTH)))));            \
    }

LANES_AVX2_LOAD(lanes_load_int16, int16_t, _mm256_cvtepi16_epi32, _mm_loadu_si128)
LANES_AVX2_LOAD(lanes_load_int8, int8_t, _mm256_cvtepi8_epi32, _mm_loadl_epi64)
LANES_AVX2_LOAD(lanes_load_uint16, uint16_t, _mm256_cvtepu16_epi32, _mm_loadu_si128)
LANES_AVX2_LOAD(lanes_load_uint8, uint8_t, _mm256_cvtepu8_epi32, _mm_loadl_epi64)

LOGREG_INLINE __m128i lanes_8_bool(const __m128i *p)
{
    return _mm_min_epu8(_mm_loadl_epi64(p), _mm_set1_epi8(1));
}

LANES_AVX2_LOAD(lanes_load_bool, uint8_t, _mm256_cvtepu8_epi32, lanes_8_bool)

#endif

LOGREG_INLINE lanes lanes_add(lanes a, lanes b)
{
    return lanes_of(AVX2(add)(a.lo, b.lo), AVX2(add)(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_sub(lanes a, lanes b)
{
    return lanes_of(AVX2(sub)(a.lo, b.lo), AVX2(sub)(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_mul(lanes a, lanes b)
{
    return lanes_of(AVX2(mul)(a.lo, b.lo), AVX2(mul)(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_div(lanes a, lanes b)
{
    return lanes_of(AVX2(div)(a.lo, b.lo), AVX2(div)(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_min(lanes a, lanes b)
{
    return lanes_of(AVX2(min)(a.lo, b.lo), AVX2(min)(a.hi, b.hi));
}

LOGREG_INLINE lanes lanes_max(lanes a, lanes b)
{
    return lanes_of(AVX2(max)(a.lo, b.lo), AVX2(max)(a.hi, b.hi));
}

LOGREG_INLINE lanes_mask lanes_gt(lanes a, lanes b)
{
    return lanes_of(AVX2(cmp)(a.lo, b.lo, _CMP_GT_OQ), AVX2(cmp)(a.hi, b.hi, _CMP_GT_OQ));
}

LOGREG_INLINE lanes lanes_select(lanes_mask mask, lanes yes, lanes no)
{
    return lanes_of(AVX2(blendv)(no.lo, yes.lo, mask.lo), AVX2(blendv)(no.hi, yes.hi, mask.hi));
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    const vector sign = AVX2(set1)((real)-0.0);
    return lanes_of(AVX2(andnot)(sign, a.lo), AVX2(andnot)(sign, a.hi));
}

#if REAL_BITS == 64

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    return lanes_of(_mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a.lo), 52)),
                    _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a.hi), 52)));
}

/* 2^52 + n, as a double, has n in its lowest bits: this turns an integer into a double. */
LOGREG_INLINE __m256d lanes_half_exponent(__m256d a)
{
    const __m256i n = _mm256_srli_epi64(_mm256_castpd_si256(a), 52);
    const __m256d shifted = _mm256_or_pd(_mm256_castsi256_pd(n), _mm256_set1_pd(0x1p52));
    return _mm256_sub_pd(shifted, _mm256_set1_pd(0x1p52 + 1023.0));
}

LOGREG_INLINE __m256d lanes_half_fraction(__m256d a)
{
    const __m256d keep = _mm256_castsi256_pd(_mm256_set1_epi64x(0x000fffffffffffff));
    return _mm256_or_pd(_mm256_and_pd(a, keep), _mm256_set1_pd(1.0));
}

LOGREG_INLINE double lanes_reduce_add(lanes a)
{
    const __m256d t = _mm256_add_pd(a.lo, a.hi);
    const __m256d u = _mm256_hadd_pd(t, t);
    return _mm_cvtsd_f64(_mm_add_sd(_mm256_castpd256_pd128(u), _mm256_extractf128_pd(u, 1)));
}

LOGREG_INLINE void lanes_reduce_add4(lanes a, lanes b, lanes c, lanes d, double *out)
{
    const __m256d ab = _mm256_hadd_pd(_mm256_add_pd(a.lo, a.hi), _mm256_add_pd(b.lo, b.hi));
    const __m256d cd = _mm256_hadd_pd(_mm256_add_pd(c.lo, c.hi), _mm256_add_pd(d.lo, d.hi));
    const __m256d low = _mm256_permute2f128_pd(ab, cd, 0x20);
    const __m256d high = _mm256_permute2f128_pd(ab, cd, 0x31);
    _mm256_storeu_pd(out, _mm256_add_pd(low, high));
}

LOGREG_INLINE void lanes_transpose_vectors(vector v[WIDTH])
{
    const vector a = _mm256_unpacklo_pd(v[0], v[1]), b = _mm256_unpackhi_pd(v[0], v[1]);
    const vector c = _mm256_unpacklo_pd(v[2], v[3]), d = _mm256_unpackhi_pd(v[2], v[3]);
    v[0] = _mm256_permute2f128_pd(a, c, 0x20);
    v[1] = _mm256_permute2f128_pd(b, d, 0x20);
    v[2] = _mm256_permute2f128_pd(a, c, 0x31);
    v[3] = _mm256_permute2f128_pd(b, d, 0x31);
}

LOGREG_INLINE void lanes_transpose(lanes v[LANES])
{
    vector lo[LANES], hi[LANES];
    LOGREG_UNROLL
    for (int i = 0; i < LANES; i++) {
        lo[i] = v[i].lo;
        hi[i] = v[i].hi;
    }
    lanes_transpose_vectors(lo);
    lanes_transpose_vectors(lo + WIDTH);
    lanes_transpose_vectors(hi);
    lanes_transpose_vectors(hi + WIDTH);
    LOGREG_UNROLL
    for (int i = 0; i < WIDTH; i++) {
        v[i] = lanes_of(lo[i], lo[i + WIDTH]);
        v[i + WIDTH] = lanes_of(hi[i], hi[i + WIDTH]);
    }
}

#else

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    return lanes_of(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.lo), 23)),
                    _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.hi), 23)));
}

LOGREG_INLINE __m256 lanes_half_exponent(__m256 a)
{
    const __m256i n = _mm256_srli_epi32(_mm256_castps_si256(a), 23);
    return _mm256_sub_ps(_mm256_cvtepi32_ps(n), _mm256_set1_ps(127.0f));
}

LOGREG_INLINE __m256 lanes_half_fraction(__m256 a)
{
    const __m256 keep = _mm256_castsi256_ps(_mm256_set1_epi32(0x007fffff));
    return _mm256_or_ps(_mm256_and_ps(a, keep), _mm256_set1_ps(1.0f));
}

/* 16 lanes folded to 4. */
LOGREG_INLINE __m128 lanes_fold(lanes a)
{
    const __m256 t = _mm256_add_ps(a.lo, a.hi);
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

LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    return lanes_of(lanes_half_exponent(a.lo), lanes_half_exponent(a.hi));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    return lanes_of(lanes_half_fraction(a.lo), lanes_half_fraction(a.hi));
}

#undef AVX2
#undef LANES_AVX2_LOAD

#endif
