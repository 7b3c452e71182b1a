/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The arithmetic over examples: forward, activate and backward on one block, and the moments that
 * standardising needs. One source over the lanes layer; a variant_*.c file includes a page of lanes
 * and then this one, and so compiles it for its instruction set. Everything here is static but the
 * table of functions at the end.
 *
 * The order of every sum is part of the contract (the same bits everywhere), so a change here that
 * is faster must either keep the order or be a new minor version:
 *     Z_i    feature-major: ((b + w_0 x_0i) + w_1 x_1i) + ...; example-major: 8 lanes over the
 *            features (feature j in lane j mod 8), folded, then + b
 *     dw_j   feature-major: 8 lanes over the examples of the block, folded; example-major: 8
 *            examples one after the other, then those sums one after the other
 *     db, J  8 lanes over the examples of the block, folded
 */
#include <math.h>

#include "kernels.h"

/* ---- exp(-t) and log1p ----------------------------------------------------------------------- */

/* c1 x + c0 */
LOGREG_INLINE lanes line(lanes x, double c1, double c0)
{
    return lanes_add(lanes_mul(lanes_set(c1), x), lanes_set(c0));
}

/* exp(-t) for t >= 0, to 0.8 ulp; 0 beyond the smallest subnormal, NaN for NaN.
 *
 * -t = r - k ln 2 with |r| <= ln(2) / 2. Subtracting from `shift`, whose ulp is 1, rounds to the
 * integer k and leaves 1023 + 64 - k in the lowest bits of the difference, from where it moves
 * straight into an exponent field. The 64 keeps 2^(64 - k) normal up to k = 1076: the last product
 * alone rounds, once, if the result is subnormal. ln 2 is split so that k ln2_hi is exact, and what
 * r loses in rounding is added to the tail. The polynomial (Remez, relative error 4e-18) is summed
 * as a tree (Estrin): these loops wait for latency more than for arithmetic. */
LOGREG_INLINE lanes exp_of_minus(lanes t)
{
    const lanes shift = lanes_set(0x1.8p52 + 1023 + 64);
    const lanes ln2_hi = lanes_set(0x1.62e42fefa3800p-1);
    const lanes ln2_lo = lanes_set(0x1.ef35793c76730p-45);
    const lanes log2_e = lanes_set(0x1.71547652b82fep0);

    t = lanes_min(lanes_set(746.0), t);
    const lanes shifted = lanes_sub(shift, lanes_mul(t, log2_e));
    const lanes k = lanes_sub(shift, shifted);
    const lanes r_hi = lanes_sub(lanes_mul(k, ln2_hi), t);
    const lanes r_lo = lanes_mul(k, ln2_lo);
    const lanes r = lanes_add(r_hi, r_lo);

    const lanes r2 = lanes_mul(r, r);
    const lanes r4 = lanes_mul(r2, r2);
    const lanes p01 = line(r, 0x1.55555555554fap-3, 0x1.000000000000ap-1);
    const lanes p23 = line(r, 0x1.1111111127b9dp-7, 0x1.555555555088cp-5);
    const lanes p45 = line(r, 0x1.a01a012a68f62p-13, 0x1.6c16c184266c6p-10);
    const lanes p67 = line(r, 0x1.71df253c3746fp-19, 0x1.a0199a16ddf6ep-16);
    const lanes p89 = line(r, 0x1.ad7f774e43f9cp-26, 0x1.28ad68aabef05p-22);
    const lanes p0123 = lanes_add(lanes_mul(p23, r2), p01);
    const lanes p4567 = lanes_add(lanes_mul(p67, r2), p45);
    const lanes p4to9 = lanes_add(lanes_mul(p89, r4), p4567);
    const lanes p = lanes_add(lanes_mul(p4to9, r4), p0123);

    const lanes r_rest = lanes_add(lanes_sub(r_hi, r), r_lo);
    const lanes tail = lanes_add(lanes_mul(r2, p), r_rest);
    const lanes e = lanes_add(lanes_set(1.0), lanes_add(r, tail));
    return lanes_mul(lanes_mul(e, lanes_exp2_of_low_bits(shifted)), lanes_set(0x1p-64));
}

