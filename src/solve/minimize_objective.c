/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An objective, of all examples or a sample: its value, and the factor of its Hessian.
 */
#include "solve/minimize.h"

#define SAMPLE_RIDGE 0.02 /* stops a separated sample, in units of N / q times a variance */

logreg_objective logreg_objective_of(const logreg_context *c, const logreg_data *data, double total)
{
    const logreg_objective o = {data, c->standardization ? 0.0 : c->m->goal.l2,
                                c->standardization ? c->penalty : NULL, total};
    return o;
}

void logreg_add_ridge(const logreg_context *c, const logreg_objective *o, const double *theta,
                      double *J, double *gradient)
{
    const int64_t n_x = o->data->n_x;
    if (c->m->goal.fixed_b) gradient[n_x] = 0.0;
    for (int64_t j = 0; j < n_x && o->ridge; j++) {
        *J += 0.5 * o->ridge[j] * theta[j] * theta[j];
        gradient[j] += o->ridge[j] * theta[j];
    }
}

int logreg_evaluate(const logreg_context *c, const logreg_objective *o, const double *theta,
                    double *J, double *gradient)
{
    const int64_t n_x = o->data->n_x;
    const int status = logreg_cost_and_gradient(o->data, NULL, theta, theta[n_x], o->l2, J,
                                                gradient, gradient + n_x, &c->run);
    if (status == LOGREG_PASS_OVERFLOW) *J = NAN;
    if (status == LOGREG_STOPPED) return status;
    logreg_add_ridge(c, o, theta, J, gradient);
    return LOGREG_OK;
}

/* h is at least `least` times the weight; its sum is added to S. */
static LOGREG_NOINLINE int raise_weights(const logreg_data *data, double least, double *h,
                                         double *S)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    double scratch[LOGREG_BLOCK];
    for (int64_t first = 0; first < data->m; first += LOGREG_BLOCK) {
        const int64_t count = logreg_at_most(data->m - first, LOGREG_BLOCK);
        const double *weight = NULL;
        double of_block = 0.0;
        if (data->sample_weight.values)
            weight = kernels->column(&data->sample_weight, first, count, scratch);
        for (int64_t i = 0; i < count; i++) {
            const double least_h = least * (weight ? weight[i] : 1.0);
            if (h[first + i] < least_h) h[first + i] = least_h;
            of_block += h[first + i];
        }
        *S += of_block;
    }
    return LOGREG_OK;
}

int logreg_factor_weights(const logreg_data *data, const double *w, double b, double least,
                          double *h, double *S, const logreg_run *run)
{
    logreg_data in_float64 = *data;
    in_float64.arithmetic = LOGREG_FLOAT64;
    const int status = logreg_curvature(&in_float64, w, b, 0, h, run);
    if (status != LOGREG_OK) return status;
    LOGREG_IN_DEFAULT_MODES(int, raise_weights(data, least, h, S));
}

/* The diagonal factor, from the deviations of weighted features in its place. */
static void factor_deviations(logreg_context *c, const logreg_objective *o, double S)
{
    double *sd = c->factor.unit;
    for (int64_t j = 0; j < c->data->n_x; j++) sd[j] = sd[j] * sd[j] * S;
    logreg_factor_diagonal(&c->factor, S, o->total, o->l2, o->ridge);
}

/* The numbers beside categories, which are few: their block of the Hessian is dense. */
static int factor_block(logreg_context *c, const logreg_data *weighted, double total)
{
    const logreg_data numbers = logreg_features_of(weighted, 0, c->factor.block);
    double S, *mu = c->ridge; /* of a sample, which this is not */
    const int status = logreg_gram(&numbers, c->factor.mu, c->factor.L, mu, &S, &c->run);
    return status == LOGREG_OK ? logreg_factor_block(&c->factor, total, &c->run) : status;
}

