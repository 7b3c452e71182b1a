/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The least that anything can do with X: read it once, on some threads, and add it up. */
#include <stdint.h>

/* 64 sums, so that no addition waits for the one before; the compiler keeps them in 16 registers
 * of AVX2. Each thread leaves out its last few values, fewer than 64. The sum is returned lest the
 * reading be optimised away. */
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
