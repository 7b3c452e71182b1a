/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The minimum: solve a sample, then a larger one, then everything.
 *
 * A sample of c n_x examples has a Hessian close to that of the whole: with c = 10 the spectrum of
 * one in units of the other lies within about [0.5, 1.7] (Marchenko and Pastur, 1967). So its
 * factor turns the valley that gradient descent crawls along into a bowl, and each pass over the
 * whole shrinks the gap by about c. Each sample is solved by the same steps, until its gap is below
 * what a sample of its size knows of the whole: N / (2 q) nats for N parameters and q examples.
 *
 * The larger c, the dearer the factor and the fewer the passes. With R multiply-adds of the Gram in
 * the time that a pass takes for a byte, the factor costs c n^2 / (2 R s m) passes, s being the
 * bytes of a value, and shrinking the gap by e^18.4 = 10^8 costs 18.4 / ln c, so the best c has
 * c ln^2 c = 36.8 R s m / n^2.
 *
 * A factor is renewed where the passes still to come, at the present rate, cost more than a new one
 * and the passes that it will need: rent, then buy.
 *
 * The solver is a state and functions that tell what it wants next: samples to start from or to
 * make a factor of, moments and curvature for a factor of all examples, or J and its gradient at a
 * trial point. logreg_minimize gives it these from an array, and logreg_give from anything else.
 */
#include "solve/minimize.h"

#define FLOAT32_GAP 1e-6    /* relative, at which float64 takes over */
#define LEAST_OF_J 1e-3     /* what is left of J without a penalty keeps its digits */
#define SAME_CURVATURE 1e-3 /* a relative change of J that hardly changes the curvature */
#define MUCH_HIGHER 2.0     /* J where a factor was made, in units of J here, */
#define LITTLE_HIGHER 1.25  /* so that it is made anew before its gap is believed */
#define NEARLY_CERTAIN 0.25 /* J, in units of that at w = 0, and what share of all passes */
#define SMALL_PRICE 0.25    /* a factor may cost then so that it is made anew */
#define LN_2 0x1.62e42fefa39efp-1

enum { STUCK = 3 /* steps without progress near the noise */ };

/* ---- What the state wants -------------------------------------------------------------------- */

static void end(logreg_minimizer *m, int status)
{
    m->task = LOGREG_TO_END;
    m->status = status;
}

/* J at w = 0 and the best b. */
static double entropy_of(double p)
{
    return p > 0.0 && p < 1.0 ? -(p * logreg_ln(p) + (1.0 - p) * logreg_ln(1.0 - p)) : 0.0;
}

/* The samples are solved: J at the point that they have led to. */
static void begin_if_solved(logreg_context *c)
{
    logreg_minimizer *m = c->m;
    if (m->stages < c->plan.n_stages && !m->goal.warm) return;
    m->sample = c->plan.sample;
    m->at_start = 1;
    m->task = LOGREG_TO_EVALUATE;
}

/* The point to start from: given, or w = 0 with the b that suits it; then the minima of samples. */
static void take_survey(logreg_context *c, const logreg_survey *survey)
{
    logreg_minimizer *m = c->m;
    const int64_t n_x = c->data->n_x;
    const size_t bytes = (size_t)(n_x + 1) * sizeof(double);
    double *point = c->a.v.trial;
    m->survey = *survey;
    m->surveyed = 1;
    m->total = m->survey.positive + m->survey.negative;
    const double share = m->survey.labels / m->total;
    m->one_class = !(share > 0.0 && share < 1.0);
    m->entropy = entropy_of(share);
    memcpy(point, c->a.v.theta, bytes);
    if (!m->goal.warm && !m->goal.fixed_b && !m->one_class)
        point[n_x] = logreg_ln(share / (1.0 - share));
    memcpy(c->a.start, point, bytes);
    begin_if_solved(c);
}

/* The same point again, in float64. */
static void continue_in_float64(logreg_context *c)
{
    logreg_minimizer *m = c->m;
    memcpy(c->a.v.trial, c->a.v.theta, (size_t)m->search.n * sizeof(double));
    m->float32 = m->sampled = 0;
    m->at_start = 1;
    m->stuck = 0;
    m->n_rates = 0;
    m->lowest_gap = 0.0;
    m->task = LOGREG_TO_EVALUATE;
}

