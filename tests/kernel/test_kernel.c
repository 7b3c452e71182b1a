/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The promises of logreg.h, tested from C for every instruction set that this CPU has. `make` in
 * this folder builds and runs it with several compilers. */
#ifndef _WIN32
#define _POSIX_C_SOURCE 200809L
#endif

#include "problem.h"
#include "sparse.h"
#include "categories.h"

#include "block/kernels.h"
#include "platform/parallel.h"

#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <time.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif
#ifdef LOGREG_DISPATCH
#include <dispatch/dispatch.h>
#endif
#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* Sizes around every vector width, run and block that the kernel may use. */
static const int64_t some_examples[] = {1,  2,  3,   4,   5,   6,   7,   8,   9,  10,
                                        11, 12, 13,  14,  15,  16,  17,  31,  33, 63,
                                        64, 65, 127, 129, 255, 257, 511, 512, 513};
static const int64_t some_features[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,   9,   10, 11,
                                        12, 13, 14, 15, 16, 17, 31, 33, 255, 511, 513};

static int near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance;
}

static double max_abs(const double *v, int64_t n)
{
    double max = 0;
    for (int64_t i = 0; i < n; i++) max = fmax(max, fabs(v[i]));
    return max;
}

static double *copy_of(const double *v, int64_t n)
{
    double *copy = allocate_doubles(n);
    memcpy(copy, v, (size_t)n * sizeof *v);
    return copy;
}

/* ---- Long-hand: one example and one feature at a time, with exp and log1p of libm ------------ */

static double long_hand_z(const problem *p, const double *w, double b, int64_t i)
{
    double z = b;
    for (int64_t j = 0; j < p->data.n_x; j++) z += w[j] * *element(p, j, i);
    return z;
}

static void long_hand_pass(const problem *p, const double *w, double b, double l2, double *J,
                           double *dw, double *db)
{
    int64_t n_x = p->data.n_x, m = p->data.m;
    double total = 0, squares = 0;
    *J = *db = 0;
    for (int64_t j = 0; j < n_x; j++) dw[j] = 0;
    for (int64_t i = 0; i < m; i++) {
        double z = long_hand_z(p, w, b, i), y = p->Y[i], e = exp(-fabs(z)), s = e / (1 + e);
        double c = z > 0 ? 1 - y : y, dz = z > 0 ? c - s : s - c;
        double weight = p->sample_weight ? p->sample_weight[i] : 1;
        *J += weight * (fabs(z) * c + log1p(e));
        *db += weight * dz;
        for (int64_t j = 0; j < n_x; j++) dw[j] += weight * dz * *element(p, j, i);
        total += weight;
    }
    for (int64_t j = 0; j < n_x; j++) {
        dw[j] = dw[j] / total + l2 * w[j];
        squares += w[j] * w[j];
    }
    *J = *J / total + l2 / 2 * squares;
    *db /= total;
}

static void long_hand_descend(const problem *p, double alpha, double l2, double *w, double *b,
                              double *costs, int iters)
{
    double *dw = allocate_doubles(p->data.n_x), db;
    for (int k = 0; k < iters; k++) {
        long_hand_pass(p, w, *b, l2, &costs[k], dw, &db);
        for (int64_t j = 0; j < p->data.n_x; j++) w[j] -= alpha * dw[j];
        *b -= alpha * db;
    }
    free(dw);
}

static void long_hand_standardize(const problem *p, double *mean, double *sd)
{
    for (int64_t j = 0; j < p->data.n_x; j++) {
        double total = 0, sum = 0, squares = 0;
        for (int64_t i = 0; i < p->data.m; i++) {
            double weight = p->sample_weight ? p->sample_weight[i] : 1;
            total += weight;
            sum += weight * *element(p, j, i);
        }
        mean[j] = sum / total;
        for (int64_t i = 0; i < p->data.m; i++) {
            double weight = p->sample_weight ? p->sample_weight[i] : 1;
            double deviation = *element(p, j, i) - mean[j];
            squares += weight * deviation * deviation;
        }
        sd[j] = sqrt(squares / total);
    }
}

/* ---- One pass -------------------------------------------------------------------------------- */

static void check_pass(const problem *p, double l2, int n_threads)
{
    int64_t n_x = p->data.n_x;
    double J, db, J_long, db_long, *dw = allocate_doubles(n_x), *dw_long = allocate_doubles(n_x);
    CHECK(cost_and_gradient(&p->data, p->w, p->b, l2, &J, dw, &db, n_threads) == LOGREG_OK);
    long_hand_pass(p, p->w, p->b, l2, &J_long, dw_long, &db_long);
    CHECK(near(J, J_long, 1e-12 * J_long));
    CHECK(near(db, db_long, 1e-12));
    for (int64_t j = 0; j < n_x; j++) CHECK(near(dw[j], dw_long[j], 1e-12));
    free(dw);
    free(dw_long);
}

static void check_proba(const problem *p, int n_threads)
{
    double *A = allocate_doubles(p->data.m), *Z = allocate_doubles(p->data.m);
    CHECK(predict_proba(&p->data, p->w, p->b, A, n_threads) == LOGREG_OK);
    CHECK(decision(&p->data, p->w, p->b, Z, n_threads) == LOGREG_OK);
    for (int64_t i = 0; i < p->data.m; i++) {
        double z = long_hand_z(p, p->w, p->b, i), a = 1 / (1 + exp(-z));
        CHECK(near(A[i], a, 1e-12 * a));
        CHECK(near(Z[i], z, 1e-12));
    }
    free(A);
    free(Z);
}

static void check_shape(int64_t n_x, int64_t m, int n_threads)
{
    for (int variant = 0; variant < 8; variant++) {
        problem p = make_problem(n_x, m, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR,
                                 variant & 2 ? 3 : 0, variant & 4);
        check_pass(&p, variant & 2 ? 0.3 : 0, n_threads);
        check_proba(&p, n_threads);
        free_problem(&p);
    }
}

static void test_a_pass_agrees_with_long_hand(void)
{
    static const int64_t few[] = {1, 3, 8, 30};
    for (int f = 0; f < COUNT(some_features); f++)
        for (int e = 0; e < COUNT(some_examples); e += some_features[f] > 33 ? 5 : 1)
            check_shape(some_features[f], some_examples[e], 1);
    for (int f = 0; f < COUNT(few); f++)
        for (int off = -1; off <= 1; off++) check_shape(few[f], segment_size(few[f]) + off, 2);
    /* a single thread sums subtrees of eight segments; the last one has seven */
    problem p = make_problem(1, 71 * segment_size(1) - 5, FEATURE_MAJOR, 0, 0);
    check_pass(&p, 0, 1);
    free_problem(&p);
}

/* With one feature, w = 1 and b = 0, Z is exactly X. */
static void check_cost_at(double z, double y, double J_exact, double dz_exact)
{
    double X = z, Y = y, w = 1, J, dw, db;
    logreg_data data = {.n_x = 1, .m = 1, .X = column_of(&X), .Y = column_of(&Y)};
    CHECK(cost_and_gradient(&data, &w, 0, 0, &J, &dw, &db, 1) == LOGREG_OK);
    CHECK(near(J, J_exact, 1e-13 * J_exact));
    CHECK(near(db, dz_exact, 1e-13 * fabs(dz_exact)));
}

static void test_cost_is_accurate_for_extreme_z(void)
{
    static const double z[] = {1e-300, 1e-9, 0.5, 15, 36, 40, 300, 690};
    double below_1 = 1 - 0x1p-53;
    for (int k = 0; k < COUNT(z); k++) {
        double e = exp(-z[k]), s = e / (1 + e);
        check_cost_at(z[k], 1, log1p(e), -s);
        check_cost_at(-z[k], 0, log1p(e), s);
        check_cost_at(z[k], 0, z[k] + log1p(e), 1 - s);
        check_cost_at(-z[k], 1, z[k] + log1p(e), s - 1);
        check_cost_at(z[k], below_1, z[k] * 0x1p-53 + log1p(e), 0x1p-53 - s);
    }
    check_cost_at(709, 1, exp(-709.0), -exp(-709.0));
    check_cost_at(1e307, 0, 1e307, 1);
    check_cost_at(-1e307, 1, 1e307, -1);
}

static void test_a_gap_or_a_slice_changes_no_bit(void)
{
    static const int64_t shapes[][2] = {{1, 513}, {3, 17}, {7, 700}, {30, 569}, {100, 65}};
    for (int s = 0; s < COUNT(shapes); s++)
        for (int variant = 0; variant < 4; variant++) {
            int64_t n_x = shapes[s][0], m = shapes[s][1];
            layout layout = variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR;
            double J[2], db[2], *dw[2] = {allocate_doubles(n_x), allocate_doubles(n_x)};
            for (int k = 0; k < 2; k++) {
                problem p = make_problem(n_x, m, layout, 5 * k, variant & 2);
                CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J[k], dw[k], &db[k], 1) ==
                      LOGREG_OK);
                free_problem(&p);
            }
            CHECK(same_bits(&J[0], &J[1], 1) && same_bits(&db[0], &db[1], 1));
            CHECK(same_bits(dw[0], dw[1], n_x));
            free(dw[0]);
            free(dw[1]);
        }
}

/* ---- Types ----------------------------------------------------------------------------------- */

/* The results depend on the values and the arithmetic. They do not depend on the type in which the
 * values are stored, nor on whether they are a matrix, a list of columns, or columns with gaps. */
static void check_type(int64_t n_x, int64_t m, layout layout, logreg_type type, int weighted)
{
    problem p = make_problem(n_x, m, layout, 3, weighted);
    for (int64_t j = 0; j < n_x; j++) p.w[j] /= 10; /* integers are up to 100 */
    store_X_as(&p, type);
    if (type == LOGREG_INT64)
        for (int64_t j = 0; j < n_x; j++) p.w[j] *= 0x1p-55;
    logreg_data as_float64 = p.data;
    as_float64.X = column_of(p.X);
    as_float64.X.stride *= p.example_stride;
    as_float64.feature_stride = p.feature_stride * (int64_t)sizeof(double);
    double *dw[2] = {allocate_doubles(n_x), allocate_doubles(n_x)}, J[2], db[2];
    double *A[2] = {allocate_doubles(m), allocate_doubles(m)};
    logreg_standardization s[2] = {allocate_standardization(n_x), allocate_standardization(n_x)};
    logreg_column *columns = allocate((size_t)n_x * sizeof *columns);
    const logreg_data *both[2] = {&as_float64, &p.data};
    for (int k = 0; k < 2; k++) {
        CHECK(cost_and_gradient(both[k], p.w, p.b, 0, &J[k], dw[k], &db[k], 2) == LOGREG_OK);
        CHECK(predict_proba(both[k], p.w, p.b, A[k], 2) == LOGREG_OK);
        CHECK(m < 3 || standardize(both[k], 2, &s[k]) == LOGREG_OK);
    }
    CHECK(same_bits(&J[0], &J[1], 1) && same_bits(&db[0], &db[1], 1));
    CHECK(same_bits(dw[0], dw[1], n_x) && same_bits(A[0], A[1], m));
    if (m >= 3) CHECK(same_bits(s[0].mean, s[1].mean, n_x) && same_bits(s[0].sd, s[1].sd, n_x));

    if (computes_in_float32(type)) {
        p.data.arithmetic = LOGREG_FLOAT32;
        CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J[1], dw[1], &db[1], 2) == LOGREG_OK);
        CHECK(predict_proba(&p.data, p.w, p.b, A[1], 2) == LOGREG_OK);
        double slope = type == LOGREG_FLOAT32 || type == LOGREG_FLOAT16 ? 1 : 100;
        double z_error = 0x1p-24 * (double)(n_x + 2) * (0.1 * slope * (double)n_x + 1);
        CHECK(near(J[0], J[1], z_error + 1e-6 * J[0]));
        CHECK(near(db[0], db[1], z_error + 4e-6));
        for (int64_t j = 0; j < n_x; j++) CHECK(near(dw[0][j], dw[1][j], slope * (z_error + 4e-6)));
        for (int64_t i = 0; i < m; i++) CHECK(near(A[0][i], A[1][i], z_error + 1e-7));
    }
    if (layout == FEATURE_MAJOR) {
        double J_columns, db_columns, *dw_columns = dw[0];
        for (int64_t j = 0; j < n_x; j++) {
            columns[j] = p.data.X;
            columns[j].values = (char *)p.stored + j * p.data.feature_stride;
        }
        p.data.features = columns;
        CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J_columns, dw_columns, &db_columns, 2) ==
              LOGREG_OK);
        CHECK(same_bits(&J[1], &J_columns, 1) && same_bits(&db[1], &db_columns, 1));
        CHECK(same_bits(dw[1], dw_columns, n_x));
    }
    for (int k = 0; k < 2; k++) {
        free(dw[k]);
        free(A[k]);
        free_standardization(&s[k]);
    }
    free(columns);
    free_problem(&p);
}

static void test_how_values_are_stored_changes_no_bit(void)
{
    static const int64_t features[] = {1, 2, 4, 5, 8, 9, 16, 17, 31, 33, 130};
    static const int64_t examples[] = {1, 2, 7, 8, 9, 15, 16, 17, 33, 65, 129, 257, 513, 700};
    for (int type = 0; type < ALL_TYPES; type++)
        for (int f = 0; f < COUNT(features); f++)
            for (int e = 0; e < COUNT(examples); e++)
                for (int variant = 0; variant < 4; variant++)
                    check_type(features[f], examples[e],
                               variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, (logreg_type)type,
                               variant & 2);
    /* every number of values left over at the end of a column or an example */
    for (int type = 0; type < ALL_TYPES; type++)
        for (int64_t n = 1; n <= 41; n++) {
            check_type(5, n, FEATURE_MAJOR, (logreg_type)type, n & 1);
            check_type(n, 5, EXAMPLE_MAJOR, (logreg_type)type, n & 1);
        }
    /* examples too long to keep packed, so they are packed in tiles */
    for (int type = 0; type < ALL_TYPES; type++) {
        check_type(17000, 70, EXAMPLE_MAJOR, (logreg_type)type, 0);
        check_type(17000, 70, FEATURE_MAJOR, (logreg_type)type, 0);
    }
    check_type(140000, 3, EXAMPLE_MAJOR, LOGREG_INT8, 0);
}

/* Feature-major X and labels at odd addresses, with an odd distance between features. */
static void test_values_that_are_not_aligned_change_no_bit(void)
{
    enum { N_X = 6, M = 700 };
    problem p = make_problem(N_X, M, FEATURE_MAJOR, 0, 1);
    double J[2], db[2], dw[2][N_X];
    const int64_t line = M * (int64_t)sizeof(double);
    char *X = allocate((size_t)(N_X * (line + 1))), *Y = allocate((size_t)line + 1);
    CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J[0], dw[0], &db[0], 1) == LOGREG_OK);
    memcpy(Y + 1, p.Y, (size_t)line);
    p.data.Y.values = Y + 1;
    for (int odd = 0; odd < 2; odd++) { /* all features unaligned but the first, or all */
        p.data.feature_stride = line + !odd;
        for (int j = 0; j < N_X; j++)
            memcpy(X + odd + j * p.data.feature_stride, element(&p, j, 0), (size_t)line);
        p.data.X.values = X + odd;
        CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J[1], dw[1], &db[1], 1) == LOGREG_OK);
        CHECK(same_bits(&J[0], &J[1], 1) && same_bits(&db[0], &db[1], 1));
        CHECK(same_bits(dw[0], dw[1], N_X));
    }
    free(X);
    free(Y);
    free_problem(&p);
}

/* Labels and weights of any type and stride, aligned or not. */
static void test_typed_labels_and_weights_change_no_bit(void)
{
    enum { N_X = 9, M = 700 };
    for (int type = 0; type < ALL_TYPES; type++)
        for (int variant = 0; variant < 8; variant++) {
            problem p = make_problem(N_X, M, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, 1);
            int64_t stride = all_types[type].size * (variant & 2 ? 1 : 3) + (variant & 4 ? 1 : 0);
            char *Y = allocate((size_t)(M * stride)), *weight = allocate((size_t)(M * stride));
            double J[2], db[2], dw[2][N_X];
            for (int i = 0; i < M; i++) {
                double y = type == LOGREG_FLOAT16 || type <= LOGREG_FLOAT32 ? p.Y[i] : 0;
                p.Y[i] = store((logreg_type)type, Y + i * stride, y);
                if (type == LOGREG_INT64) p.Y[i] = 1; /* store adds 1 */
                p.sample_weight[i] = store((logreg_type)type, weight + i * stride, 0.5);
            }
            for (int k = 0; k < 2; k++) {
                CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J[k], dw[k], &db[k], 2) ==
                      LOGREG_OK);
                p.data.Y = (logreg_column){Y, stride, (logreg_type)type};
                p.data.sample_weight = (logreg_column){weight, stride, (logreg_type)type};
            }
            CHECK(same_bits(J, J + 1, 1) && same_bits(db, db + 1, 1) &&
                  same_bits(dw[0], dw[1], N_X));
            free(Y);
            free(weight);
            free_problem(&p);
        }
}

/* ---- Descent --------------------------------------------------------------------------------- */

static void check_descent(int64_t n_x, int64_t m, layout layout, int weighted)
{
    enum { ITERS = 10 };
    problem p = make_problem(n_x, m, layout, 1, weighted);
    double costs[ITERS], costs_long[ITERS], *w_long = copy_of(p.w, n_x), b_long = p.b;
    logreg_settings settings = {.alpha = 0.5, .l2 = 0.1, .tol = -1};
    logreg_state state = {.w = p.w, .b = p.b};
    int64_t n_costs;
    CHECK(descend(&p.data, &settings, &state, costs, ITERS, &n_costs, 1) == LOGREG_OK);
    CHECK(n_costs == ITERS);
    long_hand_descend(&p, settings.alpha, settings.l2, w_long, &b_long, costs_long, ITERS);
    for (int k = 0; k < ITERS; k++) CHECK(near(costs[k], costs_long[k], 1e-12 * costs_long[0]));
    for (int64_t j = 0; j < n_x; j++) CHECK(near(p.w[j], w_long[j], 1e-12 * max_abs(w_long, n_x)));
    CHECK(near(state.b, b_long, 1e-12));
    free(w_long);
    free_problem(&p);
}

