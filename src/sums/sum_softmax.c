/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The sums of J, dw and db of a softmax, and its predictions: one pass over X for all outputs.
 */
#include "sums/sums.h"

/* Values of X that are packed at a time, some 512 KB, and examples: whole groups of 8. */
enum { PACKED_VALUES = 1 << 16 };

static int64_t examples_at_once(const logreg_data *data)
{
    const int64_t width = logreg_gram_padded(logreg_width(data));
    const int64_t n = PACKED_VALUES / (width < 1 ? LOGREG_PANEL : width) / 8 * 8;
    return n < 8 ? 8 : logreg_at_most(n, LOGREG_PANEL_VECTORS);
}

/* Features that are packed: sparse X is read in place. */
static int64_t packed_features(const logreg_data *data)
{
    return logreg_is_sparse(data) ? 0 : logreg_gram_padded(data->n_x);
}

static int64_t padded_outputs(const logreg_sum_kind *kind)
{
    return logreg_gram_padded(kind->outputs);
}

static int64_t products(const logreg_sum_kind *kind, int64_t n_x)
{
    return logreg_gram_padded(n_x) * padded_outputs(kind);
}

static int64_t node_size(const logreg_sum_kind *kind, int64_t n_x)
{
    return products(kind, n_x) + padded_outputs(kind) + LOGREG_SOFTMAX_SUMS;
}

static int64_t size_of_one(const logreg_sum_kind *kind, int64_t n_x)
{
    (void)kind;
    (void)n_x;
    return 1;
}

/* The parts of a thread's scratch: what is packed, and Z; lanes of each output; a centre of zeros,
 * ones, labels and weights. */
typedef struct parts {
    double *panels, *Z, *by_output, *centre, *ones, *Y, *weight, *end;
} parts;

static parts parts_of(const logreg_sum_kind *kind, const logreg_data *data, double *scratch)
{
    const int64_t at_once = examples_at_once(data), outputs = padded_outputs(kind);
    parts p;
    p.panels = scratch;
    p.Z = p.panels + at_once * packed_features(data);
    p.by_output = p.Z + at_once * outputs;
    p.centre = p.by_output + LOGREG_PANEL * outputs;
    p.ones = p.centre + packed_features(data);
    p.Y = p.ones + at_once;
    p.weight = p.Y + LOGREG_PANEL_VECTORS;
    p.end = p.weight + LOGREG_PANEL_VECTORS;
    return p;
}

static size_t scratch_size(const logreg_sum_kind *kind, const logreg_data *data)
{
    double origin; /* nothing is read */
    return (size_t)((char *)parts_of(kind, data, &origin).end - (char *)&origin);
}

static parts open_parts(const logreg_pass *pass, int thread)
{
    const logreg_outputs *outputs = pass->context;
    const logreg_data *data = pass->plan.reading.data;
    const parts p = parts_of(pass->plan.kind, data, logreg_pass_own(pass, thread));
    const size_t size = (size_t)packed_features(data) * sizeof *p.centre;
    memset(p.centre, 0, size);
    if (size > 0 && outputs->centre)
        memcpy(p.centre, outputs->centre, (size_t)data->n_x * sizeof *p.centre);
    for (double *one = p.ones; one < p.Y; one++) *one = 1.0;
    return p;
}

/* Adds the products of X, or of its squares, and dZ to the node. */
static void backward(const logreg_pass *pass, const parts *p, int64_t first, int64_t count,
                     double *node)
{
    const logreg_outputs *outputs = pass->context;
    const logreg_kernels *kernels = pass->plan.kernels;
    const logreg_data *data = pass->plan.reading.data;
    const int64_t padded = padded_outputs(pass->plan.kind), n = logreg_gram_padded(data->n_x);
    if (logreg_is_sparse(data)) {
        kernels->softmax.sparse_backward(data, first, count, p->Z, padded, outputs->squares, node);
        return;
    }
    for (int64_t i = 0; outputs->squares && i < count * n; i++) p->panels[i] *= p->panels[i];
    kernels->gram.add_products(p->panels, data->n_x, p->Z, padded, count, node);
}