/* No step lowers J, or rounding hides it. */
static void give_up(logreg_context *c)
{
    if (c->m->float32)
        continue_in_float64(c);
    else
        end(c->m, LOGREG_ROUNDING);
}

/* A mark is 3 passes after the last one, and an eighth of all passes. */
static void mark(logreg_minimizer *m)
{
    if (m->passes < m->marked + m->marked / 8 + 3) return;
    m->marks[0] = m->marks[1];
    m->marks[1] = m->search.J;
    m->marked = m->passes;
}

/* Whether the predicted gap can be believed. That of a diagonal cannot: where features are
 * correlated it is far too small. Then J must have fallen by no more than the gap in the last ninth
 * of all passes, too: what falls at a steady rate is within the gap then. */
static int is_trusted(const logreg_context *c, double target)
{
    const logreg_minimizer *m = c->m;
    if (c->plan.form != LOGREG_DIAGONAL || m->search.gap == 0.0) return 1;
    return m->marks[0] - m->search.J <= target;
}

/* Whether the factor comes from where J was much higher. As predictions become certain, curvature
 * falls with J, so an old factor takes steps that are too short, and the gap it predicts is too
 * small. The pairs make up for some of it: without any, as where float64 has just taken over, the
 * factor has to come from where J was nearly the same. With pairs, a factor that costs no more than
 * the passes since it was made has to come from where J was little higher. Where predictions have
 * become nearly certain, curvature falls fastest, and for some examples far more than J. */
static int is_outdated(const logreg_context *c)
{
    const logreg_minimizer *m = c->m;
    const double price = logreg_factor_price(c->data, m->sample, c->data->m, c->plan.bytes);
    double most = MUCH_HIGHER;
    if (m->search.pairs == 0 ||
        (m->search.J < NEARLY_CERTAIN * m->entropy && price <= SMALL_PRICE * (double)m->passes))
        most = 1.0 + SAME_CURVATURE;
    else if (price <= (double)(m->passes - m->built))
        most = LITTLE_HIGHER;
    return !m->fresh && m->J_built > most * m->search.J;
}

/* max(|dw|, |db|) at theta, of the standardized features where there are such. */
static double slope_at(const logreg_context *c, const double *gradient)
{
    const logreg_standardization *s = c->standardization;
    const int64_t n_x = c->data->n_x;
    const double db = gradient[n_x];
    double largest = magnitude(db);
    for (int64_t j = 0; j < n_x; j++) {
        const double scale = scale_of(s, j);
        double dw = gradient[j];
        if (is_centred(s)) dw -= (s->mean[j] + s->mean_lo[j]) * db;
        dw = scale > 0.0 ? magnitude(dw) / scale : 0.0;
        if (dw > largest) largest = dw;
    }
    return largest;
}

static int is_stuck(logreg_minimizer *m)
{
    if (m->lowest_gap == 0.0 || m->search.gap < 0.5 * m->lowest_gap) {
        m->lowest_gap = m->search.gap;
        m->stuck = 0;
        return 0;
    }
    const double unit = m->search.noise / 8.0;
    return ++m->stuck >= STUCK && m->search.gap <= 1e3 * unit;
}

/* The sum of the losses below which theta separates the classes. It is then below ln 2 for each
 * example, so that its z has the right sign. A b that stays may hide the sign of w'x, unless each
 * loss is below ln(1 + e^-|b|), too. Where a label is neither 0 nor 1, no plane separates. */
static double separating(const logreg_context *c)
{
    const logreg_minimizer *m = c->m;
    const double size = magnitude(c->a.v.theta[c->data->n_x]), z = -size;
    double a;
    if (m->survey.soft) return 0.0;
    if (!m->goal.fixed_b || size == 0.0) return LN_2 * m->survey.least;
    logreg_sigmoid(&z, &a, 1); /* a <= ln(1 + e^z) */
    return a * m->survey.least;
}