/* log(1 + q) for 0 <= q <= 2^64, to 1 ulp; NaN for NaN.
 *
 * u + rest is 1 + q exactly. u = 2^k f with f within a factor of sqrt(2) of 1, and with s = f' /
 * (2 + f'), f' = f - 1: log f = f' - (f'^2/2 - s (f'^2/2 + R(s^2))), R being s's odd series from
 * the cubic term on (Remez, absolute error 3e-18). */
LOGREG_INLINE lanes log1p_of(lanes q)
{
    const lanes one = lanes_set(1.0);
    const lanes u = lanes_add(one, q);
    const lanes v = lanes_sub(u, one);
    const lanes rest = lanes_add(lanes_sub(one, lanes_sub(u, v)), lanes_sub(q, v));

    lanes f = lanes_fraction(u);
    lanes k = lanes_exponent(u);
    const lanes_mask high = lanes_above(f, lanes_set(0x1.6a09e667f3bcdp0));
    f = lanes_choose(high, lanes_mul(f, lanes_set(0.5)), f);
    k = lanes_choose(high, lanes_add(k, one), k);
    f = lanes_sub(f, one);

    const lanes s = lanes_div(f, lanes_add(lanes_set(2.0), f));
    const lanes z = lanes_mul(s, s);
    lanes R = lanes_set(0x1.2f0d5c03de767p-3);
    R = lanes_add(lanes_mul(R, z), lanes_set(0x1.39a0f9c98f958p-3));
    R = lanes_add(lanes_mul(R, z), lanes_set(0x1.746645ffad67ap-3));
    R = lanes_add(lanes_mul(R, z), lanes_set(0x1.c71c51e8c4e4dp-3));
    R = lanes_add(lanes_mul(R, z), lanes_set(0x1.2492494216b62p-2));
    R = lanes_add(lanes_mul(R, z), lanes_set(0x1.999999997fb41p-2));
    R = lanes_add(lanes_mul(R, z), lanes_set(0x1.5555555555593p-1));
    R = lanes_mul(R, z);

    const lanes half_square = lanes_mul(lanes_set(0.5), lanes_mul(f, f));
    const lanes low = lanes_add(lanes_mul(k, lanes_set(0x1.ef35793c76730p-45)), lanes_div(rest, u));
    const lanes small =
        lanes_sub(half_square, lanes_add(lanes_mul(s, lanes_add(half_square, R)), low));
    const lanes result =
        lanes_sub(lanes_mul(k, lanes_set(0x1.62e42fefa3800p-1)), lanes_sub(small, f));
    /* The fraction of a NaN is a number: put the NaN back. */
    return lanes_choose(lanes_above(lanes_set(0x1p1000), q), result, lanes_add(q, q));
}

/* 1 / (1 + exp(-z)) to 2 ulp: with e = exp(-|z|), s = e / (1 + e), s where z <= 0 and 1 - s where
 * z > 0. Just above a power of two e's error and that of rounding 1 + e add up to 2.4 ulp, so the
 * latter, `rest`, is taken out again: s / (1 + rest / (1 + e)) = s - s rest (1 - s), nearly. */
LOGREG_INLINE lanes sigmoid_of(lanes z)
{
    const lanes one = lanes_set(1.0);
    const lanes e = exp_of_minus(lanes_abs(z));
    const lanes sum = lanes_add(one, e);
    const lanes rest = lanes_sub(e, lanes_sub(sum, one));
    lanes s = lanes_div(e, sum);
    s = lanes_sub(s, lanes_mul(lanes_mul(s, rest), lanes_sub(one, s)));
    return lanes_choose(lanes_above(z, lanes_set(0.0)), lanes_sub(one, s), s);
}

/* ---- Forward: Z = w'X + b -------------------------------------------------------------------- */

/* In the loops below `n` (features or examples side by side), `centred` and `packing` are constants
 * wherever a function is inlined, and so is `some`, how many of the 8 lanes hold data, in all but
 * the last group: each call site is a loop of its own, without a branch. What a loop needs of the
 * block it holds in locals, since a store through a double may change the block as far as the
 * compiler knows. */

LOGREG_INLINE int at_most_lanes(int64_t n)
{
    return n < LANES ? (int)n : LANES;
}

