/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A libFuzzer target: random calls of the functions of logreg.h, within their contracts. Every
 * array has exactly the required length, so that the address sanitizer detects stray reads. Every
 * instruction set and number of threads must give the same bits, and data with a NaN or an infinity
 * must give the status code for it, and its position. */
#include "problem.h"

typedef struct input {
    const uint8_t *bytes;
    size_t left;
    uint64_t seed;
} input;

/* Returns a number below n, from the input as long as bytes are left. */
static int64_t pick(input *in, int64_t n)
{
    if (in->left >= 2) {
        uint16_t v;
        memcpy(&v, in->bytes, sizeof v);
        in->bytes += sizeof v;
        in->left -= sizeof v;
        in->seed = (in->seed ^ v) * 0x100000001b3u;
        return v % n;
    }
    next_value(&in->seed);
    return (int64_t)(in->seed >> 33) % n;
}

static double pick_double(input *in)
{
    static const double special[] = {0,        -0.0,      1,       -1,     0x1p-1074, 0x1p-1022,
                                     1e-300,   1e300,     1e154,   -1e154, 0x1p53,    1e9,
                                     -708.5,   745.2,     0x1p-60, 0x1p60, 0x1p127,   0x1p-149,
                                     INFINITY, -INFINITY, NAN};
    const int64_t kind = pick(in, 64);
    if (kind < (int64_t)(sizeof special / sizeof *special)) return special[kind];
    return next_value(&in->seed) * (kind < 40 ? 1 : 30);
}

/* ---- Columns --------------------------------------------------------------------------------- */

typedef struct owned_column {
    void *memory;
    logreg_column column;
} owned_column;

static int64_t magnitude(int64_t n)
{
    return n < 0 ? -n : n;
}

/* Allocates m values that start `into` bytes into a block and end where it ends. */
static void *allocate_values(int64_t m, int64_t stride, int64_t size, int64_t into, void **values)
{
    const int64_t extent = (m - 1) * magnitude(stride) + size;
    char *memory = allocate((size_t)(into + extent));
    memset(memory, 0, (size_t)(into + extent));
    *values = memory + into + (stride < 0 ? extent - size : 0);
    return memory;
}

enum { ANY, LABELS, WEIGHTS };

static void fill(input *in, logreg_type type, char *place, int what)
{
    double value = what == ANY ? pick_double(in) : 0.5 * (1 + next_value(&in->seed));
    if (what == LABELS && type != LOGREG_FLOAT64 && type != LOGREG_FLOAT32) value = 0;
    if (what == ANY && type == LOGREG_FLOAT16) { /* every bit pattern */
        const uint16_t bits = (uint16_t)pick(in, 1 << 16);
        memcpy(place, &bits, sizeof bits);
    } else if (what == ANY && type == LOGREG_FLOAT32) {
        const float narrow = (float)(isfinite(value) && fabs(value) > 3e38 ? 0 : value);
        memcpy(place, &narrow, sizeof narrow);
    } else if (what == ANY && type == LOGREG_FLOAT64) {
        memcpy(place, &value, sizeof value);
    } else {
        if (what == LABELS && type == LOGREG_INT64) return; /* `store` cannot store 0 */
        store(type, place, isfinite(value) && fabs(value) <= 1 ? value : 0);
    }
}

static owned_column pick_column(input *in, int64_t m, int what)
{
    const logreg_type type = (logreg_type)pick(in, ALL_TYPES);
    const int64_t size = all_types[type].size;
    const int64_t kind = pick(in, 8), gap = pick(in, 30);
    const int64_t stride = kind < 4 ? size : kind < 6 ? size + gap : kind < 7 ? -size - gap : 0;
    owned_column c = {.column = {.stride = stride, .type = type}};
    void *values;
    c.memory = allocate_values(m, stride, size, kind % 2 ? 0 : gap, &values);
    c.column.values = values;
    for (int64_t i = 0; i < (stride ? m : 1); i++)
        fill(in, type, (char *)values + i * stride, what);
    return c;
}

/* ---- Expected results ------------------------------------------------------------------------ */

static int is_nonfinite(logreg_type type, const char *place)
{
    double v8;
    float v4;
    uint16_t v2;
    switch (type) {
    case LOGREG_FLOAT64:
        memcpy(&v8, place, sizeof v8);
        return !isfinite(v8);
    case LOGREG_FLOAT32:
        memcpy(&v4, place, sizeof v4);
        return !isfinite(v4);
    case LOGREG_FLOAT16:
        memcpy(&v2, place, sizeof v2);
        return (v2 & 0x7c00) == 0x7c00;
    default:
        return 0;
    }
}

