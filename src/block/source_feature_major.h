/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dense X, feature-major: each feature is a column, and the columns may have types and strides of
 * their own. The sums run over the examples, in lanes:
 *
 *     Z_i    ((b + w_0 x_0i) + w_1 x_1i) + ...
 *     dw_j   lanes over the examples of the block, folded
 *
 * In float32 the sum of a block becomes float64 when the block ends. LOGREG_COLUMNS columns are
 * read side by side, and share each load and store of Z: the sums of more would not fit into 16
 * vector registers, of which lanes take two each in AVX2.
 */

/* ---- What to prefetch ------------------------------------------------------------------------ */

/* Everything is prefetched into L2 and no further: prefetches into L1 would take up the few buffers
 * that L1's own misses wait in (measured on Zen 4: a whole pass takes half as long again).
 *
 * A line is prefetched for each line that is read, in the next block or in a later column: the plan
 * says which, for each half. A column's lines are addressed by the last byte of each 64: the line
 * with the very first byte came with the block before.
 *
 * Here and below `reading` is block->reading, loaded once: with few examples per block, each load
 * per group of columns shows. */

/* How many bytes ahead of the values of a column to prefetch the next block, or 0. */
LOGREG_INLINE int64_t block_ahead(const logreg_block *block, int64_t stride, int ahead)
{
    return ahead ? block->count * stride + LINE_BYTES - 1 : 0;
}

/* The same of a later column. */
LOGREG_INLINE int64_t columns_ahead(int64_t feature_stride)
{
    return LOGREG_COLUMNS_AHEAD * feature_stride + LINE_BYTES - 1;
}

/* ---- Where the values are -------------------------------------------------------------------- */

/* Packs n uniform columns from j on. */
static void pack_uniform_columns(const logreg_block *block, int64_t j, int n, int64_t prefetch,
                                 real *out)
{
    const logreg_reading *reading = block->reading;
    const logreg_column column = logreg_feature(reading->data, j);
    const real *centre = block->centre ? (const real *)block->centre + j : NULL;
    const lines from = {.values = column_at(&column, block->first),
                        .stride = reading->data->feature_stride,
                        .count = n,
                        .length = block->count,
                        .readable = block->count,
                        .prefetch = prefetch,
                        .centre = centre,
                        .centre_of = centre ? CENTRE_OF_LINE : CENTRE_OF_NOTHING,
                        .out = out,
                        .out_stride = reading->packed_stride};
    packers[column.type](&from);
}

#if REAL_BITS == 64

/* Packs all columns of LANES examples from i on, or of `some`, whose features lie side by side.
 * `whole`: behind the features of each, whole lanes may be read. */
LOGREG_INLINE void transpose_examples(const logreg_block *block, int64_t i, int some, int whole)
{
    const logreg_data *data = block->reading->data;
    const int64_t stride = data->X.stride, ahead = block->count * stride;
    const int n_x = (int)data->n_x;
    const real *centre = block->centre;
    const char *x = column_at(&data->X, block->first + i);
    real *out = (real *)block->packed + i;
    lanes v[LANES];
    LANES_UNROLL
    for (int e = 0; e < LANES; e++) {
        const real *values = (const real *)(const void *)(x + e * stride);
        LOGREG_PREFETCH(x + e * stride, ahead);
        if (whole)
            v[e] = lanes_load(values);
        else
            v[e] = e < some ? lanes_load_first(values, n_x) : lanes_broadcast(0);
    }
    lanes_transpose(v);
    LANES_UNROLL
    for (int f = 0; f < LANES; f++, out += block->reading->packed_stride) {
        if (f == n_x) break;
        if (centre) v[f] = lanes_sub(v[f], lanes_broadcast(centre[f]));
        lanes_store(out, some < LANES ? lanes_first(v[f], some) : v[f]);
    }
}

