#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Tools that people use read a live guest through what memctx gives: drgn, crash, gdb, makedumpfile and libkdumpfile, from
# a core in a file, from one that is mounted, and by memctx run; drgn's way of reading below memctx exec; and gdb while
# the guest runs on. The guest's memory goes on above 4 GiB, and its kernel uses it, with 5 levels; a second one has 4.
# What is not installed, or cannot be had, is skipped.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# memctx as the caller, who may mount; an agent answers root as well as its own user.
ctl() { XDG_RUNTIME_DIR="$BED_DIR/run" "$BED_DIR/bin/memctx" -c "$BED_URI" "$@"; }

# guest_says COMMAND PREFIX: what the guest answers, a line each, without the prefix
guest_says()
{
    bed_ask live "$1" 60 || bed_die "the guest does not tell its $1"
    tr -d '\r' < "$(bed_console live)" | awk -v begin="MEMCTX $1 begin" -v end="MEMCTX $1 end" -v prefix="MEMCTX $2=" '
        $0 == begin { text = "" }
        $0 == end { whole = text }
        index($0, prefix) == 1 { text = text substr($0, length(prefix) + 1) "\n" }
        END { printf "%s", whole }'
}

# Kernel threads have long names in /proc only, and workers one that says what they did last.
tasks_alike() { sed -E 's/^([0-9]+ .{1,15}).*/\1/; s/(kworker\/[^-+]*)[-+].*/\1/' | sort -n; }
messages_alike() { sed -E 's/[ \t]+$//' | grep -E '^\[ *[0-9]+\.[0-9]+\]'; }

# same NAME GOT WANTED: texts of many lines
same()
{
    if [ -n "$3" ] && [ "$2" = "$3" ]; then
        ok "$1 ($(wc -l <<< "$3") lines)"
    else
        not_ok "$1" "$(diff <(echo "$2") <(echo "$3") | head -n 5 | tr '\n' ' ')"
    fi
}

drgn_tasks()
{
    cat > "$BED_DIR/home/tasks.py" <<'END'
from drgn.helpers.linux.pid import for_each_task
for task in for_each_task(prog):
    print(task.pid.value_(), task.comm.string_().decode())
END
    timeout 60 drgn -q -c "$1" --no-default-symbols -s "$vmlinux" "$BED_DIR/home/tasks.py" 2> "$BED_DIR/log/drgn"
}

drgn_reads()
{
    command -v drgn > /dev/null || { skip "drgn-$1" "no drgn: run tests/bed/install.sh"; return; }
    local got
    got=$(drgn_tasks "$2" | tasks_alike)
    # The kernel starts and ends workers: if it did so since it was asked, ask again.
    [ "$got" = "$(tasks_alike <<< "$tasks")" ] || tasks=$(guest_says tasks task)
    same "drgn-tasks-$1" "$got" "$(tasks_alike <<< "$tasks")"
}

crash_reads()
{
    command -v crash > /dev/null || { skip "crash-$1" "no crash: run tests/bed/install.sh"; return; }
    local got told
    printf 'log\nquit\n' > "$BED_DIR/home/crash.in"
    got=$(timeout 120 crash -s -i "$BED_DIR/home/crash.in" "$vmlinux" "$2" 2> "$BED_DIR/log/crash" | messages_alike)
    told=$(messages_alike <<< "$messages")
    # What the kernel has said since then stands behind.
    same "crash-log-$1" "$(head -n "$(wc -l <<< "$told")" <<< "$got")" "$told"
}

kdumpfile_reads()
{
    /usr/bin/python3 -c 'import kdumpfile' 2> /dev/null || { skip kdumpfile "no python3-libkdumpfile"; return; }
    is kdumpfile "$(/usr/bin/python3 -c '
import sys, kdumpfile
core = kdumpfile.kdumpfile(sys.argv[1])
print(core.attr["file.format"], core.attr["arch.name"], core.attr["linux.uts.release"])' "$1" 2>&1)" \
        "elf x86_64 $(bed_field release <<< "$truth")"
}

# tools_read NAME CORE TOOL...
tools_read()
{
    local name=$1 core=$2 tool
    shift 2
    for tool in "$@"; do
        if [ -n "$vmlinux" ]; then "${tool}_reads" "$name" "$core"; else skip "$tool-$name" "no package with its vmlinux"; fi
    done
}

