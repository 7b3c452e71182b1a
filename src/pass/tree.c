/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A pass over segments of X: segments -> threads -> ordered reduction.
 *
 * The examples are cut into segments of a fixed power of two, and every segment is summed by one
 * thread, block by block, into a node. Nodes are merged in one canonical binary tree over the
 * segment's index in the whole: node (level, index) covers the segments [index 2^level,
 * (index + 1) 2^level), and a missing right child leaves the left one as it is. So it does not
 * matter who summed which segment, nor when, nor where.
 *
 * Threads take tasks: subtrees of at most 2^task_level segments. A task walks its segments in order
 * and merges as a binary counter carries, so at most task_level + 1 nodes wait, and the memory for
 * nodes does not grow with m.
 */
#include "pass/tree.h"
#include "platform/parallel.h"

/* ---- Nodes ----------------------------------------------------------------------------------- */

static int64_t first_segment(const logreg_node *node)
{
    return node->index << node->level;
}

static int64_t end_segment(const logreg_node *node)
{
    return (node->index + 1) << node->level;
}

/* Takes entry k out, so that it is the first free one. */
static void drop(logreg_nodes *nodes, int64_t k)
{
    const logreg_node dropped = nodes->nodes[k];
    nodes->count--;
    for (; k < nodes->count; k++) nodes->nodes[k] = nodes->nodes[k + 1];
    nodes->nodes[k] = dropped;
}

/* Merges node k with its sibling, and so on up, while both are there. */
static void carry(const logreg_sum_kind *kind, int64_t n_x, logreg_nodes *nodes, int64_t k)
{
    for (;;) {
        const int64_t left = nodes->nodes[k].index % 2 == 0 ? k : k - 1;
        if (left < 0 || left + 1 >= nodes->count) return;
        logreg_node *a = &nodes->nodes[left], *b = a + 1;
        if (a->level != b->level || a->index + 1 != b->index) return;
        kind->merge(kind, n_x, a->sums, b->sums);
        a->level++;
        a->index /= 2;
        drop(nodes, left + 1);
        k = left;
    }
}

/* Moves the entry after the last to where its segments belong, and merges what can be merged. */
static void settle(const logreg_sum_kind *kind, int64_t n_x, logreg_nodes *nodes)
{
    int64_t k = nodes->count++;
    const logreg_node node = nodes->nodes[k];
    for (; k > 0 && first_segment(&nodes->nodes[k - 1]) > first_segment(&node); k--)
        nodes->nodes[k] = nodes->nodes[k - 1];
    nodes->nodes[k] = node;
    carry(kind, n_x, nodes, k);
}

void logreg_merge(const logreg_sum_kind *kind, int64_t n_x, logreg_nodes *into,
                  const logreg_nodes *from)
{
    const size_t size = (size_t)kind->node_size(kind, n_x) * sizeof(double);
    const logreg_fp_modes found = logreg_fp_default();
    for (int64_t k = 0; k < from->count; k++) {
        logreg_node *free = &into->nodes[into->count];
        free->level = from->nodes[k].level;
        free->index = from->nodes[k].index;
        memcpy(free->sums, from->nodes[k].sums, size);
        settle(kind, n_x, into);
    }
    logreg_fp_restore(found);
}

double *logreg_root(const logreg_sum_kind *kind, int64_t n_x, logreg_nodes *nodes,
                    int64_t n_segments)
{
    int64_t covered = 0;
    for (int64_t k = 0; k < nodes->count; k++) {
        if (first_segment(&nodes->nodes[k]) != covered) return NULL;
        covered = end_segment(&nodes->nodes[k]);
    }
    if (covered != n_segments) return NULL;
    /* The levels fall from left to right: each node is the missing sibling of the one before. */
    for (int64_t k = nodes->count - 1; k > 0; k--)
        kind->merge(kind, n_x, nodes->nodes[k - 1].sums, nodes->nodes[k].sums);
    nodes->count = 0;
    return nodes->nodes[0].sums;
}

int64_t logreg_node_size(const logreg_sum_kind *kind, int64_t n_x)
{
    return kind->node_size(kind, n_x);
}

/* ---- Turns: where there are very many features, checks whether to stop come between ------------
 */

void logreg_pass_copy(logreg_pass *pass, double *to, const double *from, int64_t n)
{
    for (int64_t i = 0; i < n; i += LOGREG_TURN) {
        const int64_t count = logreg_at_most(n - i, LOGREG_TURN);
        if (logreg_stop_due(&pass->stop, 0, count)) return;
        memcpy(to + i, from + i, (size_t)count * sizeof *to);
    }
}

void logreg_pass_clear(logreg_pass *pass, int thread, double *values, int64_t n)
{
    for (int64_t i = 0; i < n; i += LOGREG_TURN) {
        const int64_t count = logreg_at_most(n - i, LOGREG_TURN);
        if (logreg_stop_due(&pass->stop, thread, count)) return;
        memset(values + i, 0, (size_t)count * sizeof *values);
    }
}

