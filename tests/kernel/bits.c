/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prints hashes of the bits of everything that the kernel returns over a battery of shapes, types,
 * layouts and settings. There is one line per instruction set, with one hash for each type of X,
 * for columns of all types together, for loading values of every type, for the sigmoid, for
 * Hessians with their factors, for minima, for softmax, for sparse X, for leverages, for many
 * minima, for folds that share passes, for softmax of sparse X, for X with categories, and for
 * Hessians of softmax. Every line of every build for every machine must have the same hashes; the
 * Makefile compares them. */
#include "categories.h"
#include "problem.h"
#include "sparse.h"

#include "block/kernels.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static const uint64_t no_hash = 0xcbf29ce484222325u;

/* Like hash_bits, but with one hash for all NaNs. */
static uint64_t hash_value(uint64_t hash, double value)
{
    double bits = isnan(value) ? (double)NAN : value;
    if (isnan(value)) memcpy(&bits, &(uint64_t){0x7ff8000000000000u}, sizeof bits);
    return hash_bits(hash, &bits, 1);
}

/* ---- Training and prediction ----------------------------------------------------------------- */

enum { ITERS = 3, ALL_MIXED = HASHED_TYPES };

/* The layout of X. The last two are lists of columns, contiguous or with gaps that also leave the
 * values unaligned. */
enum { BY_EXAMPLE, BY_FEATURE, COLUMNS, STRIDED_COLUMNS, LAYOUTS };

static uint64_t hash_all(uint64_t hash, const logreg_data *data, const double *w, double b,
                         int standardized, double alpha)
{
    const int n_threads = 3;
    const int64_t n_x = data->n_x;
    double costs[ITERS], J, db, *A = allocate_doubles(data->m), *dw = allocate_doubles(n_x);
    double *w_now = allocate_doubles(n_x);
    logreg_standardization found = allocate_standardization(n_x);
    logreg_settings settings = {.alpha = alpha, .l2 = 0.01, .tol = -1};
    logreg_state state = {.w = w_now, .b = b};
    int64_t n_costs;
    memcpy(w_now, w, (size_t)n_x * sizeof *w);
    if (standardized) {
        CHECK(standardize(data, n_threads, &found) == LOGREG_OK);
        hash = hash_bits(hash, found.mean, n_x);
        hash = hash_bits(hash, found.mean_lo, n_x);
        hash = hash_bits(hash, found.sd, n_x);
        settings.standardization = &found;
    } else {
        CHECK(cost_and_gradient(data, w, b, 0, &J, dw, &db, n_threads) == LOGREG_OK);
        hash = hash_bits(hash, &J, 1);
        hash = hash_bits(hash, dw, n_x);
        hash = hash_bits(hash, &db, 1);
    }
    CHECK(descend(data, &settings, &state, costs, ITERS, &n_costs, n_threads) == LOGREG_OK);
    CHECK(predict_proba(data, state.w, state.b, A, n_threads) == LOGREG_OK);
    hash = hash_bits(hash, state.w, n_x);
    hash = hash_bits(hash, &state.b, 1);
    hash = hash_bits(hash, costs, ITERS);
    hash = hash_bits(hash, A, data->m);
    free_standardization(&found);
    free(A);
    free(dw);
    free(w_now);
    return hash;
}

/* `type` is the type of X, or ALL_MIXED for features of different types. */
static uint64_t hash_problem(uint64_t hash, int64_t n_x, int64_t m, int layout, int weighted,
                             int standardized, int type, int float64)
{
    const int columns = layout == COLUMNS || layout == STRIDED_COLUMNS;
    problem p = make_problem(n_x, m, layout == BY_EXAMPLE ? EXAMPLE_MAJOR : FEATURE_MAJOR,
                             columns ? 0 : 3 * (m % 2), weighted);
    logreg_column *list = allocate((size_t)n_x * sizeof *list);
    char *stored = allocate((size_t)(n_x * m) * 17);
    if (columns) {
        for (int64_t j = 0; j < n_x; j++) {
            const int of = type == ALL_MIXED ? (int)(j % HASHED_TYPES) : type;
            const int64_t stride =
                all_types[of].size * (layout == COLUMNS ? 1 : 2) + (layout == COLUMNS ? 0 : 1);
            list[j] = (logreg_column){stored + j * m * 17, stride, (logreg_type)of};
            if (layout == COLUMNS) /* aligned */
                list[j].values = stored + j * ((m * 17) / 8 * 8);
            for (int64_t i = 0; i < m; i++)
                store((logreg_type)of, (char *)list[j].values + i * stride, *element(&p, j, i));
        }
        p.data.features = list;
    } else if (type != LOGREG_FLOAT64) {
        store_X_as(&p, (logreg_type)type);
    }
    if (type != ALL_MIXED && computes_in_float32((logreg_type)type) && !float64)
        p.data.arithmetic = LOGREG_FLOAT32;
    /* 64-bit integers are large, so they need a small alpha */
    const int large = type == LOGREG_INT64 || type == ALL_MIXED;
    hash = hash_all(hash, &p.data, p.w, p.b, standardized, large ? 0x1p-60 : 0.7);
    free(list);
    free(stored);
    free_problem(&p);
    return hash;
}