a_core_in_a_file()
{
    local core="$BED_DIR/home/live.core" before
    before=$(stat -L -c %b "$(bed_ram_fd live)")
    ctl core live --output "$core" > "$BED_DIR/log/core"
    like core-says-kernel "$(sed -n 1p "$BED_DIR/log/core")" \
        "live.core: core of Linux $(bed_field release <<< "$truth"), build ID [0-9a-f]+, $(bed_field paging <<< "$truth")\$"
    like core-says-size "$(sed -n 2p "$BED_DIR/log/core")" '^5120 MiB of RAM in [0-9]+ pieces, [0-9]+ MiB of it written'
    like core-says-readers "$(sed -n 3p "$BED_DIR/log/core")" '^read by: drgn, crash, gdb, makedumpfile$'
    kdumpfile_reads "$core"
    is core-mode "$(stat -c %a "$core")" 600
    is core-holes "$(($(stat -c %b "$core") <= before + 4096))" 1
    is core-ram-holes "$(($(stat -L -c %b "$(bed_ram_fd live)") <= before + 4096))" 1
    is core-alone "$(find "$BED_DIR/home" -name 'live.core*' | wc -l)" 1
    tools_read file "$core" drgn crash
    rm "$core"
}

# An output that cannot be finished leaves nothing, and what was there before.
a_core_that_fails()
{
    local status=0
    echo old > "$BED_DIR/home/old.core"
    (ulimit -f 1024; trap '' XFSZ; ctl core live -o "$BED_DIR/home/old.core") 2> "$BED_DIR/log/core" || status=$?
    is failed-core-status "$status" 1
    like failed-core-sentence "$(< "$BED_DIR/log/core")" 'cannot write to .*: [A-Za-z]+'
    is failed-core-old "$(cat "$BED_DIR/home/old.core")" old
    is failed-core-alone "$(find "$BED_DIR/home" -name 'old.core*' | wc -l)" 1
}

# mount_core DIR: sets $mounter; 1 when that does not work. Not by ctl: $! must be memctx itself, to be ended whatever
# happens.
mount_core()
{
    mkdir "$1"
    XDG_RUNTIME_DIR="$BED_DIR/run" "$BED_DIR/bin/memctx" -c "$BED_URI" core live --mount "$1" 2> "$BED_DIR/log/mount" &
    mounter=$!
    bed_until 60 test -f "$1/core" || { kill "$mounter" 2> /dev/null || true; return 1; }
}

a_mount_that_is_interrupted()
{
    local dir="$BED_DIR/interrupted"
    mount_core "$dir" || return 0
    kill -TERM "$mounter"
    bed_until 60 bed_gone "$mounter" && ok interrupted-ends || not_ok interrupted-ends "it stays after SIGTERM"
    is interrupted-gone "$(ls -A "$dir")" ""
}

a_core_that_is_mounted()
{
    local dir="$BED_DIR/mnt"
    mount_core "$dir" || { skip mount "FUSE does not work here: $(tr '\n' ' ' < "$BED_DIR/log/mount")"; return; }
    tools_read mount "$dir/core" drgn
    is mount-read-only "$({ true >> "$dir/core"; } 2> /dev/null && echo written)" ""
    bed_tell live reboot
    bed_until 60 mount_is_stale "$dir/core" && ok mount-stale || not_ok mount-stale "reads go on after a reboot"
    bed_destroy live
    bed_until 60 bed_gone "$mounter" && ok mount-ends || not_ok mount-ends "it stays when the domain has left"
    is mount-gone "$(ls -A "$dir")" ""
}

mount_is_stale() { ! dd if="$1" of=/dev/null bs=4096 skip=2 count=1 iflag=nocache; }

# gdb_live COMMAND...: what gdb prints in a session with the guest
gdb_live()
{
    local each=() command
    for command in "$@"; do each+=(-ex "$command"); done
    timeout 120 gdb -nx -batch -ex 'set pagination off' -ex "target remote | env XDG_RUNTIME_DIR=$BED_DIR/run \
        $BED_DIR/bin/memctx -c $BED_URI gdb live" "${each[@]}" "$elf" 2>&1
}