/* n_x doubles as reals. */
static void narrow(logreg_pass *pass, const double *from, char *to)
{
    const logreg_kernels *kernels = pass->plan.kernels;
    const int64_t n_x = pass->plan.reading.data->n_x;
    for (int64_t j = 0; j < n_x; j += LOGREG_TURN) {
        const int64_t count = logreg_at_most(n_x - j, LOGREG_TURN);
        if (logreg_stop_due(&pass->stop, 0, count)) return;
        kernels->narrow(from + j, count, to + j * kernels->real_size);
    }
}

/* Gives the block its next turn of features, and returns how much work that is. */
static int64_t next_turn(const logreg_pass *pass, logreg_block *block)
{
    const int64_t n = logreg_at_most(pass->plan.reading.data->n_x - block->to, pass->plan.turn);
    block->from = block->to;
    block->to += n;
    return block->count * (n + LOGREG_EXAMPLE_WORK);
}

int logreg_pass_forward(logreg_pass *pass, logreg_block *block, int thread)
{
    block->to = 0;
    do {
        const int64_t work = next_turn(pass, block);
        if (logreg_stop_due(&pass->stop, thread, work)) return 0;
        pass->plan.source->forward(block);
    } while (block->to < pass->plan.reading.data->n_x);
    return 1;
}

int logreg_pass_backward(logreg_pass *pass, logreg_block *block, int thread, double *dw)
{
    block->to = 0;
    do {
        const int64_t work = next_turn(pass, block);
        /* For the first turn forward has just asked: with small blocks, asking twice shows. */
        if (block->from > 0 && logreg_stop_due(&pass->stop, thread, work)) return 0;
        pass->plan.source->backward(block, dw);
    } while (block->to < pass->plan.reading.data->n_x);
    return 1;
}

int logreg_pass_overlap(logreg_pass *pass, logreg_block *block, int thread, double *dw)
{
    void *Z = block->Z;
    block->to = 0;
    if (logreg_stop_due(&pass->stop, thread, next_turn(pass, block))) return 0;
    pass->plan.source->overlap(block, dw);
    block->Z = block->next_Z;
    block->next_Z = Z;
    return 1;
}

/* ---- The pass -------------------------------------------------------------------------------- */

static void clear_padding(void *values, int64_t n_x, size_t size)
{
    memset((char *)values + (size_t)n_x * size, 0, (size_t)(logreg_padded(n_x) - n_x) * size);
}

void logreg_pass_open(logreg_pass *pass, const logreg_data *data, const logreg_part *part,
                      const logreg_sum_kind *kind, const double *centre, const logreg_run *run,
                      void *workspace)
{
    const int64_t n_x = data->n_x;
    pass->plan = logreg_plan_of(data, part, kind, centre != NULL, run->n_threads);
    pass->context = NULL;
    pass->beside = NULL;
    pass->n_beside = 0;
    pass->plan.n_threads = logreg_threads_startable(pass->plan.n_threads);
    logreg_stop_open(&pass->stop, run);
    const logreg_workspace at = logreg_workspace_of(&pass->plan);
    const size_t real_size = (size_t)pass->plan.kernels->real_size;
    char *memory = workspace;
    pass->w = (double *)(memory + at.w);
    pass->narrow_w = real_size < sizeof(double) ? memory + at.narrow_w : NULL;
    pass->centre = centre ? memory + at.centre : NULL;
    pass->nodes.nodes = (logreg_node *)(memory + at.nodes);
    pass->scratch = memory + at.scratch;
    for (int64_t task = 0; task < pass->plan.n_tasks; task++)
        pass->nodes.nodes[task].sums = (double *)(memory + at.sums) + task * pass->plan.node_size;
    clear_padding(pass->w, n_x, sizeof(double));
    if (pass->narrow_w) clear_padding(pass->narrow_w, n_x, real_size);
    if (centre) {
        clear_padding(pass->centre, n_x, real_size);
        narrow(pass, centre, pass->centre);
    }
}

static char *scratch_for(const logreg_pass *pass, int thread)
{
    return pass->scratch + (size_t)thread * pass->plan.scratch.size;
}

static double *waiting_nodes(const logreg_pass *pass, int thread)
{
    return (double *)(scratch_for(pass, thread) + pass->plan.scratch.waiting);
}

double *logreg_pass_spare(const logreg_pass *pass, int thread)
{
    return waiting_nodes(pass, thread) + pass->plan.task_level * pass->plan.node_size;
}

void *logreg_pass_own(const logreg_pass *pass, int thread)
{
    return scratch_for(pass, thread) + pass->plan.scratch.own;
}

