/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels as the rest of the kernel sees them: a block of examples, and a table of the
 * functions that work on one. There is one table per instruction set and arithmetic.
 *
 * These functions compute with values of type `real`, float64 or float32 as the table says; here
 * such values are behind void pointers.
 */
#ifndef LOGREG_KERNELS_H
#define LOGREG_KERNELS_H

#include "logreg.h"
#include "platform/portable.h"

/* The most examples in a block, and what the length of an array of reals is rounded up to, so that
 * the kernels can work on whole lanes. */
enum { LOGREG_BLOCK = 512, LOGREG_PADDING = 16 };

/* Columns that are read side by side, and the features of an example that are packed at a time. */
enum { LOGREG_COLUMNS = 4, LOGREG_TILE = 512 };

/* A Gram: components of a vector in a panel, and vectors in a block. */
enum { LOGREG_PANEL = 8, LOGREG_PANEL_VECTORS = 128 };

/* Examples whose leverages are computed at a time. */
enum { LOGREG_LEVERAGE = 16 };

/* What is summed in addition to dw. */
enum { LOGREG_SUM_DB, LOGREG_SUM_J, LOGREG_SUM_WEIGHT, LOGREG_SUMS };

LOGREG_INLINE int logreg_type_size(logreg_type type)
{
    static const int sizes[] = {
        [LOGREG_FLOAT64] = 8, [LOGREG_FLOAT32] = 4, [LOGREG_FLOAT16] = 2, [LOGREG_INT64] = 8,
        [LOGREG_INT32] = 4,   [LOGREG_INT16] = 2,   [LOGREG_INT8] = 1,    [LOGREG_UINT16] = 2,
        [LOGREG_UINT8] = 1,   [LOGREG_BOOL] = 1,
    };
    return sizes[type];
}

LOGREG_INLINE int64_t logreg_at_most(int64_t n, int64_t most)
{
    return n < most ? n : most;
}

/* Rounded up to whole cache lines. */
LOGREG_INLINE size_t logreg_in_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* n_x rounded up: the length of the kernel's own arrays over features. */
LOGREG_INLINE int64_t logreg_padded(int64_t n_x)
{
    return (n_x + LOGREG_PADDING - 1) / LOGREG_PADDING * LOGREG_PADDING;
}

LOGREG_INLINE int logreg_is_sparse(const logreg_data *data)
{
    return data->starts != NULL;
}

/* Sparse X: the feature of value k. */
LOGREG_INLINE int64_t logreg_index(const logreg_data *data, int64_t k)
{
    return data->index_type == LOGREG_INT32 ? ((const int32_t *)data->indices)[k]
                                            : ((const int64_t *)data->indices)[k];
}

/* The features that are numbers; those after them are categories. */
LOGREG_INLINE int64_t logreg_numbers(const logreg_data *data)
{
    return data->codes ? data->categories[0] : data->n_x;
}

/* The values of an example, on average. */
LOGREG_INLINE int64_t logreg_width(const logreg_data *data)
{
    return logreg_is_sparse(data) ? data->width : logreg_numbers(data) + data->n_codes;
}

/* Feature j of dense X. */
LOGREG_INLINE logreg_column logreg_feature(const logreg_data *data, int64_t j)
{
    if (data->features) return data->features[j];
    logreg_column column = data->X;
    column.values = (const char *)column.values + j * data->feature_stride;
    return column;
}

