/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Leverages of a few examples, in float64: |L^-1 (x - centre)|^2, by forward substitution. Lanes
 * run over the examples, so each sum is over the features, in their order, whatever the layout of
 * X.
 */

enum { LEVERAGE_LANES = LOGREG_LEVERAGE / LANES };

/* sum -= L_jk v_k over k < j */
LOGREG_INLINE void subtract_solved(const double *row, int64_t j, const double *solved, lanes *sum)
{
    for (int64_t k = 0; k < j; k++) {
        const lanes by = lanes_broadcast(row[k]);
        LANES_UNROLL
        for (int c = 0; c < LEVERAGE_LANES; c++) {
            const lanes v = lanes_load(solved + k * LOGREG_LEVERAGE + c * LANES);
            sum[c] = lanes_sub(sum[c], lanes_mul(by, v));
        }
    }
}

/* Of examples [first, first + count), at most LOGREG_LEVERAGE, to `out`, which has room for as
 * many. `solved` has room for n_x times as many. */
static void leverages(const logreg_data *data, int64_t first, int64_t count, const double *centre,
                      const double *L, double *solved, double *out)
{
    double scratch[LOGREG_LEVERAGE];
    lanes squares[LEVERAGE_LANES];
    for (int c = 0; c < LEVERAGE_LANES; c++) squares[c] = lanes_broadcast(0);
    for (int64_t j = 0; j < data->n_x; j++) {
        const logreg_column column = logreg_feature(data, j);
        const double *x = column_values(&column, first, count, 0, scratch);
        const double *row = L + j * data->n_x;
        lanes sum[LEVERAGE_LANES];
        LANES_UNROLL
        for (int c = 0; c < LEVERAGE_LANES; c++) {
            const int64_t left = count - c * LANES;
            const int some = left > 0 ? at_most_lanes(left) : 0;
            const lanes value = lanes_load_first(some ? x + c * LANES : x, some);
            sum[c] = lanes_sub(value, lanes_broadcast(centre[j]));
        }
        subtract_solved(row, j, solved, sum);
        LANES_UNROLL
        for (int c = 0; c < LEVERAGE_LANES; c++) {
            const lanes v = lanes_div(sum[c], lanes_broadcast(row[j]));
            lanes_store(solved + j * LOGREG_LEVERAGE + c * LANES, v);
            squares[c] = lanes_add(squares[c], lanes_mul(v, v));
        }
    }
    for (int c = 0; c < LEVERAGE_LANES; c++) lanes_store(out + c * LANES, squares[c]);
}
