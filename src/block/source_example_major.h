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
 * backward loads and stores dw once for all its rows, so more of them pay off. The loop that does
 * both has registers for ROWS_FORWARD of each. */
enum { ROWS_FORWARD = 4, ROWS_BACKWARD = 8 };

/* How many bytes ahead rows are prefetched that are packed or short, or the next block where that
 * is further. */
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

/* `some` reals. */
LOGREG_INLINE lanes load_reals(const char *x, int some)
{
    const real *reals = (const real *)(const void *)x;
    return some == LANES ? lanes_load(reals) : lanes_load_first(reals, some);
}

/* ---- What to prefetch ------------------------------------------------------------------------ */

/* What is prefetched while some rows are read: as many, LOGREG_STREAMS of them `apart`, the first
 * one `ahead` of the first that is read. If `apart` is 0, what lies `ahead` of each row; if both
 * are, nothing. In bytes. */
typedef struct streams {
    int64_t ahead, apart;
} streams;

/* The stretch after the one of example `first`, which is to be read. */
static streams next_stretch(const logreg_reading *reading, int64_t first)
{
    const int64_t stride = reading->data->X.stride, stretch = reading->stretch;
    const int64_t done = first & (stretch - 1); /* rows of this stretch */
    const streams s = {(stretch - done / LOGREG_STREAMS * (LOGREG_STREAMS - 1)) * stride,
                       stretch / LOGREG_STREAMS * stride};
    return s;
}

/* After so many rows, a multiple of LOGREG_STREAMS. */
LOGREG_INLINE void advance_streams(streams *s, int64_t rows, int64_t stride)
{
    s->ahead -= (rows - rows / LOGREG_STREAMS) * stride;
    if (s->ahead == s->apart) s->ahead = LOGREG_STREAMS * s->apart;
}

/* One line of each of `examples` rows, of which the first is at x. */
LOGREG_INLINE void prefetch_rows(const char *x, int64_t stride, streams s, int examples)
{
    LANES_UNROLL
    for (int e = 0; e < examples; e++) {
        if (s.apart == 0)
            LOGREG_PREFETCH(x + e * stride, s.ahead);
        else
            LOGREG_PREFETCH(x,
                            s.ahead + e % LOGREG_STREAMS * s.apart + e / LOGREG_STREAMS * stride);
    }
}

/* ---- The loops ------------------------------------------------------------------------------- */

/* Adds w times the features of `examples` rows from i on, ROWS_FORWARD or 1, to their sums, which
 * `sums` keeps from one tile to the next; the last tile folds them into Z. */
