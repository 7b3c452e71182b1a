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

#include "block/kernels.h"

#if REAL_BITS == 64
#include "simd/math_float64.h"
#define REAL_OF(lanes_union) (lanes_union).float64
enum { RUN = 512 };
#else
#include "simd/math_float32.h"
#define REAL_OF(lanes_union) (lanes_union).float32
enum { RUN = 128 };
#endif
#include "block/pack.h"
#include "block/loops.h"

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

/* What prefetching in place takes. */
LOGREG_INLINE int64_t prefetch_in_place(const logreg_block *block, logreg_type type, int last_time)
{
    if (!block->in_place) return 0;
    return prefetch_of(block, block->matrix ? block->data->feature_stride : 0,
                       logreg_type_size(type), last_time);
}

static void forward_feature_major(const logreg_block *block)
{
    const int64_t n_x = block->data->n_x;
    const real *w = block->w;
    real *Z = block->Z;
    for (int64_t i = 0; i < block->count; i += LANES)
        lanes_store(Z + i, lanes_broadcast((real)block->b));
    for (int64_t j = 0; j < n_x; j += 4) {
        const int n = n_x - j < 4 ? (int)(n_x - j) : 4;
        const char *x[4];
        const logreg_type type =
            feature_values(block, j, n, block->kept ? j : 0, 1, block->kept || block->once, x);
        if (n == 4)
            loops[type].forward_features(x, block->count, w + j, Z,
                                         prefetch_in_place(block, type, block->once));
        else
            for (int f = 0; f < n; f++)
                forward_features(x + f, block->count, w + j + f, Z, 0, 1, REAL_TYPE, sizeof(real));
    }
}

static void forward_example_major(const logreg_block *block)
{
    const int64_t n_x = block->data->n_x, tile = block->tile;
    const lanes b = lanes_broadcast((real)block->b);
    const real *w = block->w;
    real *Z = block->Z, *sums = block->sums;
    for (int64_t j = 0; j < n_x; j += tile) {
        const int first = j == 0, last = n_x - j <= tile;
        const rows r = example_values(block, j, last ? n_x - j : tile, 1);
        loops[r.type].forward_rows(&r, w + j, sums, Z, first, last);
    }
    for (int64_t i = 0; i < block->count; i += LANES)
        lanes_store(Z + i, lanes_add(lanes_load(Z + i), b));
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
    const lanes one = lanes_broadcast(1);
    const lanes_mask positive = lanes_gt(Z, lanes_broadcast(0));
    const lanes size = lanes_abs(Z);
    const lanes e = exp_of_minus(size);
    const lanes s = lanes_div(e, lanes_add(one, e));
    const lanes c = lanes_select(positive, lanes_sub(one, Y), Y);
    activation r;
    r.dZ = lanes_select(positive, lanes_sub(c, s), lanes_sub(s, c));
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
    const lanes weights = weighted ? lanes_load_first(weight, some) : lanes_broadcast(1);
    const activation a = activation_of(lanes_load(z), lanes_load(y));
    lanes_store(Z, add_activation(sums, a, weights, weighted));
}

LOGREG_INLINE void activate_examples(real *Z, const real *Y, const real *weight, int64_t count,
                                     logreg_run_sums *run, int weighted)
{
    const lanes one = lanes_broadcast(1);
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
    sums[LOGREG_SUM_DB] += (double)lanes_reduce_add(lanes_load(REAL_OF(run->db)));
    sums[LOGREG_SUM_J] +=
        (double)lanes_reduce_add(lanes_load(REAL_OF(run->linear))) + (double)lanes_reduce_add(logs);
    sums[LOGREG_SUM_WEIGHT] +=
        weighted ? (double)lanes_reduce_add(lanes_load(REAL_OF(run->weight))) : (double)count;
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

static void backward_feature_major(const logreg_block *block, double *dw)
{
    const int64_t n_x = block->data->n_x;
    const real *dZ = block->Z;
    for (int64_t j = 0; j < n_x; j += 4) {
        const int n = n_x - j < 4 ? (int)(n_x - j) : 4;
        const char *x[4];
        const logreg_type type =
            feature_values(block, j, n, block->kept ? j : 0, !block->kept, 1, x);
        if (n == 4)
            loops[type].backward_features(x, block->count, dZ, dw + j,
                                          prefetch_in_place(block, type, 1));
        else
            for (int f = 0; f < n; f++)
                backward_features(x + f, block->count, dZ, dw + j + f, 0, 1, REAL_TYPE,
                                  sizeof(real));
    }
}

static void backward_example_major(const logreg_block *block, real *dw)
{
    const int64_t n_x = block->data->n_x, tile = block->tile;
    for (int64_t j = 0; j < n_x; j += tile) {
        const rows r = example_values(block, j, n_x - j < tile ? n_x - j : tile, !block->kept);
        const int64_t size = block->count * r.stride, ahead = size < ROWS_AHEAD ? ROWS_AHEAD : size;
        loops[r.type].backward_rows(&r, block->Z, block->in_place ? ahead : 0, dw + j);
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
#include "block/float64_kernels.h"
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
