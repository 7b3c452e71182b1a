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
#include "pass/pass.h"

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* The sizes of blocks and segments freeze the bits: they depend on n_x, the layout and the
 * arithmetic alone. */

/* The largest power of two that is at most `value` and within [low, high], themselves such. */
static int64_t power_of_two(int64_t value, int64_t low, int64_t high)
{
    int64_t p = low;
    while (p < high && 2 * p <= value) p *= 2;
    return p;
}

static int64_t at_least_1(int64_t n_x)
{
    return n_x < 1 ? 1 : n_x;
}

int64_t logreg_padded(int64_t n_x)
{
    return (n_x + LOGREG_PADDING - 1) / LOGREG_PADDING * LOGREG_PADDING;
}

/* Examples a segment: about 2^17 values of X, few enough that many threads get some of any data
 * worth the trouble, many enough that merging n_x sums a segment is nothing beside it, nor the sums
 * that wait beside X, where n_x is large. */
int64_t logreg_segment_size(int64_t n_x)
{
    return power_of_two((1 << 17) / at_least_1(n_x), power_of_two(n_x / 128, 64, 256), 4096);
}

/* Examples a block. Feature-major: 2 MB of float64 at most, which a thread's share of L3 has room
 * for; yet at least 32 values of each column.
 * Example-major: 8 KB or 8 examples, and fewer where 8 are more than 1 MB. No column suffers from
 * shortness there, and the shorter the turns, the less the stream from memory stalls. */
static int64_t block_size(int64_t n_x, int example_major, int64_t real_size)
{
    const int64_t n = at_least_1(n_x);
    if (!example_major)
        return real_size == 8 ? power_of_two((1 << 18) / n, 32, LOGREG_BLOCK)
                              : power_of_two((1 << 18) / n, 64, LOGREG_BLOCK / 2);
    return power_of_two((1 << 10) / n, power_of_two((1 << 17) / n, 1, 8), LOGREG_BLOCK);
}

/* The subtrees that threads take: the smallest level with few enough of them. Their number is the
 * number of nodes in memory, so there are fewer where nodes are large. */
static int task_level(int64_t n_segments, int64_t node_size, int n_threads)
{
    const int64_t tasks = power_of_two((1 << 15) / node_size, 2, 16) * n_threads;
    int level = 0;
    while (((n_segments - 1) >> level) + 1 > tasks) level++;
    return level;
}

/* Columns a multiple of 2 KB apart share a few sets of every cache: a block of them would push
 * itself out before `backward` comes. It is packed then. */
static int columns_collide(const logreg_data *data)
{
    int64_t close = 0;
    if (data->n_x <= 4) return 0;
    if (!data->features) return data->feature_stride % 2048 == 0;
    for (int64_t j = 1; j < data->n_x; j++) {
        const uintptr_t distance =
            (uintptr_t)data->features[j].values - (uintptr_t)data->features[j - 1].values;
        close += distance % 2048 == 0;
    }
    return 2 * close > data->n_x;
}

static int is_matrix(const logreg_data *data)
{
    const int64_t size = logreg_type_size(data->X.type);
    return !data->features && data->X.stride == size && data->feature_stride % size == 0 &&
           (uintptr_t)data->X.values % (uintptr_t)size == 0;
}

/* A packed block is kept from forward to backward if it fits into L1: converting again takes less
 * time than L2. Otherwise a few columns, or TILE features of an example, are packed at a time. The
 * next block is prefetched if it fits into L2, about. */
enum {
    COLUMNS = 4,
    TILE = 512,
    KEPT_BYTES = 1 << 15,
    KEPT_EXAMPLES_BYTES = 1 << 17,
    NEXT_BYTES = 3 << 19
};