static void test_descent_agrees_with_long_hand(void)
{
    static const int64_t features[] = {0, 1, 2, 3, 7, 8, 30, 255};
    static const int64_t examples[] = {1, 2, 15, 16, 17, 511, 512, 513};
    for (int f = 0; f < COUNT(features); f++)
        for (int e = 0; e < COUNT(examples); e++)
            for (int variant = 0; variant < 4; variant++)
                check_descent(features[f], examples[e], variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR,
                              variant & 2);
}

static void test_descent_converges_at_tol(void)
{
    problem p = make_problem(3, 50, FEATURE_MAJOR, 0, 0);
    logreg_settings settings = {.alpha = 1, .tol = 1e-3};
    logreg_state state = {.w = p.w, .b = p.b};
    double *costs = allocate_doubles(10000), J, dw[3], db;
    int64_t n_costs;
    CHECK(descend(&p.data, &settings, &state, costs, 10000, &n_costs, 1) == LOGREG_CONVERGED);
    CHECK(n_costs > 1 && n_costs < 10000);
    /* no update follows the last cost: it is J at the returned w and b */
    CHECK(cost_and_gradient(&p.data, p.w, state.b, 0, &J, dw, &db, 1) == LOGREG_OK);
    CHECK(same_bits(&J, &costs[n_costs - 1], 1));
    CHECK(fmax(max_abs(dw, 3), fabs(db)) <= settings.tol);
    /* one iteration earlier, the descent has not converged */
    problem again = make_problem(3, 50, FEATURE_MAJOR, 0, 0);
    logreg_state start = {.w = again.w, .b = again.b};
    CHECK(descend(&again.data, &settings, &start, costs, n_costs - 1, &n_costs, 1) == LOGREG_OK);
    free(costs);
    free_problem(&again);

    /* a gradient of exactly 0 is within tol = 0, but not within a negative tol */
    for (int i = 0; i < 50; i++) p.Y[i] = 0.5;
    memset(p.w, 0, 3 * sizeof *p.w);
    state.b = 0;
    settings.tol = 0;
    CHECK(descend(&p.data, &settings, &state, &J, 1, &n_costs, 1) == LOGREG_CONVERGED);
    CHECK(n_costs == 1);
    settings.tol = -1;
    CHECK(descend(&p.data, &settings, &state, &J, 1, &n_costs, 1) == LOGREG_OK);
    CHECK(n_costs == 1);

    /* dw within tol is not enough: db must be too */
    settings.tol = 0.1;
    p.data.n_x = 0;
    state.b = 3;
    CHECK(descend(&p.data, &settings, &state, &J, 1, &n_costs, 1) == LOGREG_OK);
    free_problem(&p);
}

/* A fixed b stays at its initial value, and db does not keep the descent from converging. */
static void test_a_fixed_b_stays(void)
{
    for (int scaled = 0; scaled < 2; scaled++) {
        problem p = make_problem(3, 700, FEATURE_MAJOR, 0, 1);
        double ones[3] = {2, 0.5, 1}, means[3] = {7, -7, 1};
        logreg_standardization only_scales = {
            .mean = means, .mean_lo = means, .sd = ones, .scale = 1};
        logreg_settings settings = {.alpha = 0.5, .l2 = 0.01, .tol = 1e-4, .fixed_b = 1};
        if (scaled) settings.standardization = &only_scales;
        logreg_state state = {.w = p.w, .b = 0.3};
        double *costs = allocate_doubles(100000), w[3], J, dw[3], db;
        int64_t n_costs;
        CHECK(descend(&p.data, &settings, &state, costs, 100000, &n_costs, 2) == LOGREG_CONVERGED);
        CHECK(state.b == 0.3 && n_costs > 2);
        for (int j = 0; j < 3; j++) w[j] = scaled ? p.w[j] * ones[j] : p.w[j];
        CHECK(standardized_cost_and_gradient(&p.data, scaled ? &only_scales : NULL, w, 0.3,
                                             settings.l2, &J, dw, &db, 2) == LOGREG_OK);
        CHECK(near(J, costs[n_costs - 1], 1e-14));
        CHECK(max_abs(dw, 3) <= settings.tol && fabs(db) > settings.tol);
        free(costs);
        free_problem(&p);
    }
}

static void test_many_calls_continue_one(void)
{
    enum { ITERS = 12 };
    for (int variant = 0; variant < 8; variant++) {
        layout layout = variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR;
        double costs[2][ITERS], *w[2], b[2];
        logreg_standardization standardization = allocate_standardization(9);
        for (int many = 0; many < 2; many++) {
            problem p = make_problem(9, 600, layout, 0, variant & 2);
            logreg_settings settings = {.alpha = 0.4, .l2 = 0.01, .tol = -1};
            logreg_state state = {.w = p.w, .b = p.b};
            int64_t n_costs;
            if (variant & 4) { /* with a mean so large that b alone would lose its low bits */
                for (int i = 0; i < 600; i++) *element(&p, 0, i) += 1e9;
                CHECK(standardize(&p.data, 1, &standardization) == LOGREG_OK);
                settings.standardization = &standardization;
            }
            for (int k = 0; k < ITERS; k += many ? 1 : ITERS) {
                int iters = many ? 1 : ITERS;
                CHECK(descend(&p.data, &settings, &state, &costs[many][k], iters, &n_costs, 1) ==
                      LOGREG_OK);
                CHECK(n_costs == iters);
            }
            w[many] = copy_of(p.w, 9);
            b[many] = state.b;
            /* no iterations, no change */
            CHECK(descend(&p.data, &settings, &state, NULL, 0, &n_costs, 1) == LOGREG_OK);
            CHECK(n_costs == 0 && same_bits(p.w, w[many], 9) && same_bits(&state.b, &b[many], 1));
            free_problem(&p);
        }
        CHECK(same_bits(w[0], w[1], 9) && same_bits(&b[0], &b[1], 1));
        CHECK(same_bits(costs[0], costs[1], ITERS));
        free(w[0]);
        free(w[1]);
        free_standardization(&standardization);
    }
}

/* ---- Standardized features ------------------------------------------------------------------- */

static void check_standardized(int64_t n_x, int64_t m, layout layout, int weighted)
{
    enum { ITERS = 10 };
    problem p = make_problem(n_x, m, layout, 0, weighted);
    logreg_standardization found = allocate_standardization(n_x);
    double *mean = allocate_doubles(n_x), *sd = allocate_doubles(n_x);
    double costs[ITERS], costs_long[ITERS];
    CHECK(standardize(&p.data, 2, &found) == LOGREG_OK);
    long_hand_standardize(&p, mean, sd);
    for (int64_t j = 0; j < n_x; j++) {
        CHECK(near(found.mean[j], mean[j], 1e-13));
        CHECK(fabs(found.mean_lo[j]) <= 0x1p-52 * fabs(found.mean[j]));
        CHECK(near(found.sd[j], sd[j], 1e-12 * sd[j]));
    }

    logreg_settings settings = {.alpha = 0.5, .l2 = 0.1, .tol = -1, .standardization = &found};
    logreg_state state = {.w = copy_of(p.w, n_x), .b = p.b};
    int64_t n_costs;
    CHECK(descend(&p.data, &settings, &state, costs, ITERS, &n_costs, 2) == LOGREG_OK);

    double *w_std = allocate_doubles(n_x), b_std = p.b, J, db, J_long, db_long;
    double *dw = allocate_doubles(n_x), *dw_long = allocate_doubles(n_x);
    for (int64_t j = 0; j < n_x; j++) {
        b_std += p.w[j] * mean[j];
        w_std[j] = p.w[j] * sd[j];
    }
    CHECK(standardized_cost_and_gradient(&p.data, &found, w_std, b_std, settings.l2, &J, dw, &db,
                                         2) == LOGREG_OK);

    double b = p.b;
    for (int64_t j = 0; j < n_x; j++) {
        for (int64_t i = 0; i < m; i++) *element(&p, j, i) = (*element(&p, j, i) - mean[j]) / sd[j];
        b += p.w[j] * mean[j];
        p.w[j] *= sd[j];
    }
    long_hand_pass(&p, p.w, b, settings.l2, &J_long, dw_long, &db_long);
    CHECK(near(J, J_long, 1e-12 * J_long) && near(db, db_long, 1e-12));
    for (int64_t j = 0; j < n_x; j++) CHECK(near(dw[j], dw_long[j], 1e-12));
    long_hand_descend(&p, settings.alpha, settings.l2, p.w, &b, costs_long, ITERS);
    for (int k = 0; k < ITERS; k++) CHECK(near(costs[k], costs_long[k], 1e-12 * costs_long[0]));
    for (int64_t j = 0; j < n_x; j++) {
        CHECK(near(state.w[j], p.w[j] / sd[j], 1e-11 * fmax(1, fabs(p.w[j] / sd[j]))));
        b -= p.w[j] / sd[j] * mean[j];
    }
    CHECK(near(state.b, b, 1e-11));
    free(w_std);
    free(dw);
    free(dw_long);
    free(state.w);
    free(mean);
    free(sd);
    free_standardization(&found);
    free_problem(&p);
}

static void test_standardized_descent_agrees_with_long_hand(void)
{
    static const int64_t features[] = {1, 2, 3, 7, 8, 30};
    static const int64_t examples[] = {15, 16, 17, 511, 513};
    for (int f = 0; f < COUNT(features); f++)
        for (int variant = 0; variant < 4; variant++) {
            layout layout = variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR;
            for (int e = 0; e < COUNT(examples); e++)
                check_standardized(features[f], examples[e], layout, variant & 2);
            check_standardized(features[f], segment_size(features[f]) + 1, layout, variant & 2);
        }
    /* tasks of several segments of several blocks: nodes wait while others are summed */
    check_standardized(300, 33 * segment_size(300), EXAMPLE_MAJOR, 1);
}

/* So many features that examples are packed one tile of features at a time in both arithmetics. */
static void test_many_features_are_standardized_in_tiles(void)
{
    enum { N_X = 5000 };
    problem p = make_problem(N_X, 17, EXAMPLE_MAJOR, 0, 1);
    double J[2], db[2], *dw[2], *dw_long = allocate_doubles(N_X);
    static double mean[N_X], sd[N_X];
    logreg_standardization found = allocate_standardization(N_X);
    store_X_as(&p, LOGREG_FLOAT32);
    long_hand_standardize(&p, mean, sd);
    for (int j = 0; j < N_X; j++) p.w[j] /= 64;
    for (int k = 0; k < 2; k++) {
        p.data.arithmetic = k ? LOGREG_FLOAT32 : LOGREG_FLOAT64;
        dw[k] = allocate_doubles(N_X);
        CHECK(standardize(&p.data, 1, &found) == LOGREG_OK);
        CHECK(standardized_cost_and_gradient(&p.data, &found, p.w, p.b, 0, &J[k], dw[k], &db[k],
                                             1) == LOGREG_OK);
    }
    for (int j = 0; j < N_X; j++)
        for (int i = 0; i < 17; i++) *element(&p, j, i) = (*element(&p, j, i) - mean[j]) / sd[j];
    double J_long, db_long;
    long_hand_pass(&p, p.w, p.b, 0, &J_long, dw_long, &db_long);
    for (int k = 0; k < 2; k++) {
        const double tolerance = k ? 1e-4 : 1e-11;
        CHECK(near(J[k], J_long, tolerance) && near(db[k], db_long, tolerance));
        for (int j = 0; j < N_X; j++) CHECK(near(dw[k][j], dw_long[j], tolerance));
        free(dw[k]);
    }
    free(dw_long);
    free_standardization(&found);
    free_problem(&p);
}

/* Columns like 1e9 + k with k in 0..6: the sums over k are exact. */
static void test_mean_is_exact_despite_a_large_offset(void)
{
    for (int layout = EXAMPLE_MAJOR; layout <= FEATURE_MAJOR; layout++) {
        problem p = make_problem(2, 3001, (enum layout)layout, 0, 0);
        logreg_standardization found = allocate_standardization(2);
        double sum = 0, squares = 0;
        for (int i = 0; i < 3001; i++) {
            int k = (int)((int64_t)i * i % 7);
            *element(&p, 0, i) = 1e9 + k;
            *element(&p, 1, i) = -1e9 - k;
            sum += k;
            squares += k * k;
        }
        double mean = sum / 3001, sd = sqrt((squares - sum * mean) / 3001);
        CHECK(standardize(&p.data, 1, &found) == LOGREG_OK);
        CHECK(near(found.mean[0] - 1e9 + found.mean_lo[0], mean, 1e-13));
        CHECK(near(found.mean[1] + 1e9 + found.mean_lo[1], -mean, 1e-13));
        CHECK(near(found.sd[0], sd, 1e-12) && near(found.sd[1], sd, 1e-12));
        free_standardization(&found);
        free_problem(&p);
    }
}

/* Columns like 1e9 + k / 128, compared with long-hand descent on k / 128. */
static void test_standardized_descent_is_accurate_despite_a_large_offset(void)
{
    enum { ITERS = 50 };
    for (int layout = EXAMPLE_MAJOR; layout <= FEATURE_MAJOR; layout++) {
        problem p = make_problem(2, 999, (enum layout)layout, 0, 1);
        problem centred = make_problem(2, 999, (enum layout)layout, 0, 1);
        logreg_standardization found = allocate_standardization(2);
        double mean[2], sd[2], costs[ITERS], costs_long[ITERS];
        int64_t n_costs;
        for (int i = 0; i < 999; i++)
            for (int j = 0; j < 2; j++) {
                *element(&centred, j, i) = floor(4 * *element(&p, j, i)) / 128;
                *element(&p, j, i) = 1e9 + *element(&centred, j, i);
            }
        long_hand_standardize(&centred, mean, sd);
        for (int i = 0; i < 999; i++)
            for (int j = 0; j < 2; j++)
                *element(&centred, j, i) = (*element(&centred, j, i) - mean[j]) / sd[j];
        CHECK(standardize(&p.data, 1, &found) == LOGREG_OK);

        logreg_settings settings = {.alpha = 0.5, .tol = -1, .standardization = &found};
        logreg_state state = {.w = p.w};
        memset(p.w, 0, 2 * sizeof *p.w);
        memset(centred.w, 0, 2 * sizeof *centred.w);
        centred.b = 0;
        for (int k = 0; k < ITERS; k += 10)
            CHECK(descend(&p.data, &settings, &state, costs + k, 10, &n_costs, 1) == LOGREG_OK);
        long_hand_descend(&centred, 0.5, 0, centred.w, &centred.b, costs_long, ITERS);
        for (int k = 0; k < ITERS; k++) CHECK(near(costs[k], costs_long[k], 1e-11));
        for (int j = 0; j < 2; j++) CHECK(near(p.w[j] * sd[j], centred.w[j], 1e-11));
        free_standardization(&found);
        free_problem(&p);
        free_problem(&centred);
    }
}

/* Whole segments of weight 0, before or after the other examples. */
static void test_examples_of_weight_0_have_no_effect(void)
{
    const int64_t size = segment_size(2), m = 2 * size + 100;
    for (int variant = 0; variant < 4; variant++) {
        problem p = make_problem(2, m, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, 1);
        logreg_standardization found = allocate_standardization(2);
        double mean[2], sd[2];
        for (int64_t i = 0; i < m; i++)
            if (variant & 2 ? i < size + 1 : i > size - 1) p.sample_weight[i] = 0;
        long_hand_standardize(&p, mean, sd);
        p.data.Y.values = NULL; /* labels are not read */
        CHECK(standardize(&p.data, 1, &found) == LOGREG_OK);
        for (int j = 0; j < 2; j++) {
            CHECK(near(found.mean[j] + found.mean_lo[j], mean[j], 1e-13));
            CHECK(near(found.sd[j], sd[j], 1e-13));
        }
        free_standardization(&found);
        free_problem(&p);
    }
}

static void test_a_constant_feature_keeps_its_w(void)
{
    static const double constants[] = {0.1, 1e9, 1e300};
    for (int variant = 0; variant < 6; variant++) {
        problem p = make_problem(3, 700, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, 1);
        logreg_standardization found = allocate_standardization(3);
        logreg_settings settings = {.alpha = 0.5, .l2 = 0.1, .tol = -1, .standardization = &found};
        double constant = constants[variant / 2], costs[5], J[2], dw[2][3], db[2];
        if (constant > 1e9) p.w[1] /= constant; /* otherwise its share of b would swamp b */
        double given = p.w[1];
        logreg_state state = {.w = p.w, .b = p.b};
        int64_t n_costs;
        for (int i = 0; i < 700; i++) /* examples of weight 0 have no effect */
            *element(&p, 1, i) = p.sample_weight[i] > 0 ? constant : 7;
        CHECK(standardize(&p.data, 1, &found) == LOGREG_OK);
        CHECK(found.sd[0] > 0 && found.sd[1] == 0 && found.sd[2] > 0);
        CHECK(found.mean[1] == constant && found.mean_lo[1] == 0);
        CHECK(descend(&p.data, &settings, &state, costs, 5, &n_costs, 1) == LOGREG_OK);
        CHECK(same_bits(&p.w[1], &given, 1));
        CHECK(costs[4] < costs[0]);
        /* and does not affect the standardized cost and gradient */
        for (int k = 0; k < 2; k++, p.w[1] = 5)
            CHECK(standardized_cost_and_gradient(&p.data, &found, p.w, 0.5, 0, &J[k], dw[k], &db[k],
                                                 1) == LOGREG_OK);
        CHECK(dw[0][1] == 0 && same_bits(dw[0], dw[1], 3));
        CHECK(same_bits(&J[0], &J[1], 1) && same_bits(&db[0], &db[1], 1));
        free_standardization(&found);
        free_problem(&p);
    }
}

/* With a fixed b features are only scaled, and a constant feature is used unchanged. */
static void test_a_constant_feature_is_unchanged_without_centering(void)
{
    for (int layout = EXAMPLE_MAJOR; layout <= FEATURE_MAJOR; layout++) {
        problem p = make_problem(12, 300, (enum layout)layout, 0, 0);
        logreg_standardization found = allocate_standardization(12);
        double J[2], dw[2][12], db[2];
        for (int i = 0; i < 300; i++) {
            *element(&p, 0, i) = -3;
            *element(&p, 1, i) = 0;
        }
        CHECK(standardize(&p.data, 1, &found) == LOGREG_OK);
        found.centre = 0;
        CHECK(standardized_cost_and_gradient(&p.data, &found, p.w, p.b, 0, &J[0], dw[0], &db[0],
                                             1) == LOGREG_OK);
        for (int j = 2; j < 12; j++) p.w[j] /= found.sd[j];
        CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J[1], dw[1], &db[1], 1) == LOGREG_OK);
        CHECK(same_bits(&J[0], &J[1], 1) && same_bits(&db[0], &db[1], 1));
        CHECK(same_bits(&dw[0][0], &dw[1][0], 1) && dw[0][0] != 0 && dw[0][1] == 0);

        const logreg_settings settings = {
            .alpha = 0.5, .tol = -1, .standardization = &found, .fixed_b = 1};
        double w_1 = p.w[1], w_0 = p.w[0], costs[5];
        logreg_state state = {.w = p.w, .b = 0};
        int64_t n_costs;
        CHECK(descend(&p.data, &settings, &state, costs, 5, &n_costs, 1) == LOGREG_OK);
        CHECK(same_bits(&w_1, &p.w[1], 1) && p.w[0] != w_0);
        free_standardization(&found);
        free_problem(&p);
    }
}

