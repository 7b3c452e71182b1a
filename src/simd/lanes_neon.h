/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes over Advanced SIMD (NEON), which every AArch64 CPU has: four vectors. lanes_c.h says
 * what each operation means. The fused multiply-adds that these CPUs prefer are not used: they
 * round once where the other backends round twice.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include <arm_neon.h>

#include "platform/portable.h"

#if REAL_BITS == 64
typedef double real;
typedef float64x2_t vector;
enum { LANES = 8, WIDTH = 2 };
typedef uint64x2_t vector_bits;
#define NEON(operation) v##operation##_f64
#define NEON_BITS(operation) v##operation##_u64
#define TO_BITS vreinterpretq_u64_f64
#define TO_REAL vreinterpretq_f64_u64
#else
typedef float real;
typedef float32x4_t vector;
enum { LANES = 16, WIDTH = 4 };
typedef uint32x4_t vector_bits;
#define NEON(operation) v##operation##_f32
#define NEON_BITS(operation) v##operation##_u32
#define TO_BITS vreinterpretq_u32_f32
#define TO_REAL vreinterpretq_f32_u32
#endif

typedef struct lanes {
    vector at[4];
} lanes;

typedef struct lanes_mask {
    vector_bits at[4];
} lanes_mask;

/* The tile of a Gram whose sums fit into the registers. */
enum { TILE_ROWS = 4, TILE_LANES = 1 };

/* Before a loop over a few lanes. Empty: there are too few registers for them, unrolled or not. */
#define LANES_UNROLL

/* Returns lanes of the expression, of which i is the number of the vector. */
#define LANES_NEON(expression)                                                                     \
    do {                                                                                           \
        lanes r;                                                                                   \
        for (int i = 0; i < 4; i++) r.at[i] = expression;                                          \
        return r;                                                                                  \
    } while (0)

LOGREG_INLINE lanes lanes_broadcast(real value)
{
    LANES_NEON(NEON(dupq_n)(value));
}

LOGREG_INLINE lanes lanes_load(const real *p)
{
    LANES_NEON(NEON(ld1q)(p + WIDTH * i));
}

LOGREG_INLINE void lanes_store(real *p, lanes a)
{
    for (int i = 0; i < 4; i++) NEON(st1q)(p + WIDTH * i, a.at[i]);
}

/* Ones in the lanes of vector i that come before lane n. */
LOGREG_INLINE vector_bits lanes_mask_of(int i, int n)
{
#if REAL_BITS == 64
    const uint64_t lane[WIDTH] = {0, 1};
    return vcltq_s64(vreinterpretq_s64_u64(vld1q_u64(lane)), vdupq_n_s64(n - WIDTH * i));
#else
    const uint32_t lane[WIDTH] = {0, 1, 2, 3};
    return vcltq_s32(vreinterpretq_s32_u32(vld1q_u32(lane)), vdupq_n_s32(n - WIDTH * i));
#endif
}

LOGREG_INLINE lanes lanes_first(lanes a, int n)
{
    LANES_NEON(TO_REAL(NEON_BITS(andq)(TO_BITS(a.at[i]), lanes_mask_of(i, n))));
}

/* Whole vectors; the rest one value at a time. */
LOGREG_INLINE lanes lanes_load_first(const real *p, int n)
{
    lanes r;
    for (int i = 0; i < 4; i++) {
        const int some = n - WIDTH * i;
        if (some >= WIDTH) {
            r.at[i] = NEON(ld1q)(p + WIDTH * i);
            continue;
        }
        real rest[WIDTH] = {0};
        for (int k = 0; k < some; k++) rest[k] = p[WIDTH * i + k];
        r.at[i] = NEON(ld1q)(rest);
    }
    return r;
}

/* Eight values of a narrow type, which float32 holds exactly. */
LOGREG_INLINE float32x4x2_t lanes_8_float16(const logreg_float16 *p)
{
    const float16x8_t v = vreinterpretq_f16_u16(vld1q_u16(&p->bits));
    const float32x4x2_t r = {{vcvt_f32_f16(vget_low_f16(v)), vcvt_high_f32_f16(v)}};
    return r;
}

LOGREG_INLINE float32x4x2_t lanes_of_int16(int16x8_t v)
{
    const float32x4x2_t r = {
        {vcvtq_f32_s32(vmovl_s16(vget_low_s16(v))), vcvtq_f32_s32(vmovl_high_s16(v))}};
    return r;
}

