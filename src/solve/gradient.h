/* SPDX-License-Identifier: BSD-3-Clause
 *
 * J, dw and db, of raw or standardized features.
 */
#ifndef LOGREG_GRADIENT_H
#define LOGREG_GRADIENT_H

#include <float.h>

#include "sums/sums.h"
#include "sums/twofold.h"

LOGREG_INLINE double magnitude(double value)
{
    return value < 0.0 ? -value : value;
}

/* NaN and infinities are not. */
LOGREG_INLINE int is_within_range(double value)
{
    return magnitude(value) <= DBL_MAX;
}

LOGREG_INLINE int is_centred(const logreg_standardization *s)
{
    return s != NULL && s->centre;
}

/* What feature j is divided by; 0 where it counts as 0. */
LOGREG_INLINE double scale_of(const logreg_standardization *s, int64_t j)
{
    if (s == NULL || !s->scale) return 1.0;
    return s->sd[j] == 0.0 && !s->centre ? 1.0 : s->sd[j];
}

/* w of the raw feature j, from that of the standardized one. */
LOGREG_INLINE double raw_weight(const logreg_standardization *s, double w, int64_t j)
{
    const double scale = scale_of(s, j);
    return scale > 0.0 ? w / scale : 0.0;
}

/* Whether the pass is stopped, which is checked at one feature of very many. stop may be NULL. */
LOGREG_INLINE int stopped_at(logreg_stop *stop, int64_t j)
{
    enum { AT_ONCE = LOGREG_TURN / 4 }; /* a feature costs more here than to be copied */
    return j % AT_ONCE == AT_ONCE - 1 && stop && logreg_stop_due(stop, 0, AT_ONCE);
}

/* b where a pass subtracts the means: their low-order parts, which it does not subtract, move into
 * b. w is of the raw features, b_std of the standardized ones. */
double logreg_centred_b(double b_std, const double *w, const logreg_standardization *s,
                        int64_t n_x);

typedef struct gradient {
    double J, db, largest; /* largest = max(|dw|) */
    int within_range;      /* J, dw and db are finite */
} gradient;

/* Turns the first n_x sums of a root into dw, and returns the rest; gives up once stopped. w is of
 * the raw features. */
gradient logreg_finish(logreg_stop *stop, double *root, int64_t n_x, logreg_type arithmetic,
                       const double *w, double l2, const logreg_standardization *s);

/* J and its gradient at a point, as logreg_cost_and_gradient, and Z (m,) unless that is NULL. */
int logreg_gradient_at(const logreg_data *data, const logreg_point *point, double l2, double *J,
                       double *dw, double *db, double *Z, const logreg_run *run);

/* One of several points, each with its own Y and weights, at which J and its gradient are wanted.
 */
typedef struct logreg_trial {
    logreg_data data;
    const double *w; /* of the raw features */
    double b, l2;
    double *dw; /* from here on, what is found */
    double J, db;
    int status; /* LOGREG_OK, or LOGREG_PASS_OVERFLOW where J or its gradient is not finite */
} logreg_trial;

/* Evaluates all of them, over the same X and in the same arithmetic, in one pass over X, with the
 * bits of logreg_cost_and_gradient. LOGREG_OK or LOGREG_STOPPED. */
size_t logreg_evaluate_together_workspace_size(const logreg_data *data, int64_t count,
                                               int n_threads);
int logreg_evaluate_together(logreg_trial *trials, int64_t count, const logreg_run *run);

#endif