static const char *place_of(const logreg_data *data, int64_t j, int64_t i)
{
    if (data->features)
        return (const char *)data->features[j].values + i * data->features[j].stride;
    return (const char *)data->X.values + j * data->feature_stride + i * data->X.stride;
}

static int check_first_nonfinite(const logreg_data *data)
{
    const logreg_run run = {.n_threads = 1};
    int64_t feature = 0, example = 0;
    CHECK(logreg_first_nonfinite(data, &feature, &example, &run) == LOGREG_OK);
    for (int64_t i = 0; i < data->m; i++)
        for (int64_t j = 0; j < data->n_x; j++)
            if (is_nonfinite(data->features ? data->features[j].type : data->X.type,
                             place_of(data, j, i))) {
                CHECK(feature == j && example == i);
                return 1;
            }
    CHECK(feature == -1 && example == -1);
    return 0;
}

typedef struct calls {
    const logreg_data *data;
    const double *w;
    double b, alpha, l2, tol;
    int standardized, nonfinite, fixed_b, warm;
} calls;

static int all_finite(const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(v[i])) return 0;
    return 1;
}

/* The factor of a Gram, and what it solves. */
static uint64_t hash_factor(uint64_t hash, const calls *c, double *G, const double *mu,
                            int n_threads)
{
    const int64_t n_x = c->data->n_x, m = c->data->m;
    double *x = allocate_doubles(n_x), *out = allocate_doubles(m);
    const int64_t failed = cholesky(G, n_x, 1e-12, n_threads);
    CHECK(failed >= 0 && failed <= n_x);
    hash = hash * 31 + (uint64_t)failed;
    if (failed == 0) {
        memcpy(x, c->w, (size_t)n_x * sizeof *x);
        logreg_solve_lower(G, n_x, x);
        logreg_solve_upper(G, n_x, x);
        if (all_finite(x, n_x)) hash = hash_bits(hash, x, n_x);
        CHECK(leverage(c->data, mu, G, out, n_threads) == LOGREG_OK);
        for (int64_t i = 0; i < m; i++) CHECK(!(out[i] < 0));
        if (all_finite(out, m)) hash = hash_bits(hash, out, m);
    }
    free(x);
    free(out);
    return hash;
}

/* The curvature in one pass with the gradient, which has the bits of each by itself. */
static void check_both(const calls *c, int code, const double *h, int n_threads)
{
    const int64_t n_x = c->data->n_x, m = c->data->m;
    double *both = allocate_doubles(m), *dw = allocate_doubles(n_x), *alone = allocate_doubles(n_x);
    double J[2], db[2];
    if (gradient_and_curvature(c->data, c->w, c->b, &J[0], dw, &db[0], both, n_threads) ==
        LOGREG_OK) {
        CHECK(code == LOGREG_OK && memcmp(both, h, (size_t)m * sizeof *h) == 0);
        CHECK(cost_and_gradient(c->data, c->w, c->b, 0, &J[1], alone, &db[1], n_threads) ==
              LOGREG_OK);
        CHECK(J[0] == J[1] && db[0] == db[1]);
        CHECK(memcmp(dw, alone, (size_t)n_x * sizeof *dw) == 0);
    }
    free(both);
    free(dw);
    free(alone);
}

/* The curvature, and its Gram. */
static uint64_t hash_curvature(uint64_t hash, const calls *c, int n_threads)
{
    const int64_t n_x = c->data->n_x, m = c->data->m;
    double *h = allocate_doubles(m), *G = allocate_doubles(n_x * n_x), *mu = allocate_doubles(n_x);
    double S = 0;
    int code = curvature(c->data, c->w, c->b, 0, h, n_threads);
    CHECK(code == LOGREG_PASS_OVERFLOW || (code == LOGREG_OK && !c->nonfinite));
    hash = hash * 31 + (uint64_t)code;
    check_both(c, code, h, n_threads);
    if (code == LOGREG_OK) {
        logreg_data weighted = *c->data;
        weighted.sample_weight = column_of(h);
        weighted.arithmetic = LOGREG_FLOAT64;
        hash = hash_bits(hash, h, m);
        code = gram(&weighted, c->w, G, mu, &S, n_threads);
        hash = hash * 31 + (uint64_t)code;
        if (code == LOGREG_OK) {
            CHECK(isfinite(S) && all_finite(mu, n_x));
            for (int64_t i = 0; i < n_x; i++) {
                CHECK(all_finite(G + i * n_x, i + 1) && G[i * n_x + i] >= 0);
                hash = hash_bits(hash, G + i * n_x, i + 1);
            }
            hash = hash_factor(hash, c, G, mu, n_threads);
        }
    }
    free(h);
    free(G);
    free(mu);
    return hash;
}