static uint64_t hash_shape(uint64_t hash, int64_t n_x, int64_t m, int type)
{
    for (int variant = 0; variant < 4 * LAYOUTS; variant++) {
        const int layout = variant / 4, weighted = variant & 1, standardized = variant & 2;
        if (type == ALL_MIXED && layout < COLUMNS) continue;
        /* narrow types alternate between float64 and float32 arithmetic */
        hash =
            hash_problem(hash, n_x, m, layout, weighted, standardized && m > 2, type, m % 4 == 1);
    }
    return hash;
}

static uint64_t hash_battery(int type)
{
    static const int64_t features[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 28, 30, 65, 255, 784};
    const int every = type == LOGREG_FLOAT64 ? 1 : 3;
    uint64_t hash = no_hash;
    for (int f = type == LOGREG_FLOAT64 ? 0 : 1; f < COUNT(features); f += every) {
        const int64_t n_x = features[f];
        const int64_t examples[] = {1,  2,  7,   8,   9,   15,   16,
                                    17, 65, 511, 512, 513, 1024, segment_size(n_x) + 5};
        for (int e = f % every; e < COUNT(examples); e += every == 1 ? 1 : 2)
            if (n_x * examples[e] < 150000) hash = hash_shape(hash, n_x, examples[e], type);
    }
    if (type < HASHED_TYPES) { /* examples so long that they are packed in tiles; and many tasks */
        hash = hash_problem(hash, 17000, 70, BY_EXAMPLE, 0, 0, type, 0);
        hash = hash_problem(hash, 2, 20 * 4096 + 1, BY_FEATURE, 1, 1, type, 0);
    }
    return hash;
}

/* ---- Every load ------------------------------------------------------------------------------ */

/* All values of 8 and 16 bits, and as many values of the wider types, of every exponent and at ties
 * of rounding. */
static void *values_to_load(logreg_type type)
{
    const int64_t n = 1 << 16, size = all_types[type].size;
    char *values = allocate((size_t)(n * size));
    uint64_t seed = 7;
    for (int64_t i = 0; i < n; i++) {
        next_value(&seed);
        const uint64_t wide = type == LOGREG_INT64 && i % 2 ? seed >> (i % 63) : seed;
        const uint64_t v8 = i % 3 ? wide : (uint64_t)1 << (i % 64) | (uint64_t)(i % 5);
        const uint32_t v4 = (uint32_t)(v8 >> 16);
        const uint16_t v2 = (uint16_t)i;
        const uint8_t v1 = (uint8_t)i;
        memcpy(values + i * size,
               size == 8   ? (const void *)&v8
               : size == 4 ? (const void *)&v4
               : size == 2 ? (const void *)&v2
                           : (const void *)&v1,
               (size_t)size);
    }
    return values;
}

static uint64_t hash_loads(void)
{
    const int64_t n = 1 << 16, count = 500; /* not a multiple of the lanes */
    uint64_t hash = no_hash;
    for (int type = 0; type < HASHED_TYPES; type++) {
        void *values = values_to_load((logreg_type)type);
        for (int step = 1; step <= 2; step++) {
            logreg_data data = {.n_x = 0, .m = n / step};
            data.Y = (logreg_column){values, step * all_types[type].size, (logreg_type)type};
            for (int64_t first = 0; first + count <= data.m; first += count) {
                double scratch[LOGREG_BLOCK];
                const double *wide =
                    logreg_kernels_in_use(LOGREG_FLOAT64)->column(&data.Y, first, count, scratch);
                for (int64_t i = 0; i < count; i++) hash = hash_value(hash, wide[i]);
                float narrow[LOGREG_BLOCK];
                const logreg_reading reading = {.data = &data};
                logreg_block block = {
                    .reading = &reading, .first = first, .count = count, .Y_scratch = narrow};
                logreg_kernels_in_use(LOGREG_FLOAT32)->load_targets(&block);
                for (int64_t i = 0; i < count; i++)
                    hash = hash_value(hash, (double)((const float *)block.Y)[i]);
            }
        }
        free(values);
    }
    return hash;
}

