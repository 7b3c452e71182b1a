/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Values of any type and stride, read as reals: where they are, or packed into a block's scratch.
 * Packing is the only code that knows the types. What follows it works on reals from L1, and
 * `backward` finds them converted.
 */

#define REAL_TYPE (REAL_BITS == 64 ? LOGREG_FLOAT64 : LOGREG_FLOAT32)

/* Whether `centre` has what is subtracted: nothing, a line's own from all its values (columns), or
 * each value's own (the features of an example). */
typedef enum centre_of { CENTRE_OF_NOTHING, CENTRE_OF_LINE, CENTRE_OF_VALUE } centre_of;

enum { LINE_BYTES = 64 };

/* Lines of values, each contiguous: columns, or examples. */
typedef struct lines {
    const char *values;
    int64_t stride; /* bytes from one line to the next */
    int64_t count, length;
    int64_t readable; /* values from the first line's start that may be read */
    int64_t prefetch; /* bytes ahead of what is read */
    const real *centre;
    centre_of centre_of;
    real *out;
    int64_t out_stride;
} lines;

LOGREG_INLINE int at_most_lanes(int64_t n)
{
    return n < LANES ? (int)n : LANES;
}

/* The lanes of values at x, of a type that is a constant where this is inlined. */
LOGREG_INLINE lanes load_values(const char *x, logreg_type type)
{
    const void *values = x;
    switch (type) {
#if REAL_BITS == 64
    case LOGREG_FLOAT64:
        return lanes_load(values);
    case LOGREG_FLOAT32:
        return lanes_load_float32(values);
    case LOGREG_INT64:
        return lanes_load_int64(values);
    case LOGREG_INT32:
        return lanes_load_int32(values);
#else
    case LOGREG_FLOAT32:
        return lanes_load(values);
#endif
    case LOGREG_FLOAT16:
        return lanes_load_float16(values);
    case LOGREG_INT16:
        return lanes_load_int16(values);
    case LOGREG_INT8:
        return lanes_load_int8(values);
    case LOGREG_UINT16:
        return lanes_load_uint16(values);
    default:
        return lanes_load_uint8(values);
    }
}

/* The first `some` of them, then zeros; nothing beyond them is read. */
static LOGREG_NOINLINE lanes load_some_values(const char *x, int some, logreg_type type)
{
    _Alignas(8) char rest[LANES * sizeof(double)];
    memset(rest, 0, sizeof rest);
    memcpy(rest, x, (size_t)(some * logreg_type_size(type)));
    return load_values(rest, type);
}

/* In what is inlined below and in loops.h the type, its size and whatever else decides a branch in
 * a loop are constants: each call site is a loop of its own. */

/* The last values of a line, `some` < LANES. Reading whole lanes and clearing what follows is far
 * faster than copying a handful of bytes, where what follows may be read. */
LOGREG_INLINE lanes load_end(const char *x, int some, int readable, logreg_type type)
{
    if (type == REAL_TYPE) return lanes_load_first((const real *)(const void *)x, some);
    return readable ? lanes_first(load_values(x, type), some) : load_some_values(x, some, type);
}

/* Packs n values at x, less one centre or, if there are `centres`, each less its own; up to
 * `readable` values may be read. */
LOGREG_INLINE void pack_line(const char *x, int64_t n, int64_t readable, int64_t prefetch,
                             lanes centre, const real *centres, real *out, logreg_type type,
                             int size)
{
    const int64_t line = LINE_BYTES / size;
    for (int64_t i = 0; i < n; i += LANES) {
        const int some = at_most_lanes(n - i);
        if (i % line == 0) LOGREG_PREFETCH(x + i * size, prefetch);
        const lanes value = some == LANES
                                ? load_values(x + i * size, type)
                                : load_end(x + i * size, some, i + LANES <= readable, type);
        if (centres) centre = lanes_load_first(centres + i, some);
        lanes_store(out + i, lanes_first(lanes_sub(value, centre), some));
    }
}

LOGREG_INLINE void pack_lines(const lines *from, logreg_type type, int size)
{
    const int64_t count = from->count, length = from->length, prefetch = from->prefetch;
    const int each = from->centre_of == CENTRE_OF_VALUE;
    for (int64_t k = 0; k < count; k++) {
        const real centre = from->centre_of == CENTRE_OF_LINE ? from->centre[k] : 0;
        pack_line(from->values + k * from->stride, length, from->readable - k * from->stride / size,
                  prefetch, lanes_broadcast(centre), each ? from->centre : NULL,
                  from->out + k * from->out_stride, type, size);
    }
}

#define DEFINE_PACK(name, type, size)                                                              \
    static void pack_##name(const lines *from)                                                     \
    {                                                                                              \
        pack_lines(from, type, size);                                                              \
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

DEFINE_PACK(float16, LOGREG_FLOAT16, 2)
DEFINE_PACK(int16, LOGREG_INT16, 2)
DEFINE_PACK(int8, LOGREG_INT8, 1)
DEFINE_PACK(uint16, LOGREG_UINT16, 2)
DEFINE_PACK(uint8, LOGREG_UINT8, 1)
#if REAL_BITS == 64
DEFINE_PACK(float64, LOGREG_FLOAT64, 8)
DEFINE_PACK(float32, LOGREG_FLOAT32, 4)
DEFINE_PACK(int64, LOGREG_INT64, 8)
DEFINE_PACK(int32, LOGREG_INT32, 4)
#else
DEFINE_PACK(float32, LOGREG_FLOAT32, 4)
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
    void (*pack)(const lines *from);
    void (*gather)(const char *x, int64_t stride, int64_t n, real centre, real *out);
} types[] = {
    {pack_float64, gather_float64}, {pack_float32, gather_float32}, {pack_float16, gather_float16},
    {pack_int64, gather_int64},     {pack_int32, gather_int32},     {pack_int16, gather_int16},
    {pack_int8, gather_int8},       {pack_uint16, gather_uint16},   {pack_uint8, gather_uint8},
};

