/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Curvature: the weights of the Hessian, and the Gram that they make.
 */
#include <float.h>

#include "sums/sums.h"

/* ---- Weights --------------------------------------------------------------------------------- */

/* Of examples [first, first + count), whose Z is in h. With a the A of -|z|, both a (1 - a) and
 * the residual, whose sign does not matter, keep all their digits. */
static void weigh_block(const logreg_data *data, const logreg_kernels *kernels, int64_t first,
                        int64_t count, int squared, double *h)
{
    double a[LOGREG_BLOCK], Y_scratch[LOGREG_BLOCK], weight_scratch[LOGREG_BLOCK];
    const double *Y = NULL, *weight = NULL;
    if (squared) Y = kernels->column(&data->Y, first, count, Y_scratch);
    if (data->sample_weight.values)
        weight = kernels->column(&data->sample_weight, first, count, weight_scratch);
    h += first;
    for (int64_t i = 0; i < count; i++) a[i] = h[i] > 0.0 ? -h[i] : h[i];
    kernels->logistic.link(a, a, count);
    for (int64_t i = 0; i < count; i++) {
        const double s = weight ? weight[i] : 1.0;
        if (squared) {
            const double residual = s * ((h[i] > 0.0 ? 1.0 - Y[i] : Y[i]) - a[i]);
            h[i] = residual * residual;
        } else {
            h[i] = s * (a[i] * (1.0 - a[i]));
        }
    }
}

static LOGREG_NOINLINE int weigh(const logreg_data *data, int squared, double *h)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    double not_finite = 0.0;
    for (int64_t first = 0; first < data->m; first += LOGREG_BLOCK) {
        const int64_t count = data->m - first < LOGREG_BLOCK ? data->m - first : LOGREG_BLOCK;
        weigh_block(data, kernels, first, count, squared, h);
        for (int64_t i = 0; i < count; i++) not_finite += h[first + i] - h[first + i];
    }
    return not_finite == 0.0 ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_curvature(const logreg_data *data, const double *w, double b, int squared, double *h,
                     const logreg_run *run)
{
    const int status = logreg_decision(data, w, b, h, run);
    if (status != LOGREG_OK) return status;
    LOGREG_IN_DEFAULT_MODES(int, weigh(data, squared, h));
}

/* ---- The Gram -------------------------------------------------------------------------------- */

static logreg_data group_of(const logreg_data *data, int64_t first)
{
    const int64_t left = data->n_x - first;
    logreg_data group = *data;
    group.n_x = left < LOGREG_GRAM_FEATURES ? left : LOGREG_GRAM_FEATURES;
    if (data->features)
        group.features = data->features + first;
    else
        group.X = logreg_feature(data, first);
    return group;
}

size_t logreg_gram_workspace_size(const logreg_data *data, int n_threads)
{
    const int64_t last = data->n_x > 0 ? (data->n_x - 1) / LOGREG_GRAM_FEATURES : 0;
    const logreg_sum_kind *const kinds[] = {&logreg_gram_sums, &logreg_cross_gram_sums};
    size_t largest = 0; /* fewer features have larger segments */
    for (int k = 0; k < (last > 0 ? 4 : 1); k++) {
        const logreg_data group = group_of(data, k / 2 * last * LOGREG_GRAM_FEATURES);
        const logreg_plan plan = logreg_plan_of(&group, NULL, kinds[k % 2], 0, n_threads);
        const size_t size = logreg_workspace_of(&plan).size;
        if (size > largest) largest = size;
    }
    return largest;
}

/* G -= u u' / S, for what a group's or two groups' sums are entries of; and whether all are finite.
 */
static int place(const double *sums, int64_t width, int64_t n_rows, int64_t n_columns,
                 const double *u_rows, const double *u_columns, double S, double *G, int64_t n_x,
                 int triangle)
{
    int within_range = 1;
    for (int64_t k = 0; k < n_rows; k++) {
        const double mean = S > 0.0 ? u_rows[k] / S : 0.0;
        const int64_t end = triangle ? k + 1 : n_columns;
        for (int64_t j = 0; j < end; j++) {
            const double g = sums[k * width + j] - mean * u_columns[j];
            G[k * n_x + j] = k == j && triangle && g < 0.0 ? 0.0 : g;
            within_range &= g - g == 0.0;
        }
    }
    return within_range;
}

/* The sums of h (x - centre) of earlier groups are needed until the end, and lie in mu. */
static LOGREG_NOINLINE int gram(const logreg_data *data, const double *centre, double *G,
                                double *mu, double *S, const logreg_run *run)
{
    const int64_t n_x = data->n_x;
    int within_range = 1;
    logreg_stop stop; /* one clock for all groups */
    logreg_stop_open(&stop, run);
    *S = 0.0;
    for (int64_t k = 0; k == 0 || k < n_x; k += LOGREG_GRAM_FEATURES) {
        const logreg_data rows = group_of(data, k);
        const int64_t padded = logreg_padded(rows.n_x);
        for (int64_t j = k; j >= 0; j -= LOGREG_GRAM_FEATURES) { /* itself first */
            const logreg_data columns = group_of(data, j);
            const int square = j == k;
            const logreg_sum_kind *kind = square ? &logreg_gram_sums : &logreg_cross_gram_sums;
            logreg_gram_groups groups = {centre + k, square ? NULL : &columns, centre + j};
            logreg_pass pass;
            logreg_pass_open(&pass, &rows, NULL, kind, NULL, run, run->workspace);
            pass.stop = stop;
            pass.context = &groups;
            logreg_nodes *nodes = logreg_pass_sum(&pass, 0.0);
            stop = pass.stop;
            if (nodes == NULL) return LOGREG_STOPPED;
            const double *sums = logreg_root(kind, rows.n_x, nodes, pass.plan.end);
            if (square) {
                for (int64_t i = 0; i < rows.n_x; i++) mu[k + i] = sums[padded * padded + i];
                *S = sums[padded * padded + padded];
            }
            within_range &= place(sums, square ? padded : LOGREG_GRAM_FEATURES, rows.n_x,
                                  columns.n_x, mu + k, mu + j, *S, G + k * n_x + j, n_x, square);
        }
    }
    within_range &= *S <= DBL_MAX;
    for (int64_t j = 0; j < n_x; j++) {
        mu[j] = *S > 0.0 ? centre[j] + mu[j] / *S : centre[j];
        within_range &= mu[j] - mu[j] == 0.0;
    }
    return within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_gram(const logreg_data *data, const double *centre, double *G, double *mu, double *S,
                const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, gram(data, centre, G, mu, S, run));
}
