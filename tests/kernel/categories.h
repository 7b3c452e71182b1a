/* SPDX-License-Identifier: BSD-3-Clause
 *
 * X with categories for the tests of the kernel: the same values as a dense one. */
#ifndef CATEGORIES_H
#define CATEGORIES_H

#include "problem.h"

enum { MOST_CODES = 3 };

typedef struct categorical {
    logreg_data data;
    logreg_column codes[MOST_CODES];
    int64_t starts[MOST_CODES + 1];
    char *values[MOST_CODES];
} categorical;

static const logreg_type code_types[] = {LOGREG_UINT8, LOGREG_INT8,  LOGREG_UINT16,
                                         LOGREG_INT16, LOGREG_INT32, LOGREG_INT64};
enum { CODE_TYPES_COUNT = sizeof code_types / sizeof *code_types };

static inline void put_code(logreg_type type, char *place, int64_t code)
{
    const int16_t two = (int16_t)code;
    const int32_t four = (int32_t)code;
    if (all_types[type].size == 1) *place = (char)code;
    if (all_types[type].size == 2) memcpy(place, &two, sizeof two);
    if (all_types[type].size == 4) memcpy(place, &four, sizeof four);
    if (all_types[type].size == 8) memcpy(place, &code, sizeof code);
}

/* Makes columns with sizes[0], sizes[1] ... categories, of which some have no example, of the last
 * features of p, whose X is feature-major and float64: these become 0 and 1. Types differ, and
 * every second column has gaps. */
static inline void make_categories(categorical *c, problem *p, const int64_t *sizes,
                                   int64_t n_codes, int variant)
{
    const int64_t n_x = p->data.n_x, m = p->data.m;
    uint64_t seed = (uint64_t)(variant + 1);
    *c = (categorical){.data = p->data};
    c->starts[n_codes] = n_x;
    for (int64_t k = n_codes - 1; k >= 0; k--) c->starts[k] = c->starts[k + 1] - sizes[k];
    for (int64_t k = 0; k < n_codes; k++) {
        const logreg_type type = code_types[(variant + k) % CODE_TYPES_COUNT];
        const int64_t stride = all_types[type].size * (1 + (variant + k) % 2);
        c->values[k] = allocate((size_t)(m * stride));
        c->codes[k] = (logreg_column){c->values[k], stride, type};
        for (int64_t i = 0; i < m; i++) {
            const double value = fabs(next_value(&seed));
            const int64_t code = (int64_t)(value * value * (double)sizes[k]);
            put_code(type, c->values[k] + i * stride, code);
            for (int64_t j = c->starts[k]; j < c->starts[k + 1]; j++)
                *element(p, j, i) = j - c->starts[k] == code;
        }
    }
    c->data.codes = c->codes;
    c->data.categories = c->starts;
    c->data.n_codes = n_codes;
}

static inline void free_categories(const categorical *c)
{
    for (int k = 0; k < MOST_CODES; k++) free(c->values[k]);
}

#endif
