/* SPDX-License-Identifier: BSD-3-Clause
 *
 * exp(-t) and log(1 + q) over lanes of float32: as in math_float64.h, with shorter polynomials.
 */

/* exp(-t) for t >= 0, to 1.5 ulp; 0 beyond the smallest subnormal, NaN for NaN.
 *
 * -t = r - k ln 2. `shift` has an ulp of 1, and leaves 127 + 64 - k in the lowest bits of the
 * difference; k is at most 151. ln2_hi has 15 bits, so k ln2_hi is exact. */
LOGREG_INLINE lanes exp_of_minus(lanes t)
{
    const lanes shift = lanes_broadcast(0x1.8p23f + 127 + 64);

    t = lanes_min(lanes_broadcast(104.0f), t);
    const lanes shifted = lanes_sub(shift, lanes_mul(t, lanes_broadcast(0x1.715476p0f)));
    const lanes k = lanes_sub(shift, shifted);
    const lanes r_hi = lanes_sub(lanes_mul(k, lanes_broadcast(0x1.62e4p-1f)), t);
    const lanes r = lanes_add(r_hi, lanes_mul(k, lanes_broadcast(0x1.7f7d1cp-20f)));

    /* least squares, relative error of exp(r): 3.8e-9 */
    lanes p = lanes_broadcast(0x1.687a68p-10f);
    p = lanes_add(lanes_mul(p, r), lanes_broadcast(0x1.123c28p-7f));
    p = lanes_add(lanes_mul(p, r), lanes_broadcast(0x1.555b5ep-5f));
    p = lanes_add(lanes_mul(p, r), lanes_broadcast(0x1.55548ep-3f));
    p = lanes_add(lanes_mul(p, r), lanes_broadcast(0x1.fffff8p-2f));
    const lanes e = lanes_add(lanes_broadcast(1.0f), lanes_add(r, lanes_mul(lanes_mul(r, r), p)));
    return lanes_mul(lanes_mul(e, lanes_exp2_of_low_bits(shifted)), lanes_broadcast(0x1p-64f));
}

/* log(1 + q) for 0 <= q <= 2^16, to 1.5 ulp; NaN for NaN. */
LOGREG_INLINE lanes log1p_of(lanes q)
{
    const lanes one = lanes_broadcast(1.0f);
    const lanes u = lanes_add(one, q);
    const lanes v = lanes_sub(u, one);
    const lanes err = lanes_add(lanes_sub(one, lanes_sub(u, v)), lanes_sub(q, v));

    lanes f = lanes_fraction(u);
    lanes k = lanes_exponent(u);
    const lanes_mask high = lanes_gt(f, lanes_broadcast(0x1.6a09e6p0f));
    f = lanes_select(high, lanes_mul(f, lanes_broadcast(0.5f)), f);
    k = lanes_select(high, lanes_add(k, one), k);
    f = lanes_sub(f, one);

    const lanes s = lanes_div(f, lanes_add(lanes_broadcast(2.0f), f));
    const lanes z = lanes_mul(s, s);
    lanes R = lanes_broadcast(0x1.31f1eep-2f); /* least squares, absolute error of R: 2.4e-9 */
    R = lanes_add(lanes_mul(R, z), lanes_broadcast(0x1.995e18p-2f));
    R = lanes_add(lanes_mul(R, z), lanes_broadcast(0x1.55557ap-1f));
    R = lanes_mul(R, z);

    const lanes half_square = lanes_mul(lanes_broadcast(0.5f), lanes_mul(f, f));
    const lanes lo = lanes_add(lanes_mul(k, lanes_broadcast(0x1.7f7d1cp-20f)), lanes_div(err, u));
    const lanes small =
        lanes_sub(half_square, lanes_add(lanes_mul(s, lanes_add(half_square, R)), lo));
    const lanes result =
        lanes_sub(lanes_mul(k, lanes_broadcast(0x1.62e4p-1f)), lanes_sub(small, f));
    /* The fraction of a NaN is a number: put the NaN back. */
    return lanes_select(lanes_gt(lanes_broadcast(0x1p100f), q), result, lanes_add(q, q));
}
