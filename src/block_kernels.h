/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The arithmetic over examples: forward, activate and backward on one block. One source over the
 * lanes layer; a variant_*.c file includes a page of lanes and then this one, and so compiles it
 * for its instruction set and arithmetic. Everything here is static but the table of functions at
 * the end.
 *
 * The order of every sum is part of the contract (the same bits everywhere), so a change here that
 * is faster must either keep the order or be a new minor version:
 *     Z_i    feature-major: ((b + w_0 x_0i) + w_1 x_1i) + ...; example-major: lanes over the
 *            features (feature j in lane j mod LANES), folded, then + b
 *     dw_j   feature-major: lanes over the examples of the block, folded; example-major: 8
 *            examples one after the other, then those sums one after the other
 *     db, J  lanes over the examples of a run, folded
 * In float32 each of these sums becomes float64 when a run or (dw, feature-major) a block ends.
 */
#include <math.h>

#include "kernels.h"

#if REAL_BITS == 64
#include "math_float64.h"
#define REAL_OF(lanes_union) (lanes_union).float64
enum { RUN = 512 };
#else
#include "math_float32.h"
#define REAL_OF(lanes_union) (lanes_union).float32
enum { RUN = 128 };
#endif
#include "pack.h"

static void narrow(const double *from, int64_t n, void *to)
{
    real *out = to;
    for (int64_t i = 0; i < n; i++) out[i] = (real)from[i];
}

static void widen(const logreg_block *block, double *Z)
{
    const real *from = block->Z;
    for (int64_t i = 0; i < block->count; i++) Z[i] = (double)from[i];
}

/* ---- Forward: Z = w'(X - centre) + b --------------------------------------------------------- */

/* Adds n features, 4 or 1, to the Z of the block's examples, feature-major; `prefetch` is for x in
 * place, or 0. */
LOGREG_INLINE void forward_features(const logreg_block *block, const real *const *x, const real *w,
                                    int64_t prefetch, int n)
{
    const int64_t count = block->count, whole = count - count % LANES;
    real *Z = block->Z;
    lanes weights[4];
    for (int f = 0; f < n; f++) weights[f] = lanes_set(w[f]);
    for (int64_t i = 0; i < whole; i += LANES) {
        lanes sum = lanes_load(Z + i);
        if (prefetch != 0)
            for (int f = 0; f < n; f++) LOGREG_PREFETCH(x[f] + i, prefetch);
        for (int f = 0; f < n; f++)
            sum = lanes_add(sum, lanes_mul(weights[f], lanes_load(x[f] + i)));
        lanes_store(Z + i, sum);
    }
    if (whole < count) {
        const int some = (int)(count - whole);
        lanes sum = lanes_load(Z + whole);
        for (int f = 0; f < n; f++)
            sum = lanes_add(sum, lanes_mul(weights[f], lanes_load_first(x[f] + whole, some)));
        lanes_store(Z + whole, sum);
    }
}

/* What prefetching in place takes. */
LOGREG_INLINE int64_t prefetch_in_place(const logreg_block *block, int last_time)
{
    const logreg_data *data = block->data;
    if (!block->in_place) return 0;
    return prefetch_of(block, block->matrix ? data->feature_stride : 0, sizeof(real), last_time);
}

static void forward_feature_major(const logreg_block *block)
{
    const int64_t n_x = block->data->n_x, prefetch = prefetch_in_place(block, 0);
    const real *w = block->w;
    real *Z = block->Z;
    for (int64_t i = 0; i < block->count; i += LANES) lanes_store(Z + i, lanes_set((real)block->b));
    for (int64_t j = 0; j < n_x; j += 4) {
        const int n = n_x - j < 4 ? (int)(n_x - j) : 4;
        const real *x[4];
        feature_values(block, j, n, block->kept ? j : 0, 1, block->kept, x);
        if (n == 4 && prefetch != 0)
            forward_features(block, x, w + j, prefetch, 4);
        else if (n == 4)
            forward_features(block, x, w + j, 0, 4);
        else
            for (int f = 0; f < n; f++) forward_features(block, x + f, w + j + f, 0, 1);
    }
}

/* Adds w times n features of `examples` examples, 4 or 1, to their sums, example-major; `sums` is
 * where these are kept from one tile to the next. */
