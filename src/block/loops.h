/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The loops over X: both halves of the pass, in both layouts, for values of any type side by side.
 * Values are converted as they are loaded, in either half: that takes no longer than to load what
 * was converted and stored before, and no room in the caches.
 */

/* ---- Feature-major --------------------------------------------------------------------------- */

/* Adds w times n features, 4 or 1, to Z; `prefetch` bytes on from x lies what is read soon, or 0.
 */
LOGREG_INLINE void forward_features(const char *const *x, int64_t count, const real *w, real *Z,
                                    int64_t prefetch, int n, logreg_type type, int size)
{
    const int64_t line = LINE_BYTES / size;
    lanes weights[4];
    int64_t i = 0;
    LANES_UNROLL
    for (int f = 0; f < n; f++) weights[f] = lanes_broadcast(w[f]);
    for (; i + line <= count; i += line) {
        if (type != REAL_TYPE || prefetch != 0) LANES_UNROLL
        for (int f = 0; f < n; f++) LOGREG_PREFETCH(x[f] + i * size, prefetch);
        for (int64_t k = i; k < i + line; k += LANES) {
            lanes sum = lanes_load(Z + k);
            LANES_UNROLL
            for (int f = 0; f < n; f++)
                sum = lanes_add(sum, lanes_mul(weights[f], load_values(x[f] + k * size, type)));
            lanes_store(Z + k, sum);
        }
    }
    for (; i + LANES <= count; i += LANES) {
        lanes sum = lanes_load(Z + i);
        LANES_UNROLL
        for (int f = 0; f < n; f++)
            sum = lanes_add(sum, lanes_mul(weights[f], load_values(x[f] + i * size, type)));
        lanes_store(Z + i, sum);
    }
    if (i < count) {
        const int some = (int)(count - i);
        lanes sum = lanes_load(Z + i);
        LANES_UNROLL
        for (int f = 0; f < n; f++) {
            const lanes value = load_end(x[f] + i * size, some, 0, type);
            sum = lanes_add(sum, lanes_mul(weights[f], value));
        }
        lanes_store(Z + i, sum);
    }
}

/* Adds the examples to dw of n features, 4 or 1. */
LOGREG_INLINE void backward_features(const char *const *x, int64_t count, const real *dZ,
                                     double *dw, int64_t prefetch, int n, logreg_type type,
                                     int size)
{
    const int64_t line = LINE_BYTES / size;
    lanes sum[4];
    int64_t i = 0;
    LANES_UNROLL
    for (int f = 0; f < n; f++) sum[f] = lanes_broadcast(0);
    for (; i + line <= count; i += line) {
        if (type != REAL_TYPE || prefetch != 0) LANES_UNROLL
        for (int f = 0; f < n; f++) LOGREG_PREFETCH(x[f] + i * size, prefetch);
        for (int64_t k = i; k < i + line; k += LANES) {
            const lanes slope = lanes_load(dZ + k);
            LANES_UNROLL
            for (int f = 0; f < n; f++)
                sum[f] = lanes_add(sum[f], lanes_mul(load_values(x[f] + k * size, type), slope));
        }
    }
    for (; i + LANES <= count; i += LANES) {
        const lanes slope = lanes_load(dZ + i);
        LANES_UNROLL
        for (int f = 0; f < n; f++)
            sum[f] = lanes_add(sum[f], lanes_mul(load_values(x[f] + i * size, type), slope));
    }
    if (i < count) {
        const int some = (int)(count - i);
        const lanes slope = lanes_load(dZ + i);
        LANES_UNROLL
        for (int f = 0; f < n; f++) {
            const lanes value = load_end(x[f] + i * size, some, 0, type);
            sum[f] = lanes_add(sum[f], lanes_mul(value, slope));
        }
    }
    real folded[4];
    if (n == 4)
        lanes_reduce_add4(sum[0], sum[1], sum[2], sum[3], folded);
    else
        folded[0] = lanes_reduce_add(sum[0]);
    LANES_UNROLL
    for (int f = 0; f < n; f++) dw[f] += (double)folded[f];
}