/* ---- Sums in parts --------------------------------------------------------------------------- */

enum { PARTS_N_X = 10, MOST_PARTS = 100 };

/* An empty list of nodes with room for `capacity`. */
static logreg_nodes allocate_nodes(const logreg_sum_kind *kind, int64_t capacity)
{
    const int64_t size = logreg_node_size(kind, PARTS_N_X);
    logreg_nodes nodes = {allocate((size_t)capacity * sizeof *nodes.nodes), 0};
    for (int64_t k = 0; k < capacity; k++) nodes.nodes[k].sums = allocate_doubles(size);
    return nodes;
}

static void free_nodes(const logreg_nodes *nodes, int64_t capacity)
{
    for (int64_t k = 0; k < capacity; k++) free(nodes->nodes[k].sums);
    free(nodes->nodes);
}

typedef struct parts {
    const logreg_sum_kind *kind;
    const logreg_data *data;
    const logreg_point *point;
    int64_t count, bounds[MOST_PARTS + 1]; /* part k is [bounds[k], bounds[k + 1]) */
    logreg_nodes nodes[MOST_PARTS];
    int threads_seen[MOST_PARTS];
} parts;

/* The examples [first, end), as far as there are such. */
static logreg_data examples_of(const logreg_data *whole, int64_t first, int64_t end)
{
    logreg_data data = *whole;
    data.m = (end < data.m ? end : data.m) - first;
    data.X.values = (const char *)data.X.values + first * data.X.stride;
    data.Y.values = (const char *)data.Y.values + first * data.Y.stride;
    if (data.sample_weight.values)
        data.sample_weight.values =
            (const char *)data.sample_weight.values + first * data.sample_weight.stride;
    return data;
}

/* Sums part k with one or two threads. Even parts are segments of the whole data; odd parts are
 * chunks with data of their own. */
static void sum_part(void *context, int64_t k, int thread)
{
    parts *p = context;
    const int64_t size = logreg_segment_size(p->data);
    logreg_part part = {0, p->bounds[k], p->bounds[k + 1]};
    logreg_data data = *p->data;
    if (k % 2) {
        data = examples_of(p->data, part.first * size, part.end * size);
        part = (logreg_part){part.first, 0, part.end - part.first};
    }
    const int centred = p->point && centres(p->point->standardization), n_threads = 1 + k % 3 / 2;
    char *buffer;
    const size_t workspace = logreg_sum_workspace_size(p->kind, &data, &part, centred, n_threads);
    const logreg_run run = make_run(workspace, n_threads, &buffer);
    p->threads_seen[k] = thread;
    if (logreg_sum(p->kind, &data, &part, p->point, &p->nodes[k], &run) != LOGREG_OK)
        p->threads_seen[k] = -1;
    free(buffer);
}

/* Returns the nodes of `count` parts, summed by four threads and merged in shuffled order. */
static logreg_nodes sum_in_parts(parts *p, int64_t count, uint64_t *seed, int64_t *capacity)
{
    const int64_t size = logreg_segment_size(p->data);
    const int64_t n_segments = (p->data->m + size - 1) / size;
    int64_t order[MOST_PARTS];
    p->count = count;
    *capacity = 0;
    for (int64_t k = 0; k <= count; k++)
        p->bounds[k] = k * n_segments / count + (k > 0 && k < count && count < 10 ? k % 3 - 1 : 0);
    for (int64_t k = 0; k < count; k++) {
        const int64_t room = logreg_node_count(p->bounds[k], p->bounds[k + 1]);
        p->nodes[k] = allocate_nodes(p->kind, room);
        *capacity += room;
        order[k] = k;
    }
    logreg_parallel_for(count, 4, sum_part, p);
    logreg_nodes all = allocate_nodes(p->kind, *capacity);
    for (int64_t k = count - 1; k >= 0; k--) {
        next_value(seed);
        const int64_t other = (int64_t)((*seed >> 33) % (uint64_t)(k + 1)), next = order[other];
        const int64_t room = logreg_node_count(p->bounds[next], p->bounds[next + 1]);
        order[other] = order[k];
        CHECK(p->threads_seen[next] >= 0 && p->nodes[next].count == room);
        logreg_merge(p->kind, p->data->n_x, &all, &p->nodes[next]);
        free_nodes(&p->nodes[next], room);
    }
    CHECK(all.count == logreg_node_count(0, n_segments));
    return all;
}

static void check_gradient_in_parts(const logreg_data *data, const logreg_point *point)
{
    static const int64_t counts[] = {1, 2, 7, MOST_PARTS};
    const int64_t size = logreg_segment_size(data), n_segments = (data->m + size - 1) / size;
    double J[2], db[2], dw[2][PARTS_N_X];
    uint64_t seed = 1;
    CHECK(standardized_cost_and_gradient(data, point->standardization, point->w, point->b, 0.1, J,
                                         dw[0], db, 3) == LOGREG_OK);
    for (int k = 0; k < COUNT(counts); k++) {
        parts p = {.kind = &logreg_gradient_sums, .data = data, .point = point};
        int64_t capacity;
        logreg_nodes all = sum_in_parts(&p, counts[k], &seed, &capacity);
        CHECK(logreg_finish_gradient(&all, n_segments, PARTS_N_X, data->arithmetic, point, 0.1,
                                     &J[1], dw[1], &db[1]) == LOGREG_OK);
        CHECK(same_bits(&J[0], &J[1], 1) && same_bits(&db[0], &db[1], 1));
        CHECK(same_bits(dw[0], dw[1], PARTS_N_X));
        free_nodes(&all, capacity);
    }
}

static void check_moments_in_parts(const logreg_data *data, const logreg_standardization *found)
{
    const int64_t size = logreg_segment_size(data), n_segments = (data->m + size - 1) / size;
    logreg_standardization again = allocate_standardization(PARTS_N_X);
    uint64_t seed = 2;
    parts p = {.kind = &logreg_moment_sums, .data = data};
    int64_t capacity;
    logreg_nodes all = sum_in_parts(&p, 7, &seed, &capacity);
    CHECK(logreg_finish_moments(&all, n_segments, PARTS_N_X, data->arithmetic, &again) ==
          LOGREG_OK);
    CHECK(same_bits(found->mean, again.mean, PARTS_N_X));
    CHECK(same_bits(found->mean_lo, again.mean_lo, PARTS_N_X));
    CHECK(same_bits(found->sd, again.sd, PARTS_N_X));
    free_nodes(&all, capacity);
    free_standardization(&again);
}

/* The last segment has one example, but must be read in the layout of the whole. */
static void test_parts_in_any_order_have_the_bits_of_one_call(void)
{
    const int64_t m = 101 * segment_size(PARTS_N_X) + 1;
    for (int variant = 0; variant < 4; variant++) {
        problem p =
            make_problem(PARTS_N_X, m, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, variant & 2);
        store_X_as(&p, LOGREG_FLOAT32);
        logreg_standardization found = allocate_standardization(PARTS_N_X);
        logreg_point point = {p.w, p.b, NULL, 0};
        CHECK(standardize(&p.data, 3, &found) == LOGREG_OK);
        check_gradient_in_parts(&p.data, &point);
        check_moments_in_parts(&p.data, &found);
        p.data.arithmetic = LOGREG_FLOAT32;
        found.centre = variant & 1;
        point.standardization = &found;
        check_gradient_in_parts(&p.data, &point);
        free_standardization(&found);
        free_problem(&p);
    }
}

static void test_missing_and_duplicate_segments_are_detected(void)
{
    static const int64_t bounds[] = {0, 1, 2, 4, 7, 8, 9};
    const int64_t size = segment_size(PARTS_N_X), n_segments = 9;
    problem p = make_problem(PARTS_N_X, (n_segments - 1) * size + 3, FEATURE_MAJOR, 0, 0);
    const logreg_point point = {p.w, p.b, NULL, 0};
    const int n = COUNT(bounds) - 1;
    for (int odd = -1; odd < 2 * n; odd++) {
        logreg_nodes all = allocate_nodes(&logreg_gradient_sums, 20);
        double J, db, dw[PARTS_N_X];
        for (int k = 0; k < n; k++)
            for (int times = odd == k ? 0 : odd == n + k ? 2 : 1; times > 0; times--) {
                const logreg_part part = {0, bounds[k], bounds[k + 1]};
                char *buffer;
                const logreg_run run =
                    make_run(logreg_sum_workspace_size(&logreg_gradient_sums, &p.data, &part, 0, 1),
                             1, &buffer);
                CHECK(logreg_sum(&logreg_gradient_sums, &p.data, &part, &point, &all, &run) ==
                      LOGREG_OK);
                free(buffer);
            }
        const int code = logreg_finish_gradient(&all, n_segments, PARTS_N_X, LOGREG_FLOAT64, &point,
                                                0, &J, dw, &db);
        CHECK(code == (odd < 0 ? LOGREG_OK : LOGREG_INCOMPLETE));
        free_nodes(&all, 20);
    }
    CHECK(logreg_node_count(5, 5) == 0 && logreg_node_count(0, 8) == 1);
    CHECK(logreg_node_count(1, 8) == 3 && logreg_node_count(3, 13) == 4);
    free_problem(&p);
}

enum { PARTS_OUTPUTS = 3, PARTS_THETA = (PARTS_N_X + 1) * PARTS_OUTPUTS };

/* Sums of a softmax of part k: of its gradient, or of its curvature about a centre. */
static void add_softmax(const logreg_data *whole, int64_t first, int64_t end, const double *theta,
                        const double *centre, logreg_nodes *nodes)
{
    const int64_t size = logreg_segment_size(whole);
    const logreg_data data = examples_of(whole, first * size, end * size);
    const logreg_part part = {first, 0, end - first};
    char *buffer;
    const logreg_run run =
        make_run(logreg_sum_softmax_workspace_size(&data, &part, PARTS_OUTPUTS, 2), 2, &buffer);
    CHECK(logreg_sum_softmax(&data, &part, PARTS_OUTPUTS, theta, theta + PARTS_N_X * PARTS_OUTPUTS,
                             centre, nodes, &run) == LOGREG_OK);
    free(buffer);
}

/* J and its gradient, or with a centre the curvature, in one call and by parts. */
static void check_softmax_in_parts(const logreg_data *data, const double *theta,
                                   const double *centre)
{
    static const int64_t bounds[] = {5, 9, 0, 2, 2, 5, 9, 10}; /* pairs */
    enum { N_B = PARTS_N_X * PARTS_OUTPUTS, ROOM = 10 };
    const double *b = theta + N_B;
    double J[2] = {0, 0}, found[2][PARTS_THETA];
    char *buffer;
    const logreg_run run =
        make_run(logreg_softmax_workspace_size(data, PARTS_OUTPUTS, 3), 3, &buffer);
    logreg_nodes all = {allocate(ROOM * sizeof *all.nodes), 0};
    for (int k = 0; k < ROOM; k++)
        all.nodes[k].sums = allocate_doubles(logreg_softmax_node_size(PARTS_N_X, PARTS_OUTPUTS));
    CHECK((centre ? logreg_softmax_curvature(data, PARTS_OUTPUTS, theta, b, centre, found[0],
                                             found[0] + N_B, &run)
                  : logreg_softmax_cost_and_gradient(data, PARTS_OUTPUTS, theta, b, 0.1, &J[0],
                                                     found[0], found[0] + N_B, &run)) == LOGREG_OK);
    for (int times = 0; times < 2; times++) { /* the second time without the last segment */
        for (int k = 0; k < COUNT(bounds) - 2 * times; k += 2)
            add_softmax(data, bounds[k], bounds[k + 1], theta, centre, &all);
        const int status = centre
                               ? logreg_finish_softmax_curvature(&all, 10, PARTS_N_X, PARTS_OUTPUTS,
                                                                 found[1], found[1] + N_B)
                               : logreg_finish_softmax(&all, 10, PARTS_N_X, PARTS_OUTPUTS, theta,
                                                       0.1, &J[1], found[1], found[1] + N_B);
        CHECK(status == (times ? LOGREG_INCOMPLETE : LOGREG_OK));
        CHECK(same_bits(&J[0], &J[1], 1) && same_bits(found[0], found[1], PARTS_THETA));
    }
    free_nodes(&all, ROOM);
    free(buffer);
}

static void test_a_softmax_in_parts_has_the_bits_of_one_call(void)
{
    const int64_t m = 9 * segment_size(PARTS_N_X) + 1;
    double theta[PARTS_THETA], centre[PARTS_N_X];
    for (int i = 0; i < PARTS_THETA; i++) theta[i] = (double)(i * 7 % 11 - 5) / 8;
    for (int j = 0; j < PARTS_N_X; j++) centre[j] = (double)(j - 3) / 4;
    for (int variant = 0; variant < 4; variant++) {
        problem p =
            make_problem(PARTS_N_X, m, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, variant & 2);
        double *Y = allocate_doubles(m);
        for (int64_t i = 0; i < m; i++) Y[i] = (double)(i * 7 % PARTS_OUTPUTS);
        p.data.Y = (logreg_column){Y, sizeof *Y, LOGREG_FLOAT64};
        check_softmax_in_parts(&p.data, theta, NULL);
        check_softmax_in_parts(&p.data, theta, centre);
        free(Y);
        free_problem(&p);
    }
}

/* ---- A search that is given what it wants ---------------------------------------------------- */

enum { PART = 4096, GIVEN_PARTS = 3 };

typedef struct supply {
    logreg_data parts[GIVEN_PARTS], whole, sample;
    double *sums, *mean, *h, S;
} supply;

/* Sums of one kind over all parts, of which the last comes first; with room for the nodes. */
static logreg_nodes sum_of_parts(supply *s, const logreg_sum_kind *kind, const logreg_point *point,
                                 const double *centre, int64_t *n_segments, int64_t *room)
{
    const int64_t size = logreg_segment_size(&s->whole),
                  node = logreg_node_size(kind, s->whole.n_x);
    *n_segments = (s->whole.m + size - 1) / size;
    *room = *n_segments;
    logreg_nodes nodes = {allocate((size_t)*room * sizeof *nodes.nodes), 0};
    for (int64_t k = 0; k < *room; k++) nodes.nodes[k].sums = allocate_doubles(node);
    for (int k = GIVEN_PARTS - 1; k >= 0; k--) {
        logreg_data data = s->parts[k];
        char *buffer;
        const logreg_part part = {k * PART / size, 0, (data.m + size - 1) / size};
        if (point == NULL) data.arithmetic = LOGREG_FLOAT64;
        if (centre)
            data.sample_weight = (logreg_column){s->h + k * PART, sizeof(double), LOGREG_FLOAT64};
        const size_t workspace = centre ? logreg_sum_gram_workspace_size(&data, &part, 0, 0, 2)
                                        : logreg_sum_workspace_size(kind, &data, &part, 0, 2);
        const logreg_run run = make_run(workspace, 2, &buffer);
        CHECK((centre ? logreg_sum_gram(&data, &part, centre, 0, 0, &nodes, &run)
                      : logreg_sum(kind, &data, &part, point, &nodes, &run)) == LOGREG_OK);
        free(buffer);
    }
    return nodes;
}

/* A sample in memory that `sample` keeps, gathered from the parts. */
static void gather(supply *s, int64_t count, const logreg_survey *survey)
{
    const int64_t n_x = s->whole.n_x;
    double *rows = allocate_doubles(count * n_x), *Y = allocate_doubles(count);
    double *h = allocate_doubles(count);
    int64_t *index = allocate((size_t)count * sizeof *index);
    logreg_choice choice = logreg_choice_open(survey, count);
    int64_t chosen = 0;
    for (int k = 0; k < GIVEN_PARTS; k++) {
        const logreg_data *part = &s->parts[k];
        const int64_t more = logreg_choose(&choice, part, index, Y + chosen, h + chosen);
        for (int64_t i = 0; i < more; i++)
            for (int64_t j = 0; j < n_x; j++)
                memcpy(rows + (chosen + i) * n_x + j,
                       (const char *)part->X.values + index[i] * part->X.stride +
                           j * part->feature_stride,
                       sizeof *rows);
        chosen += more;
    }
    CHECK(chosen > 0 && chosen == choice.chosen && chosen <= count);
    for (; chosen < count; chosen++) {
        memcpy(rows + chosen * n_x, rows + (chosen - 1) * n_x, (size_t)n_x * sizeof *rows);
        Y[chosen] = h[chosen] = 0;
    }
    free(index);
    s->sample = (logreg_data){.n_x = n_x,
                              .m = count,
                              .example_major = 1,
                              .X = {rows, n_x * (int64_t)sizeof *rows, LOGREG_FLOAT64},
                              .feature_stride = sizeof *rows,
                              .Y = {Y, sizeof *Y, LOGREG_FLOAT64},
                              .sample_weight = {h, sizeof *h, LOGREG_FLOAT64}};
}

static void give_curvature(supply *s, const logreg_request *r, logreg_given *given)
{
    const int64_t n_x = s->whole.n_x;
    int64_t n_segments, room;
    double S = 0;
    for (int k = 0; k < GIVEN_PARTS; k++) {
        char *buffer;
        const logreg_run run = make_run(logreg_predict_workspace_size(&s->parts[k], 2), 2, &buffer);
        CHECK(logreg_factor_weights(&s->parts[k], r->w, r->b, r->least, s->h + k * PART, &S,
                                    &run) == LOGREG_OK);
        free(buffer);
    }
    logreg_nodes nodes = sum_of_parts(s, &logreg_gram_sums, NULL, r->centre, &n_segments, &room);
    CHECK(r->dense && logreg_gram_groups_of(n_x) == 1 && logreg_gram_group_size(n_x) == n_x);
    CHECK(logreg_finish_gram(&nodes, n_segments, n_x, r->centre, 0, 0, s->sums, s->mean,
                             &given->S) == LOGREG_OK);
    CHECK(fabs(given->S - S) <= 1e-12 * S);
    free_nodes(&nodes, room);
}

