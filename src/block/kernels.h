/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels as the rest of the kernel sees them: a block, and a table of the functions
 * that work on one, a table for each instruction set and arithmetic.
 *
 * The values that these functions compute with are `real`, float64 or float32 by the table; they
 * lie behind void pointers here.
 */
#ifndef LOGREG_KERNELS_H
#define LOGREG_KERNELS_H

#include "logreg.h"
#include "platform/portable.h"

/* The most examples in a block, and what an array of reals is padded to a multiple of, so that the
 * kernels can work on whole lanes. */
enum { LOGREG_BLOCK = 512, LOGREG_PADDING = 16 };

/* What is summed beside dw. */
enum { LOGREG_SUM_DB, LOGREG_SUM_J, LOGREG_SUM_WEIGHT, LOGREG_SUMS };

/* Bytes a value. */
LOGREG_INLINE int logreg_type_size(logreg_type type)
{
    static const int sizes[] = {8, 4, 2, 8, 4, 2, 1, 2, 1};
    return sizes[type];
}

/* Feature j. */
LOGREG_INLINE logreg_column logreg_feature(const logreg_data *data, int64_t j)
{
    if (data->features) return data->features[j];
    logreg_column column = data->X;
    column.values = (const char *)column.values + j * data->feature_stride;
    return column;
}

/* Consecutive examples that stay in cache from `forward` to `backward`, and how they are read: in
 * place, or through `packed`, a copy of the block as reals, less the centre. */
typedef struct logreg_block {
    const logreg_data *data;
    int64_t first, count; /* examples */
    int example_major;
    int matrix;        /* feature-major, of one type, each feature contiguous and aligned */
    int in_place;      /* contiguous reals are read in place, everything else is packed */
    int columns_ahead; /* to prefetch; 0: the next block, which fits into L2 beside this one */
    int once;          /* there is no backward */
    int kept;          /* what forward has packed is there for backward; or else it packs again */
    int64_t tile;      /* example-major: features packed at a time */
    const void *w, *centre; /* Z = w'(X - centre) + b; padded; centre may be NULL */
    double b;
    void *Z;            /* forward: Z; then activate: dZ */
    const void *Y;      /* set by `labels`, */
    const void *weight; /* and so is this; NULL without weights */
    void *Y_room, *weight_room;
    void *packed;
    int64_t packed_stride; /* reals from one packed line, a column or an example, to the next */
    void *sums;            /* example-major, in several tiles: the sums of each example so far */
    void *dw;              /* example-major in float32: dw of the run so far */
} logreg_block;

/* What `activate` sums over the examples of a run, in lanes of reals. */
typedef union logreg_lanes {
    double float64[8];
    float float32[16];
} logreg_lanes;

typedef struct logreg_run_sums {
    logreg_lanes db, linear, q, logs, weight;
} logreg_run_sums;

/* The moments of a set of examples: arrays over features, padded, and the sum of the weights. The
 * mean is mean + rest; M2 is the weighted sum of (x - mean)^2; low and high are the range. */
typedef struct logreg_moments {
    double *mean, *rest, *M2, *low, *high, *weight;
} logreg_moments;

typedef struct logreg_kernels {
    int64_t real_size;
    int64_t run; /* the most examples of a run, for which one logarithm serves */
    void (*narrow)(const double *from, int64_t n, void *to); /* to reals */
    void (*forward)(const logreg_block *block);
    void (*labels)(logreg_block *block);
    /* Examples [from, from + count) of the block join the run. */
    void (*activate)(const logreg_block *block, int64_t from, int64_t count, logreg_run_sums *run);
    /* Adds the run of `count` examples to the sums, and the block's dw to dw; clears both. */
    void (*finish_run)(const logreg_block *block, logreg_run_sums *run, int64_t count, double *dw,
                       double *sums);
    void (*backward)(const logreg_block *block, double *dw);
    void (*widen)(const logreg_block *block, double *Z); /* the block's Z */
    /* These are float64's alone. */
    const double *(*column)(const logreg_column *column, int64_t first, int64_t count,
                            double *room);   /* values in place, or in room[LOGREG_BLOCK] */
    double (*predict)(double *Z, int64_t n); /* Z -> A; 0, or NaN where a Z is not finite */
    void (*sigmoid)(const double *Z, double *A, int64_t n);
    void (*moments)(logreg_block *block, const logreg_moments *out);
} logreg_kernels;

extern const logreg_kernels logreg_kernels_baseline_float64, logreg_kernels_baseline_float32;
#ifdef LOGREG_X86_64
extern const logreg_kernels logreg_kernels_avx2_float64, logreg_kernels_avx2_float32;
extern const logreg_kernels logreg_kernels_avx512_float64, logreg_kernels_avx512_float32;
#endif

/* The table in use for an arithmetic, LOGREG_FLOAT64 or LOGREG_FLOAT32; see logreg_isa_select. */
const logreg_kernels *logreg_kernels_in_use(logreg_type arithmetic);

#endif