/* ---- Example-major --------------------------------------------------------------------------- */

/* Adds w times the features of `examples` rows from i on, 4 or 1, to their sums, which `sums` keeps
 * from one tile to the next; the last tile folds them into Z. */
LOGREG_INLINE void forward_examples(const rows *r, int64_t i, const real *w, real *sums, real *Z,
                                    int first, int last, int examples, logreg_type type, int size)
{
    const int64_t stride = r->stride, n = r->length, whole = n - n % LANES;
    const char *x = r->x + i * stride;
    lanes sum[4];
    LANES_UNROLL
    for (int e = 0; e < examples; e++)
        sum[e] = first ? lanes_broadcast(0) : lanes_load(sums + (i + e) * LANES);
    for (int64_t j = 0; j < whole; j += LANES) {
        const lanes weights = lanes_load(w + j);
        LANES_UNROLL
        for (int e = 0; e < examples; e++) {
            const lanes value = load_values(x + e * stride + j * size, type);
            sum[e] = lanes_add(sum[e], lanes_mul(weights, value));
        }
    }
    if (whole < n) {
        const lanes weights = lanes_load(w + whole);
        const int some = (int)(n - whole), readable = r->whole_lanes > i + examples - 1;
        LANES_UNROLL
        for (int e = 0; e < examples; e++) {
            const char *end = x + e * stride + whole * size;
            const lanes value = load_end(end, some, readable, type);
            sum[e] = lanes_add(sum[e], lanes_mul(weights, value));
        }
    }
    if (!last) {
        LANES_UNROLL
        for (int e = 0; e < examples; e++) lanes_store(sums + (i + e) * LANES, sum[e]);
        return;
    }
    if (examples == 4)
        lanes_reduce_add4(sum[0], sum[1], sum[2], sum[3], Z + i);
    else
        Z[i] = lanes_reduce_add(sum[0]);
}

/* Adds `examples` rows from i on, 8 or 1, to dw. */
LOGREG_INLINE void backward_examples(const rows *r, int64_t i, const real *Z, int64_t prefetch,
                                     real *dw, int examples, logreg_type type, int size)
{
    const int64_t stride = r->stride, n = r->length, line = LINE_BYTES / size;
    const int64_t whole = n - n % LANES;
    const char *x = r->x + i * stride;
    lanes dZ[8];
    LANES_UNROLL
    for (int e = 0; e < examples; e++) dZ[e] = lanes_broadcast(Z[i + e]);
    for (int64_t j = 0; j < whole; j += LANES) {
        if ((type != REAL_TYPE || prefetch != 0) && j % line == 0) LANES_UNROLL
        for (int e = 0; e < examples; e++) LOGREG_PREFETCH(x + e * stride + j * size, prefetch);
        lanes sum = lanes_mul(load_values(x + j * size, type), dZ[0]);
        LANES_UNROLL
        for (int e = 1; e < examples; e++) {
            const lanes value = load_values(x + e * stride + j * size, type);
            sum = lanes_add(sum, lanes_mul(value, dZ[e]));
        }
        lanes_store(dw + j, lanes_add(lanes_load(dw + j), sum));
    }
    if (whole < n) {
        const int some = (int)(n - whole), readable = r->whole_lanes > i + examples - 1;
        if ((type != REAL_TYPE || prefetch != 0) && whole % line == 0) LANES_UNROLL
        for (int e = 0; e < examples; e++) LOGREG_PREFETCH(x + e * stride + whole * size, prefetch);
        lanes sum = lanes_broadcast(0);
        LANES_UNROLL
        for (int e = 0; e < examples; e++) {
            const char *end = x + e * stride + whole * size;
            const lanes product = lanes_mul(load_end(end, some, readable, type), dZ[e]);
            sum = e == 0 ? product : lanes_add(sum, product);
        }
        lanes_store(dw + whole, lanes_add(lanes_load(dw + whole), sum));
    }
}

