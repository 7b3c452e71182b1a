/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Values of any type and stride, read as reals: where they are, or packed into a block's scratch.
 * Packing is the only code that knows the types. What follows it works on reals from L1, and
 * `backward` finds them converted.
 */

/* Whether a centre is subtracted: none, a line's own from all its values (columns), or each value's
 * own (the features of an example). */
enum { CENTRE_NONE, CENTRE_LINE, CENTRE_VALUE };

/* Lines of values, each contiguous: columns, or examples. */
typedef struct lines {
    const char *values;
    int64_t stride; /* bytes from one line to the next */
    int64_t count, length;
    int64_t readable; /* values from the first line's start that may be read */
    int64_t prefetch; /* bytes ahead of what is read */
    const real *centre;
    real *out;
    int64_t out_stride;
} lines;

LOGREG_INLINE int at_most_lanes(int64_t n)
{
    return n < LANES ? (int)n : LANES;
}

/* In the functions below `how` and whatever decides a branch in a loop are constants once they are
 * inlined: each call site is a loop of its own.
 *
 * The last values of a line are read as whole lanes where what follows them may be read too, and
 * then cleared; copying a handful of bytes takes longer than all the rest. */
#define DEFINE_PACK(name, type, load)                                                              \
    static LOGREG_NOINLINE lanes load_rest_##name(const type *x, int some)                         \
    {                                                                                              \
        type rest[LANES];                                                                          \
        memset(rest, 0, sizeof rest);                                                              \
        memcpy(rest, x, (size_t)some * sizeof *rest);                                              \
        return load(rest);                                                                         \
    }                                                                                              \
                                                                                                   \
    LOGREG_INLINE void pack_##name##_line(const type *x, int64_t n, int64_t readable,              \
                                          int64_t prefetch, const real *centre, real *out,         \
                                          int how)                                                 \
    {                                                                                              \
        enum { LINE = 64 / sizeof(type) };                                                         \
        const lanes one = lanes_set(how == CENTRE_LINE ? *centre : 0);                             \
        int64_t i = 0;                                                                             \
        for (; i + LINE <= n; i += LINE) {                                                         \
            LOGREG_PREFETCH(x + i, prefetch);                                                      \
            for (int k = 0; k < LINE; k += LANES) {                                                \
                lanes value = load(x + i + k);                                                     \
                if (how == CENTRE_LINE) value = lanes_sub(value, one);                             \
                if (how == CENTRE_VALUE) value = lanes_sub(value, lanes_load(centre + i + k));     \
                lanes_store(out + i + k, value);                                                   \
            }                                                                                      \
        }                                                                                          \
        if (i < n) LOGREG_PREFETCH(x + i, prefetch);                                               \
        for (; i + LANES <= n; i += LANES) {                                                       \
            lanes value = load(x + i);                                                             \
            if (how == CENTRE_LINE) value = lanes_sub(value, one);                                 \
            if (how == CENTRE_VALUE) value = lanes_sub(value, lanes_load(centre + i));             \
            lanes_store(out + i, value);                                                           \
        }                                                                                          \
        if (i < n) {                                                                               \
            const int some = (int)(n - i);                                                         \
            lanes value = i + LANES <= readable ? load(x + i) : load_rest_##name(x + i, some);     \
            if (how == CENTRE_LINE) value = lanes_sub(value, one);                                 \
            if (how == CENTRE_VALUE) value = lanes_sub(value, lanes_load(centre + i));             \
            lanes_store(out + i, lanes_first(value, some));                                        \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    LOGREG_INLINE void pack_##name##_lines(const lines *from, int how)                             \
    {                                                                                              \
        const int64_t stride = from->stride, out_stride = from->out_stride;                        \
        const int64_t count = from->count, length = from->length, prefetch = from->prefetch;       \
        const char *values = from->values;                                                         \
        int64_t readable = from->readable;                                                         \
        real *out = from->out;                                                                     \
        for (int64_t line = 0; line < count; line++) {                                             \
            pack_##name##_line((const type *)values, length, readable, prefetch,                   \
                               how == CENTRE_LINE ? from->centre + line : from->centre, out, how); \
            values += stride;                                                                      \
            out += out_stride;                                                                     \
            readable -= stride / (int64_t)sizeof(type);                                            \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void pack_##name(const lines *from, int how)                                            \
    {                                                                                              \
        if (how == CENTRE_NONE) pack_##name##_lines(from, CENTRE_NONE);                            \
        if (how == CENTRE_LINE) pack_##name##_lines(from, CENTRE_LINE);                            \
        if (how == CENTRE_VALUE) pack_##name##_lines(from, CENTRE_VALUE);                          \
    }

/* A column whose values are not side by side, or not aligned. A value at a time: compilers that see
 * the stride use gather instructions, which take several times as long on many CPUs. */
#define DEFINE_GATHER(name, type, as_real)                                                         \
    static void gather_##name(const char *x, int64_t stride, int64_t n, real centre, real *out)    \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            type value;                                                                            \
            memcpy(&value, x, sizeof value);                                                       \
            out[i] = (real)as_real(value) - centre;                                                \
            x += stride;                                                                           \
            LOGREG_OPAQUE(x);                                                                      \
        }                                                                                          \
        for (int64_t i = n; i % LANES != 0; i++) out[i] = 0;                                       \
    }

#define AS_IT_IS(value) value

DEFINE_PACK(float16, logreg_float16, lanes_load_float16)
DEFINE_PACK(int16, int16_t, lanes_load_int16)
DEFINE_PACK(int8, int8_t, lanes_load_int8)
DEFINE_PACK(uint16, uint16_t, lanes_load_uint16)
DEFINE_PACK(uint8, uint8_t, lanes_load_uint8)
#if REAL_BITS == 64
DEFINE_PACK(float64, double, lanes_load)
DEFINE_PACK(float32, float, lanes_load_float32)
DEFINE_PACK(int64, int64_t, lanes_load_int64)
DEFINE_PACK(int32, int32_t, lanes_load_int32)
#else
DEFINE_PACK(float32, float, lanes_load)
/* Features of these types are computed with in float64: they come as labels and weights only. */
#define pack_float64 NULL
#define pack_int64 NULL
#define pack_int32 NULL
#endif

DEFINE_GATHER(float64, double, AS_IT_IS)
DEFINE_GATHER(float32, float, AS_IT_IS)
DEFINE_GATHER(float16, logreg_float16, logreg_float_of)
DEFINE_GATHER(int64, int64_t, AS_IT_IS)
DEFINE_GATHER(int32, int32_t, AS_IT_IS)
DEFINE_GATHER(int16, int16_t, AS_IT_IS)
DEFINE_GATHER(int8, int8_t, AS_IT_IS)
DEFINE_GATHER(uint16, uint16_t, AS_IT_IS)
DEFINE_GATHER(uint8, uint8_t, AS_IT_IS)

/* In the order of logreg_type. */
static const struct {
    void (*pack)(const lines *from, int how);
    void (*gather)(const char *x, int64_t stride, int64_t n, real centre, real *out);
    int64_t size;
} types[] = {
    {pack_float64, gather_float64, sizeof(double)},
    {pack_float32, gather_float32, sizeof(float)},
    {pack_float16, gather_float16, sizeof(logreg_float16)},
    {pack_int64, gather_int64, sizeof(int64_t)},
    {pack_int32, gather_int32, sizeof(int32_t)},
    {pack_int16, gather_int16, sizeof(int16_t)},
    {pack_int8, gather_int8, sizeof(int8_t)},
    {pack_uint16, gather_uint16, sizeof(uint16_t)},
    {pack_uint8, gather_uint8, sizeof(uint8_t)},
};

#define REAL_TYPE (REAL_BITS == 64 ? LOGREG_FLOAT64 : LOGREG_FLOAT32)

/* ---- Columns --------------------------------------------------------------------------------- */

LOGREG_INLINE int is_contiguous(const logreg_column *column)
{
    const int64_t size = types[column->type].size;
    return column->stride == size && (uintptr_t)column->values % (uintptr_t)size == 0;
}

LOGREG_INLINE const char *column_at(const logreg_column *column, int64_t example)
{
    return (const char *)column->values + example * column->stride;
}

/* `count` values of a column as reals, in `room`, whole lanes of it; those that lie `ahead` bytes
 * on will be packed soon. */
static void pack_column(const logreg_column *column, int64_t first, int64_t count,
                        const real *centre, int64_t ahead, real *room)
{
    const char *x = column_at(column, first);
    if (types[column->type].pack && is_contiguous(column)) {
        const lines from = {x, 0, 1, count, count, ahead, centre, room, 0};
        types[column->type].pack(&from, centre ? CENTRE_LINE : CENTRE_NONE);
    } else {
        types[column->type].gather(x, column->stride, count, centre ? *centre : 0, room);
    }
}

/* `count` values of a column of labels or weights as reals: in place, or in `room`. */
static const real *column_values(const logreg_column *column, int64_t first, int64_t count,
                                 real *room)
{
    const char *x = column_at(column, first);
    if (column->type == REAL_TYPE && is_contiguous(column)) return (const real *)x;
    pack_column(column, first, count, NULL, 0, room);
    return room;
}

/* ---- What to prefetch ------------------------------------------------------------------------ */

/* Everything is asked to come into L2 and no further: into L1 it would take up the few buffers that
 * L1's own misses wait in (measured, Zen 4: a whole pass takes half as long again).
 *
 * Where two blocks fit into L2, it is the next block, a line for each that is read, while this one
 * is read for the last time. Where they do not fit (many features, or columns in the same sets of
 * the cache), it is a column of this block that comes soon, whenever columns are read.
 *
 * A column's lines are asked for by the last byte of each 64: the line with the first byte of all
 * has come with the block before. */
enum { LINE_BYTES = 64 };

/* How many bytes on from the values of a column to prefetch, or 0. */
LOGREG_INLINE int64_t prefetch_of(const logreg_block *block, int64_t feature_stride, int64_t stride,
                                  int last_time)
{
    if (block->columns_ahead > 0) return block->columns_ahead * feature_stride + LINE_BYTES - 1;
    return last_time ? block->count * stride + LINE_BYTES - 1 : 0;
}

/* What `feature_values` packs of a matrix at a time. */
static void pack_matrix(const logreg_block *block, int64_t j, int n, int64_t prefetch, real *room)
{
    const logreg_data *data = block->data;
    const logreg_column column = logreg_feature(data, j);
    const real *centre = block->centre ? (const real *)block->centre + j : NULL;
    const lines from = {column_at(&column, block->first),
                        data->feature_stride,
                        n,
                        block->count,
                        block->count,
                        prefetch,
                        centre,
                        room,
                        block->packed_stride};
    types[column.type].pack(&from, centre ? CENTRE_LINE : CENTRE_NONE);
}

/* The values of n features, at most 4, from j on: in place, or in `packed` from line `line` on,
 * packed now if they are `fresh`, for the last time in this pass or not. */
LOGREG_INLINE void feature_values(const logreg_block *block, int64_t j, int n, int64_t line,
                                  int fresh, int last_time, const real **x)
{
    const logreg_data *data = block->data;
    if (block->matrix && block->in_place) {
        const char *first = column_at(&data->X, block->first) + j * data->feature_stride;
        for (int f = 0; f < n; f++) x[f] = (const real *)(first + f * data->feature_stride);
        return;
    }
    real *room = (real *)block->packed + line * block->packed_stride;
    if (block->matrix) {
        for (int f = 0; f < n; f++) x[f] = room + f * block->packed_stride;
        if (fresh)
            pack_matrix(block, j, n,
                        prefetch_of(block, data->feature_stride, data->X.stride, last_time), room);
        return;
    }
    for (int f = 0; f < n; f++, room += block->packed_stride) {
        const logreg_column column = logreg_feature(data, j + f);
        const char *values = column_at(&column, block->first);
        x[f] = room;
        if (block->in_place && column.type == REAL_TYPE && is_contiguous(&column))
            x[f] = (const real *)values;
        else if (fresh)
            pack_column(&column, block->first, block->count,
                        block->centre ? (const real *)block->centre + j + f : NULL,
                        last_time ? block->count * column.stride + LINE_BYTES - 1 : 0, room);
    }
}

/* ---- Examples -------------------------------------------------------------------------------- */

typedef struct rows {
    const real *x;
    int64_t stride;
    int64_t length; /* packed rows have zeros up to whole lanes */
} rows;

/* How far ahead, in bytes, rows are prefetched while they are packed. */
enum { ROWS_AHEAD = 1 << 14 };

/* Features [j, j + n) of the block's examples: in place, or packed, now if they are `fresh`. */
static rows example_values(const logreg_block *block, int64_t j, int64_t n, int fresh)
{
    const logreg_data *data = block->data;
    const int64_t stride = data->X.stride, size = types[data->X.type].size;
    const char *x = column_at(&data->X, block->first) + j * size;
    if (block->in_place && data->X.type == REAL_TYPE) {
        const rows r = {(const real *)x, stride / size, n};
        return r;
    }
    const rows r = {block->packed, block->packed_stride, (n + LANES - 1) / LANES * LANES};
    if (fresh) {
        /* up to the end of the last example's features */
        const int64_t readable = (data->m - 1 - block->first) * (stride / size) + data->n_x - j;
        const real *centre = block->centre ? (const real *)block->centre + j : NULL;
        const lines from = {x,      stride,        block->count,        n, readable, ROWS_AHEAD,
                            centre, block->packed, block->packed_stride};
        types[data->X.type].pack(&from, centre ? CENTRE_VALUE : CENTRE_NONE);
    }
    return r;
}