/* ---- Columns --------------------------------------------------------------------------------- */

LOGREG_INLINE int is_contiguous(const logreg_column *column)
{
    const int64_t size = logreg_type_size(column->type);
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
        const lines from = {.values = x,
                            .count = 1,
                            .length = count,
                            .readable = count,
                            .prefetch = ahead,
                            .centre = centre,
                            .centre_of = centre ? CENTRE_OF_LINE : CENTRE_OF_NOTHING,
                            .out = room};
        types[column->type].pack(&from);
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
    const lines from = {.values = column_at(&column, block->first),
                        .stride = data->feature_stride,
                        .count = n,
                        .length = block->count,
                        .readable = block->count,
                        .prefetch = prefetch,
                        .centre = centre,
                        .centre_of = centre ? CENTRE_OF_LINE : CENTRE_OF_NOTHING,
                        .out = room,
                        .out_stride = block->packed_stride};
    types[column.type].pack(&from);
}

/* Where the values of n features, at most 4, from j on are, and of which type, which is returned.
 * Features that only want converting stay where they are, if there are 4 of one type: the kernels
 * convert as they load. The others are reals, in place, or in `packed` from line `line` on, packed
 * now if they are `fresh`, for the last time in this pass or not. */
LOGREG_INLINE logreg_type feature_values(const logreg_block *block, int64_t j, int n, int64_t line,
                                         int fresh, int last_time, const char **x)
{
    const logreg_data *data = block->data;
    if (block->matrix && block->in_place && (n == 4 || data->X.type == REAL_TYPE)) {
        const char *first = column_at(&data->X, block->first) + j * data->feature_stride;
        for (int f = 0; f < n; f++) x[f] = first + f * data->feature_stride;
        return data->X.type;
    }
    real *room = (real *)block->packed + line * block->packed_stride;
    if (block->matrix) {
        for (int f = 0; f < n; f++) x[f] = (const char *)(room + f * block->packed_stride);
        if (fresh)
            pack_matrix(block, j, n,
                        prefetch_of(block, data->feature_stride, data->X.stride, last_time), room);
        return REAL_TYPE;
    }
    const logreg_type type = logreg_feature(data, j).type;
    int alike = 0;
    for (int f = 0; f < n; f++) {
        const logreg_column column = logreg_feature(data, j + f);
        x[f] = column_at(&column, block->first);
        alike += column.type == type && is_contiguous(&column);
    }
    if (block->in_place && alike == 4) return type;
    for (int f = 0; f < n; f++, room += block->packed_stride) {
        const logreg_column column = logreg_feature(data, j + f);
        if (block->in_place && column.type == REAL_TYPE && is_contiguous(&column)) continue;
        x[f] = (const char *)room;
        if (fresh)
            pack_column(&column, block->first, block->count,
                        block->centre ? (const real *)block->centre + j + f : NULL,
                        last_time ? block->count * column.stride + LINE_BYTES - 1 : 0, room);
    }
    return REAL_TYPE;
}

/* ---- Examples -------------------------------------------------------------------------------- */

/* Examples, or some features of each. */
typedef struct rows {
    const char *x;
    int64_t count, stride; /* bytes from one example to the next */
    int64_t length;        /* values; packed rows have zeros up to whole lanes */
    int64_t whole_lanes;   /* how many of the rows may be read up to whole lanes */
    logreg_type type;
} rows;

/* How far ahead, in bytes, rows are prefetched: the next block, or this. */
enum { ROWS_AHEAD = 1 << 14 };

/* Features [j, j + n) of the block's examples: in place, to be converted as they are loaded, or
 * packed as reals, now if they are `fresh`. */
static rows example_values(const logreg_block *block, int64_t j, int64_t n, int fresh)
{
    const logreg_data *data = block->data;
    const int64_t stride = data->X.stride, size = logreg_type_size(data->X.type);
    const char *x = column_at(&data->X, block->first) + j * size;
    const int64_t padded = (n + LANES - 1) / LANES * LANES;
    /* up to the end of the last example's features */
    const int64_t readable = (data->m - 1 - block->first) * stride + (data->n_x - j) * size;
    if (block->in_place) {
        rows r = {x, block->count, stride, n, block->count, data->X.type};
        while (r.whole_lanes > 0 && (r.whole_lanes - 1) * stride + padded * size > readable)
            r.whole_lanes--;
        return r;
    }
    if (fresh) {
        const real *centre = block->centre ? (const real *)block->centre + j : NULL;
        const lines from = {.values = x,
                            .stride = stride,
                            .count = block->count,
                            .length = n,
                            .readable = readable / size,
                            .prefetch = ROWS_AHEAD,
                            .centre = centre,
                            .centre_of = centre ? CENTRE_OF_VALUE : CENTRE_OF_NOTHING,
                            .out = block->packed,
                            .out_stride = block->packed_stride};
        types[data->X.type].pack(&from);
    }
    const rows r = {block->packed, block->count, block->packed_stride * (int64_t)sizeof(real),
                    padded,        block->count, REAL_TYPE};
    return r;
}
