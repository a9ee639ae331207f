#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# "memctx probe" on files: a guest's RAM, and all kinds of files that are none.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# refuses NAME STATUS ARGUMENT...: ends so, says why on one line, prints no datum
refuses()
{
    local name=$1 wanted=$2
    shift 2
    bed_probe "$@"
    is "$name-status" "$status" "$wanted"
    like "$name-sentence" "$err" '[a-z]+ [a-z]+'
    is "$name-no-datum" "$out" ""
}

# finds NAME TRUTH ARGUMENT...
finds()
{
    local name=$1 truth=$2 key
    shift 2
    bed_probe "$@"
    is "$name-status" "$status" 0
    for key in kcr3 paging; do
        is "$name-$key" "$(bed_datum_element $key <<< "$out")" "$(bed_field $key <<< "$truth")"
    done
    is "$name-release" "$(bed_datum_attribute guest version <<< "$out")" "$(bed_field release <<< "$truth")"
    like "$name-kaslr" "$out" "\"?$(bed_field kaslr_offset <<< "$truth")\"?"
}

json_value() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)" 2> /dev/null; }

linux_ram()
{
    local truth low ram="$files/linux"
    bed_create linux "$@"
    bed_wait_up linux 60 || { not_ok linux-boot "the guest does not come up"; return; }
    truth=$(bed_truth linux)
    low=$(bed_field low <<< "$truth")
    bed_take linux "$ram"
    bed_destroy linux
    finds "linux-$low" "$truth" --ram "$ram" --low "$low"
    bed_probe --ram "$ram" --low "$low" --json
    is "linux-$low-json" "$(json_value '["kcr3"]' <<< "$out")" "$(bed_field kcr3 <<< "$truth")"
    cp --sparse=always "$ram" "$ram-blank"
    bed_blank "$ram-blank"
    bed_probe --ram "$ram-blank" --low "$low"
    is "linux-$low-blank-kcr3" "$(bed_datum_element kcr3 <<< "$out")" "$(bed_field kcr3 <<< "$truth")"
    is "linux-$low-blank-base" "$(bed_datum_attribute kernel base <<< "$out")" "$(bed_field text <<< "$truth")"
    like "linux-$low-blank-found" "$out" 'found="without-note"'
    split "$ram" "$truth"
    [ "$low" != "$(bed_field ram <<< "$truth")" ] || one_piece "$ram" "$truth"
}

# split RAM TRUTH: nobody says where RAM is split, or what is said is wrong; the kernel tells.
split()
{
    local ram=$1 truth=$2 low
    low=$(bed_field low <<< "$truth")
    finds "untold-$low" "$truth" --ram "$ram"
    is "untold-$low-low" "$(($(bed_datum_element low <<< "$out")))" "$((low))"
    is "untold-$low-layout" "$(bed_datum_attribute evidence layout <<< "$out")" proven
    for wrong in 128M 384M; do
        finds "wrong-$low" "$truth" --ram "$ram" --low $wrong
        is "wrong-$low-low" "$(($(bed_datum_element low <<< "$out")))" "$((low))"
        like "wrong-$low-told" "$err" "not 0x[0-9a-f]+ as --low says"
    done
}

# Without --low: one piece. Cut short of the page tables there is nothing to find any more.
one_piece()
{
    local ram=$1 truth=$2
    finds no-low "$truth" --ram "$ram"
    truncate -s $(($(bed_field kcr3 <<< "$truth"))) "$ram"
    refuses truncated 3 --ram "$ram"
}

firmware_ram()
{
    bed_create firmware boot=firmware memory=256
    sleep 3
    bed_take firmware "$files/firmware"
    bed_destroy firmware
    refuses firmware 3 --ram "$files/firmware"
}

not_ram()
{
    : > "$files/empty"
    head -c 16M /dev/urandom > "$files/random"
    head -c 100000 /dev/urandom > "$files/odd"
    truncate -s 1G "$files/zero"
    refuses missing 1 --ram "$files/nowhere"
    refuses empty 1 --ram "$files/empty"
    refuses directory 1 --ram "$files"
    refuses random 3 --ram "$files/random"
    refuses odd-size 1 --ram "$files/odd"
    refuses zero 3 --ram "$files/zero"
    refuses no-option 2
    refuses bad-low 2 --ram "$files/zero" --low rubbish
}

bed_start
files="$BED_DIR/home/files"
bed_as_user mkdir "$files"
linux_ram
linux_ram machine=pc memory=4096 cpu=qemu64
linux_ram memory=3072
linux_ram memory=6144
firmware_ram
not_ram
finish
