/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Values of any type and stride, packed as reals into scratch, less the centre.
 */

/* What `centre` holds: nothing; one value per line, subtracted from all of it (columns); or one
 * value per place in a line (the features of an example). */
typedef enum centre_of { CENTRE_OF_NOTHING, CENTRE_OF_LINE, CENTRE_OF_VALUE } centre_of;

/* Lines of values, each contiguous: columns, or examples. */
typedef struct lines {
    const char *values;
    int64_t stride; /* bytes from one line to the next */
    int64_t count, length;
    int64_t readable; /* values from the start of the first line that may be read */
    int64_t prefetch; /* bytes ahead of what is read */
    const real *centre;
    centre_of centre_of;
    real *out;
    int64_t out_stride;
} lines;

/* Packs n values at x, less one centre or, if there are `centres`, each less its own. Up to
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

#define DEFINE_PACK(name, type, c_type, number)                                                    \
    static void pack_##name(const lines *from)                                                     \
    {                                                                                              \
        pack_lines(from, type, (int)sizeof(c_type));                                               \
    }
FEATURE_TYPES(DEFINE_PACK)

/* A column whose values are not side by side, or not aligned. The pointer is made opaque so that
 * values are read one at a time: compilers that see the stride use gather instructions, which take
 * several times as long on many CPUs. Hidden from one value to the next, it would make each wait
 * for the one before. */
enum { GATHERED = 8 };

#define DEFINE_GATHER(name, type, c_type, number)                                                  \
    static void gather_##name(const char *x, int64_t stride, int64_t n, real centre, real *out)    \
    {                                                                                              \
        int64_t i = 0;                                                                             \
        for (; i + GATHERED <= n; i += GATHERED) {                                                 \
            c_type values[GATHERED];                                                               \
            for (int k = 0; k < GATHERED; k++) memcpy(&values[k], x + k * stride, sizeof(c_type)); \
            for (int k = 0; k < GATHERED; k++) out[i + k] = (real)(number(values[k])) - centre;    \
            x += GATHERED * stride;                                                                \
            LOGREG_OPAQUE(x);                                                                      \
        }                                                                                          \
        for (; i < n; i++, x += stride) {                                                          \
            c_type value;                                                                          \
            memcpy(&value, x, sizeof value);                                                       \
            out[i] = (real)(number(value)) - centre;                                               \
        }                                                                                          \
        for (; i % LANES != 0; i++) out[i] = 0;                                                    \
    }
NARROW_TYPES(DEFINE_GATHER)
WIDE_TYPES(DEFINE_GATHER)

#define PACK_ENTRY(name, type, c_type, number) [type] = pack_##name,
#define GATHER_ENTRY(name, type, c_type, number) [type] = gather_##name,

/* By logreg_type; NULL for the wide types in float32. */
static void (*const packers[])(const lines *from) = {FEATURE_TYPES(PACK_ENTRY)};
static void (*const gatherers[])(const char *x, int64_t stride, int64_t n, real centre,
                                 real *out) = {NARROW_TYPES(GATHER_ENTRY) WIDE_TYPES(GATHER_ENTRY)};

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

/* Packs `count` values of a column into `out`, whole lanes of it; `ahead` is as in lines.prefetch.
 */
static void pack_column(const logreg_column *column, int64_t first, int64_t count,
                        const real *centre, int64_t ahead, real *out)
{
    const char *x = column_at(column, first);
    if (packers[column->type] && is_contiguous(column)) {
        const lines from = {.values = x,
                            .count = 1,
                            .length = count,
                            .readable = count,
                            .prefetch = ahead,
                            .centre = centre,
                            .centre_of = centre ? CENTRE_OF_LINE : CENTRE_OF_NOTHING,
                            .out = out};
        packers[column->type](&from);
    } else {
        gatherers[column->type](x, column->stride, count, centre ? *centre : 0, out);
    }
}

/* `count` values of a column as reals: in place, or in `scratch`. */
static const real *column_values(const logreg_column *column, int64_t first, int64_t count,
                                 int64_t ahead, real *scratch)
{
    const char *x = column_at(column, first);
    if (column->type == REAL_TYPE && is_contiguous(column)) return (const real *)x;
    pack_column(column, first, count, NULL, ahead, scratch);
    return scratch;
}

/* The same of labels or weights. */
static const real *target_values(const logreg_column *column, int64_t first, int64_t count,
                                 real *scratch)
{
    return column_values(column, first, count, 0, scratch);
}

static void load_targets(logreg_block *block)
{
    const logreg_data *data = block->reading->data;
    if (data->Y.values)
        block->Y = target_values(&data->Y, block->first, block->count, block->Y_scratch);
    if (block->weighted)
        block->weight =
            target_values(&data->sample_weight, block->first, block->count, block->weight_scratch);
}
