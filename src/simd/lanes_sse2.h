/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes over SSE2, which every x86-64 CPU has: four vectors. lanes_c.h says what each
 * operation means.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include <emmintrin.h>

#include "platform/portable.h"

#if REAL_BITS == 64
typedef double real;
typedef __m128d vector;
enum { LANES = 8, WIDTH = 2 };
#define SSE2(operation) _mm_##operation##_pd
#define SSE2_BITS(v) _mm_castpd_si128(v)
#define SSE2_REAL(v) _mm_castsi128_pd(v)
#else
typedef float real;
typedef __m128 vector;
enum { LANES = 16, WIDTH = 4 };
#define SSE2(operation) _mm_##operation##_ps
#define SSE2_BITS(v) _mm_castps_si128(v)
#define SSE2_REAL(v) _mm_castsi128_ps(v)
#endif

typedef struct lanes {
    vector at[4];
} lanes;

typedef lanes lanes_mask;

/* The tile of a Gram whose sums fit into the registers. */
enum { TILE_ROWS = 2, TILE_LANES = 1 };

/* Before a loop over a few lanes. Empty: there are too few registers for them, unrolled or not. */
#define LANES_UNROLL

/* Returns lanes of the expression, of which i is the number of the vector. Not a loop: gcc unrolls
 * it only after it has laid out the lanes in memory, and then leaves many of them there. */
#define LANES_SSE2_AT(number, expression)                                                          \
    do {                                                                                           \
        enum { i = number };                                                                       \
        r.at[i] = expression;                                                                      \
    } while (0)
#define LANES_SSE2(expression)                                                                     \
    do {                                                                                           \
        lanes r;                                                                                   \
        LANES_SSE2_AT(0, expression);                                                              \
        LANES_SSE2_AT(1, expression);                                                              \
        LANES_SSE2_AT(2, expression);                                                              \
        LANES_SSE2_AT(3, expression);                                                              \
        return r;                                                                                  \
    } while (0)

LOGREG_INLINE lanes lanes_broadcast(real value)
{
    LANES_SSE2(SSE2(set1)(value));
}

LOGREG_INLINE lanes lanes_load(const real *p)
{
    LANES_SSE2(SSE2(loadu)(p + WIDTH * i));
}

LOGREG_INLINE void lanes_store(real *p, lanes a)
{
    for (int i = 0; i < 4; i++) SSE2(storeu)(p + WIDTH * i, a.at[i]);
}

