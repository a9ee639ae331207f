#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The symbols and all types of a running guest's kernel as one ELF file for gdb, without a debug package: both come out of
# its RAM. Takes bpftool, gcc and binutils, and a second or ten.
#
#   gdb-kernel.sh DOMAIN FILE [OPTION...]     options of memctx: -c URI, --runtime-dir DIR
#   gdb -ex 'target remote | memctx gdb DOMAIN' -ex 'p ((struct task_struct *)&init_task)->comm' FILE
#
# The types are C that the guest has written, as far as names go. gcc compiles it and nothing runs it; but a hostile guest
# may have it include files of yours. Use an account that reads nothing secret for guests that you do not trust.
set -eu
[ $# -ge 2 ] || { echo "usage: ${0##*/} DOMAIN FILE [OPTION...]" >&2; exit 2; }
domain=$1 file=$2
shift 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

memctx "$@" export "$domain" --format elf > "$dir/kernel.elf"

# Words of gcc for a kernel whose pointers have 4 bytes.
bits() { case $(readelf -h "$dir/kernel.elf") in *ELF32*) echo -m32 ;; esac; }

# The types as DWARF, in a file that is linked, so that nothing in it is to be moved any more.
types()
{
    memctx "$@" export "$domain" --format btf > "$dir/kernel.btf" || return 1
    bpftool btf dump file "$dir/kernel.btf" format c > "$dir/kernel.h" || return 1
    # shellcheck disable=SC2046 # no word or one
    gcc $(bits) -std=gnu11 -g -fno-eliminate-unused-debug-types -w -c -x c -o "$dir/types.o" "$dir/kernel.h" || return 1
    # shellcheck disable=SC2046
    gcc $(bits) -nostdlib -static -Wl,-e,0 -Wl,--build-id=none -o "$dir/types" "$dir/types.o"
}

add=()
if types "$@"; then
    for section in info abbrev str line_str line aranges rnglists; do
        objcopy -O binary --only-section=".debug_$section" --set-section-flags ".debug_$section=alloc" \
            "$dir/types" "$dir/$section" 2> /dev/null
        [ ! -s "$dir/$section" ] || add+=(--add-section ".debug_$section=$dir/$section")
    done
else
    echo "${0##*/}: the types of this kernel cannot be had; $file has its symbols" >&2
fi
objcopy "${add[@]}" "$dir/kernel.elf" "$file"
