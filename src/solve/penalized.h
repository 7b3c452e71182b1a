/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One coordinate of a quadratic with an l1 penalty and bounds.
 */
#ifndef LOGREG_PENALIZED_H
#define LOGREG_PENALIZED_H

#include "platform/portable.h"

/* The penalty and the bounds of every coordinate. */
typedef struct logreg_penalized {
    const double *l1, *lower, *upper;
} logreg_penalized;

LOGREG_INLINE double logreg_magnitude(double x)
{
    return x < 0.0 ? -x : x;
}

LOGREG_INLINE double logreg_within(const logreg_penalized *of, int64_t j, double x)
{
    if (x < of->lower[j]) return of->lower[j];
    return x > of->upper[j] ? of->upper[j] : x;
}

/* Where coordinate j at v is best, with the others as they are, for this slope and second
 * derivative h. One without curvature has no slope either, but for rounding. */
LOGREG_INLINE double logreg_best(const logreg_penalized *of, int64_t j, double v, double slope,
                                 double h)
{
    if (!(h > 0.0)) return of->l1[j] > 0.0 ? logreg_within(of, j, 0.0) : v;
    const double least = v - slope / h, shrink = of->l1[j] / h;
    double x = 0.0;
    if (least > shrink) x = least - shrink;
    if (least < -shrink) x = least + shrink;
    return logreg_within(of, j, x);
}

/* What is gained as coordinate j moves from one value to another; not below 0, for rounding. */
LOGREG_INLINE double logreg_gain(const logreg_penalized *of, int64_t j, double from, double to,
                                 double slope, double h)
{
    const double step = to - from;
    const double gain = step * (slope + 0.5 * h * step) +
                        of->l1[j] * (logreg_magnitude(to) - logreg_magnitude(from));
    return gain < 0.0 ? -gain : 0.0;
}

/* Where coordinate j may go, towards v + step: no further than 0, unless it may change its sign. */
LOGREG_INLINE double logreg_allowed(const logreg_penalized *of, int64_t j, double v, double step,
                                    int sign_may_change)
{
    const double to = v + step;
    const int stays = of->l1[j] == 0.0 || sign_may_change;
    const int crosses = !stays && (v > 0.0 ? to < 0.0 : to > 0.0);
    return logreg_within(of, j, crosses ? 0.0 : to);
}

/* Whether coordinate j may move both ways at v without a change of its sign. */
LOGREG_INLINE int logreg_on_face(const logreg_penalized *of, int64_t j, double v)
{
    return v > of->lower[j] && v < of->upper[j] && (v != 0.0 || !(of->l1[j] > 0.0));
}

/* The slope of coordinate j on its face, with that of the penalty. */
LOGREG_INLINE double logreg_face_slope(const logreg_penalized *of, int64_t j, double v,
                                       double slope)
{
    if (v == 0.0) return slope;
    return v > 0.0 ? slope + of->l1[j] : slope - of->l1[j];
}

/* The share of steps[i] of coordinates of[i] at v at which the first has to stop, at most 1. */
LOGREG_INLINE double logreg_first_stop(const logreg_penalized *of, const int64_t *face, int64_t n,
                                       const double *v, const double *step)
{
    double least = 1.0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = face[i];
        const double to = logreg_allowed(of, j, v[j], step[i], 0);
        if (to == v[j] + step[i]) continue;
        const double share = (to - v[j]) / step[i];
        if (share < least) least = share;
    }
    return least;
}

#endif
