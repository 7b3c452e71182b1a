/* SPDX-License-Identifier: BSD-3-Clause
 *
 * This folder is as much of Windows's headers as the kernel uses, for Clang, which speaks MSVC's
 * C but has none of them. */
#ifndef MSVC_MATH_H
#define MSVC_MATH_H

#define INFINITY __builtin_inff()

#endif
