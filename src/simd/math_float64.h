/* SPDX-License-Identifier: BSD-3-Clause
 *
 * exp(-t) and log(1 + q) over lanes of float64. tools/polynomials.py measures the polynomials, and
 * finds new ones.
 */

/* c1 x + c0 */
LOGREG_INLINE lanes affine(lanes x, double c1, double c0)
{
    return lanes_add(lanes_mul(lanes_broadcast(c1), x), lanes_broadcast(c0));
}

/* exp(-t) for t >= 0, to 0.8 ulp; 0 beyond the smallest subnormal, NaN for NaN.
 *
 * -t = r - k ln 2 with |r| <= ln(2) / 2. Subtracting from `shift`, whose ulp is 1, rounds to the
 * integer k and leaves 1023 + 64 - k in the lowest bits of the difference, from where a shift moves
 * it straight into an exponent field. The 64 keeps 2^(64 - k) normal up to k = 1076: only the last
 * product rounds, once, where the result is subnormal. ln 2 is split so that k ln2_hi is exact, and
 * the rounding error of r is added to the tail. exp(r) is 1 + r + r^2 p(r), p being a Remez
 * polynomial (relative error of exp(r): 1.2e-17), summed as a tree (Estrin): these loops wait for
 * latency more than for arithmetic. */
LOGREG_INLINE lanes exp_of_minus(lanes t)
{
    const lanes shift = lanes_broadcast(0x1.8p52 + 1023 + 64);
    const lanes ln2_hi = lanes_broadcast(0x1.62e42fefa3800p-1);
    const lanes ln2_lo = lanes_broadcast(0x1.ef35793c76730p-45);
    const lanes log2_e = lanes_broadcast(0x1.71547652b82fep0);

    t = lanes_min(lanes_broadcast(746.0), t);
    const lanes shifted = lanes_sub(shift, lanes_mul(t, log2_e));
    const lanes k = lanes_sub(shift, shifted);
    const lanes r_hi = lanes_sub(lanes_mul(k, ln2_hi), t);
    const lanes r_lo = lanes_mul(k, ln2_lo);
    const lanes r = lanes_add(r_hi, r_lo);

    const lanes r2 = lanes_mul(r, r);
    const lanes r4 = lanes_mul(r2, r2);
    const lanes p01 = affine(r, 0x1.55555555554fap-3, 0x1.000000000000ap-1);
    const lanes p23 = affine(r, 0x1.1111111127b9dp-7, 0x1.555555555088cp-5);
    const lanes p45 = affine(r, 0x1.a01a012a68f62p-13, 0x1.6c16c184266c6p-10);
    const lanes p67 = affine(r, 0x1.71df253c3746fp-19, 0x1.a0199a16ddf6ep-16);
    const lanes p89 = affine(r, 0x1.ad7f774e43f9cp-26, 0x1.28ad68aabef05p-22);
    const lanes p0123 = lanes_add(lanes_mul(p23, r2), p01);
    const lanes p4567 = lanes_add(lanes_mul(p67, r2), p45);
    const lanes p4to9 = lanes_add(lanes_mul(p89, r4), p4567);
    const lanes p = lanes_add(lanes_mul(p4to9, r4), p0123);

    const lanes r_err = lanes_add(lanes_sub(r_hi, r), r_lo);
    const lanes tail = lanes_add(lanes_mul(r2, p), r_err);
    const lanes e = lanes_add(lanes_broadcast(1.0), lanes_add(r, tail));
    return lanes_mul(lanes_mul(e, lanes_exp2_of_low_bits(shifted)), lanes_broadcast(0x1p-64));
}

/* log(1 + q) for 0 <= q <= 2^64, to 1 ulp; NaN for NaN.
 *
 * u + err is 1 + q exactly. u = 2^k f with f within a factor of sqrt(2) of 1, and with f' = f - 1
 * and s = f' / (2 + f'): log f = f' - (f'^2/2 - s (f'^2/2 + R(s^2))), where s R(s^2) is the series
 * of log f in s from the cubic term on (Remez, absolute error of R: 3.3e-18). */
LOGREG_INLINE lanes log1p_of(lanes q)
{
    const lanes one = lanes_broadcast(1.0);
    const lanes u = lanes_add(one, q);
    const lanes v = lanes_sub(u, one);
    const lanes err = lanes_add(lanes_sub(one, lanes_sub(u, v)), lanes_sub(q, v));

    lanes f = lanes_fraction(u);
    lanes k = lanes_exponent(u);
    const lanes_mask high = lanes_gt(f, lanes_broadcast(0x1.6a09e667f3bcdp0));
    f = lanes_select(high, lanes_mul(f, lanes_broadcast(0.5)), f);
    k = lanes_select(high, lanes_add(k, one), k);
    f = lanes_sub(f, one);

    const lanes s = lanes_div(f, lanes_add(lanes_broadcast(2.0), f));
    const lanes z = lanes_mul(s, s);
    lanes R = lanes_broadcast(0x1.2f0d5c03de767p-3);
    R = lanes_add(lanes_mul(R, z), lanes_broadcast(0x1.39a0f9c98f958p-3));
    R = lanes_add(lanes_mul(R, z), lanes_broadcast(0x1.746645ffad67ap-3));
    R = lanes_add(lanes_mul(R, z), lanes_broadcast(0x1.c71c51e8c4e4dp-3));
    R = lanes_add(lanes_mul(R, z), lanes_broadcast(0x1.2492494216b62p-2));
    R = lanes_add(lanes_mul(R, z), lanes_broadcast(0x1.999999997fb41p-2));
    R = lanes_add(lanes_mul(R, z), lanes_broadcast(0x1.5555555555593p-1));
    R = lanes_mul(R, z);

    const lanes half_square = lanes_mul(lanes_broadcast(0.5), lanes_mul(f, f));
    const lanes lo =
        lanes_add(lanes_mul(k, lanes_broadcast(0x1.ef35793c76730p-45)), lanes_div(err, u));
    const lanes small =
        lanes_sub(half_square, lanes_add(lanes_mul(s, lanes_add(half_square, R)), lo));
    const lanes result =
        lanes_sub(lanes_mul(k, lanes_broadcast(0x1.62e42fefa3800p-1)), lanes_sub(small, f));
    /* The fraction of a NaN is a number: put the NaN back. */
    return lanes_select(lanes_gt(lanes_broadcast(0x1p1000), q), result, lanes_add(q, q));
}
