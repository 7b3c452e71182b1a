/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Samples.
 */
#include "solve/sample.h"

#include "block/kernels.h"

#define GOLDEN 0.6180339887498949
#define LEAST_SHARE 0.25

/* ---- Labels and weights, a block at a time --------------------------------------------------- */

typedef struct targets {
    const double *Y, *weight; /* weight: NULL, if all are 1 */
    int64_t count;
    double scratch[2][LOGREG_BLOCK];
} targets;

static void load(const logreg_data *data, int64_t first, targets *t)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    t->count = data->m - first < LOGREG_BLOCK ? data->m - first : LOGREG_BLOCK;
    t->Y = kernels->column(&data->Y, first, t->count, t->scratch[0]);
    t->weight = NULL;
    if (data->sample_weight.values)
        t->weight = kernels->column(&data->sample_weight, first, t->count, t->scratch[1]);
}

static LOGREG_NOINLINE void survey(logreg_survey *s, const logreg_data *data)
{
    targets t;
    for (int64_t first = 0; first < data->m; first += LOGREG_BLOCK) {
        double sums[2] = {0.0, 0.0},
               labels = 0.0; /* of a block, to add fewer small terms to large */
        load(data, first, &t);
        for (int64_t i = 0; i < t.count; i++) {
            const double weight = t.weight ? t.weight[i] : 1.0;
            sums[t.Y[i] > 0.5] += weight;
            labels += weight * t.Y[i];
            if (weight > 0.0 && (s->least == 0.0 || weight < s->least)) s->least = weight;
            s->soft |= weight > 0.0 && t.Y[i] > 0.0 && t.Y[i] < 1.0;
        }
        s->negative += sums[0];
        s->positive += sums[1];
        s->labels += labels;
    }
}

void logreg_survey_add(logreg_survey *s, const logreg_data *data)
{
    const logreg_fp_modes found = logreg_fp_default();
    survey(s, data);
    logreg_fp_restore(found);
}

/* ---- Choosing -------------------------------------------------------------------------------- */

/* By how much the weights of each class are scaled to make sizes. */
typedef struct scales {
    double positive, negative;
} scales;

static scales scales_of(const logreg_survey *s)
{
    const double total = s->positive + s->negative;
    scales by = {1.0, 1.0};
    if (s->positive > 0.0 && s->negative > 0.0) {
        double share = s->positive / total;
        if (share < LEAST_SHARE) share = LEAST_SHARE;
        if (share > 1.0 - LEAST_SHARE) share = 1.0 - LEAST_SHARE;
        by.positive = share * total / s->positive;
        by.negative = (1.0 - share) * total / s->negative;
    }
    return by;
}

/* The place of hit k, in steps: within [k, k + 1). */
static double place_of(int64_t k)
{
    const double turns = 0.5 + GOLDEN * (double)k;
    return (double)k + (turns - (double)(int64_t)turns);
}

logreg_choice logreg_choice_open(const logreg_survey *s, int64_t count)
{
    const logreg_fp_modes found = logreg_fp_default();
    const scales by = scales_of(s);
    const double total = by.positive * s->positive + by.negative * s->negative;
    const logreg_choice choice = {.count = count,
                                  .positive = by.positive,
                                  .negative = by.negative,
                                  .step = total / (double)count};
    logreg_fp_restore(found);
    return choice;
}

/* Appends to index, Y and h what is chosen of the data, and returns how many these are. */
static LOGREG_NOINLINE int64_t choose(logreg_choice *c, const logreg_data *data, int64_t *index,
                                      double *Y, double *h)
{
    const double scale[2] = {c->negative, c->positive}; /* labels are hard to predict */
    double size_so_far = c->size_so_far, next = place_of(c->hit) * c->step; /* of the next hit */
    int64_t chosen = 0;
    targets t;
    for (int64_t first = 0; first < data->m && c->hit < c->count; first += LOGREG_BLOCK) {
        load(data, first, &t);
        for (int64_t i = 0; i < t.count; i++) {
            const double weight = t.weight ? t.weight[i] : 1.0;
            const double size = weight * scale[t.Y[i] > 0.5];
            const int64_t hits_before = c->hit;
            size_so_far += size;
            while (next < size_so_far && c->hit < c->count) next = place_of(++c->hit) * c->step;
            if (c->hit == hits_before) continue;
            index[chosen] = first + i;
            Y[chosen] = t.Y[i];
            h[chosen] =
                size > c->step ? weight / c->step : weight / size * (double)(c->hit - hits_before);
            chosen++;
        }
    }
    c->size_so_far = size_so_far;
    c->chosen += chosen;
    return chosen;
}

