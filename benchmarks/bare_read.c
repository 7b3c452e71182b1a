/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The least work that can be done with X: read it once, on some threads, and add it up. */
#include <stdint.h>

/* 64 sums, so that no addition waits for the previous one; the compiler keeps them in 16 AVX2
 * registers. Each thread skips its last few values, fewer than 64. Returning the sum keeps the
 * compiler from removing the reads. */
double bare_read(const double *x, int64_t n, int threads, int sweeps)
{
    double total = 0;
    for (int sweep = 0; sweep < sweeps; sweep++) {
#pragma omp parallel for num_threads(threads) reduction(+ : total) if (threads > 1)
        for (int t = 0; t < threads; t++) {
            double sums[64] = {0};
            for (int64_t i = n / threads * t; i + 64 <= n / threads * (t + 1); i += 64)
                for (int k = 0; k < 64; k++) sums[k] += x[i + k];
            for (int k = 0; k < 64; k++) total += sums[k];
        }
    }
    return total;
}
