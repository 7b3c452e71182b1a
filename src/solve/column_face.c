/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A step on a face, by conjugate gradients: the coordinates that are neither 0 nor at a bound keep
 * their signs, so the model is a quadratic there. Where features are correlated, sweeps take
 * hundreds of turns to what a few dozen products with the columns find. The diagonal of the Hessian
 * is the preconditioner, so the scales of the features do not matter.
 */
#include <float.h>

#include "solve/columns.h"
#include "solve/vectors.h"

/* Iterations end where k of them that gained as the last would add less than FLAT of the gain of
 * all (Nash and Sofer 1990), or half of what the search is to find. */
#define FLAT 0.1
#define HALF 0.5
enum { ITERATIONS = 200, FEWEST = 2 };

/* The coordinates that may move, in `active`. */
static void keep_face(logreg_column_search *s)
{
    int64_t n = 0;
    for (int64_t k = 0; k < s->n_active; k++) {
        const int64_t j = s->active[k];
        if (s->curvature[j] > 0.0 && logreg_on_face(&s->of, j, s->v[j])) s->active[n++] = j;
    }
    s->n_active = n;
}

/* along = the columns times p, of the face; returns S mu'p. */
static double product(logreg_column_search *s, const double *p)
{
    double shift = 0.0;
    memset(s->along, 0, (size_t)s->model->X.m * sizeof(double));
    for (int64_t i = 0; i < s->n_active; i++) {
        const int64_t j = s->active[i];
        logreg_column_add(s, j, p[i], s->along);
        shift += s->mu[j] * p[i];
    }
    return s->S * shift;
}

/* p'H p of what `along` was made of. */
static double curvature_along(const logreg_column_search *s, const double *p, double shift)
{
    const int64_t m = s->model->X.m;
    double sum = logreg_dot(s->along, s->along, m), penalty = 0.0;
    if (s->S > 0.0) sum -= shift * shift / s->S;
    for (int64_t i = 0; i < s->n_active; i++) penalty += s->model->l2[s->active[i]] * p[i] * p[i];
    return sum + penalty;
}

/* The residual after a share of the direction; returns its square, preconditioned. */
static double reduce(logreg_column_search *s, double share, double shift)
{
    double square = 0.0;
    for (int64_t i = 0; i < s->n_active; i++) {
        const int64_t j = s->active[i];
        const double H_p = logreg_column_dot(s, j, s->along) - s->mu[j] * shift +
                           s->model->l2[j] * s->direction[i];
        s->step[i] += share * s->direction[i];
        s->residual[i] -= share * H_p;
        square += s->residual[i] * s->residual[i] / s->curvature[j];
    }
    return square;
}

/* Newton's step on the face, in `step`, as far as it pays. */
static int solve(logreg_column_search *s, int64_t work, double least)
{
    double square = 0.0, gain = 0.0;
    for (int64_t i = 0; i < s->n_active; i++) {
        const int64_t j = s->active[i];
        const double slope = logreg_face_slope(&s->of, j, s->v[j], logreg_column_slope(s, j));
        s->residual[i] = -slope;
        s->step[i] = 0.0;
        s->direction[i] = -slope / s->curvature[j];
        square += s->residual[i] * s->direction[i];
    }
    for (int k = 1; k <= ITERATIONS && square > 0.0; k++) {
        if (logreg_stop_due(&s->stop, 0, work)) return LOGREG_STOPPED;
        const double shift = product(s, s->direction);
        const double curvature = curvature_along(s, s->direction, shift);
        if (!(curvature > 0.0)) break;
        const double share = square / curvature, of_this = 0.5 * share * square;
        const double next = reduce(s, share, shift), turn = next / square;
        gain += of_this;
        square = next;
        if (k * of_this <= FLAT * gain) break;
        if (k > FEWEST && k * of_this <= HALF * (least + s->tol * gain)) break;
        for (int64_t i = 0; i < s->n_active; i++)
            s->direction[i] = s->residual[i] / s->curvature[s->active[i]] + turn * s->direction[i];
    }
    return LOGREG_OK;
}

/* Takes the step, or the share of it that gains most, up to `most`, and returns what it gains.
 * Coordinates stop at 0 and at their bounds. */
static double move(logreg_column_search *s, double most)
{
    double slope = 0.0;
    for (int64_t i = 0; i < s->n_active; i++) {
        const int64_t j = s->active[i];
        const double v = s->v[j], to = logreg_allowed(&s->of, j, v, most * s->step[i], 0);
        s->direction[i] = to - v;
        slope += s->direction[i] * logreg_column_slope(s, j) +
                 s->of.l1[j] * (logreg_magnitude(to) - logreg_magnitude(v));
    }
    if (!(slope < 0.0)) return 0.0;
    const double shift = product(s, s->direction);
    const double curvature = curvature_along(s, s->direction, shift);
    const double share = curvature > -slope ? -slope / curvature : 1.0;
    const double gain = -share * (slope + 0.5 * share * curvature);
    if (!(gain > 0.0 && gain <= DBL_MAX)) return 0.0;
    for (int64_t i = 0; i < s->n_active; i++) {
        const int64_t j = s->active[i];
        const double v = s->v[j];
        const double to = share == 1.0 ? logreg_allowed(&s->of, j, v, most * s->step[i], 0)
                                       : logreg_within(&s->of, j, v + share * s->direction[i]);
        s->shift += s->mu[j] * (to - v);
        s->v[j] = to;
    }
    logreg_add_multiple(s->y, share, s->along, s->model->X.m);
    return gain;
}

int logreg_step_on_column_face(logreg_column_search *s, double least, double *gain)
{
    int64_t work = s->model->X.m;
    *gain = 0.0;
    keep_face(s);
    for (int64_t i = 0; i < s->n_active; i++) work += 2 * logreg_column_size(s, s->active[i]);
    if (solve(s, work, least)) return LOGREG_STOPPED;
    *gain = move(s, 1.0);
    if (*gain == 0.0)
        *gain = move(s, logreg_first_stop(&s->of, s->active, s->n_active, s->v, s->step));
    return LOGREG_OK;
}
