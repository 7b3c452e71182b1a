/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Softmax over the outputs of a block of examples, in float64.
 *
 * Examples are packed as for a Gram (gram.h). Z and dZ are panels, too: of PANEL outputs, those of
 * one example side by side. So `forward` has lanes over outputs, and each value of X that is loaded
 * serves all of them; dw is the products of the panels of X and those of dZ.
 *
 * For an example of class y, with t_k = max(z) - z_k >= 0 and e_k = exp(-t_k),
 *
 *     cost = t_y + log1p(others)       a_k = e_k / (1 + others)       dz_k = a_k - (k == y)
 *
 * where `others` sums the e_k but for that of one largest z, which is 1. Nothing cancels: a_y - 1
 * is the sum of the other e_k over 1 + others.
 */

/* Adds the products of `rows` examples with `width` panels of outputs to b. */
LOGREG_INLINE void forward_tile(const double *x, int64_t n_x, int64_t count, const double *w,
                                const double *b, int64_t padded, double *Z, int rows, int width)
{
    lanes sum[TILE_ROWS][TILE_LANES];
    LANES_UNROLL
    for (int r = 0; r < rows; r++) {
        LANES_UNROLL
        for (int c = 0; c < width; c++) sum[r][c] = lanes_load(b + c * PANEL);
    }
    for (int64_t j = 0; j < n_x; x += count * PANEL) {
        const int64_t end = j + PANEL < n_x ? j + PANEL : n_x;
        for (const double *value = x; j < end; j++, value++, w += padded) {
            lanes weight[TILE_LANES];
            LANES_UNROLL
            for (int c = 0; c < width; c++) weight[c] = lanes_load(w + c * PANEL);
            LANES_UNROLL
            for (int r = 0; r < rows; r++) {
                const lanes x_r = lanes_broadcast(value[r * PANEL]);
                LANES_UNROLL
                for (int c = 0; c < width; c++)
                    sum[r][c] = lanes_add(sum[r][c], lanes_mul(x_r, weight[c]));
            }
        }
    }
    LANES_UNROLL
    for (int r = 0; r < rows; r++) {
        LANES_UNROLL
        for (int c = 0; c < width; c++) lanes_store(Z + (c * count + r) * PANEL, sum[r][c]);
    }
}

LOGREG_INLINE void forward_panels(const double *panels, int64_t n_x, int64_t count, const double *w,
                                  const double *b, int64_t padded, double *Z, int width)
{
    int64_t i = 0;
    for (; i + TILE_ROWS <= count; i += TILE_ROWS)
        forward_tile(panels + i * PANEL, n_x, count, w, b, padded, Z + i * PANEL, TILE_ROWS, width);
    for (; i < count; i++)
        forward_tile(panels + i * PANEL, n_x, count, w, b, padded, Z + i * PANEL, 1, width);
}

/* Z = w'x + b of `count` examples; w is (n_x, padded), and the sums run over the features in their
 * order. */
static void outputs_forward(const double *panels, int64_t n_x, int64_t count, const double *w,
                            const double *b, int64_t padded, double *Z)
{
    int64_t k = 0;
    for (; k + TILE_LANES * PANEL <= padded; k += TILE_LANES * PANEL)
        forward_panels(panels, n_x, count, w + k, b + k, padded, Z + k * count, TILE_LANES);
    for (; k < padded; k += PANEL)
        forward_panels(panels, n_x, count, w + k, b + k, padded, Z + k * count, 1);
}

/* From panels to lanes over examples: out has one lanes per output; the `some` examples that there
 * are come first, and zeros after them. */
LOGREG_INLINE void by_output(const double *panels, int64_t padded, int64_t count, int some,
                             double *out)
{
    for (int64_t k = 0; k < padded; k += PANEL, panels += count * PANEL) {
        lanes v[PANEL];
        for (int i = 0; i < PANEL; i++)
            v[i] = i < some ? lanes_load(panels + i * PANEL) : lanes_broadcast(0);
        lanes_transpose(v);
        LANES_UNROLL
        for (int c = 0; c < PANEL; c++) lanes_store(out + (k + c) * LANES, v[c]);
    }
}

/* And back. */
LOGREG_INLINE void by_example(const double *in, int64_t padded, int64_t count, int some,
                              double *panels)
{
    for (int64_t k = 0; k < padded; k += PANEL, panels += count * PANEL) {
        lanes v[PANEL];
        LANES_UNROLL
        for (int c = 0; c < PANEL; c++) v[c] = lanes_load(in + (k + c) * LANES);
        lanes_transpose(v);
        for (int i = 0; i < some; i++) lanes_store(panels + i * PANEL, v[i]);
    }
}

/* Of LANES examples: z becomes e, and what is returned is `others`. Where z is not finite, neither
 * is e. */
