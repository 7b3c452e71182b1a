/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The plan of a pass: how X is cut into blocks, segments and tasks, how blocks are read, and what
 * memory that takes.
 */
#ifndef LOGREG_PLAN_H
#define LOGREG_PLAN_H

#include "block/kernels.h"

struct logreg_pass;

/* What an example costs in addition to its features, in features: activate. */
enum { LOGREG_EXAMPLE_WORK = 16 };

/* Values between two checks whether to stop, in whatever is done for every feature. */
enum { LOGREG_TURN = 1 << 20 };

/* What a pass adds up. A node is an array of doubles that stands for a range of segments. A pass
 * knows a kind by this table alone. */
struct logreg_sum_kind {
    int backward;    /* blocks are read twice, forward and backward */
    int float64;     /* computed in float64 whatever the data's arithmetic */
    int reals;       /* its kernel reads reals alone: other types are packed first */
    int64_t outputs; /* of a softmax: its classes; of others nothing */
    int64_t (*node_size)(const logreg_sum_kind *kind, int64_t n_x);
    /* Bytes of scratch of a thread that are the leaf's own; NULL: none. */
    size_t (*scratch_size)(const logreg_sum_kind *kind, const logreg_data *data);
    /* Makes the node of one segment, numbered as in the data. Once the pass is stopped it may
     * return early, with any result. */
    void (*leaf)(struct logreg_pass *pass, int64_t segment, int thread, double *node);
    /* Adds the right node to the left one. */
    void (*merge)(const logreg_sum_kind *kind, int64_t n_x, double *left, const double *right);
};

typedef struct logreg_plan {
    const logreg_sum_kind *kind;
    const logreg_kernels *kernels;
    const logreg_source *source;
    logreg_reading reading;
    int64_t block, segment; /* examples each */
    int64_t turn;           /* features between two checks whether to stop */
    int64_t offset;         /* of the data's own first segment in the whole */
    int64_t first, end;     /* the segments of the whole that are summed */
    int task_level;         /* a task is a subtree of at most 2^task_level segments */
    int64_t n_tasks;
    int n_threads;     /* that there is work for */
    int64_t node_size; /* doubles */
    /* Bytes to the parts of a thread's scratch, and its size: the labels and weights of a block,
     * after its Z; the packed block; the sums of its examples, or dw of a run; the leaf's own; the
     * nodes that wait to be merged, and one to spare. */
    struct {
        size_t next_Z, Y, weight, packed, sums, part, dw, own, waiting, size;
    } scratch;
} logreg_plan;

/* `part`: NULL for all segments of the data. `centred`: the pass subtracts a centre from X. */
logreg_plan logreg_plan_of(const logreg_data *data, const logreg_part *part,
                           const logreg_sum_kind *kind, int centred, int n_threads);

/* What lies in the workspace of a pass, one after the other; size is that of all. */
typedef struct logreg_workspace {
    size_t w, narrow_w, centre, nodes, sums, scratch, size;
} logreg_workspace;

logreg_workspace logreg_workspace_of(const logreg_plan *plan);

/* The first segment, in the whole, of a task; *level: it has 2^level. */
int64_t logreg_task(const logreg_plan *plan, int64_t task, int *level);

#endif