LOGREG_INLINE lanes load_some(const double *p, int some)
{
    return some == LANES ? lanes_load(p) : lanes_load_first(p, some);
}

/* Adds n features to the Z of one group of 8 examples, feature-major. */
LOGREG_INLINE void forward_group(const double *x, int64_t stride, const lanes *w,
                                 const lanes *centre, double *Z, double *packed,
                                 int64_t packed_stride, int n, int centred, int packing, int some)
{
    lanes sum = lanes_load(Z);
    for (int f = 0; f < n; f++) {
        lanes value = load_some(x + f * stride, some);
        if (centred) value = lanes_sub(value, centre[f]);
        if (packing) lanes_store(packed + f * packed_stride, value);
        sum = lanes_add(sum, lanes_mul(w[f], value));
    }
    lanes_store(Z, sum);
}

LOGREG_INLINE void forward_features(const logreg_block *block, int64_t j, int n, int centred,
                                    int packing)
{
    const int64_t stride = block->feature_stride, packed_stride = block->packed_stride;
    const int64_t count = block->count, whole = count - count % LANES;
    const double *x = block->X + j * stride;
    double *Z = block->Z, *packed = packing ? block->packed + j * packed_stride : block->Z;
    lanes w[4], centre[4];
    for (int f = 0; f < n; f++) {
        w[f] = lanes_set(block->w[j + f]);
        centre[f] = lanes_set(centred ? block->centre[j + f] : 0.0);
    }
    for (int64_t i = 0; i < whole; i += LANES)
        forward_group(x + i, stride, w, centre, Z + i, packed + i, packed_stride, n, centred,
                      packing, LANES);
    if (whole < count)
        forward_group(x + whole, stride, w, centre, Z + whole, packed + whole, packed_stride, n,
                      centred, packing, (int)(count - whole));
}

LOGREG_INLINE void forward_all_features(const logreg_block *block, int centred, int packing)
{
    const int64_t n_x = block->n_x, whole = n_x - n_x % 4;
    for (int64_t i = 0; i < block->count; i += LANES)
        lanes_store(block->Z + i, lanes_set(block->b));
    for (int64_t j = 0; j < whole; j += 4) forward_features(block, j, 4, centred, packing);
    if (n_x % 4 == 1) forward_features(block, whole, 1, centred, packing);
    if (n_x % 4 == 2) forward_features(block, whole, 2, centred, packing);
    if (n_x % 4 == 3) forward_features(block, whole, 3, centred, packing);
}

/* Packing keeps a copy of the block, centred, for `backward`. Standardised features need it, or
 * `backward` would subtract again; so do columns that lie a multiple of a large power of two apart,
 * because those share a few sets of every cache and would be gone before `backward` comes. */
static void forward_feature_major(const logreg_block *block)
{
    if (block->centre)
        forward_all_features(block, 1, 1);
    else if (block->packed)
        forward_all_features(block, 0, 1);
    else
        forward_all_features(block, 0, 0);
}

/* Short examples, at most 8 features, would leave most lanes over the features empty: the block is
 * packed feature-major, and so the lanes run over the examples. */
static void forward_short_examples(const logreg_block *block)
{
    const int64_t padded = (block->count + LANES - 1) / LANES * LANES;
    for (int64_t j = 0; j < block->n_x; j++) {
        const double *x = block->X + j;
        const double centre = block->centre ? block->centre[j] : 0.0;
        double *packed = block->packed + j * block->packed_stride;
        for (int64_t i = 0; i < block->count; i++)
            packed[i] = x[i * block->example_stride] - centre;
        for (int64_t i = block->count; i < padded; i++) packed[i] = 0.0;
    }
    logreg_block gathered = *block;
    gathered.X = block->packed;
    gathered.feature_stride = block->packed_stride;
    forward_all_features(&gathered, 0, 0);
}

/* Adds w times the next 8 features of n examples to their sums, example-major. */
LOGREG_INLINE void forward_step(const double *x, int64_t stride, const double *w,
                                const double *centre, lanes *sum, int n, int centred, int some)
{
    const lanes weights = lanes_load(w);
    for (int e = 0; e < n; e++) {
        lanes value = load_some(x + e * stride, some);
        if (centred) value = lanes_sub(value, lanes_load(centre));
        sum[e] = lanes_add(sum[e], lanes_mul(weights, value));
    }
}

