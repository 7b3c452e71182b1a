/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prints hashes of the bits of everything that the kernel returns over a battery of shapes, types,
 * layouts and settings. There is one line per instruction set, with one hash for each type of X,
 * for columns of all types together, for loading values of every type, and for the sigmoid. Every
 * line of every build for every machine must have the same hashes; the Makefile compares them. */
#include "problem.h"

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

int main(void)
{
    for (int isa = 0; isa < logreg_isa_count(); isa++)
        if (logreg_isa_supported(isa)) {
            CHECK(logreg_isa_select(logreg_isa_name(isa)) == 0);
            printf("%-8s ", logreg_isa());
            for (int type = 0; type <= ALL_MIXED; type++)
                printf("%016llx-", (unsigned long long)hash_battery(type));
            printf("%016llx-", (unsigned long long)hash_loads());
            printf("%016llx\n", (unsigned long long)hash_sigmoid());
            fflush(stdout);
        }
    return 0;
}