/* Ones in the lanes of vector i that come before lane n. */
LOGREG_INLINE vector lanes_mask_of(int i, int n)
{
#if REAL_BITS == 64
    const __m128i lane = _mm_setr_epi32(2 * i, 2 * i, 2 * i + 1, 2 * i + 1);
#else
    const __m128i lane = _mm_setr_epi32(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
#endif
    return SSE2_REAL(_mm_cmpgt_epi32(_mm_set1_epi32(n), lane));
}

LOGREG_INLINE lanes lanes_first(lanes a, int n)
{
    LANES_SSE2(SSE2 (and)(a.at[i], lanes_mask_of(i, n)));
}

/* Whole vectors; the rest one value at a time. */
LOGREG_INLINE lanes lanes_load_first(const real *p, int n)
{
#if REAL_BITS == 64
    LANES_SSE2(2 * i + 1 < n ? _mm_loadu_pd(p + 2 * i)
               : 2 * i < n   ? _mm_load_sd(p + 2 * i)
                             : _mm_setzero_pd());
#else
    LANES_SSE2(4 * i + 3 < n ? _mm_loadu_ps(p + 4 * i)
               : 4 * i < n   ? _mm_setr_ps(p[4 * i], 4 * i + 1 < n ? p[4 * i + 1] : 0,
                                         4 * i + 2 < n ? p[4 * i + 2] : 0, 0)
                             : _mm_setzero_ps());
#endif
}

/* Four int32 from narrower integers: each is unpacked beside itself, to be shifted down with its
 * sign, or beside a zero. */
LOGREG_INLINE __m128i lanes_low_int16(__m128i v)
{
    return _mm_srai_epi32(_mm_unpacklo_epi16(v, v), 16);
}

LOGREG_INLINE __m128i lanes_low_uint16(__m128i v)
{
    return _mm_unpacklo_epi16(v, _mm_setzero_si128());
}

LOGREG_INLINE __m128i lanes_load_4_bytes(const void *p)
{
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
}

LOGREG_INLINE __m128i lanes_4_int16(const int16_t *p)
{
    return lanes_low_int16(_mm_loadl_epi64((const __m128i *)p));
}

LOGREG_INLINE __m128i lanes_4_uint16(const void *p)
{
    return lanes_low_uint16(_mm_loadl_epi64((const __m128i *)p));
}

LOGREG_INLINE __m128i lanes_4_int8(const int8_t *p)
{
    const __m128i v = lanes_load_4_bytes(p);
    return _mm_srai_epi32(lanes_low_int16(_mm_unpacklo_epi8(v, v)), 8);
}

LOGREG_INLINE __m128i lanes_4_of_bytes(__m128i bytes)
{
    return lanes_low_uint16(_mm_unpacklo_epi8(bytes, _mm_setzero_si128()));
}

LOGREG_INLINE __m128i lanes_4_uint8(const uint8_t *p)
{
    return lanes_4_of_bytes(lanes_load_4_bytes(p));
}

LOGREG_INLINE __m128i lanes_4_bool(const uint8_t *p)
{
    return lanes_4_of_bytes(_mm_min_epu8(lanes_load_4_bytes(p), _mm_set1_epi8(1)));
}

/* Exponent and fraction move to where float32 has them, and 2^112 makes up for the bias; it makes
 * subnormals normal too. The exponent of infinities and NaNs is filled up. */
LOGREG_INLINE __m128 lanes_4_float16(const logreg_float16 *p)
{
    const __m128i h = lanes_4_uint16(p);
    const __m128i sign = _mm_slli_epi32(_mm_and_si128(h, _mm_set1_epi32(0x8000)), 16);
    const __m128i size = _mm_slli_epi32(_mm_and_si128(h, _mm_set1_epi32(0x7fff)), 13);
    const __m128i special = _mm_and_si128(_mm_cmpgt_epi32(size, _mm_set1_epi32(0x0f7fffff)),
                                          _mm_set1_epi32(0x7f800000));
    const __m128 scaled = _mm_mul_ps(_mm_castsi128_ps(size), _mm_set1_ps(0x1p112f));
    return _mm_or_ps(scaled, _mm_castsi128_ps(_mm_or_si128(sign, special)));
}

#if REAL_BITS == 32

LOGREG_INLINE lanes lanes_load_float16(const logreg_float16 *p)
{
    LANES_SSE2(lanes_4_float16(p + 4 * i));
}

#define LANES_SSE2_LOAD(name, type, four)                                                          \
    LOGREG_INLINE lanes name(const type *p)                                                        \
    {                                                                                              \
        LANES_SSE2(_mm_cvtepi32_ps(four(p + 4 * i)));                                              \
    }

#else

/* Each four make two vectors of two. */
#define LANES_SSE2_LOAD(name, type, four)                                                          \
    LOGREG_INLINE lanes name(const type *p)                                                        \
    {                                                                                              \
        const __m128i low = four(p), high = four(p + 4);                                           \
        lanes r;                                                                                   \
        r.at[0] = _mm_cvtepi32_pd(low);                                                            \
        r.at[1] = _mm_cvtepi32_pd(_mm_unpackhi_epi64(low, low));                                   \
        r.at[2] = _mm_cvtepi32_pd(high);                                                           \
        r.at[3] = _mm_cvtepi32_pd(_mm_unpackhi_epi64(high, high));                                 \
        return r;                                                                                  \
    }

LOGREG_INLINE lanes lanes_of_float32(__m128 low, __m128 high)
{
    lanes r;
    r.at[0] = _mm_cvtps_pd(low);
    r.at[1] = _mm_cvtps_pd(_mm_movehl_ps(low, low));
    r.at[2] = _mm_cvtps_pd(high);
    r.at[3] = _mm_cvtps_pd(_mm_movehl_ps(high, high));
    return r;
}

LOGREG_INLINE lanes lanes_load_float32(const float *p)
{
    return lanes_of_float32(_mm_loadu_ps(p), _mm_loadu_ps(p + 4));
}

LOGREG_INLINE lanes lanes_load_float16(const logreg_float16 *p)
{
    return lanes_of_float32(lanes_4_float16(p), lanes_4_float16(p + 4));
}

LOGREG_INLINE __m128i lanes_4_int32(const int32_t *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

LANES_SSE2_LOAD(lanes_load_int32, int32_t, lanes_4_int32)

/* The upper 32 bits, signed, at 2^84 and the lower 32, unsigned, at 2^52: both are exact as doubles
 * once the offsets are taken away, and one addition rounds. */
LOGREG_INLINE __m128d lanes_2_int64(const int64_t *p)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)p);
    const __m128i low_half = _mm_set1_epi64x(0xffffffff);
    const __m128i low =
        _mm_or_si128(_mm_and_si128(v, low_half), _mm_castpd_si128(_mm_set1_pd(0x1p52)));
    const __m128i high =
        _mm_xor_si128(_mm_srli_epi64(v, 32), _mm_castpd_si128(_mm_set1_pd(0x1p84 + 0x1p63)));
    const __m128d upper = _mm_sub_pd(_mm_castsi128_pd(high), _mm_set1_pd(0x1p84 + 0x1p63 + 0x1p52));
    return _mm_add_pd(upper, _mm_castsi128_pd(low));
}

LOGREG_INLINE lanes lanes_load_int64(const int64_t *p)
{
    LANES_SSE2(lanes_2_int64(p + 2 * i));
}