LOGREG_INLINE void forward_examples(const rows *r, int64_t i, const real *w, real b, real *sums,
                                    real *Z, int examples, int first, int last)
{
    const int64_t stride = r->stride, n = r->length, whole = n - n % LANES;
    const real *x = r->x + i * stride;
    lanes sum[4];
    for (int e = 0; e < examples; e++)
        sum[e] = first ? lanes_set(0) : lanes_load(sums + (i + e) * LANES);
    for (int64_t j = 0; j < whole; j += LANES) {
        const lanes weights = lanes_load(w + j);
        for (int e = 0; e < examples; e++)
            sum[e] = lanes_add(sum[e], lanes_mul(weights, lanes_load(x + e * stride + j)));
    }
    if (whole < n) {
        const lanes weights = lanes_load(w + whole);
        for (int e = 0; e < examples; e++)
            sum[e] = lanes_add(sum[e], lanes_mul(weights, lanes_load_first(x + e * stride + whole,
                                                                           (int)(n - whole))));
    }
    if (!last) {
        for (int e = 0; e < examples; e++) lanes_store(sums + (i + e) * LANES, sum[e]);
        return;
    }
    real folded[4];
    if (examples == 4)
        lanes_sum4(sum[0], sum[1], sum[2], sum[3], folded);
    else
        folded[0] = lanes_sum(sum[0]);
    for (int e = 0; e < examples; e++) Z[i + e] = folded[e] + b;
}

static void forward_example_major(const logreg_block *block)
{
    const int64_t n_x = block->data->n_x, tile = block->tile;
    const real b = (real)block->b, *w = block->w;
    real *Z = block->Z, *sums = block->sums;
    for (int64_t j = 0; j < n_x; j += tile) {
        const int first = j == 0, last = n_x - j <= tile;
        const rows r = example_values(block, j, last ? n_x - j : tile, 1);
        int64_t i = 0;
        for (; i + 4 <= block->count; i += 4)
            forward_examples(&r, i, w + j, b, sums, Z, 4, first, last);
        for (; i < block->count; i++) forward_examples(&r, i, w + j, b, sums, Z, 1, first, last);
    }
}

static void forward(const logreg_block *block)
{
    if (block->example_major)
        forward_example_major(block);
    else
        forward_feature_major(block);
}

/* ---- Activate: Z -> dZ, J, db ---------------------------------------------------------------- */

static void labels(logreg_block *block)
{
    const logreg_data *data = block->data;
    if (data->Y.values)
        block->Y = column_values(&data->Y, block->first, block->count, block->Y_room);
    if (data->sample_weight.values)
        block->weight =
            column_values(&data->sample_weight, block->first, block->count, block->weight_room);
}

/* With the sign of z folded out first nothing cancels, however far out z is:
 *     e = exp(-|z|)   s = e / (1 + e)   c = z > 0 ? 1 - y : y
 *     cost = |z| c + log1p(e)           dz = z > 0 ? c - s : s - c
 * equal to -(y log a + (1 - y) log(1 - a)) and a - y in exact arithmetic.
 *
 * One logarithm serves a whole run of examples: q grows so that 1 + q is the product of the (1 +
 * e), and log1p(q) is taken at the run's end, a lane at a time. In float64 a run has at most 512
 * examples, 64 a lane, so q stays below 2^64, and its relative error below 64 * 1.5 roundings. In
 * float32 it has 128, 8 a lane (16 in blocks of 8 examples or fewer): that bounds the error of J,
 * 12 roundings or 7e-7. */
typedef struct activation {
    lanes dZ, linear, e; /* cost = linear + log1p(e) */
} activation;

LOGREG_INLINE activation activation_of(lanes Z, lanes Y)
{
    const lanes one = lanes_set(1);
    const lanes_mask positive = lanes_above(Z, lanes_set(0));
    const lanes size = lanes_abs(Z);
    const lanes e = exp_of_minus(size);
    const lanes s = lanes_div(e, lanes_add(one, e));
    const lanes c = lanes_choose(positive, lanes_sub(one, Y), Y);
    activation r;
    r.dZ = lanes_choose(positive, lanes_sub(c, s), lanes_sub(s, c));
    r.linear = lanes_mul(size, c);
    r.e = e;
    return r;
}

/* The sums of a run so far, a lane for every LANES-th example: a logreg_run_sums. */
typedef struct activation_sums {
    lanes db, linear, q, logs, weight;
} activation_sums;

LOGREG_INLINE lanes add_activation(activation_sums *sums, activation a, lanes weight, int weighted)
{
    if (weighted) {
        a.dZ = lanes_mul(weight, a.dZ);
        sums->linear = lanes_add(sums->linear, lanes_mul(weight, a.linear));
        sums->logs = lanes_add(sums->logs, lanes_mul(weight, log1p_of(a.e)));
        sums->weight = lanes_add(sums->weight, weight);
    } else {
        sums->linear = lanes_add(sums->linear, a.linear);
        sums->q = lanes_add(sums->q, lanes_add(a.e, lanes_mul(sums->q, a.e)));
    }
    sums->db = lanes_add(sums->db, a.dZ);
    return a.dZ;
}