/* Z of n examples, 4 or 1, from i on. */
LOGREG_INLINE void forward_examples(const logreg_block *block, int64_t i, int n, int centred)
{
    const int64_t stride = block->example_stride;
    const int64_t n_x = block->n_x, whole = n_x - n_x % LANES;
    const double *x = block->X + i * stride, *w = block->w, *centre = block->centre;
    lanes sum[4];
    for (int e = 0; e < n; e++) sum[e] = lanes_set(0.0);
    for (int64_t j = 0; j < whole; j += LANES)
        forward_step(x + j, stride, w + j, centred ? centre + j : w, sum, n, centred, LANES);
    if (whole < n_x)
        forward_step(x + whole, stride, w + whole, centred ? centre + whole : w, sum, n, centred,
                     (int)(n_x - whole));
    double Z[4];
    if (n == 4)
        lanes_sum4(sum[0], sum[1], sum[2], sum[3], Z);
    else
        Z[0] = lanes_sum(sum[0]);
    for (int e = 0; e < n; e++) block->Z[i + e] = Z[e] + block->b;
}

LOGREG_INLINE void forward_all_examples(const logreg_block *block, int centred)
{
    int64_t i = 0;
    for (; i + 4 <= block->count; i += 4) forward_examples(block, i, 4, centred);
    for (; i < block->count; i++) forward_examples(block, i, 1, centred);
}

static void forward(const logreg_block *block)
{
    if (block->example_stride == 1)
        forward_feature_major(block);
    else if (block->n_x <= LANES)
        forward_short_examples(block);
    else if (block->centre)
        forward_all_examples(block, 1);
    else
        forward_all_examples(block, 0);
}

/* ---- Activate: Z -> dZ, J, db ---------------------------------------------------------------- */

/* With the sign of z folded out first nothing cancels, however far out z is:
 *     e = exp(-|z|)   s = e / (1 + e)   c = z > 0 ? 1 - y : y
 *     cost = |z| c + log1p(e)           dz = z > 0 ? c - s : s - c
 * equal to -(y log a + (1 - y) log(1 - a)) and a - y in exact arithmetic.
 *
 * One logarithm serves a whole run of blocks: q grows so that 1 + q is the product of the (1 + e),
 * and log1p(q) is taken at the run's end, a lane at a time. A run has at most 512 examples, 64 a
 * lane, so q stays below 2^64, and its relative error below 64 * 1.5 roundings. */
typedef struct activation {
    lanes dZ, linear, e; /* cost = linear + log1p(e) */
} activation;

