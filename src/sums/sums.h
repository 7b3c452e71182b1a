/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kinds of sum: what a pass adds up. logreg.h has logreg_gradient_sums and
 * logreg_moment_sums.
 */
#ifndef LOGREG_SUMS_H
#define LOGREG_SUMS_H

#include "pass/tree.h"

/* Sums of weights or of squares below this have lost bits of their terms to underflow; float32
 * loses them earlier. */
#define LOGREG_SMALLEST_SUM 0x1p-960
#define LOGREG_SMALLEST_SUM_FLOAT32 0x1p-100

/* A node of the gradient is dw, padded, and the LOGREG_SUMS. This is a node of moments. */
logreg_moments logreg_moments_in(double *node, int64_t n_x);

/* Fills a node with the moments of sparse examples [first, end). */
void logreg_sparse_moments(logreg_pass *pass, int64_t first, int64_t end, int thread, double *node);

/* Predictions are written, not summed; a node is one number: 0, or NaN where a Z is not finite. The
 * context of the pass is a logreg_predictions. */
extern const logreg_sum_kind logreg_prediction_sums;

typedef struct logreg_predictions {
    double *out;       /* of all examples */
    int probabilities; /* A instead of Z */
} logreg_predictions;

/* Grams are made of groups of features, all of the same size, at most LOGREG_GRAM_FEATURES: of one
 * group, or of two, of which the first is the data of the pass. The context of the pass is a
 * logreg_gram_groups. */
enum { LOGREG_GRAM_FEATURES = 512 };

typedef struct logreg_gram_groups {
    const double *centre;
    const logreg_data *columns; /* of the second group, or NULL */
    const double *columns_centre;
    int skips_zeros; /* examples of weight 0 add nothing, whatever their X: they are left out */
} logreg_gram_groups;

/* Softmax: of as many outputs as `kind.outputs` says, which makes each number a kind of its own. A
 * node is dw: of dense X a rectangle of products of features and outputs, as of a Gram, and of
 * sparse X (n_x, padded outputs); then db, padded; then the LOGREG_SOFTMAX_SUMS. The context is a
 * logreg_outputs. */
extern const logreg_sum_kind logreg_softmax_sums, logreg_softmax_prediction_sums;

typedef struct logreg_outputs {
    const double *w, *b;  /* (n_x, padded outputs), and (padded outputs,) */
    double *out;          /* predictions: (m, outputs) */
    int probabilities;    /* A instead of Z */
    int squares;          /* a (1 - a) instead of dZ, and the squares of X, less the centre: */
    const double *centre; /* of dense X, or NULL */
} logreg_outputs;

double logreg_softmax_entry(const logreg_data *data, const double *node, int64_t padded, int64_t j,
                            int64_t k);

#endif