/* A search for the minimum in two calls, the second from a copy of the state. */
static uint64_t hash_search(uint64_t hash, const calls *c, int n_threads)
{
    enum { STEPS = 4 };
    const logreg_data *data = c->data;
    const size_t size = logreg_minimizer_size(data);
    const logreg_goal goal = {.l2 = c->l2,
                              .tol = 1e-6,
                              .slope = INFINITY,
                              .passes = 12,
                              .fixed_b = c->fixed_b,
                              .warm = c->warm};
    double costs[STEPS], *w = allocate_doubles(data->n_x);
    int64_t n_costs;
    char *buffer;
    logreg_minimizer *minimizer = allocate(size), *copy = allocate(size);
    const logreg_run run =
        make_run(logreg_minimize_workspace_size(data, n_threads), n_threads, &buffer);
    logreg_minimizer_open(minimizer, data, &goal, c->w, c->b);
    for (int call = 0; call < 2; call++) {
        const int status = logreg_minimize(data, NULL, minimizer, costs, STEPS, &n_costs, &run);
        CHECK(!c->nonfinite || (status == LOGREG_PASS_OVERFLOW && n_costs == 0));
        CHECK(all_finite(costs, n_costs));
        const logreg_progress now = logreg_minimizer_progress(minimizer, w);
        CHECK(all_finite(w, data->n_x) && isfinite(now.b));
        const double numbers[] = {status, (double)n_costs, (double)now.passes, now.b};
        hash = hash_bits(hash, numbers, 4);
        hash = hash_bits(hash, costs, n_costs);
        hash = hash_bits(hash, w, data->n_x);
        CHECK(logreg_minimizer_resume(copy, data, minimizer, goal.passes) == 0);
        memcpy(minimizer, copy, size);
    }
    free(buffer);
    free(minimizer);
    free(copy);
    free(w);
    return hash;
}

/* Makes every call, and returns a hash of the results. */
static uint64_t call_all(const calls *c, int n_threads)
{
    enum { ITERS = 3, MOST_FEATURES = 300 };
    const int64_t n_x = c->data->n_x;
    double costs[ITERS], J = 0, db = 0, *dw = allocate_doubles(n_x);
    double *A = allocate_doubles(c->data->m), *w = allocate_doubles(n_x);
    logreg_standardization found = allocate_standardization(n_x);
    logreg_settings settings = {.alpha = c->alpha, .l2 = c->l2, .tol = c->tol};
    logreg_state state = {.w = w, .b = c->b};
    int64_t n_costs = 0;
    uint64_t hash = 1;
    int code = cost_and_gradient(c->data, c->w, c->b, c->l2, &J, dw, &db, n_threads);
    CHECK(code == LOGREG_PASS_OVERFLOW || (code == LOGREG_OK && !c->nonfinite));
    hash = hash * 31 + (uint64_t)code;
    if (code == LOGREG_OK) {
        CHECK(isfinite(J) && isfinite(db));
        hash = hash_bits(hash, &J, 1);
        hash = hash_bits(hash, &db, 1);
        hash = hash_bits(hash, dw, n_x);
    }
    code = predict_proba(c->data, c->w, c->b, A, n_threads);
    CHECK(code == LOGREG_PASS_OVERFLOW || (code == LOGREG_OK && !c->nonfinite));
    hash = hash * 31 + (uint64_t)code;
    if (code == LOGREG_OK) hash = hash_bits(hash, A, c->data->m);
    code = standardize(c->data, n_threads, &found);
    CHECK(code == LOGREG_PASS_OVERFLOW || (code == LOGREG_OK && !c->nonfinite));
    hash = hash * 31 + (uint64_t)code;
    if (code == LOGREG_OK) {
        hash = hash_bits(hash, found.mean, n_x);
        hash = hash_bits(hash, found.mean_lo, n_x);
        hash = hash_bits(hash, found.sd, n_x);
        if (c->standardized) settings.standardization = &found;
    }
    memcpy(w, c->w, (size_t)n_x * sizeof *w);
    code = descend(c->data, &settings, &state, costs, ITERS, &n_costs, n_threads);
    CHECK(!c->nonfinite || (code == LOGREG_PASS_OVERFLOW && n_costs == 0));
    hash = hash * 31 + (uint64_t)code;
    for (int64_t k = 0; k < n_costs; k++) CHECK(isfinite(costs[k]));
    for (int64_t j = 0; j < n_x; j++) CHECK(isfinite(w[j]));
    hash = hash_bits(hash, costs, n_costs);
    hash = hash_bits(hash, w, n_x);
    hash = hash_bits(hash, &state.b, 1);
    free(dw);
    free(A);
    free(w);
    free_standardization(&found);
    if (n_x > MOST_FEATURES) return hash;
    hash = hash_curvature(hash, c, n_threads);
    logreg_survey survey = {.least = 0};
    logreg_survey_add(&survey, c->data);
    return survey.positive + survey.negative > 0 ? hash_search(hash, c, n_threads) : hash;
}

