/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elimination of columns of a triangle, in float64: what Cholesky's factorization does to the rows
 * below the square that it has just factored.
 *
 * L and the rows are packed in panels of PANEL rows, the rows of one column side by side, so that
 * lanes run over rows and each entry is one sum over the columns, in their order.
 */

/* Solves one panel of rows for columns [column, column + PANEL) of L, whose panels have `width`
 * columns, and subtracts their products from the columns up to `end`; `inverse` has 1 / L_kk. */
static void eliminate(const double *L, int64_t width, const double *inverse, int64_t column,
                      int64_t end, double *panel)
{
    const double *l = L + (column / PANEL * width + column) * PANEL;
    lanes x[PANEL];
    LANES_UNROLL
    for (int k = 0; k < PANEL; k++) x[k] = lanes_load(panel + (column + k) * PANEL);
    LANES_UNROLL
    for (int k = 0; k < PANEL; k++) {
        x[k] = lanes_mul(x[k], lanes_broadcast(inverse[column + k]));
        lanes_store(panel + (column + k) * PANEL, x[k]);
        LANES_UNROLL
        for (int j = k + 1; j < PANEL; j++)
            x[j] = lanes_sub(x[j], lanes_mul(x[k], lanes_broadcast(l[k * PANEL + j])));
    }
    for (int64_t j = column + PANEL; j < end; j++) {
        const double *row = L + (j / PANEL * width + column) * PANEL + j % PANEL;
        lanes sum = lanes_load(panel + j * PANEL);
        LANES_UNROLL
        for (int k = 0; k < PANEL; k++)
            sum = lanes_sub(sum, lanes_mul(x[k], lanes_broadcast(row[k * PANEL])));
        lanes_store(panel + j * PANEL, sum);
    }
}
