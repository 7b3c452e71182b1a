/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Curvature: the weights of the Hessian, and the Gram that they make.
 */
#include <float.h>

#include "solve/categories.h"
#include "solve/gradient.h"
#include "solve/gram.h"
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

static LOGREG_NOINLINE int evaluate(const logreg_data *data, const double *w, double b, double *J,
                                    double *dw, double *db, double *h, const logreg_run *run)
{
    const logreg_point point = {w, b, NULL, 0};
    const int status = logreg_gradient_at(data, &point, 0.0, J, dw, db, h, run);
    return status == LOGREG_OK ? weigh(data, 0, h) : status;
}

int logreg_gradient_and_curvature(const logreg_data *data, const double *w, double b, double *J,
                                  double *dw, double *db, double *h, const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, evaluate(data, w, b, J, dw, db, h, run));
}

/* ---- The Gram -------------------------------------------------------------------------------- */

static int64_t group_count(int64_t n_x)
{
    return n_x > 0 ? (n_x - 1) / LOGREG_GRAM_FEATURES + 1 : 1;
}

/* Groups have the same size, so the last may begin before the end of the one before. */
static logreg_data group_of(const logreg_data *data, int64_t number, int64_t *first)
{
    const int64_t n = logreg_numbers(data), groups = group_count(n);
    const int64_t size = logreg_gram_group_size(n);
    *first = number < groups - 1 ? number * size : n - size;
    return logreg_features_of(data, *first, size);
}

size_t logreg_gram_workspace_size(const logreg_data *data, int n_threads)
{
    const logreg_sum_kind *const kinds[] = {&logreg_gram_sums, &logreg_cross_gram_sums};
    size_t largest = 0;
    if (logreg_is_sparse(data)) return logreg_sparse_gram_workspace_size(data, n_threads);
    for (int k = 0; k < (group_count(logreg_numbers(data)) > 1 ? 2 : 1); k++) {
        int64_t first;
        const logreg_data group = group_of(data, 0, &first);
        const logreg_plan plan = logreg_plan_of(&group, NULL, kinds[k], 0, n_threads);
        const size_t size = logreg_workspace_of(&plan).size;
        if (size > largest) largest = size;
    }
    return largest;
}

int64_t logreg_gram_groups_of(int64_t n_x)
{
    return group_count(n_x);
}

int64_t logreg_gram_group_size(int64_t n_x)
{
    const int64_t groups = group_count(n_x);
    return (n_x + groups - 1) / groups;
}

/* A Gram in the making. Until it is complete, mu holds sums of h (x - centre), which later groups
 * need. */
typedef struct making {
    double *G, *mu, S;
    int64_t n_x, stride; /* stride: from a row of G to the next */
    int skips_zeros;     /* examples of weight 0 are left out */
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
        double *G = g->G + (row + k) * g->stride + column;
        for (int64_t j = 0; j < end; j++) {
            const double value =
                logreg_gram_entry(sums, n_columns, k, j) - mean * g->mu[column + j];
            G[j] = j == diagonal && value < 0.0 ? 0.0 : value;
            g->within_range &= value - value == 0.0;
        }
    }
}

static const logreg_sum_kind *kind_of(int64_t of_rows, int64_t of_columns)
{
    return of_rows != of_columns ? &logreg_cross_gram_sums : &logreg_gram_sums;
}

/* Puts the sums of one pair of groups, each of n features, where they belong. */
static void finish_pair(making *g, const double *sums, int64_t of_rows, int64_t of_columns,
                        int64_t n)
{
    const logreg_data whole = {.n_x = g->n_x};
    int64_t row, column;
    group_of(&whole, of_rows, &row);
    group_of(&whole, of_columns, &column);
    if (of_rows == of_columns) {
        const int64_t padded = logreg_gram_padded(n);
        const double *u = sums + logreg_gram_size(padded, 0);
        memcpy(g->mu + row, u, (size_t)n * sizeof *u);
        g->S = u[padded];
    }
    place(g, sums, row, column, n);
}

/* Sums a part (NULL: all) of one pair of groups; NULL if stopped. */
static logreg_nodes *sum_pair(logreg_pass *pass, const logreg_data *data, const logreg_part *part,
                              int skips_zeros, const double *centre, int64_t of_rows,
                              int64_t of_columns, logreg_stop *stop, const logreg_run *run)
{
    int64_t row, column;
    const logreg_data rows = group_of(data, of_rows, &row);
    const logreg_data columns = group_of(data, of_columns, &column);
    const int both = of_rows != of_columns;
    logreg_gram_groups groups = {centre + row, both ? &columns : NULL, centre + column,
                                 skips_zeros};
    logreg_pass_open(pass, &rows, part, kind_of(of_rows, of_columns), NULL, run, run->workspace);
    if (stop) pass->stop = *stop;
    pass->context = &groups;
    logreg_nodes *nodes = logreg_pass_sum(pass, 0.0);
    if (stop) *stop = pass->stop;
    return nodes;
}

