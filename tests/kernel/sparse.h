/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sparse X for the tests of the kernel: the same values as a dense one. */
#ifndef SPARSE_H
#define SPARSE_H

#include "problem.h"

typedef struct sparse {
    logreg_data data;
    char *values;
    void *indices;
    int64_t *starts;
} sparse;

static inline void put_index(sparse *s, int64_t k, int64_t j)
{
    if (s->data.index_type == LOGREG_INT32)
        ((int32_t *)s->indices)[k] = (int32_t)j;
    else
        ((int64_t *)s->indices)[k] = j;
}

/* Of each example of p every `one_in`-th value, stored as `type`; in p, whose X is float64, the
 * values are set to what is stored and the others to 0. Every second example lists its features in
 * falling order, and every seventh has none. */
static inline sparse make_sparse(problem *p, logreg_type type, logreg_type index_type,
                                 int64_t one_in)
{
    const int64_t n_x = p->data.n_x, m = p->data.m, size = all_types[type].size;
    sparse s = {.data = p->data, .values = allocate((size_t)(n_x * m * size))};
    int64_t k = 0;
    s.indices = allocate((size_t)(n_x * m) * sizeof(int64_t));
    s.starts = allocate((size_t)(m + 1) * sizeof *s.starts);
    s.data.index_type = index_type;
    s.starts[0] = 0;
    for (int64_t i = 0; i < m; i++) {
        for (int64_t n = 0; n < n_x; n++) {
            const int64_t j = i % 2 ? n_x - 1 - n : n;
            double *x = element(p, j, i);
            if (i % 7 == 3 || (j * 5 + i * 3) % one_in != 0) {
                *x = 0;
                continue;
            }
            *x = store(type, s.values + k * size, *x);
            put_index(&s, k++, j);
        }
        s.starts[i + 1] = k;
    }
    s.data.example_major = 0;
    s.data.X = (logreg_column){s.values, size, type};
    s.data.starts = s.starts;
    s.data.ends = s.starts + 1;
    s.data.indices = s.indices;
    s.data.width = k / m + 1;
    return s;
}

static inline void free_sparse(const sparse *s)
{
    free(s->values);
    free(s->indices);
    free(s->starts);
}

#endif
