/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The state of the search for the minimum, and the memory that a call works in.
 */
#include "solve/minimize.h"

#include <float.h>

enum { STATE_BYTES = (sizeof(struct logreg_minimizer) + 63) / 64 * 64 };

static int64_t rank_of(const logreg_data *data, const logreg_search_plan *p)
{
    return p->form == LOGREG_LOW_RANK ? data->m : 0;
}

static logreg_search_arrays arrays_of(const logreg_data *data, const logreg_search_plan *p,
                                      char *memory)
{
    const int64_t n_x = data->n_x, stride = logreg_search_stride(n_x), rank = rank_of(data, p);
    const int64_t order = p->form == LOGREG_DENSE ? n_x : rank + p->block;
    int64_t at = 0;
    logreg_search_arrays a;
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
    const logreg_search_plan p = logreg_plan_minimum(data);
    return arrays_of(data, &p, nowhere).bytes;
}

void logreg_minimizer_open(logreg_minimizer *m, const logreg_data *data, const logreg_goal *goal,
                           const double *w, double b)
{
    const logreg_search_plan p = logreg_plan_minimum(data);
    const logreg_search_arrays a = arrays_of(data, &p, (char *)m);
    memset(m, 0, a.bytes);
    m->goal = *goal;
    m->task = LOGREG_TO_START;
    m->float32 = data->arithmetic == LOGREG_FLOAT32;
    m->search.n = data->n_x + 1;
    m->search.gap = m->search.fall = m->slope = INFINITY;
    m->marks[0] = m->marks[1] = INFINITY;
    memcpy(a.v.theta, w, (size_t)data->n_x * sizeof *w);
    a.v.theta[data->n_x] = b;
}

logreg_progress logreg_minimizer_progress(const logreg_minimizer *m, double *w)
{
    const int64_t n_x = m->search.n - 1;
    const double *theta = (const double *)(const void *)((const char *)m + STATE_BYTES);
    const logreg_progress now = {.b = theta[n_x],
                                 .gap = m->search.gap / (m->search.J > 0.0 ? m->search.J : 1.0),
                                 .fall = m->search.fall,
                                 .slope = m->slope,
                                 .passes = m->passes};
    memcpy(w, theta, (size_t)n_x * sizeof *w);
    return now;
}

double logreg_minimizer_step(const logreg_minimizer *m, double *step)
{
    const int64_t n_x = m->search.n - 1;
    char *memory = (char *)(uintptr_t)m;
    const double *direction =
        logreg_search_in((double *)(void *)(memory + STATE_BYTES), n_x).direction;
    memcpy(step, direction, (size_t)n_x * sizeof *step);
    return direction[n_x];
}

logreg_request logreg_minimizer_wants(const logreg_minimizer *m, const logreg_data *data,
                                      const logreg_standardization *standardization)
{
    const logreg_search_plan p = logreg_plan_minimum(data);
    const logreg_search_arrays a = arrays_of(data, &p, (char *)(uintptr_t)m);
    const int of_all = m->sample >= data->m;
    const double *point = m->task == LOGREG_TO_FACTOR ? a.v.theta : a.v.trial;
    logreg_request r = {.w = point, .b = point[data->n_x], .centre = a.centre};
    if (m->passes >= m->goal.passes && (m->passes == 0 || m->begun)) return r;
    r.dense = p.form == LOGREG_DENSE;
    r.block = m->goal.fixed_b ? 0 : p.block;
    r.l2 = standardization ? 0.0 : m->goal.l2; /* whose ridge the search adds */
    r.least = logreg_least_curvature(m);
    r.arithmetic = m->float32 ? LOGREG_FLOAT32 : LOGREG_FLOAT64;
    switch (m->task) {
    case LOGREG_TO_START:
        r.wanted = m->surveyed ? LOGREG_WANT_SAMPLE : LOGREG_WANT_SURVEY;
        r.sample = m->surveyed ? p.stages[m->stages] : 0;
        break;
    case LOGREG_TO_FACTOR:
        if (m->reviving || (of_all && p.form == LOGREG_DENSE && !m->has_moments))
            r.wanted = LOGREG_WANT_MOMENTS;
        else
            r.wanted = of_all ? LOGREG_WANT_CURVATURE : LOGREG_WANT_SAMPLE;
        r.sample = m->sample;
        break;
    case LOGREG_TO_EVALUATE:
        r.wanted = LOGREG_WANT_GRADIENT;
        break;
    default:
        r.wanted = LOGREG_WANT_NOTHING;
    }
    return r;
}

int logreg_minimizer_samples(const logreg_minimizer *m, const logreg_data *data, int64_t *sizes)
{
    const logreg_search_plan p = logreg_plan_minimum(data);
    int n = 0;
    if (m->task == LOGREG_TO_START)
        for (int k = m->stages; k < p.n_stages && !m->goal.warm; k++) sizes[n++] = p.stages[k];
    if (!m->has_factor && p.sample < data->m) sizes[n++] = p.sample;
    return n;
}

int logreg_minimizer_ended(const logreg_minimizer *m)
{
    return m->task == LOGREG_TO_END ? m->status : LOGREG_OK;
}

