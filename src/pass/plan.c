/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The plan of a pass.
 */
#include "pass/plan.h"
#include "platform/parallel.h"

/* ---- Sizes: what freezes the bits, so they depend on n_x, the layout and the arithmetic alone,
 * and on the width of data that are sparse or have categories ---- */

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

/* Sparse, or with categories: enough values that what a node takes, to be cleared and merged, n_x
 * each, is little beside them: at least 4 values per feature, and no fewer than elsewhere. */
static int64_t sparse_segment(const logreg_data *data)
{
    const int64_t values = 8 * data->n_x;
    return power_of_two((values < 1 << 17 ? 1 << 17 : values) / logreg_width(data), 64,
                        (int64_t)1 << 40);
}

/* Examples per segment: about 2^17 values of X. That is small enough that many threads get some of
 * any data worth the trouble, and large enough that merging n_x sums per segment takes no time
 * beside it. With very many features a segment is longer: the sums of the nodes that wait would
 * otherwise take more memory than the values they were made of. */
int64_t logreg_segment_size(const logreg_data *data)
{
    const int64_t n_x = data->n_x;
    if (logreg_is_sparse(data) || data->codes) return sparse_segment(data);
    return power_of_two((1 << 17) / at_least_1(n_x), power_of_two(n_x / 128, 64, 256), 4096);
}

/* Sparse: 2^14 values, which L2 holds from one half to the other with their indices. */
static int64_t sparse_block(const logreg_data *data, int64_t real_size)
{
    (void)real_size;
    return power_of_two((1 << 14) / data->width, 8, LOGREG_BLOCK);
}

/* Examples per block, feature-major: 2^18 values at most, 2 MB of float64, for which a thread's
 * share of L3 has room; yet at least 32 or 64 values of each column. */
static int64_t feature_major_block(const logreg_data *data, int64_t real_size)
{
    const int64_t values = (1 << 18) / at_least_1(logreg_width(data));
    return real_size == 8 ? power_of_two(values, 32, LOGREG_BLOCK)
                          : power_of_two(values, 64, LOGREG_BLOCK / 2);
}

/* Example-major: 2^10 values (8 KB of float64) or 8 examples, and fewer where 8 are more than 1 MB.
 * No column suffers from being cut short here, and the shorter the turns, the less the stream from
 * memory stalls. */
static int64_t example_major_block(const logreg_data *data, int64_t real_size)
{
    const int64_t n = at_least_1(data->n_x);
    (void)real_size;
    return power_of_two((1 << 10) / n, power_of_two((1 << 17) / n, 1, 8), LOGREG_BLOCK);
}

/* Examples of so few features would leave most of the lanes over the features empty: such features
 * are read as columns with a stride. */
enum { SHORT_EXAMPLE = 8 };

static int source_of(const logreg_data *data)
{
    if (logreg_is_sparse(data)) return LOGREG_SPARSE;
    if (data->codes) return LOGREG_CATEGORICAL;
    return data->example_major && data->n_x > SHORT_EXAMPLE ? LOGREG_EXAMPLE_MAJOR
                                                            : LOGREG_FEATURE_MAJOR;
}

/* ---- How blocks are read --------------------------------------------------------------------- */

enum {
    /* The largest packed block that is kept from forward to backward. Feature-major the limit is
     * L1: to convert again takes less time than to read back from L2. Example-major blocks are
     * larger only if 8 examples are, and are kept in L2. */
    KEPT_COLUMNS_BYTES = 1 << 15,
    KEPT_EXAMPLES_BYTES = 1 << 17,
    /* Example-major, both halves run in one loop where L1 holds two blocks, or where X comes from
     * memory. Blocks have to be multiples of the first. */
    OVERLAP_EXAMPLES = 8,
    OVERLAP_BYTES = 3 << 13,
    /* Two stretches of examples, the one that is read and the one that is prefetched, fit into L2;
     * for X in L3 they are shorter, because it answers sooner. Measured: examples of so many bytes
     * gain from longer ones, to which shorter examples lose. */
    STRETCH_BYTES = 1 << 16,
    LONG_EXAMPLE_BYTES = 1 << 11,
    LONG_STRETCH_BYTES = 1 << 17,
    CACHED_STRETCH_BYTES = 1 << 14,
    /* Measured: where the halves run apart, only longer examples gain from stretches; in
     * predictions shorter ones do, too, unless their values are narrower than a float32, which
     * take long to convert. */
    STREAMED_EXAMPLE_BYTES = 3 << 6,
    /* The largest X that may still be in L3 when it is read again. */
    CACHED_BYTES = 3 << 23,
    /* An L2 of this size or more holds two blocks, about, and the next block is prefetched up to so
     * large a block. */
    LARGE_L2_BYTES = 1 << 20,
    NEXT_BLOCK_BYTES = 1 << 21,
    /* Columns so many bytes apart, or a multiple, share a few sets of every cache. */
    COLLIDING_BYTES = 2048
};