/* Gives the search what it wants next. */
static double give_next(supply *s, logreg_minimizer *m, const logreg_survey *survey,
                        const logreg_run *run)
{
    const logreg_request r = logreg_minimizer_wants(m, &s->whole, NULL);
    const int64_t n_x = s->whole.n_x;
    double J = 0, *low = allocate_doubles(n_x);
    int64_t n_segments, room;
    logreg_given given = {.status = LOGREG_OK, .survey = *survey, .mean = s->mean, .sums = s->sums};
    if (r.wanted == LOGREG_WANT_SAMPLE) {
        gather(s, r.sample, survey);
        given.sample = s->sample;
    } else if (r.wanted == LOGREG_WANT_MOMENTS) {
        const logreg_standardization of = {s->mean, low, s->sums, 0, 0};
        logreg_nodes nodes = sum_of_parts(s, &logreg_moment_sums, NULL, NULL, &n_segments, &room);
        CHECK(logreg_finish_moments(&nodes, n_segments, n_x, LOGREG_FLOAT64, &of) == LOGREG_OK);
        free_nodes(&nodes, room);
    } else if (r.wanted == LOGREG_WANT_CURVATURE) {
        give_curvature(s, &r, &given);
    } else if (r.wanted == LOGREG_WANT_GRADIENT) {
        const logreg_point point = {r.w, r.b, NULL, 0};
        logreg_nodes nodes =
            sum_of_parts(s, &logreg_gradient_sums, &point, NULL, &n_segments, &room);
        CHECK(logreg_finish_gradient(&nodes, n_segments, n_x, r.arithmetic, &point, r.l2, &given.J,
                                     s->sums, &given.db) == LOGREG_OK);
        free_nodes(&nodes, room);
    }
    CHECK(logreg_give(m, &s->whole, NULL, &given, &J, run) == LOGREG_OK);
    if (r.wanted == LOGREG_WANT_SAMPLE) {
        free((void *)(uintptr_t)s->sample.X.values);
        free((void *)(uintptr_t)s->sample.Y.values);
        free((void *)(uintptr_t)s->sample.sample_weight.values);
    }
    free(low);
    return J;
}

/* From samples, and, with more features, from a Gram of all examples. */
static void test_a_search_of_parts_has_the_bits_of_one_of_an_array(void)
{
    static const int64_t n_xs[] = {10, 300};
    for (int variant = 0; variant < 4; variant++) {
        const int64_t n_x = n_xs[variant / 2], m = 2 * PART + 77;
        const logreg_goal goal = {.l2 = 0.01, .tol = 1e-9, .slope = INFINITY, .passes = 50};
        problem p =
            make_problem(n_x, m, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, variant & 1);
        logreg_survey survey = {.least = 0};
        supply s = {.whole = p.data,
                    .sums = allocate_doubles(n_x * n_x),
                    .mean = allocate_doubles(n_x),
                    .h = allocate_doubles(m)};
        double *costs = allocate_doubles(100), J = 0;
        char *buffers[2];
        int64_t n_costs, found = 0;
        logreg_minimizer *alone = allocate(logreg_minimizer_size(&p.data));
        logreg_minimizer *given = allocate(logreg_minimizer_size(&p.data));
        const logreg_run runs[] = {
            make_run(logreg_minimize_workspace_size(&p.data, 2), 2, &buffers[0]),
            make_run(logreg_give_workspace_size(&p.data, 2), 2, &buffers[1])};
        for (int k = 0; k < GIVEN_PARTS; k++) {
            s.parts[k] = examples_of(&p.data, k * PART, (k + 1) * PART);
            logreg_survey_add(&survey, &s.parts[k]);
        }
        logreg_minimizer_open(alone, &p.data, &goal, p.w, p.b);
        logreg_minimizer_open(given, &p.data, &goal, p.w, p.b);
        const int status = logreg_minimize(&p.data, NULL, alone, costs, 100, &n_costs, &runs[0]);
        while (logreg_minimizer_ended(given) == LOGREG_OK && found < 100) {
            J = give_next(&s, given, &survey, &runs[1]);
            if (J == J) CHECK(same_bits(&J, &costs[found++], 1));
        }
        CHECK(status == LOGREG_CONVERGED && logreg_minimizer_ended(given) == status);
        CHECK(found == n_costs && memcmp(alone, given, logreg_minimizer_size(&p.data)) == 0);
        CHECK(logreg_minimizer_wants(given, &p.data, NULL).wanted == LOGREG_WANT_NOTHING);
        free(alone);
        free(given);
        free(buffers[0]);
        free(buffers[1]);
        free(s.sums);
        free(s.mean);
        free(s.h);
        free(costs);
        free_problem(&p);
    }
}

/* ---- The same bits --------------------------------------------------------------------------- */

enum { MODE_DEFAULT, MODE_UPWARD, MODE_TOWARDZERO, MODE_FLUSH };

static void set_mode(int mode)
{
    fesetround(mode == MODE_UPWARD       ? FE_UPWARD
               : mode == MODE_TOWARDZERO ? FE_TOWARDZERO
                                         : FE_TONEAREST);
#ifdef __SSE2__
    unsigned flush = _MM_FLUSH_ZERO_MASK | 0x0040; /* 0x0040: denormals are zero */
    _mm_setcsr(mode == MODE_FLUSH ? _mm_getcsr() | flush : _mm_getcsr() & ~flush);
#endif
}

/* Hashes all results of training and prediction: mean, mean_lo, sd, w, b, costs, A. */
static uint64_t hash_everything(problem *p, int standardized, int n_threads)
{
    enum { ITERS = 5 };
    int64_t n_x = p->data.n_x, n_costs;
    uint64_t hash = 0;
    logreg_standardization standardization = allocate_standardization(n_x);
    logreg_settings settings = {.alpha = 0.5, .tol = -1};
    logreg_state state = {.w = copy_of(p->w, n_x), .b = p->b};
    double costs[ITERS], *A = allocate_doubles(p->data.m);
    if (standardized) {
        CHECK(standardize(&p->data, n_threads, &standardization) == LOGREG_OK);
        hash = hash_bits(hash, standardization.mean, n_x);
        hash = hash_bits(hash, standardization.mean_lo, n_x);
        hash = hash_bits(hash, standardization.sd, n_x);
        settings.standardization = &standardization;
    }
    CHECK(descend(&p->data, &settings, &state, costs, ITERS, &n_costs, n_threads) == LOGREG_OK);
    CHECK(predict_proba(&p->data, state.w, state.b, A, n_threads) == LOGREG_OK);
    hash = hash_bits(hash, state.w, n_x);
    hash = hash_bits(hash, &state.b, 1);
    hash = hash_bits(hash, costs, ITERS);
    hash = hash_bits(hash, A, p->data.m);
    free(state.w);
    free(A);
    free_standardization(&standardization);
    return hash;
}

static void test_threads_and_modes_change_no_bit(void)
{
    static const int threads[] = {1, 2, 3, 5, 8};
    for (int variant = 0; variant < 8; variant++) {
        int64_t n_x = variant & 1 ? 20 : 3, m = 5 * segment_size(n_x) + 77;
        problem p =
            make_problem(n_x, m, variant & 2 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, variant & 1);
        int standardized = variant & 4;
        if (!standardized) { /* subnormal values that flushing would lose, scaled up by w */
            for (int64_t i = 0; i < m; i++) *element(&p, 2, i) *= 0x1p-1030;
            p.w[2] = 0x1p1020;
        }
        uint64_t hash = hash_everything(&p, standardized, 1);
        for (int t = 0; t < COUNT(threads); t++)
            for (int mode = MODE_DEFAULT; mode <= MODE_FLUSH; mode++) {
                set_mode(mode);
                int rounding = fegetround();
                uint64_t other = hash_everything(&p, standardized, threads[t]);
                int kept = fegetround() == rounding;
                set_mode(MODE_DEFAULT);
                CHECK(other == hash);
                CHECK(kept);
            }
        free_problem(&p);
    }
}

