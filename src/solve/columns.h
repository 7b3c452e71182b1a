/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The search of column_descent.c for the minimum of a model, and the columns that it reads.
 *
 * Column j is that of X, each value multiplied by the root of its example's share of the Hessian.
 * So with y = sum_j column_j (v_j - w_j), and the best b for every v, the slope of the model is
 *
 *     slope_j = slope_j(w) + column_j'y - S mu_j shift + l2_j (v_j - w_j)    shift = mu'(v - w)
 */
#ifndef LOGREG_COLUMNS_H
#define LOGREG_COLUMNS_H

#include "platform/stop.h"
#include "solve/penalized.h"

typedef struct logreg_column_search {
    const logreg_column_model *model;
    logreg_penalized of;
    double tol, enough;
    double *values;   /* of the columns */
    double *root, *y; /* (m,): of the examples' shares; the step so far, times the columns */
    double *along;    /* (m,): a direction, times the columns */
    double S, shift;
    double *v, *start, *slope; /* (n_x,): where the search is, where it began, the slope there */
    double *mu, *curvature;    /* (n_x,): means; diagonal of the Hessian, 0 if it is rounding */
    /* (n_x,): what is left of the slope on a face, a step on it, the next direction */
    double *residual, *step, *direction;
    int64_t *working, *active; /* coordinates that may move; those of them that are not 0 */
    int64_t n_working, n_active;
    logreg_stop stop;
} logreg_column_search;

/* column_j'y: four sums side by side, as an addition waits for the one before. */
LOGREG_INLINE double logreg_column_dot(const logreg_column_search *s, int64_t j, const double *y)
{
    const int32_t *of = s->model->X.examples;
    const double *x = s->values;
    const int64_t end = s->model->X.starts[j + 1];
    int64_t k = s->model->X.starts[j];
    double a = 0.0, b = 0.0, c = 0.0, d = 0.0;
    for (; k + 4 <= end; k += 4) {
        a += x[k] * y[of[k]];
        b += x[k + 1] * y[of[k + 1]];
        c += x[k + 2] * y[of[k + 2]];
        d += x[k + 3] * y[of[k + 3]];
    }
    for (; k < end; k++) a += x[k] * y[of[k]];
    return (a + b) + (c + d);
}

/* y += step column_j */
LOGREG_INLINE void logreg_column_add(const logreg_column_search *s, int64_t j, double step,
                                     double *y)
{
    const int32_t *of = s->model->X.examples;
    const int64_t end = s->model->X.starts[j + 1];
    for (int64_t k = s->model->X.starts[j]; k < end; k++) y[of[k]] += step * s->values[k];
}

/* The slope of the model by coordinate j, where the search is. */
LOGREG_INLINE double logreg_column_slope(const logreg_column_search *s, int64_t j)
{
    return s->slope[j] + (logreg_column_dot(s, j, s->y) - s->S * s->mu[j] * s->shift) +
           s->model->l2[j] * (s->v[j] - s->start[j]);
}

LOGREG_INLINE int64_t logreg_column_size(const logreg_column_search *s, int64_t j)
{
    return s->model->X.starts[j + 1] - s->model->X.starts[j];
}

/* A step by conjugate gradients on the face that the active coordinates are on, to within `least`
 * of what there is to gain; *gain is what it gained. LOGREG_OK or LOGREG_STOPPED. */
int logreg_step_on_column_face(logreg_column_search *s, double least, double *gain);

#endif