/* What comes next at an accepted point, or one with a new factor. */
static void decide(logreg_context *c)
{
    logreg_minimizer *m = c->m;
    logreg_search *s = &m->search;
    const double least_tol = m->float32 ? FLOAT32_GAP : 0.0;
    const double target = s->J * (m->goal.tol > least_tol ? m->goal.tol : least_tol);
    s->noise = logreg_noise_of(s->J, m->float32);
    m->slope = slope_at(c, c->a.v.gradient);
    const int is_bounded = m->goal.l2 > 0.0 && (!m->one_class || m->goal.fixed_b);
    if (!is_bounded && s->J * m->total < separating(c)) {
        if (m->float32) /* whose rounding may hide that a z has the wrong sign */
            continue_in_float64(c);
        else
            end(m, LOGREG_SEPARATED);
        return;
    }
    if (!m->has_factor) {
        m->task = LOGREG_TO_FACTOR;
        return;
    }
    if (!logreg_search_direct(s, &c->a.v, &c->factor)) {
        const int at_minimum = s->slope == 0.0;
        if (at_minimum) s->gap = 0.0;
        if (at_minimum && !m->float32)
            end(m, LOGREG_CONVERGED);
        else
            give_up(c);
        return;
    }
    logreg_note_rate(m);
    mark(m);
    if (s->gap <= target && (m->float32 || m->slope <= m->goal.slope) && is_trusted(c, target)) {
        if (is_outdated(c))
            m->task = LOGREG_TO_FACTOR;
        else if (m->float32)
            continue_in_float64(c);
        else
            end(m, LOGREG_CONVERGED);
        return;
    }
    if (is_stuck(m)) {
        give_up(c);
        return;
    }
    const int64_t all = c->data->m,
                  next = m->renewals ? logreg_next_sample(m->sample, c->data) : m->sample;
    if (!m->fresh &&
        logreg_renewal_pays(m, next, all, logreg_factor_price(c->data, next, all, c->plan.bytes),
                            target)) {
        m->sample = next;
        m->renewals++;
        m->task = LOGREG_TO_FACTOR;
        return;
    }
    logreg_search_try(s, &c->a.v);
    m->task = LOGREG_TO_EVALUATE;
}

/* J at the first point. A sample may have misled: then J is above what w = 0 and the best b give,
 * or overflows, and the search goes back to its own start. Returns whether the point is accepted.
 */
static int take_start(logreg_context *c, double J)
{
    logreg_minimizer *m = c->m;
    const size_t bytes = (size_t)m->search.n * sizeof(double);
    if (m->sampled && !(J < (m->goal.fixed_b ? INFINITY : m->entropy))) {
        memcpy(c->a.v.trial, c->a.start, bytes);
        m->sampled = 0;
        return 0;
    }
    if (J - J != 0.0) {
        if (m->float32) /* which may have overflowed where float64 does not */
            m->float32 = 0;
        else
            end(m, LOGREG_PASS_OVERFLOW);
        return 0;
    }
    m->at_start = 0;
    m->begun = 1;
    memcpy(c->a.v.theta, c->a.v.trial, bytes);
    memcpy(c->a.v.gradient, c->a.v.trial_gradient, bytes);
    logreg_search_open(&m->search, c->data->n_x, J);
    return 1;
}

/* The pairs have led astray, or the sample: where it has too few of the examples in which some
 * features vary together, it takes their directions for flat ones. */
static void no_step(logreg_context *c)
{
    logreg_minimizer *m = c->m;
    const int of_sample = m->sample < c->data->m;
    if (m->search.gap <= m->search.noise || (m->fresh && !of_sample)) {
        give_up(c);
        return;
    }
    if (m->fresh) m->sample = logreg_next_sample(m->sample, c->data);
    m->task = LOGREG_TO_FACTOR;
}

int logreg_take_gradient(logreg_context *c, double J)
{
    logreg_minimizer *m = c->m;
    m->passes++;
    if (m->at_start) {
        if (!take_start(c, J)) return 0;
    } else {
        const int judged = logreg_search_judge(&m->search, &c->a.v, J);
        if (judged == LOGREG_NO_STEP) no_step(c);
        if (judged != LOGREG_ACCEPTED) return 0;
        m->fresh = 0;
    }
    decide(c);
    return 1;
}

/* A factor of the Hessian, which the gradient becomes a step by. */
static int take_factor(logreg_context *c, int status)
{
    logreg_minimizer *m = c->m;
    if (status == LOGREG_STOPPED) return status;
    m->reviving = 0;
    if (status != LOGREG_OK) {
        end(m, status);
        return LOGREG_OK;
    }
    if (m->sample < c->data->m && logreg_has_constant(c)) {
        m->reviving = !m->has_moments;
        if (m->reviving) return LOGREG_OK;
        logreg_revive(c);
    }
    m->has_factor = m->fresh = 1;
    m->built = m->passes;
    m->J_built = m->search.J;
    m->n_rates = 0;
    logreg_search_forget(&m->search);
    decide(c);
    return LOGREG_OK;
}

