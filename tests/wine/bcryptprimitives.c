/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A Windows function that Rust's standard library, and so polars, needs and wine 8 does not have.
 */
#include <windows.h>

#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
    return RtlGenRandom(data, (ULONG)size);
}
