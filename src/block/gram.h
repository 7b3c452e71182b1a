/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Gram of a block of vectors, in float64: sums of products of their components.
 *
 * Vectors are packed in panels of PANEL components, the components of one vector side by side, so
 * that lanes run over components and each entry of the Gram is one sum over the vectors, in their
 * order. The tile of entries whose sums are in registers at a time is the backend's to choose and
 * changes no bit.
 */

enum { PANEL = LOGREG_PANEL };

/* Packs `some` examples of columns x, whose values lie side by side, from a byte offset on. */
LOGREG_INLINE void pack_group(const char *const *x, int64_t offset, int some, int64_t ahead,
                              const double *centre, const double *scale, double *panel,
                              logreg_type type)
{
    const lanes by = lanes_load_first(scale, some);
    lanes v[PANEL];
    LANES_UNROLL
    for (int c = 0; c < PANEL; c++) {
        const char *at = x[c] + offset;
        if (offset % LINE_BYTES == 0) LOGREG_PREFETCH(at, ahead);
        const lanes value = some == LANES ? load_values(at, type) : load_end(at, some, 0, type);
        v[c] = lanes_mul(lanes_sub(value, lanes_broadcast(centre[c])), by);
    }
    lanes_transpose(v);
    LANES_UNROLL
    for (int k = 0; k < LANES; k++)
        if (k < some) lanes_store(panel + k * PANEL, v[k]);
}

/* Whole groups of LANES examples. */
#define DEFINE_PACK_COLUMNS(name, type, c_type, number)                                            \
    static void pack_columns_##name(const char *const *x, int64_t count, int64_t ahead,            \
                                    const double *centre, const double *scale, double *panel)      \
    {                                                                                              \
        const int64_t size = (int64_t)sizeof(c_type);                                              \
        for (int64_t i = 0; i < count; i += LANES)                                                 \
            pack_group(x, i * size, LANES, ahead, centre, scale + i, panel + i * PANEL, type);     \
    }
FEATURE_TYPES(DEFINE_PACK_COLUMNS)
#undef DEFINE_PACK_COLUMNS

#define PACK_COLUMNS_ENTRY(name, type, c_type, number) [type] = pack_columns_##name,

/* By logreg_type. */
static void (*const column_packers[])(const char *const *x, int64_t count, int64_t ahead,
                                      const double *centre, const double *scale,
                                      double *panel) = {FEATURE_TYPES(PACK_COLUMNS_ENTRY)};
#undef PACK_COLUMNS_ENTRY

/* Columns [j, j + n) of a panel, as they are, or as float64 values. */
typedef struct panel_columns {
    const char *x[PANEL];
    double scratch[PANEL][LOGREG_PANEL_VECTORS];
} panel_columns;

static void take_columns(panel_columns *of, const logreg_data *data, int64_t j, int n,
                         int64_t first, int64_t count, int convert)
{
    static const double zeros[LOGREG_PANEL_VECTORS];
    for (int c = 0; c < PANEL; c++) {
        of->x[c] = (const char *)zeros;
        if (c >= n) continue;
        const logreg_column column = logreg_feature(data, j + c);
        const int64_t ahead = count * logreg_type_size(column.type);
        if (convert)
            of->x[c] = (const char *)column_values(&column, first, count, ahead, of->scratch[c]);
        else
            of->x[c] = column_at(&column, first);
    }
}

/* Packs n <= PANEL columns from feature j on as one panel, whose other components are 0. Columns of
 * several types, or whose values do not lie side by side, become float64 first, and so does what is
 * left of a group of LANES examples. */
static void pack_panel(const logreg_data *data, int64_t j, int n, int64_t first, int64_t count,
                       const double *centre, const double *scale, double *panel)
{
    panel_columns of;
    double centres[PANEL] = {0};
    const logreg_type type = logreg_feature(data, j).type;
    const int64_t whole = count / LANES * LANES, ahead = count * logreg_type_size(type);
    int alike = 1;
    for (int c = 0; c < n; c++) {
        const logreg_column column = logreg_feature(data, j + c);
        alike &= column.type == type && is_contiguous(&column);
        centres[c] = centre[j + c];
    }
    take_columns(&of, data, j, n, first, whole, !alike);
    column_packers[alike ? type : LOGREG_FLOAT64](of.x, whole, ahead, centres, scale, panel);
    if (whole == count) return;
    take_columns(&of, data, j, n, first + whole, count - whole, 1);
    pack_group(of.x, 0, (int)(count - whole), 0, centres, scale + whole, panel + whole * PANEL,
               LOGREG_FLOAT64);
}

/* The features of an example lie side by side, as in a panel. */
LOGREG_INLINE void pack_rows(const logreg_data *data, int64_t first, int64_t count,
                             const double *centre, const double *scale, double *panels,
                             logreg_type type, int size)
{
    const int64_t n_x = data->n_x, whole = n_x / PANEL * PANEL, stride = data->X.stride;
    const int64_t ahead = count * stride, line = LINE_BYTES / size;
    const char *x = column_at(&data->X, first);
    for (int64_t i = 0; i < count; i++, x += stride) {
        const int64_t readable = (data->m - 1 - first - i) * stride + n_x * size;
        const lanes by = lanes_broadcast(scale[i]);
        double *to = panels + i * PANEL;
        for (int64_t j = 0; j < whole; j += PANEL, to += count * PANEL) {
            if (j % line == 0) LOGREG_PREFETCH(x + j * size, ahead);
            const lanes value = load_values(x + j * size, type);
            lanes_store(to, lanes_mul(lanes_sub(value, lanes_load(centre + j)), by));
        }
        if (whole < n_x) {
            const int some = (int)(n_x - whole), whole_lanes = (whole + PANEL) * size <= readable;
            const lanes value = load_end(x + whole * size, some, whole_lanes, type);
            lanes_store(to,
                        lanes_mul(lanes_sub(value, lanes_load_first(centre + whole, some)), by));
        }
    }
}

