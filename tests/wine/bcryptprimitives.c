/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What Rust's standard library, and so polars, wants of Windows and wine 8 lacks. */
#include <windows.h>

#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
    return RtlGenRandom(data, (ULONG)size);
}
