/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mean and deviation of every feature, summed along the same tree as the gradient.
 *
 * Moments merge as Chan, Golub and LeVeque (1979) update: with d the difference of the means,
 *
 *     mean = mean_a + d W_b / W        M2 = M2_a + M2_b + d^2 W_a W_b / W
 *
 * A mean is an unevaluated sum mean + rest. On a column like 10^9 + noise a float64 mean is off by
 * 10^-7, which is a lot where the deviation is 10^-2.
 */
#include <float.h>

#include "pass/pass.h"

enum { MOMENT_ARRAYS = 5 };

int64_t logreg_moments_size(int64_t n_x)
{
    return MOMENT_ARRAYS * logreg_padded(n_x) + 1;
}

static logreg_moments moments_in(double *node, int64_t n_x)
{
    const int64_t padded = logreg_padded(n_x);
    const logreg_moments m = {node,
                              node + padded,
                              node + 2 * padded,
                              node + 3 * padded,
                              node + 4 * padded,
                              node + MOMENT_ARRAYS * padded};
    return m;
}

/* a + b, and what it lacks to be exact (Knuth). */
static double two_sum(double a, double b, double *rest)
{
    const double sum = a + b, v = sum - a;
    *rest = (a - (sum - v)) + (b - v);
    return sum;
}

/* Where one of the two sets weighs nothing the other's moments stand, but a NaN of it has to show.
 */
static void take_counting(const logreg_moments *a, const logreg_moments *b, int64_t n_x)
{
    const int take_b = *a->weight == 0.0;
    for (int64_t j = 0; j < n_x; j++) {
        const double mean = take_b ? b->mean[j] : a->mean[j],
                     other = take_b ? a->mean[j] : b->mean[j];
        a->mean[j] = mean + (other - other);
        if (!take_b) continue;
        a->rest[j] = b->rest[j];
        a->M2[j] = b->M2[j];
        a->low[j] = b->low[j];
        a->high[j] = b->high[j];
    }
    *a->weight += *b->weight;
}

static void merge_moments(const logreg_pass *pass, double *left, const double *right)
{
    const int64_t n_x = pass->data->n_x;
    const logreg_moments a = moments_in(left, n_x);
    const logreg_moments b = moments_in((double *)right, n_x);
    if (*a.weight == 0.0 || *b.weight == 0.0) {
        take_counting(&a, &b, n_x);
        return;
    }
    const double weight = *a.weight + *b.weight, share = *b.weight / weight;
    for (int64_t j = 0; j < n_x; j++) {
        const double d = (b.mean[j] - a.mean[j]) + (b.rest[j] - a.rest[j]);
        const double step = d * share;
        double lost;
        const double mean = two_sum(a.mean[j], step, &lost);
        a.mean[j] = two_sum(mean, a.rest[j] + lost, &a.rest[j]);
        a.M2[j] = a.M2[j] + b.M2[j] + d * step * *a.weight;
        a.low[j] = b.low[j] < a.low[j] ? b.low[j] : a.low[j];
        a.high[j] = b.high[j] > a.high[j] ? b.high[j] : a.high[j];
    }
    *a.weight = weight;
}

/* The block's moments are made where the next waiting node would be, and merged into the node. */
static void moments_leaf(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const int64_t n_x = pass->data->n_x;
    double *spare =
        logreg_pass_waiting(pass, thread) + pass->plan.task_level * pass->plan.node_size;
    int64_t first, end;
    logreg_pass_segment(pass, segment, &first, &end);
    for (int64_t i = first; i < end; i += pass->plan.block) {
        logreg_block block = logreg_pass_block(pass, i, end, thread);
        const logreg_moments out = moments_in(i == first ? node : spare, n_x);
        if (logreg_stop_due(&pass->stop, thread, 4 * block.count * (n_x + 8))) return;
        pass->plan.kernels->moments(&block, &out);
        if (i != first) merge_moments(pass, node, spare);
    }
}

/* Features in a pass, whose nodes are five arrays: of many features they would take more memory
 * than X. */
enum { FEATURES_AT_ONCE = 512 };

static logreg_data some_features(const logreg_data *data, int64_t first)
{
    const int64_t left = data->n_x - first;
    logreg_data some = *data;
    some.n_x = left < FEATURES_AT_ONCE ? left : FEATURES_AT_ONCE;
    if (data->features)
        some.features = data->features + first;
    else
        some.X = logreg_feature(data, first);
    return some;
}

size_t logreg_standardize_workspace_size(const logreg_data *data, int n_threads)
{
    const logreg_data first = some_features(data, 0);
    const logreg_data last =
        some_features(data, (data->n_x - 1) / FEATURES_AT_ONCE * FEATURES_AT_ONCE);
    const size_t a = logreg_pass_workspace_size(&first, LOGREG_MOMENTS, n_threads);
    const size_t b = logreg_pass_workspace_size(&last, LOGREG_MOMENTS, n_threads);
    return a > b ? a : b; /* fewer features have larger blocks */
}

static int moments_of_features(const logreg_data *data, const logreg_standardization *out,
                               const logreg_run *run, logreg_stop *stop)
{
    logreg_pass pass;
    logreg_pass_open(&pass, data, run, LOGREG_MOMENTS, NULL);
    pass.stop = *stop;
    pass.leaf = moments_leaf;
    pass.merge = merge_moments;
    double *root = logreg_pass_sum(&pass, 0.0);
    *stop = pass.stop;
    if (root == NULL) return LOGREG_STOPPED;

    const logreg_moments m = moments_in(root, data->n_x);
    int within_range = *m.weight <= DBL_MAX;
    for (int64_t j = 0; j < data->n_x; j++) {
        const int constant = m.low[j] == m.high[j];
        const double sd = constant ? 0.0 : logreg_sqrt(m.M2[j] / *m.weight);
        const double mean = constant ? m.low[j] : m.mean[j];
        out->mean[j] = data->arithmetic == LOGREG_FLOAT32 ? (float)mean : mean;
        out->mean_rest[j] = (mean - out->mean[j]) + (constant ? 0.0 : m.rest[j]);
        out->sd[j] = sd;
        /* A NaN or an infinity in X is in its mean, even where it weighs nothing. */
        within_range &= m.mean[j] - m.mean[j] == 0.0;
        within_range &= constant || (m.M2[j] >= LOGREG_SMALLEST_SUM && sd <= DBL_MAX);
    }
    return within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

static LOGREG_NOINLINE int standardize(const logreg_data *data, const logreg_standardization *out,
                                       const logreg_run *run)
{
    logreg_stop stop;
    logreg_stop_open(&stop, run);
    for (int64_t j = 0; j < data->n_x; j += FEATURES_AT_ONCE) {
        const logreg_data some = some_features(data, j);
        const logreg_standardization out_j = {out->mean + j, out->mean_rest + j, out->sd + j};
        const int status = moments_of_features(&some, &out_j, run, &stop);
        if (status != LOGREG_OK) return status;
    }
    return LOGREG_OK;
}

int logreg_standardize(const logreg_data *data, const logreg_standardization *out,
                       const logreg_run *run)
{
    const logreg_fp_modes found = logreg_fp_default();
    const int status = standardize(data, out, run);
    logreg_fp_restore(found);
    return status;
}
