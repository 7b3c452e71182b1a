/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Gram of a group of features, or of two groups: sums of h (x - centre) (x - centre)', with h
 * the weights of the examples.
 *
 * A node of one group is a triangle of products (kernels.h), of the padded n_x; then the sums of
 * h (x - centre); then that of h. A node of two groups is a rectangle of products.
 */
#include "sums/sums.h"

static int64_t triangle_size(const logreg_sum_kind *kind, int64_t n_x)
{
    (void)kind;
    const int64_t padded = logreg_gram_padded(n_x);
    return logreg_gram_size(padded, 0) + padded + 1;
}

static int64_t rectangle_size(const logreg_sum_kind *kind, int64_t n_x)
{
    (void)kind;
    const int64_t padded = logreg_gram_padded(n_x);
    return logreg_gram_size(padded, padded);
}

/* The panels of both groups; the weights, and their roots. */
static size_t scratch_size(const logreg_sum_kind *kind, const logreg_data *data)
{
    const int64_t padded = logreg_gram_padded(data->n_x);
    (void)kind;
    return (size_t)(LOGREG_PANEL_VECTORS * (2 * padded + 2)) * sizeof(double);
}

/* The roots of the weights of the block, and the weights themselves in scratch, whose sum is
 * returned. */
static double weigh(const logreg_kernels *kernels, const logreg_data *data, int64_t first,
                    int64_t count, double *root, double *scratch)
{
    double sum = 0.0;
    if (data->sample_weight.values == NULL) {
        for (int64_t i = 0; i < count; i++) root[i] = 1.0;
        return (double)count;
    }
    const double *h = kernels->column(&data->sample_weight, first, count, scratch);
    for (int64_t i = 0; i < count; i++) {
        root[i] = logreg_sqrt(h[i]);
        sum += h[i];
    }
    return sum;
}

static void leaf(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const logreg_gram_groups *groups = pass->context;
    const logreg_kernels *kernels = pass->plan.kernels;
    const logreg_data *data = pass->plan.reading.data, *columns = groups->columns;
    const int64_t padded = logreg_gram_padded(data->n_x);
    double *of_rows = logreg_pass_own(pass, thread);
    double *of_columns = of_rows + padded * LOGREG_PANEL_VECTORS;
    double *root = of_columns + padded * LOGREG_PANEL_VECTORS;
    double *weights = root + LOGREG_PANEL_VECTORS;
    double *sums = node + logreg_gram_size(padded, 0);
    int64_t first, end;
    logreg_pass_segment(pass, segment, &first, &end);
    logreg_pass_clear(pass, thread, node, pass->plan.node_size);
    for (int64_t count; first < end; first += count) {
        count = end - first < LOGREG_PANEL_VECTORS ? end - first : LOGREG_PANEL_VECTORS;
        if (logreg_stop_due(&pass->stop, thread, count * 2 * padded)) return;
        const double sum = weigh(kernels, data, first, count, root, weights);
        kernels->gram.pack(data, first, count, groups->centre, root, of_rows);
        if (columns) {
            kernels->gram.pack(columns, first, count, groups->columns_centre, root, of_columns);
            kernels->gram.add_products(of_rows, padded, of_columns, padded, count, node);
        } else {
            kernels->gram.add_products(of_rows, padded, of_rows, 0, count, node);
            kernels->gram.add_sums(of_rows, padded, count, root, sums);
            sums[padded] += sum;
        }
    }
}

static void add(double *left, const double *right, int64_t n)
{
    for (int64_t i = 0; i < n; i++) left[i] += right[i];
}

static void merge_triangles(const logreg_sum_kind *kind, int64_t n_x, double *left,
                            const double *right)
{
    add(left, right, triangle_size(kind, n_x));
}

static void merge_rectangles(const logreg_sum_kind *kind, int64_t n_x, double *left,
                             const double *right)
{
    add(left, right, rectangle_size(kind, n_x));
}

const logreg_sum_kind logreg_gram_sums = {.float64 = 1,
                                          .node_size = triangle_size,
                                          .scratch_size = scratch_size,
                                          .leaf = leaf,
                                          .merge = merge_triangles};
const logreg_sum_kind logreg_cross_gram_sums = {.float64 = 1,
                                                .node_size = rectangle_size,
                                                .scratch_size = scratch_size,
                                                .leaf = leaf,
                                                .merge = merge_rectangles};
