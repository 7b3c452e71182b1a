/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mean and deviation of every feature.
 */
#include <float.h>

#include "solve/categories.h"
#include "sums/sums.h"

/* Features are taken in groups: a node has five arrays over them, and of many features at once the
 * nodes would take more memory than X. */
static logreg_data group_of(const logreg_data *data, int64_t first)
{
    /* sparse X all at once, or each group would read all of it */
    if (logreg_is_sparse(data)) return *data;
    return logreg_features_of(
        data, first, logreg_at_most(logreg_numbers(data) - first, LOGREG_MOMENTS_FEATURES));
}

size_t logreg_standardize_workspace_size(const logreg_data *data, int n_threads)
{
    const int64_t last =
        (logreg_numbers(data) - 1) / LOGREG_MOMENTS_FEATURES * LOGREG_MOMENTS_FEATURES;
    size_t largest = 0; /* fewer features have larger blocks */
    for (int k = 0; k < 2; k++) {
        const logreg_data group = group_of(data, k ? last : 0);
        const logreg_plan plan = logreg_plan_of(&group, NULL, &logreg_moment_sums, 0, n_threads);
        const size_t size = logreg_workspace_of(&plan).size;
        if (size > largest) largest = size;
    }
    return largest;
}

static LOGREG_NOINLINE int finish_moments(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                                          logreg_type arithmetic, const logreg_standardization *out)
{
    double *root = logreg_root(&logreg_moment_sums, n_x, nodes, n_segments);
    if (root == NULL) return LOGREG_INCOMPLETE;
    const logreg_moments m = logreg_moments_in(root, n_x);
    int within_range = *m.weight <= DBL_MAX;
    for (int64_t j = 0; j < n_x; j++) {
        const int constant = m.low[j] == m.high[j];
        const double sd = constant ? 0.0 : logreg_sqrt(m.M2[j] / *m.weight);
        const double mean = constant ? m.low[j] : m.mean[j];
        out->mean[j] = arithmetic == LOGREG_FLOAT32 ? (float)mean : mean;
        out->mean_lo[j] = (mean - out->mean[j]) + (constant ? 0.0 : m.mean_lo[j]);
        out->sd[j] = sd;
        /* A NaN or an infinity in X is in its mean, even where its weight is 0. */
        within_range &= m.mean[j] - m.mean[j] == 0.0;
        within_range &= constant || (m.M2[j] >= LOGREG_SMALLEST_SUM && sd <= DBL_MAX);
    }
    return within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_finish_moments(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                          logreg_type arithmetic, const logreg_standardization *out)
{
    LOGREG_IN_DEFAULT_MODES(int, finish_moments(nodes, n_segments, n_x, arithmetic, out));
}

static LOGREG_NOINLINE int standardize(const logreg_data *data, const logreg_standardization *out,
                                       const logreg_run *run)
{
    logreg_stop stop; /* one clock for all groups */
    logreg_stop_open(&stop, run);
    logreg_data group;
    for (int64_t j = 0; j < logreg_numbers(data); j += group.n_x) {
        group = group_of(data, j);
        const logreg_standardization here = {
            .mean = out->mean + j, .mean_lo = out->mean_lo + j, .sd = out->sd + j};
        logreg_pass pass;
        logreg_pass_open(&pass, &group, NULL, &logreg_moment_sums, NULL, run, run->workspace);
        pass.stop = stop;
        logreg_nodes *nodes = logreg_pass_sum(&pass, 0.0);
        stop = pass.stop;
        if (nodes == NULL) return LOGREG_STOPPED;
        const int status = finish_moments(nodes, pass.plan.end, group.n_x, data->arithmetic, &here);
        if (status != LOGREG_OK) return status;
    }
    return data->codes ? logreg_describe_categories(data, out, &stop, run->n_threads) : LOGREG_OK;
}

int logreg_standardize(const logreg_data *data, const logreg_standardization *out,
                       const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, standardize(data, out, run));
}
