/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sparse X: of each example the values that are stored, and their features. The sums run over these
 * values in the order in which they lie:
 *
 *     Z_i    value k of the example in sum k mod SPARSE_SUMS, folded, then + b
 *     dw_j   one example after the other, in float64 whatever the arithmetic
 *
 * Memory decides the speed: w is read, and dw written, at places that only the indices know. A dw
 * in float32 would have to be added to the one in float64 at the end of every run, all n_x of it.
 * What gathers and scatters gains nothing from vectors (with those of AVX2 it took 1.4 times as
 * long), so only the baseline compiles this, and every instruction set uses it.
 */

enum { SPARSE_SUMS = 4 };

/* What both halves need of the block: its examples, and where those lie. */
typedef struct sparse_rows {
    const void *x, *indices;
    const int64_t *starts, *ends;
    int64_t count;
} sparse_rows;

/* sum + a b. Each result is assigned because where FLT_EVAL_METHOD is 1 (s390x) one of float32 is a
 * double until it is. */
LOGREG_INLINE real sparse_add_product(real sum, real a, real b)
{
    const real product = a * b, added = sum + product;
    return added;
}

LOGREG_INLINE real sparse_fold(const real *sum, real b)
{
    const real low = sum[0] + sum[1], high = sum[2] + sum[3], folded = low + high, z = folded + b;
    return z;
}

#define DEFINE_SPARSE(name, c_type, number, index)                                                 \
    static void sparse_forward_##name##_##index(const sparse_rows *r, const real *w, real b,       \
                                                real *Z)                                           \
    {                                                                                              \
        const c_type *x = r->x;                                                                    \
        const index##_t *of = r->indices;                                                          \
        for (int64_t i = 0; i < r->count; i++) {                                                   \
            const int64_t end = r->ends[i];                                                        \
            int64_t k = r->starts[i];                                                              \
            real sum[SPARSE_SUMS] = {0};                                                           \
            for (; k + SPARSE_SUMS <= end; k += SPARSE_SUMS) LANES_UNROLL                          \
            for (int c = 0; c < SPARSE_SUMS; c++)                                                  \
                sum[c] = sparse_add_product(sum[c], w[of[k + c]], (real)(number(x[k + c])));       \
            for (int c = 0; k < end; k++, c++)                                                     \
                sum[c] = sparse_add_product(sum[c], w[of[k]], (real)(number(x[k])));               \
            Z[i] = sparse_fold(sum, b);                                                            \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void sparse_backward_##name##_##index(const sparse_rows *r, const real *dZ, double *dw) \
    {                                                                                              \
        const c_type *x = r->x;                                                                    \
        const index##_t *of = r->indices;                                                          \
        for (int64_t i = 0; i < r->count; i++) {                                                   \
            const double by = (double)dZ[i];                                                       \
            for (int64_t k = r->starts[i]; k < r->ends[i]; k++)                                    \
                dw[of[k]] += (double)(number(x[k])) * by;                                          \
        }                                                                                          \
    }
#define DEFINE_SPARSE_LOOPS(name, type, c_type, number)                                            \
    DEFINE_SPARSE(name, c_type, number, int32)                                                     \
    DEFINE_SPARSE(name, c_type, number, int64)
FEATURE_TYPES(DEFINE_SPARSE_LOOPS)
#undef DEFINE_SPARSE_LOOPS
#undef DEFINE_SPARSE

#define SPARSE_LOOPS(name, type, c_type, number)                                                   \
    [type] = {{sparse_forward_##name##_int32, sparse_forward_##name##_int64},                      \
              {sparse_backward_##name##_int32, sparse_backward_##name##_int64}},

/* By logreg_type, and whether indices have 64 bits. */
static const struct {
    void (*forward[2])(const sparse_rows *r, const real *w, real b, real *Z);
    void (*backward[2])(const sparse_rows *r, const real *dZ, double *dw);
} sparse_loops[] = {FEATURE_TYPES(SPARSE_LOOPS)};
#undef SPARSE_LOOPS

static sparse_rows sparse_rows_of(const logreg_block *block)
{
    const logreg_data *data = block->reading->data;
    const sparse_rows r = {data->X.values, data->indices, data->starts + block->first,
                           data->ends + block->first, block->count};
    return r;
}

static int is_wide(const logreg_block *block)
{
    return block->reading->data->index_type == LOGREG_INT64;
}

static void sparse_forward(const logreg_block *block)
{
    const sparse_rows r = sparse_rows_of(block);
    const logreg_type type = block->reading->data->X.type;
    sparse_loops[type].forward[is_wide(block)](&r, block->w, (real)block->b, block->Z);
}

static void sparse_backward(const logreg_block *block, double *dw)
{
    const sparse_rows r = sparse_rows_of(block);
    const logreg_type type = block->reading->data->X.type;
    sparse_loops[type].backward[is_wide(block)](&r, block->Z, dw);
}

static void sparse_end_run(const logreg_block *block, double *dw)
{
    (void)block;
    (void)dw;
}

const logreg_source SPARSE_SOURCE = {
    .forward = sparse_forward, .backward = sparse_backward, .end_run = sparse_end_run};
