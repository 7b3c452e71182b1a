/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several outputs of sparse X, in float64: of each example the values that are stored, in the order
 * in which they lie. Z and dZ are panels as in softmax.h; w and dw are (n_x, padded), so that a
 * value meets the weights of all outputs side by side, and lanes run over these.
 *
 * W of many features and outputs is larger than L2, and the CPU cannot know which of its rows comes
 * next, so rows are prefetched, and read once for several panels.
 */

enum { SPARSE_PANELS = 4, SPARSE_AHEAD = 16 };

/* At most LOGREG_BLOCK values of one example, and their features. */
typedef struct sparse_piece {
    const double *x;
    int64_t count;
    double values[LOGREG_BLOCK];
    int64_t of[LOGREG_BLOCK + SPARSE_AHEAD]; /* SPARSE_AHEAD more, to be prefetched */
} sparse_piece;

/* The values from number `from` on, up to `end`. */
static void load_piece(const logreg_data *data, int64_t from, int64_t end, sparse_piece *piece)
{
    piece->count = logreg_at_most(end - from, LOGREG_BLOCK);
    piece->x = target_values(&data->X, from, piece->count, piece->values);
    for (int64_t k = 0; k < piece->count; k++) piece->of[k] = logreg_index(data, from + k);
    memset(piece->of + piece->count, 0, SPARSE_AHEAD * sizeof *piece->of);
}

/* The row of value k in w or dw; the one of a later value is prefetched. */
LOGREG_INLINE int64_t sparse_row(const sparse_piece *piece, int64_t k, const double *w,
                                 int64_t padded, int width)
{
    const double *later = w + piece->of[k + SPARSE_AHEAD] * padded;
    LANES_UNROLL
    for (int c = 0; c < width; c++) LOGREG_PREFETCH_LINE(later + c * PANEL);
    return piece->of[k] * padded;
}

/* z += w'x for `width` panels of outputs, which are `stride` apart in z. */
LOGREG_INLINE void piece_forward(const sparse_piece *piece, const double *w, int64_t padded,
                                 double *z, int64_t stride, int width)
{
    lanes sum[SPARSE_PANELS];
    LANES_UNROLL
    for (int c = 0; c < width; c++) sum[c] = lanes_load(z + c * stride);
    for (int64_t k = 0; k < piece->count; k++) {
        const double *row = w + sparse_row(piece, k, w, padded, width);
        const lanes x = lanes_broadcast(piece->x[k]);
        LANES_UNROLL
        for (int c = 0; c < width; c++)
            sum[c] = lanes_add(sum[c], lanes_mul(x, lanes_load(row + c * PANEL)));
    }
    LANES_UNROLL
    for (int c = 0; c < width; c++) lanes_store(z + c * stride, sum[c]);
}

/* dw += x dz' */
LOGREG_INLINE void piece_backward(const sparse_piece *piece, double *dw, int64_t padded,
                                  const double *dz, int64_t stride, int width)
{
    lanes by[SPARSE_PANELS];
    LANES_UNROLL
    for (int c = 0; c < width; c++) by[c] = lanes_load(dz + c * stride);
    for (int64_t k = 0; k < piece->count; k++) {
        double *row = dw + sparse_row(piece, k, dw, padded, width);
        const lanes x = lanes_broadcast(piece->x[k]);
        LANES_UNROLL
        for (int c = 0; c < width; c++) {
            double *entry = row + c * PANEL;
            lanes_store(entry, lanes_add(lanes_load(entry), lanes_mul(x, by[c])));
        }
    }
}

/* All panels of one example, up to SPARSE_PANELS at a time. */
static void all_forward(const sparse_piece *piece, const double *w, int64_t padded, double *z,
                        int64_t stride)
{
    int64_t left = padded / PANEL;
    for (; left >= SPARSE_PANELS;
         left -= SPARSE_PANELS, w += SPARSE_PANELS * PANEL, z += SPARSE_PANELS * stride)
        piece_forward(piece, w, padded, z, stride, SPARSE_PANELS);
    if (left == 3) piece_forward(piece, w, padded, z, stride, 3);
    if (left == 2) piece_forward(piece, w, padded, z, stride, 2);
    if (left == 1) piece_forward(piece, w, padded, z, stride, 1);
}

static void all_backward(const sparse_piece *piece, double *dw, int64_t padded, const double *dz,
                         int64_t stride)
{
    int64_t left = padded / PANEL;
    for (; left >= SPARSE_PANELS;
         left -= SPARSE_PANELS, dw += SPARSE_PANELS * PANEL, dz += SPARSE_PANELS * stride)
        piece_backward(piece, dw, padded, dz, stride, SPARSE_PANELS);
    if (left == 3) piece_backward(piece, dw, padded, dz, stride, 3);
    if (left == 2) piece_backward(piece, dw, padded, dz, stride, 2);
    if (left == 1) piece_backward(piece, dw, padded, dz, stride, 1);
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
            load_piece(data, from, end, &piece);
            all_forward(&piece, w, padded, Z, stride);
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
            load_piece(data, from, end, &piece);
            if (squares) square(&piece);
            all_backward(&piece, dw, padded, dZ, stride);
        }
    }
}
