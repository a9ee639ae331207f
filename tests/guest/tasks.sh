#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Types, processes, modules and memory of a guest, as memctx reads them, are what the guest's own /proc and /sys say; of
# kernels of several releases and architectures. Those that cannot be had are skipped.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# What the guest said last, without what stands before each line
facts() { tr -d '\r' < "$(bed_console "$1")" | awk '/^MEMCTX facts begin/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }' | sed -n 's/^MEMCTX //p'; }

# Prints each difference between what the guest said and the answers of memctx. Workers of the kernel come and go, and
# /proc has more of the names of kernel threads than the 15 bytes that a task keeps.
compare()
{
    python3 - "$@" << 'END'
import json, re, sys
facts, ps, lsmod, stat = (open(name, errors="surrogateescape").read() for name in sys.argv[1:])
said = [line.partition("=")[::2] for line in facts.splitlines()]
names = dict(value.split(" ", 1) for key, value in said if key == "name" and " " in value)
wanted = {int(pid): (int(parent), int(uid), names.get(pid))
          for pid, parent, uid in (value.split() for key, value in said if key == "process")}
found = {p["pid"]: (p["ppid"], p["uid"], p["name"]) for p in json.loads(ps)["processes"]}
worker = re.compile("kworker/")
def same_name(said, listed):
    return said == listed or said is not None and (len(listed) == 15 or worker.match(listed)) and said.startswith(listed)
for pid in sorted(set(wanted) | set(found)):
    a, b = wanted.get(pid), found.get(pid)
    if (a is None or b is None) and worker.match((a or b)[2] or ""):
        continue
    if a is None or b is None or a[:2] != b[:2] or not same_name(a[2], b[2]):
        print("process", pid, "is", a, "and not", b)
modules = {}
for key, value in said:
    if key == "module":
        name, size, count, users = value.split()[:4]
        modules[name] = (int(size), None if count == "-" else int(count), [u for u in users.split(",") if u not in ("", "-")])
listed = {m["name"]: (m["size"], m.get("refcount"), m["used_by"]) for m in json.loads(lsmod)["modules"]} if lsmod else modules
if modules != listed:
    print("modules are", modules, "and not", listed)
stat = json.loads(stat)
memory = dict((key.rstrip(":"), int(value) * 1024) for key, value, *_ in
              (value.split() for key, value in said if key == "meminfo"))
for name, key in (("MemTotal", "mem_total"), ("MemFree", "mem_free"), ("MemAvailable", "mem_available"),
                  ("Cached", "cached"), ("Shmem", "shmem")):
    if abs(memory[name] - stat.get(key, -1)) > memory[name] / 100:
        print(name, "is", memory[name], "and not", stat.get(key))
END
}

# looks_right NAME: all of it, of a guest that stands still; SYMBOLS=no: its kernel names no data
looks_right()
{
    local name=$1 dir="$BED_DIR/log"
    facts "$name" > "$dir/facts"
    is "$name-btf" "$(bed_ctl export "$name" --format btf | md5sum | cut -d ' ' -f 1)" \
        "$(sed -n 's/^btf=//p' "$dir/facts")"
    bed_ctl ps "$name" --json > "$dir/ps"
    : > "$dir/lsmod"
    [ "$symbols" = no ] || bed_ctl lsmod "$name" --json > "$dir/lsmod"
    bed_ctl stat "$name" --json > "$dir/stat"
    is "$name-facts" "$(compare "$dir/facts" "$dir/ps" "$dir/lsmod" "$dir/stat")" ""
    is "$name-odd" "$(bed_ctl ps "$name" | grep -c 'a"b\\c\\x1b\[1m$')" 1
}

# kernel NAME KEY=VALUE...: boot it and ask
kernel()
{
    local name=$1
    shift
    bed_create "$name" "$@"
    bed_wait_up "$name" 180 || { not_ok "$name-up" "the guest does not come up"; return; }
    bed_wait_state "$name" ready 60 || { not_ok "$name-ready" "$(bed_state_line "$name")"; return; }
    bed_tell "$name" odd
    bed_ask "$name" facts 60 || { not_ok "$name-asked" "the guest does not answer"; return; }
    looks_right "$name"
    [ "$name" != linux ] || tables_of "$name"
    bed_destroy "$name"
}

# A table for Volatility is JSON, with what it looks for.
tables_of()
{
    is "$1-isf" "$(bed_ctl export "$1" --format isf | python3 -c '
import base64, json, sys
table = json.load(sys.stdin)
symbol = table["symbols"]["linux_banner"]
print(base64.b64decode(symbol["constant_data"]).decode().split()[2], table["symbols"]["init_task"]["type"]["name"],
      "pid" in table["user_types"]["task_struct"]["fields"])')" "$(bed_said "$1" | bed_field release) task_struct True"
}

of_release()
{
    local name=$1 release=$2 flavour=$3 kernel
    kernel=$(bed_kernel "$release/$flavour") || { skip "$name" "no such kernel can be had here"; return; }
    kernel "$name" kernel="$kernel"
}

symbols=yes
bed_start
bed_agent_start
initrd=$(bed_modules_initramfs) || initrd=$(bed_initramfs)
kernel linux initrd="$initrd"
of_release older bullseye 5.10-cloud-amd64
of_release newer "$(bed_release)" 6.12-cloud-amd64
symbols=no
if kernel=$(bed_kernel_arm64 cloud-arm64) && initrd=$(bed_initramfs_foreign arm64); then
    kernel arm64 arch=aarch64 machine=virt kernel="$kernel" initrd="$initrd"
else
    skip arm64 "no kernel or busybox for arm64 can be had here"
fi
finish