int logreg_factor_hessian(logreg_context *c, const logreg_objective *o, const double *theta,
                          const double *centre)
{
    const int64_t n_x = o->data->n_x;
    double S = 0.0;
    logreg_data weighted = *o->data;
    weighted.arithmetic = LOGREG_FLOAT64;
    int status = logreg_factor_weights(o->data, theta, theta[n_x], logreg_least_curvature(c->m),
                                       c->h, &S, &c->run);
    if (status != LOGREG_OK) return status;
    weighted.sample_weight = (logreg_column){c->h, sizeof(double), LOGREG_FLOAT64};
    if (c->plan.form == LOGREG_DENSE) {
        status = logreg_gram(&weighted, centre, c->factor.L, c->factor.mu, &S, &c->run);
        if (status != LOGREG_OK) return status;
        status = logreg_factor_dense(&c->factor, S, o->total, o->l2, o->ridge, &c->run);
    } else {
        const logreg_standardization of = {
            .mean = c->factor.mu, .mean_lo = c->moments + n_x, .sd = c->factor.unit};
        status = logreg_standardize(&weighted, &of, &c->run);
        if (status != LOGREG_OK) return status;
        if (c->plan.form == LOGREG_DIAGONAL) {
            factor_deviations(c, o, S);
            if (c->factor.block > 0) status = factor_block(c, &weighted, o->total);
        } else {
            const logreg_data rows =
                logreg_sample(&weighted, &c->m->survey, o->data->m, 1, c->sample);
            memcpy(c->factor.V, rows.X.values, (size_t)(rows.m * n_x) * sizeof(double));
            status =
                logreg_factor_low_rank(&c->factor, c->h, S, o->total, o->l2, o->ridge, &c->run);
        }
    }
    c->m->S = c->factor.S;
    return status;
}

int logreg_factor_sums(logreg_context *c, const double *sums, const double *block, const double *mu,
                       double S)
{
    const int64_t n = c->data->n_x;
    const size_t size = (size_t)(c->factor.block * c->factor.block);
    const logreg_objective o = logreg_objective_of(c, c->data, c->m->total);
    int status = LOGREG_OK;
    memcpy(c->factor.mu, mu, (size_t)n * sizeof *mu);
    if (c->plan.form == LOGREG_DENSE) {
        for (int64_t i = 0; i < n; i++)
            memcpy(c->factor.L + i * n, sums + i * n, (size_t)(i + 1) * sizeof *sums);
        status = logreg_factor_dense(&c->factor, S, o.total, o.l2, o.ridge, &c->run);
    } else {
        memcpy(c->factor.unit, sums, (size_t)n * sizeof *sums);
        factor_deviations(c, &o, S);
        if (size > 0) {
            memcpy(c->factor.L, block, size * sizeof *block);
            status = logreg_factor_block(&c->factor, o.total, &c->run);
        }
    }
    c->m->S = c->factor.S;
    return status;
}

/* ---- The factor where the search is ---------------------------------------------------------- */

int logreg_describe_sample(logreg_context *c, const logreg_data *sample)
{
    const int64_t n_x = sample->n_x;
    const double per_variance = SAMPLE_RIDGE * (double)(n_x + 1) / (double)sample->m;
    const logreg_standardization of = {
        .mean = c->moments, .mean_lo = c->moments + n_x, .sd = c->moments + 2 * n_x};
    const int status = logreg_standardize(sample, &of, &c->run);
    for (int64_t j = 0; j < n_x; j++)
        c->ridge[j] =
            per_variance * of.sd[j] * of.sd[j] + (c->standardization ? c->penalty[j] : 0.0);
    return status;
}

int logreg_has_constant(const logreg_context *c)
{
    for (int64_t j = 0; j < c->data->n_x; j++)
        if (c->factor.unit[j] == 0.0) return 1;
    return 0;
}

void logreg_revive(logreg_context *c)
{
    const logreg_objective of_whole = logreg_objective_of(c, c->data, c->m->total), *o = &of_whole;
    for (int64_t j = 0; j < c->data->n_x; j++) {
        const double sd = c->a.deviation[j], ridge = o->ridge ? o->ridge[j] : 0.0;
        if (c->factor.unit[j] != 0.0 || sd == 0.0) continue;
        const double about_0 = c->factor.fixed_b ? c->a.centre[j] * c->a.centre[j] : 0.0;
        const double h = c->factor.S * (sd * sd + about_0) + o->l2 + ridge;
        c->factor.unit[j] = 1.0 / logreg_sqrt(h);
        c->factor.mu[j] = c->factor.fixed_b ? 0.0 : c->a.centre[j];
    }
}

int logreg_factor_sample(logreg_context *c, const logreg_data *sample)
{
    const logreg_objective o =
        logreg_objective_of(c, sample, logreg_sum_of(sample->sample_weight.values, sample->m));
    const int status = logreg_describe_sample(c, sample);
    return status == LOGREG_OK ? logreg_factor_hessian(c, &o, c->a.v.theta, c->moments) : status;
}
