/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels that run in float64 whatever the arithmetic of the pass: probabilities, and the
 * moments that standardising needs.
 */

/* ---- Probabilities --------------------------------------------------------------------------- */

/* 1 / (1 + exp(-z)) to 2 ulp: with e = exp(-|z|), s = e / (1 + e), s where z <= 0 and 1 - s where
 * z > 0. Just above a power of two e's error and that of rounding 1 + e add up to 2.4 ulp, so the
 * latter, `rest`, is taken out again: s / (1 + rest / (1 + e)) = s - s rest (1 - s), nearly. */
LOGREG_INLINE lanes sigmoid_of(lanes z)
{
    const lanes one = lanes_broadcast(1.0);
    const lanes e = exp_of_minus(lanes_abs(z));
    const lanes sum = lanes_add(one, e);
    const lanes rest = lanes_sub(e, lanes_sub(sum, one));
    lanes s = lanes_div(e, sum);
    s = lanes_sub(s, lanes_mul(lanes_mul(s, rest), lanes_sub(one, s)));
    return lanes_select(lanes_gt(z, lanes_broadcast(0.0)), lanes_sub(one, s), s);
}

static double predict(double *Z, int64_t n)
{
    lanes finite = lanes_broadcast(0.0);
    for (int64_t i = 0; i < n; i += LANES) {
        const int some = at_most_lanes(n - i);
        const lanes z = lanes_load_first(Z + i, some);
        double a[LANES];
        finite = lanes_add(finite, lanes_mul(z, lanes_broadcast(0.0)));
        lanes_store(a, sigmoid_of(z));
        memcpy(Z + i, a, (size_t)some * sizeof *a);
    }
    return lanes_reduce_add(finite);
}

static void sigmoid(const double *Z, double *A, int64_t n)
{
    for (int64_t i = 0; i < n; i += LANES) {
        const int some = at_most_lanes(n - i);
        double a[LANES];
        lanes_store(a, sigmoid_of(lanes_load_first(Z + i, some)));
        memcpy(A + i, a, (size_t)some * sizeof *a);
    }
}

/* ---- Moments: mean, squared deviations and range of every feature ---------------------------- */

/* sum + *rest = a + b, exactly (Knuth). */
LOGREG_INLINE lanes two_sum_of(lanes a, lanes b, lanes *rest)
{
    const lanes sum = lanes_add(a, b), v = lanes_sub(sum, a);
    *rest = lanes_add(lanes_sub(a, lanes_sub(sum, v)), lanes_sub(b, v));
    return sum;
}

/* A series of lanes: 8 examples of a feature at a time, or 8 features of an example at a time. */
typedef struct series {
    const double *x;
    const double *weight; /* NULL, or of the examples */
    int64_t advance, steps;
    int by_examples;
    int last; /* by examples: how many lanes of the last step hold data; else of every step */
} series;

LOGREG_INLINE lanes series_value(const series *s, int64_t step)
{
    const int some = s->by_examples && step < s->steps - 1 ? LANES : s->last;
    const double *x = s->x + step * s->advance;
    return some == LANES ? lanes_load(x) : lanes_load_first(x, some);
}

/* 0 for a lane past the last example. */
LOGREG_INLINE lanes series_weight(const series *s, int64_t step)
{
    static const double ones[LANES] = {1, 1, 1, 1, 1, 1, 1, 1};
    if (!s->by_examples) return lanes_broadcast(s->weight ? s->weight[step] : 1.0);
    const double *weight = s->weight ? s->weight + step * LANES : ones;
    return step < s->steps - 1 ? lanes_load(weight) : lanes_load_first(weight, s->last);
}

typedef struct moments_lanes {
    lanes mean, rest, M2, low, high;
} moments_lanes;

/* x - centre; where the weight is 0, x may be any finite number and counts as the centre. */
LOGREG_INLINE lanes deviation_of(lanes x, lanes centre, lanes_mask counts)
{
    return lanes_select(counts, lanes_sub(x, centre), lanes_sub(x, x));
}

/* The series is read twice while it is in cache: the sums of x - shift, where shift is the first
 * example that counts, give the mean without cancellation; the sums of (x - mean)^2 come second.
 * What the mean loses in rounding is kept as its rest, and its share taken out of the squares
 * again. The range is that of the x whose weight is not 0. */
