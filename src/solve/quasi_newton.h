/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Quasi-Newton steps from a factor of the Hessian.
 */
#ifndef LOGREG_QUASI_NEWTON_H
#define LOGREG_QUASI_NEWTON_H

#include "solve/factor.h"

enum { LOGREG_PAIRS = 10 };

/* A search without its vectors, of n_x + 1 values each, the last of them b. */
typedef struct logreg_search {
    int64_t n;       /* n_x + 1 */
    double J, noise; /* J at theta, and how far rounding may move it */
    double fall;     /* of J in the last step */
    double gap;      /* predicted: half the slope along the quasi-Newton step */
    double slope, step;
    int tries;
    int64_t pairs, newest;          /* how many, and which came last */
    double curvature[LOGREG_PAIRS]; /* s'y of each */
} logreg_search;

/* Its vectors. */
typedef struct logreg_search_vectors {
    double *theta, *gradient, *direction, *trial, *trial_gradient, *steps, *changes;
} logreg_search_vectors;

enum { LOGREG_SEARCH_VECTORS = 5 + 2 * LOGREG_PAIRS };

/* n_x + 1 values, of a multiple of 8. */
int64_t logreg_search_stride(int64_t n_x);
logreg_search_vectors logreg_search_in(double *memory, int64_t n_x);

/* Begins at theta, where J and the gradient are known. */
void logreg_search_open(logreg_search *s, int64_t n_x, double J);

/* Drops the pairs: they belong to another factor or another objective. */
void logreg_search_forget(logreg_search *s);

/* Finds the direction from theta, and sets gap. 0 where it is no direction of descent: then theta
 * is as low as rounding lets it be. */
int logreg_search_direct(logreg_search *s, const logreg_search_vectors *v, const logreg_factor *f);

/* Sets trial to the first point to evaluate in this direction. */
void logreg_search_try(logreg_search *s, const logreg_search_vectors *v);

/* What came of it, given J and trial_gradient there; J may be anything but finite. */
enum { LOGREG_ACCEPTED, LOGREG_AGAIN, LOGREG_NO_STEP };
int logreg_search_judge(logreg_search *s, const logreg_search_vectors *v, double J);

#endif
