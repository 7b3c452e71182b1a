/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ends what begin_avx2.h or begin_avx512.h began.
 */
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