logreg_block logreg_pass_block(const logreg_pass *pass, int64_t first, int64_t end, int thread)
{
    const logreg_plan *plan = &pass->plan;
    char *scratch = scratch_for(pass, thread);
    logreg_block block;
    block.reading = &plan->reading;
    block.first = first;
    block.count = end - first < plan->block ? end - first : plan->block;
    block.w = pass->block_w;
    block.centre = pass->centre;
    block.b = pass->b;
    block.Z = scratch;
    block.next_Z = scratch + plan->scratch.next_Z;
    block.Y = block.weight = NULL;
    block.weighted = plan->reading.data->sample_weight.values != NULL;
    block.Y_scratch = scratch + plan->scratch.Y;
    block.weight_scratch = scratch + plan->scratch.weight;
    block.packed = scratch + plan->scratch.packed;
    block.sums = scratch + plan->scratch.sums;
    block.part = scratch + plan->scratch.part;
    block.dw = plan->scratch.dw < plan->scratch.own ? scratch + plan->scratch.dw : NULL;
    return block;
}

void logreg_pass_segment(const logreg_pass *pass, int64_t segment, int64_t *first, int64_t *end)
{
    const int64_t m = pass->plan.reading.data->m, size = pass->plan.segment;
    *first = segment * size;
    *end = *first + size < m ? *first + size : m;
}

/* Sums segment number `done` of a task into its node, and merges what can be merged. Before, as
 * many nodes wait as `done` has bits: the root, and its right siblings. */
static void add_segment(logreg_pass *pass, int64_t task, int64_t first, int64_t done, int thread)
{
    const logreg_plan *plan = &pass->plan;
    const logreg_sum_kind *kind = plan->kind;
    const int64_t n_x = plan->reading.data->n_x, size = plan->node_size;
    double *root = pass->nodes.nodes[task].sums, *waiting = waiting_nodes(pass, thread);
    int depth = 0;
    for (int64_t bits = done; bits > 0; bits &= bits - 1) depth++;
    kind->leaf(pass, first - plan->offset + done, thread,
               depth == 0 ? root : waiting + (depth - 1) * size);
    if (logreg_stop_seen(&pass->stop)) return;
    for (int64_t carried = done; carried % 2 == 1; carried /= 2, depth--)
        kind->merge(kind, n_x, depth == 1 ? root : waiting + (depth - 2) * size,
                    waiting + (depth - 1) * size);
}

typedef struct together {
    logreg_pass *passes;
    int64_t count;
} together;

static void run_task(void *context, int64_t task, int thread)
{
    const together *all = context;
    int level;
    const int64_t first = logreg_task(&all->passes->plan, task, &level);
    for (int64_t done = 0; done < (int64_t)1 << level; done++)
        for (int64_t k = 0; k < all->count; k++) {
            logreg_pass *pass = &all->passes[k];
            add_segment(pass, task, first, done, thread);
            if (logreg_stop_seen(&pass->stop)) return;
        }
    for (int64_t k = 0; k < all->count; k++) {
        logreg_node *node = &all->passes[k].nodes.nodes[task];
        node->level = level;
        node->index = first >> level;
    }
}

static void begin(logreg_pass *pass)
{
    pass->block_w = pass->w;
    if (pass->narrow_w) {
        narrow(pass, pass->w, pass->narrow_w);
        pass->block_w = pass->narrow_w;
    }
}

/* Settles the nodes of the tasks; 0 if stopped. */
static int end(logreg_pass *pass)
{
    const logreg_plan *plan = &pass->plan;
    logreg_nodes *nodes = &pass->nodes;
    nodes->count = 0;
    for (int64_t task = 0; task < plan->n_tasks; task++) {
        if (logreg_stop_due(&pass->stop, 0, plan->node_size)) return 0;
        const logreg_node summed = nodes->nodes[task];
        nodes->nodes[task] = nodes->nodes[nodes->count];
        nodes->nodes[nodes->count] = summed;
        settle(plan->kind, plan->reading.data->n_x, nodes);
    }
    return 1;
}

int logreg_pass_sum_together(logreg_pass *passes, int64_t count)
{
    together all = {passes, count};
    int n_threads = passes->plan.n_threads;
    for (int64_t k = 0; k < count; k++) {
        begin(&passes[k]);
        n_threads = (int)logreg_at_most(n_threads, passes[k].plan.n_threads);
    }
    logreg_parallel_for(passes->plan.n_tasks, n_threads, run_task, &all);
    for (int64_t k = 0; k < count; k++)
        if (logreg_stop_seen(&passes[k].stop) || !end(&passes[k])) return 0;
    return 1;
}

logreg_nodes *logreg_pass_sum(logreg_pass *pass, double b)
{
    pass->b = b;
    return logreg_pass_sum_together(pass, 1) ? &pass->nodes : NULL;
}