static moments_lanes moments_of(const series *s, int64_t first, double weight)
{
    const lanes zero = lanes_broadcast(0.0), infinity = lanes_broadcast(INFINITY);
    /* Where no example counts the sums are 0, or NaN, which has to show. */
    const lanes divisor = lanes_broadcast(weight > 0.0 ? weight : 1.0);
    const lanes shift = s->by_examples ? lanes_broadcast(s->x[first]) : series_value(s, first);
    moments_lanes r = {zero, zero, zero, infinity, lanes_sub(zero, infinity)};
    lanes sum = zero;
    for (int64_t step = 0; step < s->steps; step++) {
        const lanes x = series_value(s, step), w = series_weight(s, step);
        const lanes_mask counts = lanes_gt(w, zero);
        sum = lanes_add(sum, lanes_mul(w, deviation_of(x, shift, counts)));
        r.low = lanes_min(lanes_select(counts, x, r.low), r.low);
        r.high = lanes_max(lanes_select(counts, x, r.high), r.high);
    }
    if (s->by_examples) sum = lanes_broadcast(lanes_reduce_add(sum));
    r.mean = two_sum_of(shift, lanes_div(sum, divisor), &r.rest);
    for (int64_t step = 0; step < s->steps; step++) {
        const lanes w = series_weight(s, step);
        const lanes d = deviation_of(series_value(s, step), r.mean, lanes_gt(w, zero));
        r.M2 = lanes_add(r.M2, lanes_mul(w, lanes_mul(d, d)));
    }
    if (s->by_examples) r.M2 = lanes_broadcast(lanes_reduce_add(r.M2));
    r.M2 = lanes_sub(r.M2, lanes_mul(lanes_broadcast(weight), lanes_mul(r.rest, r.rest)));
    r.M2 = lanes_max(zero, r.M2);
    return r;
}

static void store_moments(const logreg_moments *out, int64_t j, const moments_lanes *m)
{
    lanes_store(out->mean + j, m->mean);
    lanes_store(out->rest + j, m->rest);
    lanes_store(out->M2 + j, m->M2);
    lanes_store(out->low + j, m->low);
    lanes_store(out->high + j, m->high);
}

static void moments(logreg_block *block, const logreg_moments *out)
{
    const int64_t n_x = block->data->n_x, groups = (block->count + LANES - 1) / LANES;
    labels(block);
    series s = {NULL, block->weight, LANES, groups, 1, (int)(block->count - (groups - 1) * LANES)};
    lanes total = lanes_broadcast(0.0);
    for (int64_t step = 0; step < groups; step++) total = lanes_add(total, series_weight(&s, step));
    *out->weight = lanes_reduce_add(total);
    int64_t first = 0; /* that counts, or any */
    while (s.weight && first < block->count - 1 && !(s.weight[first] > 0.0)) first++;

    if (!block->example_major) {
        for (int64_t j = 0; j < n_x; j++) {
            const char *x;
            feature_values(block, j, 1, 0, 1, 1, &x);
            s.x = (const double *)(const void *)x;
            const moments_lanes m = moments_of(&s, first, *out->weight);
            double mean[LANES], rest[LANES], M2[LANES], low[LANES], high[LANES];
            const logreg_moments one = {mean, rest, M2, low, high, NULL};
            store_moments(&one, 0, &m);
            for (int lane = 1; lane < LANES; lane++) {
                low[0] = low[lane] < low[0] ? low[lane] : low[0];
                high[0] = high[lane] > high[0] ? high[lane] : high[0];
            }
            out->mean[j] = mean[0];
            out->rest[j] = rest[0];
            out->M2[j] = M2[0];
            out->low[j] = low[0];
            out->high[j] = high[0];
        }
        return;
    }
    s.by_examples = 0;
    s.steps = block->count;
    for (int64_t j = 0; j < n_x; j += block->tile) {
        const int64_t n = n_x - j < block->tile ? n_x - j : block->tile;
        const rows r = example_values(block, j, n, 1);
        s.advance = r.stride / (int64_t)sizeof(double);
        for (int64_t k = 0; k < n; k += LANES) {
            s.x = (const double *)(const void *)r.x + k;
            s.last = at_most_lanes(r.length - k);
            const moments_lanes m = moments_of(&s, first, *out->weight);
            store_moments(out, j + k, &m);
        }
    }
}