/* A group of lanes with only `some` examples in it. The others get z = 1000, y = 1 and weight 0: e,
 * the cost and dz are then exactly 0. */
LOGREG_INLINE void activate_some(real *Z, const real *Y, const real *weight, int some,
                                 activation_sums *sums, int weighted)
{
    real z[LANES], y[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        z[lane] = lane < some ? Z[lane] : (real)1000;
        y[lane] = lane < some ? Y[lane] : (real)1;
    }
    const lanes weights = weighted ? lanes_load_first(weight, some) : lanes_set(1);
    const activation a = activation_of(lanes_load(z), lanes_load(y));
    lanes_store(Z, add_activation(sums, a, weights, weighted));
}

LOGREG_INLINE void activate_examples(real *Z, const real *Y, const real *weight, int64_t count,
                                     logreg_run_sums *run, int weighted)
{
    const lanes one = lanes_set(1);
    activation_sums sums = {lanes_load(REAL_OF(run->db)), lanes_load(REAL_OF(run->linear)),
                            lanes_load(REAL_OF(run->q)), lanes_load(REAL_OF(run->logs)),
                            lanes_load(REAL_OF(run->weight))};
    int64_t i = 0;
    /* Two groups side by side hide half of each other's latency. */
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
        const activation a = activation_of(lanes_load(Z + i), lanes_load(Y + i));
        const activation b = activation_of(lanes_load(Z + i + LANES), lanes_load(Y + i + LANES));
        const lanes wa = weighted ? lanes_load(weight + i) : one;
        const lanes wb = weighted ? lanes_load(weight + i + LANES) : one;
        lanes_store(Z + i, add_activation(&sums, a, wa, weighted));
        lanes_store(Z + i + LANES, add_activation(&sums, b, wb, weighted));
    }
    if (i + LANES <= count) {
        const activation a = activation_of(lanes_load(Z + i), lanes_load(Y + i));
        const lanes wa = weighted ? lanes_load(weight + i) : one;
        lanes_store(Z + i, add_activation(&sums, a, wa, weighted));
        i += LANES;
    }
    if (i < count)
        activate_some(Z + i, Y + i, weighted ? weight + i : NULL, (int)(count - i), &sums,
                      weighted);
    lanes_store(REAL_OF(run->db), sums.db);
    lanes_store(REAL_OF(run->linear), sums.linear);
    lanes_store(REAL_OF(run->q), sums.q);
    lanes_store(REAL_OF(run->logs), sums.logs);
    lanes_store(REAL_OF(run->weight), sums.weight);
}

static void activate(const logreg_block *block, int64_t from, int64_t count, logreg_run_sums *run)
{
    real *Z = (real *)block->Z + from;
    const real *Y = (const real *)block->Y + from;
    if (block->weight)
        activate_examples(Z, Y, (const real *)block->weight + from, count, run, 1);
    else
        activate_examples(Z, Y, NULL, count, run, 0);
}

static void finish_run(const logreg_block *block, logreg_run_sums *run, int64_t count, double *dw,
                       double *sums)
{
    const int weighted = block->weight != NULL;
    const lanes logs =
        weighted ? lanes_load(REAL_OF(run->logs)) : log1p_of(lanes_load(REAL_OF(run->q)));
    sums[LOGREG_SUM_DB] += (double)lanes_sum(lanes_load(REAL_OF(run->db)));
    sums[LOGREG_SUM_J] +=
        (double)lanes_sum(lanes_load(REAL_OF(run->linear))) + (double)lanes_sum(logs);
    sums[LOGREG_SUM_WEIGHT] +=
        weighted ? (double)lanes_sum(lanes_load(REAL_OF(run->weight))) : (double)count;
    memset(run, 0, sizeof *run);
    if (REAL_BITS == 32 && block->example_major) {
        real *of_run = block->dw;
        for (int64_t j = 0; j < block->data->n_x; j++) {
            dw[j] += (double)of_run[j];
            of_run[j] = 0;
        }
    }
}

/* ---- Backward: dw += X dZ' ------------------------------------------------------------------- */

/* Adds the block's examples to dw of n features, 4 or 1, feature-major; `prefetch` is for x in
 * place, or 0. */
