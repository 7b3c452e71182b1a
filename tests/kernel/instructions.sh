#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# instructions.sh FOLDER: checks that the x86-64 objects in FOLDER use only the instructions that
# they may use, have no constructors, and export only names that start with logreg_.
set -eu
cd "$1"
fail() {
    echo "$1: $2" >&2
    exit 1
}
for object in *.o; do
    case $object in bits.o | test_kernel.o | fuzz.o | shim.o) continue ;; esac
    objdump -d --no-show-raw-insn "$object" > instructions.txt
    has() { grep -Eq "$1" instructions.txt; }
    # AVX and later instructions are encoded with VEX or EVEX, and their names start with v
    case $object in
    variant_avx2_*) has '%ymm' || fail "$object" "no AVX2: has objdump changed?" ;;
    variant_avx512_*) has '%zmm' || fail "$object" "no AVX-512: has objdump changed?" ;;
    *) ! has '	v[a-z]|%[yz]mm' || fail "$object" "instructions that not every x86-64 CPU has" ;;
    esac
    case $object in variant_avx512_*) ;; *) ! has '%zmm|%k[0-7]' || fail "$object" "AVX-512" ;; esac
    ! has '	vfn?m(add|sub)' || fail "$object" "a fused multiply-add"
    ! objdump -h "$object" | grep -Eq '\.(init_array|ctors|preinit_array)' ||
        fail "$object" "a constructor"
    ! nm -g --defined-only "$object" | grep -v ' logreg_' || fail "$object" "a name without logreg_"
done
echo "instructions: ok"
