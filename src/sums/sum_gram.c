/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Gram of a group of features, or of two groups: sums of h (x - centre) (x - centre)', with h
 * the weights of the examples.
 *
 * A node of one group is the square of the padded n_x, row by row, of which the entries right of
 * the diagonal mean nothing; then the sums of h (x - centre); then that of h. A node of two groups
 * has LOGREG_GRAM_FEATURES columns, and no other sums.
 */
#include "sums/sums.h"

static int64_t square_size(int64_t n_x)
{
    const int64_t padded = logreg_padded(n_x);
    return padded * padded + padded + 1;
}

static int64_t rectangle_size(int64_t n_x)
{
    return logreg_padded(n_x) * LOGREG_GRAM_FEATURES;
}

/* The panels of both groups, the roots of the weights, and what packing takes. */
static size_t scratch_size(int64_t n_x)
{
    (void)n_x;
    return (2 * LOGREG_GRAM_FEATURES * LOGREG_PANEL_VECTORS + LOGREG_PANEL_VECTORS +
            LOGREG_PANEL_SCRATCH) *
           sizeof(double);
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
    const int64_t padded = logreg_padded(data->n_x);
    const int64_t width = columns ? LOGREG_GRAM_FEATURES : padded;
    double *of_rows = logreg_pass_own(pass, thread);
    double *of_columns = of_rows + LOGREG_GRAM_FEATURES * LOGREG_PANEL_VECTORS;
    double *root = of_columns + LOGREG_GRAM_FEATURES * LOGREG_PANEL_VECTORS;
    double *scratch = root + LOGREG_PANEL_VECTORS;
    int64_t first, end;
    logreg_pass_segment(pass, segment, &first, &end);
    logreg_pass_clear(pass, thread, node, pass->plan.node_size);
    for (int64_t count; first < end; first += count) {
        count = end - first < LOGREG_PANEL_VECTORS ? end - first : LOGREG_PANEL_VECTORS;
        if (logreg_stop_due(&pass->stop, thread, count * (padded + width))) return;
        const double sum = weigh(kernels, data, first, count, root, scratch);
        kernels->gram.pack(data, first, count, groups->centre, root, scratch, of_rows);
        if (columns) {
            kernels->gram.pack(columns, first, count, groups->columns_centre, root, scratch,
                               of_columns);
            kernels->gram.add_products(of_rows, padded, of_columns, width, count, 0, node, width);
        } else {
            kernels->gram.add_products(of_rows, padded, of_rows, padded, count, 1, node, width);
            kernels->gram.add_sums(of_rows, padded, count, root, node + padded * padded);
            node[padded * padded + padded] += sum;
        }
    }
}

static void merge_squares(int64_t n_x, double *left, const double *right)
{
    const int64_t size = square_size(n_x);
    for (int64_t i = 0; i < size; i++) left[i] += right[i];
}

static void merge_rectangles(int64_t n_x, double *left, const double *right)
{
    const int64_t size = rectangle_size(n_x);
    for (int64_t i = 0; i < size; i++) left[i] += right[i];
}

const logreg_sum_kind logreg_gram_sums = {.float64 = 1,
                                          .node_size = square_size,
                                          .scratch_size = scratch_size,
                                          .leaf = leaf,
                                          .merge = merge_squares};
const logreg_sum_kind logreg_cross_gram_sums = {.float64 = 1,
                                                .node_size = rectangle_size,
                                                .scratch_size = scratch_size,
                                                .leaf = leaf,
                                                .merge = merge_rectangles};
