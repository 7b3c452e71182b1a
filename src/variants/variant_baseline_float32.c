/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels in float32 for any CPU of this architecture.
 */
#define REAL_BITS 32
#define LOGREG_VARIANT logreg_kernels_baseline_float32
#define LOGREG_BASELINE

#include "simd/lanes_baseline.h"

#include "block/block_kernels.h"