static void test_a_forked_child_trains(void)
{
#ifndef _WIN32
    int64_t n_x = 20, m = 6 * segment_size(n_x);
    problem p = make_problem(n_x, m, EXAMPLE_MAJOR, 0, 0);
    uint64_t hash = hash_everything(&p, 0, 4);
    int status;
    pid_t child = fork();
    if (child == 0) {
        alarm(20); /* a signal ends a hang */
        _exit(hash_everything(&p, 0, 4) != hash);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    free_problem(&p);
#endif
}

#ifdef LOGREG_DISPATCH

static void test_dispatch_follows_omp_num_threads(void)
{
    static const struct {
        const char *wanted;
        int threads;
    } cases[] = {{"3", 3}, {"2,4", 2}, {"999999", 1024}};
    const int here = logreg_max_threads();
    for (int k = 0; k < COUNT(cases); k++) {
        setenv("OMP_NUM_THREADS", cases[k].wanted, 1);
        CHECK(logreg_max_threads() == cases[k].threads);
    }
    setenv("OMP_NUM_THREADS", "none", 1);
    CHECK(logreg_max_threads() == here);
    unsetenv("OMP_NUM_THREADS");
}

/* Other code may have used the system's threads before the fork, so a child uses one thread, even
 * if this library has started none. */
static void test_dispatch_is_not_used_in_a_child(void)
{
    int status;
    logreg_threads_open();
    pid_t child = fork();
    if (child == 0) {
        setenv("OMP_NUM_THREADS", "4", 1);
        _exit(logreg_max_threads() != 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void test_dispatch_may_leave_nothing_to_the_calling_thread(void)
{
    problem p = make_problem(20, 6 * segment_size(20), EXAMPLE_MAJOR, 0, 0);
    uint64_t hash = hash_everything(&p, 0, 1);
    dispatch_shim_caller_is_late = 1;
    for (int n_threads = 2; n_threads <= 8; n_threads++)
        CHECK(hash_everything(&p, 0, n_threads) == hash);
    dispatch_shim_caller_is_late = 0;
    free_problem(&p);
}

#endif

/* ---- sigmoid --------------------------------------------------------------------------------- */

/* The error of a as the sigmoid of z, in units in the last place of a double. */
static double ulps_off(double a, double z)
{
    long double exact = 1 / (1 + expl(-(long double)z));
    int exponent;
    frexpl(exact, &exponent);
    return (double)(fabsl(a - exact) / ldexpl(1, exponent < -1021 ? -1074 : exponent - 53));
}

/* If long double is only as wide as double, the difference also contains the error of "exact". This
 * may depend on the emulator, so it is checked at run time. */
static double max_ulps(void)
{
    volatile long double one = 1;
    return one + 0x1p-60L != 1 ? 2 : 5;
}

static double sigmoid(double z)
{
    double a;
    logreg_sigmoid(&z, &a, 1);
    return a;
}

static void test_sigmoid_is_within_2_ulp(void)
{
    static const double special[] = {0,   1e-320, 1e-300, 1e-17, 36,     36.7,  37,
                                     700, 708,    709,    709.8, 740,    744.5, 745,
                                     746, 800,    1e10,   1e308, DBL_MAX};
    for (int k = 0; k < COUNT(special); k++)
        for (int sign = -1; sign <= 1; sign += 2) {
            double z = sign * special[k];
            CHECK(ulps_off(sigmoid(z), z) <= max_ulps());
        }
    CHECK(sigmoid(0) == 0.5 && sigmoid(-0.0) == 0.5);
    CHECK(sigmoid(INFINITY) == 1 && sigmoid(-INFINITY) == 0);
    CHECK(isnan(sigmoid(NAN)) && isnan(sigmoid(-NAN)));

    enum { N = 100003 };
    uint64_t seed = 1;
    double *Z = allocate_doubles(N), *A = allocate_doubles(N);
    for (int i = 0; i < N; i++) Z[i] = next_value(&seed) * (i % 3 == 0 ? 750 : i % 3 == 1 ? 40 : 2);
    logreg_sigmoid(Z, A, N);
    double worst = 0;
    for (int i = 0; i < N; i++) worst = fmax(worst, ulps_off(A[i], Z[i]));
    CHECK(worst <= max_ulps());
    for (int i = 0; i < 1000; i++) { /* the position in the array changes nothing */
        double alone = sigmoid(Z[i]);
        CHECK(same_bits(&alone, &A[i], 1));
    }
    for (int n = 0; n <= 20; n++) { /* works in place, and writes only n values */
        double *copy = copy_of(Z, n + 1);
        logreg_sigmoid(copy, copy, n);
        CHECK(same_bits(copy, A, n) && same_bits(&copy[n], &Z[n], 1));
        free(copy);
    }
    free(Z);
    free(A);
}

/* ---- Values that are not finite -------------------------------------------------------------- */

static const logreg_run quiet_run = {.n_threads = 1};

static void test_a_nonfinite_x_is_always_reported(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    static const int64_t examples[] = {1, 7, 16, 17, 513};
    for (int e = 0; e < COUNT(examples); e++)
        for (int variant = 0; variant < 12; variant++) {
            int64_t m = examples[e], i = variant & 2 ? m - 1 : m / 2, n_costs, feature, example;
            problem p = make_problem(5, m, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 2, 1);
            double J, dw[5], db, *A = allocate_doubles(m);
            logreg_standardization found = allocate_standardization(5);
            logreg_settings settings = {.alpha = 1, .tol = 1};
            logreg_state state = {.w = p.w, .b = p.b};
            *element(&p, 3, i) = bad[variant / 4];
            if (i > 0) p.sample_weight[i] = 0; /* even in an example of weight 0 */
            CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J, dw, &db, 1) == LOGREG_PASS_OVERFLOW);
            CHECK(predict_proba(&p.data, p.w, p.b, A, 1) == LOGREG_PASS_OVERFLOW);
            CHECK(decision(&p.data, p.w, p.b, A, 1) == LOGREG_PASS_OVERFLOW);
            CHECK(descend(&p.data, &settings, &state, &J, 1, &n_costs, 1) == LOGREG_PASS_OVERFLOW);
            CHECK(n_costs == 0);
            CHECK(logreg_first_nonfinite(&p.data, &feature, &example, &quiet_run) == LOGREG_OK);
            CHECK(feature == 3 && example == i);
            p.w[3] = 0; /* and even if its w is 0 */
            CHECK(cost_and_gradient(&p.data, p.w, p.b, 0, &J, dw, &db, 1) == LOGREG_PASS_OVERFLOW);
            CHECK(standardize(&p.data, 1, &found) == LOGREG_PASS_OVERFLOW);
            free(A);
            free_standardization(&found);
            free_problem(&p);
        }
}

static void test_first_nonfinite_is_the_lowest_example_then_feature(void)
{
    for (int layout = EXAMPLE_MAJOR; layout <= FEATURE_MAJOR; layout++) {
        problem p = make_problem(6, 1200, (enum layout)layout, 3, 0);
        int64_t feature = -5, example = -5;
        CHECK(logreg_first_nonfinite(&p.data, &feature, &example, &quiet_run) == LOGREG_OK);
        CHECK(feature == -1 && example == -1);
        *element(&p, 0, 1199) = NAN;
        *element(&p, 4, 801) = INFINITY;
        *element(&p, 2, 801) = -INFINITY;
        *element(&p, 1, 802) = NAN;
        CHECK(logreg_first_nonfinite(&p.data, &feature, &example, &quiet_run) == LOGREG_OK);
        CHECK(feature == 2 && example == 801);
        free_problem(&p);
    }
}

/* Columns of different types: int8, float16 with gaps between the values, and float32. */
static void test_a_nonfinite_value_is_found_among_columns_of_any_type(void)
{
    enum { M = 600 };
    int8_t integers[M] = {0};
    uint16_t halves[2 * M] = {0};
    float singles[M] = {0};
    const logreg_column features[] = {{integers, 1, LOGREG_INT8},
                                      {halves, 2 * sizeof *halves, LOGREG_FLOAT16},
                                      {singles, sizeof *singles, LOGREG_FLOAT32}};
    const logreg_data data = {.n_x = 3, .m = M, .features = features};
    int64_t feature, example;
    halves[1] = 0x7c00; /* an infinity, in a gap */
    CHECK(logreg_first_nonfinite(&data, &feature, &example, &quiet_run) == LOGREG_OK);
    CHECK(feature == -1 && example == -1);
    halves[2 * 550] = 0xfc00;
    CHECK(logreg_first_nonfinite(&data, &feature, &example, &quiet_run) == LOGREG_OK);
    CHECK(feature == 1 && example == 550);
    singles[7] = NAN;
    CHECK(logreg_first_nonfinite(&data, &feature, &example, &quiet_run) == LOGREG_OK);
    CHECK(feature == 2 && example == 7);
}

static void test_first_outside(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY, -0x1p-1074, 1 + 0x1p-52};
    double v[40] = {0};
    const logreg_column column = column_of(v);
    for (int n = 0; n <= 40; n++) {
        for (int i = 0; i < n; i++) v[i] = i % 2;
        CHECK(logreg_first_outside(&column, n, 0, 1) == -1);
        for (int i = 0; i < n; i++)
            for (int k = 0; k < COUNT(bad); k++) {
                double good = v[i];
                v[i] = bad[k];
                CHECK(logreg_first_outside(&column, n, 0, 1) == i);
                double last = v[n - 1];
                v[n - 1] = NAN;
                CHECK(logreg_first_outside(&column, n, 0, 1) == i);
                v[n - 1] = last;
                v[i] = good;
            }
    }
}

static void test_overflow_of_finite_data_is_reported(void)
{
    for (int layout = EXAMPLE_MAJOR; layout <= FEATURE_MAJOR; layout++) {
        problem p = make_problem(2, 20, (enum layout)layout, 0, 0);
        double *dw = allocate_doubles(2), A[20], costs[5], J, db;
        logreg_standardization found = allocate_standardization(2);
        logreg_settings settings = {.alpha = 1, .tol = -1};
        int64_t n_costs, feature, example;
        for (int i = 0; i < 20; i++) {
            *element(&p, 0, i) = *element(&p, 1, i) = 1e308;
            p.Y[i] = 1;
        }
        p.w[0] = p.w[1] = p.b = 0;
        logreg_state state = {.w = p.w};
        /* sum(x dz) overflows, or x'w does in the next iteration */
        CHECK(descend(&p.data, &settings, &state, costs, 5, &n_costs, 1) >= LOGREG_PASS_OVERFLOW);
        CHECK(n_costs < 5);
        CHECK(isfinite(p.w[0]) && isfinite(p.w[1]) && isfinite(state.b));
        for (int k = 0; k < n_costs; k++) CHECK(isfinite(costs[k]));
        p.w[0] = p.w[1] = 2;
        CHECK(cost_and_gradient(&p.data, p.w, 0, 0, &J, dw, &db, 1) == LOGREG_PASS_OVERFLOW);
        CHECK(predict_proba(&p.data, p.w, 0, A, 1) == LOGREG_PASS_OVERFLOW);
        CHECK(logreg_first_nonfinite(&p.data, &feature, &example, &quiet_run) == LOGREG_OK);
        CHECK(feature == -1 && example == -1);
        for (int i = 0; i < 20; i++) *element(&p, 0, i) = i % 2 ? 1e308 : -1e308;
        CHECK(standardize(&p.data, 1, &found) == LOGREG_PASS_OVERFLOW);
        for (int i = 0; i < 20; i++) /* not constant, but its variance underflows */
            *element(&p, 0, i) = i % 2 ? 1e-200 : 0;
        CHECK(standardize(&p.data, 1, &found) == LOGREG_PASS_OVERFLOW);

        /* the gradient is finite but alpha times it is not: w and b stay */
        for (int i = 0; i < 20; i++) *element(&p, 0, i) = *element(&p, 1, i) = 1e200;
        p.w[0] = p.w[1] = 0;
        state.b = 0;
        settings.alpha = 1e200;
        CHECK(descend(&p.data, &settings, &state, costs, 5, &n_costs, 1) == LOGREG_UPDATE_OVERFLOW);
        CHECK(n_costs == 1 && near(costs[0], log(2), 1e-15));
        CHECK(p.w[0] == 0 && p.w[1] == 0 && state.b == 0);

        /* the squares overflow, the mean does not */
        for (int i = 0; i < 20; i++) *element(&p, 0, i) = i % 2 ? 1e200 : -1e200;
        CHECK(standardize(&p.data, 1, &found) == LOGREG_PASS_OVERFLOW);
        /* w is finite, but b with a mean of 1e165 is not */
        for (int i = 0; i < 20; i++) {
            *element(&p, 0, i) = *element(&p, 1, i) = i % 2 ? 1e165 : 1e165 * (1 + 0x1p-50);
            p.Y[i] = i % 2;
        }
        CHECK(standardize(&p.data, 1, &found) == LOGREG_OK);
        settings = (logreg_settings){.alpha = 1e300, .tol = -1, .standardization = &found};
        CHECK(descend(&p.data, &settings, &state, costs, 5, &n_costs, 1) == LOGREG_UPDATE_OVERFLOW);
        CHECK(n_costs == 1 && p.w[0] == 0 && state.b == 0);

        /* the sum of the weights overflows, or is too small to divide by; the cost overflows */
        static const double weights[] = {1e308, 1e-300};
        double weight[20];
        for (int i = 0; i < 20; i++) *element(&p, 0, i) = *element(&p, 1, i) = 0;
        p.data.sample_weight = column_of(weight);
        for (int k = 0; k < 2; k++) {
            for (int i = 0; i < 20; i++) weight[i] = weights[k];
            CHECK(cost_and_gradient(&p.data, p.w, 0, 0, &J, dw, &db, 1) == LOGREG_PASS_OVERFLOW);
        }
        for (int i = 0; i < 20; i++) weight[i] = 1;
        CHECK(cost_and_gradient(&p.data, p.w, 1e308, 0, &J, dw, &db, 1) == LOGREG_PASS_OVERFLOW);
        CHECK(cost_and_gradient(&p.data, p.w, 1e306, 0, &J, dw, &db, 1) == LOGREG_OK);
        free(dw);
        free_standardization(&found);
        free_problem(&p);
    }
}

/* ---- Curvature ------------------------------------------------------------------------------- */

static void test_curvature_is_accurate_far_out(void)
{
    static const double z[] = {0, 1e-300, 1e-9, 0.5, 1, 15, 36, 40, 300, 690};
    for (int k = 0; k < COUNT(z); k++)
        for (int variant = 0; variant < 8; variant++) {
            double X = variant & 1 ? -z[k] : z[k], w = 1, h;
            double Y = variant & 2 ? 0.25 : variant & 1, weight = variant & 4 ? 3 : 1;
            logreg_data data = {.n_x = 1, .m = 1, .X = column_of(&X), .Y = column_of(&Y)};
            if (variant & 4) data.sample_weight = column_of(&weight);
            const double e = exp(-z[k]), s = e / (1 + e); /* of the two classes, the less likely */
            const double residual = X > 0 ? (1 - Y) - s : s - Y, exact = s / (1 + e);
            CHECK(curvature(&data, &w, 0, 0, &h, 1) == LOGREG_OK);
            CHECK(near(h, weight * exact, 1e-13 * weight * exact));
            CHECK(curvature(&data, &w, 0, 1, &h, 1) == LOGREG_OK);
            CHECK(near(sqrt(h), weight * fabs(residual), 1e-13 * weight * fabs(residual)));
        }
}

static void check_curvature(const problem *p, int n_threads)
{
    double *h = allocate_doubles(p->data.m + 1);
    for (int squared = 0; squared < 2; squared++) {
        h[p->data.m] = -1;
        CHECK(curvature(&p->data, p->w, p->b, squared, h, n_threads) == LOGREG_OK);
        for (int64_t i = 0; i < p->data.m; i++) {
            double a = 1 / (1 + exp(-long_hand_z(p, p->w, p->b, i)));
            double weight = p->sample_weight ? p->sample_weight[i] : 1;
            double residual = weight * (a - p->Y[i]);
            CHECK(near(h[i], squared ? residual * residual : weight * a * (1 - a), 1e-11));
        }
        CHECK(h[p->data.m] == -1);
    }
    free(h);
}

/* In one pass they have the bits of each by itself. */
static void check_gradient_and_curvature(const problem *p, int n_threads)
{
    const int64_t n_x = p->data.n_x, m = p->data.m;
    double J[2], db[2], *dw[2], *h[2];
    for (int k = 0; k < 2; k++) {
        dw[k] = allocate_doubles(n_x);
        h[k] = allocate_doubles(m);
    }
    CHECK(cost_and_gradient(&p->data, p->w, p->b, 0, &J[0], dw[0], &db[0], 1) == LOGREG_OK);
    CHECK(curvature(&p->data, p->w, p->b, 0, h[0], 1) == LOGREG_OK);
    CHECK(gradient_and_curvature(&p->data, p->w, p->b, &J[1], dw[1], &db[1], h[1], n_threads) ==
          LOGREG_OK);
    CHECK(J[0] == J[1] && db[0] == db[1]);
    CHECK(memcmp(dw[0], dw[1], (size_t)n_x * sizeof *dw[0]) == 0);
    CHECK(memcmp(h[0], h[1], (size_t)m * sizeof *h[0]) == 0);
    for (int k = 0; k < 2; k++) {
        free(dw[k]);
        free(h[k]);
    }
}

static void test_curvature_agrees_with_long_hand(void)
{
    static const int64_t features[] = {0, 1, 9, 33};
    for (int f = 0; f < COUNT(features); f++)
        for (int e = 0; e < COUNT(some_examples); e++)
            for (int variant = 0; variant < 4; variant++) {
                problem p =
                    make_problem(features[f], some_examples[e],
                                 variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 1, variant & 2);
                check_curvature(&p, 2);
                check_gradient_and_curvature(&p, 2);
                free_problem(&p);
            }
}

static void test_a_curvature_that_is_not_finite_is_told(void)
{
    double X[3] = {1, 2, 3}, w = 1, h[3], weight[3] = {1, 1e200, 1};
    const double Y[3] = {0, 0, 0};
    logreg_data data = {.n_x = 1, .m = 3, .X = column_of(X), .Y = column_of(Y)};
    data.sample_weight = column_of(weight);
    CHECK(curvature(&data, &w, 0, 0, h, 1) == LOGREG_OK);
    CHECK(curvature(&data, &w, 0, 1, h, 1) == LOGREG_PASS_OVERFLOW); /* the square of 1e200 */
    weight[1] = 1;
    X[2] = NAN;
    CHECK(curvature(&data, &w, 0, 0, h, 1) == LOGREG_PASS_OVERFLOW);
    X[2] = 1e200;
    w = 1e200;
    CHECK(curvature(&data, &w, 0, 0, h, 1) == LOGREG_PASS_OVERFLOW);
}

/* ---- Gram ------------------------------------------------------------------------------------ */

typedef struct gram_result {
    double *G, *mu, S;
} gram_result;

/* The Gram of a problem, in memory of NaN. */
static gram_result gram_of(const logreg_data *data, const double *centre, int n_threads)
{
    const int64_t n_x = data->n_x;
    gram_result r = {allocate_doubles(n_x * n_x), allocate_doubles(n_x), NAN};
    for (int64_t k = 0; k < n_x * n_x; k++) r.G[k] = NAN;
    CHECK(gram(data, centre, r.G, r.mu, &r.S, n_threads) == LOGREG_OK);
    for (int64_t k = 0; k < n_x; k++)
        for (int64_t j = 0; j < n_x; j++) CHECK(isnan(r.G[k * n_x + j]) == (j > k));
    return r;
}

static void free_gram(const gram_result *r)
{
    free(r->G);
    free(r->mu);
}

static int same_gram(const gram_result *a, const gram_result *b, int64_t n_x)
{
    int same = same_bits(&a->S, &b->S, 1) && same_bits(a->mu, b->mu, n_x);
    for (int64_t k = 0; k < n_x; k++) same &= same_bits(a->G + k * n_x, b->G + k * n_x, k + 1);
    return same;
}

/* Compares G v with sum h (x - mu) ((x - mu)'v), whose every entry depends on a row of G. */
static void check_gram(const problem *p, const double *centre, int n_threads)
{
    const int64_t n_x = p->data.n_x, m = p->data.m;
    const gram_result r = gram_of(&p->data, centre, n_threads);
    long double S = 0, *mu = allocate((size_t)n_x * 2 * sizeof *mu), *Gv = mu + n_x;
    double *v = allocate_doubles(n_x), offset = 1 + max_abs(centre, n_x);
    uint64_t seed = 5;
    for (int64_t j = 0; j < n_x; j++) {
        mu[j] = Gv[j] = 0;
        v[j] = next_value(&seed);
    }
    for (int64_t i = 0; i < m; i++) {
        const double h = p->sample_weight ? p->sample_weight[i] : 1;
        S += h;
        for (int64_t j = 0; j < n_x; j++) mu[j] += (long double)h * *element(p, j, i);
    }
    for (int64_t j = 0; j < n_x; j++) mu[j] /= S;
    for (int64_t i = 0; i < m; i++) {
        long double t = 0;
        for (int64_t j = 0; j < n_x; j++) t += (*element(p, j, i) - mu[j]) * v[j];
        t *= p->sample_weight ? p->sample_weight[i] : 1;
        for (int64_t j = 0; j < n_x; j++) Gv[j] += (*element(p, j, i) - mu[j]) * t;
    }
    const double error = 1e-14 * (double)S * offset * offset;
    CHECK(near(r.S, (double)S, 1e-14 * (double)S));
    for (int64_t k = 0; k < n_x; k++) {
        double sum = 0;
        for (int64_t j = 0; j < n_x; j++) sum += v[j] * r.G[j < k ? k * n_x + j : j * n_x + k];
        CHECK(near(r.mu[k], (double)mu[k], 1e-14 * offset));
        CHECK(near(sum, (double)Gv[k], error * (double)n_x));
        CHECK(r.G[k * n_x + k] >= 0);
    }
    free_gram(&r);
    free(mu);
    free(v);
}

static void check_gram_of_shape(int64_t n_x, int64_t m, int variant, int n_threads)
{
    problem p = make_problem(n_x, m, variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR,
                             variant & 2 ? 3 : 0, variant & 4);
    double *centre = allocate_doubles(n_x);
    for (int64_t j = 0; j < n_x; j++) centre[j] = variant & 8 ? 0.25 * (double)(j % 5) : 0;
    check_gram(&p, centre, n_threads);
    free(centre);
    free_problem(&p);
}

static void test_gram_agrees_with_long_hand(void)
{
    static const int64_t examples[] = {1, 2, 7, 8, 9, 64, 127, 128, 129, 255, 256, 257, 513};
    static const int64_t many[] = {127, 128, 129, 143, 144, 145, 257, 511, 512, 513, 785, 1025};
    static const int64_t few[] = {1, 8, 30, 129, 600};
    int variant = 0;
    for (int64_t n_x = 0; n_x <= 41; n_x++)
        for (int e = 0; e < COUNT(examples); e++)
            for (int k = 0; k < 3; k++, variant += 5) /* which takes all 16 in turn */
                check_gram_of_shape(n_x, examples[e], variant % 16, 1);
    for (int f = 0; f < COUNT(many); f++)
        for (int e = 0; e < COUNT(examples); e += 4, variant += 5)
            check_gram_of_shape(many[f], examples[e], variant % 16, 2);
    for (int f = 0; f < COUNT(few); f++)
        for (int off = -1; off <= 1; off++, variant += 5)
            check_gram_of_shape(few[f], 3 * segment_size(few[f]) + off, variant % 16, 2);
    check_gram_of_shape(1, 71 * segment_size(1) - 5, variant % 16, 1);
}

/* As a matrix of its type, of float64, and as a list of columns with gaps, at odd addresses. */
static void check_gram_of_type(int64_t n_x, int64_t m, layout layout, logreg_type type)
{
    problem p = make_problem(n_x, m, layout, 3, 1);
    double *centre = copy_of(p.w, n_x);
    store_X_as(&p, type);
    const int64_t size = all_types[type].size, stride = 2 * size + 1;
    const gram_result as_stored = gram_of(&p.data, centre, 2);
    logreg_data data = p.data;
    data.X = column_of(p.X);
    data.X.stride *= p.example_stride;
    data.feature_stride = p.feature_stride * (int64_t)sizeof(double);
    const gram_result as_float64 = gram_of(&data, centre, 2);
    CHECK(same_gram(&as_stored, &as_float64, n_x));
    if (layout == FEATURE_MAJOR) {
        char *values = allocate((size_t)(n_x * m * stride));
        logreg_column *columns = allocate((size_t)n_x * sizeof *columns);
        data.features = columns;
        for (int64_t j = 0; j < n_x; j++) {
            columns[j] = (logreg_column){values + j * m * stride, stride, type};
            for (int64_t i = 0; i < m; i++)
                memcpy(values + (j * m + i) * stride,
                       (char *)p.stored + (j * p.feature_stride + i) * size, (size_t)size);
        }
        const gram_result as_columns = gram_of(&data, centre, 2);
        CHECK(same_gram(&as_columns, &as_float64, n_x));
        free_gram(&as_columns);
        free(values);
        free(columns);
    }
    free_gram(&as_stored);
    free_gram(&as_float64);
    free(centre);
    free_problem(&p);
}

static void test_how_values_are_stored_changes_no_bit_of_a_gram(void)
{
    static const int64_t shapes[][2] = {{1, 1},    {1, 300},  {4, 7},   {5, 129},  {7, 8},
                                        {8, 9},    {9, 128},  {16, 17}, {17, 130}, {31, 5},
                                        {33, 257}, {130, 33}, {520, 4}};
    for (int type = 0; type < ALL_TYPES; type++)
        for (int s = 0; s < COUNT(shapes); s++)
            for (int layout = EXAMPLE_MAJOR; layout <= FEATURE_MAJOR; layout++)
                check_gram_of_type(shapes[s][0], shapes[s][1], (enum layout)layout,
                                   (logreg_type)type);
}

static void test_a_gram_of_no_weight_is_0(void)
{
    static const int64_t features[] = {0, 1, 9, 130};
    for (int variant = 0; variant < 2; variant++)
        for (int f = 0; f < COUNT(features); f++) {
            const int64_t n_x = features[f], m = 150;
            problem p = make_problem(n_x, m, variant ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, 1);
            for (int64_t i = 0; i < m; i++) p.sample_weight[i] = 0;
            gram_result r = gram_of(&p.data, p.w, 1);
            CHECK(r.S == 0 && same_bits(r.mu, p.w, n_x));
            for (int64_t k = 0; k < n_x; k++)
                for (int64_t j = 0; j <= k; j++) CHECK(r.G[k * n_x + j] == 0);
            free_gram(&r);
            free_problem(&p);
        }
}

/* What is not finite shows, whatever its weight; finite values that leave the range do too. */
static void test_a_gram_that_is_not_finite_is_told(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e200, -1e200};
    static const int64_t features[] = {1, 8, 9, 130, 515}, examples[] = {1, 8, 129};
    for (int f = 0; f < COUNT(features); f++)
        for (int e = 0; e < COUNT(examples); e++)
            for (int k = 0; k < COUNT(bad); k++) {
                const int64_t n_x = features[f], m = examples[e];
                problem p = make_problem(n_x, m, k % 2 ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, 1);
                double *G = allocate_doubles(n_x * n_x), *mu = allocate_doubles(n_x), S;
                CHECK(gram(&p.data, p.w, G, mu, &S, 1) == LOGREG_OK);
                for (int place = 0; place < 4; place++) {
                    const int64_t j = place & 1 ? n_x - 1 : 0, i = place & 2 ? m - 1 : 0;
                    const double before = *element(&p, j, i), weight = p.sample_weight[i];
                    if (k < 3) p.sample_weight[i] = 0;
                    *element(&p, j, i) = bad[k];
                    CHECK(gram(&p.data, p.w, G, mu, &S, 1) == LOGREG_PASS_OVERFLOW);
                    *element(&p, j, i) = before;
                    p.sample_weight[i] = weight;
                }
                p.sample_weight[m / 2] = p.sample_weight[0] = 1.5e308;
                CHECK(m == 1 || gram(&p.data, p.w, G, mu, &S, 1) == LOGREG_PASS_OVERFLOW);
                free(G);
                free(mu);
                free_problem(&p);
            }
}