static void pack_short_examples(const logreg_block *block)
{
    const logreg_data *data = block->reading->data;
    const int64_t left = data->m - block->first, count = block->count;
    int64_t i = 0;
    /* The lanes of an example end within the next one, which has more than LANES / 2 features. */
    if (data->X.stride >= data->n_x * (int64_t)sizeof(real))
        for (; i + LANES <= count && i + LANES < left; i += LANES)
            transpose_examples(block, i, LANES, 1);
    for (; i < count; i += LANES) transpose_examples(block, i, at_most_lanes(count - i), 0);
}

#else

static void pack_short_examples(const logreg_block *block)
{
    (void)block; /* is never asked for: see read_columns */
}

#endif

/* Sets x to the values of n <= LOGREG_COLUMNS features from j on, and returns their type. Where
 * LOGREG_COLUMNS features of one type lie in place, they stay there: the loops convert as they
 * load. Others become reals: in place, or in `packed` from line `line` on, packed now if `fresh`.
 * `last_time`: this pass does not read them again. */
LOGREG_INLINE logreg_type feature_values(const logreg_block *block, const logreg_reading *reading,
                                         int64_t j, int n, int64_t line, int fresh, int last_time,
                                         const char **x)
{
    const logreg_data *data = reading->data;
    const int64_t packed_stride = reading->packed_stride;
    if (reading->uniform_columns && reading->in_place &&
        (n == LOGREG_COLUMNS || data->X.type == REAL_TYPE)) {
        const char *first = column_at(&data->X, block->first) + j * data->feature_stride;
        for (int f = 0; f < n; f++) x[f] = first + f * data->feature_stride;
        return data->X.type;
    }
    real *packed = (real *)block->packed + line * packed_stride;
    if (reading->uniform_columns) {
        for (int f = 0; f < n; f++) x[f] = (const char *)(packed + f * packed_stride);
        if (fresh)
            pack_uniform_columns(block, j, n,
                                 reading->pack_ahead == LOGREG_AHEAD_COLUMNS
                                     ? columns_ahead(data->feature_stride)
                                     : block_ahead(block, data->X.stride, last_time),
                                 packed);
        return REAL_TYPE;
    }
    if (reading->short_examples) {
        if (fresh && j == 0) pack_short_examples(block);
        for (int f = 0; f < n; f++) x[f] = (const char *)(packed + f * packed_stride);
        return REAL_TYPE;
    }
    const logreg_type type = logreg_feature(data, j).type;
    int alike = 0;
    for (int f = 0; f < n; f++) {
        const logreg_column column = logreg_feature(data, j + f);
        x[f] = column_at(&column, block->first);
        alike += column.type == type && is_contiguous(&column);
    }
    if (reading->in_place && alike == LOGREG_COLUMNS) return type;
    for (int f = 0; f < n; f++, packed += packed_stride) {
        const logreg_column column = logreg_feature(data, j + f);
        if (reading->in_place && column.type == REAL_TYPE && is_contiguous(&column)) continue;
        x[f] = (const char *)packed;
        if (fresh)
            pack_column(&column, block->first, block->count,
                        block->centre ? (const real *)block->centre + j + f : NULL,
                        block_ahead(block, column.stride, last_time), packed);
    }
    return REAL_TYPE;
}

/* ---- The loops ------------------------------------------------------------------------------- */

/* Adds w times n features, LOGREG_COLUMNS or 1, to Z; prefetches what lies `prefetch` bytes ahead.
 */