static uint64_t hash_sigmoid(void)
{
    enum { N = 1 << 16 };
    double *Z = values_to_load(LOGREG_FLOAT64), *A = allocate_doubles(N);
    uint64_t hash = no_hash, seed = 3;
    for (int i = 0; i < N; i++)
        if (i % 2) Z[i] = 800 * next_value(&seed);
    logreg_sigmoid(Z, A, N);
    for (int i = 0; i < N; i++) hash = hash_value(hash, A[i]);
    free(Z);
    free(A);
    return hash;
}

/* ---- Grams and factors ----------------------------------------------------------------------- */

/* The lower triangle of A (n, n); what is above it is not written. */
static uint64_t hash_triangle(uint64_t hash, const double *A, int64_t n)
{
    for (int64_t i = 0; i < n; i++) hash = hash_bits(hash, A + i * n, i + 1);
    return hash;
}

/* The Gram that the curvature of p weighs, and its factor, which solves for w. */
static uint64_t hash_hessian(uint64_t hash, problem *p, int64_t n_x, int64_t m)
{
    const int n_threads = 3;
    double *h = allocate_doubles(m), *G = allocate_doubles(n_x * n_x), *mu = allocate_doubles(n_x);
    double S;
    CHECK(curvature(&p->data, p->w, p->b, 1, h, n_threads) == LOGREG_OK);
    hash = hash_bits(hash, h, m);
    CHECK(curvature(&p->data, p->w, p->b, 0, h, n_threads) == LOGREG_OK);
    hash = hash_bits(hash, h, m);
    p->data.sample_weight = column_of(h);
    CHECK(gram(&p->data, p->w, G, mu, &S, n_threads) == LOGREG_OK);
    hash = hash_triangle(hash, G, n_x);
    hash = hash_bits(hash, mu, n_x);
    hash = hash_bits(hash, &S, 1);
    for (int64_t j = 0; j < n_x; j++) G[j * n_x + j] += G[j * n_x + j] + 1;
    CHECK(cholesky(G, n_x, 0, n_threads) == 0);
    hash = hash_triangle(hash, G, n_x);
    logreg_solve_lower(G, n_x, p->w);
    hash = hash_bits(hash, p->w, n_x);
    logreg_solve_upper(G, n_x, p->w);
    hash = hash_bits(hash, p->w, n_x);
    free(h);
    free(G);
    free(mu);
    return hash;
}

static uint64_t hash_hessians(void)
{
    static const logreg_type types[] = {LOGREG_FLOAT64, LOGREG_FLOAT32, LOGREG_FLOAT16,
                                        LOGREG_INT32, LOGREG_UINT8};
    static const int64_t shapes[][2] = {{1, 1},    {1, 300},  {3, 129},  {7, 128},  {8, 127},
                                        {9, 500},  {17, 66},  {31, 257}, {64, 100}, {65, 9},
                                        {129, 70}, {193, 40}, {515, 12}, {2, 9000}};
    uint64_t hash = no_hash;
    for (int s = 0; s < COUNT(shapes); s++)
        for (int variant = 0; variant < 4; variant++) {
            const int64_t n_x = shapes[s][0], m = shapes[s][1];
            problem p = make_problem(n_x, m, (enum layout)(variant / 2), s % 3, variant % 2);
            const logreg_type type = types[(s + variant) % COUNT(types)];
            if (type != LOGREG_FLOAT64) store_X_as(&p, type);
            hash = hash_hessian(hash, &p, n_x, m);
            free_problem(&p);
        }
    return hash;
}

/* ---- The minimum ----------------------------------------------------------------------------- */

/* Labels that X explains in part, so that J has a minimum well below its start. */
static void label(problem *p)
{
    uint64_t seed = 5;
    for (int64_t i = 0; i < p->data.m; i++) {
        const double sum = *element(p, 0, i) + *element(p, p->data.n_x - 1, i);
        p->Y[i] = sum + next_value(&seed) > 0;
    }
}