a_debugger()
{
    command -v gdb > /dev/null || { skip gdb "no gdb: run tests/bed/install.sh"; return; }
    local got
    mkdir "$BED_DIR/home/path"
    printf '#!/bin/sh\nXDG_RUNTIME_DIR=%s exec %s "$@"\n' "$BED_DIR/run" "$BED_DIR/bin/memctx" > "$BED_DIR/home/path/memctx"
    chmod 755 "$BED_DIR/home/path/memctx"
    PATH="$BED_DIR/home/path:$PATH" "$BED_TOP/examples/gdb-kernel.sh" live "$elf" -c "$BED_URI"
    got=$(gdb_live 'x/s &linux_banner' 'p ((struct task_struct *)&init_task)->comm' \
        'printf "before %lu\n", *(unsigned long *)&jiffies_64' 'shell sleep 2' 'maintenance flush dcache' \
        'printf "after %lu\n", *(unsigned long *)&jiffies_64' 'set var *(int *)&init_task = 1' \
        'p ((struct task_struct *)&init_task)->comm' 'break *0xffffffff81000000' 'continue' 'p $pc')
    like gdb-banner "$got" "\"Linux version $(bed_field release <<< "$truth") "
    like gdb-type "$got" '= "swapper/0'
    is gdb-runs-on "$(($(sed -n 's/^after //p' <<< "$got") - $(sed -n 's/^before //p' <<< "$got") >= 100))" 1
    like gdb-read-only "$got" 'memctx: nothing is written'
    is gdb-goes-on "$(grep -c '= "swapper/0' <<< "$got")" 2
    like gdb-no-break "$got" 'memctx: (no breakpoints|the guest runs all the time)'
    is gdb-guest-runs "$(bed_virsh domstate live)" running
    diag "$(tail -n 4 <<< "$got" | tr '\n' ' ')"
}

# A session that lasts until the guest has rebooted
debugger_begins()
{
    command -v gdb > /dev/null || return 0
    gdb_live 'x/s &linux_banner' "shell touch $BED_DIR/home/begun; until [ -e $BED_DIR/home/end ]; do sleep 0.1; done" \
        'maintenance flush dcache' 'x/s &linux_banner' > "$BED_DIR/log/gdb" &
    debugger=$!
    bed_until 60 test -e "$BED_DIR/home/begun" || not_ok gdb-session "$(tail -n 2 "$BED_DIR/log/gdb")"
}

debugger_ends()
{
    command -v gdb > /dev/null || return 0
    touch "$BED_DIR/home/end"
    wait "$debugger" || true
    is gdb-read-once "$(grep -c '"Linux version ' "$BED_DIR/log/gdb")" 1
    like gdb-ends "$(< "$BED_DIR/log/gdb")" 'memctx: this session is over: '
}

# The script of export below exec, with a module in drgn's place that reads VMCOREINFO where the datum says it is.
drgn_below_exec()
{
    mkdir -p "$BED_DIR/home/fake"
    cat > "$BED_DIR/home/fake/drgn.py" <<'END'
class Architecture:
    X86_64 = 1
class FaultError(Exception):
    pass
def Platform(architecture):
    return architecture
def set_default_prog(prog):
    pass
class Program:
    def __init__(self, platform):
        self.segments = []
    def add_memory_segment(self, address, size, read, physical):
        assert physical
        self.segments.append((address, size, read))
    def set_linux_kernel_custom(self, vmcoreinfo, is_live):
        self.vmcoreinfo, self.is_live = vmcoreinfo, is_live
    def load_debug_info(self, paths):
        assert paths == ["vmlinux"]
    def read(self, address, count):
        for start, size, read in self.segments:
            if start <= address < start + size:
                return read(address, count, address - start, True)
END
    cat > "$BED_DIR/home/note.py" <<'END'
import json, os
gpa = int(json.loads(os.environ["MEMCTX_JSON"])["linux"]["vmcoreinfo"]["gpa"], 16)
print(prog.is_live, gpa >= 1 << 32, prog.vmcoreinfo in prog.read(gpa, 8192))
END
    ctl export live --format drgn > "$BED_DIR/home/live.py"
    is drgn-exec "$(PYTHONPATH="$BED_DIR/home/fake" ctl exec live -- \
        python3 "$BED_DIR/home/live.py" -s vmlinux "$BED_DIR/home/note.py" 2>&1)" "True True True"
    is drgn-elsewhere "$(PYTHONPATH="$BED_DIR/home/fake" python3 "$BED_DIR/home/live.py" x 2>&1)" \
        "error: run this below memctx exec DOMAIN --"
}