LOGREG_INLINE void backward_features(const logreg_block *block, const real *const *x,
                                     int64_t prefetch, double *dw, int n)
{
    const int64_t count = block->count, whole = count - count % LANES;
    const real *Z = block->Z;
    lanes sum[4];
    for (int f = 0; f < n; f++) sum[f] = lanes_set(0);
    for (int64_t i = 0; i < whole; i += LANES) {
        const lanes dZ = lanes_load(Z + i);
        if (prefetch != 0)
            for (int f = 0; f < n; f++) LOGREG_PREFETCH(x[f] + i, prefetch);
        for (int f = 0; f < n; f++) sum[f] = lanes_add(sum[f], lanes_mul(lanes_load(x[f] + i), dZ));
    }
    if (whole < count) {
        const lanes dZ = lanes_load(Z + whole);
        for (int f = 0; f < n; f++)
            sum[f] = lanes_add(sum[f],
                               lanes_mul(lanes_load_first(x[f] + whole, (int)(count - whole)), dZ));
    }
    real folded[4];
    if (n == 4)
        lanes_sum4(sum[0], sum[1], sum[2], sum[3], folded);
    else
        folded[0] = lanes_sum(sum[0]);
    for (int f = 0; f < n; f++) dw[f] += (double)folded[f];
}

static void backward_feature_major(const logreg_block *block, double *dw)
{
    const int64_t n_x = block->data->n_x, prefetch = prefetch_in_place(block, 1);
    for (int64_t j = 0; j < n_x; j += 4) {
        const int n = n_x - j < 4 ? (int)(n_x - j) : 4;
        const real *x[4];
        feature_values(block, j, n, block->kept ? j : 0, !block->kept, 1, x);
        if (n == 4 && prefetch != 0)
            backward_features(block, x, prefetch, dw + j, 4);
        else if (n == 4)
            backward_features(block, x, 0, dw + j, 4);
        else
            for (int f = 0; f < n; f++) backward_features(block, x + f, 0, dw + j + f, 1);
    }
}

/* Adds `examples` examples, 8 or 1, to dw, example-major. */
LOGREG_INLINE void backward_examples(const rows *r, int64_t i, const real *Z, int64_t ahead,
                                     real *dw, int examples)
{
    const int64_t stride = r->stride, n = r->length, whole = n - n % LANES;
    const real *x = r->x + i * stride;
    lanes dZ[8];
    for (int e = 0; e < examples; e++) dZ[e] = lanes_set(Z[i + e]);
    for (int64_t j = 0; j < whole; j += LANES) {
        if (ahead > 0)
            for (int e = 0; e < examples; e++) LOGREG_PREFETCH(x + e * stride + j, ahead);
        lanes sum = lanes_mul(lanes_load(x + j), dZ[0]);
        for (int e = 1; e < examples; e++)
            sum = lanes_add(sum, lanes_mul(lanes_load(x + e * stride + j), dZ[e]));
        lanes_store(dw + j, lanes_add(lanes_load(dw + j), sum));
    }
    if (whole < n) {
        const int some = (int)(n - whole);
        if (ahead > 0)
            for (int e = 0; e < examples; e++) LOGREG_PREFETCH(x + e * stride + whole, ahead);
        lanes sum = lanes_mul(lanes_load_first(x + whole, some), dZ[0]);
        for (int e = 1; e < examples; e++)
            sum = lanes_add(sum, lanes_mul(lanes_load_first(x + e * stride + whole, some), dZ[e]));
        lanes_store(dw + whole, lanes_add(lanes_load(dw + whole), sum));
    }
}

/* How far ahead examples in place are prefetched: the next block, or this many bytes. */
enum { LEAST_AHEAD = 1 << 14 };

static void backward_example_major(const logreg_block *block, real *dw)
{
    const int64_t n_x = block->data->n_x, tile = block->tile;
    for (int64_t j = 0; j < n_x; j += tile) {
        const rows r = example_values(block, j, n_x - j < tile ? n_x - j : tile, !block->kept);
        int64_t ahead = block->count * r.stride * (int64_t)sizeof(real);
        if (ahead < LEAST_AHEAD) ahead = LEAST_AHEAD;
        int64_t i = 0;
        if (block->in_place)
            for (; i + 8 <= block->count; i += 8)
                backward_examples(&r, i, block->Z, ahead, dw + j, 8);
        else
            for (; i + 8 <= block->count; i += 8) backward_examples(&r, i, block->Z, 0, dw + j, 8);
        for (; i < block->count; i++) backward_examples(&r, i, block->Z, 0, dw + j, 1);
    }
}

static void backward(const logreg_block *block, double *dw)
{
    if (!block->example_major)
        backward_feature_major(block, dw);
    else if (REAL_BITS == 64)
        backward_example_major(block, (real *)dw);
    else
        backward_example_major(block, block->dw);
}

/* ---- The table ------------------------------------------------------------------------------- */

#if REAL_BITS == 64
#include "float64_kernels.h"
#define COLUMN column_values
#else
#define COLUMN NULL
#define predict NULL
#define sigmoid NULL
#define moments NULL
#endif

const logreg_kernels LOGREG_VARIANT = {
    sizeof(real), RUN,   narrow, forward, labels,  activate, finish_run,
    backward,     widen, COLUMN, predict, sigmoid, moments,
};
