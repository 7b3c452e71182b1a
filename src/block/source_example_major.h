/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dense X, example-major: the features of an example lie side by side. The sums run over the
 * features, in lanes:
 *
 *     Z_i    feature j in lane j mod LANES, folded, then + b
 *     dw_j   8 examples one after the other, then those sums one after the other
 *
 * In float32 dw is summed in float32 during a run, and becomes float64 when the run ends.
 */

/* Rows that are read side by side. Forward keeps a sum per row, and four share each load of w;
 * backward loads and stores dw once for all its rows, so more of them pay off. */
enum { ROWS_FORWARD = 4, ROWS_BACKWARD = 8 };

/* How many bytes ahead rows are prefetched, or the next block where that is further. */
enum { ROWS_AHEAD = 1 << 14 };

/* ---- Where the values are -------------------------------------------------------------------- */

/* Examples, or some features of each. */
typedef struct rows {
    const char *x;
    int64_t count, stride; /* bytes from one example to the next */
    int64_t length;        /* values; packed rows have zeros up to whole lanes */
    int64_t whole_lanes;   /* how many of the rows may be read up to whole lanes */
    logreg_type type;
} rows;

/* Features [j, j + n) of the block's examples: in place, converted as they are loaded; or packed as
 * reals, now if `fresh`. */
static rows example_values(const logreg_block *block, int64_t j, int64_t n, int fresh)
{
    const logreg_reading *reading = block->reading;
    const logreg_data *data = reading->data;
    const int64_t stride = data->X.stride, size = logreg_type_size(data->X.type);
    const char *x = column_at(&data->X, block->first) + j * size;
    const int64_t padded = (n + LANES - 1) / LANES * LANES;
    /* up to the end of the last example's features */
    const int64_t readable = (data->m - 1 - block->first) * stride + (data->n_x - j) * size;
    if (reading->in_place) {
        rows r = {x, block->count, stride, n, block->count, data->X.type};
        while (r.whole_lanes > 0 && (r.whole_lanes - 1) * stride + padded * size > readable)
            r.whole_lanes--;
        return r;
    }
    if (fresh) {
        const real *centre = block->centre ? (const real *)block->centre + j : NULL;
        const lines from = {.values = x,
                            .stride = stride,
                            .count = block->count,
                            .length = n,
                            .readable = readable / size,
                            .prefetch = ROWS_AHEAD,
                            .centre = centre,
                            .centre_of = centre ? CENTRE_OF_VALUE : CENTRE_OF_NOTHING,
                            .out = block->packed,
                            .out_stride = reading->packed_stride};
        packers[data->X.type](&from);
    }
    const int64_t packed_stride = reading->packed_stride * (int64_t)sizeof(real);
    const rows r = {block->packed, block->count, packed_stride, padded, block->count, REAL_TYPE};
    return r;
}

/* ---- The loops ------------------------------------------------------------------------------- */

/* Adds w times the features of `examples` rows from i on, ROWS_FORWARD or 1, to their sums, which
 * `sums` keeps from one tile to the next; the last tile folds them into Z. */
LOGREG_INLINE void forward_examples(const rows *r, int64_t i, const real *w, real *sums, real *Z,
                                    int first, int last, int examples, logreg_type type, int size)
{
    const int64_t stride = r->stride, n = r->length, whole = n - n % LANES;
    const char *x = r->x + i * stride;
    lanes sum[ROWS_FORWARD];
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
    if (examples == ROWS_FORWARD)
        lanes_reduce_add4(sum[0], sum[1], sum[2], sum[3], Z + i);
    else
        Z[i] = lanes_reduce_add(sum[0]);
}