exports()
{
    local status=0
    is export-shell "$(eval "$(ctl export live --format shell)"; echo "$MEMCTX_KCR3 $MEMCTX_PAGING")" \
        "$(bed_field kcr3 <<< "$truth") $(bed_field paging <<< "$truth")"
    is export-vmcoreinfo "$(ctl export live --format vmcoreinfo | head -n 1)" "OSRELEASE=$(bed_field release <<< "$truth")"
    like export-paths "$(ctl exec live -- "$BED_DIR/bin/memctx" -c "$BED_URI" --runtime-dir "$BED_DIR/run/memctxd" \
        export live --format drgn | grep /proc)" '/proc/self/fd/[0-9]+'
    ctl export live --format crash 2> "$BED_DIR/log/export" || status=$?
    is export-refused "$status" 1
    like export-no-path "$(< "$BED_DIR/log/export")" 'memctx core'
}

# run TOOL ARGUMENT...: on the guest $on; what is made for the tool goes below home
on=live
run() { TMPDIR="$BED_DIR/home" ctl run "$1" "$on" "${@:2}"; }
left_behind() { find "$BED_DIR/home" -maxdepth 1 -name 'memctx.*'; }

run_drgn()
{
    [ -n "$vmlinux" ] && command -v drgn > /dev/null || { skip run-drgn "no drgn, or no vmlinux"; return; }
    local got
    got=$(run drgn -q --no-default-symbols -s "$vmlinux" "$BED_DIR/home/tasks.py" 2> "$BED_DIR/log/drgn" | tasks_alike)
    [ "$got" = "$(tasks_alike <<< "$tasks")" ] || tasks=$(guest_says tasks task)
    same run-drgn "$got" "$(tasks_alike <<< "$tasks")"
}

# The split cuts its file, so that any version gets a core.
run_crash()
{
    [ -n "$vmlinux" ] && command -v crash > /dev/null || { skip run-crash "no crash, or no vmlinux"; return; }
    local got told
    got=$(run crash -s -i "$BED_DIR/home/crash.in" "$vmlinux" 2> "$BED_DIR/log/crash" | messages_alike)
    told=$(messages_alike <<< "$messages")
    same run-crash "$(head -n "$(wc -l <<< "$told")" <<< "$got")" "$told"
}

# Variables behind the root table, to the last page of .bss, are the guest's; symbols are where KASLR has moved them.
run_gdb()
{
    command -v gdb > /dev/null || { skip run-gdb "no gdb: run tests/bed/install.sh"; return; }
    local symbols uts last
    symbols=$(ctl symbols live)
    uts=$(awk '$3 == "init_uts_ns" { print $1 }' <<< "$symbols")
    last=$(awk '$3 == "__bss_stop" { print $1 }' <<< "$symbols")
    like run-gdb-data "$(run gdb -q -batch -ex "find /b 0x$uts, +512, 'L','i','n','u','x'" 2>&1)" '1 pattern found'
    like run-gdb-bss "$(run gdb -q -batch -ex "x/1xb 0x$last - 1" 2>&1 | tail -n 1)" '^0x[0-9a-f]+:.0x[0-9a-f]{2}$'
    [ -n "$vmlinux" ] || { skip run-gdb-symbols "no package with its vmlinux"; return; }
    like run-gdb-symbols "$(run gdb "$vmlinux" -q -batch -ex 'p/x &init_uts_ns' 2>&1 | tail -n 1)" "= 0x$uts\$"
}

