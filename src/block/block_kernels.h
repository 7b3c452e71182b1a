/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of the block kernels. A variant_*.c file includes a backend (lanes_*.h) and then this
 * file, and so compiles everything below for one instruction set and one arithmetic. All of it is
 * static but the table.
 *
 * The order of every sum is part of the contract (the same bits everywhere), so a faster version of
 * anything here must keep the order, or wait for a minor version. db and J are summed in lanes over
 * the examples of a run, then folded, and are float64 from there on; sources say how Z and dw are
 * summed.
 */

#include "block/kernels.h"

#if REAL_BITS == 64
#include "simd/math_float64.h"
#define SPARSE_SOURCE logreg_sparse_float64
#else
#include "simd/math_float32.h"
#define SPARSE_SOURCE logreg_sparse_float32
#endif
#include "block/load.h"
#include "block/pack.h"
#include "block/source_feature_major.h"
#include "block/source_categorical.h"
#include "block/source_example_major.h"
#ifdef LOGREG_BASELINE
#include "block/source_sparse.h"
#endif
#include "block/loss_logistic.h"
#include "block/activate.h"
#if REAL_BITS == 64
#include "block/moments.h"
#include "block/gram.h"
#include "block/softmax.h"
#include "block/sparse_softmax.h"
#include "block/leverage.h"
#include "block/eliminate.h"
#define FLOAT64_ONLY(name) name
#else
#define FLOAT64_ONLY(name) NULL
#endif

static void narrow(const double *from, int64_t n, void *to)
{
    real *out = to;
    for (int64_t i = 0; i < n; i++) out[i] = (real)from[i];
}

static void widen(const logreg_block *block, double *Z)
{
    const real *from = block->Z;
    for (int64_t i = 0; i < block->count; i++) Z[i] = (double)from[i];
}

static const logreg_source feature_major = {.forward = feature_major_forward,
                                            .backward = feature_major_backward,
                                            .end_run = feature_major_end_run,
                                            .moments = FLOAT64_ONLY(feature_major_moments)};
static const logreg_source example_major = {.forward = example_major_forward,
                                            .backward = example_major_backward,
                                            .overlap = example_major_overlap,
                                            .end_run = example_major_end_run,
                                            .moments = FLOAT64_ONLY(example_major_moments)};
static const logreg_source categorical = {.forward = categorical_forward,
                                          .backward = categorical_backward,
                                          .end_run = feature_major_end_run};

const logreg_kernels LOGREG_VARIANT = {
    .real_size = sizeof(real),
    .narrow = narrow,
    .widen = widen,
    .load_targets = load_targets,
    .column = FLOAT64_ONLY(target_values),
    .logistic = {.run = RUN,
                 .activate = activate,
                 .finish_run = finish_run,
                 .predict = FLOAT64_ONLY(predict),
                 .link = FLOAT64_ONLY(apply_link)},
    .sources = {[LOGREG_FEATURE_MAJOR] = &feature_major,
                [LOGREG_EXAMPLE_MAJOR] = &example_major,
                [LOGREG_SPARSE] = &SPARSE_SOURCE,
                [LOGREG_CATEGORICAL] = &categorical},
    .gram = {.pack = FLOAT64_ONLY(pack_panels),
             .add_products = FLOAT64_ONLY(add_products),
             .add_sums = FLOAT64_ONLY(add_component_sums),
             .eliminate = FLOAT64_ONLY(eliminate)},
    .softmax = {.forward = FLOAT64_ONLY(outputs_forward),
                .activate = FLOAT64_ONLY(softmax_activate),
                .curvature = FLOAT64_ONLY(softmax_curvature),
                .predict = FLOAT64_ONLY(softmax_predict),
                .sparse_forward = FLOAT64_ONLY(sparse_outputs_forward),
                .sparse_backward = FLOAT64_ONLY(sparse_outputs_backward)},
    .leverages = FLOAT64_ONLY(leverages),
};