int64_t logreg_choose(logreg_choice *choice, const logreg_data *part, int64_t *index, double *Y,
                      double *h)
{
    LOGREG_IN_DEFAULT_MODES(int64_t, choose(choice, part, index, Y, h));
}

/* An example that is hit twice leaves a place for one of weight 0. */
static void choose_some(const logreg_data *data, const logreg_survey *s, int64_t count,
                        int64_t *index, double *Y, double *h)
{
    logreg_choice choice = logreg_choice_open(s, count);
    for (int64_t k = choose(&choice, data, index, Y, h); k < count; k++) {
        index[k] = k > 0 ? index[k - 1] : 0;
        Y[k] = h[k] = 0.0;
    }
}

static void choose_all(const logreg_data *data, int64_t *index, double *Y, double *h)
{
    targets t;
    for (int64_t first = 0; first < data->m; first += LOGREG_BLOCK) {
        load(data, first, &t);
        for (int64_t i = 0; i < t.count; i++) {
            index[first + i] = first + i;
            Y[first + i] = t.Y[i];
            h[first + i] = t.weight ? t.weight[i] : 1.0;
        }
    }
}

/* ---- Gathering ------------------------------------------------------------------------------- */

enum {
    LINE = 64,
    AHEAD = 16,           /* rows that are prefetched, */
    MOST_AHEAD = 1 << 10, /* and the most bytes of each: the CPU sees where a long row goes */
    ROWS_AT_ONCE = 64     /* that columns are gathered into: these rows stay in cache */
};

/* The type that the features share, or float64. */
static logreg_type common_type(const logreg_data *data)
{
    if (!data->features) return data->X.type;
    for (int64_t j = 1; j < data->n_x; j++)
        if (data->features[j].type != data->features[0].type) return LOGREG_FLOAT64;
    return data->n_x > 0 ? data->features[0].type : LOGREG_FLOAT64;
}

static size_t bytes_of_codes(const logreg_data *data, int64_t k, int64_t count)
{
    return logreg_in_lines((size_t)(count * logreg_type_size(data->codes[k].type)));
}

size_t logreg_sample_size(const logreg_data *data, int64_t count)
{
    if (logreg_is_sparse(data)) return 5 * logreg_in_lines((size_t)count * sizeof(double));
    const size_t values = (size_t)(count * logreg_numbers(data)) * sizeof(double);
    size_t size = logreg_in_lines(values) + 3 * logreg_in_lines((size_t)count * sizeof(double));
    size += logreg_in_lines((size_t)data->n_codes * sizeof(logreg_column));
    for (int64_t k = 0; k < data->n_codes; k++) size += bytes_of_codes(data, k, count);
    return size;
}

/* Example-major: each example as it lies. */
static void gather_rows(const logreg_data *data, const int64_t *index, int64_t count, char *to)
{
    const size_t size = (size_t)(data->n_x * logreg_type_size(data->X.type));
    const char *x = data->X.values;
    for (int64_t k = 0; k < count; k++, to += size) {
        const int64_t later = k + AHEAD < count ? index[k + AHEAD] : index[k];
        for (size_t line = 0; line < size && line < MOST_AHEAD; line += LINE)
            LOGREG_PREFETCH(x + later * data->X.stride, line);
        memcpy(to, x + index[k] * data->X.stride, size);
    }
}

/* memcpy of a size that compilers know is a load and a store. */
static void gather_column(const logreg_column *column, const int64_t *index, int64_t count,
                          int64_t n_x, size_t size, char *to)
{
    const char *x = column->values;
    const int64_t stride = column->stride;
    const size_t step = (size_t)n_x * size;
    switch (size) {
    case 8:
        for (int64_t k = 0; k < count; k++, to += step) memcpy(to, x + index[k] * stride, 8);
        return;
    case 4:
        for (int64_t k = 0; k < count; k++, to += step) memcpy(to, x + index[k] * stride, 4);
        return;
    case 2:
        for (int64_t k = 0; k < count; k++, to += step) memcpy(to, x + index[k] * stride, 2);
        return;
    default:
        for (int64_t k = 0; k < count; k++, to += step) *to = x[index[k] * stride];
    }
}

static void gather_converted(const logreg_column *column, const int64_t *index, int64_t count,
                             int64_t n_x, double *to)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    double scratch[LOGREG_BLOCK];
    for (int64_t k = 0; k < count; k++)
        to[k * n_x] = *kernels->column(column, index[k], 1, scratch);
}

