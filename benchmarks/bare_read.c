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

/* The same in the order in which a pass reads X on one thread: blocks of `block` values of each
 * line, line after line, each block `times` times before the next one. Lines are `stride` values
 * apart. The end of a block, fewer than 32 values, is skipped. */
double bare_blocks(const double *x, int64_t lines, int64_t length, int64_t stride, int64_t block,
                   int times, int sweeps)
{
    double total = 0, sums[32] = {0};
    for (int sweep = 0; sweep < sweeps; sweep++)
        for (int64_t first = 0; first < length; first += block) {
            const int64_t n = length - first < block ? length - first : block;
            for (int64_t line = 0; line < times * lines; line++) {
                const double *p = x + line % lines * stride + first;
                for (int64_t i = 0; i + 32 <= n; i += 32)
                    for (int k = 0; k < 32; k++) sums[k] += p[i + k];
            }
        }
    for (int k = 0; k < 32; k++) total += sums[k];
    return total;
}
