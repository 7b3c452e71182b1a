/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Grams that are parts of others.
 */
#ifndef LOGREG_GRAM_H
#define LOGREG_GRAM_H

#include "block/kernels.h"
#include "platform/stop.h"

/* What logreg_gram returns, of finite X: examples of weight 0 are left out, which changes no bit.
 */
int logreg_gram_of_weighted(const logreg_data *data, const double *centre, double *G, double *mu,
                            double *S, const logreg_run *run);

/* The Gram of sparse X, as logreg_gram returns it. */
size_t logreg_sparse_gram_workspace_size(const logreg_data *data, int n_threads);
int logreg_sparse_gram(const logreg_data *data, int skips_zeros, double *G, double *mu, double *S,
                       const logreg_run *run);

#endif
