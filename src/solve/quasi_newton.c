/* SPDX-License-Identifier: BSD-3-Clause
 *
 * L-BFGS (Nocedal, 1980) whose first matrix is a factor of the Hessian, and its line search.
 *
 * J is convex, so a point at which the slope along the direction has not turned yet lies lower than
 * where the search came from, by more than the cost may be able to show. That, Armijo's rule, and
 * Hager and Zhang's approximate Wolfe rule (2005) accept a step; near the minimum slopes tell what
 * differences of costs no longer do.
 */
#include "solve/quasi_newton.h"

#include <float.h>

#include "solve/vectors.h"

enum { TRIES = 12 };

int64_t logreg_search_stride(int64_t n_x)
{
    return (n_x + 8) / 8 * 8;
}

logreg_search_vectors logreg_search_in(double *memory, int64_t n_x)
{
    const int64_t stride = logreg_search_stride(n_x);
    const logreg_search_vectors v = {.theta = memory,
                                     .gradient = memory + stride,
                                     .direction = memory + 2 * stride,
                                     .trial = memory + 3 * stride,
                                     .trial_gradient = memory + 4 * stride,
                                     .steps = memory + 5 * stride,
                                     .changes = memory + (5 + LOGREG_PAIRS) * stride};
    return v;
}

void logreg_search_open(logreg_search *s, int64_t n_x, double J)
{
    s->n = n_x + 1;
    s->J = J;
    logreg_search_forget(s);
}

void logreg_search_forget(logreg_search *s)
{
    s->pairs = 0;
    s->newest = -1;
}

static int64_t pair_before(int64_t k)
{
    return (k + LOGREG_PAIRS - 1) % LOGREG_PAIRS;
}

/* By what a diagonal is multiplied, so that it has the curvature that the last step met (Shanno and
 * Phua, 1978). It knows nothing of how features act together, so this may be far from 1. */
static double secant_scale(const logreg_search *s, const logreg_search_vectors *v,
                           const logreg_factor *f)
{
    if (f->form != LOGREG_DIAGONAL || s->pairs == 0) return 1.0;
    const int64_t n = s->n;
    const double *change = v->changes + s->newest * logreg_search_stride(n - 1);
    double *d = v->direction;
    memcpy(d, change, (size_t)n * sizeof *d);
    logreg_factor_solve(f, d);
    const double scale = s->curvature[s->newest] / logreg_dot(change, d, n);
    return scale > 0.0 && scale <= DBL_MAX ? scale : 1.0;
}

int logreg_search_direct(logreg_search *s, const logreg_search_vectors *v, const logreg_factor *f)
{
    const int64_t n = s->n, stride = logreg_search_stride(n - 1);
    const double scale = secant_scale(s, v, f);
    double *d = v->direction, share[LOGREG_PAIRS];
    int64_t k = s->newest;
    memcpy(d, v->gradient, (size_t)n * sizeof *d);
    for (int64_t i = 0; i < s->pairs; i++, k = pair_before(k)) {
        share[k] = logreg_dot(v->steps + k * stride, d, n) / s->curvature[k];
        logreg_add_multiple(d, -share[k], v->changes + k * stride, n);
    }
    logreg_factor_solve(f, d);
    for (int64_t i = 0; i < n; i++) d[i] *= scale;
    for (int64_t i = 0; i < s->pairs; i++) {
        k = (k + 1) % LOGREG_PAIRS;
        const double back = logreg_dot(v->changes + k * stride, d, n) / s->curvature[k];
        logreg_add_multiple(d, share[k] - back, v->steps + k * stride, n);
    }
    for (int64_t i = 0; i < n; i++) d[i] = -d[i];
    s->slope = logreg_dot(v->gradient, d, n);
    s->gap = -0.5 * s->slope;
    return s->gap > 0.0 && s->gap <= DBL_MAX;
}

static void place_trial(const logreg_search *s, const logreg_search_vectors *v)
{
    for (int64_t i = 0; i < s->n; i++) v->trial[i] = v->theta[i] + s->step * v->direction[i];
}

void logreg_search_try(logreg_search *s, const logreg_search_vectors *v)
{
    s->step = 1.0;
    s->tries = 0;
    place_trial(s, v);
}

/* The minimum of the cubic through both costs and slopes; where costs tell nothing, that of the
 * parabola through both slopes. */
static double shorter(const logreg_search *s, double J, double slope)
{
    const double a = s->step;
    if ((J > s->J ? J - s->J : s->J - J) <= 100.0 * s->noise)
        return a * s->slope / (s->slope - slope);
    const double t = 3.0 * (s->J - J) / a + s->slope + slope;
    const double square = t * t - s->slope * slope;
    if (!(square >= 0.0)) return 0.25 * a;
    const double root = logreg_sqrt(square);
    const double next = a * (1.0 - (slope + root - t) / (slope - s->slope + 2.0 * root));
    return next - next == 0.0 ? next : 0.25 * a;
}

static void remember(logreg_search *s, const logreg_search_vectors *v)
{
    const int64_t n = s->n, stride = logreg_search_stride(n - 1);
    const int64_t k = (s->newest + 1) % LOGREG_PAIRS;
    double *step = v->steps + k * stride, *change = v->changes + k * stride;
    for (int64_t i = 0; i < n; i++) {
        step[i] = v->trial[i] - v->theta[i];
        change[i] = v->trial_gradient[i] - v->gradient[i];
    }
    const double curvature = logreg_dot(step, change, n);
    if (!(curvature > 0.0 && curvature <= DBL_MAX)) return;
    s->curvature[k] = curvature;
    s->newest = k;
    if (s->pairs < LOGREG_PAIRS) s->pairs++;
}

int logreg_search_judge(logreg_search *s, const logreg_search_vectors *v, double J)
{
    const double slope = logreg_dot(v->trial_gradient, v->direction, s->n);
    double next = 0.1 * s->step;
    if (J - J == 0.0 && slope - slope == 0.0) {
        const double room = s->noise > 1e-3 * s->J ? s->noise : 1e-3 * s->J;
        if ((slope <= 0.0 && J <= s->J + room) || J <= s->J + 1e-4 * s->step * s->slope ||
            (J <= s->J + s->noise && slope <= -0.8 * s->slope)) {
            remember(s, v);
            memcpy(v->theta, v->trial, (size_t)s->n * sizeof(double));
            memcpy(v->gradient, v->trial_gradient, (size_t)s->n * sizeof(double));
            s->fall = s->J - J;
            s->J = J;
            return LOGREG_ACCEPTED;
        }
        next = shorter(s, J, slope);
        if (!(next >= 0.05 * s->step)) next = 0.05 * s->step;
        if (next > 0.7 * s->step) next = 0.7 * s->step;
    }
    if (++s->tries == TRIES || s->gap <= 0.5 * s->noise) return LOGREG_NO_STEP;
    s->step = next;
    place_trial(s, v);
    return LOGREG_AGAIN;
}
