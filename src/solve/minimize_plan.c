/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the search for the minimum plans: the samples to start from, from the shape alone, and when
 * a new factor pays.
 */
#include "solve/minimize.h"

#define MULTIPLY_ADDS_PER_BYTE 1.0 /* R */
#define SPARSE_PRODUCT 16.0        /* a product of a sparse Gram, in multiply-adds of a dense one */
#define SPARSE_VALUE 50.0          /* and a value of a sparse pass */
#define CATEGORY_PRODUCT 4.0       /* the same of a category and a number, or another category */
#define CATEGORY_VALUE 20.0        /* and a code of a pass */
#define MOST_PRICE 10.0            /* of a dense factor of such X, in passes */
#define PASSES_FOR_THE_REST 18.4   /* ln of 10^8 */
#define LEAST_C 10.0               /* examples of a sample per parameter */
#define STAGE_GROWTH 10            /* from one sample to the next */

enum {
    LEAST_SAMPLE = 300,
    ALL_SHARE = 3,           /* a sample of more than m / 3 is all */
    SMALL_SHARE = 20,        /* and one of more than m / 20 has LEAST_C: it takes memory */
    SAMPLE_VALUES = 1 << 25, /* of a sample that may have more than LEAST_C */
    RENEWAL_GROWTH = 4,
    MOST_DENSE = 4096, /* features of a dense factor */
    SMALL_DENSE = 256  /* that are dense even if there are fewer examples */
};

/* A sample of so many, or all of them. */
static int64_t sample_or_all(int64_t q, int64_t m)
{
    return q > m / ALL_SHARE ? m : q;
}

static int64_t least_sample(const logreg_data *data)
{
    return (int64_t)(LEAST_C * (double)(data->n_x + 1));
}

/* The most examples of a sample, which is in memory where the data are not. */
static int64_t largest_sample(const logreg_data *data)
{
    const int64_t width = logreg_width(data);
    const int64_t room = SAMPLE_VALUES / (width > 0 ? width : 1);
    const int64_t least = RENEWAL_GROWTH * least_sample(data);
    return room > least ? room : least;
}

/* The size of a value of the arithmetic. The stored type must not matter: it changes no bit. */
static double bytes_of_value(const logreg_data *data)
{
    return data->arithmetic == LOGREG_FLOAT32 ? sizeof(float) : sizeof(double);
}

/* Whether most features of an example are 0 and not stored. */
static int is_thin(const logreg_data *data)
{
    return logreg_is_sparse(data) || data->codes;
}

/* Of such X: what an example adds to a Gram, and to a pass, in multiply-adds of a dense one. */
static double products_of(const logreg_data *data)
{
    const double width = (double)logreg_width(data), numbers = (double)logreg_numbers(data);
    const double codes = (double)data->n_codes;
    if (logreg_is_sparse(data)) return width * width / 2.0 * SPARSE_PRODUCT;
    return numbers * numbers / 2.0 + codes * (numbers + codes / 2.0) * CATEGORY_PRODUCT;
}

static double pass_of(const logreg_data *data, double bytes)
{
    const double numbers = (double)logreg_numbers(data), codes = (double)data->n_codes;
    if (logreg_is_sparse(data)) return (double)data->width * SPARSE_VALUE;
    return numbers * bytes * MULTIPLY_ADDS_PER_BYTE + codes * CATEGORY_VALUE;
}

double logreg_factor_price(const logreg_data *data, int64_t q, int64_t m, double bytes)
{
    const double n = (double)data->n_x, k = (double)logreg_at_most(q, data->n_x);
    if (is_thin(data)) {
        const double work = (double)q * products_of(data) + n * n * n / 6.0;
        return work / ((double)m * pass_of(data, bytes) + 1.0);
    }
    const double work = (double)q * n * k / 2.0 + k * k * k / 6.0;
    return work / ((double)m * n * bytes * MULTIPLY_ADDS_PER_BYTE + 1.0);
}

/* Whether a dense factor of such X, of which a search makes several, costs more than the passes
 * that it saves: Cholesky's n^3 / 6 do not fall with the width, as those of a pass do. */
static int is_dear(const logreg_data *data)
{
    const int64_t q = logreg_at_most((int64_t)(LEAST_C * (double)data->n_x), data->m);
    return is_thin(data) &&
           logreg_factor_price(data, q, data->m, bytes_of_value(data)) > MOST_PRICE;
}