/* A block of columns that collide would push itself out of the cache before `backward` comes. It is
 * packed then, and kept. LOGREG_COLUMNS and fewer do no harm. */
static int columns_collide(const logreg_data *data)
{
    const int64_t n = logreg_numbers(data);
    int64_t close = 0;
    if (n <= LOGREG_COLUMNS || !logreg_columns_collide()) return 0;
    if (!data->features) return data->feature_stride % COLLIDING_BYTES == 0;
    for (int64_t j = 1; j < n; j++) {
        const uintptr_t distance =
            (uintptr_t)data->features[j].values - (uintptr_t)data->features[j - 1].values;
        close += distance % COLLIDING_BYTES == 0;
    }
    return 2 * close > n;
}

static int has_uniform_columns(const logreg_data *data)
{
    const int64_t size = logreg_type_size(data->X.type);
    return !data->features && data->X.stride == size && data->feature_stride % size == 0 &&
           (uintptr_t)data->X.values % (uintptr_t)size == 0;
}

static logreg_type real_type(const logreg_plan *plan)
{
    return plan->kernels->real_size == sizeof(double) ? LOGREG_FLOAT64 : LOGREG_FLOAT32;
}

/* What to prefetch. Where L2 is large, it is the next block, while this one is read for the last
 * time. If X comes from memory, forward does the same: what a busy memory drops the first time
 * comes the second time. Where L2 is small, forward prefetches later columns of this block, and
 * backward the next block if L2 holds both. Of blocks that L2 does not hold, both prefetch later
 * columns. The CPU's own prefetching suffices for X in L2. */
static void prefetch_columns(logreg_reading *r, int64_t n, int64_t block_bytes)
{
    const int64_t l2 = logreg_l2_bytes();
    const int has_later = r->uniform_columns && n >= LOGREG_COLUMNS_AHEAD + LOGREG_COLUMNS;
    const int small = l2 < LARGE_L2_BYTES && has_later;
    const int large_block = block_bytes > (small ? l2 : NEXT_BLOCK_BYTES);
    r->forward_ahead = r->backward_ahead = LOGREG_AHEAD_NOTHING;
    r->pack_ahead = large_block ? LOGREG_AHEAD_COLUMNS : LOGREG_AHEAD_BLOCK;
    if (r->in_l2) return;
    if (large_block) {
        if (r->uniform_columns) r->forward_ahead = r->backward_ahead = LOGREG_AHEAD_COLUMNS;
    } else if (small) {
        r->forward_ahead = LOGREG_AHEAD_COLUMNS;
        if (2 * block_bytes < l2) r->backward_ahead = LOGREG_AHEAD_BLOCK;
    } else {
        r->backward_ahead = LOGREG_AHEAD_BLOCK;
        if (r->from_memory || r->forward_only) r->forward_ahead = LOGREG_AHEAD_BLOCK;
    }
}

static void read_columns(logreg_plan *plan, int centred)
{
    logreg_reading *r = &plan->reading;
    const int64_t n = logreg_numbers(r->data);
    const int64_t size = plan->block * n * plan->kernels->real_size;
    const int collide = plan->kind->backward && columns_collide(r->data);
    r->uniform_columns = has_uniform_columns(r->data);
    r->in_place = !centred && !collide;
    r->keep_packed = plan->kind->backward && (collide || size <= KEPT_COLUMNS_BYTES);
    r->short_examples = r->data->example_major && n > LOGREG_COLUMNS && !r->data->codes &&
                        r->keep_packed && r->data->X.type == LOGREG_FLOAT64;
    prefetch_columns(r, n, n * plan->block * logreg_type_size(r->data->X.type));
    plan->turn = LOGREG_COLUMNS + LOGREG_TURN / plan->block / LOGREG_COLUMNS * LOGREG_COLUMNS;
    if (n <= plan->turn) plan->turn += r->data->n_x - n; /* categories are no work */
    r->packed_stride = plan->block + LOGREG_PADDING;     /* not a power of two, or lines collide */
}

static int64_t packed_columns(const logreg_plan *plan)
{
    const logreg_reading *r = &plan->reading;
    if (r->uniform_columns && r->data->X.type == real_type(plan) && r->in_place) return 0;
    return r->keep_packed ? logreg_numbers(r->data) : LOGREG_COLUMNS;
}