static uint64_t hash_minimum(uint64_t hash, problem *p, double l2, int standardized, int64_t passes)
{
    enum { STEPS = 40 };
    const int n_threads = 3;
    const int64_t n_x = p->data.n_x;
    const logreg_goal goal = {.l2 = l2, .tol = 1e-9, .slope = INFINITY, .passes = passes};
    double costs[STEPS];
    int64_t n_costs;
    char *buffer;
    logreg_standardization found = allocate_standardization(n_x);
    if (standardized) CHECK(standardize(&p->data, n_threads, &found) == LOGREG_OK);
    logreg_minimizer *m = allocate(logreg_minimizer_size(&p->data));
    logreg_run run =
        make_run(logreg_minimize_workspace_size(&p->data, n_threads), n_threads, &buffer);
    logreg_minimizer_open(m, &p->data, &goal, p->w, p->b);
    const double status =
        logreg_minimize(&p->data, standardized ? &found : NULL, m, costs, STEPS, &n_costs, &run);
    const logreg_progress now = logreg_minimizer_progress(m, p->w);
    const double numbers[] = {status, (double)now.passes, now.b, now.gap, now.slope};
    hash = hash_bits(hash, numbers, COUNT(numbers));
    hash = hash_bits(hash, p->w, n_x);
    hash = hash_bits(hash, costs, n_costs);
    free(buffer);
    free(m);
    free_standardization(&found);
    return hash;
}

/* Samples and a dense factor; all examples at once; a low-rank factor; a diagonal one. */
static uint64_t hash_minima(void)
{
    static const int64_t shapes[][2] = {{3, 4000}, {20, 1500}, {17, 90}, {300, 40}, {2060, 2050}};
    uint64_t hash = no_hash;
    for (int s = 0; s < COUNT(shapes); s++)
        for (int variant = s < 4 ? 0 : 3; variant < 4; variant++) {
            problem p = make_problem(shapes[s][0], shapes[s][1], (enum layout)(variant / 2), 0,
                                     variant % 2);
            label(&p);
            memset(p.w, 0, (size_t)p.data.n_x * sizeof *p.w);
            if (variant > 1) {
                store_X_as(&p, LOGREG_FLOAT32);
                p.data.arithmetic = LOGREG_FLOAT32; /* then float64 */
            }
            hash = hash_minimum(hash, &p, s > 2 || variant % 2 ? 0.01 : 0, variant % 3 == 1,
                                s < 4 ? 40 : 6);
            free_problem(&p);
        }
    return hash;
}

/* ---- Softmax --------------------------------------------------------------------------------- */

static uint64_t hash_softmax_of(uint64_t hash, int64_t n_x, int64_t m, int64_t outputs, int layout,
                                int weighted)
{
    problem p = make_problem(n_x, m, layout, 0, weighted);
    const int64_t size = n_x * outputs;
    double *w = allocate_doubles(size + outputs), *dw = allocate_doubles(size + outputs);
    double *A = allocate_doubles(m * outputs), *Y = allocate_doubles(m), J;
    logreg_run run = {.n_threads = 3};
    for (int64_t i = 0; i < size + outputs; i++) w[i] = (double)(i * 7 % 11 - 5) / 8;
    for (int64_t i = 0; i < m; i++) Y[i] = (double)(i * 7 % outputs);
    p.data.Y = (logreg_column){Y, sizeof *Y, LOGREG_FLOAT64};
    run.workspace = allocate(logreg_softmax_workspace_size(&p.data, outputs, run.n_threads));
    CHECK(logreg_softmax_cost_and_gradient(&p.data, outputs, w, w + size, 0.01, &J, dw, dw + size,
                                           &run) == LOGREG_OK);
    free(run.workspace);
    run.workspace =
        allocate(logreg_softmax_predict_workspace_size(&p.data, outputs, run.n_threads));
    CHECK(logreg_softmax_predict(&p.data, outputs, w, w + size, 1, A, &run) == LOGREG_OK);
    free(run.workspace);
    hash = hash_bits(hash, &J, 1);
    hash = hash_bits(hash, dw, size + outputs);
    hash = hash_bits(hash, A, m * outputs);
    free(w);
    free(dw);
    free(A);
    free(Y);
    free_problem(&p);
    return hash;
}

static uint64_t hash_softmax(void)
{
    static const int64_t shapes[][3] = {{1, 1, 2},    {5, 300, 3},    {9, 130, 8},
                                        {20, 999, 9}, {300, 700, 17}, {2, 5000, 4}};
    uint64_t hash = no_hash;
    for (int k = 0; k < COUNT(shapes); k++)
        for (int weighted = 0; weighted < 2; weighted++) {
            const int64_t *of = shapes[k];
            hash = hash_softmax_of(hash, of[0], of[1], of[2], FEATURE_MAJOR, weighted);
            hash = hash_softmax_of(hash, of[0], of[1], of[2], EXAMPLE_MAJOR, weighted);
        }
    return hash;
}

/* ---- Sparse X -------------------------------------------------------------------------------- */

