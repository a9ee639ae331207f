#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# RAM of every kind that libvirt gives a guest is read, and reading it makes none of it resident.
# LONG
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# Memory of QEMU that is resident, in KiB: its own, and of files
resident()
{
    awk '/^(RssAnon|RssFile|RssShmem|HugetlbPages|VmSwap):/ { kib += $2 } END { print kib }' "/proc/$(bed_pid "$1")/status"
}

# An agent that comes to a paused guest looks at all its RAM. QEMU itself takes and gives back some KiB meanwhile.
stays_small()
{
    local name=$1 before grown
    bed_virsh suspend "$name" > /dev/null
    bed_agent_stop TERM || true
    before=$(resident "$name")
    bed_agent_start
    bed_wait_state "$name" silent 60 || not_ok "$name-paused-state" "$(bed_state_line "$name")"
    grown=$(($(resident "$name") - before))
    if [ $grown -lt 1024 ]; then ok "$name-resident"; else not_ok "$name-resident" "$grown KiB more than $before"; fi
}

# reads NAME EXTENTS KEY=VALUE...: the right datum, with so many extents
reads()
{
    local name=$1 extents=$2 faults truth
    shift 2
    if ! bed_create "$name" "$@"; then
        not_ok "$name" "the domain does not start"
        return
    fi
    if ! bed_wait_up "$name" 60 || ! bed_wait_state "$name" ready 60; then
        not_ok "$name" "is: $(bed_state_line "$name")"
    else
        truth=$(bed_truth "$name")
        faults=$(bed_datum_faults "$(bed_datum "$name")" "$truth")
        is "$name" "${faults//$'\n'/ }" ""
        is "$name-extents" "$(bed_datum "$name" | grep -c '<extent')" "$extents"
    fi
}

reads_small()
{
    reads "$@"
    stays_small "$1"
    bed_destroy "$1"
}

reads_only()
{
    reads "$@"
    bed_destroy "$1"
}

# Boot RAM is QEMU's own, the DIMM a shared file; the datum has both.
mixed()
{
    bed_create mixed backing=none cells=512 room=1024 dimm=256 dimm_access=shared
    bed_wait_up mixed 60 && bed_wait_state mixed ready 60 || diag "$(bed_state_line mixed)"
    is mixed "$(bed_datum mixed | bed_datum_element kcr3)" "$(bed_root mixed)"
    like mixed-dimm "$(bed_datum mixed)" '<extent gpa="0x100000000" size="0x10000000" backend="memdimm0" offset="0x0"/>'
    bed_destroy mixed
}

# A device of each other model that libvirt knows: all of a virtio-mem device counts, the label of an NVDIMM does not.
# Its file must be there before.
devices()
{
    local file="$BED_DIR/home/nvdimm" datum
    truncate -s 256M "$file"
    chmod 666 "$file"
    bed_create devices machine=q35 memory=512 cells=512 room=2048 "devices=<memory model='virtio-mem'><target>
<size unit='MiB'>512</size><node>0</node><block unit='MiB'>2</block><requested unit='MiB'>64</requested></target></memory>
<memory model='nvdimm'><source><path>$file</path></source><target><size unit='MiB'>256</size><node>0</node>
<label><size unit='KiB'>128</size></label></target></memory>" || { not_ok devices "the domain does not start"; return; }
    bed_wait_up devices 60 && bed_wait_state devices ready 60 || diag "$(bed_state_line devices)"
    datum=$(bed_datum devices)
    is devices "$(bed_datum_element kcr3 <<< "$datum")" "$(bed_root devices)"
    like devices-nvdimm "$datum" 'gpa="0x120000000" size="0xffe0000" backend="memnvdimm0"'
    like devices-virtio-mem "$datum" 'size="0x20000000" backend="memvirtiomem0"'
    bed_destroy devices
}

huge()
{
    local name
    if bed_has_huge; then
        reads_small huge-private 1 backing=hugepages memory=256
        reads_only huge-file 1 backing=hugepages-shared memory=256
        reads_small huge-memfd 1 backing=hugepages-memfd memory=256
        return
    fi
    for name in huge-private huge-file huge-memfd; do
        skip $name "no pool of huge pages can be had here"
    done
}

BED_HUGE_MIB=256 bed_start
bed_agent_start
reads_small no-backing 1 backing=none
reads_small anonymous 2 backing=anon memory=4096 machine=pc
reads_small memfd-private 1 backing=memfd-private
reads_small file-private 1 backing=file-private
reads_only file-unshared 1 backing=file-unshared
reads_only immediate 1 backing=immediate
reads_small nosharepages 1 backing=nosharepages
reads_only discard 1 backing=discard
# The second of three cells is cut by the split, and has all of the kernel's image.
reads_only numa-memfd 4 backing=memfd memory=3072 cells=8:2552:512
reads_only numa-cut 4 backing=none memory=3072 cells=8:2552:512 append=nokaslr
mixed
devices
huge
finish