# Its two gifts: the log without symbols, and a dump without most pages.
run_makedumpfile()
{
    command -v makedumpfile > /dev/null || { skip run-makedumpfile "no makedumpfile: run tests/bed/install.sh"; return; }
    local told
    told=$(messages_alike <<< "$messages")
    run makedumpfile --dump-dmesg -f "$BED_DIR/home/dmesg" > "$BED_DIR/log/makedumpfile" 2>&1
    same run-makedumpfile-log "$(messages_alike < "$BED_DIR/home/dmesg" | head -n "$(wc -l <<< "$told")")" "$told"
    run makedumpfile -d 31 -l -f "$BED_DIR/home/dump" > "$BED_DIR/log/makedumpfile" 2>&1
    is run-makedumpfile-small "$(($(stat -c %s "$BED_DIR/home/dump") < 200 << 20))" 1
    same run-makedumpfile-dump "$(ctl dmesg --ram "$BED_DIR/home/dump" | messages_alike | head -n "$(wc -l <<< "$told")")" "$told"
}

# Programs in the place of a new drgn and of Volatility, which are not in Debian: what they are given is what they need.
run_by_export()
{
    local fake="$BED_DIR/home/fake"
    echo '__version__ = "0.0.33"' >> "$fake/drgn.py"
    printf '#!/bin/sh\n' | tee "$fake/drgn" > "$fake/vol"
    cat >> "$fake/vol" <<'END'
[ "$1 $3" = "-s -c" ] && python3 - "$2/linux/kernel.json" "$4" <<'PYTHON'
import json, sys
symbols, config = (json.load(open(path)) for path in sys.argv[1:])
print(config["kernel.layer_name.kernel_banner"].split()[2], symbols["symbols"]["init_task"]["type"]["name"])
PYTHON
echo "$5 $#"
exit 7
END
    printf '#!/bin/sh\nif [ "$1" = --version ]; then echo crash 9.0.2; else echo "$@"; fi\n' > "$fake/crash"
    chmod 755 "$fake"/{drgn,crash,vol}
    is run-drgn-new "$(PATH="$fake:$PATH" PYTHONPATH="$fake" run drgn -s vmlinux "$BED_DIR/home/note.py" 2>&1)" "True True True"
    like run-crash-new "$(on=four PATH="$fake:$PATH" run crash 'a b' 2>&1)" \
        '^(--kaslr 0x[0-9a-f]+ )?-m phys_base=0x[0-9a-f]+ live:/proc/self/fd/[0-9]+@0x0 a b$'
    local status=0 said
    said=$(on=four PATH="$fake:$PATH" run volatility3 linux.pslist 2>&1) || status=$?
    is run-volatility "$said" "$(bed_field release <<< "$truth") task_struct
linux.pslist 5"
    is run-status "$status" 7
}

run_refuses()
{
    local status=0 said
    said=$(run memprocfs 2>&1) || status=$?
    is run-5level "$status $said" \
        "1 error: memprocfs reads no linux with x86_64-5level paging; what does: drgn, crash, gdb, makedumpfile"
    status=0
    said=$(on=four PATH=/nowhere run memprocfs 2>&1) || status=$?
    is run-not-installed "$status $said" "127 error: there is no memprocfs in PATH: install it first"
    status=0
    said=$(run ida 2>&1) || status=$?
    like run-unknown "$status $said" "^2 error: run: there is no tool 'ida'; there are: drgn, "
}

run_tools()
{
    local dir="$BED_DIR/probe"
    run_by_export
    run_refuses
    mount_core "$dir" || { skip run-core "FUSE does not work here: $(tr '\n' ' ' < "$BED_DIR/log/mount")"; return; }
    kill "$mounter"
    run_drgn
    run_crash
    run_gdb
    run_makedumpfile
    is run-left-behind "$(left_behind)" ""
}

bed_start
bed_agent_start
vmlinux=$(bed_vmlinux) || vmlinux=
bed_create live memory=5120
bed_create four append=no5lvl
bed_wait_up live 60 || bed_die "the guest does not come up"
ctl wait live --timeout 30 > /dev/null
ctl wait four --timeout 60 > /dev/null
truth=$(bed_truth live)
tasks=$(guest_says tasks task)
messages=$(guest_says messages message)
is above-4g "$(($(bed_field vmcoreinfo <<< "$truth") >= 1 << 32))" 1
exports
drgn_below_exec
a_core_in_a_file
a_core_that_fails
run_tools
a_mount_that_is_interrupted
elf="$BED_DIR/home/live.elf"
a_debugger
debugger_begins
a_core_that_is_mounted
debugger_ends
finish