static uint64_t hash_sparse_of(uint64_t hash, int64_t n_x, int64_t m, logreg_type type, int variant)
{
    problem p = make_problem(n_x, m, EXAMPLE_MAJOR, 0, variant % 2);
    sparse s = make_sparse(&p, type, variant % 3 ? LOGREG_INT32 : LOGREG_INT64, 1 + variant % 4);
    const double alpha = type == LOGREG_INT64 ? 0x1p-60 : 0.7;
    if (computes_in_float32(type) && variant % 2) s.data.arithmetic = LOGREG_FLOAT32;
    label(&p);
    hash = hash_all(hash, &s.data, p.w, p.b, 0, alpha);
    if (type != LOGREG_INT64) {
        problem of_sparse = p;
        of_sparse.data = s.data;
        memset(p.w, 0, (size_t)n_x * sizeof *p.w);
        hash = hash_minimum(hash, &of_sparse, 0.01, 0, 40);
        of_sparse.data.arithmetic = LOGREG_FLOAT64;
        hash = hash_hessian(hash, &of_sparse, n_x, m);
    }
    free_sparse(&s);
    free_problem(&p);
    return hash;
}

static uint64_t hash_sparse(void)
{
    static const int64_t shapes[][2] = {{3, 9}, {17, 511}, {40, 2000}, {2, 9001}, {300, 90}};
    uint64_t hash = no_hash;
    for (int k = 0; k < COUNT(shapes); k++)
        for (int type = 0; type < HASHED_TYPES; type++)
            hash =
                hash_sparse_of(hash, shapes[k][0], shapes[k][1], (logreg_type)type, 3 * k + type);
    return hash;
}

/* The gradient, the predictions and the diagonal of the Hessian. */
static uint64_t hash_sums_of_softmax(uint64_t hash, const logreg_data *data, int64_t outputs)
{
    const int64_t size = data->n_x * outputs, count = size + outputs;
    double *w = allocate_doubles(count), *out = allocate_doubles(count), J;
    double *A = allocate_doubles(data->m * outputs), *centre = allocate_doubles(data->n_x);
    logreg_run run = {.n_threads = 3};
    for (int64_t i = 0; i < count; i++) w[i] = (double)(i * 7 % 11 - 5) / 8;
    for (int64_t j = 0; j < data->n_x; j++) centre[j] = (double)(j % 3) / 4;
    run.workspace = allocate(logreg_softmax_workspace_size(data, outputs, run.n_threads));
    CHECK(logreg_softmax_cost_and_gradient(data, outputs, w, w + size, 0.01, &J, out, out + size,
                                           &run) == LOGREG_OK);
    hash = hash_bits(hash_bits(hash, &J, 1), out, count);
    CHECK(logreg_softmax_curvature(data, outputs, w, w + size, centre, out, out + size, &run) ==
          LOGREG_OK);
    hash = hash_bits(hash, out, count);
    free(run.workspace);
    run.workspace = allocate(logreg_softmax_predict_workspace_size(data, outputs, run.n_threads));
    CHECK(logreg_softmax_predict(data, outputs, w, w + size, 1, A, &run) == LOGREG_OK);
    hash = hash_bits(hash, A, data->m * outputs);
    free(run.workspace);
    free(centre);
    free(w);
    free(out);
    free(A);
    return hash;
}

/* Probabilities, of which some are 0, and all pairs of outputs or those that weigh most. */
static uint64_t hash_hessian_of_softmax(uint64_t hash, const logreg_data *data, int64_t outputs,
                                        double least)
{
    const int64_t size = outputs * (data->n_x + 1);
    double *A = allocate_doubles(data->m * outputs), *H = allocate_doubles(size * size);
    double *centre = allocate_doubles(data->n_x), *s = allocate_doubles(data->m);
    logreg_run run = {.n_threads = 3};
    for (int64_t i = 0; i < data->m; i++) {
        double sum = 0;
        for (int64_t k = 0; k < outputs; k++) sum += A[i * outputs + k] = (double)((i * 5 + k) % 4);
        for (int64_t k = 0; k < outputs; k++) A[i * outputs + k] /= sum > 0 ? sum : 1;
        s[i] = (double)(i % 3) / 4;
    }
    for (int64_t j = 0; j < data->n_x; j++) centre[j] = data->starts ? 0 : (double)(j % 3) / 8;
    run.workspace = allocate(logreg_softmax_hessian_workspace_size(data, run.n_threads));
    CHECK(logreg_softmax_hessian(data, outputs, A, least > 0 ? s : NULL, least, centre, H, &run) ==
          LOGREG_OK);
    for (int64_t i = 0; i < size; i++) hash = hash_bits(hash, H + i * size, i + 1);
    free(run.workspace);
    free(A);
    free(H);
    free(centre);
    free(s);
    return hash;
}

