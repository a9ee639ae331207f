#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Reading real guests through the agent: what is read is what the guest has, on both sides of 4 GiB, with and without
# a descriptor; over resets no byte of another kernel is taken for one of this.
#
#   MEMCTX_RESETS  how often (default 5)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# Programs that are built as others would, against the shared library
build_readers()
{
    local source
    cp "$(readlink -f "$BED_BUILD/.libs/libmemctx.so")" "$BED_DIR/bin/libmemctx.so.1"
    ln -s libmemctx.so.1 "$BED_DIR/bin/libmemctx.so"
    for source in "$BED_SRC/readloop.c" "$BED_TOP/examples/guest-info.c"; do
        gcc -O2 -o "$BED_DIR/bin/$(basename "$source" .c)" "$source" "-I$BED_TOP/src" "-L$BED_DIR/bin" -lmemctx \
            "-Wl,-rpath,$BED_DIR/bin"
    done
}

read_raw() { bed_ctl --physical --raw read "$1" "$2" 64K; }
page_of() { dd if="$(bed_ram_fd split)" bs=64K skip=$(($1 / 65536)) count=1 status=none; }

# same_bytes NAME GPA OFFSET: the guest runs, so that one try may see a change.
same_bytes()
{
    local _
    for _ in 1 2 3 4 5; do
        ! cmp -s <(read_raw split "$2") <(page_of "$3") || { ok "$1"; return; }
    done
    not_ok "$1" "memctx read and QEMU's memory differ at $2"
}

# The first GPA at or after 4 GiB where the guest has written, by its own map of the backing
first_above()
{
    python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
low = int(sys.argv[2], 0)
print(hex((os.lseek(fd, low, os.SEEK_DATA) & ~0xffff) - low + (1 << 32)))' "$(bed_ram_fd split)" "$1"
}

check_reads()
{
    local release low gpa
    release=$(bed_said split | bed_field release)
    low=$(bed_datum split | bed_datum_element low)
    is guest-info "$(bed_as_user "$BED_DIR/bin/guest-info" split 2>&1)" "Linux $release"
    same_bytes below-4g 0x100000 0x100000
    gpa=$(first_above "$low")
    same_bytes above-4g "$gpa" $((gpa - 0x100000000 + low))
    like above-4g-data "$(read_raw split "$gpa" | tr -d '\0' | wc -c)" '^[1-9]'
    like base-dump "$(bed_ctl read split "$(bed_ctl show split | bed_datum_attribute kernel base)" 16)" '^ffffffff[0-9a-f]{8}  '
    # shellcheck disable=SC2016 # for the shell inside
    is exec-page "$(bed_ctl exec split -- sh -c 'dd bs=64K skip=16 count=1 status=none <&$MEMCTX_FD | wc -c; echo $MEMCTX_KCR3' | tr '\n' ' ')" \
        "65536 $(bed_root split) "
}

# Each reset is followed until the loop has gone over to the next kernel.
check_resets()
{
    local n said resets=${MEMCTX_RESETS:-5}
    mkfifo "$BED_DIR/home/input"
    exec 9<> "$BED_DIR/home/input"
    bed_as_user "$BED_DIR/bin/readloop" split < "$BED_DIR/home/input" > "$BED_DIR/log/loop" 2>&1 9>&- &
    for ((n = 1; n <= resets + 1; n++)); do
        if ! bed_until 60 grep -qx "generation $n" "$BED_DIR/log/loop"; then
            not_ok "reset-$n" "the reader does not come to generation $n: $(bed_state_line split)"
            break
        fi
        ok "generation-$n"
        [ "$n" -gt "$resets" ] || { sleep 0.3; bed_virsh reset split > /dev/null; }
    done
    echo end >&9
    wait $! || true
    exec 9>&-
    said=$(tail -n 1 "$BED_DIR/log/loop")
    diag "$said"
    like never-mixed "$said" ' wrong=0$'
    like read-between "$said" '^good=[1-9]'
    [ "$(grep -oE 'stale=[0-9]+' <<< "$said" | cut -d = -f 2)" -ge "$resets" ] && ok stale-seen ||
        not_ok stale-seen "$said"
}

bed_start
build_readers
bed_agent_start
bed_create split memory=3072
bed_create anon backing=anon memory=512
bed_ctl wait split --timeout 60 > /dev/null
bed_wait_up split 60
check_reads
bed_ctl wait anon --timeout 60 > /dev/null
bed_wait_up anon 60
# shellcheck disable=SC2016 # for the shell inside
is anon-no-descriptor "$(bed_ctl exec anon -- sh -c 'echo "${MEMCTX_FD-none} $MEMCTX_FDS"')" "none -"
is anon-guest-info "$(bed_as_user "$BED_DIR/bin/guest-info" anon 2>&1)" "Linux $(bed_said anon | bed_field release)"
bed_destroy anon
check_resets
finish