LOGREG_INLINE float32x4x2_t lanes_of_uint16(uint16x8_t v)
{
    const float32x4x2_t r = {
        {vcvtq_f32_u32(vmovl_u16(vget_low_u16(v))), vcvtq_f32_u32(vmovl_high_u16(v))}};
    return r;
}

LOGREG_INLINE float32x4x2_t lanes_8_int16(const int16_t *p)
{
    return lanes_of_int16(vld1q_s16(p));
}

LOGREG_INLINE float32x4x2_t lanes_8_int8(const int8_t *p)
{
    return lanes_of_int16(vmovl_s8(vld1_s8(p)));
}

LOGREG_INLINE float32x4x2_t lanes_8_uint16(const uint16_t *p)
{
    return lanes_of_uint16(vld1q_u16(p));
}

LOGREG_INLINE float32x4x2_t lanes_8_uint8(const uint8_t *p)
{
    return lanes_of_uint16(vmovl_u8(vld1_u8(p)));
}

LOGREG_INLINE float32x4x2_t lanes_8_bool(const uint8_t *p)
{
    return lanes_of_uint16(vmovl_u8(vmin_u8(vld1_u8(p), vdup_n_u8(1))));
}

#if REAL_BITS == 64

LOGREG_INLINE lanes lanes_of_float32(float32x4x2_t v)
{
    const lanes r = {{vcvt_f64_f32(vget_low_f32(v.val[0])), vcvt_high_f64_f32(v.val[0]),
                      vcvt_f64_f32(vget_low_f32(v.val[1])), vcvt_high_f64_f32(v.val[1])}};
    return r;
}

LOGREG_INLINE float32x4x2_t lanes_8_float32(const float *p)
{
    const float32x4x2_t r = {{vld1q_f32(p), vld1q_f32(p + 4)}};
    return r;
}

LOGREG_INLINE lanes lanes_load_int64(const int64_t *p)
{
    LANES_NEON(vcvtq_f64_s64(vld1q_s64(p + 2 * i)));
}

LOGREG_INLINE lanes lanes_load_int32(const int32_t *p)
{
    LANES_NEON(vcvtq_f64_s64(vmovl_s32(vld1_s32(p + 2 * i))));
}

#define LANES_NEON_LOAD(name, type, eight)                                                         \
    LOGREG_INLINE lanes name(const type *p)                                                        \
    {                                                                                              \
        return lanes_of_float32(eight(p));                                                         \
    }

LANES_NEON_LOAD(lanes_load_float32, float, lanes_8_float32)

#else

#define LANES_NEON_LOAD(name, type, eight)                                                         \
    LOGREG_INLINE lanes name(const type *p)                                                        \
    {                                                                                              \
        const float32x4x2_t low = eight(p), high = eight(p + 8);                                   \
        const lanes r = {{low.val[0], low.val[1], high.val[0], high.val[1]}};                      \
        return r;                                                                                  \
    }

#endif

LANES_NEON_LOAD(lanes_load_float16, logreg_float16, lanes_8_float16)
LANES_NEON_LOAD(lanes_load_int16, int16_t, lanes_8_int16)
LANES_NEON_LOAD(lanes_load_int8, int8_t, lanes_8_int8)
LANES_NEON_LOAD(lanes_load_uint16, uint16_t, lanes_8_uint16)
LANES_NEON_LOAD(lanes_load_uint8, uint8_t, lanes_8_uint8)
LANES_NEON_LOAD(lanes_load_bool, uint8_t, lanes_8_bool)

