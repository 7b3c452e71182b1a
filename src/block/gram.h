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

/* Packs component `lane` of the vectors: x less the centre, times the scale of each. */
static void pack_component(const double *x, int64_t count, double centre, const double *scale,
                           double *panel)
{
    for (int64_t i = 0; i < count; i++) panel[i * PANEL] = (x[i] - centre) * scale[i];
}

/* Four columns at a time: four stores fill half a line. */
static void pack_components(const double *const *x, int64_t count, const double *centre,
                            const double *scale, double *panel)
{
    const double c0 = centre[0], c1 = centre[1], c2 = centre[2], c3 = centre[3];
    const double *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    for (int64_t i = 0; i < count; i++) {
        double *to = panel + i * PANEL;
        to[0] = (x0[i] - c0) * scale[i];
        to[1] = (x1[i] - c1) * scale[i];
        to[2] = (x2[i] - c2) * scale[i];
        to[3] = (x3[i] - c3) * scale[i];
    }
}

enum { COMPONENTS_AT_ONCE = 4 };

/* Values [first, first + count) of feature j: in place, or packed into scratch. */
static const double *component(const logreg_data *data, int64_t j, int64_t first, int64_t count,
                               double *scratch)
{
    const logreg_column column = logreg_feature(data, j);
    return column_values(&column, first, count, scratch);
}

static void pack_columns(const logreg_data *data, int64_t first, int64_t count,
                         const double *centre, const double *scale, double *scratch, double *panels)
{
    const int64_t n_x = data->n_x;
    for (int64_t j = 0; j < n_x; j += COMPONENTS_AT_ONCE) {
        const double *x[COMPONENTS_AT_ONCE];
        const int n = n_x - j < COMPONENTS_AT_ONCE ? (int)(n_x - j) : COMPONENTS_AT_ONCE;
        double *panel = panels + j / PANEL * PANEL * count + j % PANEL;
        for (int f = 0; f < n; f++)
            x[f] = component(data, j + f, first, count, scratch + f * LOGREG_PANEL_VECTORS);
        if (n == COMPONENTS_AT_ONCE)
            pack_components(x, count, centre + j, scale, panel);
        else
            for (int f = 0; f < n; f++)
                pack_component(x[f], count, centre[j + f], scale, panel + f);
    }
}

/* The features of an example lie side by side, as in a panel. */
static void pack_rows(const logreg_data *data, int64_t first, int64_t count, const double *centre,
                      const double *scale, double *scratch, double *panels)
{
    const int64_t n_x = data->n_x, whole = n_x / PANEL * PANEL;
    const char *x = column_at(&data->X, first);
    for (int64_t i = 0; i < count; i++, x += data->X.stride) {
        const logreg_column row = {x, data->feature_stride, data->X.type};
        const double *values = column_values(&row, 0, n_x, scratch);
        const lanes by = lanes_broadcast(scale[i]);
        double *to = panels + i * PANEL;
        for (int64_t j = 0; j < whole; j += PANEL, to += count * PANEL)
            lanes_store(to,
                        lanes_mul(lanes_sub(lanes_load(values + j), lanes_load(centre + j)), by));
        for (int64_t j = whole; j < n_x; j++) to[j - whole] = (values[j] - centre[j]) * scale[i];
    }
}

/* Packs the features of examples [first, first + count), at most LOGREG_PANEL_VECTORS, less the
 * centre and times the scale of each example. Fills whole panels, an even number of them:
 * components past the last are 0. Scratch holds LOGREG_PANEL_SCRATCH doubles. */
static void pack_panels(const logreg_data *data, int64_t first, int64_t count, const double *centre,
                        const double *scale, double *scratch, double *panels)
{
    const int64_t n_x = data->n_x, padded = logreg_padded(n_x), last = n_x / PANEL * PANEL;
    memset(panels + last * count, 0, (size_t)((padded - last) * count) * sizeof *panels);
    if (data->example_major)
        pack_rows(data, first, count, centre, scale, scratch, panels);
    else
        pack_columns(data, first, count, centre, scale, scratch, panels);
}

/* Adds the products of TILE_ROWS components of one panel with TILE_LANES whole panels. */
LOGREG_INLINE void add_tile(const double *row, const double *const *columns, int64_t count,
                            double *out, int64_t out_stride)
{
    lanes sum[TILE_ROWS][TILE_LANES];
    LANES_UNROLL
    for (int r = 0; r < TILE_ROWS; r++) {
        LANES_UNROLL
        for (int c = 0; c < TILE_LANES; c++) sum[r][c] = lanes_broadcast(0);
    }
    for (int64_t i = 0; i < count; i++) {
        lanes column[TILE_LANES];
        LANES_UNROLL
        for (int c = 0; c < TILE_LANES; c++) column[c] = lanes_load(columns[c] + i * PANEL);
        LANES_UNROLL
        for (int r = 0; r < TILE_ROWS; r++) {
            const lanes value = lanes_broadcast(row[i * PANEL + r]);
            LANES_UNROLL
            for (int c = 0; c < TILE_LANES; c++)
                sum[r][c] = lanes_add(sum[r][c], lanes_mul(value, column[c]));
        }
    }
    LANES_UNROLL
    for (int r = 0; r < TILE_ROWS; r++) {
        LANES_UNROLL
        for (int c = 0; c < TILE_LANES; c++) {
            double *to = out + r * out_stride + c * PANEL;
            lanes_store(to, lanes_add(lanes_load(to), sum[r][c]));
        }
    }
}

/* Adds the products of `n_rows` components (panels of the rows) and `n_columns` (of the columns),
 * both multiples of LOGREG_PADDING, of `count` vectors to out. `triangle`: both are the same, and
 * the entries right of the diagonal's tiles are left alone. */
static void add_products(const double *rows, int64_t n_rows, const double *columns,
                         int64_t n_columns, int64_t count, int triangle, double *out,
                         int64_t out_stride)
{
    enum { WIDTH_OF_TILE = TILE_LANES * PANEL };
    for (int64_t j = 0; j < n_columns; j += WIDTH_OF_TILE) {
        const double *of_tile[TILE_LANES];
        for (int c = 0; c < TILE_LANES; c++) of_tile[c] = columns + (j + c * PANEL) * count;
        const int64_t from = triangle ? j / PANEL * PANEL : 0;
        for (int64_t k = from; k < n_rows; k += TILE_ROWS)
            add_tile(rows + k / PANEL * PANEL * count + k % PANEL, of_tile, count,
                     out + k * out_stride + j, out_stride);
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
