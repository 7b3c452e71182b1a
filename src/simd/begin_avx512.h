/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From here to end_target.h functions are compiled for AVX-512F, DQ and F16C. Compiler flags apply
 * to the whole extension, so the target is raised here and nowhere else: no other code may use
 * instructions that some CPUs lack. AVX-512F includes FMA; -ffp-contract=off keeps it unused.
 */
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,f16c"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,f16c")
#endif
