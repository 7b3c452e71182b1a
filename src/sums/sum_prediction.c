/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Predictions: the forward half of a pass, which adds up only whether every Z is finite.
 */
#include "sums/sums.h"

static int64_t node_size(const logreg_sum_kind *kind, int64_t n_x)
{
    (void)kind;
    (void)n_x;
    return 1;
}

/* 0, or NaN where a Z is not finite. */
static double not_finite(const double *Z, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += Z[i] - Z[i];
    return sum;
}

static void leaf(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const logreg_predictions *p = pass->context;
    const logreg_plan *plan = &pass->plan;
    const logreg_loss *loss = &logreg_kernels_in_use(LOGREG_FLOAT64)->logistic;
    int64_t first, end;
    logreg_pass_segment(pass, segment, &first, &end);
    logreg_block block = logreg_pass_block(pass, first, end, thread);
    *node = 0.0;
    for (; block.first < end; block.first += block.count) {
        if (end - block.first < block.count) block.count = end - block.first;
        if (!logreg_pass_forward(pass, &block, thread)) return;
        double *out = p->out + block.first;
        plan->kernels->widen(&block, out);
        *node += p->probabilities ? loss->predict(out, block.count) : not_finite(out, block.count);
    }
}

static void merge(const logreg_sum_kind *kind, int64_t n_x, double *left, const double *right)
{
    (void)kind;
    (void)n_x;
    *left += *right;
}

const logreg_sum_kind logreg_prediction_sums = {
    .node_size = node_size, .leaf = leaf, .merge = merge};
