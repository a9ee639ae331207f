#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# --ram takes the files that people have: what "virsh dump --memory-only" makes of a live guest in each of its formats,
# what memctx core makes of it, LiME, a pipe. Each leads to the kernel that the guest itself tells of. Other files are
# refused by name.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# finds NAME LOW ARGUMENT...
finds()
{
    local name=$1 low=$2 key
    shift 2
    bed_probe "$@"
    is "$name-status" "$status" 0
    for key in kcr3 paging; do
        is "$name-$key" "$(bed_datum_element $key <<< "$out")" "$(bed_field $key <<< "$truth")"
    done
    is "$name-low" "$(($(bed_datum_element low <<< "$out")))" "$((low))"
}

# says NAME WORDS ARGUMENT...
says()
{
    local name=$1 words=$2
    shift 2
    bed_probe "$@"
    is "$name-status" "$status" 1
    like "$name-words" "$err" "$words"
    is "$name-no-datum" "$out" ""
}

# lime RAW LOW FILE: the same memory as LiME writes it
lime()
{
    bed_as_user python3 - "$@" <<'END'
import os, struct, sys
raw, low, out = sys.argv[1], int(sys.argv[2], 0), sys.argv[3]
size = os.path.getsize(raw)
pieces = [(0x1000, 0x9fc00, 0x1000), (0x100000, low, 0x100000), (1 << 32, (1 << 32) + size - low, low)]
with open(raw, 'rb') as ram, open(out, 'wb') as lime:
    for start, end, offset in pieces:
        if start < end:
            lime.write(struct.pack('<IIQQQ', 0x4c694d45, 1, start, end - 1, 0))
            ram.seek(offset)
            for _ in range((end - start) // 0x400):
                lime.write(ram.read(0x400))
END
}

# QEMU is not built with each of them everywhere.
live_formats()
{
    local format
    finds elf "$low" --ram "$files/elf"
    for format in kdump-zlib kdump-lzo kdump-snappy; do
        if bed_virsh dump live "$files/$format" --memory-only --format $format --live > /dev/null 2>&1; then
            finds $format "$low" --ram "$files/$format"
        fi
    done
}

foreign()
{
    gzip -c "$files/elf" > "$files/elf.gz"
    says gzip 'compressed by gzip.*gunzip' --ram "$files/elf.gz"
    bed_virsh save live "$files/saved" > /dev/null
    says saved '"virsh save" writes.*virsh restore' --ram "$files/saved"
    qemu-img create -q -f qcow2 "$files/qcow2" 64M
    says qcow2 'disk image' --ram "$files/qcow2"
    says program 'type [23]; expected a core' --ram "$BED_DIR/bin/memctx"
    head -c 1000000 "$files/elf" > "$files/cut"
    says cut truncated --ram "$files/cut"
    head -c 1000000 "$files/kdump-zlib" > "$files/cut"
    says cut-kdump truncated --ram "$files/cut"
    says low-of-elf 'leave --low out' --ram "$files/elf" --low 2G
}

bed_start
files="$BED_DIR/home/files"
bed_as_user mkdir "$files"
bed_create live machine=q35 memory=512
bed_wait_up live 60 || bed_die "the guest does not come up"
truth=$(bed_truth live)
low=$(bed_field low <<< "$truth")
bed_virsh dump live "$files/elf" --memory-only --live > /dev/null
live_formats
bed_take live "$files/raw"
finds raw "$low" --ram "$files/raw"
lime "$files/raw" "$low" "$files/lime"
finds lime "$low" --ram "$files/lime"
bed_probe --ram - < "$files/kdump-zlib"
is stdin-kcr3 "$(bed_datum_element kcr3 <<< "$out")" "$(bed_field kcr3 <<< "$truth")"
bed_as_user "$BED_DIR/bin/memctx" core --ram "$files/kdump-zlib" -o "$files/core"
finds core "$low" --ram "$files/core"
foreign
finish
