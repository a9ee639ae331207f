#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# All that memctx says of a Linux guest is what the guest says: log and symbols, types, processes, modules and memory, of
# kernels that differ in age, architecture, paging and configuration; while the guest forks without end, and while its
# log overtakes whoever reads it. Kernels that cannot be had are skipped.
#
#   MEMCTX_KERNELS=all  each kernel there is, and a log that goes round a hundred times; else some of them
# LONG
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"
# shellcheck source=tests/bed/facts.sh
. "$BED_SRC/facts.sh"

# boot NAME KEY=VALUE...: 1 when it does not come up
boot()
{
    bed_create "$@"
    bed_wait_up "$1" 180 || { not_ok "$1-up" "the guest does not come up"; return 1; }
    bed_wait_state "$1" ready 60 || { not_ok "$1-ready" "$(bed_state_line "$1")"; return 1; }
}

# texts_are_right NAME: its log and symbols
texts_are_right()
{
    bed_ask "$1" explain 120 || { not_ok "$1-explained" "the guest does not answer"; return; }
    is "$1-log" "$(bed_ctl dmesg "$1" --raw | facts_sum)" "$(facts_said "$1" log)"
    is "$1-symbols" "$(bed_ctl symbols "$1" | grep -v '\[' | facts_sum)" "$(facts_said "$1" symbols)"
}

# kernel NAME KEY=VALUE...: boot it and ask; SYMBOLS=no: it names no data
kernel()
{
    local name=$1
    boot "$@" || { bed_destroy "$name"; return 0; }
    bed_tell "$name" odd
    if bed_ask "$name" facts 60; then facts_are_right "$name" "$symbols"; else not_ok "$name-asked" "the guest does not answer"; fi
    [ "$all" = no ] || texts_are_right "$name"
    bed_destroy "$name"
}

# flavour NAME RELEASE/FLAVOUR KEY=VALUE...: the same of a kernel that may not be there
flavour()
{
    local path
    path=$(bed_kernel "$2") || { skip "$1" "no such kernel can be had here"; return; }
    kernel "$1" kernel="$path" "${@:3}"
}

# untyped NAME RELEASE/FLAVOUR KEY=VALUE...: a kernel without types is told so by name, and what needs none is there.
untyped()
{
    local path initrd name=$1
    if ! path=$(bed_kernel "$2") || ! initrd=$(bed_initramfs_foreign i386); then
        skip "$name" "no such kernel can be had here"
        return
    fi
    boot "$name" kernel="$path" initrd="$initrd" "${@:3}" || { bed_destroy "$name"; return 0; }
    for command in ps lsmod; do
        like "$name-$command" "$(bed_ctl $command "$name" 2>&1 || echo "ends with $?")" 'CONFIG_(DEBUG_INFO_BTF|KALLSYMS_ALL)'
    done
    like "$name-stat" "$(bed_ctl stat "$name" 2> "$BED_DIR/log/warnings")" 'Hostname|Kernel'
    like "$name-warned" "$(cat "$BED_DIR/log/warnings")" 'warning: .*CONFIG_DEBUG_INFO_BTF'
    [ "$all" = no ] || texts_are_right "$name"
    bed_destroy "$name"
}

# What of the lists of processes (a file each) is wrong: every process that lived all the time is in each of them, no pid
# is there twice, and a list that is not whole says so.
check_lists()
{
    python3 - "$@" << 'END'
import json, sys
lists = [json.load(open(name)) for name in sys.argv[1:]]
names = [{p["pid"]: p["name"] for p in one["processes"]} for one in lists]
lived = set(names[0].items()) & set(names[-1].items())
for one, named in zip(lists, names):
    if len(named) != len(one["processes"]):
        print("a pid twice")
    if one["complete"] and not lived <= set(named.items()):
        print("missing", lived - set(named.items()))
whole = sum(one["complete"] for one in lists)
print("whole", "most" if 2 * whole >= len(lists) else whole, "of them grown", max(map(len, names)) > len(names[0]) + 8)
END
}

