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
 * The solver is a state and functions that tell what it wants next: the samples to start from, a
 * factor at the present point, or J and its gradient at a trial point. logreg_minimize gives it
 * these from an array.
 */
#include "solve/gradient.h"
#include "solve/quasi_newton.h"
#include "solve/sample.h"
#include "solve/vectors.h"

#define MULTIPLY_ADDS_PER_BYTE 1.0 /* R */
#define PASSES_FOR_THE_REST 18.4   /* ln of 10^8 */
#define LEAST_C 10.0               /* examples of a sample per parameter */
#define STAGE_GROWTH 10            /* from one sample to the next */
#define STAGE_GAP 0.1              /* of N / (2 q) */
#define SAMPLE_RIDGE 0.02     /* stops a separated sample, in units of N / q times a variance */
#define LEAST_CURVATURE 1e-10 /* a (1 - a) in the factor */
#define FLOAT32_GAP 1e-6      /* relative, at which float64 takes over */
#define LN_2 0x1.62e42fefa39efp-1

enum {
    LEAST_SAMPLE = 300,
    ALL_SHARE = 3,     /* a sample of more than m / 3 is all */
    SMALL_SHARE = 20,  /* and one of more than m / 20 has LEAST_C: it takes memory */
    STAGE_PASSES = 60, /* over a sample, at most */
    STAGES = 8,
    RENEWAL_GROWTH = 4,
    MOST_DENSE = 4096, /* features of a dense factor */
    SMALL_DENSE = 256, /* that are dense even if there are fewer examples */
    MOST_RANK = 2048,  /* examples of a low-rank factor */
    RATES = 4,         /* steps that tell the present rate */
    STUCK = 3          /* steps without progress near the noise */
};

/* ---- The plan, from the shape alone ---------------------------------------------------------- */

typedef struct plan {
    logreg_factor_form form;
    int64_t sample;         /* examples of the first factor */
    int64_t stages[STAGES]; /* sizes of the samples to solve first, in rising order */
    int n_stages;
    double bytes; /* of a value */
} plan;

/* A sample of so many, or all of them. */
static int64_t sample_or_all(int64_t q, int64_t m)
{
    return q > m / ALL_SHARE ? m : q;
}

/* The size of a value of the arithmetic. The stored type must not matter: it changes no bit. */
static double bytes_of_value(const logreg_data *data)
{
    return data->arithmetic == LOGREG_FLOAT32 ? sizeof(float) : sizeof(double);
}

/* What a factor of q examples costs, in passes over m. */
static double price(int64_t q, int64_t n_x, int64_t m, double bytes)
{
    const double n = (double)n_x, k = (double)logreg_at_most(q, n_x);
    const double work = (double)q * n * k / 2.0 + k * k * k / 6.0;
    return work / ((double)m * n * bytes * MULTIPLY_ADDS_PER_BYTE + 1.0);
}

/* Solves c ln^2 c = 36.8 R s m / n^2 for c by bisection: the left side grows with c. */
static double best_c(int64_t n_x, int64_t m, double bytes)
{
    const double n = (double)n_x + 1.0;
    const double right =
        2.0 * PASSES_FOR_THE_REST * MULTIPLY_ADDS_PER_BYTE * bytes * (double)m / (n * n);
    double low = LEAST_C, high = LEAST_C;
    while (high < 1e12 && high * logreg_ln(high) * logreg_ln(high) < right) high *= 2.0;
    for (int k = 0; k < 30; k++) {
        const double c = 0.5 * (low + high);
        if (c * logreg_ln(c) * logreg_ln(c) < right)
            low = c;
        else
            high = c;
    }
    return low;
}

