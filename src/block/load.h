/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Values of any type, loaded as lanes of reals. This is the list of the types: a new one is added
 * to logreg_type, to logreg_type_size, and here.
 *
 * In what is inlined from here on, the type, its size and whatever else decides a branch in a loop
 * are constants, so each call site becomes a loop of its own.
 */

#define REAL_TYPE (REAL_BITS == 64 ? LOGREG_FLOAT64 : LOGREG_FLOAT32)

#if REAL_BITS == 64
#define REAL_OF(logreg_lanes_) (logreg_lanes_).float64
#else
#define REAL_OF(logreg_lanes_) (logreg_lanes_).float32
#endif

enum { LINE_BYTES = 64 }; /* of the cache */

/* X(name, logreg_type, type in C, how one becomes a number). Features of the wide types are
 * computed with in float64; in float32 they occur as labels and weights only. */
#define NARROW_TYPES(X)                                                                            \
    X(float32, LOGREG_FLOAT32, float, +)                                                           \
    X(float16, LOGREG_FLOAT16, logreg_float16, logreg_float_of)                                    \
    X(int16, LOGREG_INT16, int16_t, +)                                                             \
    X(int8, LOGREG_INT8, int8_t, +)                                                                \
    X(uint16, LOGREG_UINT16, uint16_t, +)                                                          \
    X(uint8, LOGREG_UINT8, uint8_t, +)                                                             \
    X(bool, LOGREG_BOOL, uint8_t, 0 !=)
#define WIDE_TYPES(X)                                                                              \
    X(float64, LOGREG_FLOAT64, double, +)                                                          \
    X(int64, LOGREG_INT64, int64_t, +)                                                             \
    X(int32, LOGREG_INT32, int32_t, +)
#if REAL_BITS == 64
#define FEATURE_TYPES(X) NARROW_TYPES(X) WIDE_TYPES(X)
#else
#define FEATURE_TYPES(X) NARROW_TYPES(X)
#endif

LOGREG_INLINE int at_most_lanes(int64_t n)
{
    return n < LANES ? (int)n : LANES;
}

/* Whole lanes of the values at x. */
LOGREG_INLINE lanes load_values(const char *x, logreg_type type)
{
    const void *values = x;
    switch (type) {
#if REAL_BITS == 64
    case LOGREG_FLOAT64:
        return lanes_load(values);
    case LOGREG_FLOAT32:
        return lanes_load_float32(values);
    case LOGREG_INT64:
        return lanes_load_int64(values);
    case LOGREG_INT32:
        return lanes_load_int32(values);
#else
    case LOGREG_FLOAT32:
        return lanes_load(values);
#endif
    case LOGREG_FLOAT16:
        return lanes_load_float16(values);
    case LOGREG_INT16:
        return lanes_load_int16(values);
    case LOGREG_INT8:
        return lanes_load_int8(values);
    case LOGREG_UINT16:
        return lanes_load_uint16(values);
    case LOGREG_UINT8:
        return lanes_load_uint8(values);
    default: /* LOGREG_BOOL */
        return lanes_load_bool(values);
    }
}

/* The first `some` values, then zeros; nothing beyond them is read. Not inlined because it is rare
 * and would appear in every loop, once per type. */
static LOGREG_NOINLINE lanes load_some_values(const char *x, int some, logreg_type type)
{
    _Alignas(8) char copy[LANES * sizeof(double)];
    memset(copy, 0, sizeof copy);
    memcpy(copy, x, (size_t)(some * logreg_type_size(type)));
    return load_values(copy, type);
}

/* The last values of a line, `some` < LANES. Where what follows may be read, to read whole lanes
 * and clear the rest is far faster than to copy a handful of bytes. */
LOGREG_INLINE lanes load_end(const char *x, int some, int readable, logreg_type type)
{
    if (type == REAL_TYPE) return lanes_load_first((const real *)(const void *)x, some);
    return readable ? lanes_first(load_values(x, type), some) : load_some_values(x, some, type);
}
