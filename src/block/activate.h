/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A loss over the examples of a block: Z -> dZ and the sums of a run, or predictions. The loss is
 * the loss_*.h that is included before this file.
 */

/* Groups of lanes that are activated side by side. */
enum { GROUPS = 4 };

/* The sums of a run in registers, one lane for every LANES-th example. */
typedef struct run_sums {
    lanes db, weight;
    loss_sums loss;
} run_sums;

LOGREG_INLINE run_sums load_run(const logreg_run_sums *run)
{
    run_sums sums;
    sums.db = lanes_load(REAL_OF(run->db));
    sums.weight = lanes_load(REAL_OF(run->weight));
    sums.loss = loss_load(run->loss);
    return sums;
}

LOGREG_INLINE void store_run(logreg_run_sums *run, const run_sums *sums)
{
    lanes_store(REAL_OF(run->db), sums->db);
    lanes_store(REAL_OF(run->weight), sums->weight);
    loss_store(run->loss, &sums->loss);
}

/* Adds lanes of examples to the sums, and returns their dZ. */
LOGREG_INLINE lanes add_terms(run_sums *sums, loss_terms terms, lanes weight, int weighted)
{
    loss_add(&sums->loss, &terms, weight, weighted);
    if (weighted) {
        terms.dZ = lanes_mul(weight, terms.dZ);
        sums->weight = lanes_add(sums->weight, weight);
    }
    sums->db = lanes_add(sums->db, terms.dZ);
    return terms.dZ;
}

/* Lanes of which only the first `some` are examples; the padding counts for nothing. */
LOGREG_INLINE void activate_some(real *Z, const real *Y, const real *weight, int some,
                                 run_sums *sums, int weighted)
{
    real z[LANES], y[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        z[lane] = lane < some ? Z[lane] : (real)PADDING_Z;
        y[lane] = lane < some ? Y[lane] : (real)PADDING_Y;
    }
    const lanes weights = weighted ? lanes_load_first(weight, some) : lanes_broadcast(1);
    const loss_terms terms = loss_at(lanes_load(z), lanes_load(y));
    lanes_store(Z, add_terms(sums, terms, weights, weighted));
}

/* `n` groups of lanes, all of them examples. Side by side, groups hide each other's latency. */
LOGREG_INLINE void activate_groups(real *Z, const real *Y, const real *weight, int n,
                                   run_sums *sums, int weighted)
{
    loss_terms terms[GROUPS];
    LANES_UNROLL
    for (int g = 0; g < n; g++)
        terms[g] = loss_at(lanes_load(Z + g * LANES), lanes_load(Y + g * LANES));
    LANES_UNROLL
    for (int g = 0; g < n; g++) {
        const lanes weights = weighted ? lanes_load(weight + g * LANES) : lanes_broadcast(1);
        lanes_store(Z + g * LANES, add_terms(sums, terms[g], weights, weighted));
    }
}

LOGREG_INLINE void activate_examples(real *Z, const real *Y, const real *weight, int64_t count,
                                     logreg_run_sums *run, int weighted)
{
    run_sums sums = load_run(run);
    int64_t i = 0;
    for (; i + GROUPS * LANES <= count; i += GROUPS * LANES)
        activate_groups(Z + i, Y + i, weighted ? weight + i : NULL, GROUPS, &sums, weighted);
    for (; i + LANES <= count; i += LANES)
        activate_groups(Z + i, Y + i, weighted ? weight + i : NULL, 1, &sums, weighted);
    if (i < count)
        activate_some(Z + i, Y + i, weighted ? weight + i : NULL, (int)(count - i), &sums,
                      weighted);
    store_run(run, &sums);
}

static void activate(const logreg_block *block, int64_t from, int64_t count, logreg_run_sums *run)
{
    real *Z = (real *)block->Z + from;
    const real *Y = (const real *)block->Y + from;
    if (block->weight)
        activate_examples(Z, Y, (const real *)block->weight + from, count, run, 1);
    else
        activate_examples(Z, Y, NULL, count, run, 0);
}

static void finish_run(const logreg_block *block, logreg_run_sums *run, int64_t count, double *sums)
{
    const int weighted = block->weight != NULL;
    const run_sums all = load_run(run);
    sums[LOGREG_SUM_DB] += (double)lanes_reduce_add(all.db);
    sums[LOGREG_SUM_J] += loss_of_run(&all.loss, weighted);
    sums[LOGREG_SUM_WEIGHT] += weighted ? (double)lanes_reduce_add(all.weight) : (double)count;
    memset(run, 0, sizeof *run);
}

#if REAL_BITS == 64

static double predict(double *Z, int64_t n)
{
    lanes finite = lanes_broadcast(0.0);
    for (int64_t i = 0; i < n; i += LANES) {
        const int some = at_most_lanes(n - i);
        const lanes z = lanes_load_first(Z + i, some);
        double a[LANES];
        finite = lanes_add(finite, lanes_mul(z, lanes_broadcast(0.0)));
        lanes_store(a, link_of(z));
        memcpy(Z + i, a, (size_t)some * sizeof *a);
    }
    return lanes_reduce_add(finite);
}

static void apply_link(const double *Z, double *A, int64_t n)
{
    for (int64_t i = 0; i < n; i += LANES) {
        const int some = at_most_lanes(n - i);
        double a[LANES];
        lanes_store(a, link_of(lanes_load_first(Z + i, some)));
        memcpy(A + i, a, (size_t)some * sizeof *a);
    }
}

#endif