static plan plan_of(const logreg_data *data)
{
    const int64_t n_x = data->n_x, m = data->m, n = n_x + 1;
    plan p = {.form = LOGREG_DENSE, .bytes = bytes_of_value(data), .sample = m};
    if (n_x > MOST_DENSE || (n_x > m && n_x > SMALL_DENSE)) {
        p.form = m <= MOST_RANK ? LOGREG_LOW_RANK : LOGREG_DIAGONAL;
        return p;
    }
    const double wanted = best_c(n_x, m, p.bytes) * (double)n;
    const int64_t least = (int64_t)(LEAST_C * (double)n), most = m / SMALL_SHARE;
    int64_t q = wanted < (double)m ? (int64_t)wanted + 1 : m;
    if (q > most) q = most > least ? most : least;
    if (q < LEAST_SAMPLE) q = LEAST_SAMPLE;
    p.sample = sample_or_all(q, m);
    int64_t stage = (int64_t)(LEAST_C * (double)n);
    if (stage < LEAST_SAMPLE) stage = LEAST_SAMPLE;
    for (; stage < p.sample / 2 && stage <= m / ALL_SHARE; stage *= STAGE_GROWTH)
        p.stages[p.n_stages++] = stage;
    if (p.sample < m) p.stages[p.n_stages++] = p.sample;
    return p;
}

/* ---- The state ------------------------------------------------------------------------------- */

typedef enum wanted { WANT_START, WANT_FACTOR, WANT_GRADIENT, WANT_NOTHING } wanted;

struct logreg_minimizer {
    logreg_goal goal;
    logreg_search search;
    logreg_survey survey;
    wanted wanted;
    int status;
    int float32;  /* the arithmetic at present */
    int at_start; /* the trial point is one to start from */
    int sampled;  /* samples have been solved */
    int one_class;
    int has_factor, fresh, has_moments; /* fresh: made at this very point */
    double S;                           /* of the factor */
    double total;                       /* of the weights */
    double entropy;                     /* J at w = 0 and the best b */
    double J_built;                     /* J where the factor was made */
    int64_t sample, renewals;           /* of the factor */
    int64_t passes, built;              /* built: passes when the factor was made */
    int64_t n_rates, rate_passes[RATES];
    double rate_gaps[RATES], rate_costs[RATES], lowest_gap;
    double slope;
    int stuck;
};

/* The arrays that follow the state. */
typedef struct arrays {
    logreg_search_vectors v;
    double *mu, *unit, *centre, *deviation, *start, *L, *V, *scratch;
    size_t bytes;
} arrays;

enum { STATE_BYTES = (sizeof(struct logreg_minimizer) + 63) / 64 * 64 };

static int64_t rank_of(const logreg_data *data, const plan *p)
{
    return p->form == LOGREG_LOW_RANK ? data->m : 0;
}

static arrays arrays_of(const logreg_data *data, const plan *p, char *memory)
{
    const int64_t n_x = data->n_x, stride = logreg_search_stride(n_x), rank = rank_of(data, p);
    const int64_t order = p->form == LOGREG_DENSE ? n_x : rank;
    int64_t at = 0;
    arrays a;
    int64_t starts[8];
    const int64_t sizes[8] = {LOGREG_SEARCH_VECTORS * stride,
                              stride,
                              stride,
                              stride,
                              stride,
                              stride,
                              order * order,
                              rank * n_x};
    for (int k = 0; k < 8; k++) {
        starts[k] = at;
        at += (sizes[k] + 7) / 8 * 8;
    }
    double *base = (double *)(void *)(memory + STATE_BYTES);
    a.v = logreg_search_in(base, n_x);
    a.mu = base + starts[1];
    a.unit = base + starts[2];
    a.centre = base + starts[3];
    a.deviation = base + starts[4];
    a.start = base + starts[5];
    a.L = base + starts[6];
    a.V = base + starts[7];
    a.scratch = base + at;
    a.bytes = STATE_BYTES + (size_t)(at + 2 * rank) * sizeof(double);
    return a;
}

size_t logreg_minimizer_size(const logreg_data *data)
{
    static char nowhere[STATE_BYTES];
    const plan p = plan_of(data);
    return arrays_of(data, &p, nowhere).bytes;
}

void logreg_minimizer_open(logreg_minimizer *m, const logreg_data *data, const logreg_goal *goal,
                           const double *w, double b)
{
    const plan p = plan_of(data);
    const arrays a = arrays_of(data, &p, (char *)m);
    memset(m, 0, a.bytes);
    m->goal = *goal;
    m->wanted = WANT_START;
    m->float32 = data->arithmetic == LOGREG_FLOAT32;
    m->search.n = data->n_x + 1;
    m->search.gap = m->slope = INFINITY;
    memcpy(a.v.theta, w, (size_t)data->n_x * sizeof *w);
    a.v.theta[data->n_x] = b;
}

