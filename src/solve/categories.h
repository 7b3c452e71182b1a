/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moments and Grams of categories, which add up weights by code instead of multiplying features.
 */
#ifndef LOGREG_CATEGORIES_H
#define LOGREG_CATEGORIES_H

#include "block/kernels.h"
#include "platform/stop.h"

/* As logreg_standardize, the entries of the categories. LOGREG_OK, LOGREG_STOPPED or
 * LOGREG_PASS_OVERFLOW. */
int logreg_describe_categories(const logreg_data *data, const logreg_standardization *out,
                               logreg_stop *stop, int n_threads);

/* As logreg_gram, the rows of the categories; those of the numbers, and their means in mu, are
 * there already. LOGREG_OK, LOGREG_STOPPED or LOGREG_PASS_OVERFLOW. */
int logreg_category_gram(const logreg_data *data, double *G, double *mu, const logreg_run *run);

#endif