/* ---- One of each for each type --------------------------------------------------------------- */

#define DEFINE_LOOPS(name, type, size)                                                             \
    static void forward_features_##name(const char *const *x, int64_t count, const real *w,        \
                                        real *Z, int64_t prefetch)                                 \
    {                                                                                              \
        if (type != REAL_TYPE || prefetch != 0)                                                    \
            forward_features(x, count, w, Z, prefetch, 4, type, size);                             \
        else                                                                                       \
            forward_features(x, count, w, Z, 0, 4, type, size);                                    \
    }                                                                                              \
                                                                                                   \
    static void backward_features_##name(const char *const *x, int64_t count, const real *dZ,      \
                                         double *dw, int64_t prefetch)                             \
    {                                                                                              \
        if (type != REAL_TYPE || prefetch != 0)                                                    \
            backward_features(x, count, dZ, dw, prefetch, 4, type, size);                          \
        else                                                                                       \
            backward_features(x, count, dZ, dw, 0, 4, type, size);                                 \
    }                                                                                              \
                                                                                                   \
    static void forward_rows_##name(const rows *r, const real *w, real *sums, real *Z, int first,  \
                                    int last)                                                      \
    {                                                                                              \
        int64_t i = 0;                                                                             \
        for (; i + 4 <= r->count; i += 4)                                                          \
            forward_examples(r, i, w, sums, Z, first, last, 4, type, size);                        \
        for (; i < r->count; i++) forward_examples(r, i, w, sums, Z, first, last, 1, type, size);  \
    }                                                                                              \
                                                                                                   \
    static void backward_rows_##name(const rows *r, const real *dZ, int64_t prefetch, real *dw)    \
    {                                                                                              \
        int64_t i = 0;                                                                             \
        if (type != REAL_TYPE || prefetch != 0)                                                    \
            for (; i + 8 <= r->count; i += 8)                                                      \
                backward_examples(r, i, dZ, prefetch, dw, 8, type, size);                          \
        for (; i + 8 <= r->count; i += 8) backward_examples(r, i, dZ, 0, dw, 8, type, size);       \
        for (; i < r->count; i++) backward_examples(r, i, dZ, 0, dw, 1, type, size);               \
    }

#define LOOPS(name)                                                                                \
    {forward_features_##name, backward_features_##name, forward_rows_##name, backward_rows_##name}

DEFINE_LOOPS(float32, LOGREG_FLOAT32, 4)
DEFINE_LOOPS(float16, LOGREG_FLOAT16, 2)
DEFINE_LOOPS(int16, LOGREG_INT16, 2)
DEFINE_LOOPS(int8, LOGREG_INT8, 1)
DEFINE_LOOPS(uint16, LOGREG_UINT16, 2)
DEFINE_LOOPS(uint8, LOGREG_UINT8, 1)
#if REAL_BITS == 64
DEFINE_LOOPS(float64, LOGREG_FLOAT64, 8)
DEFINE_LOOPS(int64, LOGREG_INT64, 8)
DEFINE_LOOPS(int32, LOGREG_INT32, 4)
#define WIDE_LOOPS(name) LOOPS(name)
#else
#define WIDE_LOOPS(name) {NULL, NULL, NULL, NULL}
#endif

/* In the order of logreg_type. */
static const struct {
    void (*forward_features)(const char *const *x, int64_t count, const real *w, real *Z,
                             int64_t prefetch); /* of 4 features */
    void (*backward_features)(const char *const *x, int64_t count, const real *dZ, double *dw,
                              int64_t prefetch);
    void (*forward_rows)(const rows *r, const real *w, real *sums, real *Z, int first, int last);
    void (*backward_rows)(const rows *r, const real *dZ, int64_t prefetch, real *dw);
} loops[] = {
    WIDE_LOOPS(float64), LOOPS(float32), LOOPS(float16), WIDE_LOOPS(int64), WIDE_LOOPS(int32),
    LOOPS(int16),        LOOPS(int8),    LOOPS(uint16),  LOOPS(uint8),
};