/* n features of dense X from feature `first` on. */
LOGREG_INLINE logreg_data logreg_features_of(const logreg_data *data, int64_t first, int64_t n)
{
    logreg_data part = *data;
    part.n_x = n;
    part.codes = NULL;
    part.n_codes = 0;
    if (data->features)
        part.features = data->features + first;
    else
        part.X = logreg_feature(data, first);
    return part;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* What is prefetched for values that are read: their place in the next block; or in a column that
 * comes LOGREG_COLUMNS_AHEAD later, of this block or, after its last column, of the next. */
typedef enum logreg_ahead {
    LOGREG_AHEAD_NOTHING,
    LOGREG_AHEAD_BLOCK,
    LOGREG_AHEAD_COLUMNS
} logreg_ahead;

enum { LOGREG_COLUMNS_AHEAD = 16 };

/* Example-major, one stretch of examples is prefetched while the one before is read: an example of
 * each quarter at a time. A CPU's own prefetching keeps only so many lines of a stream in flight,
 * and this makes as many streams. */
enum { LOGREG_STREAMS = 4 };

/* How a pass reads X; the same for all its blocks. */
typedef struct logreg_reading {
    const logreg_data *data;
    int uniform_columns; /* feature-major: all of one type, contiguous and aligned */
    int short_examples;  /* example-major and float64, yet read as columns, which are kept packed */
    int in_place;        /* values side by side are read in place; everything else is packed */
    int forward_only;    /* there is no backward */
    int from_memory;     /* X is too large to be in a cache when it is read */
    int in_l2;           /* X is small enough to stay in L2: nothing is prefetched */
    int overlap;         /* backward of a block and forward of the next in one loop */
    int keep_packed;     /* what forward packs is kept for backward, which else packs it again */
    /* For columns in place, in each half; and for packed ones, when they are read the last time. */
    logreg_ahead forward_ahead, backward_ahead, pack_ahead;
    /* Example-major, where the halves run apart: which of them prefetches in stretches. */
    int forward_streams, backward_streams;
    int64_t stretch;       /* examples, a power of two: at least the rows that are read at a time */
    int64_t tile;          /* example-major: features packed at a time */
    int64_t packed_stride; /* reals from one packed line, a column or an example, to the next */
} logreg_reading;

/* Consecutive examples that stay in cache from `forward` to `backward`, and the scratch for them.
 * Values are read in place, or through `packed`, a copy of them as reals less the centre. */
typedef struct logreg_block {
    const logreg_reading *reading;
    int64_t first, count;   /* examples */
    int64_t from, to;       /* feature-major: the features that forward and backward work on */
    const void *w, *centre; /* Z = w'(X - centre) + b; padded; centre may be NULL */
    double b;
    void *Z;            /* forward: Z; then activate: dZ */
    void *next_Z;       /* overlap: Z of the next block */
    const void *Y;      /* set by `load_targets`, */
    const void *weight; /* and so is this; NULL without weights */
    int weighted;       /* whether they count: they may all be 1 */
    void *Y_scratch, *weight_scratch;
    void *packed;
    void *sums; /* example-major, in several tiles: the sums of each example so far */
    void *part; /* example-major, in overlap: the sums of some rows */
    void *dw;   /* example-major in float32: dw of the run so far */
} logreg_block;

/* ---- Losses ---------------------------------------------------------------------------------- */

/* A sum over the examples of a run, in lanes of reals. */
typedef union logreg_lanes {
    double float64[8];
    float float32[16];
} logreg_lanes;

/* The sums of a run: of dZ, of the weights, and as many as the loss needs to make J. */
enum { LOGREG_LOSS_SUMS = 3 };

typedef struct logreg_run_sums {
    logreg_lanes db, weight, loss[LOGREG_LOSS_SUMS];
} logreg_run_sums;

typedef struct logreg_loss {
    int64_t run; /* the most examples whose terms are summed before finish_run */
    /* Z -> dZ for examples [from, from + count) of the block, which join the run. */
    void (*activate)(const logreg_block *block, int64_t from, int64_t count, logreg_run_sums *run);
    /* Adds the run of `count` examples to the LOGREG_SUMS, and clears it. */
    void (*finish_run)(const logreg_block *block, logreg_run_sums *run, int64_t count,
                       double *sums);
    /* In float64 alone: predictions from Z. `predict` works in place and returns 0, or NaN where a
     * Z is not finite. */
    double (*predict)(double *Z, int64_t n);
    void (*link)(const double *Z, double *A, int64_t n);
} logreg_loss;

/* ---- Sources --------------------------------------------------------------------------------- */

/* The moments of a set of examples: arrays over features, padded, and the sum of the weights. The
 * mean is mean + mean_lo; M2 is the weighted sum of (x - mean)^2; low and high are the range. */
typedef struct logreg_moments {
    double *mean, *mean_lo, *M2, *low, *high, *weight;
} logreg_moments;

/* A way in which X can be stored. */
typedef struct logreg_source {
    void (*forward)(const logreg_block *block);              /* Z = w'(X - centre) + b */
    void (*backward)(const logreg_block *block, double *dw); /* dw += (X - centre) dZ' */
    /* Both in one loop: `backward`, and `forward` of as many examples after the block, into next_Z.
     * NULL where there is no such loop. */
    void (*overlap)(const logreg_block *block, double *dw);
    /* After the last `backward` of a run: adds to dw what `backward` has kept in block->dw. */
    void (*end_run)(const logreg_block *block, double *dw);
    /* In float64 alone; NULL where they are not made block by block. */
    void (*moments)(logreg_block *block, const logreg_moments *out);
} logreg_source;

enum {
    LOGREG_FEATURE_MAJOR,
    LOGREG_EXAMPLE_MAJOR,
    LOGREG_SPARSE,
    LOGREG_CATEGORICAL,
    LOGREG_SOURCES
};

/* ---- Gram ------------------------------------------------------------------------------------ */

/* Components rounded up to whole panels. */
LOGREG_INLINE int64_t logreg_gram_padded(int64_t n)
{
    return (n + LOGREG_PANEL - 1) / LOGREG_PANEL * LOGREG_PANEL;
}

/* The products of panel p of the rows and panel q of the columns are a square of LOGREG_PANEL rows.
 * The squares lie one after another, row by row: all of a rectangle; those up to the diagonal of a
 * triangle, where rows and columns are the same. This is the number of the first square of row p;
 * `columns`: panels, or 0 for a triangle. */
LOGREG_INLINE int64_t logreg_gram_square(int64_t p, int64_t columns)
{
    return columns > 0 ? p * columns : p * (p + 1) / 2;
}

/* The number of doubles of all. */
LOGREG_INLINE int64_t logreg_gram_size(int64_t n_rows, int64_t n_columns)
{
    return logreg_gram_square(n_rows / LOGREG_PANEL, n_columns / LOGREG_PANEL) * LOGREG_PANEL *
           LOGREG_PANEL;
}

LOGREG_INLINE double logreg_gram_entry(const double *sums, int64_t n_columns, int64_t k, int64_t j)
{
    const int64_t square = logreg_gram_square(k / LOGREG_PANEL, n_columns / LOGREG_PANEL);
    return sums[((square + j / LOGREG_PANEL) * LOGREG_PANEL + k % LOGREG_PANEL) * LOGREG_PANEL +
                j % LOGREG_PANEL];
}

/* In float64 alone; gram.h and eliminate.h say what each does. */
typedef struct logreg_gram_kernels {
    void (*pack)(const logreg_data *data, int64_t first, int64_t count, const double *centre,
                 const double *scale, double *panels);
    void (*add_products)(const double *rows, int64_t n_rows, const double *columns,
                         int64_t n_columns, int64_t count, double *out);
    void (*add_sums)(const double *panels, int64_t n, int64_t count, const double *scale,
                     double *out);
    void (*eliminate)(const double *L, int64_t width, const double *inverse, int64_t column,
                      int64_t end, double *panel);
} logreg_gram_kernels;

/* ---- Softmax --------------------------------------------------------------------------------- */

enum { LOGREG_SOFTMAX_J, LOGREG_SOFTMAX_WEIGHT, LOGREG_SOFTMAX_SUMS };

/* In float64 alone; softmax.h and sparse_softmax.h say what each does. Z and dZ are panels of
 * outputs, as for a Gram, and dense examples are panels of features. */
typedef struct logreg_softmax_kernels {
    void (*forward)(const double *panels, int64_t n_x, int64_t count, const double *w,
                    const double *b, int64_t padded, double *Z);
    void (*activate)(double *Z, int64_t n_outputs, int64_t count, const double *Y,
                     const double *weight, double *scratch, double *sums);
    void (*curvature)(double *Z, int64_t n_outputs, int64_t count, const double *weight,
                      double *scratch);
    void (*predict)(double *Z, int64_t n_outputs, int64_t count, double *scratch);
    void (*sparse_forward)(const logreg_data *data, int64_t first, int64_t count, const double *w,
                           const double *b, int64_t padded, double *Z);
    void (*sparse_backward)(const logreg_data *data, int64_t first, int64_t count, const double *dZ,
                            int64_t padded, int squares, double *dw);
} logreg_softmax_kernels;

/* ---- The table ------------------------------------------------------------------------------- */

typedef struct logreg_kernels {
    int64_t real_size;
    void (*narrow)(const double *from, int64_t n, void *to); /* to reals */
    void (*widen)(const logreg_block *block, double *Z);     /* the block's Z */
    void (*load_targets)(logreg_block *block);               /* labels and weights */
    /* In float64 alone: `count` values in place, or in scratch[LOGREG_BLOCK]. */
    const double *(*column)(const logreg_column *column, int64_t first, int64_t count,
                            double *scratch);
    logreg_loss logistic;
    const logreg_source *sources[LOGREG_SOURCES];
    logreg_gram_kernels gram;
    logreg_softmax_kernels softmax;
    void (*leverages)(const logreg_data *data, int64_t first, int64_t count, const double *centre,
                      const double *L, double *solved, double *out); /* in float64 alone */
} logreg_kernels;

/* Sparse X, for every instruction set: what gathers, and what scatters, gains nothing from vectors.
 */
extern const logreg_source logreg_sparse_float64, logreg_sparse_float32;

extern const logreg_kernels logreg_kernels_baseline_float64, logreg_kernels_baseline_float32;
#ifdef LOGREG_X86_64
extern const logreg_kernels logreg_kernels_avx2_float64, logreg_kernels_avx2_float32;
extern const logreg_kernels logreg_kernels_avx512_float64, logreg_kernels_avx512_float32;
#endif

/* The table in use for an arithmetic, LOGREG_FLOAT64 or LOGREG_FLOAT32; see logreg_isa_select. */
const logreg_kernels *logreg_kernels_in_use(logreg_type arithmetic);

/* The size of the L2 of this CPU, a core's, or a guess. */
int64_t logreg_l2_bytes(void);

/* Whether columns push each other out of the caches of this CPU where their distances are multiples
 * of a power of two. Those of AMD's with AVX2 (measured on Zen 3 and 4) do not. */
int logreg_columns_collide(void);

#endif
