/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The logistic loss. A loss is this file's list of names; activate.h, which applies one to a block,
 * knows nothing else of it:
 *
 *     RUN             the most examples whose terms are summed before the sum is finished
 *     loss_at         dZ and the terms of J at Z and Y
 *     loss_sums       the sums of a run; loss_load, loss_store: from and to at most
 *                     LOGREG_LOSS_SUMS logreg_lanes
 *     loss_add        adds the terms of a group of examples to the sums
 *     loss_of_run     the share of J of a run, from its sums
 *     PADDING_Z, _Y   an example whose dZ and terms are exactly 0
 *     link_of         predictions from Z, in float64
 *
 * With the sign of z folded out first nothing cancels, however far out z is:
 *
 *     e = exp(-|z|)   s = e / (1 + e)   c = z > 0 ? 1 - y : y
 *     cost = |z| c + log1p(e)           dz = z > 0 ? c - s : s - c
 *
 * which equal -(y log a + (1 - y) log(1 - a)) and a - y in exact arithmetic. The second derivative
 * is h = a (1 - a) = s / (1 + e), at most 1/4.
 *
 * One logarithm serves a whole run: q grows so that 1 + q is the product of the (1 + e), and
 * log1p(q) is taken when the run ends, per lane. In float64 a run has at most 512 examples, 64 per
 * lane, so q stays below 2^64, and its relative error below 64 * 1.5 roundings. In float32 it has
 * 128, 8 per lane (16 in blocks of 8 examples or fewer), which bounds the error of J by 12
 * roundings, 7e-7.
 */

#if REAL_BITS == 64
enum { RUN = 512 };
#else
enum { RUN = 128 };
#endif

/* exp(-1000) is 0, and so is c. */
#define PADDING_Z 1000
#define PADDING_Y 1

typedef struct loss_terms {
    lanes dZ, linear, e; /* cost = linear + log1p(e) */
} loss_terms;

LOGREG_INLINE loss_terms loss_at(lanes Z, lanes Y)
{
    const lanes one = lanes_broadcast(1);
    const lanes_mask positive = lanes_gt(Z, lanes_broadcast(0));
    const lanes size = lanes_abs(Z);
    const lanes e = exp_of_minus(size);
    const lanes s = lanes_div(e, lanes_add(one, e));
    const lanes c = lanes_select(positive, lanes_sub(one, Y), Y);
    loss_terms r;
    r.dZ = lanes_select(positive, lanes_sub(c, s), lanes_sub(s, c));
    r.linear = lanes_mul(size, c);
    r.e = e;
    return r;
}

/* Held in registers during a run, and in logreg_run_sums.loss between blocks. With weights there is
 * no product to take a logarithm of: `logs` sums one log1p per example, and q stays 0. */
typedef struct loss_sums {
    lanes linear, q, logs;
} loss_sums;

LOGREG_INLINE loss_sums loss_load(const logreg_lanes *from)
{
    loss_sums sums;
    sums.linear = lanes_load(REAL_OF(from[0]));
    sums.q = lanes_load(REAL_OF(from[1]));
    sums.logs = lanes_load(REAL_OF(from[2]));
    return sums;
}

LOGREG_INLINE void loss_store(logreg_lanes *to, const loss_sums *sums)
{
    lanes_store(REAL_OF(to[0]), sums->linear);
    lanes_store(REAL_OF(to[1]), sums->q);
    lanes_store(REAL_OF(to[2]), sums->logs);
}

LOGREG_INLINE void loss_add(loss_sums *sums, const loss_terms *terms, lanes weight, int weighted)
{
    if (weighted) {
        sums->linear = lanes_add(sums->linear, lanes_mul(weight, terms->linear));
        sums->logs = lanes_add(sums->logs, lanes_mul(weight, log1p_of(terms->e)));
    } else {
        sums->linear = lanes_add(sums->linear, terms->linear);
        sums->q = lanes_add(sums->q, lanes_add(terms->e, lanes_mul(sums->q, terms->e)));
    }
}

LOGREG_INLINE double loss_of_run(const loss_sums *sums, int weighted)
{
    const lanes logs = weighted ? sums->logs : log1p_of(sums->q);
    return (double)lanes_reduce_add(sums->linear) + (double)lanes_reduce_add(logs);
}

#if REAL_BITS == 64

/* The sigmoid, 1 / (1 + exp(-z)), to 2 ulp: with e = exp(-|z|) and s = e / (1 + e) it is s where
 * z <= 0 and 1 - s where z > 0. Just above a power of two the error of e and that of rounding 1 + e
 * add up to 2.4 ulp, so the latter, `err`, is taken out again: s / (1 + err / (1 + e)) is nearly
 * s - s err (1 - s). */
LOGREG_INLINE lanes link_of(lanes z)
{
    const lanes one = lanes_broadcast(1.0);
    const lanes e = exp_of_minus(lanes_abs(z));
    const lanes sum = lanes_add(one, e);
    const lanes err = lanes_sub(e, lanes_sub(sum, one));
    lanes s = lanes_div(e, sum);
    s = lanes_sub(s, lanes_mul(lanes_mul(s, err), lanes_sub(one, s)));
    return lanes_select(lanes_gt(z, lanes_broadcast(0.0)), lanes_sub(one, s), s);
}

#endif