static void test_threads_and_modes_change_no_bit_of_a_gram(void)
{
    static const int64_t features[] = {3, 20, 600};
    static const int threads[] = {1, 2, 3, 5, 8};
    for (int f = 0; f < COUNT(features); f++)
        for (int layout = EXAMPLE_MAJOR; layout <= FEATURE_MAJOR; layout++) {
            const int64_t n_x = features[f], m = n_x < 100 ? 5 * segment_size(n_x) + 77 : 1100;
            problem p = make_problem(n_x, m, (enum layout)layout, 0, layout == FEATURE_MAJOR);
            /* whose squares flushing would lose */
            for (int64_t i = 0; i < m; i++) *element(&p, 2, i) *= 0x1p-520;
            double *centre = allocate_doubles(n_x);
            for (int64_t j = 0; j < n_x; j++) centre[j] = j == 2 ? 0 : p.w[j];
            const gram_result r = gram_of(&p.data, centre, 1);
            CHECK(r.G[2 * n_x + 2] > 0 && r.G[2 * n_x + 2] < DBL_MIN);
            for (int t = 0; t < COUNT(threads); t++)
                for (int mode = MODE_DEFAULT; mode <= (n_x < 100 ? MODE_FLUSH : 0); mode++) {
                    set_mode(mode);
                    const gram_result other = gram_of(&p.data, centre, threads[t]);
                    set_mode(MODE_DEFAULT);
                    CHECK(same_gram(&r, &other, n_x));
                    free_gram(&other);
                }
            free_gram(&r);
            free(centre);
            free_problem(&p);
        }
}

/* ---- Cholesky -------------------------------------------------------------------------------- */

/* A positive definite matrix, with NaN above its diagonal. */
static double *make_matrix(int64_t n)
{
    problem p = make_problem(n, n + 3, EXAMPLE_MAJOR, 0, 0);
    double *A = allocate_doubles(n * n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = i == j ? 0.01 : 0;
            for (int64_t k = 0; k < p.data.m && j <= i; k++)
                sum += *element(&p, i, k) * *element(&p, j, k);
            A[i * n + j] = j <= i ? sum : NAN;
        }
    free_problem(&p);
    return A;
}

static double product_of_rows(const double *L, int64_t n, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t k = 0; k <= (i < j ? i : j); k++) sum += L[i * n + k] * L[j * n + k];
    return sum;
}

/* L L' is A, above its diagonal nothing is written, and both solves solve. */
static void check_factor(const double *A, const double *L, int64_t n)
{
    double *x = allocate_doubles(n), *b = allocate_doubles(n);
    uint64_t seed = 3;
    for (int64_t i = 0; i < n; i++) {
        const double size = 1e-15 * (double)(n + 10) * fabs(A[i * n + i]);
        for (int64_t j = 0; j <= i; j++)
            CHECK(near(product_of_rows(L, n, i, j), A[i * n + j], size));
        CHECK(L[i * n + i] > 0 && same_bits(L + i * n + i + 1, A + i * n + i + 1, n - i - 1));
        b[i] = x[i] = next_value(&seed);
    }
    logreg_solve_lower(L, n, x);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0, size = 0;
        for (int64_t j = 0; j <= i; j++) sum += L[i * n + j] * x[j];
        for (int64_t j = 0; j <= i; j++) size += fabs(L[i * n + j] * x[j]);
        CHECK(near(sum, b[i], 1e-15 * (double)(n + 10) * size));
    }
    memcpy(b, x, (size_t)n * sizeof *b);
    logreg_solve_upper(L, n, x);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0, size = 0;
        for (int64_t j = i; j < n; j++) sum += L[j * n + i] * x[j];
        for (int64_t j = i; j < n; j++) size += fabs(L[j * n + i] * x[j]);
        CHECK(near(sum, b[i], 1e-15 * (double)(n + 10) * size));
    }
    free(x);
    free(b);
}

static void check_cholesky(int64_t n)
{
    static const int threads[] = {1, 2, 3, 5};
    double *A = make_matrix(n), *L = copy_of(A, n * n);
    CHECK(cholesky(L, n, 0, 1) == 0);
    check_factor(A, L, n);
    for (int t = 0; t < COUNT(threads); t++)
        for (int mode = MODE_DEFAULT; mode <= (n < 20 ? MODE_FLUSH : 0); mode++) {
            double *again = copy_of(A, n * n);
            set_mode(mode);
            const int64_t failed = cholesky(again, n, 0, threads[t]);
            set_mode(MODE_DEFAULT);
            CHECK(failed == 0 && same_bits(again, L, n * n));
            free(again);
        }
    free(A);
    free(L);
}

static void test_cholesky_factors(void)
{
    static const int64_t orders[] = {63, 64, 65, 127, 128, 129, 130, 192, 193, 255, 256, 257, 400};
    for (int64_t n = 0; n <= 35; n++) check_cholesky(n);
    for (int k = 0; k < COUNT(orders); k++) check_cholesky(orders[k]);
}

/* The first pivot that is too small is the one that is told, and the rows before it are done. */
static void test_cholesky_tells_which_pivot_fails(void)
{
    static const int64_t orders[] = {1, 2, 9, 63, 65, 130, 200};
    static const double bad[] = {0, -1, NAN, INFINITY, -INFINITY};
    for (int o = 0; o < COUNT(orders); o++) {
        const int64_t n = orders[o];
        double *A = make_matrix(n), *L = copy_of(A, n * n);
        CHECK(cholesky(L, n, 0, 1) == 0);
        for (int64_t k = 0; k < n; k += n < 10 ? 1 : 31)
            for (int b = 0; b < COUNT(bad); b++) {
                double *now = copy_of(A, n * n);
                now[k * n + k] = bad[b];
                CHECK(cholesky(now, n, 0, 1 + b % 2) == k + 1);
                for (int64_t i = 0; i < k; i++) CHECK(same_bits(now + i * n, L + i * n, i + 1));
                free(now);
            }
        /* a share of the diagonal, which every other pivot exceeds */
        const int64_t k = n / 2;
        const double share = L[k * n + k] * L[k * n + k] / A[k * n + k];
        double least = 2;
        for (int64_t i = 0; i < n; i++)
            least = fmin(least, L[i * n + i] * L[i * n + i] / A[i * n + i]);
        double *now = copy_of(A, n * n);
        CHECK(cholesky(now, n, least * 0.99, 1) == 0);
        memcpy(now, A, (size_t)(n * n) * sizeof *now);
        const int64_t failed = cholesky(now, n, share * 1.01, 1);
        CHECK(failed > 0 && failed <= k + 1);
        free(now);
        free(A);
        free(L);
    }
    /* a row twice */
    double A[16] = {4, 0, 0, 0, 2, 5, 0, 0, 2, 5, 5, 0, 1, 1, 1, 9};
    CHECK(cholesky(A, 4, 0, 1) == 3);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Small integers, whose sums are exact, across the ends of stretches. */
static void test_rows_are_multiplied_and_added(void)
{
    static const int64_t sizes[] = {0, 1, 7, 8, 2047, 2048, 2049, 5000};
    enum { ROWS = 3 };
    const double c[ROWS] = {2, -1, 3};
    for (int s = 0; s < COUNT(sizes); s++) {
        const int64_t n = sizes[s];
        double *V = allocate_doubles(ROWS * n), *x = allocate_doubles(n), *y = allocate_doubles(n);
        double out[ROWS], expected[ROWS] = {0};
        for (int64_t i = 0; i < n; i++) {
            x[i] = (double)(i % 13 - 6);
            y[i] = (double)(i % 7);
            for (int64_t r = 0; r < ROWS; r++) {
                V[r * n + i] = (double)((i + 5 * r) % 11 - 4);
                expected[r] += V[r * n + i] * x[i];
            }
        }
        logreg_multiply_rows(V, ROWS, n, x, out);
        CHECK(same_bits(out, expected, ROWS));
        logreg_add_rows(V, ROWS, n, c, y);
        for (int64_t i = 0; i < n; i++)
            CHECK(y[i] == (double)(i % 7) + 2 * V[i] - V[n + i] + 3 * V[2 * n + i]);
        free(V);
        free(x);
        free(y);
    }
}

/* ---- Leverage -------------------------------------------------------------------------------- */

static void check_leverage(const problem *p, const double *centre, const double *L)
{
    static const int threads[] = {2, 3, 5};
    const int64_t n_x = p->data.n_x, m = p->data.m;
    double *out = allocate_doubles(m + 1), *again = allocate_doubles(m + 1);
    double *x = allocate_doubles(n_x);
    out[m] = again[m] = -1;
    CHECK(leverage(&p->data, centre, L, out, 1) == LOGREG_OK && out[m] == -1);
    for (int64_t i = 0; i < m; i++) {
        double squares = 0;
        for (int64_t j = 0; j < n_x; j++) x[j] = *element(p, j, i) - centre[j];
        logreg_solve_lower(L, n_x, x);
        for (int64_t j = 0; j < n_x; j++) squares += x[j] * x[j];
        CHECK(near(out[i], squares, 1e-11 * squares));
    }
    for (int t = 0; t < COUNT(threads); t++)
        for (int mode = MODE_DEFAULT; mode <= MODE_FLUSH; mode++) {
            set_mode(mode);
            CHECK(leverage(&p->data, centre, L, again, threads[t]) == LOGREG_OK);
            set_mode(MODE_DEFAULT);
            CHECK(same_bits(again, out, m + 1));
        }
    free(out);
    free(again);
    free(x);
}

static void test_leverages_agree_with_solves(void)
{
    static const int64_t features[] = {0, 1, 2, 9, 33}, examples[] = {1, 7, 8, 9, 15, 16, 17, 300};
    for (int f = 0; f < COUNT(features); f++) {
        const int64_t n_x = features[f];
        double *L = make_matrix(n_x), *centre = allocate_doubles(n_x);
        for (int64_t j = 0; j < n_x; j++) centre[j] = 0.1 * (double)j;
        CHECK(cholesky(L, n_x, 0, 1) == 0);
        for (int e = 0; e < COUNT(examples); e++)
            for (int layout = 0; layout < 2; layout++) {
                problem p =
                    make_problem(n_x, examples[e], layout ? FEATURE_MAJOR : EXAMPLE_MAJOR, 0, 0);
                check_leverage(&p, centre, L);
                free_problem(&p);
            }
        free(L);
        free(centre);
    }
}

/* ---- A quadratic with an l1 penalty and bounds ----------------------------------------------- */

enum { QUADRATIC_FEATURES = 40, QUADRATIC_EXAMPLES = 60 };

/* The model of a step, by its columns, and as a quadratic whose b is at its best. */
typedef struct quadratic_problem {
    int64_t starts[QUADRATIC_FEATURES + 1];
    int32_t examples[QUADRATIC_FEATURES * QUADRATIC_EXAMPLES];
    double values[QUADRATIC_FEATURES * QUADRATIC_EXAMPLES];
    double h[QUADRATIC_EXAMPLES], mu[QUADRATIC_FEATURES], S, db;
    double H[QUADRATIC_FEATURES * QUADRATIC_FEATURES], slope[QUADRATIC_FEATURES];
    double l1[QUADRATIC_FEATURES], l2[QUADRATIC_FEATURES];
    double lower[QUADRATIC_FEATURES], upper[QUADRATIC_FEATURES];
} quadratic_problem;

static void fill_columns(quadratic_problem *q, int fixed_b)
{
    const int64_t n = QUADRATIC_FEATURES, m = QUADRATIC_EXAMPLES;
    uint64_t seed = 5;
    for (int64_t i = 0; i < m; i++) q->h[i] = 0.15 + 0.1 * next_value(&seed);
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < m; i++) {
            const double common = (double)(i % 7) / 7.0; /* so that columns are correlated */
            q->values[j * m + i] = common + 0.3 * next_value(&seed);
            q->examples[j * m + i] = (int32_t)i;
        }
        q->starts[j + 1] = (j + 1) * m;
        const double slope = next_value(&seed);
        q->slope[j] = slope + (slope < 0 ? -0.3 : 0.3); /* more than l1: all may move at once */
        q->l1[j] = j % 4 ? 0.1 : 0.0;
        q->l2[j] = 0.01;
        q->lower[j] = j % 3 ? -INFINITY : -0.5;
        q->upper[j] = j % 5 ? INFINITY : 0.5;
    }
    q->db = fixed_b ? 0.0 : 0.05;
}

static void fill_hessian(quadratic_problem *q, int fixed_b)
{
    const int64_t n = QUADRATIC_FEATURES, m = QUADRATIC_EXAMPLES;
    for (int64_t i = 0; i < m; i++) q->S += q->h[i];
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m && !fixed_b; i++)
            q->mu[j] += q->h[i] * q->values[j * m + i] / q->S;
    for (int64_t j = 0; j < n; j++)
        for (int64_t k = 0; k < n; k++) {
            double sum = 0;
            for (int64_t i = 0; i < m; i++)
                sum +=
                    q->h[i] * (q->values[j * m + i] - q->mu[j]) * (q->values[k * m + i] - q->mu[k]);
            q->H[j * n + k] = sum / (double)m + (j == k ? q->l2[j] : 0.0);
        }
}

static void check_quadratic(int fixed_b)
{
    enum { N = QUADRATIC_FEATURES };
    const int64_t n_values = N * QUADRATIC_EXAMPLES;
    quadratic_problem *q = allocate(sizeof *q);
    memset(q, 0, sizeof *q);
    fill_columns(q, fixed_b);
    fill_hessian(q, fixed_b);
    double v[N] = {0}, by_columns[N] = {0}, slope[N], b = 0, gained, gained_by_columns;
    for (int64_t j = 0; j < N; j++) slope[j] = q->slope[j] - q->mu[j] * q->db;
    const logreg_quadratic dense = {N, q->H, q->l1, q->lower, q->upper};
    char *buffer;
    logreg_run run = make_run(logreg_quadratic_workspace_size(N, 1), 1, &buffer);
    CHECK(logreg_minimize_quadratic(&dense, 1e-14, v, slope, &gained, &run) == LOGREG_OK);
    free(buffer);
    for (int64_t j = 0; j < N; j++) {
        CHECK(v[j] >= q->lower[j] && v[j] <= q->upper[j]);
        const double push = v[j] > 0 ? slope[j] + q->l1[j] : slope[j] - q->l1[j];
        if (v[j] == 0.0)
            CHECK(fabs(slope[j]) <= q->l1[j] + 1e-9);
        else if (v[j] == q->lower[j])
            CHECK(push >= -1e-9);
        else if (v[j] == q->upper[j])
            CHECK(push <= 1e-9);
        else
            CHECK(fabs(push) <= 1e-9);
    }
    const logreg_column_model model = {{N, QUADRATIC_EXAMPLES, q->starts, q->examples, q->values},
                                       q->h,
                                       QUADRATIC_EXAMPLES,
                                       q->slope,
                                       q->l1,
                                       q->l2,
                                       q->lower,
                                       q->upper,
                                       q->db,
                                       fixed_b};
    run = make_run(logreg_column_workspace_size(N, QUADRATIC_EXAMPLES, n_values), 1, &buffer);
    CHECK(logreg_minimize_by_columns(&model, 1e-14, 0, by_columns, &b, &gained_by_columns, &run) ==
          LOGREG_OK);
    free(buffer);
    const double of_b = 0.5 * q->db * (q->db / (q->S / QUADRATIC_EXAMPLES));
    CHECK(near(gained_by_columns, gained + of_b, 1e-9 * gained));
    for (int64_t j = 0; j < N; j++) CHECK(near(by_columns[j], v[j], 1e-5 * (1 + fabs(v[j]))));
    free(q);
}

static void test_a_quadratic_has_its_minimum_with_and_without_its_hessian(void)
{
    check_quadratic(0);
    check_quadratic(1);
}

static void test_the_logarithm_of_a_determinant(void)
{
    static const double roots[] = {0x1p-511, 1e-9, 0.7, 1, 1.41421356, 3, 1e150};
    double L[9] = {2, 0, 0, 5, 0.5, 0, 7, 8, 4};
    CHECK(logreg_log_determinant(L, 0) == 0);
    CHECK(near(logreg_log_determinant(L, 3), 2 * log(4), 1e-14));
    for (int k = 0; k < COUNT(roots); k++) {
        const double exact = 2 * log(roots[k]);
        CHECK(near(logreg_log_determinant(&roots[k], 1), exact, 4e-14 * (1 + fabs(exact))));
    }
}

/* ---- Many minima ----------------------------------------------------------------------------- */

enum { FITS = 23 };

static logreg_fit fit_of(const problem *p, double *w)
{
    memset(w, 0, (size_t)p->data.n_x * sizeof *w);
    return (logreg_fit){.data = p->data, .l2 = 0.01, .w = w};
}

/* What logreg_minimize finds on its own. */
static void minimize_alone(logreg_fit *fit, const logreg_goal *goal)
{
    double costs[100];
    int64_t n_costs;
    char *buffer;
    logreg_goal with_l2 = *goal;
    logreg_minimizer *minimizer = allocate(logreg_minimizer_size(&fit->data));
    const logreg_run run = make_run(logreg_minimize_workspace_size(&fit->data, 1), 1, &buffer);
    with_l2.l2 = fit->l2;
    logreg_minimizer_open(minimizer, &fit->data, &with_l2, fit->w, 0);
    fit->status = logreg_minimize(&fit->data, NULL, minimizer, costs, 100, &n_costs, &run);
    fit->J = costs[n_costs - 1];
    fit->found = logreg_minimizer_progress(minimizer, fit->w);
    free(minimizer);
    free(buffer);
}

static void test_many_fits_have_the_bits_of_each(void)
{
    enum { N_X = 5 };
    const logreg_goal goal = {.tol = 1e-9, .slope = INFINITY, .passes = 100};
    const int threads[] = {1, 2, 5};
    problem problems[FITS];
    logreg_fit fits[FITS];
    double w[FITS * N_X], alone_w[N_X];
    for (int k = 0; k < FITS; k++) { /* the last is large */
        const int64_t m = k == FITS - 1 ? 200000 : 20 + 70 * k;
        problems[k] =
            make_problem(N_X, m, k % 2 ? EXAMPLE_MAJOR : FEATURE_MAJOR, k % 3, k % 5 == 0);
    }
    for (int t = 0; t < 3; t++) {
        for (int k = 0; k < FITS; k++) fits[k] = fit_of(&problems[k], w + k * N_X);
        char *buffer;
        const size_t size = logreg_minimize_many_workspace_size(fits, FITS, threads[t]);
        const logreg_run run = make_run(size, threads[t], &buffer);
        CHECK(logreg_minimize_many(fits, FITS, &goal, &run) == LOGREG_OK);
        free(buffer);
        for (int k = 0; k < FITS; k++) {
            logreg_fit alone = fit_of(&problems[k], alone_w);
            minimize_alone(&alone, &goal);
            CHECK(fits[k].status == LOGREG_CONVERGED && alone.status == LOGREG_CONVERGED);
            CHECK(same_bits(fits[k].w, alone.w, N_X) && same_bits(&fits[k].J, &alone.J, 1));
            CHECK(same_bits(&fits[k].found.b, &alone.found.b, 1));
            CHECK(fits[k].found.passes == alone.found.passes);
        }
    }
    for (int k = 0; k < FITS; k++) free_problem(&problems[k]);
}