static int take_sample(logreg_context *c, const logreg_data *sample)
{
    logreg_minimizer *m = c->m;
    if (m->task == LOGREG_TO_FACTOR) return take_factor(c, logreg_factor_sample(c, sample));
    if (logreg_solve_sample(c, sample, c->a.v.trial) == LOGREG_STOPPED) return LOGREG_STOPPED;
    m->sampled = 1;
    m->stages++;
    begin_if_solved(c);
    return LOGREG_OK;
}

/* Means and deviations of all examples, which are in their places. */
static int take_moments(logreg_context *c, int status)
{
    c->m->has_moments = status == LOGREG_OK;
    if (status == LOGREG_OK && !c->m->reviving) return status;
    return take_factor(c, status);
}

/* ---- Another penalty ------------------------------------------------------------------------- */

/* The penalty is a sum over w that needs no pass. Returns whether J keeps its digits; the shift of
 * the Hessian's diagonal comes to stand in c->ridge. */
static int move_penalty(logreg_context *c, double by)
{
    logreg_search *s = &c->m->search;
    const logreg_search_vectors *v = &c->a.v;
    const int64_t n_x = c->data->n_x;
    double more = 0.0;
    for (int64_t j = 0; j < n_x; j++) {
        const double scale = scale_of(c->standardization, j);
        c->ridge[j] = by * scale * scale;
        more += 0.5 * c->ridge[j] * v->theta[j] * v->theta[j];
    }
    if (!(s->J + more > LEAST_OF_J * s->J && more <= DBL_MAX)) return 0;
    for (int64_t j = 0; j < n_x; j++) v->gradient[j] += c->ridge[j] * v->theta[j];
    s->J += more;
    return 1;
}

/* Goes on with the factor that there is, where the new minimum is so close to where it was made
 * that the curvature is the same. */
static int keep_factor(logreg_context *c)
{
    logreg_minimizer *m = c->m;
    const double close = SAME_CURVATURE * m->search.J;
    if (c->plan.form != LOGREG_DENSE || magnitude(m->J_built - m->search.J) > close)
        return LOGREG_OK;
    const int status = logreg_factor_shift(&c->factor, c->ridge, &c->run);
    if (status != LOGREG_OK) return status;
    m->fresh = 0;
    m->built = m->n_rates = 0;
    logreg_search_forget(&m->search);
    decide(c);
    if (m->search.gap > close) m->task = LOGREG_TO_FACTOR;
    return LOGREG_OK;
}

static LOGREG_NOINLINE int retarget(logreg_minimizer *m, const logreg_data *data,
                                    const logreg_standardization *standardization, double l2,
                                    const logreg_run *run)
{
    logreg_context c = logreg_open_context(data, 0, standardization, m, run);
    if (m->status != LOGREG_CONVERGED && m->status != LOGREG_ROUNDING) return LOGREG_INCOMPLETE;
    if (!move_penalty(&c, l2 - m->goal.l2)) return LOGREG_INCOMPLETE;
    m->goal.l2 = l2;
    m->task = LOGREG_TO_FACTOR;
    m->status = LOGREG_OK;
    m->passes = m->marked = 0;
    m->marks[0] = m->marks[1] = INFINITY;
    m->stuck = 0;
    m->lowest_gap = 0.0;
    return keep_factor(&c) == LOGREG_STOPPED ? LOGREG_STOPPED : LOGREG_OK;
}

int logreg_minimizer_retarget(logreg_minimizer *minimizer, const logreg_data *data,
                              const logreg_standardization *standardization, double l2,
                              const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, retarget(minimizer, data, standardization, l2, run));
}

/* ---- The driver of an array ------------------------------------------------------------------ */

/* Means and deviations to their places. */
static int describe(const logreg_context *c)
{
    const logreg_standardization of = {
        .mean = c->a.centre, .mean_lo = c->moments, .sd = c->a.deviation};
    logreg_data data = *c->data;
    data.arithmetic = LOGREG_FLOAT64;
    return logreg_standardize(&data, &of, &c->run);
}