static uint64_t hash_hessians_of_softmax(void)
{
    static const int64_t shapes[][3] = {{1, 1, 2}, {5, 300, 3}, {17, 999, 9}, {600, 40, 2}};
    uint64_t hash = no_hash;
    for (int k = 0; k < COUNT(shapes); k++)
        for (int layout = 0; layout < 3; layout++) {
            problem p = make_problem(shapes[k][0], shapes[k][1],
                                     layout ? EXAMPLE_MAJOR : FEATURE_MAJOR, 0, 0);
            sparse s = make_sparse(&p, LOGREG_FLOAT64, LOGREG_INT32, 2);
            const logreg_data *data = layout == 2 ? &s.data : &p.data;
            hash = hash_hessian_of_softmax(hash, data, shapes[k][2], 0);
            hash = hash_hessian_of_softmax(hash, data, shapes[k][2], 0.5);
            free_sparse(&s);
            free_problem(&p);
        }
    return hash;
}

static uint64_t hash_sparse_softmax(void)
{
    static const int64_t shapes[][3] = {{3, 9, 2}, {17, 511, 9}, {40, 6000, 17}, {1200, 90, 3}};
    uint64_t hash = no_hash;
    for (int k = 0; k < COUNT(shapes); k++)
        for (int type = 0; type < HASHED_TYPES; type++) {
            problem p = make_problem(shapes[k][0], shapes[k][1], EXAMPLE_MAJOR, 0, type % 2);
            sparse s = make_sparse(&p, (logreg_type)type, k % 2 ? LOGREG_INT32 : LOGREG_INT64,
                                   1 + type % 2);
            double *Y = allocate_doubles(p.data.m);
            for (int64_t i = 0; i < p.data.m; i++) Y[i] = (double)(i * 7 % shapes[k][2]);
            p.data.Y = s.data.Y = (logreg_column){Y, sizeof *Y, LOGREG_FLOAT64};
            if (type != LOGREG_INT64) hash = hash_sums_of_softmax(hash, &s.data, shapes[k][2]);
            if (type == 0) hash = hash_sums_of_softmax(hash, &p.data, shapes[k][2]);
            free(Y);
            free_sparse(&s);
            free_problem(&p);
        }
    return hash;
}

static uint64_t hash_categories(void)
{
    static const int64_t shapes[][3] = {{0, 9, 1},     {3, 511, 2},  {20, 9001, 3},
                                        {9, 70000, 2}, {300, 90, 1}, {200, 100, 2}};
    static const int64_t sizes[] = {4, 90, 7};
    uint64_t hash = no_hash;
    for (int k = 0; k < COUNT(shapes); k++)
        for (int variant = 0; variant < 6; variant++) {
            const int64_t numbers = shapes[k][0], m = shapes[k][1], n_codes = shapes[k][2];
            int64_t n_x = numbers;
            for (int64_t c = 0; c < n_codes; c++) n_x += sizes[c];
            problem p = make_problem(n_x, m, FEATURE_MAJOR, 0, variant % 2);
            categorical c;
            make_categories(&c, &p, sizes, n_codes, variant);
            if (variant > 2) {
                store_X_as(&p, LOGREG_FLOAT32);
                c.data.X = p.data.X;
                c.data.feature_stride = p.data.feature_stride;
                c.data.arithmetic = LOGREG_FLOAT32;
            }
            label(&p);
            hash = hash_all(hash, &c.data, p.w, p.b, 0, 0.7);
            p.data = c.data;
            memset(p.w, 0, (size_t)n_x * sizeof *p.w);
            hash = hash_minimum(hash, &p, 0.01, 0, 40);
            p.data.arithmetic = LOGREG_FLOAT64;
            hash = hash_hessian(hash, &p, n_x, m);
            free_categories(&c);
            free_problem(&p);
        }
    return hash;
}

/* ---- Leverages, and many minima -------------------------------------------------------------- */

/* The leverages and the determinant of a factor, and the weights that make robust errors. */
static uint64_t hash_leverage(uint64_t hash, problem *p, int64_t n_x, int64_t m)
{
    const int n_threads = 3;
    double *h = allocate_doubles(m), *G = allocate_doubles(n_x * n_x), *mu = allocate_doubles(n_x);
    double S;
    CHECK(curvature(&p->data, p->w, p->b, 1, h, n_threads) == LOGREG_OK);
    p->data.sample_weight = column_of(h);
    CHECK(gram(&p->data, p->w, G, mu, &S, n_threads) == LOGREG_OK);
    for (int64_t j = 0; j < n_x; j++) G[j * n_x + j] += 0.25;
    CHECK(cholesky(G, n_x, 1e-12, n_threads) == 0);
    const double determinant = logreg_log_determinant(G, n_x);
    hash = hash_bits(hash, &determinant, 1);
    CHECK(leverage(&p->data, mu, G, h, n_threads) == LOGREG_OK);
    hash = hash_bits(hash, h, m);
    free(h);
    free(G);
    free(mu);
    return hash;
}