logreg_progress logreg_minimizer_progress(const logreg_minimizer *m, double *w)
{
    const int64_t n_x = m->search.n - 1;
    const double *theta = (const double *)(const void *)((const char *)m + STATE_BYTES);
    const logreg_progress now = {.b = theta[n_x],
                                 .gap = m->search.gap / (m->search.J > 0.0 ? m->search.J : 1.0),
                                 .slope = m->slope,
                                 .passes = m->passes};
    memcpy(w, theta, (size_t)n_x * sizeof *w);
    return now;
}

/* ---- What a call works with ------------------------------------------------------------------ */

typedef struct context {
    logreg_minimizer *m;
    const logreg_data *data;
    plan plan;
    arrays a;
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
} context;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What the kernel takes to be asked anything about some examples. */
static size_t kernel_bytes(const logreg_data *examples, const plan *p, int n_threads)
{
    logreg_data data = *examples;
    size_t size = logreg_workspace_size(&data, 0, n_threads);
    data.arithmetic = LOGREG_FLOAT64;
    data.sample_weight.values = &data;
    size = larger(size, logreg_workspace_size(&data, 0, n_threads));
    size = larger(size, logreg_standardize_workspace_size(&data, n_threads));
    size = larger(size, logreg_predict_workspace_size(&data, n_threads));
    if (p->form == LOGREG_DENSE) size = larger(size, logreg_gram_workspace_size(&data, n_threads));
    return size;
}

/* As logreg_sample makes them, without values. */
static logreg_data shape_of_sample(const logreg_data *data, int64_t q)
{
    logreg_data shape = {.n_x = data->n_x, .m = q, .example_major = 1};
    shape.X.type = data->features ? LOGREG_FLOAT64 : data->X.type;
    shape.feature_stride = logreg_type_size(shape.X.type);
    shape.X.stride = data->n_x * shape.feature_stride;
    shape.arithmetic = LOGREG_FLOAT64;
    return shape;
}

/* The next factor's examples, after one of q; each is 4 times the last. */
static int64_t after(int64_t q, int64_t m)
{
    return q >= m ? m : sample_or_all(q * RENEWAL_GROWTH, m);
}

/* Whether no number of a state leads outside its arrays or the workspace. */
static int is_sound(const logreg_minimizer *m, const logreg_data *data)
{
    const plan p = plan_of(data);
    int64_t q = p.sample;
    while (q < data->m && q != m->sample) q = after(q, data->m);
    return m->wanted <= WANT_NOTHING && m->passes >= 0 && m->search.n == data->n_x + 1 &&
           m->search.pairs >= 0 && m->search.pairs <= LOGREG_PAIRS &&
           m->search.newest >= (m->search.pairs > 0 ? 0 : -1) && m->search.newest < LOGREG_PAIRS &&
           m->n_rates >= 0 && m->n_rates <= RATES && (m->sample == q || m->wanted == WANT_START);
}

int logreg_minimizer_resume(logreg_minimizer *m, const logreg_data *data, const void *state,
                            int64_t passes)
{
    const plan p = plan_of(data);
    logreg_minimizer found;
    memcpy(&found, state, sizeof found);
    if (!is_sound(&found, data)) return -1;
    memcpy(m, state, arrays_of(data, &p, (char *)m).bytes);
    m->goal.passes = passes;
    return 0;
}

typedef struct sizes {
    size_t kernel, vectors, h, sample;
} sizes;