LOGREG_INLINE activation activation_of(lanes Z, lanes Y)
{
    const lanes one = lanes_set(1.0);
    const lanes_mask positive = lanes_above(Z, lanes_set(0.0));
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

/* The sums of a run so far, a lane for every 8th example: a logreg_run_sums. */
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

/* A group of 8 examples with only `some` in it. The lanes without an example get z = 1000, y = 1
 * and weight 0: e, the cost and dz are then exactly 0. */
LOGREG_INLINE void activate_some(const logreg_block *block, int64_t i, int some,
                                 activation_sums *sums, int weighted)
{
    double Z[LANES], Y[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        Z[lane] = lane < some ? block->Z[i + lane] : 1000.0;
        Y[lane] = lane < some ? block->Y[i + lane] : 1.0;
    }
    const lanes weight =
        weighted ? lanes_load_first(block->sample_weight + i, some) : lanes_set(1.0);
    const activation a = activation_of(lanes_load(Z), lanes_load(Y));
    lanes_store(block->Z + i, add_activation(sums, a, weight, weighted));
}

LOGREG_INLINE void activate_block(const logreg_block *block, logreg_run_sums *run, int weighted)
{
    const lanes one = lanes_set(1.0);
    const double *Y = block->Y, *weight = block->sample_weight;
    const int64_t count = block->count;
    double *Z = block->Z;
    activation_sums sums = {lanes_load(run->db), lanes_load(run->linear), lanes_load(run->q),
                            lanes_load(run->logs), lanes_load(run->weight)};
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
    if (i < count) activate_some(block, i, (int)(count - i), &sums, weighted);
    lanes_store(run->db, sums.db);
    lanes_store(run->linear, sums.linear);
    lanes_store(run->q, sums.q);
    lanes_store(run->logs, sums.logs);
    lanes_store(run->weight, sums.weight);
}

static void activate(const logreg_block *block, logreg_run_sums *run)
{
    if (block->sample_weight)
        activate_block(block, run, 1);
    else
        activate_block(block, run, 0);
}

/* Without weights `logs` and `weight` are 0 and `count` says how many examples there were, with
 * them `q` and `count` are 0. */
static void finish_run(const logreg_run_sums *run, int64_t count, double *sums)
{
    const double logs = lanes_sum(lanes_load(run->logs)) + lanes_sum(log1p_of(lanes_load(run->q)));
    sums[LOGREG_SUM_DB] += lanes_sum(lanes_load(run->db));
    sums[LOGREG_SUM_J] += lanes_sum(lanes_load(run->linear)) + logs;
    sums[LOGREG_SUM_WEIGHT] += lanes_sum(lanes_load(run->weight)) + (double)count;
}

/* Z -> A, in place. 0, or NaN where a Z is not finite. */
static double predict(const logreg_block *block)
{
    lanes finite = lanes_set(0.0);
    for (int64_t i = 0; i < block->count; i += LANES) {
        const lanes Z = load_some(block->Z + i, at_most_lanes(block->count - i));
        finite = lanes_add(finite, lanes_mul(Z, lanes_set(0.0)));
        lanes_store(block->Z + i, sigmoid_of(Z));
    }
    return lanes_sum(finite);
}

/* ---- Backward: dw += X dZ' ------------------------------------------------------------------- */

/* While `backward` works from cache the memory would idle: it asks for the next block, a cache line
 * for each that it reads. Into L2 and no further: into L1 would take up the few buffers that L1's
 * own misses wait in (measured, Zen 4: a whole pass takes half as long again, where prefetching to
 * L2 makes it a fifth shorter). */

/* Adds one group of 8 examples to the sums of n features, feature-major; `ahead` is how far on in
 * a column the next block is, 0 if x is not where it will be read. */
LOGREG_INLINE void backward_group(const double *x, int64_t stride, int64_t ahead, const double *Z,
                                  lanes *sum, int n, int some)
{
    const lanes dZ = lanes_load(Z);
    if (ahead > 0)
        for (int f = 0; f < n; f++) LOGREG_PREFETCH(x + f * stride, ahead);
    for (int f = 0; f < n; f++)
        sum[f] = lanes_add(sum[f], lanes_mul(load_some(x + f * stride, some), dZ));
}

LOGREG_INLINE void backward_features(const logreg_block *block, int64_t j, int n, double *dw)
{
    const int64_t stride = block->packed ? block->packed_stride : block->feature_stride;
    const int64_t count = block->count, whole = count - count % LANES;
    const double *x = (block->packed ? block->packed : block->X) + j * stride, *Z = block->Z;
    lanes sum[4];
    for (int f = 0; f < n; f++) sum[f] = lanes_set(0.0);
    if (block->packed)
        for (int64_t i = 0; i < whole; i += LANES)
            backward_group(x + i, stride, 0, Z + i, sum, n, LANES);
    else
        for (int64_t i = 0; i < whole; i += LANES)
            backward_group(x + i, stride, count, Z + i, sum, n, LANES);
    if (whole < count)
        backward_group(x + whole, stride, 0, Z + whole, sum, n, (int)(count - whole));
    double folded[4];
    lanes_sum4(sum[0], sum[n > 1 ? 1 : 0], sum[n > 2 ? 2 : 0], sum[n > 3 ? 3 : 0], folded);
    for (int f = 0; f < n; f++) dw[j + f] += folded[f];
}

static void backward_all_features(const logreg_block *block, double *dw)
{
    const int64_t n_x = block->n_x, whole = n_x - n_x % 4;
    for (int64_t j = 0; j < whole; j += 4) backward_features(block, j, 4, dw);
    if (n_x % 4 == 1) backward_features(block, whole, 1, dw);
    if (n_x % 4 == 2) backward_features(block, whole, 2, dw);
    if (n_x % 4 == 3) backward_features(block, whole, 3, dw);
}

/* Adds n examples to 8 elements of dw, example-major. */
LOGREG_INLINE void backward_step(const double *x, int64_t stride, int64_t ahead, const lanes *dZ,
                                 const double *centre, double *dw, int n, int centred, int some)
{
    for (int e = 0; e < n; e++) LOGREG_PREFETCH(x + e * stride, ahead);
    lanes sum = lanes_set(0.0);
    for (int e = 0; e < n; e++) {
        lanes value = load_some(x + e * stride, some);
        if (centred) value = lanes_sub(value, lanes_load(centre));
        value = lanes_mul(value, dZ[e]);
        sum = e == 0 ? value : lanes_add(sum, value);
    }
    lanes_store(dw, lanes_add(lanes_load(dw), sum));
}

LOGREG_INLINE void backward_examples(const logreg_block *block, int64_t i, int n, int centred,
                                     double *dw)
{
    const int64_t stride = block->example_stride;
    const int64_t n_x = block->n_x, whole = n_x - n_x % LANES;
    const int64_t ahead = stride * block->rows_ahead;
    const double *x = block->X + i * stride, *centre = block->centre;
    lanes dZ[LANES];
    for (int e = 0; e < n; e++) dZ[e] = lanes_set(block->Z[i + e]);
    for (int64_t j = 0; j < whole; j += LANES)
        backward_step(x + j, stride, ahead, dZ, centred ? centre + j : x, dw + j, n, centred,
                      LANES);
    if (whole < n_x)
        backward_step(x + whole, stride, ahead, dZ, centred ? centre + whole : x, dw + whole, n,
                      centred, (int)(n_x - whole));
}

LOGREG_INLINE void backward_all_examples(const logreg_block *block, int centred, double *dw)
{
    int64_t i = 0;
    for (; i + LANES <= block->count; i += LANES) backward_examples(block, i, LANES, centred, dw);
    for (; i < block->count; i++) backward_examples(block, i, 1, centred, dw);
}

static void backward(const logreg_block *block, double *dw)
{
    if (block->packed || block->example_stride == 1)
        backward_all_features(block, dw);
    else if (block->centre)
        backward_all_examples(block, 1, dw);
    else
        backward_all_examples(block, 0, dw);
}

/* ---- Moments: mean, squared deviations and range of every feature ---------------------------- */

/* sum + *rest = a + b, exactly (Knuth). */
LOGREG_INLINE lanes two_sum_of(lanes a, lanes b, lanes *rest)
{
    const lanes sum = lanes_add(a, b), v = lanes_sub(sum, a);
    *rest = lanes_add(lanes_sub(a, lanes_sub(sum, v)), lanes_sub(b, v));
    return sum;
}

/* A series of lanes: for a feature-major block 8 examples of a feature at a time, for an
 * example-major one 8 features of an example at a time. */
typedef struct series {
    const double *x, *weight; /* weight: NULL, or of the examples */
    int64_t advance, steps;
    int by_examples; /* feature-major */
    int last;        /* of the last step by examples, else of all steps: how many lanes hold data */
} series;

LOGREG_INLINE lanes series_value(const series *s, int64_t step)
{
    const int some = s->by_examples && step < s->steps - 1 ? LANES : s->last;
    return load_some(s->x + step * s->advance, some);
}

/* 0 for a lane past the last example. */
LOGREG_INLINE lanes series_weight(const series *s, int64_t step)
{
    static const double ones[LANES] = {1, 1, 1, 1, 1, 1, 1, 1};
    if (!s->by_examples) return lanes_set(s->weight ? s->weight[step] : 1.0);
    const int some = step < s->steps - 1 ? LANES : s->last;
    return load_some(s->weight ? s->weight + step * LANES : ones, some);
}

/* Sums of weighted x - shift, and the range of the x whose weight is not 0. */
LOGREG_INLINE lanes sum_deviations(const series *s, lanes shift, lanes *low, lanes *high)
{
    const lanes zero = lanes_set(0.0), infinity = lanes_set(INFINITY);
    lanes sum = zero;
    *low = infinity;
    *high = lanes_sub(zero, infinity);
    for (int64_t step = 0; step < s->steps; step++) {
        const lanes x = series_value(s, step), weight = series_weight(s, step);
        const lanes_mask counts = lanes_above(weight, zero);
        sum = lanes_add(sum, lanes_mul(weight, lanes_sub(x, shift)));
        *low = lanes_min(lanes_choose(counts, x, *low), *low);
        *high = lanes_max(lanes_choose(counts, x, *high), *high);
    }
    return sum;
}

LOGREG_INLINE lanes sum_squares(const series *s, lanes centre)
{
    lanes sum = lanes_set(0.0);
    for (int64_t step = 0; step < s->steps; step++) {
        const lanes d = lanes_sub(series_value(s, step), centre);
        sum = lanes_add(sum, lanes_mul(series_weight(s, step), lanes_mul(d, d)));
    }
    return sum;
}

/* The block is read twice while it is in cache: the sums of x - shift, where shift is the first
 * example, give the mean without cancellation; the sums of (x - mean)^2 come second. What the mean
 * loses in rounding is kept as its rest, and its share taken out of the squares again. */
static void moments_block(const logreg_block *block, const logreg_moments *out)
{
    const int by_examples = block->example_stride == 1;
    const int64_t groups = (block->count + LANES - 1) / LANES;
    const lanes zero = lanes_set(0.0);
    series s = {NULL, block->sample_weight, LANES, groups, by_examples, 0};

    s.by_examples = 1;
    s.last = (int)(block->count - (groups - 1) * LANES);
    lanes total = zero;
    for (int64_t step = 0; step < groups; step++) total = lanes_add(total, series_weight(&s, step));
    const double weight = lanes_sum(total);
    /* Where no example counts the sums are 0, or NaN, which has to show. */
    const lanes divisor = lanes_set(weight > 0.0 ? weight : 1.0);
    *out->weight = weight;

    s.by_examples = by_examples;
    if (!by_examples) {
        s.advance = block->example_stride;
        s.steps = block->count;
    }
    for (int64_t j = 0; j < block->n_x; j += by_examples ? 1 : LANES) {
        s.x = block->X + j * block->feature_stride;
        if (!by_examples) s.last = at_most_lanes(block->n_x - j);
        const lanes shift = by_examples ? lanes_set(*s.x) : load_some(s.x, s.last);
        lanes low, high, rest;
        lanes sum = sum_deviations(&s, shift, &low, &high);
        if (by_examples) sum = lanes_set(lanes_sum(sum));
        const lanes mean = two_sum_of(shift, lanes_div(sum, divisor), &rest);
        lanes M2 = sum_squares(&s, mean);
        if (by_examples) M2 = lanes_set(lanes_sum(M2));
        M2 = lanes_sub(M2, lanes_mul(lanes_set(weight), lanes_mul(rest, rest)));
        M2 = lanes_max(zero, M2);
        if (by_examples) {
            double lows[LANES], highs[LANES], all[LANES];
            lanes_store(lows, low);
            lanes_store(highs, high);
            for (int lane = 1; lane < LANES; lane++) {
                lows[0] = lows[lane] < lows[0] ? lows[lane] : lows[0];
                highs[0] = highs[lane] > highs[0] ? highs[lane] : highs[0];
            }
            out->low[j] = lows[0];
            out->high[j] = highs[0];
            lanes_store(all, mean);
            out->mean[j] = all[0];
            lanes_store(all, rest);
            out->rest[j] = all[0];
            lanes_store(all, M2);
            out->M2[j] = all[0];
        } else {
            lanes_store(out->mean + j, mean);
            lanes_store(out->rest + j, rest);
            lanes_store(out->M2 + j, M2);
            lanes_store(out->low + j, low);
            lanes_store(out->high + j, high);
        }
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

static void sigmoid(const double *Z, double *A, int64_t n)
{
    for (int64_t i = 0; i < n; i += LANES) {
        const int some = at_most_lanes(n - i);
        double a[LANES];
        lanes_store(a, sigmoid_of(load_some(Z + i, some)));
        memcpy(A + i, a, (size_t)some * sizeof *a);
    }
}

const logreg_kernels LOGREG_VARIANT = {forward, activate, finish_run,   backward,
                                       predict, sigmoid,  moments_block};