static void read_examples(logreg_plan *plan, int centred)
{
    logreg_reading *r = &plan->reading;
    const int64_t padded = logreg_padded(r->data->n_x);
    const int64_t size = plan->block * r->data->n_x * plan->kernels->real_size;
    const int64_t value = logreg_type_size(r->data->X.type);
    const int kept = size <= KEPT_EXAMPLES_BYTES;
    r->in_place = !centred && (!plan->kind->reals || r->data->X.type == real_type(plan));
    r->overlap = plan->kind->backward && r->in_place && r->data->X.type == real_type(plan) &&
                 plan->block >= OVERLAP_EXAMPLES && (2 * size <= OVERLAP_BYTES || r->from_memory);
    const int64_t stride = r->data->X.stride < 0 ? -r->data->X.stride : r->data->X.stride;
    const int64_t stretch = !r->from_memory               ? CACHED_STRETCH_BYTES
                            : stride < LONG_EXAMPLE_BYTES ? STRETCH_BYTES
                                                          : LONG_STRETCH_BYTES;
    r->stretch = power_of_two(stretch / at_least_1(stride),
                              r->overlap ? LOGREG_STREAMS : 2 * LOGREG_STREAMS, LOGREG_BLOCK);
    r->backward_streams = r->in_place && !r->in_l2 && stride >= STREAMED_EXAMPLE_BYTES;
    r->forward_streams = r->forward_only && r->in_place && !r->in_l2 &&
                         (value >= (int64_t)sizeof(float) || stride >= STREAMED_EXAMPLE_BYTES);
    r->keep_packed = plan->kind->backward && kept;
    r->tile = r->in_place || kept ? padded : LOGREG_TILE;
    r->packed_stride = r->tile;
    plan->turn = r->data->n_x;
}

static int64_t packed_examples(const logreg_plan *plan)
{
    return plan->reading.in_place ? 0 : plan->block;
}

/* Values are read where they are, and features are never taken a few at a time. */
static void read_sparse(logreg_plan *plan, int centred)
{
    (void)centred;
    plan->reading.in_place = 1;
    plan->turn = plan->reading.data->n_x;
}

static int64_t packed_none(const logreg_plan *plan)
{
    (void)plan;
    return 0;
}

/* In doubles: a stride of 0 makes any size possible. */
static double bytes_of(const logreg_data *data)
{
    const double size = logreg_type_size(data->X.type);
    return size * (double)logreg_width(data) * (double)data->m;
}

/* What the plan knows of a source, by the enum in kernels.h. */
static const struct {
    int64_t (*block_size)(const logreg_data *data, int64_t real_size);
    void (*read)(logreg_plan *plan, int centred);     /* sets plan->reading and turn */
    int64_t (*packed_lines)(const logreg_plan *plan); /* that scratch has room for */
} sources[LOGREG_SOURCES] = {
    [LOGREG_FEATURE_MAJOR] = {feature_major_block, read_columns, packed_columns},
    [LOGREG_EXAMPLE_MAJOR] = {example_major_block, read_examples, packed_examples},
    [LOGREG_SPARSE] = {sparse_block, read_sparse, packed_none},
    [LOGREG_CATEGORICAL] = {feature_major_block, read_columns, packed_columns},
};

/* ---- Tasks ----------------------------------------------------------------------------------- */

/* Below so much work, some 20 us, a fork and join costs more than it brings. */
enum { SMALL_WORK = 1 << 17 };

static int is_small(const logreg_data *data)
{
    return data->m < SMALL_WORK &&
           data->m * (logreg_width(data) + LOGREG_EXAMPLE_WORK) < SMALL_WORK;
}

/* The level of the largest node that begins with segment `first` and ends by `end`, at most
 * `highest`. */
static int level_at(int64_t first, int64_t end, int highest)
{
    int level = 0;
    while (level < highest && first % ((int64_t)2 << level) == 0 &&
           end - first >= (int64_t)2 << level)
        level++;
    return level;
}

/* A part is cut into the fewest nodes of at most `task_level`: rising levels up to the first
 * multiple of 2^task_level, then as many of that level as there are, then falling levels. */
int64_t logreg_task(const logreg_plan *plan, int64_t task, int *level)
{
    int64_t first = plan->first;
    for (;;) {
        *level = level_at(first, plan->end, plan->task_level);
        int64_t alike = 1;
        if (*level == plan->task_level) alike = (plan->end - first) >> *level;
        if (task < alike) return first + (task << *level);
        task -= alike;
        first += alike << *level;
    }
}

static int64_t count_nodes(int64_t first, int64_t end, int highest)
{
    int64_t count = 0;
    while (first < end) {
        const int level = level_at(first, end, highest);
        const int64_t alike = level == highest ? (end - first) >> level : 1;
        first += alike << level;
        count += alike;
    }
    return count;
}

int64_t logreg_node_count(int64_t first, int64_t end)
{
    return count_nodes(first, end, 62);
}