/* Solves c ln^2 c = 36.8 R s m / n^2 for c by bisection: the left side grows with c. Where X is
 * thin, a factor costs c n products of an example, and a pass m examples. */
static double best_c(const logreg_data *data, double bytes)
{
    const double n = (double)data->n_x + 1.0, m = (double)data->m;
    double right = 2.0 * PASSES_FOR_THE_REST * MULTIPLY_ADDS_PER_BYTE * bytes * m / (n * n);
    if (is_thin(data))
        right = PASSES_FOR_THE_REST * pass_of(data, bytes) * m / (n * products_of(data));
    double low = LEAST_C, high = LEAST_C;
    while (high < 1e12 && high * logreg_ln(high) * logreg_ln(high) < right) high *= 2.0;
    for (int k = 0; k < 30; k++) {
        const double c = 0.5 * (low + high);
        if (c * logreg_ln(c) * logreg_ln(c) < right)
            low = c;
        else
            high = c;
    }
    return low;
}

logreg_search_plan logreg_plan_minimum(const logreg_data *data)
{
    const int64_t n_x = data->n_x, m = data->m, n = n_x + 1;
    logreg_search_plan p = {.form = LOGREG_DENSE, .bytes = bytes_of_value(data), .sample = m};
    if (n_x > MOST_DENSE || (n_x > SMALL_DENSE && (n_x > m || is_dear(data)))) {
        const int is_few = m <= LOGREG_LOW_RANK_EXAMPLES && !is_thin(data);
        p.form = is_few ? LOGREG_LOW_RANK : LOGREG_DIAGONAL;
        if (data->codes && logreg_numbers(data) <= SMALL_DENSE) p.block = logreg_numbers(data);
        return p;
    }
    const int64_t least = least_sample(data);
    const int64_t most = logreg_at_most(m / SMALL_SHARE, largest_sample(data));
    int64_t stage = least > LEAST_SAMPLE ? least : LEAST_SAMPLE;
    if (sample_or_all(stage, m) == m) return p; /* no sample is smaller than the data */
    const double wanted = best_c(data, p.bytes) * (double)n;
    int64_t q = wanted < (double)m ? (int64_t)wanted + 1 : m;
    if (q > most) q = most > least ? most : least;
    if (q < LEAST_SAMPLE) q = LEAST_SAMPLE;
    p.sample = sample_or_all(q, m);
    for (; stage < p.sample / 2 && stage <= m / ALL_SHARE; stage *= STAGE_GROWTH)
        p.stages[p.n_stages++] = stage;
    if (p.sample < m) p.stages[p.n_stages++] = p.sample;
    return p;
}

int64_t logreg_next_sample(int64_t q, const logreg_data *data)
{
    if (q > largest_sample(data) / RENEWAL_GROWTH) return data->m;
    return sample_or_all(q * RENEWAL_GROWTH, data->m);
}

/* ---- When a factor is renewed ---------------------------------------------------------------- */

void logreg_note_rate(logreg_minimizer *m)
{
    if (m->n_rates == LOGREG_RATES) {
        for (int k = 1; k < LOGREG_RATES; k++) {
            m->rate_passes[k - 1] = m->rate_passes[k];
            m->rate_gaps[k - 1] = m->rate_gaps[k];
        }
        m->n_rates--;
    }
    m->rate_passes[m->n_rates] = m->passes;
    m->rate_gaps[m->n_rates++] = m->search.gap;
}

int logreg_renewal_pays(const logreg_minimizer *m, int64_t q, int64_t of, double cost,
                        double target)
{
    const int64_t last = m->n_rates - 1;
    const double since = (double)(m->passes - m->built), n = (double)m->search.n;
    if (last < 1 || since < 1.0 || since < cost || m->rate_gaps[last] <= target) return 0;
    const double passes = (double)(m->rate_passes[last] - m->rate_passes[0]);
    double rate = logreg_ln(m->rate_gaps[0] / m->rate_gaps[last]) / passes;
    if (!(rate > 1e-3)) rate = 1e-3;
    const double left = logreg_ln(m->rate_gaps[last] / target);
    double c = (double)q / n;
    if (c < 3.0) c = 3.0;
    if (c > 1e3) c = 1e3;
    if (q >= of) c = 1e4;
    const double rest = left / logreg_ln(c);
    return left / rate > 1.2 * (cost + (rest > 1.0 ? rest : 1.0)) + 0.5;
}