LOGREG_INLINE void forward_examples(const rows *r, int64_t i, const real *w, real *sums, real *Z,
                                    int first, int last, streams s, int examples, logreg_type type,
                                    int size)
{
    const int64_t stride = r->stride, n = r->length, line = LINE_BYTES / size;
    const int64_t whole = n - n % LANES;
    const char *x = r->x + i * stride;
    lanes sum[ROWS_FORWARD];
    LANES_UNROLL
    for (int e = 0; e < examples; e++)
        sum[e] = first ? lanes_broadcast(0) : lanes_load(sums + (i + e) * LANES);
    for (int64_t j = 0; j < whole; j += LANES) {
        const lanes weights = lanes_load(w + j);
        if (s.apart != 0 && j % line == 0) prefetch_rows(x + j * size, stride, s, examples);
        LANES_UNROLL
        for (int e = 0; e < examples; e++) {
            const lanes value = load_values(x + e * stride + j * size, type);
            sum[e] = lanes_add(sum[e], lanes_mul(weights, value));
        }
    }
    if (whole < n) {
        const lanes weights = lanes_load(w + whole);
        const int some = (int)(n - whole), readable = r->whole_lanes > i + examples - 1;
        if (s.apart != 0 && whole % line == 0) prefetch_rows(x + whole * size, stride, s, examples);
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
LOGREG_INLINE void backward_examples(const rows *r, int64_t i, const real *Z, streams s, real *dw,
                                     int examples, logreg_type type, int size)
{
    const int64_t stride = r->stride, n = r->length, line = LINE_BYTES / size;
    const int64_t whole = n - n % LANES;
    const char *x = r->x + i * stride;
    lanes dZ[ROWS_BACKWARD];
    LANES_UNROLL
    for (int e = 0; e < examples; e++) dZ[e] = lanes_broadcast(Z[i + e]);
    for (int64_t j = 0; j < whole; j += LANES) {
        if ((type != REAL_TYPE || s.apart != 0) && j % line == 0)
            prefetch_rows(x + j * size, stride, s, examples);
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
        if ((type != REAL_TYPE || s.apart != 0) && whole % line == 0)
            prefetch_rows(x + whole * size, stride, s, examples);
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

/* Backward over rows of a block and forward over rows of the next, ROWS_FORWARD of each. */
typedef struct overlap {
    const char *x, *next; /* whole reals */
    int64_t stride;       /* bytes */
    streams ahead;        /* of `next` */
    const real *w;
    real *part, *dw;
    lanes dZ[ROWS_FORWARD], sum[ROWS_FORWARD];
} overlap;

/* Features from j on, `some` of them. ROWS_BACKWARD rows make one sum: the first of them leave it
 * in `part`, and the `last` ones continue it and add it to dw. */
LOGREG_INLINE void overlap_features(overlap *o, int64_t j, int some, int last, int prefetch)
{
    const int64_t at = j * (int64_t)sizeof(real);
    const lanes weights = lanes_load(o->w + j);
    LANES_UNROLL
    for (int e = 0; e < ROWS_FORWARD; e++) {
        const char *x = o->next + e * o->stride + at;
        if (prefetch) LOGREG_PREFETCH(o->next + at, o->ahead.ahead + e * o->ahead.apart);
        o->sum[e] = lanes_add(o->sum[e], lanes_mul(weights, load_reals(x, some)));
    }
    lanes sum = lanes_mul(load_reals(o->x + at, some), o->dZ[0]);
    if (last) sum = lanes_add(lanes_load(o->part + j), sum);
    LANES_UNROLL
    for (int e = 1; e < ROWS_FORWARD; e++)
        sum = lanes_add(sum, lanes_mul(load_reals(o->x + e * o->stride + at, some), o->dZ[e]));
    if (last)
        lanes_store(o->dw + j, lanes_add(lanes_load(o->dw + j), sum));
    else
        lanes_store(o->part + j, sum);
}

LOGREG_INLINE void overlap_examples(overlap o, int64_t n, const real *dZ, real *Z, int last,
                                    int prefetch)
{
    const int64_t whole = n - n % LANES;
    LANES_UNROLL
    for (int e = 0; e < ROWS_FORWARD; e++) {
        o.dZ[e] = lanes_broadcast(dZ[e]);
        o.sum[e] = lanes_broadcast(0);
    }
    for (int64_t j = 0; j < whole; j += LANES) overlap_features(&o, j, LANES, last, prefetch);
    if (whole < n) overlap_features(&o, whole, (int)(n - whole), last, prefetch);
    lanes_reduce_add4(o.sum[0], o.sum[1], o.sum[2], o.sum[3], Z);
}

#define DEFINE_LOOPS(name, type, c_type, number)                                                   \
    static void forward_rows_##name(const rows *r, const real *w, real *sums, real *Z, int first,  \
                                    int last, streams s)                                           \
    {                                                                                              \
        const int size = sizeof(c_type);                                                           \
        const streams nothing = {0, 0};                                                            \
        int64_t i = 0;                                                                             \
        if (s.apart != 0)                                                                          \
            for (; i + ROWS_FORWARD <= r->count; i += ROWS_FORWARD) {                              \
                forward_examples(r, i, w, sums, Z, first, last, s, ROWS_FORWARD, type, size);      \
                advance_streams(&s, ROWS_FORWARD, r->stride);                                      \
            }                                                                                      \
        for (; i + ROWS_FORWARD <= r->count; i += ROWS_FORWARD)                                    \
            forward_examples(r, i, w, sums, Z, first, last, nothing, ROWS_FORWARD, type, size);    \
        for (; i < r->count; i++)                                                                  \
            forward_examples(r, i, w, sums, Z, first, last, nothing, 1, type, size);               \
    }                                                                                              \
                                                                                                   \
    static void backward_rows_##name(const rows *r, const real *dZ, streams s, real *dw)           \
    {                                                                                              \
        const int size = sizeof(c_type);                                                           \
        const streams next = {s.ahead, 0};                                                         \
        int64_t i = 0;                                                                             \
        if (s.apart != 0)                                                                          \
            for (; i + ROWS_BACKWARD <= r->count; i += ROWS_BACKWARD) {                            \
                backward_examples(r, i, dZ, s, dw, ROWS_BACKWARD, type, size);                     \
                advance_streams(&s, ROWS_BACKWARD, r->stride);                                     \
            }                                                                                      \
        for (; i + ROWS_BACKWARD <= r->count; i += ROWS_BACKWARD)                                  \
            backward_examples(r, i, dZ, next, dw, ROWS_BACKWARD, type, size);                      \
        for (; i < r->count; i++) backward_examples(r, i, dZ, next, dw, 1, type, size);            \
    }
FEATURE_TYPES(DEFINE_LOOPS)
#undef DEFINE_LOOPS

#define LOOPS(name, type, c_type, number) [type] = {forward_rows_##name, backward_rows_##name},

/* By logreg_type. */
static const struct {
    void (*forward)(const rows *r, const real *w, real *sums, real *Z, int first, int last,
                    streams s);
    void (*backward)(const rows *r, const real *dZ, streams s, real *dw);
} row_loops[] = {FEATURE_TYPES(LOOPS)};
#undef LOOPS

/* ---- Both halves of the pass ----------------------------------------------------------------- */

static void example_major_forward(const logreg_block *block)
{
    const int64_t n_x = block->reading->data->n_x, tile = block->reading->tile;
    const lanes b = lanes_broadcast((real)block->b);
    const real *w = block->w;
    const streams nothing = {0, 0};
    const streams ahead =
        block->reading->forward_streams ? next_stretch(block->reading, block->first) : nothing;
    real *Z = block->Z, *sums = block->sums;
    for (int64_t j = 0; j < n_x; j += tile) {
        const int first = j == 0, last = n_x - j <= tile;
        const rows r = example_values(block, j, last ? n_x - j : tile, 1);
        row_loops[r.type].forward(&r, w + j, sums, Z, first, last, ahead);
    }
    for (int64_t i = 0; i < block->count; i += LANES)
        lanes_store(Z + i, lanes_add(lanes_load(Z + i), b));
}

/* Of the `count` rows of a block. */
LOGREG_INLINE void overlap_rows(overlap o, int64_t n, int64_t count, const real *dZ, real *Z,
                                int prefetch)
{
    for (int64_t i = 0; i < count; i += ROWS_FORWARD) {
        if (i % ROWS_BACKWARD == 0)
            overlap_examples(o, n, dZ + i, Z + i, 0, prefetch);
        else
            overlap_examples(o, n, dZ + i, Z + i, 1, prefetch);
        o.x += ROWS_FORWARD * o.stride;
        o.next += ROWS_FORWARD * o.stride;
        advance_streams(&o.ahead, ROWS_FORWARD, o.stride);
    }
}

/* While one half waits for memory, the other computes. */
static void example_major_overlap(const logreg_block *block, double *dw)
{
    const logreg_reading *reading = block->reading;
    const logreg_data *data = reading->data;
    const int64_t stride = data->X.stride, count = block->count, first = block->first + count;
    const lanes b = lanes_broadcast((real)block->b);
    const real *dZ = block->Z;
    real *Z = block->next_Z;
    const overlap o = {.x = column_at(&data->X, block->first),
                       .next = column_at(&data->X, first),
                       .stride = stride,
                       .ahead = next_stretch(reading, first),
                       .w = block->w,
                       .part = block->part,
                       .dw = REAL_BITS == 64 ? (real *)dw : block->dw};
    if (reading->in_l2)
        overlap_rows(o, data->n_x, count, dZ, Z, 0);
    else
        overlap_rows(o, data->n_x, count, dZ, Z, 1);
    for (int64_t i = 0; i < count; i += LANES) lanes_store(Z + i, lanes_add(lanes_load(Z + i), b));
}

/* What backward prefetches. */
static streams rows_ahead(const logreg_block *block)
{
    const logreg_reading *reading = block->reading;
    const int64_t size = block->count * reading->data->X.stride;
    const streams nothing = {0, 0}, next = {size < ROWS_AHEAD ? ROWS_AHEAD : size, 0};
    if (!reading->in_place || reading->in_l2) return nothing;
    return reading->backward_streams ? next_stretch(reading, block->first) : next;
}

static void example_major_backward(const logreg_block *block, double *dw)
{
    const logreg_reading *reading = block->reading;
    const int64_t n_x = reading->data->n_x, tile = reading->tile;
    real *sums = REAL_BITS == 64 ? (real *)dw : block->dw;
    const streams ahead = rows_ahead(block);
    for (int64_t j = 0; j < n_x; j += tile) {
        const int64_t n = n_x - j < tile ? n_x - j : tile;
        const rows r = example_values(block, j, n, !reading->keep_packed);
        row_loops[r.type].backward(&r, block->Z, ahead, sums + j);
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
