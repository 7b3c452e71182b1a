/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The least work that can be done with X: read it once, on some threads, and add it up. */
#include <stdint.h>
#include <string.h>

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

/* The widest vectors that the CPU has: the compiler keeps wider ones in memory. */
#ifdef __AVX512F__
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif
enum { VECTORS = 8 / WIDTH }; /* per cache line */

typedef double vector __attribute__((vector_size(WIDTH * sizeof(double))));

/* Adds up n values of four lines side by side, `apart` values from one to the next; or of a single
 * line, 32 at a time, if `apart` is 8. A few of the last values are skipped. Prefetches four lines
 * `ahead` values on into L2, `between` from one to the next, if the first is not 0. */
static inline __attribute__((always_inline)) void
read_lines(const double *x, int64_t apart, int64_t n, int64_t ahead, int64_t between, vector *sums)
{
    const int width = apart == 8 ? 32 : 8;
    for (int64_t i = 0; i + width <= n; i += width)
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            const double *p = x + k * apart + i;
            if (ahead != 0) __builtin_prefetch(x + i + ahead + k * between, 0, 2);
#pragma GCC unroll 2
            for (int v = 0; v < VECTORS; v++) {
                vector values;
                memcpy(&values, p + v * WIDTH, sizeof values);
                sums[k * VECTORS + v] += values;
            }
        }
}

static double total_of(const vector *sums)
{
    double total = 0;
    for (int k = 0; k < 4 * VECTORS; k++)
        for (int lane = 0; lane < WIDTH; lane++) total += sums[k][lane];
    return total;
}

/* The same in the order in which a pass reads columns on one thread: blocks of `block` values of
 * each line, four lines side by side, each block `times` times before the next one. Lines are
 * `stride` values apart. */
double bare_blocks(const double *x, int64_t lines, int64_t length, int64_t stride, int64_t block,
                   int64_t ahead, int times, int sweeps)
{
    vector sums[4 * VECTORS] = {{0}};
    for (int sweep = 0; sweep < sweeps; sweep++)
        for (int64_t first = 0; first < length; first += block) {
            const int64_t n = length - first < block ? length - first : block;
            for (int time = 0; time < times; time++) {
                int64_t line = 0;
                for (; line + 4 <= lines; line += 4)
                    read_lines(x + line * stride + first, stride, n, ahead, stride, sums);
                for (; line < lines; line++)
                    read_lines(x + line * stride + first, 8, n, ahead, 8, sums);
            }
        }
    return total_of(sums);
}

/* The same of m examples of n values, contiguous: blocks of `block` examples, four side by side.
 * The first time, the examples of the next stretch are prefetched, one of each quarter at a time,
 * if `stretch` is not 0. */
double bare_examples(const double *x, int64_t m, int64_t n, int64_t block, int64_t stretch,
                     int times, int sweeps)
{
    vector sums[4 * VECTORS] = {{0}};
    for (int sweep = 0; sweep < sweeps; sweep++)
        for (int64_t first = 0; first < m; first += block) {
            const int64_t end = m - first < block ? m : first + block;
            for (int time = 0; time < times; time++) {
                int64_t i = first;
                for (; i + 4 <= end; i += 4) {
                    const int64_t done = i & (stretch - 1), later = (stretch - done / 4 * 3) * n;
                    const int64_t ahead = stretch && time == 0 ? later : 0, apart = stretch / 4 * n;
                    read_lines(x + i * n, n, n, ahead, apart, sums);
                    if (n % 8) read_lines(x + i * n + n - 8, n, 8, ahead, apart, sums);
                }
                for (; i < end; i++) read_lines(x + i * n, 8, n, 0, 0, sums);
            }
        }
    return total_of(sums);
}

/* A million multiplications, each of which waits for the one before: 3 cycles each on x86-64, and
 * one for the exclusive or that keeps the compiler from merging them. */
uint64_t multiplications(uint64_t by, int sweeps)
{
    uint64_t product = by;
    for (int64_t k = 0; k < 1000000 * (int64_t)sweeps; k++) product = (product * by) ^ by;
    return product;
}