static logreg_plan plan_of(const logreg_data *data, logreg_purpose purpose, int n_threads)
{
    const int64_t n_x = data->n_x, padded = logreg_padded(n_x);
    const int float64 = purpose == LOGREG_MOMENTS || data->arithmetic == LOGREG_FLOAT64;
    logreg_plan plan;
    plan.kernels = logreg_kernels_in_use(float64 ? LOGREG_FLOAT64 : LOGREG_FLOAT32);
    /* Short examples would leave most lanes over the features empty: their features are columns. */
    plan.example_major = data->example_major && n_x > 8;
    plan.block = block_size(n_x, plan.example_major, plan.kernels->real_size);
    plan.segment = logreg_segment_size(n_x);
    plan.n_segments = (data->m + plan.segment - 1) / plan.segment;
    plan.node_size = purpose == LOGREG_MOMENTS ? logreg_moments_size(n_x) : padded + LOGREG_SUMS;
    plan.task_level = task_level(plan.n_segments, plan.node_size, n_threads);
    plan.n_tasks = ((plan.n_segments - 1) >> plan.task_level) + 1;

    const int twice = purpose == LOGREG_GRADIENT || purpose == LOGREG_CENTRED_GRADIENT;
    plan.matrix = !plan.example_major && is_matrix(data);
    const int collide = twice && !plan.example_major && columns_collide(data);
    const logreg_type real_type = float64 ? LOGREG_FLOAT64 : LOGREG_FLOAT32;
    const int reals = (plan.example_major || plan.matrix) && data->X.type == real_type;
    plan.in_place = purpose != LOGREG_CENTRED_GRADIENT && !collide;
    if (purpose == LOGREG_MOMENTS && plan.example_major && !reals) plan.in_place = 0;
    const int64_t size = plan.block * n_x * plan.kernels->real_size;
    plan.once = !twice;
    plan.kept = twice && (collide || size <= KEPT_BYTES);
    plan.columns_ahead = 0;
    if (n_x * plan.block * logreg_type_size(data->X.type) > NEXT_BYTES) plan.columns_ahead = 16;
    if (plan.example_major) {
        plan.kept = twice && size <= KEPT_EXAMPLES_BYTES;
        plan.tile = plan.in_place || size <= KEPT_EXAMPLES_BYTES ? padded : TILE;
        plan.packed_stride = plan.tile;
        plan.packed_lines = plan.in_place ? 0 : plan.block;
    } else {
        plan.tile = 0;
        plan.packed_stride = plan.block + LOGREG_PADDING; /* no power of two, nor collisions */
        plan.packed_lines = plan.kept ? n_x : COLUMNS;
        if (reals && plan.in_place) plan.packed_lines = 0;
    }
    return plan;
}

/* ---- The workspace --------------------------------------------------------------------------- */

static size_t in_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* One thread's scratch: Z, labels and weights of a block; the packed block; the sums of its
 * examples or dw of a run; the waiting nodes, and one to spare. */
typedef struct scratch_layout {
    size_t Y, weight, packed, sums, dw, waiting, size;
} scratch_layout;

static scratch_layout scratch_of(const logreg_plan *plan, int64_t n_x)
{
    const size_t real_size = (size_t)plan->kernels->real_size;
    const size_t examples = in_lines((size_t)plan->block * sizeof(double) + 64);
    const int tiled = plan->example_major && plan->tile < n_x;
    scratch_layout s;
    s.Y = examples;
    s.weight = s.Y + examples;
    s.packed = s.weight + examples;
    s.sums = s.packed + in_lines((size_t)(plan->packed_lines * plan->packed_stride) * real_size);
    s.dw = s.sums + (tiled ? (size_t)plan->block * 64 : 0);
    s.waiting = s.dw + (plan->example_major && real_size == sizeof(float)
                            ? (size_t)logreg_padded(n_x) * real_size
                            : 0);
    s.size =
        s.waiting + in_lines((size_t)((plan->task_level + 1) * plan->node_size) * sizeof(double));
    return s;
}