/* ---- What a call works with ------------------------------------------------------------------ */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What the kernel takes to be asked anything about some examples. */
static size_t kernel_bytes(const logreg_data *examples, const logreg_search_plan *p, int n_threads)
{
    logreg_data data = *examples;
    size_t size = logreg_workspace_size(&data, 0, n_threads);
    data.arithmetic = LOGREG_FLOAT64;
    data.sample_weight.values = &data;
    size = larger(size, logreg_workspace_size(&data, 0, n_threads));
    size = larger(size, logreg_standardize_workspace_size(&data, n_threads));
    size = larger(size, logreg_predict_workspace_size(&data, n_threads));
    if (p->form == LOGREG_DENSE || p->block > 0)
        size = larger(size, logreg_gram_workspace_size(&data, n_threads));
    return size;
}

/* As logreg_sample makes them, without values. */
static logreg_data shape_of_sample(const logreg_data *data, int64_t q)
{
    logreg_data shape = {.n_x = data->n_x, .m = q, .example_major = 1};
    if (logreg_is_sparse(data)) {
        shape = *data;
        shape.m = q;
        shape.arithmetic = LOGREG_FLOAT64;
        return shape;
    }
    if (data->codes) {
        shape.example_major = 0;
        shape.X = (logreg_column){NULL, sizeof(double), LOGREG_FLOAT64};
        shape.feature_stride = q * (int64_t)sizeof(double);
        shape.codes = data->codes;
        shape.categories = data->categories;
        shape.n_codes = data->n_codes;
        shape.arithmetic = LOGREG_FLOAT64;
        return shape;
    }
    shape.X.type = data->features ? LOGREG_FLOAT64 : data->X.type;
    shape.feature_stride = logreg_type_size(shape.X.type);
    shape.X.stride = data->n_x * shape.feature_stride;
    shape.arithmetic = LOGREG_FLOAT64;
    return shape;
}

/* Whether no number of a state leads outside its arrays or the workspace. */
static int is_sound(const logreg_minimizer *m, const logreg_data *data)
{
    const logreg_search_plan p = logreg_plan_minimum(data);
    int64_t q = p.sample;
    while (q < data->m && q != m->sample) q = logreg_next_sample(q, data);
    return m->task <= LOGREG_TO_END && m->passes >= 0 && m->search.n == data->n_x + 1 &&
           m->stages >= 0 &&
           m->stages < p.n_stages + (m->task != LOGREG_TO_START || !m->surveyed) &&
           m->search.pairs >= 0 && m->search.pairs <= LOGREG_PAIRS &&
           m->search.newest >= (m->search.pairs > 0 ? 0 : -1) && m->search.newest < LOGREG_PAIRS &&
           m->n_rates >= 0 && m->n_rates <= LOGREG_RATES &&
           (m->sample == q || m->task == LOGREG_TO_START);
}

int logreg_minimizer_resume(logreg_minimizer *m, const logreg_data *data, const void *state,
                            int64_t passes)
{
    const logreg_search_plan p = logreg_plan_minimum(data);
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

/* What a search works in that has the examples in memory, or gets what it asks for of them. */
static sizes sizes_of(const logreg_data *data, const logreg_search_plan *p, int in_memory,
                      int n_threads)
{
    const int64_t n_x = data->n_x, stride = logreg_search_stride(n_x);
    logreg_factor shape = {
        .n_x = n_x, .form = p->form, .rank = rank_of(data, p), .block = p->block};
    sizes s;
    int64_t largest = p->form == LOGREG_LOW_RANK ? data->m : 0;
    s.kernel = logreg_factor_workspace_size(&shape, n_threads);
    if (in_memory) s.kernel = larger(s.kernel, kernel_bytes(data, p, n_threads));
    for (int k = 0; k < p->n_stages; k++) {
        const logreg_data sample = shape_of_sample(data, p->stages[k]);
        s.kernel = larger(s.kernel, kernel_bytes(&sample, p, n_threads));
        if (p->stages[k] > largest) largest = p->stages[k];
    }
    for (int64_t q = p->sample; q < data->m; q = logreg_next_sample(q, data)) {
        const logreg_data sample = shape_of_sample(data, q);
        s.kernel = larger(s.kernel, kernel_bytes(&sample, p, n_threads));
        if (q > largest) largest = q;
    }
    s.kernel = (s.kernel + 63) / 64 * 64;
    s.vectors = (size_t)((5 + LOGREG_SEARCH_VECTORS) * stride) * sizeof(double);
    s.h = (size_t)((in_memory ? data->m : largest) + 7) / 8 * 8 * sizeof(double);
    s.sample = in_memory && largest > 0 ? logreg_sample_size(data, largest) : 0;
    return s;
}

static size_t workspace_size(const logreg_data *data, int in_memory, int n_threads)
{
    const logreg_search_plan p = logreg_plan_minimum(data);
    const sizes s = sizes_of(data, &p, in_memory, n_threads);
    return s.kernel + s.vectors + s.h + s.sample;
}

size_t logreg_minimize_workspace_size(const logreg_data *data, int n_threads)
{
    return workspace_size(data, 1, n_threads);
}

size_t logreg_give_workspace_size(const logreg_data *whole, int n_threads)
{
    return workspace_size(whole, 0, n_threads);
}

logreg_context logreg_open_context(const logreg_data *data, int in_memory,
                                   const logreg_standardization *standardization,
                                   logreg_minimizer *m, const logreg_run *run)
{
    const int64_t n_x = data->n_x, stride = logreg_search_stride(n_x);
    logreg_context c = {.m = m, .data = data, .plan = logreg_plan_minimum(data), .run = *run};
    const sizes s = sizes_of(data, &c.plan, in_memory, run->n_threads);
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
                               .block = m->goal.fixed_b ? 0 : c.plan.block,
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