# ps while processes come and go; it ends with 1 where the list broke off.
a_bomb()
{
    local n lists=()
    boot bomb memory=512 vcpus=4 || { bed_destroy bomb; return 0; }
    bed_ctl ps bomb --json > "$BED_DIR/log/list.0"
    lists=("$BED_DIR/log/list.0")
    bed_tell bomb bomb
    for ((n = 1; n <= 20; n++)); do
        bed_ctl ps bomb --json > "$BED_DIR/log/list.$n" 2> "$BED_DIR/log/warnings" ||
            like "bomb-$n" "$(cat "$BED_DIR/log/warnings")" 'broke off'
        lists+=("$BED_DIR/log/list.$n")
    done
    bed_until 120 grep -q '^MEMCTX bomb end' "$(bed_console bomb)" || not_ok bomb-end "the guest does not end its bomb"
    bed_ctl ps bomb --json > "$BED_DIR/log/list.last"
    lists+=("$BED_DIR/log/list.last")
    is bomb-lists "$(check_lists "${lists[@]}")" "whole most of them grown True"
    bed_destroy bomb
}

# What "dmesg --follow --json" printed: each line is one that the guest wrote, whole and in order, and gaps are told.
check_torrent()
{
    python3 -c '
import json, re, sys
last, seen, lost, wrong = None, 0, 0, []
for line in sys.stdin:
    record = json.loads(line)
    lost += record.get("lost", 0)
    found = re.fullmatch(r"torrent (\d+) (x{800}) (\d+)", record["text"])
    if found is None and record["text"].startswith("torrent") or found and found[1] != found[3]:
        wrong.append(record["text"][:40])
    if last is not None and record["seq"] != last[0] + 1 + record.get("lost", 0):
        wrong.append("gap before %d" % record["seq"])
    number = int(found[1]) if found else None
    if None not in (number, last and last[1]) and number - last[1] != record["seq"] - last[0]:
        wrong.append("order at %d" % number)
    seen += found is not None
    last = (record["seq"], number)
print(wrong[:5], seen > 100, seen + lost >= int(sys.argv[1]))' "$1"
}

# 128 KiB of log hold some 150 lines of this kind.
a_torrent()
{
    local follower lines=15000
    boot torrent memory=512 append=printk.devkmsg=on || { bed_destroy torrent; return 0; }
    "${BED_AS_USER[@]}" "$BED_DIR/bin/memctx" dmesg torrent --follow --json > "$BED_DIR/log/follow" 2> "$BED_DIR/log/warnings" &
    follower=$!
    bed_ask torrent torrent 300 || not_ok torrent-end "the guest does not end it"
    sleep 1
    kill "$follower"
    wait "$follower" || true
    is torrent "$(check_torrent $lines < "$BED_DIR/log/follow")" "[] True True"
    bed_destroy torrent
}

# Tools of others read what is exported.
tools()
{
    local file="$BED_DIR/home/tools.btf"
    boot tools memory=512 || { bed_destroy tools; return 0; }
    bed_ctl export tools --format btf > "$file"
    for tool in bpftool pahole; do
        command -v $tool > /dev/null || { skip "$tool" "it is not installed"; continue; }
        case $tool in
            bpftool) like bpftool "$(bpftool btf dump file "$file" format c 2>&1 | grep -A 400 '^struct task_struct {')" 'pid_t pid;' ;;
            pahole) like pahole "$(pahole -C list_head "$file" 2>&1)" 'struct list_head \*' ;;
        esac
    done
    bed_destroy tools
}

all=no symbols=yes
[ "${MEMCTX_KERNELS:-}" != all ] || all=yes
release=$(bed_release)
bed_start
bed_agent_start
kernel high memory=6144 vcpus=4 cells=2 backing=anon
flavour newest sid/cloud-amd64
untyped 686-pae "$release/rt-686-pae"
a_bomb
tools
if [ $all = yes ]; then
    flavour 5.10 bullseye/5.10-cloud-amd64
    flavour 6.1-rt "$release/6.1-rt-amd64"
    flavour 6.12 "$release/6.12-cloud-amd64"
    flavour 6.12-rt "$release/6.12-rt-amd64"
    flavour newest-rt sid/rt-amd64
    flavour 6.1 "$release/6.1-amd64"
    untyped 686 "$release/686"
    symbols=no
    initrd=$(bed_initramfs_foreign arm64) &&
        flavour arm64 "$release/6.1-cloud-arm64" arch=aarch64 machine=virt initrd="$initrd"
    a_torrent
fi
finish
