/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shared by the tests of the kernel: checks, synthetic data, and calls with a workspace. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "logreg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks_passed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
        checks_passed++;                                                                           \
    } while (0)

static inline void *allocate(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static inline double *allocate_doubles(int64_t n)
{
    return allocate((size_t)n * sizeof(double));
}

/* ---- Data ------------------------------------------------------------------------------------ */

/* Returns a multiple of 2^-52 in [-1, 1). Uses only integers and exact scaling, so that every
 * compiler and machine makes the same data. */
static inline double next_value(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*seed >> 11) * 0x1p-52 - 1.0;
}

typedef enum layout { EXAMPLE_MAJOR, FEATURE_MAJOR } layout;

typedef struct problem {
    logreg_data data;
    double *X, *Y, *sample_weight;                /* the values behind data */
    int64_t size, feature_stride, example_stride; /* of X, in elements */
    void *stored;                                 /* X in another type, or NULL */
    double *w, b;                                 /* a point at which to evaluate it */
} problem;

static inline double *element(const problem *p, int64_t j, int64_t i)
{
    return p->X + j * p->feature_stride + i * p->example_stride;
}

static inline logreg_column column_of(const double *values)
{
    return (logreg_column){.values = values, .stride = sizeof(double), .type = LOGREG_FLOAT64};
}

/* Makes the same values for both layouts and every gap. The gap, the stride minus the length of a
 * line, is filled with NaN, and the buffer ends with the last value, so that stray reads show. */
static inline problem make_problem(int64_t n_x, int64_t m, layout layout, int64_t gap, int weighted)
{
    problem p = {.data = {.n_x = n_x, .m = m, .example_major = layout == EXAMPLE_MAJOR},
                 .feature_stride = 1,
                 .example_stride = 1};
    int64_t length = layout == FEATURE_MAJOR ? m : n_x, lines = layout == FEATURE_MAJOR ? n_x : m;
    if (layout == FEATURE_MAJOR)
        p.feature_stride = m + gap;
    else if (m > 1)
        p.example_stride = n_x + gap;
    p.size = lines == 0 || length == 0 ? 0 : (lines - 1) * (length + gap) + length;
    uint64_t seed = (uint64_t)(n_x * 1000003 + m);

    p.X = allocate_doubles(p.size);
    for (int64_t k = 0; k < p.size; k++) p.X[k] = NAN;
    p.Y = allocate_doubles(m);
    p.sample_weight = weighted ? allocate_doubles(m) : NULL;
    p.w = allocate_doubles(n_x);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n_x; j++) *element(&p, j, i) = next_value(&seed);
        double y = next_value(&seed), weight = next_value(&seed);
        p.Y[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : fabs(y); /* a third are soft labels */
        if (weighted) p.sample_weight[i] = i > 0 && i % 5 == 0 ? 0 : 1.5 + weight;
    }
    for (int64_t j = 0; j < n_x; j++) p.w[j] = next_value(&seed);
    p.b = next_value(&seed);
    p.data.X = column_of(p.X);
    p.data.X.stride *= p.example_stride;
    p.data.feature_stride = p.feature_stride * (int64_t)sizeof(double);
    p.data.Y = column_of(p.Y);
    if (weighted) p.data.sample_weight = column_of(p.sample_weight);
    return p;
}

/* Returns the examples per segment for n_x features. */
static inline int64_t segment_size(int64_t n_x)
{
    const logreg_data data = {.n_x = n_x};
    return logreg_segment_size(&data);
}

static inline void free_problem(problem *p)
{
    free(p->X);
    free(p->Y);
    free(p->sample_weight);
    free(p->stored);
    free(p->w);
}

/* ---- Types ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int64_t size;
} all_types[] = {
    [LOGREG_FLOAT64] = {"float64", 8}, [LOGREG_FLOAT32] = {"float32", 4},
    [LOGREG_FLOAT16] = {"float16", 2}, [LOGREG_INT64] = {"int64", 8},
    [LOGREG_INT32] = {"int32", 4},     [LOGREG_INT16] = {"int16", 2},
    [LOGREG_INT8] = {"int8", 1},       [LOGREG_UINT16] = {"uint16", 2},
    [LOGREG_UINT8] = {"uint8", 1},     [LOGREG_BOOL] = {"bool", 1},
};

/* bits.txt does not cover bools, which give the bits of a uint8 of 0 or 1. */
enum { HASHED_TYPES = LOGREG_BOOL, ALL_TYPES };