/* Sparse: where each example lies, which stays where it is. */
static void gather_sparse(const logreg_data *data, const int64_t *index, logreg_data *sample,
                          int64_t *starts, int64_t *ends)
{
    for (int64_t k = 0; k < sample->m; k++) {
        starts[k] = data->starts[index[k]];
        ends[k] = data->ends[index[k]];
    }
    sample->X = data->X;
    sample->starts = starts;
    sample->ends = ends;
    sample->indices = data->indices;
    sample->index_type = data->index_type;
    sample->width = data->width;
}

/* Numbers and codes as columns. */
static void gather_categories(const logreg_data *data, const int64_t *index, logreg_data *sample,
                              char *memory)
{
    const int64_t n = logreg_numbers(data), count = sample->m;
    double *to = (double *)(void *)memory;
    sample->example_major = 0;
    sample->X = (logreg_column){to, sizeof *to, LOGREG_FLOAT64};
    sample->feature_stride = count * (int64_t)sizeof *to;
    for (int64_t j = 0; j < n; j++, to += count) {
        const logreg_column column = logreg_feature(data, j);
        gather_converted(&column, index, count, 1, to);
    }
    memory += logreg_in_lines((size_t)(n * count) * sizeof *to);
    logreg_column *codes = (logreg_column *)(void *)memory;
    memory += logreg_in_lines((size_t)data->n_codes * sizeof *codes);
    for (int64_t k = 0; k < data->n_codes; k++) {
        const int size = logreg_type_size(data->codes[k].type);
        codes[k] = (logreg_column){memory, size, data->codes[k].type};
        gather_column(&data->codes[k], index, count, 1, (size_t)size, memory);
        memory += bytes_of_codes(data, k, count);
    }
    sample->codes = codes;
    sample->categories = data->categories;
    sample->n_codes = data->n_codes;
}

static void gather(const logreg_data *data, const int64_t *index, logreg_data *sample)
{
    const logreg_type type = sample->X.type;
    const size_t size = (size_t)logreg_type_size(type);
    char *to = (char *)(uintptr_t)sample->X.values;
    if (data->example_major && type == data->X.type) {
        gather_rows(data, index, sample->m, to);
        return;
    }
    for (int64_t k = 0; k < sample->m; k += ROWS_AT_ONCE, index += ROWS_AT_ONCE) {
        const int64_t count = logreg_at_most(sample->m - k, ROWS_AT_ONCE);
        const int64_t later = logreg_at_most(sample->m - k - count, ROWS_AT_ONCE);
        for (int64_t j = 0; j < data->n_x; j++, to += size) {
            const logreg_column column = logreg_feature(data, j);
            for (int64_t i = 0; i < later; i++)
                LOGREG_PREFETCH(column.values, index[count + i] * column.stride);
            if (column.type == type)
                gather_column(&column, index, count, data->n_x, size, to);
            else
                gather_converted(&column, index, count, data->n_x, (double *)(void *)to);
        }
        to += (size_t)((count - 1) * data->n_x) * size;
    }
}

static LOGREG_NOINLINE logreg_data take(const logreg_data *data, const logreg_survey *s,
                                        int64_t count, int float64, char *memory)
{
    const size_t column = logreg_in_lines((size_t)count * sizeof(double));
    double *Y = (double *)(void *)memory, *h = (double *)(void *)(memory + column);
    int64_t *index = (int64_t *)(void *)(memory + 2 * column);
    logreg_data sample = {.n_x = data->n_x, .m = count, .example_major = 1};
    if (count < data->m)
        choose_some(data, s, count, index, Y, h);
    else
        choose_all(data, index, Y, h);
    sample.arithmetic = LOGREG_FLOAT64;
    sample.Y = (logreg_column){Y, sizeof(double), LOGREG_FLOAT64};
    sample.sample_weight = (logreg_column){h, sizeof(double), LOGREG_FLOAT64};
    if (logreg_is_sparse(data)) {
        int64_t *starts = (int64_t *)(void *)(memory + 3 * column);
        int64_t *ends = (int64_t *)(void *)(memory + 4 * column);
        gather_sparse(data, index, &sample, starts, ends);
        return sample;
    }
    if (data->codes) {
        gather_categories(data, index, &sample, memory + 3 * column);
        return sample;
    }
    sample.X.type = float64 ? LOGREG_FLOAT64 : common_type(data);
    sample.X.values = memory + 3 * column;
    sample.feature_stride = logreg_type_size(sample.X.type);
    sample.X.stride = data->n_x * sample.feature_stride;
    gather(data, index, &sample);
    return sample;
}

logreg_data logreg_sample(const logreg_data *data, const logreg_survey *s, int64_t count,
                          int float64, void *memory)
{
    const logreg_fp_modes found = logreg_fp_default();
    const logreg_data sample = take(data, s, count, float64, memory);
    logreg_fp_restore(found);
    return sample;
}