LOGREG_INLINE void forward_features(const char *const *x, int64_t count, const real *w, real *Z,
                                    int64_t prefetch, int n, logreg_type type, int size)
{
    const int64_t line = LINE_BYTES / size;
    lanes weights[LOGREG_COLUMNS];
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

/* Adds the examples to dw of n features, LOGREG_COLUMNS or 1. */
LOGREG_INLINE void backward_features(const char *const *x, int64_t count, const real *dZ,
                                     double *dw, int64_t prefetch, int n, logreg_type type,
                                     int size)
{
    const int64_t line = LINE_BYTES / size;
    lanes sum[LOGREG_COLUMNS];
    int64_t i = 0;
    LANES_UNROLL
    for (int f = 0; f < n; f++) sum[f] = lanes_broadcast(0);
    for (; i + line <= count; i += line) {
        if (type != REAL_TYPE || prefetch != 0) LANES_UNROLL
        for (int f = 0; f < n; f++) LOGREG_PREFETCH(x[f] + i * size, prefetch);
        for (int64_t k = i; k < i + line; k += LANES) {
            const lanes error = lanes_load(dZ + k);
            LANES_UNROLL
            for (int f = 0; f < n; f++)
                sum[f] = lanes_add(sum[f], lanes_mul(load_values(x[f] + k * size, type), error));
        }
    }
    for (; i + LANES <= count; i += LANES) {
        const lanes error = lanes_load(dZ + i);
        LANES_UNROLL
        for (int f = 0; f < n; f++)
            sum[f] = lanes_add(sum[f], lanes_mul(load_values(x[f] + i * size, type), error));
    }
    if (i < count) {
        const int some = (int)(count - i);
        const lanes error = lanes_load(dZ + i);
        LANES_UNROLL
        for (int f = 0; f < n; f++) {
            const lanes value = load_end(x[f] + i * size, some, 0, type);
            sum[f] = lanes_add(sum[f], lanes_mul(value, error));
        }
    }
    real folded[LOGREG_COLUMNS];
    if (n == LOGREG_COLUMNS)
        lanes_reduce_add4(sum[0], sum[1], sum[2], sum[3], folded);
    else
        folded[0] = lanes_reduce_add(sum[0]);
    LANES_UNROLL
    for (int f = 0; f < n; f++) dw[f] += (double)folded[f];
}

/* The columns of LOGREG_COLUMNS features; those of as many features `step` bytes on; and so on. */
typedef struct columns {
    const char *x[LOGREG_COLUMNS];
    int64_t step, groups, count, prefetch;
} columns;

LOGREG_INLINE void next_columns(columns *c)
{
    LANES_UNROLL
    for (int f = 0; f < LOGREG_COLUMNS; f++) c->x[f] += c->step;
}

LOGREG_INLINE void forward_columns(columns c, const real *w, real *Z, int64_t prefetch,
                                   logreg_type type, int size)
{
    for (; c.groups > 0; c.groups--, w += LOGREG_COLUMNS) {
        forward_features(c.x, c.count, w, Z, prefetch, LOGREG_COLUMNS, type, size);
        next_columns(&c);
    }
}

LOGREG_INLINE void backward_columns(columns c, const real *dZ, double *dw, int64_t prefetch,
                                    logreg_type type, int size)
{
    for (; c.groups > 0; c.groups--, dw += LOGREG_COLUMNS) {
        backward_features(c.x, c.count, dZ, dw, prefetch, LOGREG_COLUMNS, type, size);
        next_columns(&c);
    }
}

#define DEFINE_LOOPS(name, type, c_type, number)                                                   \
    static void forward_columns_##name(const columns *c, const real *w, real *Z)                   \
    {                                                                                              \
        if (type != REAL_TYPE || c->prefetch != 0)                                                 \
            forward_columns(*c, w, Z, c->prefetch, type, sizeof(c_type));                          \
        else                                                                                       \
            forward_columns(*c, w, Z, 0, type, sizeof(c_type));                                    \
    }                                                                                              \
                                                                                                   \
    static void backward_columns_##name(const columns *c, const real *dZ, double *dw)              \
    {                                                                                              \
        if (type != REAL_TYPE || c->prefetch != 0)                                                 \
            backward_columns(*c, dZ, dw, c->prefetch, type, sizeof(c_type));                       \
        else                                                                                       \
            backward_columns(*c, dZ, dw, 0, type, sizeof(c_type));                                 \
    }
FEATURE_TYPES(DEFINE_LOOPS)
#undef DEFINE_LOOPS

#define LOOPS(name, type, c_type, number)                                                          \
    [type] = {forward_columns_##name, backward_columns_##name},

/* By logreg_type. */
static const struct {
    void (*forward)(const columns *c, const real *w, real *Z);
    void (*backward)(const columns *c, const real *dZ, double *dw);
} feature_loops[] = {FEATURE_TYPES(LOOPS)};
#undef LOOPS

/* Sets c, uniform columns from j on, to prefetch later columns: those of c that have such. */
LOGREG_INLINE void prefetch_columns(const logreg_block *block, int64_t j, int64_t feature_stride,
                                    int64_t stride, columns *c)
{
    const int64_t n = logreg_numbers(block->reading->data);
    const int64_t groups = (n - LOGREG_COLUMNS_AHEAD - j) / LOGREG_COLUMNS;
    c->prefetch = columns_ahead(feature_stride);
    if (groups <= 0)
        c->prefetch += block->count * stride - n * feature_stride;
    else if (groups < c->groups)
        c->groups = groups;
}

/* Sets c to features from j on, and returns their type: where uniform columns are read in place, to
 * all of them up to `to` that prefetch alike; else to LOGREG_COLUMNS. */
LOGREG_INLINE logreg_type columns_from(const logreg_block *block, int64_t j, int64_t to,
                                       int64_t line, int fresh, int last_time, logreg_ahead ahead,
                                       columns *c)
{
    const logreg_reading *reading = block->reading;
    const int64_t feature_stride = reading->uniform_columns ? reading->data->feature_stride : 0;
    const logreg_type type =
        feature_values(block, reading, j, LOGREG_COLUMNS, line, fresh, last_time, c->x);
    c->groups = reading->uniform_columns && reading->in_place ? (to - j) / LOGREG_COLUMNS : 1;
    c->step = LOGREG_COLUMNS * feature_stride;
    c->count = block->count;
    c->prefetch = 0;
    if (!reading->in_place) return type;
    if (ahead == LOGREG_AHEAD_COLUMNS)
        prefetch_columns(block, j, feature_stride, logreg_type_size(type), c);
    else
        c->prefetch = block_ahead(block, logreg_type_size(type), ahead == LOGREG_AHEAD_BLOCK);
    return type;
}

/* ---- Both halves of the pass ----------------------------------------------------------------- */

static void feature_major_forward(const logreg_block *block)
{
    const logreg_reading *reading = block->reading;
    const int64_t to = block->to;
    const int keep = reading->keep_packed, last_time = keep || reading->forward_only;
    const real *w = block->w;
    real *Z = block->Z;
    int64_t j = block->from;
    for (int64_t i = 0; j == 0 && i < block->count; i += LANES)
        lanes_store(Z + i, lanes_broadcast((real)block->b));
    for (columns c; to - j >= LOGREG_COLUMNS; j += c.groups * LOGREG_COLUMNS) {
        const logreg_type type =
            columns_from(block, j, to, keep ? j : 0, 1, last_time, reading->forward_ahead, &c);
        feature_loops[type].forward(&c, w + j, Z);
    }
    if (j == to) return;
    const char *x[LOGREG_COLUMNS];
    feature_values(block, reading, j, (int)(to - j), keep ? j : 0, 1, last_time, x);
    for (int f = 0; f < to - j; f++)
        forward_features(x + f, block->count, w + j + f, Z, 0, 1, REAL_TYPE, sizeof(real));
}

static void feature_major_backward(const logreg_block *block, double *dw)
{
    const logreg_reading *reading = block->reading;
    const int64_t to = block->to;
    const int keep = reading->keep_packed;
    const real *dZ = block->Z;
    int64_t j = block->from;
    for (columns c; to - j >= LOGREG_COLUMNS; j += c.groups * LOGREG_COLUMNS) {
        const logreg_type type =
            columns_from(block, j, to, keep ? j : 0, !keep, 1, reading->backward_ahead, &c);
        feature_loops[type].backward(&c, dZ, dw + j);
    }
    if (j == to) return;
    const char *x[LOGREG_COLUMNS];
    feature_values(block, reading, j, (int)(to - j), keep ? j : 0, !keep, 1, x);
    for (int f = 0; f < to - j; f++)
        backward_features(x + f, block->count, dZ, dw + j + f, 0, 1, REAL_TYPE, sizeof(real));
}

static void feature_major_end_run(const logreg_block *block, double *dw)
{
    (void)block; /* backward has added everything to dw */
    (void)dw;
}
