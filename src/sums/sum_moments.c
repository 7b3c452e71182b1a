/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The moments of every feature. They merge as Chan, Golub and LeVeque (1979) update: with d the
 * difference of the means,
 *
 *     mean = mean_a + d W_b / W        M2 = M2_a + M2_b + d^2 W_a W_b / W
 *
 * A mean is an unevaluated sum mean + mean_lo. On a column like 10^9 + noise a float64 mean is off
 * by 10^-7, which is a lot where the deviation is 10^-2.
 */
#include "sums/sums.h"
#include "sums/twofold.h"

enum { MOMENT_ARRAYS = 5 };

static int64_t node_size(const logreg_sum_kind *kind, int64_t n_x)
{
    (void)kind;
    return MOMENT_ARRAYS * logreg_padded(n_x) + 1;
}

logreg_moments logreg_moments_in(double *node, int64_t n_x)
{
    const int64_t padded = logreg_padded(n_x);
    const logreg_moments m = {.mean = node,
                              .mean_lo = node + padded,
                              .M2 = node + 2 * padded,
                              .low = node + 3 * padded,
                              .high = node + 4 * padded,
                              .weight = node + MOMENT_ARRAYS * padded};
    return m;
}

/* Where one side has no weight, the other's moments stand, but a NaN in the mean of either has to
 * show. */
static void take_weighted(const logreg_moments *a, const logreg_moments *b, int64_t n_x)
{
    const int take_b = *a->weight == 0.0;
    for (int64_t j = 0; j < n_x; j++) {
        const double mean = take_b ? b->mean[j] : a->mean[j];
        const double other = take_b ? a->mean[j] : b->mean[j];
        a->mean[j] = mean + (other - other);
        if (!take_b) continue;
        a->mean_lo[j] = b->mean_lo[j];
        a->M2[j] = b->M2[j];
        a->low[j] = b->low[j];
        a->high[j] = b->high[j];
    }
    *a->weight += *b->weight;
}

static void merge(const logreg_sum_kind *kind, int64_t n_x, double *left, const double *right)
{
    (void)kind;
    const logreg_moments a = logreg_moments_in(left, n_x);
    const logreg_moments b = logreg_moments_in((double *)right, n_x);
    if (*a.weight == 0.0 || *b.weight == 0.0) {
        take_weighted(&a, &b, n_x);
        return;
    }
    const double weight = *a.weight + *b.weight, share = *b.weight / weight;
    for (int64_t j = 0; j < n_x; j++) {
        const double d = (b.mean[j] - a.mean[j]) + (b.mean_lo[j] - a.mean_lo[j]);
        const double step = d * share;
        const twofold moved = two_sum(a.mean[j], step);
        const twofold mean = two_sum(moved.hi, a.mean_lo[j] + moved.lo);
        a.mean[j] = mean.hi;
        a.mean_lo[j] = mean.lo;
        a.M2[j] = a.M2[j] + b.M2[j] + d * step * *a.weight;
        a.low[j] = b.low[j] < a.low[j] ? b.low[j] : a.low[j];
        a.high[j] = b.high[j] > a.high[j] ? b.high[j] : a.high[j];
    }
    *a.weight = weight;
}

/* What moments take per feature beside a pass's forward half, and per example beside its features,
 * in features. */
enum { MOMENTS_WORK = 4, WEIGHT_WORK = 8 };

/* The moments of a block are made in the spare node, and merged into this one. */
static void leaf(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const int64_t n_x = pass->plan.reading.data->n_x;
    double *spare = logreg_pass_spare(pass, thread);
    int64_t first, end;
    logreg_pass_segment(pass, segment, &first, &end);
    if (logreg_is_sparse(pass->plan.reading.data)) {
        logreg_sparse_moments(pass, first, end, thread, node);
        return;
    }
    for (int64_t i = first; i < end; i += pass->plan.block) {
        logreg_block block = logreg_pass_block(pass, i, end, thread);
        const logreg_moments out = logreg_moments_in(i == first ? node : spare, n_x);
        const int64_t work = MOMENTS_WORK * block.count * (n_x + WEIGHT_WORK);
        if (logreg_stop_due(&pass->stop, thread, work)) return;
        pass->plan.source->moments(&block, &out);
        if (i != first) merge(pass->plan.kind, n_x, node, spare);
    }
}

const logreg_sum_kind logreg_moment_sums = {
    .float64 = 1, .reals = 1, .node_size = node_size, .leaf = leaf, .merge = merge};