size_t logreg_pass_workspace_size(const logreg_data *data, logreg_purpose purpose, int n_threads)
{
    const logreg_plan plan = plan_of(data, purpose, n_threads);
    const size_t vector = (size_t)logreg_padded(data->n_x) * sizeof(double);
    return 4 * vector + in_lines((size_t)(plan.n_tasks * plan.node_size) * sizeof(double)) +
           (size_t)n_threads * scratch_of(&plan, data->n_x).size;
}

size_t logreg_workspace_size(const logreg_data *data, int standardized, int n_threads)
{
    return logreg_pass_workspace_size(
        data, standardized ? LOGREG_CENTRED_GRADIENT : LOGREG_GRADIENT, n_threads);
}

size_t logreg_predict_workspace_size(const logreg_data *data, int n_threads)
{
    return logreg_pass_workspace_size(data, LOGREG_PREDICTION, n_threads);
}

static char *scratch_for(const logreg_pass *pass, int thread)
{
    return pass->scratch + (size_t)thread * pass->scratch_size;
}

double *logreg_pass_waiting(const logreg_pass *pass, int thread)
{
    return (double *)(scratch_for(pass, thread) + scratch_of(&pass->plan, pass->data->n_x).waiting);
}

logreg_block logreg_pass_block(const logreg_pass *pass, int64_t first, int64_t end, int thread)
{
    const logreg_plan *plan = &pass->plan;
    const scratch_layout layout = scratch_of(plan, pass->data->n_x);
    char *scratch = scratch_for(pass, thread);
    logreg_block block;
    block.data = pass->data;
    block.first = first;
    block.count = end - first < plan->block ? end - first : plan->block;
    block.example_major = plan->example_major;
    block.matrix = plan->matrix;
    block.in_place = plan->in_place;
    block.columns_ahead = plan->columns_ahead;
    block.once = plan->once;
    block.kept = plan->kept;
    block.tile = plan->tile;
    block.w = pass->block_w;
    block.centre = pass->centre;
    block.b = pass->b;
    block.Z = scratch;
    block.Y = block.weight = NULL;
    block.Y_room = scratch + layout.Y;
    block.weight_room = scratch + layout.weight;
    block.packed = scratch + layout.packed;
    block.packed_stride = plan->packed_stride;
    block.sums = scratch + layout.sums;
    block.dw = layout.dw < layout.waiting ? scratch + layout.dw : NULL;
    return block;
}

void logreg_pass_segment(const logreg_pass *pass, int64_t segment, int64_t *first, int64_t *end)
{
    const int64_t m = pass->data->m, size = pass->plan.segment;
    *first = segment * size;
    *end = *first + size < m ? *first + size : m;
}

/* ---- The sum of J, dw and db ----------------------------------------------------------------- */

/* What an example costs beside its features, in features: activate. A block takes so many places
 * of a run at least, since its examples begin at the first lane: a lane of many blocks of one
 * example would overflow. */
enum { ACTIVATION_WORK = 16, LEAST_PLACES = 8 };

static void gradient_leaf(logreg_pass *pass, int64_t segment, int thread, double *node)
{
    const logreg_kernels *kernels = pass->plan.kernels;
    const int64_t n_x = pass->data->n_x;
    double *sums = node + logreg_padded(n_x);
    logreg_run_sums run;
    int64_t first, end, in_run = 0, places = 0;
    logreg_pass_segment(pass, segment, &first, &end);
    memset(node, 0, (size_t)pass->plan.node_size * sizeof *node);
    memset(&run, 0, sizeof run);
    logreg_block block = logreg_pass_block(pass, first, end, thread);
    if (block.dw) memset(block.dw, 0, (size_t)(n_x * kernels->real_size));
    for (; block.first < end; block.first += block.count) {
        if (end - block.first < block.count) block.count = end - block.first;
        if (logreg_stop_due(&pass->stop, thread, block.count * (n_x + ACTIVATION_WORK))) return;
        kernels->forward(&block);
        kernels->labels(&block);
        /* A block is a whole number of runs, or a run of blocks. */
        for (int64_t from = 0; from < block.count;) {
            const int64_t room = kernels->run - places, left = block.count - from;
            const int64_t count = left < room ? left : room;
            kernels->activate(&block, from, count, &run);
            from += count;
            in_run += count;
            places += (count + LEAST_PLACES - 1) / LEAST_PLACES * LEAST_PLACES;
            if (from < block.count) {
                kernels->finish_run(&block, &run, in_run, node, sums);
                in_run = places = 0;
            }
        }
        kernels->backward(&block, node);
        if (places >= kernels->run || block.first + block.count == end) {
            kernels->finish_run(&block, &run, in_run, node, sums);
            in_run = places = 0;
        }
    }
}