/* The smallest level with few enough tasks: 2 to 16 per thread. Each has a node in memory, so there
 * are fewer where nodes are large: together at most 2^15 doubles per thread, or two nodes. */
static int task_level(int64_t n_segments, int64_t node_size, int n_threads)
{
    const int64_t tasks = power_of_two((1 << 15) / node_size, 2, 16) * n_threads;
    int level = 0;
    while (((n_segments - 1) >> level) + 1 > tasks) level++;
    return level;
}

static void plan_tasks(logreg_plan *plan, const logreg_data *data, const logreg_part *part,
                       int n_threads)
{
    plan->offset = part ? part->offset : 0;
    plan->first = part ? part->offset + part->first : 0;
    plan->end = part ? part->offset + part->end : (data->m + plan->segment - 1) / plan->segment;
    const int64_t n_segments = plan->end - plan->first;
    plan->n_threads = is_small(data) ? 1 : logreg_threads_for(n_segments, n_threads);
    plan->task_level = task_level(n_segments, plan->node_size, plan->n_threads);
    plan->n_tasks = count_nodes(plan->first, plan->end, plan->task_level);
    plan->n_threads = logreg_threads_for(plan->n_tasks, plan->n_threads);
}

/* ---- The workspace --------------------------------------------------------------------------- */

static void plan_scratch(logreg_plan *plan, int source)
{
    const logreg_reading *r = &plan->reading;
    const int64_t n_x = r->data->n_x, lines = sources[source].packed_lines(plan);
    const size_t real_size = (size_t)plan->kernels->real_size;
    const size_t examples = logreg_in_lines((size_t)plan->block * sizeof(double) + 64);
    const int example_major = source == LOGREG_EXAMPLE_MAJOR;
    plan->scratch.next_Z = examples;
    plan->scratch.Y = plan->scratch.next_Z + examples;
    plan->scratch.weight = plan->scratch.Y + examples;
    plan->scratch.packed = plan->scratch.weight + examples;
    plan->scratch.sums =
        plan->scratch.packed + logreg_in_lines((size_t)(lines * r->packed_stride) * real_size);
    plan->scratch.part = plan->scratch.sums;
    if (example_major && r->tile < n_x) /* a lane's worth of each example's sums */
        plan->scratch.part += (size_t)plan->block * sizeof(logreg_lanes);
    plan->scratch.dw = plan->scratch.part;
    if (r->overlap) plan->scratch.dw += (size_t)logreg_padded(n_x) * real_size;
    plan->scratch.own = plan->scratch.dw;
    if (example_major && real_size == sizeof(float))
        plan->scratch.own += (size_t)logreg_padded(n_x) * real_size;
    plan->scratch.waiting = plan->scratch.own;
    if (plan->kind->scratch_size)
        plan->scratch.waiting += logreg_in_lines(plan->kind->scratch_size(plan->kind, r->data));
    plan->scratch.size =
        plan->scratch.waiting +
        logreg_in_lines((size_t)((plan->task_level + 1) * plan->node_size) * sizeof(double));
}

logreg_workspace logreg_workspace_of(const logreg_plan *plan)
{
    const size_t vector = (size_t)logreg_padded(plan->reading.data->n_x) * sizeof(double);
    logreg_workspace s;
    s.w = 0;
    s.narrow_w = s.w + vector;
    s.centre = s.narrow_w + vector;
    s.nodes = s.centre + vector;
    s.sums = s.nodes + logreg_in_lines((size_t)plan->n_tasks * sizeof(logreg_node));
    s.scratch =
        s.sums + logreg_in_lines((size_t)(plan->n_tasks * plan->node_size) * sizeof(double));
    s.size = s.scratch + (size_t)plan->n_threads * plan->scratch.size;
    return s;
}

logreg_plan logreg_plan_of(const logreg_data *data, const logreg_part *part,
                           const logreg_sum_kind *kind, int centred, int n_threads)
{
    const int source = source_of(data);
    const int float64 = kind->float64 || data->arithmetic == LOGREG_FLOAT64;
    logreg_plan plan = {.kind = kind, .reading = {.data = data, .forward_only = !kind->backward}};
    plan.kernels = logreg_kernels_in_use(float64 ? LOGREG_FLOAT64 : LOGREG_FLOAT32);
    plan.source = plan.kernels->sources[source];
    plan.block = sources[source].block_size(data, plan.kernels->real_size);
    plan.segment = logreg_segment_size(data);
    plan.node_size = kind->node_size(kind, data->n_x);
    plan.reading.from_memory = bytes_of(data) > CACHED_BYTES;
    plan.reading.in_l2 = bytes_of(data) <= (double)logreg_l2_bytes();
    sources[source].read(&plan, centred);
    plan_tasks(&plan, data, part, n_threads);
    plan_scratch(&plan, source);
    return plan;
}
