# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What a guest says of itself (its command "facts") beside what memctx says of it; sourced by tests that compare them.

# Prints what the guest said last of itself, without what stands before each line.
facts_last() { tr -d '\r' < "$(bed_console "$1")" | awk '/^MEMCTX facts begin/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }' | sed -n 's/^MEMCTX //p'; }

facts_sum() { md5sum | cut -d ' ' -f 1; }

# facts_said NAME KEY: the last MEMCTX line with that key
facts_said() { tr -d '\r' < "$(bed_console "$1")" | sed -n "s/^MEMCTX $2=//p" | tail -n 1; }

# Prints each difference between what the guest said and the answers of memctx. Workers of the kernel come and go, and
# /proc has more of the names of kernel threads than the 15 bytes that a task keeps.
facts_compare()
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

# facts_are_right NAME SYMBOLS: a guest that stands still, and has said its facts, is what memctx says of it. SYMBOLS is
# "no" for a kernel that names no data.
facts_are_right()
{
    local name=$1 symbols=$2 dir="$BED_DIR/log"
    facts_last "$name" > "$dir/facts"
    is "$name-btf" "$(bed_ctl export "$name" --format btf | facts_sum)" "$(sed -n 's/^btf=//p' "$dir/facts")"
    bed_ctl ps "$name" --json > "$dir/ps"
    if [ "$symbols" = no ]; then
        : > "$dir/lsmod"
        like "$name-lsmod" "$(bed_ctl lsmod "$name" 2>&1)" 'CONFIG_KALLSYMS_ALL'
    else
        bed_ctl lsmod "$name" --json > "$dir/lsmod"
    fi
    bed_ctl stat "$name" --json > "$dir/stat"
    is "$name-facts" "$(facts_compare "$dir/facts" "$dir/ps" "$dir/lsmod" "$dir/stat")" ""
    is "$name-odd" "$(bed_ctl ps "$name" | grep -c 'a"b\\c\\x1b\[1m$')" 1
}