/* Adds `examples` rows from i on, ROWS_BACKWARD or 1, to dw. */
LOGREG_INLINE void backward_examples(const rows *r, int64_t i, const real *Z, int64_t prefetch,
                                     real *dw, int examples, logreg_type type, int size)
{
    const int64_t stride = r->stride, n = r->length, line = LINE_BYTES / size;
    const int64_t whole = n - n % LANES;
    const char *x = r->x + i * stride;
    lanes dZ[ROWS_BACKWARD];
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

#define DEFINE_LOOPS(name, type, c_type, number)                                                   \
    static void forward_rows_##name(const rows *r, const real *w, real *sums, real *Z, int first,  \
                                    int last)                                                      \
    {                                                                                              \
        const int size = sizeof(c_type);                                                           \
        int64_t i = 0;                                                                             \
        for (; i + ROWS_FORWARD <= r->count; i += ROWS_FORWARD)                                    \
            forward_examples(r, i, w, sums, Z, first, last, ROWS_FORWARD, type, size);             \
        for (; i < r->count; i++) forward_examples(r, i, w, sums, Z, first, last, 1, type, size);  \
    }                                                                                              \
                                                                                                   \
    static void backward_rows_##name(const rows *r, const real *dZ, int64_t prefetch, real *dw)    \
    {                                                                                              \
        const int size = sizeof(c_type);                                                           \
        int64_t i = 0;                                                                             \
        if (type != REAL_TYPE || prefetch != 0)                                                    \
            for (; i + ROWS_BACKWARD <= r->count; i += ROWS_BACKWARD)                              \
                backward_examples(r, i, dZ, prefetch, dw, ROWS_BACKWARD, type, size);              \
        for (; i + ROWS_BACKWARD <= r->count; i += ROWS_BACKWARD)                                  \
            backward_examples(r, i, dZ, 0, dw, ROWS_BACKWARD, type, size);                         \
        for (; i < r->count; i++) backward_examples(r, i, dZ, 0, dw, 1, type, size);               \
    }
FEATURE_TYPES(DEFINE_LOOPS)
#undef DEFINE_LOOPS

#define LOOPS(name, type, c_type, number) [type] = {forward_rows_##name, backward_rows_##name},

/* By logreg_type. */
static const struct {
    void (*forward)(const rows *r, const real *w, real *sums, real *Z, int first, int last);
    void (*backward)(const rows *r, const real *dZ, int64_t prefetch, real *dw);
} row_loops[] = {FEATURE_TYPES(LOOPS)};
#undef LOOPS

/* ---- Both halves of the pass ----------------------------------------------------------------- */

static void example_major_forward(const logreg_block *block)
{
    const int64_t n_x = block->reading->data->n_x, tile = block->reading->tile;
    const lanes b = lanes_broadcast((real)block->b);
    const real *w = block->w;
    real *Z = block->Z, *sums = block->sums;
    for (int64_t j = 0; j < n_x; j += tile) {
        const int first = j == 0, last = n_x - j <= tile;
        const rows r = example_values(block, j, last ? n_x - j : tile, 1);
        row_loops[r.type].forward(&r, w + j, sums, Z, first, last);
    }
    for (int64_t i = 0; i < block->count; i += LANES)
        lanes_store(Z + i, lanes_add(lanes_load(Z + i), b));
}

static void example_major_backward(const logreg_block *block, double *dw)
{
    const logreg_reading *reading = block->reading;
    const int64_t n_x = reading->data->n_x, tile = reading->tile;
    real *sums = REAL_BITS == 64 ? (real *)dw : block->dw;
    for (int64_t j = 0; j < n_x; j += tile) {
        const int64_t n = n_x - j < tile ? n_x - j : tile;
        const rows r = example_values(block, j, n, !reading->keep_packed);
        const int64_t size = block->count * r.stride, ahead = size < ROWS_AHEAD ? ROWS_AHEAD : size;
        row_loops[r.type].backward(&r, block->Z, reading->in_place ? ahead : 0, sums + j);
    }
}

static void example_major_end_run(const logreg_block *block, double *dw)
{
    if (REAL_BITS == 64) return;
    real *sums = block->dw;
    for (int64_t j = 0; j < block->reading->data->n_x; j++) {
        dw[j] += (double)sums[j];
        sums[j] = 0;
    }
}
