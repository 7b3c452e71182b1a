/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One pass over X: segments -> threads -> ordered reduction.
 *
 * The examples are cut into segments of a fixed power of two, and every segment is summed by one
 * thread, block by block, into a node. Nodes are merged in one canonical binary tree over the
 * segment's index: node (l, k) covers the segments [k 2^l, (k + 1) 2^l), and a missing right child
 * leaves the left one as it is. So it does not matter who did which segment, nor when.
 *
 * Threads take tasks: subtrees of 2^task_level segments. A task walks its segments in order and
 * merges as a binary counter carries, so at most task_level + 1 nodes wait, and the memory for
 * nodes does not grow with m.
 */
#include "pass.h"

enum { TASKS_PER_THREAD = 16, SMALL_WORK = 1 << 16, ACTIVATION_WORK = 16 };

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* These three freeze the bits: they depend on n_x and the layout alone. */

/* The largest power of two that is at most `value` and within [low, high], themselves such. */
static int64_t power_of_two(int64_t value, int64_t low, int64_t high)
{
    int64_t p = low;
    while (p < high && 2 * p <= value) p *= 2;
    return p;
}

/* Examples a segment: about 2^17 values of X (1 MB), few enough that many threads get some of any
 * data worth the trouble, many enough that merging n_x sums a segment is nothing beside it. */
int64_t logreg_segment_size(int64_t n_x)
{
    return power_of_two((1 << 17) / (n_x < 1 ? 1 : n_x), 128, 4096);
}

/* Example-major, and packed feature-major block by block (block_kernels.h). */
static int short_examples(const logreg_data *data)
{
    return data->example_stride != 1 && data->n_x <= LOGREG_LANES;
}

/* Examples a block. Feature-major: 512 KB at most for the usual n_x, half of an L2, since the next
 * block is prefetched into the other half; yet at least 32 values, 4 cache lines, of each column.
 * Example-major: 8 KB or 8 examples. No column suffers from shortness there, and the shorter the
 * turns, the less the stream from memory stalls; the bits do not depend on it. */
static int64_t block_size(const logreg_data *data)
{
    const int64_t n_x = data->n_x < 1 ? 1 : data->n_x;
    if (data->example_stride == 1 || short_examples(data))
        return power_of_two((1 << 16) / n_x, 32, LOGREG_RUN);
    return power_of_two((1 << 10) / n_x, LOGREG_LANES, LOGREG_RUN);
}

/* How far ahead `backward` prefetches examples: 16 KB, or the next block. */
static int64_t rows_ahead(int64_t n_x, int64_t block)
{
    const int64_t rows = (1 << 11) / (n_x < 1 ? 1 : n_x);
    return rows > block ? rows : block;
}

int64_t logreg_padded(int64_t n_x)
{
    return (n_x + LOGREG_LANES - 1) / LOGREG_LANES * LOGREG_LANES;
}

/* The subtrees that threads take: the smallest level with few enough of them. */
static int task_level(int64_t n_segments, int n_threads)
{
    int level = 0;
    while (((n_segments - 1) >> level) + 1 > (int64_t)TASKS_PER_THREAD * n_threads) level++;
    return level;
}

/* Columns a multiple of 2 KB apart share a few sets of every cache. */
static int columns_collide(const logreg_data *data)
{
    return data->n_x > 4 && data->feature_stride % 256 == 0;
}

static int64_t packed_size(const logreg_data *data)
{
    if (data->example_stride != 1 && !short_examples(data)) return 0;
    return block_size(data) * data->n_x;
}

static int64_t gradient_size(int64_t n_x)
{
    return logreg_padded(n_x) + LOGREG_LANES;
}

static int64_t largest_node(int64_t n_x)
{
    const int64_t gradient = gradient_size(n_x), moments = logreg_moments_size(n_x);
    return gradient > moments ? gradient : moments;
}

static int64_t n_segments_of(const logreg_data *data)
{
    const int64_t segment = logreg_segment_size(data->n_x);
    return (data->m + segment - 1) / segment;
}

/* Doubles of one thread's scratch: Z, the packed block, and the waiting nodes. */
static int64_t scratch_size(const logreg_data *data, int level)
{
    return LOGREG_RUN + packed_size(data) + (level + 1) * largest_node(data->n_x);
}

size_t logreg_workspace_size(const logreg_data *data, int n_threads)
{
    const int64_t n_segments = n_segments_of(data);
    const int level = task_level(n_segments, n_threads);
    const int64_t n_tasks = ((n_segments - 1) >> level) + 1;
    return sizeof(double) *
           (size_t)(3 * logreg_padded(data->n_x) + n_tasks * largest_node(data->n_x) +
                    n_threads * scratch_size(data, level));
}

/* ---- The sum of J, dw and db ----------------------------------------------------------------- */

logreg_scratch logreg_pass_scratch(const logreg_pass *pass, int thread)
{
    logreg_scratch scratch;
    scratch.Z = pass->scratch + thread * pass->scratch_size;
    scratch.packed = scratch.Z + LOGREG_RUN;
    scratch.nodes = scratch.packed + packed_size(pass->data);
    return scratch;
}