LOGREG_INLINE lanes lanes_add(lanes a, lanes b)
{
    LANES_NEON(NEON(addq)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_sub(lanes a, lanes b)
{
    LANES_NEON(NEON(subq)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_mul(lanes a, lanes b)
{
    LANES_NEON(NEON(mulq)(a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_div(lanes a, lanes b)
{
    LANES_NEON(NEON(divq)(a.at[i], b.at[i]));
}

/* Not by FMIN and FMAX, which return a NaN whichever side it is on, and order the zeros. */
LOGREG_INLINE lanes lanes_min(lanes a, lanes b)
{
    LANES_NEON(NEON(bslq)(NEON(cltq)(a.at[i], b.at[i]), a.at[i], b.at[i]));
}

LOGREG_INLINE lanes lanes_max(lanes a, lanes b)
{
    LANES_NEON(NEON(bslq)(NEON(cgtq)(a.at[i], b.at[i]), a.at[i], b.at[i]));
}

LOGREG_INLINE lanes_mask lanes_gt(lanes a, lanes b)
{
    lanes_mask r;
    for (int i = 0; i < 4; i++) r.at[i] = NEON(cgtq)(a.at[i], b.at[i]);
    return r;
}

LOGREG_INLINE lanes lanes_select(lanes_mask mask, lanes yes, lanes no)
{
    LANES_NEON(NEON(bslq)(mask.at[i], yes.at[i], no.at[i]));
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    LANES_NEON(NEON(absq)(a.at[i]));
}

#if REAL_BITS == 64

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    LANES_NEON(TO_REAL(vshlq_n_u64(TO_BITS(a.at[i]), 52)));
}

LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    LANES_NEON(vsubq_f64(vcvtq_f64_u64(vshrq_n_u64(TO_BITS(a.at[i]), 52)), vdupq_n_f64(1023.0)));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    const uint64x2_t keep = vdupq_n_u64(0x000fffffffffffff), one = TO_BITS(vdupq_n_f64(1.0));
    LANES_NEON(TO_REAL(vorrq_u64(vandq_u64(TO_BITS(a.at[i]), keep), one)));
}

/* The sums of lanes 0 and 1, and of 2 and 3, of a's lower half plus its upper half. */
LOGREG_INLINE float64x2_t lanes_fold(lanes a)
{
    return vpaddq_f64(vaddq_f64(a.at[0], a.at[2]), vaddq_f64(a.at[1], a.at[3]));
}

LOGREG_INLINE double lanes_reduce_add(lanes a)
{
    return vpaddd_f64(lanes_fold(a));
}

LOGREG_INLINE void lanes_reduce_add4(lanes a, lanes b, lanes c, lanes d, double *out)
{
    vst1q_f64(out, vpaddq_f64(lanes_fold(a), lanes_fold(b)));
    vst1q_f64(out + 2, vpaddq_f64(lanes_fold(c), lanes_fold(d)));
}

LOGREG_INLINE void lanes_transpose(lanes v[LANES])
{
    lanes from[LANES];
    memcpy(from, v, sizeof from);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            v[2 * k].at[i] = vzip1q_f64(from[2 * i].at[k], from[2 * i + 1].at[k]);
            v[2 * k + 1].at[i] = vzip2q_f64(from[2 * i].at[k], from[2 * i + 1].at[k]);
        }
}

#else

LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    LANES_NEON(TO_REAL(vshlq_n_u32(TO_BITS(a.at[i]), 23)));
}

LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    LANES_NEON(vsubq_f32(vcvtq_f32_u32(vshrq_n_u32(TO_BITS(a.at[i]), 23)), vdupq_n_f32(127.0f)));
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    const uint32x4_t keep = vdupq_n_u32(0x007fffff), one = TO_BITS(vdupq_n_f32(1.0f));
    LANES_NEON(TO_REAL(vorrq_u32(vandq_u32(TO_BITS(a.at[i]), keep), one)));
}

/* 16 lanes folded to 4. */
LOGREG_INLINE float32x4_t lanes_fold(lanes a)
{
    return vaddq_f32(vaddq_f32(a.at[0], a.at[2]), vaddq_f32(a.at[1], a.at[3]));
}

LOGREG_INLINE float lanes_reduce_add(lanes a)
{
    const float32x4_t t = lanes_fold(a);
    return vpadds_f32(vget_low_f32(vpaddq_f32(t, t)));
}

LOGREG_INLINE void lanes_reduce_add4(lanes a, lanes b, lanes c, lanes d, float *out)
{
    const float32x4_t ab = vpaddq_f32(lanes_fold(a), lanes_fold(b));
    const float32x4_t cd = vpaddq_f32(lanes_fold(c), lanes_fold(d));
    vst1q_f32(out, vpaddq_f32(ab, cd));
}

#endif

#undef NEON
#undef NEON_BITS
#undef TO_BITS
#undef TO_REAL
#undef LANES_NEON
#undef LANES_NEON_LOAD

#endif