/* The pass of one pair of groups; 0 if stopped. */
static int add_pair(making *g, const logreg_data *data, const double *centre, int64_t of_rows,
                    int64_t of_columns, logreg_stop *stop, const logreg_run *run)
{
    const int64_t n = logreg_gram_group_size(g->n_x);
    logreg_pass pass;
    logreg_nodes *nodes =
        sum_pair(&pass, data, NULL, g->skips_zeros, centre, of_rows, of_columns, stop, run);
    if (nodes == NULL) return 0;
    finish_pair(g, logreg_root(kind_of(of_rows, of_columns), n, nodes, pass.plan.end), of_rows,
                of_columns, n);
    return 1;
}

/* From sums about the centre to means. */
static int finish_means(making *g, const double *centre)
{
    g->within_range &= g->S <= DBL_MAX;
    for (int64_t j = 0; j < g->n_x; j++) {
        g->mu[j] = g->S > 0.0 ? centre[j] + g->mu[j] / g->S : centre[j];
        g->within_range &= g->mu[j] - g->mu[j] == 0.0;
    }
    return g->within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

static LOGREG_NOINLINE int gram(const logreg_data *data, const double *centre, making *g,
                                const logreg_run *run)
{
    logreg_stop stop; /* one clock for all groups */
    logreg_stop_open(&stop, run);
    for (int64_t k = 0; k < group_count(g->n_x); k++)
        for (int64_t j = k; j >= 0; j--) /* itself first */
            if (!add_pair(g, data, centre, k, j, &stop, run)) return LOGREG_STOPPED;
    return finish_means(g, centre);
}

static int gram_of(const logreg_data *data, int skips_zeros, const double *centre, double *G,
                   double *mu, double *S, const logreg_run *run)
{
    making g = {G, mu, 0.0, logreg_numbers(data), data->n_x, skips_zeros, 1};
    const logreg_fp_modes found = logreg_fp_default();
    int status = logreg_is_sparse(data) ? logreg_sparse_gram(data, skips_zeros, G, mu, &g.S, run)
                                        : gram(data, centre, &g, run);
    if (status == LOGREG_OK && data->codes) status = logreg_category_gram(data, G, mu, run);
    logreg_fp_restore(found);
    *S = g.S;
    return status;
}

int logreg_gram(const logreg_data *data, const double *centre, double *G, double *mu, double *S,
                const logreg_run *run)
{
    return gram_of(data, 0, centre, G, mu, S, run);
}

int logreg_gram_of_weighted(const logreg_data *data, const double *centre, double *G, double *mu,
                            double *S, const logreg_run *run)
{
    return gram_of(data, 1, centre, G, mu, S, run);
}

/* ---- In parts -------------------------------------------------------------------------------- */

size_t logreg_sum_gram_workspace_size(const logreg_data *data, const logreg_part *part,
                                      int64_t of_rows, int64_t of_columns, int n_threads)
{
    int64_t first;
    const logreg_data rows = group_of(data, of_rows, &first);
    return logreg_sum_workspace_size(kind_of(of_rows, of_columns), &rows, part, 0, n_threads);
}

static LOGREG_NOINLINE int sum_gram(const logreg_data *data, const logreg_part *part,
                                    const double *centre, int64_t of_rows, int64_t of_columns,
                                    logreg_nodes *nodes, const logreg_run *run)
{
    logreg_pass pass;
    const logreg_nodes *found =
        sum_pair(&pass, data, part, 0, centre, of_rows, of_columns, NULL, run);
    if (found == NULL) return LOGREG_STOPPED;
    logreg_merge(kind_of(of_rows, of_columns), logreg_gram_group_size(data->n_x), nodes, found);
    return LOGREG_OK;
}

int logreg_sum_gram(const logreg_data *data, const logreg_part *part, const double *centre,
                    int64_t of_rows, int64_t of_columns, logreg_nodes *nodes, const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, sum_gram(data, part, centre, of_rows, of_columns, nodes, run));
}

static LOGREG_NOINLINE int finish_gram(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                                       const double *centre, int64_t of_rows, int64_t of_columns,
                                       double *G, double *mu, double *S)
{
    const int64_t groups = group_count(n_x), n = logreg_gram_group_size(n_x);
    making g = {G, mu, *S, n_x, n_x, 0, 1};
    const double *sums = logreg_root(kind_of(of_rows, of_columns), n, nodes, n_segments);
    if (sums == NULL) return LOGREG_INCOMPLETE;
    finish_pair(&g, sums, of_rows, of_columns, n);
    *S = g.S;
    if (of_rows == groups - 1 && of_columns == 0) finish_means(&g, centre);
    return g.within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_finish_gram(logreg_nodes *nodes, int64_t n_segments, int64_t n_x, const double *centre,
                       int64_t of_rows, int64_t of_columns, double *G, double *mu, double *S)
{
    LOGREG_IN_DEFAULT_MODES(
        int, finish_gram(nodes, n_segments, n_x, centre, of_rows, of_columns, G, mu, S));
}
