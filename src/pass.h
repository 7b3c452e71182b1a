/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One pass over X: segments, threads, and the canonical tree of sums.
 */
#ifndef LOGREG_PASS_H
#define LOGREG_PASS_H

#include "kernels.h"
#include "parallel.h"

/* Sums of weights or of squares below this have lost bits of their terms to underflow. */
#define LOGREG_SMALLEST_SUM 0x1p-960

/* n_x in whole lanes: the length of the kernel's own arrays over features. */
int64_t logreg_padded(int64_t n_x);

/* What one thread works in. */
typedef struct logreg_scratch {
    double *Z;      /* LOGREG_BLOCK_MAX */
    double *packed; /* a block, feature-major */
    double *nodes;  /* the right children of the tree that wait to be merged */
} logreg_scratch;

/* A pass adds up nodes. A node is an array of node_size doubles that stands for a range of
 * segments: `leaf` makes that of one segment (and gives up early, with any result, once the pass is
 * stopped), `merge` adds a right node into the left one. */
typedef struct logreg_pass {
    const logreg_data *data;
    const logreg_kernels *kernels;
    logreg_stop stop;
    int64_t block, segment; /* examples each */
    int64_t n_segments, n_tasks;
    int task_level; /* a task is a subtree of 2^task_level segments */
    int n_threads;
    int packing;
    double *w, *next_w; /* padded */
    double *centre;     /* padded, or NULL where features are not standardised */
    double b;
    double *nodes; /* one a task */
    double *scratch;
    int64_t scratch_size, node_size;
    void (*leaf)(struct logreg_pass *pass, int64_t segment, int thread, double *node);
    void (*merge)(const struct logreg_pass *pass, double *left, const double *right);
} logreg_pass;

/* Lays out the workspace for passes over the data, as sums of J, dw and db: a node is dw, padded,
 * and the LOGREG_SUMS. */
void logreg_pass_open(logreg_pass *pass, const logreg_data *data, const logreg_run *run,
                      const double *centre);

/* One pass at pass->w and pass->b. The root of the tree, or NULL if the pass was stopped. */
double *logreg_pass_sum(logreg_pass *pass);

logreg_scratch logreg_pass_scratch(const logreg_pass *pass, int thread);

/* Doubles in a node of moments (standardize.c). */
int64_t logreg_moments_size(int64_t n_x);

/* The block from example `first` on, cut off at `end`, in a thread's scratch. */
logreg_block logreg_pass_block(const logreg_pass *pass, int64_t first, int64_t end, int thread);

#endif