#endif

LANES_SSE2_LOAD(lanes_load_int16, int16_t, lanes_4_int16)
LANES_SSE2_LOAD(lanes_load_int8, int8_t, lanes_4_int8)
LANES_SSE2_LOAD(lanes_load_uint16, uint16_t, lanes_4_uint16)
LANES_SSE2_LOAD(lanes_load_uint8, uint8_t, lanes_4_uint8)
LANES_SSE2_LOAD(lanes_load_bool, uint8_t, lanes_4_bool)

LOGREG_INLINE lanes lanes_add(lanes a, lanes b)
{
    LANES_SSE2(SSE2(add)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_sub(lanes a, lanes b)
{
    LANES_SSE2(SSE2(sub)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_mul(lanes a, lanes b)
{
    LANES_SSE2(SSE2(mul)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_div(lanes a, lanes b)
{
    LANES_SSE2(SSE2(div)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_min(lanes a, lanes b)
{
    LANES_SSE2(SSE2(min)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_max(lanes a, lanes b)
{
    LANES_SSE2(SSE2(max)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes_mask lanes_gt(lanes a, lanes b)
{
    LANES_SSE2(SSE2(cmpgt)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_select(lanes_mask mask, lanes yes, lanes no)
{
    LANES_SSE2(SSE2(or)(SSE2 (and)(mask.at[i], yes.at[i]), SSE2(andnot)(mask.at[i], no.at[i])));
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    LANES_SSE2(SSE2(andnot)(SSE2(set1)((real)-0.0), a.at[i]));
}

#if REAL_BITS == 64

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    LANES_SSE2(_mm_castsi128_pd(_mm_slli_epi64(_mm_castpd_si128(a.at[i]), 52)));
}

/* 2^52 + n, as a double, has n in its lowest bits: this turns an integer into a double. */
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

LOGREG_INLINE double lanes_reduce_add(lanes a)
{
    const __m128d t01 = _mm_add_pd(a.at[0], a.at[2]);
    const __m128d t23 = _mm_add_pd(a.at[1], a.at[3]);
    const __m128d u = _mm_add_pd(_mm_unpacklo_pd(t01, t23), _mm_unpackhi_pd(t01, t23));
    return _mm_cvtsd_f64(_mm_add_sd(u, _mm_unpackhi_pd(u, u)));
}

LOGREG_INLINE void lanes_reduce_add4(lanes a, lanes b, lanes c, lanes d, double *out)
{
    out[0] = lanes_reduce_add(a);
    out[1] = lanes_reduce_add(b);
    out[2] = lanes_reduce_add(c);
    out[3] = lanes_reduce_add(d);
}

LOGREG_INLINE void lanes_transpose(lanes v[LANES])
{
    lanes from[LANES];
    memcpy(from, v, sizeof from);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            v[2 * k].at[i] = _mm_unpacklo_pd(from[2 * i].at[k], from[2 * i + 1].at[k]);
            v[2 * k + 1].at[i] = _mm_unpackhi_pd(from[2 * i].at[k], from[2 * i + 1].at[k]);
        }
}

#else

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    LANES_SSE2(_mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(a.at[i]), 23)));
}

LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    LANES_SSE2(_mm_sub_ps(_mm_cvtepi32_ps(_mm_srli_epi32(_mm_castps_si128(a.at[i]), 23)),
                          _mm_set1_ps(127.0f)));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    LANES_SSE2(_mm_or_ps(_mm_and_ps(a.at[i], _mm_castsi128_ps(_mm_set1_epi32(0x007fffff))),
                         _mm_set1_ps(1.0f)));
}

/* 16 lanes folded to 4. */
LOGREG_INLINE __m128 lanes_fold(lanes a)
{
    return _mm_add_ps(_mm_add_ps(a.at[0], a.at[2]), _mm_add_ps(a.at[1], a.at[3]));
}

LOGREG_INLINE void lanes_reduce_add4(lanes a, lanes b, lanes c, lanes d, float *out)
{
    __m128 s = lanes_fold(a), t = lanes_fold(b), u = lanes_fold(c), v = lanes_fold(d);
    _MM_TRANSPOSE4_PS(s, t, u, v);
    _mm_storeu_ps(out, _mm_add_ps(_mm_add_ps(s, t), _mm_add_ps(u, v)));
}

LOGREG_INLINE float lanes_reduce_add(lanes a)
{
    const __m128 t = lanes_fold(a);
    const __m128 u = _mm_add_ps(t, _mm_shuffle_ps(t, t, 0xb1)); /* 0 + 1, 1 + 0, 2 + 3, 3 + 2 */
    return _mm_cvtss_f32(_mm_add_ss(u, _mm_movehl_ps(u, u)));
}

#endif

#undef SSE2
#undef SSE2_BITS
#undef SSE2_REAL
#undef LANES_SSE2
#undef LANES_SSE2_AT
#undef LANES_SSE2_LOAD

#endif
