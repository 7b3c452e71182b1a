/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The search for the minimum, in its parts: what is planned, the state, objectives, samples.
 */
#ifndef LOGREG_MINIMIZE_H
#define LOGREG_MINIMIZE_H

#include "solve/gradient.h"
#include "solve/quasi_newton.h"
#include "solve/sample.h"
#include "solve/vectors.h"

/* ---- The plan, from the shape alone ---------------------------------------------------------- */

enum {
    LOGREG_STAGES = 8,
    LOGREG_RATES = 4 /* steps that tell the present rate */
};

typedef struct logreg_search_plan {
    logreg_factor_form form;
    int64_t block;                 /* diagonal: features of a dense block */
    int64_t sample;                /* examples of the first factor */
    int64_t stages[LOGREG_STAGES]; /* sizes of the samples to solve first, in rising order */
    int n_stages;
    double bytes; /* of a value */
} logreg_search_plan;

logreg_search_plan logreg_plan_minimum(const logreg_data *data);

/* What a factor of q of the data's examples costs, in passes over m of them. */
double logreg_factor_price(const logreg_data *data, int64_t q, int64_t m, double bytes);

/* The next factor's examples, after one of q: 4 times as many, or all where those take too much
 * memory. */
int64_t logreg_next_sample(int64_t q, const logreg_data *data);

/* ---- The state ------------------------------------------------------------------------------- */

/* What a search is about to do. */
typedef enum logreg_task_of_search {
    LOGREG_TO_START,
    LOGREG_TO_FACTOR,
    LOGREG_TO_EVALUATE,
    LOGREG_TO_END
} logreg_task_of_search;

struct logreg_minimizer {
    logreg_goal goal;
    logreg_search search;
    logreg_survey survey;
    logreg_task_of_search task;
    int status;
    int surveyed;
    int stages;   /* samples that have been solved */
    int reviving; /* a factor is made, but for features that are constant in its sample */
    int float32;  /* the arithmetic at present */
    int at_start; /* the trial point is one to start from */
    int begun;    /* there is a cost */
    int sampled;  /* samples have been solved */
    int one_class;
    int has_factor, fresh, has_moments; /* fresh: made at this very point */
    double S;                           /* of the factor */
    double total;                       /* of the weights */
    double entropy;                     /* J at w = 0 and the best b */
    double J_built;                     /* J where the factor was made */
    int64_t sample, renewals;           /* of the factor */
    int64_t passes, built;              /* built: passes when the factor was made */
    int64_t n_rates, rate_passes[LOGREG_RATES];
    double rate_gaps[LOGREG_RATES], lowest_gap;
    double marks[2]; /* J two marks ago and one mark ago; marks are ever further apart */
    int64_t marked;  /* passes at the last mark */
    double slope;
    int stuck;
};

void logreg_note_rate(logreg_minimizer *m);

/* Whether it pays to make a factor of q of m examples, at `cost` passes, to come to the gap
 * `target`, where the gap has shrunk as the rates say since the last one was built. */
int logreg_renewal_pays(const logreg_minimizer *m, int64_t q, int64_t of, double cost,
                        double target);

/* The arrays that follow the state. */
typedef struct logreg_search_arrays {
    logreg_search_vectors v;
    double *mu, *unit, *centre, *deviation, *start, *L, *V, *scratch;
    size_t bytes;
} logreg_search_arrays;

/* ---- What a call works with ------------------------------------------------------------------ */

typedef struct logreg_context {
    logreg_minimizer *m;
    const logreg_data *data;
    logreg_search_plan plan;
    logreg_search_arrays a;
    logreg_factor factor;
    logreg_run run; /* its workspace: for what the kernel is asked */
    /* The rest of the workspace. */
    const logreg_standardization *standardization;
    double *moments;       /* mean, its low part, deviation: (3, n_x) */
    double *penalty;       /* l2 of each feature, (n_x,), where there is a standardization */
    double *ridge;         /* and in a sample */
    double *h;             /* m */
    double *sample_search; /* the vectors of the search on a sample */
    char *sample;
    logreg_data gathered; /* the sample that is there, of an array */
} logreg_context;

logreg_context logreg_open_context(const logreg_data *data, int in_memory,
                                   const logreg_standardization *standardization,
                                   logreg_minimizer *m, const logreg_run *run);

/* Gives the search what it wants of an array; whether that makes a cost is added to *n_costs.
 * LOGREG_OK or LOGREG_STOPPED. */
int logreg_supply(logreg_context *c, int64_t *n_costs);

/* Takes J at the trial point, whose gradient is in its place; returns whether the point is
 * accepted. */
int logreg_take_gradient(logreg_context *c, double J);

/* ---- An objective: all examples, or a sample ------------------------------------------------- */

typedef struct logreg_objective {
    const logreg_data *data;
    double l2;
    const double *ridge; /* n_x, or NULL: added to l2 */
    double total;        /* of the weights */
} logreg_objective;

/* The objective of these examples, without the ridge of a sample. */
logreg_objective logreg_objective_of(const logreg_context *c, const logreg_data *data,
                                     double total);

/* Adds the ridge to J and its gradient; where b is fixed, that has none by b. */
void logreg_add_ridge(const logreg_context *c, const logreg_objective *o, const double *theta,
                      double *J, double *gradient);

/* J and its gradient; J is NaN where either is not finite. LOGREG_OK or LOGREG_STOPPED. */
int logreg_evaluate(const logreg_context *c, const logreg_objective *o, const double *theta,
                    double *J, double *gradient);

/* The least a (1 - a) in a factor. Where predictions are certain and wrong there is next to none,
 * and steps would go much too far. Where they are certain and right, the losses and the curvature
 * fade together: what is raised must not matter beside what is still to gain. */
LOGREG_INLINE double logreg_least_curvature(const logreg_minimizer *m)
{
    const double faded = 1e-3 * m->search.gap;
    return faded > 0.0 && faded < 1e-10 ? faded : 1e-10;
}

/* Factors the Hessian of an objective at theta. LOGREG_OK, LOGREG_STOPPED or LOGREG_PASS_OVERFLOW.
 * `centre`: close to the means. */
int logreg_factor_hessian(logreg_context *c, const logreg_objective *o, const double *theta,
                          const double *centre);

/* The factor at theta of all examples, from sums that others have made: the Gram about the means
 * mu, or for a diagonal factor the deviations, with weights that add up to S, and the Gram of its
 * block, if it has one. */
int logreg_factor_sums(logreg_context *c, const double *sums, const double *block, const double *mu,
                       double S);

/* The factor at theta of a sample. */
int logreg_factor_sample(logreg_context *c, const logreg_data *sample);

/* A feature that is constant in the sample may vary in the whole, and would never be moved: revived
 * it gets the curvature that its own variance makes. */
int logreg_has_constant(const logreg_context *c);
void logreg_revive(logreg_context *c);

/* How far rounding may move J. */
LOGREG_INLINE double logreg_noise_of(double J, int float32)
{
    return 8.0 * (float32 ? 0x1p-23 : 0x1p-52) * J;
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* The sum of weights. */
LOGREG_INLINE double logreg_sum_of(const double *h, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += h[i];
    return sum;
}

/* The means, and the ridge of a sample; a sample without finite moments has neither. */
int logreg_describe_sample(logreg_context *c, const logreg_data *sample);

/* Moves theta to the minimum of a sample. */
int logreg_solve_sample(logreg_context *c, const logreg_data *sample, double *theta);

#endif
