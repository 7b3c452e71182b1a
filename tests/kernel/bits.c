/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prints hashes of the bits of w, b and costs over a battery of small trainings, one line an
 * instruction set, one hash a type of X. Every line of every build must carry the same hashes: the
 * Makefile compares them.
 */
#include "problem.h"

static uint64_t hash_training(uint64_t hash, int64_t n_x, int64_t m, layout layout, int weighted,
                              int standardized, logreg_type type)
{
    enum { ITERS = 4 };
    problem p = make_problem(n_x, m, layout, 0, weighted);
    if (type != LOGREG_FLOAT64) store_X_as(&p, type);
    if (computes_in_float32(type)) p.data.arithmetic = LOGREG_FLOAT32;
    logreg_standardization standardization = allocate_standardization(n_x);
    logreg_settings settings = {.alpha = 0.7, .l2 = 0.01, .tol = -1};
    logreg_state state = {.w = p.w, .b = p.b};
    double costs[ITERS];
    int64_t n_costs;
    if (standardized) {
        CHECK(standardize(&p.data, 3, &standardization) == LOGREG_OK);
        settings.standardization = &standardization;
    }
    if (type == LOGREG_INT64) settings.alpha = 0x1p-60;
    CHECK(descend(&p.data, &settings, &state, costs, ITERS, &n_costs, 3) == LOGREG_OK);
    hash = hash_bits(hash, p.w, n_x);
    hash = hash_bits(hash, &state.b, 1);
    hash = hash_bits(hash, costs, ITERS);
    free_standardization(&standardization);
    free_problem(&p);
    return hash;
}

static uint64_t hash_battery(logreg_type type)
{
    static const int64_t features[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 28, 30, 65, 255, 784};
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t f = type == LOGREG_FLOAT64 ? 0 : 1; f < sizeof features / sizeof *features;
         f += type == LOGREG_FLOAT64 ? 1 : 3) {
        int64_t n_x = features[f], segment = logreg_segment_size(n_x);
        const int64_t examples[] = {1, 2, 7, 8, 9, 15, 16, 17, 65, 511, 512, 513, 3 * segment + 5};
        for (size_t e = 0; e < sizeof examples / sizeof *examples; e++)
            for (int variant = 0; variant < 8; variant++)
                hash = hash_training(hash, n_x, examples[e],
                                     variant & 1 ? FEATURE_MAJOR : EXAMPLE_MAJOR, variant & 2,
                                     variant & 4 && examples[e] > 2, type);
    }
    return hash;
}

int main(void)
{
    for (int isa = 0; isa < logreg_isa_count(); isa++)
        if (logreg_isa_supported(isa)) {
            CHECK(logreg_isa_select(logreg_isa_name(isa)) == 0);
            printf("%-8s ", logreg_isa());
            for (int type = 0; type < ALL_TYPES; type++)
                printf("%016llx%c", (unsigned long long)hash_battery((logreg_type)type),
                       type < ALL_TYPES - 1 ? '-' : '\n');
        }
    return 0;
}
