#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A guest explains itself: what memctx says of its log and symbols is what the guest says, by the md5 that it prints;
# while it floods its log, and after it has panicked. Kernels of several releases and architectures; those that cannot
# be had are skipped.
# LONG
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

said_last() { tr -d '\r' < "$(bed_console "$1")" | sed -n "s/^MEMCTX $2=//p" | tail -n 1; }
sum() { md5sum | cut -d ' ' -f 1; }

# Of /proc/kallsyms, what is the kernel's own; and what is of modules, in any order and without the type letter, which
# the kernel makes upper case for symbols that it exports.
own() { grep -v '\[' || true; }
of_modules() { sed -n 's/^\([0-9a-f]* \).\( .*\[.*\)/\1\2/p' | LC_ALL=C sort; }

# What a domain says of itself, by its own md5
explains()
{
    local name=$1
    bed_ask "$name" explain 60 || { not_ok "$name-asked" "the guest does not answer"; return; }
    # It may have logged a line since.
    [ "$(bed_ctl dmesg "$name" --raw | sum)" = "$(said_last "$name" log)" ] || bed_ask "$name" explain 60 || true
    is "$name-log" "$(bed_ctl dmesg "$name" --raw | sum)" "$(said_last "$name" log)"
    is "$name-symbols" "$(bed_ctl symbols "$name" | own | sum)" "$(said_last "$name" symbols)"
    # Once more, from what was kept of it: a file that is this user's alone.
    is "$name-again" "$(bed_ctl symbols "$name" | own | sum)" "$(said_last "$name" symbols)"
    is "$name-kept" "$(find "$BED_DIR" -name "$(bed_uuid "$name").symbols*" -printf '%m ')" "600 "
    # A function that all of them have; what stands there is code, whichever.
    is "$name-read" "$(bed_ctl read "$name" do_exit+4 16 | tail -n +2)" \
        "$(bed_ctl read "$name" "0x$(bed_ctl symbols "$name" | sed -n 's/ T do_exit$//p' |
            python3 -c 'print("%x" % (int(input(), 16) + 4))')" 16)"
    is "$name-plain" "$(bed_ctl dmesg "$name" | sum)" \
        "$(bed_ctl dmesg "$name" --raw | sed -E "s,^<[0-9]+>,," | sum)"
    is "$name-json" "$(bed_ctl dmesg "$name" --json |
        python3 -c 'import json, sys
for r in json.load(sys.stdin)["records"]:
    for line in r["text"].split("\n"):
        print("[%5d.%06d] %s" % (r["time_ns"] // 10**9, r["time_ns"] % 10**9 // 1000, line))' | sum)" \
        "$(bed_ctl dmesg "$name" | sum)"
}

# kernel NAME OPTION...: boot it and ask
kernel()
{
    local name=$1
    shift
    bed_create "$name" "$@"
    bed_wait_up "$name" 120 || { not_ok "$name-up" "the guest does not come up"; return; }
    bed_wait_state "$name" ready 60 || { not_ok "$name-ready" "$(bed_state_line "$name")"; return; }
    explains "$name"
    bed_destroy "$name"
}

# Reads what "dmesg --follow --json" prints: numbers grow, gaps are told, and each line of the flood has the number that
# its place in the log gives it.
check_flood()
{
    python3 -c '
import json, re, sys
last = None  # (seq, number of the line)
flood = lost = wrong = 0
for line in sys.stdin:
    record = json.loads(line)
    told = record.get("lost", 0)
    if last is not None and record["seq"] != last[0] + 1 + told:
        wrong += 1
    lost += told
    found = re.fullmatch(r"flood line (\d+) of a guest that has much to say", record["text"])
    if record["text"].startswith("flood") and not found:
        wrong += 1
    number = int(found.group(1)) if found else None
    if number is not None and last is not None and last[1] is not None and number - last[1] != record["seq"] - last[0]:
        wrong += 1
    flood += found is not None
    last = (record["seq"], number)
print("wrong=%d" % wrong, "lines=%d" % flood, "whole=%d" % (flood + lost >= 20000), "end=%s" % (last and last[1]))'
}

some_modules()
{
    local initramfs
    initramfs=$(bed_modules_initramfs) || { skip modules "the kernel's package cannot be had"; return; }
    bed_create modules memory=512 initrd="$initramfs"
    bed_wait_up modules 60 || { not_ok modules-up "the guest does not come up"; return; }
    bed_wait_state modules ready 60 || { not_ok modules-ready "$(bed_state_line modules)"; return; }
    explains modules
    is modules-count "$(($(bed_ctl symbols modules | of_modules | wc -l) > 1000))" 1
    is modules-symbols "$(bed_ctl symbols modules | of_modules | sum)" "$(said_last modules modules)"
    bed_destroy modules
}

a_flood()
{
    local follower said
    bed_create flood memory=512 append=printk.devkmsg=on
    bed_wait_up flood 60 || { not_ok flood-up "the guest does not come up"; return; }
    bed_wait_state flood ready 60 || { not_ok flood-ready "$(bed_state_line flood)"; return; }
    "${BED_AS_USER[@]}" "$BED_DIR/bin/memctx" dmesg flood --follow --json > "$BED_DIR/log/follow" &
    follower=$!
    bed_ask flood flood 120 || not_ok flood-done "the guest does not end its flood"
    sleep 1
    kill "$follower"
    wait "$follower" || true
    said=$(check_flood < "$BED_DIR/log/follow")
    like flood "$said" '^wrong=0 lines=[0-9]{4,} whole=1 end=19999$'
    # While nothing is written, all that the ring holds is there at once.
    bed_ask flood explain 60 || not_ok flood-asked "the guest does not answer"
    is flood-raw "$(bed_ctl dmesg flood --raw | tail -n 1000 | sum)" "$(said_last flood logtail)"
    bed_destroy flood
}

# The kernel has said its last words; its RAM is kept.
a_panic()
{
    local low said follower
    # The bed's guests restart after a panic; this one stays.
    bed_create panic memory=3072 append=panic=0
    bed_wait_up panic 60 || { not_ok panic-up "the guest does not come up"; return; }
    low=$(bed_field low <<< "$(bed_truth panic)")
    bed_ask panic explain 60 || not_ok panic-asked "the guest does not answer"
    bed_wait_state panic ready 60 || not_ok panic-ready "$(bed_state_line panic)"
    "${BED_AS_USER[@]}" "$BED_DIR/bin/memctx" dmesg panic --follow > "$BED_DIR/log/follow" 2> "$BED_DIR/log/follow-error" &
    follower=$!
    bed_tell panic panic
    bed_until 30 grep -q 'end Kernel panic' "$(bed_console panic)" || not_ok panic-said "the guest does not panic"
    # Who follows the log hears them; then, sooner or later, that the kernel runs no more.
    bed_until 10 grep -q 'end Kernel panic' "$BED_DIR/log/follow" || not_ok panic-followed "the last words are missing"
    kill "$follower" 2> /dev/null || true
    wait "$follower" || true
    bed_take panic "$BED_DIR/home/panic"
    bed_destroy panic
    said=$(bed_ctl dmesg --ram "$BED_DIR/home/panic" --low "$low")
    like panic-last "$(tail -n 1 <<< "$said")" 'end Kernel panic - not syncing'
    like panic-first "$(head -n 1 <<< "$said")" '^\[    0\.000000\] Linux version'
    is panic-trace "$(grep -c 'Call Trace' <<< "$said")" 1
    is panic-level "$(bed_ctl dmesg --ram "$BED_DIR/home/panic" --low "$low" --level emerg,alert | grep -c 'Linux version')" 0
    rm "$BED_DIR/home/panic"
}

# flavour NAME RELEASE/FLAVOUR OPTION...: as kernel, if that one can be had
flavour()
{
    local name=$1 path
    if ! path=$(bed_kernel "$2"); then
        skip "$name" "no such kernel can be had here"
        return
    fi
    kernel "$name" kernel="$path" "${@:3}"
}

# foreign NAME ARCH RELEASE/FLAVOUR OPTION...: the same for another architecture
foreign()
{
    local initramfs
    if ! initramfs=$(bed_initramfs_foreign "$2"); then
        skip "$1" "no busybox for $2 can be had here"
        return
    fi
    flavour "$1" "$3" initrd="$initramfs" memory=512 "${@:4}"
}

bed_start
bed_agent_start
release=$(bed_release)
kernel default memory=512
kernel high memory=6144 vcpus=4 cells=2 backing=anon
flavour 5.10 bullseye/5.10-cloud-amd64 memory=512
flavour 6.12 "$release/6.12-cloud-amd64" memory=512
flavour newest sid/cloud-amd64 memory=512
foreign 686 i386 "$release/686"
foreign 686-pae i386 "$release/rt-686-pae"
foreign arm64 arm64 "$release/6.1-cloud-arm64" arch=aarch64 machine=virt cpu=max
some_modules
a_flood
a_panic
finish