static void gradient_merge(const logreg_pass *pass, double *left, const double *right)
{
    for (int64_t i = 0; i < pass->plan.node_size; i++) left[i] += right[i];
}

/* Below about 20 us of work a fork and join costs more than it brings. */
enum { SMALL_WORK = 1 << 17 };

void logreg_pass_open(logreg_pass *pass, const logreg_data *data, const logreg_run *run,
                      logreg_purpose purpose, const double *centre)
{
    const int64_t n_x = data->n_x, padded = logreg_padded(n_x);
    const int small = data->m < SMALL_WORK && data->m * (n_x + ACTIVATION_WORK) < SMALL_WORK;
    pass->plan = plan_of(data, purpose, run->n_threads);
    pass->data = data;
    logreg_stop_open(&pass->stop, run);
    pass->n_threads = small ? 1 : run->n_threads;
    pass->w = run->workspace;
    pass->next_w = pass->w + padded;
    memset(pass->w, 0, (size_t)(2 * padded) * sizeof(double));
    pass->narrow_w = pass->plan.kernels->real_size < 8 ? pass->next_w + padded : NULL;
    pass->centre = centre ? pass->next_w + 2 * padded : NULL;
    /* What is not needed is not touched: it takes no memory. */
    if (pass->narrow_w) memset(pass->narrow_w, 0, (size_t)padded * sizeof(float));
    if (centre) {
        memset(pass->centre, 0, (size_t)(padded * pass->plan.kernels->real_size));
        pass->plan.kernels->narrow(centre, n_x, pass->centre);
    }
    pass->nodes = pass->next_w + 3 * padded;
    pass->scratch = (char *)pass->nodes +
                    in_lines((size_t)(pass->plan.n_tasks * pass->plan.node_size) * sizeof(double));
    pass->scratch_size = scratch_of(&pass->plan, n_x).size;
    pass->leaf = gradient_leaf;
    pass->merge = gradient_merge;
}

/* ---- The tree -------------------------------------------------------------------------------- */

static void run_task(void *context, int64_t task, int thread)
{
    logreg_pass *pass = context;
    const int64_t first = task << pass->plan.task_level;
    const int64_t last = (task + 1) << pass->plan.task_level;
    const int64_t end = last < pass->plan.n_segments ? last : pass->plan.n_segments;
    const int64_t size = pass->plan.node_size;
    double *root = pass->nodes + task * size;
    double *waiting = logreg_pass_waiting(pass, thread); /* the right siblings of root */
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

void logreg_pass_start(logreg_pass *pass, double b)
{
    pass->b = b;
    pass->block_w = pass->w;
    if (pass->narrow_w) {
        pass->plan.kernels->narrow(pass->w, pass->data->n_x, pass->narrow_w);
        pass->block_w = pass->narrow_w;
    }
}

double *logreg_pass_sum(logreg_pass *pass, double b)
{
    const int64_t n_tasks = pass->plan.n_tasks, size = pass->plan.node_size;
    logreg_pass_start(pass, b);
    logreg_parallel_for(n_tasks, pass->n_threads, run_task, pass);
    if (logreg_stop_seen(&pass->stop)) return NULL;
    for (int64_t step = 1; step < n_tasks; step *= 2)
        for (int64_t task = 0; task + step < n_tasks; task += 2 * step)
            pass->merge(pass, pass->nodes + task * size, pass->nodes + (task + step) * size);
    return pass->nodes;
}