static uint64_t hash_leverages(void)
{
    static const logreg_type types[] = {LOGREG_FLOAT64, LOGREG_FLOAT32, LOGREG_FLOAT16,
                                        LOGREG_INT16, LOGREG_UINT8};
    static const int64_t shapes[][2] = {{1, 1},   {1, 33},   {3, 129}, {8, 128},  {9, 500},
                                        {17, 66}, {31, 257}, {65, 9},  {129, 70}, {2, 9000}};
    uint64_t hash = no_hash;
    for (int s = 0; s < COUNT(shapes); s++)
        for (int variant = 0; variant < 4; variant++) {
            const int64_t n_x = shapes[s][0], m = shapes[s][1];
            problem p = make_problem(n_x, m, (enum layout)(variant / 2), s % 3, variant % 2);
            const logreg_type type = types[(s + variant) % COUNT(types)];
            if (type != LOGREG_FLOAT64) store_X_as(&p, type);
            hash = hash_leverage(hash, &p, n_x, m);
            free_problem(&p);
        }
    return hash;
}

/* Labels with noise, without, halfway to 1/2, all alike, and at random. */
static void label_as(problem *p, int way)
{
    label(p);
    for (int64_t i = 0; i < p->data.m; i++) {
        if (way == 1) p->Y[i] = *element(p, 0, i) > 0;
        if (way == 2) p->Y[i] = 0.25 + 0.5 * p->Y[i];
        if (way == 3) p->Y[i] = 1;
        if (way == 4) p->Y[i] = i % 3 == 0;
    }
}

static uint64_t hash_many_for(uint64_t hash, const logreg_goal *goal, double b)
{
    enum { N_X = 9, COUNT_OF_FITS = 30, MOST_THREADS = 3 };
    static const int64_t sizes[] = {7, 60, 500, 4000, 1200, 1};
    static double w[COUNT_OF_FITS * N_X];
    problem problems[COUNT_OF_FITS];
    logreg_fit fits[COUNT_OF_FITS];
    char *buffer;
    for (int k = 0; k < COUNT_OF_FITS; k++) {
        const int64_t m = sizes[k % COUNT(sizes)];
        problems[k] = make_problem(N_X, m, (enum layout)(k % 2), k % 3, k % 4 == 1);
        label_as(&problems[k], k % 5);
        if (k % 7 > 4) {
            store_X_as(&problems[k], LOGREG_FLOAT32);
            problems[k].data.arithmetic = LOGREG_FLOAT32;
        }
        for (int j = 0; j < N_X; j++) w[k * N_X + j] = goal->warm ? 0.125 * j : 0;
        fits[k] = (logreg_fit){.data = problems[k].data,
                               .l2 = k % 3 == 2 ? 0.01 : 0,
                               .w = w + k * N_X,
                               .found = {.b = b}};
    }
    logreg_run run =
        make_run(logreg_minimize_many_workspace_size(fits, COUNT_OF_FITS, MOST_THREADS),
                 MOST_THREADS, &buffer);
    CHECK(logreg_minimize_many(fits, COUNT_OF_FITS, goal, &run) == LOGREG_OK);
    for (int k = 0; k < COUNT_OF_FITS; k++) {
        const logreg_progress *now = &fits[k].found;
        const double numbers[] = {fits[k].status, fits[k].J,  now->b,
                                  now->gap,       now->slope, (double)now->passes};
        hash = hash_bits(hash, numbers, COUNT(numbers));
        free_problem(&problems[k]);
    }
    free(buffer);
    return hash_bits(hash, w, COUNT_OF_FITS * N_X);
}

static uint64_t hash_many(void)
{
    static const logreg_goal goals[] = {
        {.tol = 1e-9, .slope = INFINITY, .passes = 60},
        {.tol = 1e-6, .slope = INFINITY, .passes = 60, .fixed_b = 1},
        {.tol = 0, .slope = 1e-6, .passes = 12, .warm = 1},
        {.tol = 1e-9, .slope = INFINITY, .passes = 1},
    };
    uint64_t hash = no_hash;
    for (int g = 0; g < COUNT(goals); g++) hash = hash_many_for(hash, &goals[g], g == 1 ? 2 : 0);
    return hash;
}