/* Makes Z of `count` examples, which are packed unless X is sparse; 0 if stopped. */
static int forward(logreg_pass *pass, int thread, const parts *p, int64_t first, int64_t count)
{
    const logreg_outputs *outputs = pass->context;
    const logreg_kernels *kernels = pass->plan.kernels;
    const logreg_data *data = pass->plan.reading.data;
    const int64_t padded = padded_outputs(pass->plan.kind);
    const int64_t width = logreg_width(data) + LOGREG_EXAMPLE_WORK;
    if (logreg_stop_due(&pass->stop, thread, count * width * (padded / LOGREG_PANEL + 1))) return 0;
    if (logreg_is_sparse(data)) {
        kernels->softmax.sparse_forward(data, first, count, outputs->w, outputs->b, padded, p->Z);
        return 1;
    }
    kernels->gram.pack(data, first, count, p->centre, p->ones, p->panels);
    kernels->softmax.forward(p->panels, data->n_x, count, outputs->w, outputs->b, padded, p->Z);
    return 1;
}

static void leaf(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const logreg_outputs *outputs = pass->context;
    const logreg_sum_kind *kind = pass->plan.kind;
    const logreg_kernels *kernels = pass->plan.kernels;
    const logreg_data *data = pass->plan.reading.data;
    const int64_t padded = padded_outputs(kind);
    const int64_t at_once = examples_at_once(data);
    const parts p = open_parts(pass, thread);
    double *db = node + products(kind, data->n_x);
    int64_t first, end;
    logreg_pass_segment(pass, segment, &first, &end);
    logreg_pass_clear(pass, thread, node, pass->plan.node_size);
    for (int64_t count; first < end; first += count) {
        count = logreg_at_most(end - first, at_once);
        if (!forward(pass, thread, &p, first, count)) return;
        const double *weight = NULL;
        if (data->sample_weight.values)
            weight = kernels->column(&data->sample_weight, first, count, p.weight);
        if (outputs->squares)
            kernels->softmax.curvature(p.Z, kind->outputs, count, weight, p.by_output);
        else
            kernels->softmax.activate(p.Z, kind->outputs, count,
                                      kernels->column(&data->Y, first, count, p.Y), weight,
                                      p.by_output, db + padded);
        backward(pass, &p, first, count, node);
        kernels->gram.add_sums(p.Z, padded, count, p.ones, db);
    }
}

static void predict(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const logreg_outputs *outputs = pass->context;
    const logreg_sum_kind *kind = pass->plan.kind;
    const int64_t at_once = examples_at_once(pass->plan.reading.data);
    const parts p = open_parts(pass, thread);
    int64_t first, end;
    logreg_pass_segment(pass, segment, &first, &end);
    *node = 0.0;
    for (int64_t count; first < end; first += count) {
        count = logreg_at_most(end - first, at_once);
        if (!forward(pass, thread, &p, first, count)) return;
        for (int64_t i = 0; i < count * padded_outputs(kind); i++) *node += p.Z[i] - p.Z[i];
        if (outputs->probabilities)
            pass->plan.kernels->softmax.predict(p.Z, kind->outputs, count, p.by_output);
        for (int64_t k = 0; k < kind->outputs; k++) {
            const double *Z = p.Z + k / LOGREG_PANEL * LOGREG_PANEL * count + k % LOGREG_PANEL;
            double *out = outputs->out + first * kind->outputs + k;
            for (int64_t i = 0; i < count; i++) out[i * kind->outputs] = Z[i * LOGREG_PANEL];
        }
    }
}

double logreg_softmax_entry(const logreg_data *data, const double *node, int64_t padded, int64_t j,
                            int64_t k)
{
    return logreg_is_sparse(data) ? node[j * padded + k] : logreg_gram_entry(node, padded, j, k);
}

static void merge(const logreg_sum_kind *kind, int64_t n_x, double *left, const double *right)
{
    const int64_t size = node_size(kind, n_x);
    for (int64_t i = 0; i < size; i++) left[i] += right[i];
}

static void merge_one(const logreg_sum_kind *kind, int64_t n_x, double *left, const double *right)
{
    (void)kind;
    (void)n_x;
    *left += *right;
}

const logreg_sum_kind logreg_softmax_sums = {.float64 = 1,
                                             .node_size = node_size,
                                             .scratch_size = scratch_size,
                                             .leaf = leaf,
                                             .merge = merge};
const logreg_sum_kind logreg_softmax_prediction_sums = {.float64 = 1,
                                                        .node_size = size_of_one,
                                                        .scratch_size = scratch_size,
                                                        .leaf = predict,
                                                        .merge = merge_one};
