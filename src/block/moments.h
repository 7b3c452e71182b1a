/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moments: mean, squared deviations and range of every feature of a block, in float64.
 */

/* sum + *err = a + b, exactly (Knuth). */
LOGREG_INLINE lanes two_sum_of(lanes a, lanes b, lanes *err)
{
    const lanes sum = lanes_add(a, b), v = lanes_sub(sum, a);
    *err = lanes_add(lanes_sub(a, lanes_sub(sum, v)), lanes_sub(b, v));
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
    lanes mean, mean_lo, M2, low, high;
} moments_lanes;

/* x - centre; where the weight is 0, x may be any finite number and counts as the centre. */
LOGREG_INLINE lanes deviation_of(lanes x, lanes centre, lanes_mask counts)
{
    return lanes_select(counts, lanes_sub(x, centre), lanes_sub(x, x));
}

/* How many of the first steps have examples of weight 1 in all lanes, which takes no selection. */
LOGREG_INLINE int64_t plain_steps(const series *s)
{
    return s->weight ? 0 : s->by_examples ? s->steps - 1 : s->steps;
}

/* The series is read twice while it is in cache. The sum of x - shift, where shift is the first
 * example that counts, gives the mean without cancellation; the sum of (x - mean)^2 comes second.
 * mean_lo is the rounding error of the mean, and its share is taken out of the squares again. The
 * range is that of the x whose weight is not 0. */
static moments_lanes moments_of(const series *s, int64_t first, double weight)
{
    const lanes zero = lanes_broadcast(0.0), infinity = lanes_broadcast(INFINITY);
    /* Where no example counts the sums are 0, or NaN, which has to show. */
    const int64_t plain = plain_steps(s);
    const lanes divisor = lanes_broadcast(weight > 0.0 ? weight : 1.0);
    const lanes shift = s->by_examples ? lanes_broadcast(s->x[first]) : series_value(s, first);
    moments_lanes r = {zero, zero, zero, infinity, lanes_sub(zero, infinity)};
    lanes sum = zero;
    int64_t step = 0;
    for (; step < plain; step++) {
        const lanes x = series_value(s, step);
        sum = lanes_add(sum, lanes_sub(x, shift));
        r.low = lanes_min(x, r.low);
        r.high = lanes_max(x, r.high);
    }
    for (; step < s->steps; step++) {
        const lanes x = series_value(s, step), w = series_weight(s, step);
        const lanes_mask counts = lanes_gt(w, zero);
        sum = lanes_add(sum, lanes_mul(w, deviation_of(x, shift, counts)));
        r.low = lanes_min(lanes_select(counts, x, r.low), r.low);
        r.high = lanes_max(lanes_select(counts, x, r.high), r.high);
    }
    if (s->by_examples) sum = lanes_broadcast(lanes_reduce_add(sum));
    r.mean = two_sum_of(shift, lanes_div(sum, divisor), &r.mean_lo);
    for (step = 0; step < plain; step++) {
        const lanes d = lanes_sub(series_value(s, step), r.mean);
        r.M2 = lanes_add(r.M2, lanes_mul(d, d));
    }
    for (; step < s->steps; step++) {
        const lanes w = series_weight(s, step);
        const lanes d = deviation_of(series_value(s, step), r.mean, lanes_gt(w, zero));
        r.M2 = lanes_add(r.M2, lanes_mul(w, lanes_mul(d, d)));
    }
    if (s->by_examples) r.M2 = lanes_broadcast(lanes_reduce_add(r.M2));
    r.M2 = lanes_sub(r.M2, lanes_mul(lanes_broadcast(weight), lanes_mul(r.mean_lo, r.mean_lo)));
    r.M2 = lanes_max(zero, r.M2);
    return r;
}

static void store_moments(const logreg_moments *out, int64_t j, const moments_lanes *m)
{
    lanes_store(out->mean + j, m->mean);
    lanes_store(out->mean_lo + j, m->mean_lo);
    lanes_store(out->M2 + j, m->M2);
    lanes_store(out->low + j, m->low);
    lanes_store(out->high + j, m->high);
}

/* What the series of all features of a block share. */
typedef struct moments_of_block {
    series s;      /* over the examples, without x */
    int64_t first; /* example that counts, or the last if none does */
    double weight;
} moments_of_block;

static moments_of_block open_moments(logreg_block *block, const logreg_moments *out)
{
    const int64_t groups = (block->count + LANES - 1) / LANES;
    load_targets(block);
    moments_of_block m = {.s = {.weight = block->weight,
                                .advance = LANES,
                                .steps = groups,
                                .by_examples = 1,
                                .last = (int)(block->count - (groups - 1) * LANES)}};
    lanes total = lanes_broadcast(0.0);
    for (int64_t step = 0; step < groups; step++)
        total = lanes_add(total, series_weight(&m.s, step));
    m.weight = *out->weight = lanes_reduce_add(total);
    while (m.s.weight && m.first < block->count - 1 && !(m.s.weight[m.first] > 0.0)) m.first++;
    return m;
}

static void feature_major_moments(logreg_block *block, const logreg_moments *out)
{
    const logreg_reading *reading = block->reading;
    moments_of_block of_block = open_moments(block, out);
    for (int64_t j = 0; j < reading->data->n_x; j++) {
        const char *x;
        feature_values(block, reading, j, 1, 0, 1, 1, &x);
        of_block.s.x = (const double *)(const void *)x;
        const moments_lanes m = moments_of(&of_block.s, of_block.first, of_block.weight);
        double mean[LANES], mean_lo[LANES], M2[LANES], low[LANES], high[LANES];
        const logreg_moments one = {mean, mean_lo, M2, low, high, NULL};
        store_moments(&one, 0, &m);
        for (int lane = 1; lane < LANES; lane++) {
            low[0] = low[lane] < low[0] ? low[lane] : low[0];
            high[0] = high[lane] > high[0] ? high[lane] : high[0];
        }
        out->mean[j] = mean[0];
        out->mean_lo[j] = mean_lo[0];
        out->M2[j] = M2[0];
        out->low[j] = low[0];
        out->high[j] = high[0];
    }
}

static void example_major_moments(logreg_block *block, const logreg_moments *out)
{
    const int64_t n_x = block->reading->data->n_x, tile = block->reading->tile;
    moments_of_block of_block = open_moments(block, out);
    series *s = &of_block.s;
    s->by_examples = 0;
    s->steps = block->count;
    for (int64_t j = 0; j < n_x; j += tile) {
        const int64_t n = n_x - j < tile ? n_x - j : tile;
        const rows r = example_values(block, j, n, 1);
        s->advance = r.stride / (int64_t)sizeof(double);
        for (int64_t k = 0; k < n; k += LANES) {
            s->x = (const double *)(const void *)r.x + k;
            s->last = at_most_lanes(r.length - k);
            const moments_lanes m = moments_of(s, of_block.first, of_block.weight);
            store_moments(out, j + k, &m);
        }
    }
}