static inline int computes_in_float32(logreg_type type)
{
    return type != LOGREG_FLOAT64 && type != LOGREG_INT64 && type != LOGREG_INT32;
}

/* Stores `value`, in [-1, 1), at `place`, as precisely as the type allows, and returns the stored
 * value: for float16 a multiple of 2^-10 (exact, and normal or 0), for integers one scaled by 100,
 * or by 2^60 for int64. */
static inline double store(logreg_type type, void *place, double value)
{
    if (isnan(value)) value = 0;
    double scaled = nearbyint(value * (type == LOGREG_INT64 ? 0x1p60 : 100));
    if (type == LOGREG_UINT8 || type == LOGREG_UINT16) scaled = fabs(scaled);
    if (type == LOGREG_FLOAT16) {
        double fraction = nearbyint(value * 1024) / 1024;
        int exponent;
        double f = frexp(fabs(fraction), &exponent); /* f in [1/2, 1) */
        uint16_t bits =
            fraction == 0 ? 0 : (uint16_t)((exponent + 14) << 10 | (int)(f * 2048 - 1024));
        bits |= fraction < 0 ? 0x8000 : 0;
        memcpy(place, &bits, sizeof bits);
        return fraction;
    }
#define STORE(name, type_of, number)                                                               \
    if (type == name) {                                                                            \
        type_of stored = (type_of)(number);                                                        \
        memcpy(place, &stored, sizeof stored);                                                     \
        return (double)stored;                                                                     \
    }
    STORE(LOGREG_FLOAT64, double, value)
    STORE(LOGREG_FLOAT32, float, value)
    STORE(LOGREG_INT64, int64_t, scaled + 1)
    STORE(LOGREG_INT32, int32_t, scaled)
    STORE(LOGREG_INT16, int16_t, scaled)
    STORE(LOGREG_INT8, int8_t, scaled)
    STORE(LOGREG_UINT16, uint16_t, scaled)
    STORE(LOGREG_UINT8, uint8_t, scaled)
    if (type == LOGREG_BOOL) { /* any byte */
        const uint8_t stored = (uint8_t)(fabs(scaled) * 2.5);
        memcpy(place, &stored, sizeof stored);
        return stored != 0;
    }
#undef STORE
    return NAN;
}

/* Stores X in another type, and updates p->X to the stored values. */
static inline void store_X_as(problem *p, logreg_type type)
{
    int64_t size = all_types[type].size;
    p->stored = allocate((size_t)(p->size * size));
    for (int64_t k = 0; k < p->size; k++)
        p->X[k] = store(type, (char *)p->stored + k * size, p->X[k]);
    p->data.X.values = p->stored;
    p->data.X.type = type;
    p->data.X.stride = p->example_stride * size;
    p->data.feature_stride = p->feature_stride * size;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* Returns a run with an aligned workspace filled with NaN, in a buffer that ends within 64 bytes of
 * it.
 */
static inline logreg_run make_run(size_t size, int n_threads, char **buffer)
{
    *buffer = allocate(size + 64);
    memset(*buffer, 0xff, size + 64);
    size_t past = (uintptr_t)*buffer % 64;
    return (logreg_run){.n_threads = n_threads, .workspace = *buffer + (past ? 64 - past : 0)};
}

static inline int standardize(const logreg_data *data, int n_threads,
                              const logreg_standardization *out)
{
    char *buffer;
    logreg_run run =
        make_run(logreg_standardize_workspace_size(data, n_threads), n_threads, &buffer);
    int code = logreg_standardize(data, out, &run);
    free(buffer);
    return code;
}

static inline int centres(const logreg_standardization *standardization)
{
    return standardization && standardization->centre;
}

static inline int descend(const logreg_data *data, const logreg_settings *settings,
                          logreg_state *state, double *costs, int64_t iters, int64_t *n_costs,
                          int n_threads)
{
    char *buffer;
    size_t size = logreg_workspace_size(data, centres(settings->standardization), n_threads);
    logreg_run run = make_run(size, n_threads, &buffer);
    int code = logreg_descend(data, settings, state, costs, iters, n_costs, &run);
    free(buffer);
    return code;
}

static inline int cost_and_gradient(const logreg_data *data, const double *w, double b, double l2,
                                    double *J, double *dw, double *db, int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_workspace_size(data, 0, n_threads), n_threads, &buffer);
    int code = logreg_cost_and_gradient(data, NULL, w, b, l2, J, dw, db, &run);
    free(buffer);
    return code;
}