static sizes sizes_of(const logreg_data *data, const plan *p, int n_threads)
{
    const int64_t n_x = data->n_x, stride = logreg_search_stride(n_x);
    logreg_factor shape = {.n_x = n_x, .form = p->form, .rank = rank_of(data, p)};
    sizes s;
    int64_t largest = p->form == LOGREG_LOW_RANK ? data->m : 0;
    s.kernel =
        larger(kernel_bytes(data, p, n_threads), logreg_factor_workspace_size(&shape, n_threads));
    for (int k = 0; k < p->n_stages; k++) {
        const logreg_data sample = shape_of_sample(data, p->stages[k]);
        s.kernel = larger(s.kernel, kernel_bytes(&sample, p, n_threads));
        if (p->stages[k] > largest) largest = p->stages[k];
    }
    for (int64_t q = p->sample; q < data->m; q = after(q, data->m)) {
        const logreg_data sample = shape_of_sample(data, q);
        s.kernel = larger(s.kernel, kernel_bytes(&sample, p, n_threads));
        if (q > largest) largest = q;
    }
    s.kernel = (s.kernel + 63) / 64 * 64;
    s.vectors = (size_t)((5 + LOGREG_SEARCH_VECTORS) * stride) * sizeof(double);
    s.h = (size_t)(data->m + 7) / 8 * 8 * sizeof(double);
    s.sample = largest > 0 ? logreg_sample_size(data, largest) : 0;
    return s;
}

size_t logreg_minimize_workspace_size(const logreg_data *data, int n_threads)
{
    const plan p = plan_of(data);
    const sizes s = sizes_of(data, &p, n_threads);
    return s.kernel + s.vectors + s.h + s.sample;
}

static context open_context(const logreg_data *data, const logreg_standardization *standardization,
                            logreg_minimizer *m, const logreg_run *run)
{
    const int64_t n_x = data->n_x, stride = logreg_search_stride(n_x);
    context c = {.m = m, .data = data, .plan = plan_of(data), .run = *run};
    const sizes s = sizes_of(data, &c.plan, run->n_threads);
    char *memory = (char *)run->workspace + s.kernel;
    c.a = arrays_of(data, &c.plan, (char *)m);
    c.moments = (double *)(void *)memory;
    c.ridge = c.moments + 3 * stride;
    c.penalty = c.ridge + stride;
    c.sample_search = c.penalty + stride;
    c.standardization = standardization;
    for (int64_t j = 0; j < n_x && standardization; j++) {
        const double scale = scale_of(standardization, j);
        c.penalty[j] = m->goal.l2 * scale * scale;
    }
    c.h = (double *)(void *)(memory + s.vectors);
    c.sample = memory + s.vectors + s.h;
    c.factor = (logreg_factor){.n_x = n_x,
                               .rank = rank_of(data, &c.plan),
                               .form = c.plan.form,
                               .fixed_b = m->goal.fixed_b,
                               .S = m->S,
                               .mu = c.a.mu,
                               .unit = c.a.unit,
                               .L = c.a.L,
                               .V = c.a.V,
                               .scratch = c.a.scratch};
    return c;
}

/* ---- An objective: all examples, or a sample ------------------------------------------------- */

typedef struct objective {
    const logreg_data *data;
    double l2;
    const double *ridge; /* n_x, or NULL: added to l2 */
    double total;        /* of the weights */
} objective;

/* The objective of these examples, without the ridge of a sample. */
static objective objective_of(const context *c, const logreg_data *data, double total)
{
    const objective o = {data, c->standardization ? 0.0 : c->m->goal.l2,
                         c->standardization ? c->penalty : NULL, total};
    return o;
}

/* J and its gradient; J is NaN where either is not finite. LOGREG_OK or LOGREG_STOPPED. */
static int evaluate(const context *c, const objective *o, const double *theta, double *J,
                    double *gradient)
{
    const int64_t n_x = o->data->n_x;
    const int status = logreg_cost_and_gradient(o->data, NULL, theta, theta[n_x], o->l2, J,
                                                gradient, gradient + n_x, &c->run);
    if (status == LOGREG_PASS_OVERFLOW) *J = NAN;
    if (status == LOGREG_STOPPED) return status;
    if (c->m->goal.fixed_b) gradient[n_x] = 0.0;
    for (int64_t j = 0; j < n_x && o->ridge; j++) {
        *J += 0.5 * o->ridge[j] * theta[j] * theta[j];
        gradient[j] += o->ridge[j] * theta[j];
    }
    return LOGREG_OK;
}

