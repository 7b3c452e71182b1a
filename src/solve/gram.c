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

static int64_t group_count(int64_t n_x)
{
    return n_x > 0 ? (n_x - 1) / LOGREG_GRAM_FEATURES + 1 : 1;
}

/* Groups have the same size, so the last may begin before the end of the one before. */
static logreg_data group_of(const logreg_data *data, int64_t number, int64_t *first)
{
    const int64_t groups = group_count(data->n_x), size = (data->n_x + groups - 1) / groups;
    logreg_data group = *data;
    *first = number < groups - 1 ? number * size : data->n_x - size;
    group.n_x = size;
    if (data->features)
        group.features = data->features + *first;
    else
        group.X = logreg_feature(data, *first);
    return group;
}

size_t logreg_gram_workspace_size(const logreg_data *data, int n_threads)
{
    const logreg_sum_kind *const kinds[] = {&logreg_gram_sums, &logreg_cross_gram_sums};
    size_t largest = 0;
    for (int k = 0; k < (group_count(data->n_x) > 1 ? 2 : 1); k++) {
        int64_t first;
        const logreg_data group = group_of(data, 0, &first);
        const logreg_plan plan = logreg_plan_of(&group, NULL, kinds[k], 0, n_threads);
        const size_t size = logreg_workspace_of(&plan).size;
        if (size > largest) largest = size;
    }
    return largest;
}

/* A Gram in the making. Until it is complete, mu holds sums of h (x - centre), which later groups
 * need. */
typedef struct making {
    double *G, *mu, S;
    int64_t n_x;
    int within_range;
} making;

/* G -= u u' / S for features [row, row + n) and [column, column + n), whose sums of products these
 * are. */
static void place(making *g, const double *sums, int64_t row, int64_t column, int64_t n)
{
    const int64_t n_columns = row == column ? 0 : logreg_gram_padded(n);
    for (int64_t k = 0; k < n; k++) {
        const double mean = g->S > 0.0 ? g->mu[row + k] / g->S : 0.0;
        const int64_t diagonal = row + k - column, end = diagonal < n ? diagonal + 1 : n;
        double *G = g->G + (row + k) * g->n_x + column;
        for (int64_t j = 0; j < end; j++) {
            const double value =
                logreg_gram_entry(sums, n_columns, k, j) - mean * g->mu[column + j];
            G[j] = j == diagonal && value < 0.0 ? 0.0 : value;
            g->within_range &= value - value == 0.0;
        }
    }
}

/* The pass of one pair of groups; 0 if stopped. */
static int add_pair(making *g, const logreg_data *data, const double *centre, int64_t of_rows,
                    int64_t of_columns, logreg_stop *stop, const logreg_run *run)
{
    const int both = of_rows != of_columns;
    const logreg_sum_kind *kind = both ? &logreg_cross_gram_sums : &logreg_gram_sums;
    int64_t row, column;
    const logreg_data rows = group_of(data, of_rows, &row);
    const logreg_data columns = group_of(data, of_columns, &column);
    logreg_gram_groups groups = {centre + row, both ? &columns : NULL, centre + column};
    logreg_pass pass;
    logreg_pass_open(&pass, &rows, NULL, kind, NULL, run, run->workspace);
    pass.stop = *stop;
    pass.context = &groups;
    logreg_nodes *nodes = logreg_pass_sum(&pass, 0.0);
    *stop = pass.stop;
    if (nodes == NULL) return 0;
    const double *sums = logreg_root(kind, rows.n_x, nodes, pass.plan.end);
    if (!both) {
        const int64_t padded = logreg_gram_padded(rows.n_x);
        const double *u = sums + logreg_gram_size(padded, 0);
        memcpy(g->mu + row, u, (size_t)rows.n_x * sizeof *u);
        g->S = u[padded];
    }
    place(g, sums, row, column, rows.n_x);
    return 1;
}

static LOGREG_NOINLINE int gram(const logreg_data *data, const double *centre, making *g,
                                const logreg_run *run)
{
    logreg_stop stop; /* one clock for all groups */
    logreg_stop_open(&stop, run);
    for (int64_t k = 0; k < group_count(data->n_x); k++)
        for (int64_t j = k; j >= 0; j--) /* itself first */
            if (!add_pair(g, data, centre, k, j, &stop, run)) return LOGREG_STOPPED;
    g->within_range &= g->S <= DBL_MAX;
    for (int64_t j = 0; j < data->n_x; j++) {
        g->mu[j] = g->S > 0.0 ? centre[j] + g->mu[j] / g->S : centre[j];
        g->within_range &= g->mu[j] - g->mu[j] == 0.0;
    }
    return g->within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_gram(const logreg_data *data, const double *centre, double *G, double *mu, double *S,
                const logreg_run *run)
{
    making g = {G, mu, 0.0, data->n_x, 1};
    const logreg_fp_modes found = logreg_fp_default();
    const int status = gram(data, centre, &g, run);
    logreg_fp_restore(found);
    *S = g.S;
    return status;
}