LOGREG_INLINE lanes exponentials(double *z, int64_t n_outputs, lanes *largest)
{
    const lanes zero = lanes_broadcast(0), one = lanes_broadcast(1);
    lanes top = lanes_load(z), small = zero, ties = zero;
    for (int64_t k = 1; k < n_outputs; k++) top = lanes_max(top, lanes_load(z + k * LANES));
    for (int64_t k = 0; k < n_outputs; k++) {
        const lanes z_k = lanes_load(z + k * LANES);
        const lanes_mask below = lanes_gt(top, z_k);
        const lanes e = exp_of_minus(lanes_sub(top, z_k));
        small = lanes_add(small, lanes_select(below, e, zero));
        ties = lanes_add(ties, lanes_select(below, zero, one));
        lanes_store(z + k * LANES, e);
    }
    *largest = top;
    return lanes_add(small, lanes_sub(ties, one));
}

/* Z becomes dZ, times the weight of its example; Y holds classes 0, 1, ... J and the weights are
 * added to the LOGREG_SOFTMAX_SUMS. `scratch`: LANES values per output, padded. */
static void softmax_activate(double *Z, int64_t n_outputs, int64_t count, const double *Y,
                             const double *weight, double *scratch, double *sums)
{
    const int64_t padded = logreg_gram_padded(n_outputs);
    const lanes zero = lanes_broadcast(0), one = lanes_broadcast(1);
    lanes J = zero, total = zero;
    for (int64_t i = 0; i < count; i += LANES) {
        const int some = at_most_lanes(count - i);
        const lanes y = lanes_load_first(Y + i, some);
        const lanes s = lanes_first(weight ? lanes_load_first(weight + i, some) : one, some);
        lanes top, z_y = zero;
        by_output(Z + i * PANEL, padded, count, some, scratch);
        for (int64_t k = 0; k < n_outputs; k++) {
            const lanes far = lanes_abs(lanes_sub(y, lanes_broadcast((double)k)));
            const lanes_mask other = lanes_gt(far, lanes_broadcast(0.5));
            z_y = lanes_select(other, z_y, lanes_load(scratch + k * LANES));
        }
        const lanes others = exponentials(scratch, n_outputs, &top);
        const lanes all = lanes_add(one, others);
        for (int64_t k = 0; k < n_outputs; k++) {
            const lanes e = lanes_load(scratch + k * LANES);
            const lanes far = lanes_abs(lanes_sub(y, lanes_broadcast((double)k)));
            const lanes_mask other = lanes_gt(far, lanes_broadcast(0.5));
            /* the sum without e: exact where e is 1, as that of a largest z is */
            const lanes rest = lanes_select(lanes_gt(one, e), lanes_sub(all, e), others);
            const lanes dZ = lanes_div(lanes_select(other, e, lanes_sub(zero, rest)), all);
            lanes_store(scratch + k * LANES, lanes_mul(s, dZ));
        }
        const lanes cost = lanes_add(lanes_sub(top, z_y), log1p_of(others));
        J = lanes_add(J, lanes_first(lanes_mul(s, cost), some));
        total = lanes_add(total, s);
        by_example(scratch, padded, count, some, Z + i * PANEL);
    }
    sums[LOGREG_SOFTMAX_J] += lanes_reduce_add(J);
    sums[LOGREG_SOFTMAX_WEIGHT] += lanes_reduce_add(total);
}

/* Z becomes the curvature s a (1 - a), with s the weight of the example. */
static void softmax_curvature(double *Z, int64_t n_outputs, int64_t count, const double *weight,
                              double *scratch)
{
    const int64_t padded = logreg_gram_padded(n_outputs);
    const lanes one = lanes_broadcast(1);
    for (int64_t i = 0; i < count; i += LANES) {
        const int some = at_most_lanes(count - i);
        const lanes s = weight ? lanes_load_first(weight + i, some) : one;
        lanes top;
        by_output(Z + i * PANEL, padded, count, some, scratch);
        const lanes others = exponentials(scratch, n_outputs, &top);
        const lanes all = lanes_add(one, others);
        for (int64_t k = 0; k < n_outputs; k++) {
            double *to = scratch + k * LANES;
            const lanes e = lanes_load(to);
            const lanes rest = lanes_select(lanes_gt(one, e), lanes_sub(all, e), others);
            lanes_store(to, lanes_mul(s, lanes_mul(lanes_div(e, all), lanes_div(rest, all))));
        }
        by_example(scratch, padded, count, some, Z + i * PANEL);
    }
}

/* Z becomes A. */
static void softmax_predict(double *Z, int64_t n_outputs, int64_t count, double *scratch)
{
    const int64_t padded = logreg_gram_padded(n_outputs);
    for (int64_t i = 0; i < count; i += LANES) {
        const int some = at_most_lanes(count - i);
        lanes top;
        by_output(Z + i * PANEL, padded, count, some, scratch);
        const lanes others = exponentials(scratch, n_outputs, &top);
        const lanes all = lanes_add(lanes_broadcast(1), others);
        for (int64_t k = 0; k < n_outputs; k++) {
            double *to = scratch + k * LANES;
            lanes_store(to, lanes_div(lanes_load(to), all));
        }
        by_example(scratch, padded, count, some, Z + i * PANEL);
    }
}