static inline int standardized_cost_and_gradient(const logreg_data *data,
                                                 const logreg_standardization *standardization,
                                                 const double *w, double b, double l2, double *J,
                                                 double *dw, double *db, int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_workspace_size(data, centres(standardization), n_threads),
                              n_threads, &buffer);
    int code = logreg_cost_and_gradient(data, standardization, w, b, l2, J, dw, db, &run);
    free(buffer);
    return code;
}

static inline int decision(const logreg_data *data, const double *w, double b, double *Z,
                           int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_predict_workspace_size(data, n_threads), n_threads, &buffer);
    int code = logreg_decision(data, w, b, Z, &run);
    free(buffer);
    return code;
}

static inline int predict_proba(const logreg_data *data, const double *w, double b, double *A,
                                int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_predict_workspace_size(data, n_threads), n_threads, &buffer);
    int code = logreg_predict_proba(data, w, b, A, &run);
    free(buffer);
    return code;
}

static inline int curvature(const logreg_data *data, const double *w, double b, int squared,
                            double *h, int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_predict_workspace_size(data, n_threads), n_threads, &buffer);
    int code = logreg_curvature(data, w, b, squared, h, &run);
    free(buffer);
    return code;
}

static inline int gradient_and_curvature(const logreg_data *data, const double *w, double b,
                                         double *J, double *dw, double *db, double *h,
                                         int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_workspace_size(data, 0, n_threads), n_threads, &buffer);
    int code = logreg_gradient_and_curvature(data, w, b, J, dw, db, h, &run);
    free(buffer);
    return code;
}

static inline int gram(const logreg_data *data, const double *centre, double *G, double *mu,
                       double *S, int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_gram_workspace_size(data, n_threads), n_threads, &buffer);
    int code = logreg_gram(data, centre, G, mu, S, &run);
    free(buffer);
    return code;
}

static inline int64_t cholesky(double *A, int64_t n, double least, int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_cholesky_workspace_size(n, n_threads), n_threads, &buffer);
    int64_t failed = logreg_cholesky(A, n, least, &run);
    free(buffer);
    return failed;
}

static inline int leverage(const logreg_data *data, const double *centre, const double *L,
                           double *out, int n_threads)
{
    char *buffer;
    logreg_run run = make_run(logreg_leverage_workspace_size(data, n_threads), n_threads, &buffer);
    int code = logreg_leverage(data, centre, L, out, &run);
    free(buffer);
    return code;
}

static inline logreg_standardization allocate_standardization(int64_t n_x)
{
    return (logreg_standardization){.mean = allocate_doubles(n_x),
                                    .mean_lo = allocate_doubles(n_x),
                                    .sd = allocate_doubles(n_x),
                                    .centre = 1,
                                    .scale = 1};
}

static inline void free_standardization(const logreg_standardization *s)
{
    free(s->mean);
    free(s->mean_lo);
    free(s->sd);
}

/* ---- Bits ------------------------------------------------------------------------------------ */

static inline int same_bits(const double *a, const double *b, int64_t n)
{
    return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

/* FNV-1a over 64-bit words, so that byte order does not matter. */
static inline uint64_t hash_bits(uint64_t hash, const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        hash = (hash ^ bits) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    return hash;
}

#endif
