/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A sample of the examples, gathered in memory; of sparse X only where they lie is.
 *
 * An example's size is its weight, after each class has been scaled to at least a quarter of the
 * whole. Equal steps over the sum of the sizes, each at a place within it that the golden ratio
 * gives, hit the examples of the sample; an example counts with its weight over its size, times how
 * often it is hit, and one that is larger than a step is hit for certain.
 */
#ifndef LOGREG_SAMPLE_H
#define LOGREG_SAMPLE_H

#include "logreg.h"

/* The bytes that a sample of `count` examples takes. */
size_t logreg_sample_size(const logreg_data *data, int64_t count);

/* Gathers a sample of `count` < m examples, or all of them, in `memory`, aligned to 64: as
 * float64 if `float64` (and X dense), or else in the type that the features have. Its Y and
 * sample_weight are float64, and its arithmetic is float64. */
logreg_data logreg_sample(const logreg_data *data, const logreg_survey *survey, int64_t count,
                          int float64, void *memory);

#endif
