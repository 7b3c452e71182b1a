/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lanes in plain C: the definition that every other backend equals bit for bit.
 *
 * `lanes` are values of the arithmetic type, `real`, that are processed side by side: 64 bytes, a
 * cache line, so 8 float64 or 16 float32, whatever the width of the machine's vectors. A mask says
 * yes or no for each lane; here the bits of a lane are all ones or all zeros. Each operation is one
 * IEEE 754 operation per lane, so the results of a kernel do not depend on the backend it was
 * compiled over. REAL_BITS, 64 or 32, chooses the type.
 */
#ifndef LOGREG_LANES_H
#define LOGREG_LANES_H

#include "platform/portable.h"

#if REAL_BITS == 64
typedef double real;
typedef uint64_t real_bits;
enum { LANES = 8, REAL_FRACTION_BITS = 52, REAL_BIAS = 1023 };
#else
typedef float real;
typedef uint32_t real_bits;
enum { LANES = 16, REAL_FRACTION_BITS = 23, REAL_BIAS = 127 };
#endif

typedef struct lanes {
    real at[LANES];
} lanes;

typedef lanes lanes_mask;

/* The tile of a Gram whose sums fit into the registers. */
enum { TILE_ROWS = 2, TILE_LANES = 1 };

/* Before a loop over a few lanes. Empty: there are too few registers for them, unrolled or not. */
#define LANES_UNROLL