int logreg_supply(logreg_context *c, int64_t *n_costs)
{
    logreg_minimizer *m = c->m;
    const logreg_request r = logreg_minimizer_wants(m, c->data, c->standardization);
    logreg_data data = *c->data;
    const logreg_objective all = logreg_objective_of(c, &data, m->total);
    logreg_survey survey = {.least = 0.0};
    double J = 0.0;
    int status;
    switch (r.wanted) {
    case LOGREG_WANT_SURVEY:
        logreg_survey_add(&survey, c->data);
        take_survey(c, &survey);
        return LOGREG_OK;
    case LOGREG_WANT_SAMPLE:
        if (c->gathered.m != r.sample) /* else the start has left it */
            c->gathered = logreg_sample(c->data, &m->survey, r.sample, 0, c->sample);
        return take_sample(c, &c->gathered);
    case LOGREG_WANT_MOMENTS:
        return take_moments(c, describe(c));
    case LOGREG_WANT_CURVATURE:
        return take_factor(c, logreg_factor_hessian(c, &all, r.w, r.centre));
    default:
        data.arithmetic = r.arithmetic;
        status = logreg_evaluate(c, &all, r.w, &J, c->a.v.trial_gradient);
        if (status == LOGREG_OK) *n_costs += logreg_take_gradient(c, J);
        return status;
    }
}

static LOGREG_NOINLINE int minimize(const logreg_data *data,
                                    const logreg_standardization *standardization,
                                    logreg_minimizer *m, double *costs, int64_t steps,
                                    int64_t *n_costs, const logreg_run *run)
{
    logreg_context c = logreg_open_context(data, 1, standardization, m, run);
    *n_costs = 0;
    while (*n_costs < steps &&
           logreg_minimizer_wants(m, data, standardization).wanted != LOGREG_WANT_NOTHING) {
        const int64_t before = *n_costs;
        if (logreg_supply(&c, n_costs) == LOGREG_STOPPED) return LOGREG_STOPPED;
        if (*n_costs > before) costs[before] = m->search.J;
    }
    return logreg_minimizer_ended(m);
}

int logreg_minimize(const logreg_data *data, const logreg_standardization *standardization,
                    logreg_minimizer *minimizer, double *costs, int64_t steps, int64_t *n_costs,
                    const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int,
                            minimize(data, standardization, minimizer, costs, steps, n_costs, run));
}

/* ---- The driver of anything else ------------------------------------------------------------- */

static LOGREG_NOINLINE int give(const logreg_data *whole,
                                const logreg_standardization *standardization, logreg_minimizer *m,
                                const logreg_given *given, double *J, const logreg_run *run)
{
    logreg_context c = logreg_open_context(whole, 0, standardization, m, run);
    const logreg_objective all = logreg_objective_of(&c, whole, m->total);
    const size_t bytes = (size_t)whole->n_x * sizeof(double);
    const int finite = given->status == LOGREG_OK;
    double cost = finite ? given->J : NAN;
    *J = NAN;
    switch (logreg_minimizer_wants(m, whole, standardization).wanted) {
    case LOGREG_WANT_SURVEY:
        take_survey(&c, &given->survey);
        return LOGREG_OK;
    case LOGREG_WANT_SAMPLE:
        return take_sample(&c, &given->sample);
    case LOGREG_WANT_MOMENTS:
        memcpy(c.a.centre, given->mean, bytes);
        memcpy(c.a.deviation, given->sums, bytes);
        return take_moments(&c, given->status);
    case LOGREG_WANT_CURVATURE:
        return take_factor(
            &c, finite ? logreg_factor_sums(&c, given->sums, given->block, given->mean, given->S)
                       : given->status);
    case LOGREG_WANT_GRADIENT:
        memcpy(c.a.v.trial_gradient, given->sums, bytes);
        c.a.v.trial_gradient[whole->n_x] = given->db;
        logreg_add_ridge(&c, &all, c.a.v.trial, &cost, c.a.v.trial_gradient);
        if (logreg_take_gradient(&c, cost)) *J = m->search.J;
        return LOGREG_OK;
    default:
        return LOGREG_OK;
    }
}

int logreg_give(logreg_minimizer *minimizer, const logreg_data *whole,
                const logreg_standardization *standardization, const logreg_given *given, double *J,
                const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, give(whole, standardization, minimizer, given, J, run));
}
