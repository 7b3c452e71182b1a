/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One pass over X: segments, threads, and the canonical tree of sums.
 */
#ifndef LOGREG_PASS_H
#define LOGREG_PASS_H

#include "block/kernels.h"
#include "platform/parallel.h"
#include "platform/stop.h"

/* Sums of weights or of squares below this have lost bits of their terms to underflow; float32
 * loses them earlier. */
#define LOGREG_SMALLEST_SUM 0x1p-960
#define LOGREG_SMALLEST_SUM_FLOAT32 0x1p-100

/* n_x padded: the length of the kernel's own arrays over features. */
int64_t logreg_padded(int64_t n_x);

/* What a pass is for. The moments are float64's whatever the arithmetic of the data. */
typedef enum logreg_purpose {
    LOGREG_GRADIENT,
    LOGREG_CENTRED_GRADIENT,
    LOGREG_PREDICTION,
    LOGREG_MOMENTS
} logreg_purpose;

/* How the examples are cut and read, and what that takes. */
typedef struct logreg_plan {
    const logreg_kernels *kernels;
    int64_t block, segment; /* examples each */
    int64_t n_segments, n_tasks;
    int task_level; /* a task is a subtree of 2^task_level segments */
    int example_major, matrix, in_place, once, kept, columns_ahead; /* as in logreg_block */
    int64_t tile, packed_stride;
    int64_t packed_lines;
    int64_t node_size; /* doubles */
} logreg_plan;

/* A pass adds up nodes. A node is an array of node_size doubles that stands for a range of
 * segments: `leaf` makes that of one segment (and gives up early, with any result, once the pass is
 * stopped), `merge` adds a right node into the left one. */
typedef struct logreg_pass {
    logreg_plan plan;
    const logreg_data *data;
    logreg_stop stop;
    int n_threads;
    double *w, *next_w; /* padded */
    double b;
    void *narrow_w;      /* room for w as reals, or NULL in float64 */
    const void *block_w; /* w as reals */
    void *centre;        /* as reals, or NULL where features are not standardised */
    double *nodes;       /* one a task */
    char *scratch;       /* of each thread */
    size_t scratch_size;
    void (*leaf)(struct logreg_pass *pass, int64_t segment, int thread, double *node);
    void (*merge)(const struct logreg_pass *pass, double *left, const double *right);
} logreg_pass;

size_t logreg_pass_workspace_size(const logreg_data *data, logreg_purpose purpose, int n_threads);

/* Lays out the workspace for passes over the data, as sums of J, dw and db: a node is dw, padded,
 * and the LOGREG_SUMS. `centre` is NULL, or for LOGREG_CENTRED_GRADIENT an array of n_x. */
void logreg_pass_open(logreg_pass *pass, const logreg_data *data, const logreg_run *run,
                      logreg_purpose purpose, const double *centre);

/* Blocks are at pass->w and b from now on. */
void logreg_pass_start(logreg_pass *pass, double b);

/* One pass at pass->w and b. The root of the tree, or NULL if the pass was stopped. */
double *logreg_pass_sum(logreg_pass *pass, double b);

/* Doubles in a node of moments (standardize.c). */
int64_t logreg_moments_size(int64_t n_x);

/* The nodes of a thread that wait to be merged, and one to spare. */
double *logreg_pass_waiting(const logreg_pass *pass, int thread);

/* The block from example `first` on, cut off at `end`, in a thread's scratch. */
logreg_block logreg_pass_block(const logreg_pass *pass, int64_t first, int64_t end, int thread);

/* The examples [*first, *end) of a segment. */
void logreg_pass_segment(const logreg_pass *pass, int64_t segment, int64_t *first, int64_t *end);

#endif