logreg_block logreg_pass_block(const logreg_pass *pass, int64_t first, int64_t end, int thread)
{
    const logreg_data *data = pass->data;
    const logreg_scratch scratch = logreg_pass_scratch(pass, thread);
    logreg_block block;
    block.n_x = data->n_x;
    block.count = end - first < pass->block ? end - first : pass->block;
    block.X = data->X + first * data->example_stride;
    block.feature_stride = data->feature_stride;
    block.example_stride = data->example_stride;
    block.Y = data->Y ? data->Y + first : NULL;
    block.sample_weight = data->sample_weight ? data->sample_weight + first : NULL;
    block.w = pass->w;
    block.centre = pass->centre;
    block.b = pass->b;
    block.Z = scratch.Z;
    block.rows_ahead = rows_ahead(data->n_x, pass->block);
    block.packed = pass->packing ? scratch.packed : NULL;
    block.packed_stride = pass->block;
    return block;
}

static void gradient_leaf(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const logreg_data *data = pass->data;
    const int64_t first = segment * pass->segment;
    const int64_t end = first + pass->segment < data->m ? first + pass->segment : data->m;
    double *sums = node + logreg_padded(data->n_x);
    memset(node, 0, (size_t)pass->node_size * sizeof *node);
    for (int64_t start = first; start < end; start += LOGREG_RUN) {
        const int64_t stop = start + LOGREG_RUN < end ? start + LOGREG_RUN : end;
        logreg_run_sums run = {{0}, {0}, {0}, {0}, {0}};
        for (int64_t i = start; i < stop; i += pass->block) {
            const logreg_block block = logreg_pass_block(pass, i, stop, thread);
            if (logreg_stop_due(&pass->stop, thread, block.count * (data->n_x + ACTIVATION_WORK)))
                return;
            pass->kernels->forward(&block);
            pass->kernels->activate(&block, &run);
            pass->kernels->backward(&block, node);
        }
        pass->kernels->finish_run(&run, data->sample_weight ? 0 : stop - start, sums);
    }
}

static void gradient_merge(const logreg_pass *pass, double *left, const double *right)
{
    for (int64_t i = 0; i < pass->node_size; i++) left[i] += right[i];
}

void logreg_pass_open(logreg_pass *pass, const logreg_data *data, const logreg_run *run,
                      const double *centre)
{
    const int64_t n_x = data->n_x, padded = logreg_padded(n_x);
    pass->data = data;
    pass->kernels = logreg_kernels_in_use();
    logreg_stop_open(&pass->stop, run);
    pass->block = block_size(data);
    pass->segment = logreg_segment_size(n_x);
    pass->n_segments = n_segments_of(data);
    pass->task_level = task_level(pass->n_segments, run->n_threads);
    pass->n_tasks = ((pass->n_segments - 1) >> pass->task_level) + 1;
    const int small = data->m < SMALL_WORK && data->m * (n_x + ACTIVATION_WORK) < SMALL_WORK;
    pass->n_threads = small ? 1 : run->n_threads;
    if (data->example_stride == 1)
        pass->packing = centre != NULL || columns_collide(data);
    else
        pass->packing = short_examples(data);
    pass->w = run->workspace;
    pass->next_w = pass->w + padded;
    pass->centre = centre ? pass->next_w + padded : NULL;
    memset(pass->w, 0, (size_t)(3 * padded) * sizeof(double));
    if (centre) memcpy(pass->centre, centre, (size_t)n_x * sizeof(double));
    pass->b = 0.0;
    pass->nodes = pass->next_w + 2 * padded;
    pass->scratch = pass->nodes + pass->n_tasks * largest_node(n_x);
    pass->scratch_size = scratch_size(data, pass->task_level);
    pass->node_size = gradient_size(n_x);
    pass->leaf = gradient_leaf;
    pass->merge = gradient_merge;
}

/* ---- The tree -------------------------------------------------------------------------------- */

static void run_task(void *context, int64_t task, int thread)
{
    logreg_pass *pass = context;
    const int64_t first = task << pass->task_level;
    const int64_t last = (task + 1) << pass->task_level;
    const int64_t end = last < pass->n_segments ? last : pass->n_segments;
    const int64_t size = pass->node_size;
    double *root = pass->nodes + task * size;
    double *waiting = logreg_pass_scratch(pass, thread).nodes; /* the right siblings of root */
    int depth = 0;

    for (int64_t segment = first; segment < end; segment++) {
        pass->leaf(pass, segment, thread, depth == 0 ? root : waiting + (depth - 1) * size);
        if (logreg_stop_seen(&pass->stop)) return;
        depth++;
        for (int64_t done = segment - first + 1; done % 2 == 0; done /= 2) {
            depth--;
            pass->merge(pass, depth == 1 ? root : waiting + (depth - 2) * size,
                        waiting + (depth - 1) * size);
        }
    }
    for (; depth > 1; depth--)
        pass->merge(pass, depth == 2 ? root : waiting + (depth - 3) * size,
                    waiting + (depth - 2) * size);
}

double *logreg_pass_sum(logreg_pass *pass)
{
    const int64_t n_tasks = pass->n_tasks;
    logreg_parallel_for(n_tasks, pass->n_threads, run_task, pass);
    if (logreg_stop_seen(&pass->stop)) return NULL;
    for (int64_t step = 1; step < n_tasks; step *= 2)
        for (int64_t task = 0; task + step < n_tasks; task += 2 * step)
            pass->merge(pass, pass->nodes + task * pass->node_size,
                        pass->nodes + (task + step) * pass->node_size);
    return pass->nodes;
}
