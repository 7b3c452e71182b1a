/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The minimum of a sample, to start from.
 */
#include "solve/minimize.h"

#define STAGE_GAP 0.1 /* of N / (2 q) */

enum { STAGE_PASSES = 60 /* over a sample, at most */ };

/* The search on a sample counts its passes and rates in a state of its own. */
int logreg_solve_sample(logreg_context *c, const logreg_data *sample, double *theta)
{
    const int64_t n_x = c->data->n_x, q = sample->m;
    const size_t bytes = (size_t)(n_x + 1) * sizeof(double);
    const double cost = logreg_factor_price(sample, q, q, c->plan.bytes);
    const double target = STAGE_GAP * (double)(n_x + 1) / (2.0 * (double)q);
    const logreg_search_vectors v = logreg_search_in(c->sample_search, n_x);
    logreg_minimizer own = {.goal = c->m->goal};
    double J = 0.0;
    int status = logreg_describe_sample(c, sample);
    if (status != LOGREG_OK) return status;
    logreg_objective o =
        logreg_objective_of(c, sample, logreg_sum_of(sample->sample_weight.values, q));
    o.ridge = c->ridge;
    memcpy(v.theta, theta, bytes);
    status = logreg_evaluate(c, &o, v.theta, &J, v.gradient);
    if (status != LOGREG_OK || J - J != 0.0) return status;
    logreg_search_open(&own.search, n_x, J);
    own.passes = 1;
    int fresh = 0, judged = LOGREG_ACCEPTED;
    while (own.passes < STAGE_PASSES && judged == LOGREG_ACCEPTED) {
        if (!fresh) {
            status = logreg_factor_hessian(c, &o, v.theta, c->moments);
            if (status != LOGREG_OK) return status;
            fresh = 1;
            own.built = own.passes;
            own.n_rates = 0;
            logreg_search_forget(&own.search);
        }
        own.search.noise = logreg_noise_of(own.search.J, 0);
        if (!logreg_search_direct(&own.search, &v, &c->factor) || own.search.gap <= target) break;
        logreg_note_rate(&own);
        if (logreg_renewal_pays(&own, q, q, cost, target)) {
            fresh = 0;
            continue;
        }
        logreg_search_try(&own.search, &v);
        do {
            status = logreg_evaluate(c, &o, v.trial, &J, v.trial_gradient);
            if (status != LOGREG_OK) return status;
            own.passes++;
            judged = logreg_search_judge(&own.search, &v, J);
        } while (judged == LOGREG_AGAIN);
    }
    memcpy(theta, v.theta, bytes);
    return LOGREG_OK;
}
