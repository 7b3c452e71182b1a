/* SPDX-License-Identifier: BSD-3-Clause
 *
 * X with categories: its numbers as feature-major columns, then column after column of codes, each
 * of which finds a weight:
 *
 *     Z_i    the sum over the numbers, + the weight of the first category, + that of the second ...
 *     dw_j   of a category one example after the other, in float64 whatever the arithmetic
 *
 * A code is read once per half, and nothing is multiplied.
 */

#define CODE_TYPES(X)                                                                              \
    X(LOGREG_UINT8, uint8_t)                                                                       \
    X(LOGREG_INT8, int8_t)                                                                         \
    X(LOGREG_UINT16, uint16_t)                                                                     \
    X(LOGREG_INT16, int16_t)                                                                       \
    X(LOGREG_INT32, int32_t)                                                                       \
    X(LOGREG_INT64, int64_t)

/* Adds to Z the weights of the examples' categories. */
static void add_category_weights(const logreg_column *codes, const logreg_block *block,
                                 const real *w, real *Z)
{
    const char *code = column_at(codes, block->first);
    const int64_t count = block->count, stride = codes->stride;
    switch (codes->type) {
#define ADD_WEIGHTS(type, c_type)                                                                  \
    case type:                                                                                     \
        for (int64_t i = 0; i < count; i++, code += stride)                                        \
            Z[i] += w[*(const c_type *)(const void *)code];                                        \
        break;
        CODE_TYPES(ADD_WEIGHTS)
#undef ADD_WEIGHTS
    default:
        break; /* no other type holds codes */
    }
}

/* Adds each dZ to the sum of the example's category. */
static void add_category_errors(const logreg_column *codes, const logreg_block *block,
                                const real *dZ, double *dw)
{
    const char *code = column_at(codes, block->first);
    const int64_t count = block->count, stride = codes->stride;
    switch (codes->type) {
#define ADD_ERRORS(type, c_type)                                                                   \
    case type:                                                                                     \
        for (int64_t i = 0; i < count; i++, code += stride)                                        \
            dw[*(const c_type *)(const void *)code] += (double)dZ[i];                              \
        break;
        CODE_TYPES(ADD_ERRORS)
#undef ADD_ERRORS
    default:
        break;
    }
}

/* The block over those of its features that are numbers. */
static logreg_block numbers_of(const logreg_block *block)
{
    const int64_t n = logreg_numbers(block->reading->data);
    logreg_block part = *block;
    part.from = logreg_at_most(block->from, n);
    part.to = logreg_at_most(block->to, n);
    return part;
}

/* All categories come with the last of the features. */
static void categorical_forward(const logreg_block *block)
{
    const logreg_data *data = block->reading->data;
    const logreg_block numbers = numbers_of(block);
    if (numbers.from < numbers.to || block->from == 0) feature_major_forward(&numbers);
    for (int64_t k = 0; block->to == data->n_x && k < data->n_codes; k++)
        add_category_weights(&data->codes[k], block, (const real *)block->w + data->categories[k],
                             block->Z);
}

static void categorical_backward(const logreg_block *block, double *dw)
{
    const logreg_data *data = block->reading->data;
    const logreg_block numbers = numbers_of(block);
    if (numbers.from < numbers.to) feature_major_backward(&numbers, dw);
    for (int64_t k = 0; block->to == data->n_x && k < data->n_codes; k++)
        add_category_errors(&data->codes[k], block, block->Z, dw + data->categories[k]);
}
