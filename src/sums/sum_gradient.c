/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The sums of J, dw and db; and, where the context of the pass is an array (m,), Z in it.
 */
#include "sums/sums.h"

static int64_t node_size(const logreg_sum_kind *kind, int64_t n_x)
{
    (void)kind;
    return logreg_padded(n_x) + LOGREG_SUMS;
}

/* A block occupies a multiple of 8 places of a run, because it starts at lane 0 (float64 has 8
 * lanes). If it took as many as it has examples, a run of blocks of one example would be added to
 * lane 0 alone, and the product there would overflow. */
enum { PLACES = 8 };

/* The run of examples that a leaf is in. */
typedef struct leaf_run {
    logreg_run_sums sums;
    int64_t examples, places;
} leaf_run;

static void finish_run(const logreg_loss *loss, const logreg_block *block, leaf_run *run,
                       double *sums)
{
    loss->finish_run(block, &run->sums, run->examples, sums);
    run->examples = run->places = 0;
}

/* A block is a whole number of runs, or a run of blocks. */
static void activate(const logreg_loss *loss, const logreg_block *block, leaf_run *run,
                     double *sums)
{
    for (int64_t from = 0; from < block->count;) {
        const int64_t count = logreg_at_most(block->count - from, loss->run - run->places);
        loss->activate(block, from, count, &run->sums);
        from += count;
        run->examples += count;
        run->places += (count + PLACES - 1) / PLACES * PLACES;
        if (from < block->count) finish_run(loss, block, run, sums);
    }
}

/* What the weights of a segment are. A fold has bools, which are mostly all true or all false. */
typedef enum weights { ALL_0, ALL_1, ANY } weights;

static weights weights_of(const logreg_column *weight, int64_t first, int64_t end)
{
    const char *value = (const char *)weight->values + first * weight->stride;
    if (!weight->values) return ALL_1;
    if (weight->type != LOGREG_BOOL || weight->stride != 1) return ANY;
    if (memcmp(value, value + 1, (size_t)(end - first - 1)) != 0) return ANY;
    return *value == 0 ? ALL_0 : ALL_1;
}

/* Whether a pass beside this one reads a segment, and so sees whether X is finite there. */
static int is_read_beside(const logreg_pass *pass, int64_t first, int64_t end)
{
    for (int64_t k = 0; k < pass->n_beside; k++) {
        const logreg_data *data = pass->beside[k].plan.reading.data;
        if (weights_of(&data->sample_weight, first, end) != ALL_0) return 1;
    }
    return 0;
}

static void leaf(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const logreg_plan *plan = &pass->plan;
    const logreg_kernels *kernels = plan->kernels;
    const int64_t n_x = plan->reading.data->n_x;
    double *sums = node + logreg_padded(n_x), *Z = pass->context;
    leaf_run run;
    int64_t first, end;
    int overlap = 0;
    logreg_pass_segment(pass, segment, &first, &end);
    logreg_pass_clear(pass, thread, node, plan->node_size);
    memset(&run, 0, sizeof run);
    const weights of_segment = weights_of(&plan->reading.data->sample_weight, first, end);
    if (of_segment == ALL_0 && is_read_beside(pass, first, end)) return;
    logreg_block block = logreg_pass_block(pass, first, end, thread);
    block.weighted = of_segment != ALL_1;
    if (block.dw) memset(block.dw, 0, (size_t)(n_x * kernels->real_size));
    for (; block.first < end; block.first += block.count) {
        block.count = logreg_at_most(end - block.first, block.count);
        if (!overlap && !logreg_pass_forward(pass, &block, thread)) return;
        if (Z) kernels->widen(&block, Z + block.first);
        kernels->load_targets(&block);
        activate(&kernels->logistic, &block, &run, sums);
        overlap = plan->reading.overlap && end - block.first >= 2 * block.count;
        if (!(overlap ? logreg_pass_overlap(pass, &block, thread, node)
                      : logreg_pass_backward(pass, &block, thread, node)))
            return;
        if (run.places >= kernels->logistic.run || block.first + block.count == end) {
            finish_run(&kernels->logistic, &block, &run, sums);
            plan->source->end_run(&block, node);
        }
    }
}

static void merge(const logreg_sum_kind *kind, int64_t n_x, double *left, const double *right)
{
    const int64_t size = node_size(kind, n_x);
    for (int64_t i = 0; i < size; i++) left[i] += right[i];
}

const logreg_sum_kind logreg_gradient_sums = {
    .backward = 1, .node_size = node_size, .leaf = leaf, .merge = merge};
