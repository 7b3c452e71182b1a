/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A factor of the Hessian of J, or of an approximation of it: what makes a gradient a step.
 *
 * With W the diagonal of s a (1 - a) / sum(s), the Hessian of J by (w, b) is [X; 1] W [X; 1]' and
 * l2 on the diagonal of w. b is eliminated: with mu the W-weighted mean of the features and S the
 * sum of W, the rest is H = (X - mu) W (X - mu)' + l2, and
 *
 *     step_w = H^-1 (dw - mu db)        step_b = db / S - mu' step_w
 *
 * H is kept in one of three forms:
 *
 *     dense       L L', in units in which its diagonal is 1
 *     low rank    D + V'V with few rows V, the examples of a sample, by Woodbury's identity
 *     diagonal    and, where b is fixed, S mu mu'; or with a dense block of the first features
 */
#ifndef LOGREG_FACTOR_H
#define LOGREG_FACTOR_H

#include "logreg.h"

typedef enum logreg_factor_form {
    LOGREG_DENSE,
    LOGREG_LOW_RANK,
    LOGREG_DIAGONAL
} logreg_factor_form;

typedef struct logreg_factor {
    int64_t n_x, rank; /* rank: rows of V */
    int64_t block;     /* diagonal: features of the dense block */
    logreg_factor_form form;
    int fixed_b; /* then mu is 0, but for a diagonal */
    double S;
    double *mu;
    double *unit; /* dense and diagonal: 1 / sqrt(H_jj), 0 where it counts as 0; low rank: 1 / D */
    double *L;    /* dense: (n_x, n_x), or of a block; low rank: (rank, rank), of I + V D^-1 V' */
    double *V;    /* low rank: (rank, n_x) */
    double *scratch; /* low rank: rank values */
} logreg_factor;

/* Each makes a factor from sums over examples whose weights add up to `total`, with l2 and `ridge`
 * (n_x, or NULL) added to the diagonal; S and f->mu are as logreg_gram returns them, not yet
 * divided by total, and so is
 *
 *     dense       f->L, the Gram, lower triangle
 *     diagonal    f->unit, its diagonal
 *     low rank    f->V, the examples, unweighted and not centred, and h, their weights
 *
 * LOGREG_OK, LOGREG_STOPPED, or LOGREG_PASS_OVERFLOW where a product is not finite. */
int logreg_factor_dense(logreg_factor *f, double S, double total, double l2, const double *ridge,
                        const logreg_run *run);
void logreg_factor_diagonal(logreg_factor *f, double S, double total, double l2,
                            const double *ridge);
int logreg_factor_low_rank(logreg_factor *f, const double *h, double S, double total, double l2,
                           const double *ridge, const logreg_run *run);
size_t logreg_factor_workspace_size(const logreg_factor *f, int n_threads);

/* Gives a diagonal factor its dense block, whose Gram is in L, (block, block), lower triangle; b is
 * not fixed. LOGREG_OK, LOGREG_STOPPED or LOGREG_PASS_OVERFLOW. */
int logreg_factor_block(logreg_factor *f, double total, const logreg_run *run);

/* Adds shift (n_x,) to the diagonal of a dense factor. LOGREG_OK, LOGREG_STOPPED, or
 * LOGREG_INCOMPLETE where an entry would lose digits or its feature counts as constant: then
 * nothing has changed. */
int logreg_factor_shift(logreg_factor *f, const double *shift, const logreg_run *run);

/* (dw, db) -> the step. */
void logreg_factor_solve(const logreg_factor *f, double *gradient);

#endif
