/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels as the rest of the kernel sees them: a block, and a table of the functions
 * that work on one, a table for each instruction set.
 */
#ifndef LOGREG_KERNELS_H
#define LOGREG_KERNELS_H

#include "logreg.h"
#include "portable.h"

/* Lanes of a sum, whatever the width of the machine's vectors (lanes_c.h), and the most examples of
 * a run: activate's product of a lane has LOGREG_RUN / LOGREG_LANES factors. A run is a whole
 * number of blocks. */
enum { LOGREG_LANES = 8, LOGREG_RUN = 512 };

/* What is summed beside dw. */
enum { LOGREG_SUM_DB, LOGREG_SUM_J, LOGREG_SUM_WEIGHT, LOGREG_SUMS };

/* Consecutive examples that stay in cache from `forward` to `backward`. Arrays over features that
 * are not X are padded with zeros to whole lanes, Z to whole lanes too. */
typedef struct logreg_block {
    int64_t n_x, count;
    const double *X; /* the block's first example; strides as in logreg_data */
    int64_t feature_stride, example_stride;
    const double *Y, *sample_weight; /* the block's; sample_weight may be NULL */
    const double *w, *centre;        /* Z = w'(X - centre) + b; centre may be NULL */
    double b;
    double *Z;          /* forward: Z; then activate: dZ, or predict: A */
    int64_t rows_ahead; /* example-major: how many examples on `backward` prefetches */
    double *packed; /* NULL, or room for a feature-major copy of the block, which is then made */
    int64_t packed_stride;
} logreg_block;

/* What `activate` sums over the blocks of a run, in lanes. */
typedef struct logreg_run_sums {
    double db[LOGREG_LANES], linear[LOGREG_LANES], q[LOGREG_LANES], logs[LOGREG_LANES],
        weight[LOGREG_LANES];
} logreg_run_sums;

/* The moments of a set of examples: arrays over features, padded, and the sum of the weights. The
 * mean is mean + rest; M2 is the weighted sum of (x - mean)^2; low and high are the range. */
typedef struct logreg_moments {
    double *mean, *rest, *M2, *low, *high, *weight;
} logreg_moments;

typedef struct logreg_kernels {
    void (*forward)(const logreg_block *block);
    void (*activate)(const logreg_block *block, logreg_run_sums *run);
    void (*finish_run)(const logreg_run_sums *run, int64_t count, double *sums);
    void (*backward)(const logreg_block *block, double *dw);
    double (*predict)(const logreg_block *block);
    void (*sigmoid)(const double *Z, double *A, int64_t n);
    void (*moments)(const logreg_block *block, const logreg_moments *out);
} logreg_kernels;

extern const logreg_kernels logreg_kernels_baseline;
extern const logreg_kernels logreg_kernels_avx2; /* x86-64 only, as is */
extern const logreg_kernels logreg_kernels_avx512;

/* The table in use, see logreg_isa_select. */
const logreg_kernels *logreg_kernels_in_use(void);

#endif
