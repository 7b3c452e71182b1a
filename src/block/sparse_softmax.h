/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several outputs of sparse X, in float64: of each example the values that are stored, in the order
 * in which they lie. Z and dZ are panels as in softmax.h; w and dw are (n_x, padded), so that a
 * value meets the weights of all outputs side by side, and lanes run over these.
 */

/* At most LOGREG_BLOCK values of one example, and their features. */
typedef struct sparse_piece {
    const double *x;
    int64_t count;
    double values[LOGREG_BLOCK];
    int64_t of[LOGREG_BLOCK];
} sparse_piece;

/* The values from number `from` on, up to `end`. */
static void load_piece(const logreg_data *data, int64_t from, int64_t end, sparse_piece *piece)
{
    piece->count = logreg_at_most(end - from, LOGREG_BLOCK);
    piece->x = target_values(&data->X, from, piece->count, piece->values);
    for (int64_t k = 0; k < piece->count; k++) piece->of[k] = logreg_index(data, from + k);
}

/* z += w'x for `width` panels of outputs, which are `stride` apart in z. */
LOGREG_INLINE void piece_forward(const sparse_piece *piece, const double *w, int64_t padded,
                                 double *z, int64_t stride, int width)
{
    lanes sum[TILE_LANES];
    LANES_UNROLL
    for (int c = 0; c < width; c++) sum[c] = lanes_load(z + c * stride);
    for (int64_t k = 0; k < piece->count; k++) {
        const double *row = w + piece->of[k] * padded;
        const lanes x = lanes_broadcast(piece->x[k]);
        LANES_UNROLL
        for (int c = 0; c < width; c++)
            sum[c] = lanes_add(sum[c], lanes_mul(x, lanes_load(row + c * PANEL)));
    }
    LANES_UNROLL
    for (int c = 0; c < width; c++) lanes_store(z + c * stride, sum[c]);
}

/* dw += x dz' */
LOGREG_INLINE void piece_backward(const sparse_piece *piece, const double *dz, int64_t stride,
                                  double *dw, int64_t padded, int width)
{
    lanes by[TILE_LANES];
    LANES_UNROLL
    for (int c = 0; c < width; c++) by[c] = lanes_load(dz + c * stride);
    for (int64_t k = 0; k < piece->count; k++) {
        double *row = dw + piece->of[k] * padded;
        const lanes x = lanes_broadcast(piece->x[k]);
        LANES_UNROLL
        for (int c = 0; c < width; c++) {
            double *entry = row + c * PANEL;
            lanes_store(entry, lanes_add(lanes_load(entry), lanes_mul(x, by[c])));
        }
    }
}

/* Z = w'x + b of `count` examples. */
static void sparse_outputs_forward(const logreg_data *data, int64_t first, int64_t count,
                                   const double *w, const double *b, int64_t padded, double *Z)
{
    const int64_t stride = count * PANEL;
    sparse_piece piece;
    for (int64_t i = 0; i < count; i++, Z += PANEL) {
        const int64_t end = data->ends[first + i];
        for (int64_t k = 0; k < padded; k += PANEL) lanes_store(Z + k * count, lanes_load(b + k));
        for (int64_t from = data->starts[first + i]; from < end; from += piece.count) {
            int64_t k = 0;
            load_piece(data, from, end, &piece);
            for (; k + TILE_LANES * PANEL <= padded; k += TILE_LANES * PANEL)
                piece_forward(&piece, w + k, padded, Z + k * count, stride, TILE_LANES);
            for (; k < padded; k += PANEL)
                piece_forward(&piece, w + k, padded, Z + k * count, stride, 1);
        }
    }
}

static void square(sparse_piece *piece)
{
    for (int64_t k = 0; k < piece->count; k++) piece->values[k] = piece->x[k] * piece->x[k];
    piece->x = piece->values;
}

/* dw += X dZ', or with the squares of X */
static void sparse_outputs_backward(const logreg_data *data, int64_t first, int64_t count,
                                    const double *dZ, int64_t padded, int squares, double *dw)
{
    const int64_t stride = count * PANEL;
    sparse_piece piece;
    for (int64_t i = 0; i < count; i++, dZ += PANEL) {
        const int64_t end = data->ends[first + i];
        for (int64_t from = data->starts[first + i]; from < end; from += piece.count) {
            int64_t k = 0;
            load_piece(data, from, end, &piece);
            if (squares) square(&piece);
            for (; k + TILE_LANES * PANEL <= padded; k += TILE_LANES * PANEL)
                piece_backward(&piece, dZ + k * count, stride, dw + k, padded, TILE_LANES);
            for (; k < padded; k += PANEL)
                piece_backward(&piece, dZ + k * count, stride, dw + k, padded, 1);
        }
    }
}