/* h is at least LEAST_CURVATURE times the weight; returns its sum. */
static double raise_weights(const logreg_data *data, double *h)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    double scratch[LOGREG_BLOCK], sum = 0.0;
    for (int64_t first = 0; first < data->m; first += LOGREG_BLOCK) {
        const int64_t count = logreg_at_most(data->m - first, LOGREG_BLOCK);
        const double *weight = NULL;
        double of_block = 0.0;
        if (data->sample_weight.values)
            weight = kernels->column(&data->sample_weight, first, count, scratch);
        for (int64_t i = 0; i < count; i++) {
            const double least = LEAST_CURVATURE * (weight ? weight[i] : 1.0);
            if (h[first + i] < least) h[first + i] = least;
            of_block += h[first + i];
        }
        sum += of_block;
    }
    return sum;
}

/* Factors the Hessian of an objective at theta. LOGREG_OK, LOGREG_STOPPED or LOGREG_PASS_OVERFLOW.
 * `centre`: close to the means. */
static int factor(context *c, const objective *o, const double *theta, const double *centre)
{
    const int64_t n_x = o->data->n_x;
    logreg_data weighted = *o->data;
    weighted.arithmetic = LOGREG_FLOAT64;
    int status = logreg_curvature(&weighted, theta, theta[n_x], 0, c->h, &c->run);
    if (status != LOGREG_OK) return status;
    double S = raise_weights(o->data, c->h);
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
            for (int64_t j = 0; j < n_x; j++) of.sd[j] = of.sd[j] * of.sd[j] * S;
            logreg_factor_diagonal(&c->factor, S, o->total, o->l2, o->ridge);
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

/* ---- When a factor is renewed ---------------------------------------------------------------- */

static void note_rate(logreg_minimizer *m)
{
    if (m->n_rates == RATES) {
        for (int k = 1; k < RATES; k++) {
            m->rate_passes[k - 1] = m->rate_passes[k];
            m->rate_gaps[k - 1] = m->rate_gaps[k];
            m->rate_costs[k - 1] = m->rate_costs[k];
        }
        m->n_rates--;
    }
    m->rate_passes[m->n_rates] = m->passes;
    m->rate_costs[m->n_rates] = m->search.J;
    m->rate_gaps[m->n_rates++] = m->search.gap;
}

/* Whether it pays to make a factor of q of m examples, at `cost` passes, to come to the gap
 * `target`, where the gap has shrunk as the rates say since the last one was built. */
static int renewal_pays(const logreg_minimizer *m, int64_t q, int64_t of, double cost,
                        double target)
{
    const int64_t last = m->n_rates - 1;
    const double since = (double)(m->passes - m->built), n = (double)m->search.n;
    if (last < 1 || since < 1.0 || since < cost || m->rate_gaps[last] <= target) return 0;
    const double passes = (double)(m->rate_passes[last] - m->rate_passes[0]);
    double rate = logreg_ln(m->rate_gaps[0] / m->rate_gaps[last]) / passes;
    if (!(rate > 1e-3)) rate = 1e-3;
    const double left = logreg_ln(m->rate_gaps[last] / target);
    double c = (double)q / n;
    if (c < 3.0) c = 3.0;
    if (c > 1e3) c = 1e3;
    if (q >= of) c = 1e4;
    const double rest = left / logreg_ln(c);
    return left / rate > 1.2 * (cost + (rest > 1.0 ? rest : 1.0)) + 0.5;
}

/* ---- A sample -------------------------------------------------------------------------------- */

static double noise_of(double J, int float32)
{
    return 8.0 * (float32 ? 0x1p-23 : 0x1p-52) * J;
}

static double sum_of(const double *h, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += h[i];
    return sum;
}

/* The means, and the ridge of a sample; a sample without finite moments has neither. */
static int describe_sample(context *c, const logreg_data *sample)
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

/* The search on a sample counts its passes and rates in a state of its own. */
static int solve_sample(context *c, int64_t q, double *theta)
{
    const int64_t n_x = c->data->n_x;
    const size_t bytes = (size_t)(n_x + 1) * sizeof(double);
    const logreg_data sample = logreg_sample(c->data, &c->m->survey, q, 0, c->sample);
    const double cost = price(q, n_x, q, c->plan.bytes);
    const double target = STAGE_GAP * (double)(n_x + 1) / (2.0 * (double)q);
    const logreg_search_vectors v = logreg_search_in(c->sample_search, n_x);
    logreg_minimizer own = {.goal = c->m->goal};
    double J = 0.0;
    int status = describe_sample(c, &sample);
    if (status != LOGREG_OK) return status;
    objective o = objective_of(c, &sample, sum_of(sample.sample_weight.values, q));
    o.ridge = c->ridge;
    memcpy(v.theta, theta, bytes);
    status = evaluate(c, &o, v.theta, &J, v.gradient);
    if (status != LOGREG_OK || J - J != 0.0) return status;
    logreg_search_open(&own.search, n_x, J);
    own.passes = 1;
    int fresh = 0, judged = LOGREG_ACCEPTED;
    while (own.passes < STAGE_PASSES && judged == LOGREG_ACCEPTED) {
        if (!fresh) {
            status = factor(c, &o, v.theta, c->moments);
            if (status != LOGREG_OK) return status;
            fresh = 1;
            own.built = own.passes;
            own.n_rates = 0;
            logreg_search_forget(&own.search);
        }
        own.search.noise = noise_of(own.search.J, 0);
        if (!logreg_search_direct(&own.search, &v, &c->factor) || own.search.gap <= target) break;
        note_rate(&own);
        if (renewal_pays(&own, q, q, cost, target)) {
            fresh = 0;
            continue;
        }
        logreg_search_try(&own.search, &v);
        do {
            status = evaluate(c, &o, v.trial, &J, v.trial_gradient);
            if (status != LOGREG_OK) return status;
            own.passes++;
            judged = logreg_search_judge(&own.search, &v, J);
        } while (judged == LOGREG_AGAIN);
    }
    memcpy(theta, v.theta, bytes);
    return LOGREG_OK;
}

/* ---- What the state wants -------------------------------------------------------------------- */

static void end(logreg_minimizer *m, int status)
{
    m->wanted = WANT_NOTHING;
    m->status = status;
}

/* J at w = 0 and the best b. */
static double entropy_of(double p)
{
    return p > 0.0 && p < 1.0 ? -(p * logreg_ln(p) + (1.0 - p) * logreg_ln(1.0 - p)) : 0.0;
}

/* The point to start from: given, or w = 0 with the b that suits it; then the minima of samples. */
static int start(context *c)
{
    logreg_minimizer *m = c->m;
    const int64_t n_x = c->data->n_x;
    const size_t bytes = (size_t)(n_x + 1) * sizeof(double);
    double *point = c->a.v.trial;
    m->survey = logreg_survey_of(c->data);
    m->total = m->survey.positive + m->survey.negative;
    const double share = m->survey.labels / m->total;
    m->one_class = !(share > 0.0 && share < 1.0);
    m->entropy = entropy_of(share);
    memcpy(point, c->a.v.theta, bytes);
    if (!m->goal.warm && !m->goal.fixed_b && !m->one_class)
        point[n_x] = logreg_ln(share / (1.0 - share));
    memcpy(c->a.start, point, bytes);
    for (int k = 0; k < c->plan.n_stages && !m->goal.warm; k++) {
        const int status = solve_sample(c, c->plan.stages[k], point);
        if (status == LOGREG_STOPPED) return status;
        m->sampled = 1;
    }
    m->sample = c->plan.sample;
    m->at_start = 1;
    m->wanted = WANT_GRADIENT;
    return LOGREG_OK;
}

/* Mean and deviation of every feature, in one pass, once. */
static int describe_all(context *c)
{
    if (c->m->has_moments) return LOGREG_OK;
    const logreg_standardization of = {
        .mean = c->a.centre, .mean_lo = c->moments, .sd = c->a.deviation};
    logreg_data data = *c->data;
    data.arithmetic = LOGREG_FLOAT64;
    const int status = logreg_standardize(&data, &of, &c->run);
    c->m->has_moments = status == LOGREG_OK;
    return status;
}

/* A feature that is constant in the sample may vary in the whole, and would never be moved: it gets
 * the curvature that its own variance makes. */
static int revive(context *c, const objective *o)
{
    int64_t constant = 0;
    for (int64_t j = 0; j < c->data->n_x; j++) constant += c->factor.unit[j] == 0.0;
    if (constant == 0) return LOGREG_OK;
    const int status = describe_all(c);
    if (status != LOGREG_OK) return status;
    for (int64_t j = 0; j < c->data->n_x; j++) {
        const double sd = c->a.deviation[j], ridge = o->ridge ? o->ridge[j] : 0.0;
        if (c->factor.unit[j] != 0.0 || sd == 0.0) continue;
        const double about_0 = c->factor.fixed_b ? c->a.centre[j] * c->a.centre[j] : 0.0;
        const double h = c->factor.S * (sd * sd + about_0) + o->l2 + ridge;
        c->factor.unit[j] = 1.0 / logreg_sqrt(h);
        c->factor.mu[j] = c->factor.fixed_b ? 0.0 : c->a.centre[j];
    }
    return LOGREG_OK;
}

/* The factor at theta, of a sample or of all examples. */
static int renew(context *c)
{
    logreg_minimizer *m = c->m;
    if (m->sample < c->data->m) {
        const logreg_data sample = logreg_sample(c->data, &m->survey, m->sample, 0, c->sample);
        const objective o = objective_of(c, &sample, sum_of(sample.sample_weight.values, sample.m));
        int status = describe_sample(c, &sample);
        if (status == LOGREG_OK) status = factor(c, &o, c->a.v.theta, c->moments);
        return status == LOGREG_OK ? revive(c, &o) : status;
    }
    const objective o = objective_of(c, c->data, m->total);
    const int status = c->plan.form == LOGREG_DENSE ? describe_all(c) : LOGREG_OK;
    return status == LOGREG_OK ? factor(c, &o, c->a.v.theta, c->a.centre) : status;
}

static void take_factor(context *c)
{
    logreg_minimizer *m = c->m;
    m->has_factor = m->fresh = 1;
    m->built = m->passes;
    m->J_built = m->search.J;
    m->n_rates = 0;
    logreg_search_forget(&m->search);
}

/* The same point again, in float64. */
static void continue_in_float64(context *c)
{
    logreg_minimizer *m = c->m;
    memcpy(c->a.v.trial, c->a.v.theta, (size_t)m->search.n * sizeof(double));
    m->float32 = m->sampled = 0;
    m->at_start = 1;
    m->stuck = 0;
    m->n_rates = 0;
    m->lowest_gap = 0.0;
    m->wanted = WANT_GRADIENT;
}

/* No step lowers J, or rounding hides it. */
static void give_up(context *c)
{
    if (c->m->float32)
        continue_in_float64(c);
    else
        end(c->m, LOGREG_ROUNDING);
}

/* Whether the predicted gap can be believed. That of a diagonal cannot: where features are
 * correlated it is far too small. Then J has to have stopped falling, too. */
static int is_trusted(const context *c, double target)
{
    const logreg_minimizer *m = c->m;
    if (c->plan.form != LOGREG_DIAGONAL || m->search.gap == 0.0) return 1;
    return m->n_rates == RATES && m->rate_costs[0] - m->search.J <= target;
}

/* Whether the factor comes from where J was much higher. As predictions become certain, curvature
 * falls with J, so an old factor takes steps that are too short, and the gap it predicts is too
 * small. */
static int is_outdated(const logreg_minimizer *m)
{
    return !m->fresh && m->J_built > 2.0 * m->search.J;
}

/* max(|dw|, |db|) at theta, of the standardized features where there are such. */
static double slope_at(const context *c, const double *gradient)
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

/* What comes next at an accepted point, or one with a new factor. */
static void decide(context *c)
{
    logreg_minimizer *m = c->m;
    logreg_search *s = &m->search;
    const double least_tol = m->float32 ? FLOAT32_GAP : 0.0;
    const double target = s->J * (m->goal.tol > least_tol ? m->goal.tol : least_tol);
    s->noise = noise_of(s->J, m->float32);
    m->slope = slope_at(c, c->a.v.gradient);
    const int is_bounded = m->goal.l2 > 0.0 && (!m->one_class || m->goal.fixed_b);
    if (!is_bounded && s->J * m->total < LN_2 * m->survey.least) {
        end(m, LOGREG_SEPARATED);
        return;
    }
    if (!m->has_factor) {
        m->wanted = WANT_FACTOR;
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
    note_rate(m);
    if (s->gap <= target && (m->float32 || m->slope <= m->goal.slope) && is_trusted(c, target)) {
        if (is_outdated(m))
            m->wanted = WANT_FACTOR;
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
    const int64_t all = c->data->m, next = m->renewals ? after(m->sample, all) : m->sample;
    if (!m->fresh &&
        renewal_pays(m, next, all, price(next, c->data->n_x, all, c->plan.bytes), target)) {
        m->sample = next;
        m->renewals++;
        m->wanted = WANT_FACTOR;
        return;
    }
    logreg_search_try(s, &c->a.v);
    m->wanted = WANT_GRADIENT;
}

/* J at the first point. A sample may have misled: then J is above what w = 0 and the best b give,
 * or overflows, and the search goes back to its own start. Returns whether the point is accepted.
 */
static int take_start(context *c, double J)
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
    memcpy(c->a.v.theta, c->a.v.trial, bytes);
    memcpy(c->a.v.gradient, c->a.v.trial_gradient, bytes);
    logreg_search_open(&m->search, c->data->n_x, J);
    return 1;
}

/* J at a trial point, whose gradient is in its place; returns whether the point is accepted. */
static int take_gradient(context *c, double J)
{
    logreg_minimizer *m = c->m;
    m->passes++;
    if (m->at_start) {
        if (!take_start(c, J)) return 0;
    } else {
        const int judged = logreg_search_judge(&m->search, &c->a.v, J);
        if (judged == LOGREG_NO_STEP) {
            if (m->fresh || m->search.gap <= m->search.noise)
                give_up(c);
            else
                m->wanted = WANT_FACTOR; /* the pairs have led astray */
        }
        if (judged != LOGREG_ACCEPTED) return 0;
        m->fresh = 0;
    }
    decide(c);
    return 1;
}

/* ---- The driver of an array ------------------------------------------------------------------ */

static LOGREG_NOINLINE int minimize(const logreg_data *data,
                                    const logreg_standardization *standardization,
                                    logreg_minimizer *m, double *costs, int64_t steps,
                                    int64_t *n_costs, const logreg_run *run)
{
    context c = open_context(data, standardization, m, run);
    logreg_data at_present = *data;
    const objective all = objective_of(&c, &at_present, 0.0);
    int status = LOGREG_OK;
    double J = 0.0;
    *n_costs = 0;
    while (m->wanted != WANT_NOTHING && *n_costs < steps && m->passes < m->goal.passes) {
        switch (m->wanted) {
        case WANT_START:
            status = start(&c);
            break;
        case WANT_FACTOR:
            status = renew(&c);
            if (status == LOGREG_PASS_OVERFLOW) end(m, status);
            if (status != LOGREG_OK) break;
            take_factor(&c);
            decide(&c);
            break;
        default:
            at_present.arithmetic = m->float32 ? LOGREG_FLOAT32 : LOGREG_FLOAT64;
            status = evaluate(&c, &all, c.a.v.trial, &J, c.a.v.trial_gradient);
            if (status == LOGREG_OK && take_gradient(&c, J)) costs[(*n_costs)++] = m->search.J;
        }
        if (status == LOGREG_STOPPED) return status;
    }
    return m->wanted == WANT_NOTHING ? m->status : LOGREG_OK;
}

int logreg_minimize(const logreg_data *data, const logreg_standardization *standardization,
                    logreg_minimizer *minimizer, double *costs, int64_t steps, int64_t *n_costs,
                    const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int,
                            minimize(data, standardization, minimizer, costs, steps, n_costs, run));
}