#define DEFINE_PACK_ROWS(name, type, c_type, number)                                               \
    static void pack_rows_##name(const logreg_data *data, int64_t first, int64_t count,            \
                                 const double *centre, const double *scale, double *panels)        \
    {                                                                                              \
        pack_rows(data, first, count, centre, scale, panels, type, (int)sizeof(c_type));           \
    }
FEATURE_TYPES(DEFINE_PACK_ROWS)
#undef DEFINE_PACK_ROWS

#define PACK_ROWS_ENTRY(name, type, c_type, number) [type] = pack_rows_##name,

/* By logreg_type. */
static void (*const row_packers[])(const logreg_data *data, int64_t first, int64_t count,
                                   const double *centre, const double *scale,
                                   double *panels) = {FEATURE_TYPES(PACK_ROWS_ENTRY)};
#undef PACK_ROWS_ENTRY

/* Packs the features of examples [first, first + count), at most LOGREG_PANEL_VECTORS, less the
 * centre and times the scale of each example. Fills whole panels: components past the last are 0.
 */
static void pack_panels(const logreg_data *data, int64_t first, int64_t count, const double *centre,
                        const double *scale, double *panels)
{
    if (data->example_major) {
        row_packers[data->X.type](data, first, count, centre, scale, panels);
        return;
    }
    for (int64_t j = 0; j < data->n_x; j += PANEL)
        pack_panel(data, j, at_most_lanes(data->n_x - j), first, count, centre, scale,
                   panels + j * count);
}

/* Adds the products of `height` components of one panel, at most TILE_ROWS, with `width` whole
 * panels, at most TILE_LANES. */
LOGREG_INLINE void add_tile(const double *row, const double *columns, int64_t count, double *out,
                            int height, int width)
{
    lanes sum[TILE_ROWS][TILE_LANES];
    LANES_UNROLL
    for (int r = 0; r < height; r++) {
        LANES_UNROLL
        for (int c = 0; c < width; c++) {
            LOGREG_PREFETCH(out + (c * PANEL + r) * PANEL, 0);
            sum[r][c] = lanes_broadcast(0);
        }
    }
    for (int64_t i = 0; i < count; i++) {
        lanes column[TILE_LANES];
        LANES_UNROLL
        for (int c = 0; c < width; c++) column[c] = lanes_load(columns + (c * count + i) * PANEL);
        LANES_UNROLL
        for (int r = 0; r < height; r++) {
            const lanes value = lanes_broadcast(row[i * PANEL + r]);
            LANES_UNROLL
            for (int c = 0; c < width; c++)
                sum[r][c] = lanes_add(sum[r][c], lanes_mul(value, column[c]));
        }
    }
    LANES_UNROLL
    for (int r = 0; r < height; r++) {
        LANES_UNROLL
        for (int c = 0; c < width; c++) {
            double *to = out + (c * PANEL + r) * PANEL;
            lanes_store(to, lanes_add(lanes_load(to), sum[r][c]));
        }
    }
}

/* TILE_LANES panels side by side if there are so many, else one. */
LOGREG_INLINE void add_tiles(const double *row, const double *columns, int64_t count, double *out,
                             int height, int whole)
{
    if (TILE_LANES == 1 || whole)
        add_tile(row, columns, count, out, height, TILE_LANES);
    else
        add_tile(row, columns, count, out, height, 1);
}

/* Adds the products of the components of rows and columns, of `count` vectors, to out. Both lie in
 * whole panels; n_rows are those that count, and the tiles beyond them are left out. n_columns ==
 * 0: the columns are the rows, and out is a triangle. */
static void add_products(const double *rows, int64_t n_rows, const double *columns,
                         int64_t n_columns, int64_t count, double *out)
{
    const int64_t width = (n_columns ? n_columns : logreg_gram_padded(n_rows)) / PANEL;
    for (int64_t q = 0; q < width; q += TILE_LANES)
        for (int64_t p = n_columns ? 0 : q; p * PANEL < n_rows; p++) {
            const int64_t end = n_columns ? width : p + 1;
            const int n = at_most_lanes(n_rows - p * PANEL);
            const double *row = rows + p * PANEL * count, *column = columns + q * PANEL * count;
            double *squares = out + (logreg_gram_square(p, n_columns / PANEL) + q) * PANEL * PANEL;
            for (int r = 0; r < PANEL && r < n; r += TILE_ROWS, squares += TILE_ROWS * PANEL)
                if (n - r <= TILE_ROWS / 2)
                    add_tiles(row + r, column, count, squares, TILE_ROWS / 2,
                              q + TILE_LANES <= end);
                else
                    add_tiles(row + r, column, count, squares, TILE_ROWS, q + TILE_LANES <= end);
        }
}

/* Adds scale * component, summed over the vectors, to out[n]: whole panels. */
static void add_component_sums(const double *panels, int64_t n, int64_t count, const double *scale,
                               double *out)
{
    for (int64_t j = 0; j < n; j += PANEL) {
        lanes sum = lanes_broadcast(0);
        for (int64_t i = 0; i < count; i++) {
            const lanes value = lanes_load(panels + j * count + i * PANEL);
            sum = lanes_add(sum, lanes_mul(value, lanes_broadcast(scale[i])));
        }
        lanes_store(out + j, lanes_add(lanes_load(out + j), sum));
    }
}