/* One of them is separated, and one has another X. */
static void test_large_fits_of_one_X_share_its_passes(void)
{
    enum { N_X = 4, MOST = 19 };
    const logreg_goal goal = {.tol = 1e-9, .slope = INFINITY, .passes = 100};
    problem p = make_problem(N_X, 220000, EXAMPLE_MAJOR, 1, 0);
    problem other = make_problem(N_X, 220000, EXAMPLE_MAJOR, 1, 0);
    logreg_fit fits[MOST];
    double w[MOST * N_X], alone_w[N_X], ones[] = {1};
    char *buffer;
    for (int k = 0; k < MOST; k++) {
        fits[k] = fit_of(k == 2 ? &other : &p, w + k * N_X);
        fits[k].l2 = k == 5 ? 0 : 1e-3 * k;
        if (k == 5) fits[k].data.Y = (logreg_column){ones, 0, LOGREG_FLOAT64};
    }
    const size_t size = logreg_minimize_many_workspace_size(fits, MOST, 3);
    const logreg_run run = make_run(size, 3, &buffer);
    CHECK(logreg_minimize_many(fits, MOST, &goal, &run) == LOGREG_OK);
    free(buffer);
    for (int k = 0; k < MOST; k++) {
        logreg_fit alone = fit_of(k == 2 ? &other : &p, alone_w);
        alone.l2 = fits[k].l2;
        alone.data.Y = fits[k].data.Y;
        minimize_alone(&alone, &goal);
        CHECK(fits[k].status == alone.status);
        CHECK(fits[k].status == (k == 5 ? LOGREG_SEPARATED : LOGREG_CONVERGED));
        CHECK(same_bits(fits[k].w, alone.w, N_X) && same_bits(&fits[k].J, &alone.J, 1));
        CHECK(fits[k].found.passes == alone.found.passes);
    }
    free_problem(&p);
    free_problem(&other);
}

/* ---- The minimum of another penalty ---------------------------------------------------------- */

static void test_another_penalty_starts_at_the_minimum_of_the_last(void)
{
    enum { N_X = 5 };
    static const double l2s[] = {1, 0.1, 0.01, 0.01, 3};
    const logreg_goal goal = {.l2 = 1, .tol = 1e-12, .slope = INFINITY, .passes = 100};
    for (layout l = EXAMPLE_MAJOR; l <= FEATURE_MAJOR; l++) {
        problem p = make_problem(N_X, 3000, l, 1, 1);
        double costs[100], w[N_X] = {0}, other_w[N_X];
        int64_t n_costs;
        char *buffer;
        logreg_minimizer *minimizer = allocate(logreg_minimizer_size(&p.data));
        const logreg_run run = make_run(logreg_minimize_workspace_size(&p.data, 1), 1, &buffer);
        logreg_minimizer_open(minimizer, &p.data, &goal, w, 0);
        CHECK(logreg_minimizer_retarget(minimizer, &p.data, NULL, 0.5, &run) ==
              LOGREG_INCOMPLETE); /* no minimum yet */
        for (int k = 0; k < COUNT(l2s); k++) {
            logreg_fit other = fit_of(&p, other_w);
            if (k > 0)
                CHECK(logreg_minimizer_retarget(minimizer, &p.data, NULL, l2s[k], &run) ==
                      LOGREG_OK);
            CHECK(logreg_minimize(&p.data, NULL, minimizer, costs, 100, &n_costs, &run) ==
                  LOGREG_CONVERGED);
            const logreg_progress found = logreg_minimizer_progress(minimizer, w);
            other.l2 = l2s[k];
            minimize_alone(&other, &goal);
            for (int j = 0; j < N_X; j++) CHECK(near(w[j], other_w[j], 1e-5));
            CHECK(near(found.b, other.found.b, 1e-5));
            if (k == 3) CHECK(found.passes == 0 && n_costs == 0);
            if (n_costs > 0) CHECK(near(costs[n_costs - 1], other.J, 1e-11));
        }
        /* The cost would overflow. */
        CHECK(logreg_minimizer_retarget(minimizer, &p.data, NULL, INFINITY, &run) ==
              LOGREG_INCOMPLETE);
        free(minimizer);
        free(buffer);
        free_problem(&p);
    }
}

/* ---- Sparse X -------------------------------------------------------------------------------- */

typedef struct answers {
    double J, db, S, *dw, *A, *mean, *sd, *G, *mu;
} answers;

static answers answers_of(const logreg_data *data, const double *w, double b, int n_threads)
{
    const int64_t n_x = data->n_x;
    answers a = {.dw = allocate_doubles(n_x), .A = allocate_doubles(data->m)};
    const logreg_standardization found = allocate_standardization(n_x);
    const gram_result gram = gram_of(data, w, n_threads);
    CHECK(cost_and_gradient(data, w, b, 0.1, &a.J, a.dw, &a.db, n_threads) == LOGREG_OK);
    CHECK(predict_proba(data, w, b, a.A, n_threads) == LOGREG_OK);
    CHECK(standardize(data, n_threads, &found) == LOGREG_OK);
    a.mean = found.mean;
    a.sd = found.sd;
    free(found.mean_lo);
    a.G = gram.G;
    a.mu = gram.mu;
    a.S = gram.S;
    return a;
}

static void free_answers(const answers *a)
{
    free(a->dw);
    free(a->A);
    free(a->mean);
    free(a->sd);
    free(a->G);
    free(a->mu);
}

static void check_same_answers(const answers *a, const answers *b, int64_t n_x, int64_t m,
                               double tolerance)
{
    CHECK(near(a->J, b->J, tolerance) && near(a->db, b->db, tolerance));
    CHECK(near(a->S, b->S, tolerance));
    for (int64_t i = 0; i < m; i++) CHECK(near(a->A[i], b->A[i], tolerance));
    for (int64_t j = 0; j < n_x; j++) {
        CHECK(near(a->dw[j], b->dw[j], tolerance) && near(a->mean[j], b->mean[j], tolerance));
        CHECK(near(a->sd[j], b->sd[j], tolerance) && near(a->mu[j], b->mu[j], tolerance));
        CHECK((a->sd[j] == 0) == (b->sd[j] == 0));
        for (int64_t k = 0; k <= j; k++)
            CHECK(near(a->G[j * n_x + k], b->G[j * n_x + k], tolerance * (double)m));
    }
}

static void check_same_bits_of_answers(const answers *a, const answers *b, int64_t n_x, int64_t m)
{
    CHECK(same_bits(&a->J, &b->J, 1) && same_bits(&a->db, &b->db, 1) && same_bits(&a->S, &b->S, 1));
    CHECK(same_bits(a->dw, b->dw, n_x) && same_bits(a->A, b->A, m));
    CHECK(same_bits(a->mean, b->mean, n_x) && same_bits(a->sd, b->sd, n_x));
    CHECK(same_bits(a->mu, b->mu, n_x));
    for (int64_t j = 0; j < n_x; j++) CHECK(same_bits(a->G + j * n_x, b->G + j * n_x, j + 1));
}

static void check_sparse_of_shape(int64_t n_x, int64_t m, logreg_type type, int variant)
{
    const int64_t large = type == LOGREG_INT64 ? (int64_t)1 << 60 : 100;
    problem p = make_problem(n_x, m, (layout)(variant % 2), 0, variant / 2 % 2);
    sparse s = make_sparse(&p, type, variant % 3 ? LOGREG_INT32 : LOGREG_INT64, 1 + variant % 4);
    for (int64_t j = 0; j < n_x; j++) p.w[j] /= (double)large;
    if (type != LOGREG_INT64) { /* whose squares no tolerance here fits */
        const answers dense = answers_of(&p.data, p.w, p.b, 1),
                      one = answers_of(&s.data, p.w, p.b, 1);
        check_same_answers(&one, &dense, n_x, m,
                           1e-10 * (double)(type == LOGREG_FLOAT64 ? 1 : 1000));
        for (int n_threads = 2; n_threads <= 5; n_threads++) {
            const answers more = answers_of(&s.data, p.w, p.b, n_threads);
            check_same_bits_of_answers(&one, &more, n_x, m);
            free_answers(&more);
        }
        free_answers(&one);
        free_answers(&dense);
    }
    if (computes_in_float32(type)) {
        double J, db, J_narrow, db_narrow, *dw = allocate_doubles(n_x);
        CHECK(cost_and_gradient(&s.data, p.w, p.b, 0, &J, dw, &db, 2) == LOGREG_OK);
        s.data.arithmetic = LOGREG_FLOAT32;
        CHECK(cost_and_gradient(&s.data, p.w, p.b, 0, &J_narrow, dw, &db_narrow, 2) == LOGREG_OK);
        CHECK(near(J, J_narrow, 1e-5) && near(db, db_narrow, 1e-5));
        free(dw);
    }
    free_sparse(&s);
    free_problem(&p);
}

static void test_sparse_x_agrees_with_dense_x(void)
{
    static const int64_t shapes[][2] = {{0, 5},    {1, 1},   {3, 7},    {4, 8},    {5, 9},
                                        {17, 511}, {2, 513}, {40, 100}, {1, 9001}, {130, 70}};
    for (int k = 0; k < COUNT(shapes); k++)
        for (int type = 0; type < ALL_TYPES; type++)
            check_sparse_of_shape(shapes[k][0], shapes[k][1], (logreg_type)type, 5 * k + 7 * type);
}

static int check_of(const logreg_data *data, int64_t *outside)
{
    int64_t seen[8] = {0};
    int repeats;
    const logreg_run run = {.n_threads = 1};
    CHECK(data->n_x <= COUNT(seen));
    CHECK(logreg_check_sparse(data, seen, outside, &repeats, &run) == LOGREG_OK);
    return repeats;
}

static void test_indices_of_sparse_x_are_checked(void)
{
    static const int64_t bad[] = {8, -1, INT32_MAX, INT32_MIN};
    for (int wide = 0; wide < 2; wide++) {
        problem p = make_problem(8, 30, EXAMPLE_MAJOR, 0, 0);
        sparse s = make_sparse(&p, LOGREG_FLOAT64, wide ? LOGREG_INT64 : LOGREG_INT32, 2);
        int64_t outside;
        CHECK(!check_of(&s.data, &outside) && outside == -1);
        for (int64_t k = 0; k < s.starts[30]; k++)
            for (int b = 0; b < COUNT(bad); b++) {
                const int64_t before = logreg_index(&s.data, k);
                put_index(&s, k, bad[b]);
                check_of(&s.data, &outside);
                CHECK(outside == k);
                put_index(&s, k, before);
            }
        for (int64_t i = 0; i < 30; i++) /* the first feature of an example, once more */
            if (s.starts[i + 1] - s.starts[i] > 1) {
                const int64_t last = s.starts[i + 1] - 1, before = logreg_index(&s.data, last);
                put_index(&s, last, logreg_index(&s.data, s.starts[i]));
                CHECK(check_of(&s.data, &outside) && outside == -1);
                put_index(&s, last, before);
            }
        free_sparse(&s);
        free_problem(&p);
    }
}

static void test_the_first_nonfinite_value_of_sparse_x(void)
{
    problem p = make_problem(9, 2000, EXAMPLE_MAJOR, 0, 0);
    sparse s = make_sparse(&p, LOGREG_FLOAT64, LOGREG_INT32, 1);
    const logreg_run run = {.n_threads = 1};
    double J, dw[9], db, *x = (double *)(void *)s.values;
    int64_t feature, example;
    CHECK(logreg_first_nonfinite(&s.data, &feature, &example, &run) == LOGREG_OK && feature == -1);
    x[s.starts[1237] + 1] = x[s.starts[1237] + 2] = INFINITY; /* features 7 and 6 */
    x[s.starts[1300]] = NAN;
    CHECK(logreg_first_nonfinite(&s.data, &feature, &example, &run) == LOGREG_OK);
    CHECK(feature == 6 && example == 1237);
    CHECK(cost_and_gradient(&s.data, p.w, p.b, 0, &J, dw, &db, 3) == LOGREG_PASS_OVERFLOW);
    free_sparse(&s);
    free_problem(&p);
}

/* Samples and a dense factor; a diagonal one. */
static void test_the_minimum_of_sparse_x(void)
{
    static const int64_t shapes[][2] = {{6, 4000}, {300, 200}};
    const logreg_goal goal = {.tol = 1e-10, .slope = INFINITY, .passes = 300};
    for (int k = 0; k < COUNT(shapes); k++) {
        const int64_t n_x = shapes[k][0];
        problem p = make_problem(n_x, shapes[k][1], EXAMPLE_MAJOR, 0, 1);
        const sparse s = make_sparse(&p, LOGREG_FLOAT64, LOGREG_INT32, 3);
        double *w = allocate_doubles(2 * n_x);
        logreg_fit found = {.data = s.data, .l2 = 0.01, .w = w};
        logreg_fit dense = {.data = p.data, .l2 = 0.01, .w = w + n_x};
        for (int64_t j = 0; j < 2 * n_x; j++) w[j] = 0;
        minimize_alone(&found, &goal);
        minimize_alone(&dense, &goal);
        CHECK(found.status == LOGREG_CONVERGED && near(found.J, dense.J, 1e-9));
        free(w);
        free_sparse(&s);
        free_problem(&p);
    }
}

/* ---- Categories ------------------------------------------------------------------------------ */

typedef struct shape_of_categories {
    int64_t numbers, m, n_codes, sizes[MOST_CODES];
} shape_of_categories;

static const shape_of_categories categorical_shapes[] = {
    {0, 1, 1, {1}},           {0, 9, 1, {3}},          {1, 100, 1, {1}}, {2, 513, 2, {4, 1}},
    {9, 2000, 3, {2, 30, 7}}, {5, 70000, 2, {100, 3}}, {17, 64, 1, {5}}, {20, 3000, 3, {9, 9, 90}},
    {600, 300, 2, {3, 4}},    {3, 40000, 1, {127}},
};

static problem categorical_problem(const shape_of_categories *of, categorical *c, int variant)
{
    int64_t n_x = of->numbers;
    for (int64_t k = 0; k < of->n_codes; k++) n_x += of->sizes[k];
    problem p = make_problem(n_x, of->m, FEATURE_MAJOR, variant % 2, variant / 2 % 2);
    make_categories(c, &p, of->sizes, of->n_codes, variant);
    return p;
}

static void test_categories_agree_with_one_hot_columns(void)
{
    for (int k = 0; k < COUNT(categorical_shapes); k++)
        for (int variant = k; variant < 3 + k; variant++) {
            const shape_of_categories *of = &categorical_shapes[k];
            categorical c;
            problem p = categorical_problem(of, &c, variant);
            const answers dense = answers_of(&p.data, p.w, p.b, 1),
                          one = answers_of(&c.data, p.w, p.b, 1);
            check_same_answers(&one, &dense, p.data.n_x, of->m, 1e-10);
            for (int n_threads = 2; n_threads <= 5; n_threads++) {
                const answers more = answers_of(&c.data, p.w, p.b, n_threads);
                check_same_bits_of_answers(&one, &more, p.data.n_x, of->m);
                free_answers(&more);
            }
            free_answers(&one);
            free_answers(&dense);
            free_categories(&c);
            free_problem(&p);
        }
}

/* The examples up to a third, the next to two thirds, and the rest, one after the other. */
static void add_in_parts(const logreg_data *data, double *G, double *mu)
{
    const int64_t cuts[] = {0, data->m / 3, 2 * data->m / 3, data->m};
    const logreg_run run = {.n_threads = 2};
    for (int k = 0; k < 3; k++) {
        logreg_data part = examples_of(data, cuts[k], cuts[k + 1]);
        logreg_column codes[MOST_CODES];
        for (int64_t j = 0; j < data->n_codes; j++) {
            codes[j] = data->codes[j];
            codes[j].values = (const char *)codes[j].values + cuts[k] * codes[j].stride;
        }
        part.codes = codes;
        CHECK(logreg_add_categories(&part, G, mu, &run) == LOGREG_OK);
    }
}

static void test_categories_in_parts_have_the_bits_of_the_whole(void)
{
    for (int k = 0; k < COUNT(categorical_shapes); k++) {
        categorical c;
        problem p = categorical_problem(&categorical_shapes[k], &c, k);
        const int64_t n_x = p.data.n_x, first = c.starts[0], n = n_x - first;
        double S, *centre = allocate_doubles(n_x), *mu[2], *G[2];
        logreg_standardization s[2] = {allocate_standardization(n_x),
                                       allocate_standardization(n_x)};
        for (int of = 0; of < 2; of++) {
            mu[of] = allocate_doubles(n_x);
            G[of] = allocate_doubles(n_x * n_x);
            for (int64_t j = 0; j < n_x * n_x; j++) G[of][j] = 0;
        }
        for (int64_t j = 0; j < n_x; j++) centre[j] = s[1].mean[j] = 0;
        const int ended = standardize(&c.data, 2, &s[0]);
        add_in_parts(&c.data, NULL, s[1].mean);
        CHECK(logreg_finish_category_moments(&c.data, &s[1]) == LOGREG_OK && ended == LOGREG_OK);
        CHECK(same_bits(s[0].mean + first, s[1].mean + first, n));
        CHECK(same_bits(s[0].sd + first, s[1].sd + first, n));
        CHECK(gram(&c.data, centre, G[0], mu[0], &S, 2) == LOGREG_OK);
        for (int64_t j = 0; j < n_x; j++) mu[1][j] = j < first ? mu[0][j] : 0;
        for (int64_t j = 0; j < first * n_x; j++) G[1][j] = G[0][j];
        add_in_parts(&c.data, G[1], mu[1]);
        CHECK(logreg_finish_category_gram(&c.data, G[1], mu[1]) == LOGREG_OK);
        CHECK(same_bits(mu[0], mu[1], n_x) && same_bits(G[0], G[1], n_x * n_x));
        for (int of = 0; of < 2; of++) {
            free(mu[of]);
            free(G[of]);
            free_standardization(&s[of]);
        }
        free(centre);
        free_categories(&c);
        free_problem(&p);
    }
}

