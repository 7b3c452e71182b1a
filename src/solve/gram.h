/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Gram of sparse X, as logreg_gram returns it.
 */
#ifndef LOGREG_GRAM_H
#define LOGREG_GRAM_H

#include "block/kernels.h"
#include "platform/stop.h"

size_t logreg_sparse_gram_workspace_size(const logreg_data *data, int n_threads);
int logreg_sparse_gram(const logreg_data *data, double *G, double *mu, double *S,
                       const logreg_run *run);

#endif
