/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A pass over segments of X, and the tree that its sums form.
 */
#ifndef LOGREG_TREE_H
#define LOGREG_TREE_H

#include "pass/plan.h"
#include "platform/stop.h"

typedef struct logreg_pass {
    logreg_plan plan;
    logreg_stop stop;
    double *w; /* padded; written to between passes */
    double b;
    void *context;                    /* of the kind of sum */
    const struct logreg_pass *beside; /* NULL, or all passes of a call to sum_together */
    int64_t n_beside;
    logreg_nodes nodes; /* what has been summed, in order, merged as far as they go */
    /* Private to tree.c: w and the centre as reals, the scratch of each thread. */
    const void *block_w;
    void *narrow_w, *centre;
    char *scratch;
} logreg_pass;

/* Lays out a pass over a part of the data (NULL: all) in `workspace`, of the size that
 * logreg_workspace_of gives. `centre` is NULL, or n_x values that are subtracted from X. */
void logreg_pass_open(logreg_pass *pass, const logreg_data *data, const logreg_part *part,
                      const logreg_sum_kind *kind, const double *centre, const logreg_run *run,
                      void *workspace);

/* Sums the part at w and b. NULL if stopped, or the nodes. */
logreg_nodes *logreg_pass_sum(logreg_pass *pass, double b);

/* Sums several passes over the same X, each at its own w and b: a segment is summed by one pass
 * after the other, so that X comes from memory once. The plans differ in Y, weights and context
 * alone. 0 if stopped. */
int logreg_pass_sum_together(logreg_pass *passes, int64_t count);

/* For the leaf of a kind of sum: the examples of a segment; the block from example `first` on, cut
 * off at `end`, in a thread's scratch; a node's worth of memory; and the leaf's own scratch. */
void logreg_pass_segment(const logreg_pass *pass, int64_t segment, int64_t *first, int64_t *end);
logreg_block logreg_pass_block(const logreg_pass *pass, int64_t first, int64_t end, int thread);
double *logreg_pass_spare(const logreg_pass *pass, int thread);
void *logreg_pass_own(const logreg_pass *pass, int thread);

/* The two halves of a pass over a block, in turns where there are very many features. 0 if the pass
 * is stopped. */
int logreg_pass_forward(logreg_pass *pass, logreg_block *block, int thread);
int logreg_pass_backward(logreg_pass *pass, logreg_block *block, int thread, double *dw);

/* Backward of a block and forward of as many examples after it, whose Z is the block's from then
 * on; where the plan says overlap. */
int logreg_pass_overlap(logreg_pass *pass, logreg_block *block, int thread, double *dw);

/* n doubles copied, or set to 0, in turns; given up once the pass is stopped. */
void logreg_pass_copy(logreg_pass *pass, double *to, const double *from, int64_t n);
void logreg_pass_clear(logreg_pass *pass, int thread, double *values, int64_t n);

/* Merges nodes that cover [0, n_segments) into the first, and returns its sums; NULL where they
 * cover anything else. */
double *logreg_root(const logreg_sum_kind *kind, int64_t n_x, logreg_nodes *nodes,
                    int64_t n_segments);

#endif