LOGREG_INLINE real_bits lanes_c_bits(real value)
{
    real_bits bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

LOGREG_INLINE real lanes_c_real(real_bits bits)
{
    real value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Returns lanes of the expression, of which i is the number of the lane. */
#define LANES_C(expression)                                                                        \
    do {                                                                                           \
        lanes r;                                                                                   \
        for (int i = 0; i < LANES; i++) r.at[i] = expression;                                      \
        return r;                                                                                  \
    } while (0)

LOGREG_INLINE lanes lanes_broadcast(real value)
{
    LANES_C(value);
}

LOGREG_INLINE lanes lanes_load(const real *p)
{
    LANES_C(p[i]);
}

/* The first n values at p, 0 <= n <= LANES, then zeros; nothing beyond them is read. */
LOGREG_INLINE lanes lanes_load_first(const real *p, int n)
{
    LANES_C(i < n ? p[i] : 0);
}

/* The first n lanes of a, then zeros. */
LOGREG_INLINE lanes lanes_first(lanes a, int n)
{
    LANES_C(i < n ? a.at[i] : 0);
}

LOGREG_INLINE void lanes_store(real *p, lanes a)
{
    for (int i = 0; i < LANES; i++) p[i] = a.at[i];
}

/* Values of a narrower or wider type, each rounded to the nearest real. */
#define LANES_C_LOAD(name, type)                                                                   \
    LOGREG_INLINE lanes name(const type *p)                                                        \
    {                                                                                              \
        LANES_C((real)p[i]);                                                                       \
    }

#if REAL_BITS == 64
LANES_C_LOAD(lanes_load_float32, float)
LANES_C_LOAD(lanes_load_int64, int64_t)
LANES_C_LOAD(lanes_load_int32, int32_t)
#endif
LANES_C_LOAD(lanes_load_int16, int16_t)
LANES_C_LOAD(lanes_load_int8, int8_t)
LANES_C_LOAD(lanes_load_uint16, uint16_t)
LANES_C_LOAD(lanes_load_uint8, uint8_t)

/* 1 for every byte that is not 0. */
LOGREG_INLINE lanes lanes_load_bool(const uint8_t *p)
{
    LANES_C((real)(p[i] != 0));
}

LOGREG_INLINE lanes lanes_load_float16(const logreg_float16 *p)
{
    LANES_C((real)logreg_float_of(p[i]));
}

LOGREG_INLINE lanes lanes_add(lanes a, lanes b)
{
    LANES_C(a.at[i] + b.at[i]);
}

LOGREG_INLINE lanes lanes_sub(lanes a, lanes b)
{
    LANES_C(a.at[i] - b.at[i]);
}

LOGREG_INLINE lanes lanes_mul(lanes a, lanes b)
{
    LANES_C(a.at[i] * b.at[i]);
}

LOGREG_INLINE lanes lanes_div(lanes a, lanes b)
{
    LANES_C(a.at[i] / b.at[i]);
}

/* b where either is NaN; the same goes for the maximum. */
LOGREG_INLINE lanes lanes_min(lanes a, lanes b)
{
    LANES_C(a.at[i] < b.at[i] ? a.at[i] : b.at[i]);
}

LOGREG_INLINE lanes lanes_max(lanes a, lanes b)
{
    LANES_C(a.at[i] > b.at[i] ? a.at[i] : b.at[i]);
}

/* a > b */
LOGREG_INLINE lanes_mask lanes_gt(lanes a, lanes b)
{
    LANES_C(lanes_c_real(a.at[i] > b.at[i] ? (real_bits)-1 : 0));
}

/* yes where the mask is set, no elsewhere */
LOGREG_INLINE lanes lanes_select(lanes_mask mask, lanes yes, lanes no)
{
    LANES_C(lanes_c_bits(mask.at[i]) ? yes.at[i] : no.at[i]);
}

LOGREG_INLINE lanes lanes_abs(lanes a)
{
    LANES_C(lanes_c_real(lanes_c_bits(a.at[i]) << 1 >> 1));
}

/* The real whose exponent field is the lowest bits of a: 2^(n - bias) where the lowest 12 bits of a
 * float64 (9 of a float32) hold n, 0 < n < 2047 (255). */
LOGREG_INLINE lanes lanes_exp2_of_low_bits(lanes a)
{
    LANES_C(lanes_c_real(lanes_c_bits(a.at[i]) << REAL_FRACTION_BITS));
}

/* For a positive normal a = 2^k f with 1 <= f < 2: k, and f. */
LOGREG_INLINE lanes lanes_exponent(lanes a)
{
    LANES_C((real)(lanes_c_bits(a.at[i]) >> REAL_FRACTION_BITS) - (real)REAL_BIAS);
}

LOGREG_INLINE lanes lanes_fraction(lanes a)
{
    const real_bits keep = ((real_bits)1 << REAL_FRACTION_BITS) - 1, one = lanes_c_bits(1);
    LANES_C(lanes_c_real((lanes_c_bits(a.at[i]) & keep) | one));
}

/* The sum of the lanes in a tree that folds them in half down to 4: 16 float32 first by adding
 * i + 8 to i, then i + 4 to i; of the last 4, the first two, the last two, and these sums. */
LOGREG_INLINE real lanes_reduce_add(lanes a)
{
    for (int half = LANES / 2; half >= 4; half /= 2)
        for (int i = 0; i < half; i++) a.at[i] += a.at[i + half];
    /* Assigned because where FLT_EVAL_METHOD is 1 (s390x) a sum of float32 is a double until it is.
     */
    const real low = a.at[0] + a.at[1], high = a.at[2] + a.at[3];
    return low + high;
}

/* Four such sums. */
LOGREG_INLINE void lanes_reduce_add4(lanes a, lanes b, lanes c, lanes d, real *out)
{
    out[0] = lanes_reduce_add(a);
    out[1] = lanes_reduce_add(b);
    out[2] = lanes_reduce_add(c);
    out[3] = lanes_reduce_add(d);
}

#if REAL_BITS == 64

/* Lane k of v[i] becomes lane i of v[k]. */
LOGREG_INLINE void lanes_transpose(lanes v[LANES])
{
    for (int i = 0; i < LANES; i++)
        for (int k = 0; k < i; k++) {
            const real kept = v[i].at[k];
            v[i].at[k] = v[k].at[i];
            v[k].at[i] = kept;
        }
}

#endif

#undef LANES_C
#undef LANES_C_LOAD

#endif
