#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Takes inputs for the fuzz target "ram" from real guests: boots some in the test bed, and keeps of the RAM of each the
# pages that lead to its kernel, up to half a MiB. They are not part of the corpus in the source tree, which is all built
# by code: real pages have a distribution's kernel in them.
#
#   tests/fuzz/real.sh [DIR]   into DIR (default: fuzz/corpus/ram of the build directory, where fuzz.sh looks)
#
#   MEMCTX_BUILDDIR            where memctxd was built
#
# Of any other guest of up to 512 MiB: make tests/fuzz/takepages && tests/fuzz/takepages RAMFILE > DIR/NAME
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

into=${1:-$BED_BUILD/fuzz/corpus/ram}

# take NAME LAYOUT KEY=VALUE...: LAYOUT is "" or "arm", as takepages has it
take()
{
    local name=$1 layout=$2 ram="$BED_DIR/$1.ram"
    shift 2
    bed_create "$name" memory=512 "$@"
    if ! bed_wait_up "$name" 300; then
        echo "real.sh: $name does not come up" >&2
        bed_destroy "$name"
        return
    fi
    bed_take "$name" "$ram"
    bed_destroy "$name"
    if "$BED_BUILD/tests/fuzz/takepages" "$ram" "$layout" > "$into/real-$name.new"; then
        mv "$into/real-$name.new" "$into/real-$name"
        echo "$into/real-$name: $(stat -c %s "$into/real-$name") bytes"
    fi
    rm -f "$ram" "$into/real-$name.new"
}

# foreign NAME LAYOUT ARCHITECTURE KERNEL KEY=VALUE...: with a kernel and a busybox that may not be here
foreign()
{
    local name=$1 layout=$2 initrd kernel
    if initrd=$(bed_initramfs_foreign "$3") && kernel=$("$4" "$5"); then
        take "$name" "$layout" kernel="$kernel" initrd="$initrd" "${@:6}"
    else
        echo "real.sh: no kernel for $name can be had here" >&2
    fi
}

make -s -C "$BED_BUILD" tests/fuzz/takepages
mkdir -p "$into"
bed_start
take 4level "" cpu=qemu64
take 5level "" cpu=maximum
foreign 2level "" i386 bed_kernel "$(bed_release)/686"
foreign pae "" i386 bed_kernel "$(bed_release)/rt-686-pae"
foreign arm-4k arm arm64 bed_kernel_arm64 cloud-arm64 arch=aarch64 machine=virt