/* Searches over one X in step, to one penalty after the other: far, near, and back. */
static uint64_t hash_together(uint64_t hash, problem *p)
{
    enum { COUNT_OF_FOLDS = 3, MOST_THREADS = 3 };
    static const double l2s[] = {0.1, 0.0999, 1e-3, 0.1};
    const logreg_goal goal = {.l2 = l2s[0], .tol = 1e-9, .slope = INFINITY, .passes = 30};
    const int64_t n_x = p->data.n_x, m = p->data.m;
    unsigned char *in = allocate((size_t)(COUNT_OF_FOLDS * m));
    logreg_data folds[COUNT_OF_FOLDS];
    logreg_member members[COUNT_OF_FOLDS];
    char *buffer;
    for (int k = 0; k < COUNT_OF_FOLDS; k++) {
        for (int64_t i = 0; i < m; i++) in[k * m + i] = i * COUNT_OF_FOLDS / m != k;
        folds[k] = p->data;
        folds[k].sample_weight = (logreg_column){in + k * m, 1, LOGREG_BOOL};
        members[k] =
            (logreg_member){&folds[k], NULL, allocate(logreg_minimizer_size(&folds[k])), LOGREG_OK};
        logreg_minimizer_open(members[k].minimizer, &folds[k], &goal, p->w, 0);
    }
    logreg_run run =
        make_run(logreg_minimize_together_workspace_size(members, COUNT_OF_FOLDS, MOST_THREADS),
                 MOST_THREADS, &buffer);
    for (int c = 0; c < COUNT(l2s); c++) {
        for (int k = 0; k < COUNT_OF_FOLDS && c > 0; k++)
            CHECK(logreg_minimizer_retarget(members[k].minimizer, &folds[k], NULL, l2s[c], &run) ==
                  LOGREG_OK);
        CHECK(logreg_minimize_together(members, COUNT_OF_FOLDS, &run) == LOGREG_OK);
        for (int k = 0; k < COUNT_OF_FOLDS; k++) {
            const logreg_progress now = logreg_minimizer_progress(members[k].minimizer, p->w);
            const double numbers[] = {members[k].status, (double)now.passes, now.b, now.gap,
                                      now.slope};
            hash = hash_bits(hash, numbers, COUNT(numbers));
            hash = hash_bits(hash, p->w, n_x);
        }
    }
    for (int k = 0; k < COUNT_OF_FOLDS; k++) free(members[k].minimizer);
    free(buffer);
    free(in);
    return hash;
}

static uint64_t hash_folds(void)
{
    static const int64_t shapes[][2] = {{1, 40}, {9, 700}, {17, 6000}, {28, 20000}};
    uint64_t hash = no_hash;
    for (int s = 0; s < COUNT(shapes); s++)
        for (int variant = 0; variant < 4; variant++) {
            problem p = make_problem(shapes[s][0], shapes[s][1], (enum layout)(variant / 2), 0, 0);
            label(&p);
            for (int64_t j = 0; j < p.data.n_x; j++) p.w[j] = 0;
            if (variant % 2) {
                store_X_as(&p, LOGREG_FLOAT32);
                p.data.arithmetic = LOGREG_FLOAT32;
            }
            hash = hash_together(hash, &p);
            free_problem(&p);
        }
    return hash;
}

int main(void)
{
    for (int isa = 0; isa < logreg_isa_count(); isa++)
        if (logreg_isa_supported(isa)) {
            CHECK(logreg_isa_select(logreg_isa_name(isa)) == 0);
            printf("%-8s ", logreg_isa());
            for (int type = 0; type <= ALL_MIXED; type++)
                printf("%016llx-", (unsigned long long)hash_battery(type));
            printf("%016llx-", (unsigned long long)hash_loads());
            printf("%016llx-", (unsigned long long)hash_sigmoid());
            printf("%016llx-", (unsigned long long)hash_hessians());
            printf("%016llx-", (unsigned long long)hash_minima());
            printf("%016llx-", (unsigned long long)hash_softmax());
            printf("%016llx-", (unsigned long long)hash_sparse());
            printf("%016llx-", (unsigned long long)hash_leverages());
            printf("%016llx-", (unsigned long long)hash_many());
            printf("%016llx-", (unsigned long long)hash_folds());
            printf("%016llx-", (unsigned long long)hash_sparse_softmax());
            printf("%016llx-", (unsigned long long)hash_categories());
            printf("%016llx\n", (unsigned long long)hash_hessians_of_softmax());
            fflush(stdout);
        }
    return 0;
}