/* ---- A call ---------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input in = {bytes, size, 0xcbf29ce484222325u};
    const int64_t n_x = pick(&in, 8) ? pick(&in, 40) : pick(&in, 1200);
    const int64_t m = 1 + (pick(&in, 8) ? pick(&in, 70) : pick(&in, 1500));
    const int layout = (int)pick(&in, 3);
    logreg_data data = {.n_x = n_x, .m = m, .example_major = layout == 0 && n_x > 1 && m > 1};
    owned_column *features = NULL;
    logreg_column *list = NULL;
    void *X = NULL, *values;
    if (layout == 2) {
        features = allocate((size_t)n_x * sizeof *features);
        list = allocate((size_t)n_x * sizeof *list);
        for (int64_t j = 0; j < n_x; j++) {
            features[j] = pick_column(&in, m, ANY);
            list[j] = features[j].column;
        }
        data.features = list;
        if (n_x == 0) data.X = (logreg_column){&data, 8, LOGREG_FLOAT64};
    } else {
        const logreg_type type = (logreg_type)pick(&in, ALL_TYPES);
        const int64_t size_of = all_types[type].size, kind = pick(&in, 8), gap = pick(&in, 40);
        data.X.type = type;
        if (data.example_major) {
            data.feature_stride = size_of;
            data.X.stride = kind ? (n_x + gap % 9) * size_of : 0;
            const int64_t values_in = (m - 1) * data.X.stride / size_of + n_x;
            X = allocate_values(values_in, size_of, size_of, 0, &values);
            for (int64_t k = 0; k < values_in; k++)
                fill(&in, type, (char *)values + k * size_of, ANY);
            data.X.values = values;
        } else {
            const int64_t stride = kind < 5 ? size_of : kind < 7 ? size_of + gap : -size_of - gap;
            const int64_t line = (m - 1) * magnitude(stride) + size_of + (kind % 2 ? 0 : gap);
            const int64_t lines = n_x < 1 ? 1 : n_x, rest = kind % 2 ? 0 : gap;
            char *memory = allocate((size_t)(rest + lines * line - (kind % 2 ? 0 : gap)));
            X = memory;
            data.feature_stride = line;
            data.X.stride = stride;
            data.X.values = memory + rest + (stride < 0 ? (m - 1) * -stride : 0);
            for (int64_t j = 0; j < n_x; j++)
                for (int64_t i = 0; i < m; i++)
                    fill(&in, type, (char *)data.X.values + j * line + i * stride, ANY);
        }
    }
    const owned_column Y = pick_column(&in, m, LABELS);
    const owned_column weight = pick_column(&in, m, WEIGHTS);
    data.Y = Y.column;
    if (pick(&in, 2)) data.sample_weight = weight.column;
    int narrow = layout == 2 || computes_in_float32(data.X.type);
    for (int64_t j = 0; list && j < n_x; j++) narrow &= computes_in_float32(list[j].type);
    if (narrow && pick(&in, 4)) data.arithmetic = LOGREG_FLOAT32;

    double *w = allocate_doubles(n_x), b = pick_double(&in);
    if (!isfinite(b)) b = 0;
    for (int64_t j = 0; j < n_x; j++) {
        w[j] = pick_double(&in);
        if (!isfinite(w[j])) w[j] = 0;
    }
    const double alpha = fabs(pick_double(&in)), l2 = fabs(pick_double(&in));
    calls c = {&data,
               w,
               b,
               isfinite(alpha) && alpha > 0 ? alpha : 0.1,
               isfinite(l2) ? l2 : 0,
               pick_double(&in),
               (int)pick(&in, 2),
               0,
               (int)pick(&in, 2),
               (int)pick(&in, 2)};

    uint64_t hash = 0;
    for (int isa = 0; isa < logreg_isa_count(); isa++) {
        if (!logreg_isa_supported(isa)) continue;
        CHECK(logreg_isa_select(logreg_isa_name(isa)) == 0);
        c.nonfinite = check_first_nonfinite(&data);
        CHECK(logreg_first_outside(&data.Y, m, 0, 1) == -1);
        const uint64_t here = call_all(&c, isa == 0 ? 1 : 3);
        CHECK(isa == 0 || here == hash);
        hash = here;
    }
    for (int64_t j = 0; features && j < n_x; j++) free(features[j].memory);
    free(features);
    free(list);
    free(X);
    free(Y.memory);
    free(weight.memory);
    free(w);
    return 0;
}