/* Numbers as a list of columns, in float32. */
static void test_categories_beside_columns_in_float32(void)
{
    for (int k = 0; k < COUNT(categorical_shapes); k++) {
        categorical c;
        problem p = categorical_problem(&categorical_shapes[k], &c, k);
        double J, db, J_narrow, db_narrow, *dw = allocate_doubles(2 * p.data.n_x);
        const int64_t n = c.starts[0], m = p.data.m;
        logreg_column *columns = allocate((size_t)(n + 1) * sizeof *columns);
        float *X = allocate((size_t)(n * m + 1) * sizeof *X);
        CHECK(cost_and_gradient(&c.data, p.w, p.b, 0, &J, dw, &db, 2) == LOGREG_OK);
        for (int64_t j = 0; j < n; j++) {
            columns[j] = (logreg_column){X + j * m, sizeof *X, LOGREG_FLOAT32};
            for (int64_t i = 0; i < m; i++) X[j * m + i] = (float)*element(&p, j, i);
        }
        c.data.features = columns;
        c.data.arithmetic = LOGREG_FLOAT32;
        double *narrow = dw + p.data.n_x;
        CHECK(cost_and_gradient(&c.data, p.w, p.b, 0, &J_narrow, narrow, &db_narrow, 2) ==
              LOGREG_OK);
        CHECK(near(J, J_narrow, 1e-5) && near(db, db_narrow, 1e-5));
        for (int64_t j = 0; j < p.data.n_x; j++) CHECK(near(dw[j], narrow[j], 1e-5));
        free(X);
        free(columns);
        free(dw);
        free_categories(&c);
        free_problem(&p);
    }
}

static void test_the_first_nonfinite_value_beside_categories(void)
{
    const shape_of_categories of = {4, 2000, 2, {3, 5}};
    const logreg_run run = {.n_threads = 1};
    categorical c;
    problem p = categorical_problem(&of, &c, 0);
    double J, dw[12], db;
    int64_t feature, example;
    CHECK(logreg_first_nonfinite(&c.data, &feature, &example, &run) == LOGREG_OK && feature == -1);
    *element(&p, 2, 1237) = NAN;
    CHECK(logreg_first_nonfinite(&c.data, &feature, &example, &run) == LOGREG_OK);
    CHECK(feature == 2 && example == 1237);
    CHECK(cost_and_gradient(&c.data, p.w, p.b, 0, &J, dw, &db, 3) == LOGREG_PASS_OVERFLOW);
    free_categories(&c);
    free_problem(&p);
}

/* Samples and a dense factor, of numbers of several types; a diagonal factor; no numbers. */
static void test_the_minimum_with_categories(void)
{
    static const shape_of_categories shapes[] = {
        {6, 9000, 2, {3, 20}}, {2, 200, 2, {100, 200}}, {0, 5000, 2, {4, 9}}, {2, 90, 1, {3}}};
    const logreg_goal goal = {.tol = 1e-10, .slope = INFINITY, .passes = 300};
    for (int k = 0; k < COUNT(shapes); k++) {
        categorical c;
        problem p = categorical_problem(&shapes[k], &c, k);
        const int64_t n_x = p.data.n_x;
        double *w = allocate_doubles(2 * n_x);
        logreg_fit found = {.data = c.data, .l2 = 0.01, .w = w};
        logreg_fit dense = {.data = p.data, .l2 = 0.01, .w = w + n_x};
        for (int64_t j = 0; j < 2 * n_x; j++) w[j] = 0;
        minimize_alone(&found, &goal);
        minimize_alone(&dense, &goal);
        CHECK(found.status == LOGREG_CONVERGED && near(found.J, dense.J, 1e-9));
        free(w);
        free_categories(&c);
        free_problem(&p);
    }
}

/* ---- Stopping -------------------------------------------------------------------------------- */

static double seconds(void)
{
#ifdef _WIN32 /* older C libraries have no timespec_get, and clock() is wall time */
    return (double)clock() / CLOCKS_PER_SEC;
#else
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#endif
}

/* Identifies the calling thread, because each thread has its own errno. */
static const int *caller_errno;

/* Returns true on the third call; only the calling thread may call it. */
static int stop_third(void *context)
{
    CHECK(&errno == caller_errno);
    return ++*(int *)context == 3;
}

static void test_should_stop_ends_many_small_iterations(void)
{
    int64_t iters = 1 << 25, n_costs, again;
    problem p = make_problem(2, 10, FEATURE_MAJOR, 0, 0);
    double *costs = allocate_doubles(iters), *w = copy_of(p.w, 2), start = seconds();
    logreg_settings settings = {.alpha = 0.1, .tol = -1};
    logreg_state state = {.w = p.w, .b = p.b}, plain = {.w = w, .b = p.b};
    int asked = 0;
    char *buffer;
    logreg_run run = make_run(logreg_workspace_size(&p.data, 0, 1), 1, &buffer);
    run.should_stop = stop_third;
    run.context = &asked;
    CHECK(logreg_descend(&p.data, &settings, &state, costs, iters, &n_costs, &run) ==
          LOGREG_STOPPED);
    double took = seconds() - start;
    CHECK(asked == 3 && n_costs > 0 && n_costs < iters);
    CHECK(took > 0.1 && took < 2); /* three intervals of 50 ms, on a machine that may be busy */
    CHECK(descend(&p.data, &settings, &plain, costs, n_costs, &again, 1) == LOGREG_OK);
    CHECK(same_bits(p.w, w, 2) && same_bits(&state.b, &plain.b, 1));
    free(buffer);
    free(w);
    free(costs);
    free_problem(&p);
}

/* A stride of 0 repeats one line of X, so that a pass over little memory takes many seconds. */
static void test_should_stop_ends_one_long_pass(void)
{
    enum { N_X = 2000, M = 64 << 20 };
    double *line = allocate_doubles(N_X), *Y = allocate_doubles(1), *A = allocate_doubles(M);
    double *w = allocate_doubles(N_X), *dw = allocate_doubles(N_X), J, db;
    logreg_standardization found = allocate_standardization(N_X);
    for (int j = 0; j < N_X; j++) line[j] = w[j] = 0.01 * (j % 7);
    *Y = 1;
    const logreg_point point = {w, 0, NULL, 0};
    for (int call = 0; call < 5; call++) {
        int64_t feature, example;
        logreg_nodes nodes = {NULL, 0};
        logreg_data data = {.n_x = N_X, .m = M, .example_major = 1, .Y = column_of(Y)};
        data.Y.stride = 0;
        data.X = (logreg_column){.values = line, .stride = 0, .type = LOGREG_FLOAT64};
        data.feature_stride = sizeof(double);
        int asked = 0;
        char *buffer;
        const logreg_part part = {0, 0, M / logreg_segment_size(&data)};
        size_t size = call == 0   ? logreg_workspace_size(&data, 0, 2)
                      : call == 1 ? logreg_predict_workspace_size(&data, 2)
                      : call == 4
                          ? logreg_sum_workspace_size(&logreg_gradient_sums, &data, &part, 0, 2)
                          : logreg_standardize_workspace_size(&data, 2);
        logreg_run run = make_run(size, 2, &buffer);
        run.should_stop = stop_third;
        run.context = &asked;
        double start = seconds();
        int code = call == 0   ? logreg_cost_and_gradient(&data, NULL, w, 0, 0, &J, dw, &db, &run)
                   : call == 1 ? logreg_predict_proba(&data, w, 0, A, &run)
                   : call == 2 ? logreg_standardize(&data, &found, &run)
                   : call == 4
                       ? logreg_sum(&logreg_gradient_sums, &data, &part, &point, &nodes, &run)
                       : logreg_first_nonfinite(&data, &feature, &example, &run);
        CHECK(code == LOGREG_STOPPED && asked == 3 && nodes.count == 0);
        CHECK(seconds() - start < 2);
        free(buffer);
    }
    free(line);
    free(Y);
    free(A);
    free(w);
    free(dw);
    free_standardization(&found);
}

static int stop_first(void *context)
{
    ++*(int *)context;
    return 1;
}

static void test_should_stop_ends_a_gram_and_a_factorization(void)
{
    enum { N_X = 3000, M = 64 << 20 };
    double *line = allocate_doubles(N_X), *G = allocate_doubles((int64_t)N_X * N_X), S;
    double *mu = allocate_doubles(N_X);
    for (int j = 0; j < N_X; j++) line[j] = 0.01 * (j % 7);
    for (int64_t k = 0; k < (int64_t)N_X * N_X; k++) G[k] = k % (N_X + 1) == 0;
    for (int layout = 0; layout < 3; layout++) {
        logreg_data data = {.n_x = N_X, .m = M, .example_major = layout == EXAMPLE_MAJOR};
        data.X = (logreg_column){.values = line, .stride = 0, .type = LOGREG_FLOAT64};
        data.feature_stride = sizeof(double);
        char *buffer;
        int asked = 0;
        const size_t size = layout == 2 ? logreg_cholesky_workspace_size(N_X, 2)
                                        : logreg_gram_workspace_size(&data, 2);
        logreg_run run = make_run(size, 2, &buffer);
        run.should_stop = layout == 2 ? stop_first : stop_third;
        run.context = &asked;
        const double start = seconds();
        if (layout == 2)
            CHECK(logreg_cholesky(G, N_X, 0, &run) == -1 && asked == 1);
        else
            CHECK(logreg_gram(&data, line, G, mu, &S, &run) == LOGREG_STOPPED && asked == 3);
        CHECK(seconds() - start < 30); /* all of a Gram would take hours */
        int untouched = 1;
        for (int64_t k = 0; k < (int64_t)N_X * N_X; k++) untouched &= G[k] == (k % (N_X + 1) == 0);
        CHECK(layout == 2 || untouched);
        free(buffer);
    }
    free(line);
    free(G);
    free(mu);
}

static void test_should_stop_ends_leverages(void)
{
    enum { N_X = 500, M = 64 << 20 };
    double *L = allocate_doubles(N_X * N_X), *out = calloc(M, sizeof *out);
    for (int k = 0; k < N_X * N_X; k++) L[k] = k % (N_X + 1) == 0;
    logreg_data data = {.n_x = N_X, .m = M, .feature_stride = sizeof(double)};
    data.X = (logreg_column){.values = L, .stride = 0, .type = LOGREG_FLOAT64};
    char *buffer;
    int asked = 0;
    logreg_run run = make_run(logreg_leverage_workspace_size(&data, 2), 2, &buffer);
    run.should_stop = stop_first;
    run.context = &asked;
    const double start = seconds();
    CHECK(logreg_leverage(&data, L, L, out, &run) == LOGREG_STOPPED && asked == 1);
    CHECK(seconds() - start < 2);
    free(buffer);
    free(L);
    free(out);
}

static void test_should_stop_ends_many_fits(void)
{
    enum { COUNT = 1 << 17 };
    const logreg_goal goal = {.tol = 1e-9, .slope = INFINITY, .passes = 100};
    problem p = make_problem(2, 100, FEATURE_MAJOR, 0, 0);
    logreg_fit *fits = allocate(COUNT * sizeof *fits);
    double *w = allocate_doubles(2 * COUNT);
    char *buffer;
    int asked = 0;
    for (int k = 0; k < COUNT; k++) fits[k] = fit_of(&p, w + 2 * k);
    logreg_run run = make_run(logreg_minimize_many_workspace_size(fits, COUNT, 2), 2, &buffer);
    run.should_stop = stop_third;
    run.context = &asked;
    const double start = seconds();
    CHECK(logreg_minimize_many(fits, COUNT, &goal, &run) == LOGREG_STOPPED && asked == 3);
    CHECK(seconds() - start < 2);
    free(buffer);
    free(w);
    free(fits);
    free_problem(&p);
}

/* ---- The machine ----------------------------------------------------------------------------- */

static void test_isa_select(void)
{
    int last_supported = 0;
    CHECK(strcmp(logreg_isa_name(0), "baseline") == 0 && logreg_isa_supported(0));
    CHECK(strcmp(logreg_isa(), "baseline") == 0);
    for (int isa = 0; isa < logreg_isa_count(); isa++) {
        const char *before = logreg_isa();
        if (logreg_isa_supported(isa)) {
            CHECK(logreg_isa_select(logreg_isa_name(isa)) == 0);
            CHECK(strcmp(logreg_isa(), logreg_isa_name(isa)) == 0);
            last_supported = isa;
        } else {
            CHECK(logreg_isa_select(logreg_isa_name(isa)) == -2);
            CHECK(strcmp(logreg_isa(), before) == 0);
        }
        before = logreg_isa();
        CHECK(logreg_isa_select("sse9") == -1 && strcmp(logreg_isa(), before) == 0);
    }
    CHECK(logreg_isa_select("baseline") == 0 && logreg_isa_select(NULL) == 0);
    CHECK(strcmp(logreg_isa(), logreg_isa_name(last_supported)) == 0);
    CHECK(logreg_isa_select("baseline") == 0 && logreg_isa_select("") == 0);
    CHECK(strcmp(logreg_isa(), logreg_isa_name(last_supported)) == 0);
}

static void test_threads_and_segments(void)
{
    const char *backend = logreg_threads_backend();
#if defined(_OPENMP)
    CHECK(strcmp(backend, "openmp") == 0);
#elif defined(LOGREG_DISPATCH)
    CHECK(strcmp(backend, "dispatch") == 0);
#else
    CHECK(strcmp(backend, "serial") == 0);
#endif
    CHECK(logreg_max_threads() >= 1);
    CHECK(logreg_threads_for(0, 4) == 1 && logreg_threads_for(1, 4) == 1);
    CHECK(logreg_threads_for(9, 4) == (strcmp(backend, "serial") == 0 ? 1 : 4));
    for (int64_t n_x = 0; n_x < 100000; n_x = n_x * 5 / 4 + 1) {
        int64_t size = segment_size(n_x);
        CHECK(size > 0 && (size & (size - 1)) == 0);
    }
}

enum { MOST_THREADS = 4, MOST_TASKS = 20 };

typedef struct calls {
    int64_t n_tasks;
    int of[MOST_THREADS][MOST_TASKS], outside[MOST_THREADS]; /* per thread */
} calls;

static void count_call(void *context, int64_t task, int thread)
{
    calls *c = context;
    if (task >= 0 && task < c->n_tasks)
        c->of[thread][task]++;
    else
        c->outside[thread]++;
}

static void test_every_task_is_done_once(void)
{
    for (int n_threads = 1; n_threads <= MOST_THREADS; n_threads++)
        for (int n_tasks = 0; n_tasks <= MOST_TASKS; n_tasks++) {
            calls c = {.n_tasks = n_tasks};
            logreg_parallel_for(n_tasks, n_threads, count_call, &c);
            for (int task = 0; task < MOST_TASKS; task++) {
                int count = 0;
                for (int thread = 0; thread < n_threads; thread++) count += c.of[thread][task];
                CHECK(count == (task < n_tasks));
            }
            for (int thread = 0; thread < MOST_THREADS; thread++) CHECK(c.outside[thread] == 0);
        }
}

int main(void)
{
    caller_errno = &errno;
    logreg_threads_open();
    test_isa_select();
    test_threads_and_segments();
    test_every_task_is_done_once();
#ifdef LOGREG_DISPATCH
    test_dispatch_is_not_used_in_a_child();
    test_dispatch_follows_omp_num_threads();
    test_dispatch_may_leave_nothing_to_the_calling_thread();
#endif
    for (int isa = 0; isa < logreg_isa_count(); isa++) {
        if (!logreg_isa_supported(isa)) continue;
        CHECK(logreg_isa_select(logreg_isa_name(isa)) == 0);
        test_a_pass_agrees_with_long_hand();
        test_cost_is_accurate_for_extreme_z();
        test_a_gap_or_a_slice_changes_no_bit();
        test_how_values_are_stored_changes_no_bit();
        test_values_that_are_not_aligned_change_no_bit();
        test_typed_labels_and_weights_change_no_bit();
        test_descent_agrees_with_long_hand();
        test_descent_converges_at_tol();
        test_a_fixed_b_stays();
        test_many_calls_continue_one();
        test_standardized_descent_agrees_with_long_hand();
        test_many_features_are_standardized_in_tiles();
        test_mean_is_exact_despite_a_large_offset();
        test_standardized_descent_is_accurate_despite_a_large_offset();
        test_examples_of_weight_0_have_no_effect();
        test_a_constant_feature_keeps_its_w();
        test_a_constant_feature_is_unchanged_without_centering();
        test_parts_in_any_order_have_the_bits_of_one_call();
        test_missing_and_duplicate_segments_are_detected();
        test_a_softmax_in_parts_has_the_bits_of_one_call();
        test_a_search_of_parts_has_the_bits_of_one_of_an_array();
        test_threads_and_modes_change_no_bit();
        test_a_forked_child_trains();
        test_sigmoid_is_within_2_ulp();
        test_a_nonfinite_x_is_always_reported();
        test_first_nonfinite_is_the_lowest_example_then_feature();
        test_a_nonfinite_value_is_found_among_columns_of_any_type();
        test_first_outside();
        test_overflow_of_finite_data_is_reported();
        test_curvature_is_accurate_far_out();
        test_curvature_agrees_with_long_hand();
        test_a_curvature_that_is_not_finite_is_told();
        test_gram_agrees_with_long_hand();
        test_how_values_are_stored_changes_no_bit_of_a_gram();
        test_a_gram_of_no_weight_is_0();
        test_a_gram_that_is_not_finite_is_told();
        test_threads_and_modes_change_no_bit_of_a_gram();
        test_cholesky_factors();
        test_cholesky_tells_which_pivot_fails();
        test_rows_are_multiplied_and_added();
        test_leverages_agree_with_solves();
        test_the_logarithm_of_a_determinant();
        test_a_quadratic_has_its_minimum_with_and_without_its_hessian();
        test_many_fits_have_the_bits_of_each();
        test_large_fits_of_one_X_share_its_passes();
        test_another_penalty_starts_at_the_minimum_of_the_last();
        test_sparse_x_agrees_with_dense_x();
        test_indices_of_sparse_x_are_checked();
        test_the_first_nonfinite_value_of_sparse_x();
        test_the_minimum_of_sparse_x();
        test_categories_agree_with_one_hot_columns();
        test_categories_in_parts_have_the_bits_of_the_whole();
        test_categories_beside_columns_in_float32();
        test_the_first_nonfinite_value_beside_categories();
        test_the_minimum_with_categories();
        test_should_stop_ends_many_small_iterations();
        test_should_stop_ends_one_long_pass();
        test_should_stop_ends_a_gram_and_a_factorization();
        test_should_stop_ends_leverages();
        test_should_stop_ends_many_fits();
    }
    printf("%d passed, 0 failed\n", checks_passed);
    return 0;
}
