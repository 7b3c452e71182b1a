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

/* Leaves out what belongs to examples whose root is 0: `width` values of each, n times. The roots
 * themselves come last. */
static void compress(double *values, int64_t n, int64_t width, int64_t count, const double *root)
{
    double *to = values;
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = 0; i < count; i++, values += width) {
            if (root[i] == 0.0) continue;
            memmove(to, values, (size_t)width * sizeof *to);
            to += width;
        }
}

/* Leaves out the examples of a block whose root is 0, which would add zeros and change no bit;
 * returns how many stay. */
static int64_t keep_weighted(double *of_rows, double *of_columns, int64_t padded, int64_t count,
                             double *root)
{
    const int64_t n = padded / LOGREG_PANEL;
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) kept += root[i] != 0.0;
    if (kept == count) return count;
    compress(of_rows, n, LOGREG_PANEL, count, root);
    if (of_columns) compress(of_columns, n, LOGREG_PANEL, count, root);
    compress(root, 1, 1, count, root);
    return kept;
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
        int64_t kept = count;
        kernels->gram.pack(data, first, count, groups->centre, root, of_rows);
        if (columns)
            kernels->gram.pack(columns, first, count, groups->columns_centre, root, of_columns);
        if (groups->skips_zeros)
            kept = keep_weighted(of_rows, columns ? of_columns : NULL, padded, count, root);
        if (columns) {
            kernels->gram.add_products(of_rows, data->n_x, of_columns, padded, kept, node);
        } else {
            kernels->gram.add_products(of_rows, data->n_x, of_rows, 0, kept, node);
            kernels->gram.add_sums(of_rows, padded, kept, root, sums);
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
