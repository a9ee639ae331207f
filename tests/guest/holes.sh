#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Promises 1 and 2: guest RAM is never written nor mapped by the agent, and its holes stay holes.
set -eu
# shellcheck disable=SC2034 # for bed.sh
BED_TRACES_ITSELF=1
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

ram_blocks() { stat -L -c %b "$1"; }
ram_inode() { stat -L -c %d:%i "$1"; }

# Descriptors of the agent on that file whose access mode (the low two bits) is not O_RDONLY
writable_fds()
{
    local fd flags
    for fd in $(bed_agent_fds_of "$1"); do
        flags=$(sed -n 's/^flags:[ \t]*//p' "/proc/$BED_AGENT/fdinfo/$fd" 2> /dev/null) || continue
        [ -z "$flags" ] || [ $((0$flags & 3)) = 0 ] || echo "$fd"
    done
}

# Mappings by the agent of that file; maps has the device as MAJOR:MINOR in hex
mappings()
{
    local device
    device=$(printf '%02x:%02x' $((${1%:*} >> 8)) $((${1%:*} & 255)))
    awk -v device="$device" -v inode="${1#*:}" '$4 == device && $5 == inode' "/proc/$BED_AGENT/maps"
}

# The agent may hold the RAM only for moments, so look often: look NAME RAM SECONDS
look()
{
    local name=$1 inode end seen=0 writable="" mapped=""
    inode=$(ram_inode "$2")
    end=$((SECONDS + $3))
    while [ $SECONDS -lt "$end" ]; do
        [ -z "$(bed_agent_fds_of "$inode")" ] || seen=$((seen + 1))
        writable+=$(writable_fds "$inode")
        mapped+=$(mappings "$inode")
    done
    diag "$name: the agent was seen holding the RAM $seen times"
    LOOKED=$((LOOKED + seen))
    is "$name-no-writable-descriptor" "$writable" ""
    is "$name-no-mapping" "$mapped" ""
}

# A guest that never ran: all holes but what QEMU itself loaded.
paused()
{
    local ram before
    bed_create holes paused=yes memory=1024
    ram=$(bed_ram_fd holes)
    before=$(ram_blocks "$ram")
    bed_agent_start
    bed_until 60 bed_has_state holes waiting || diag "state: $(bed_state_line holes)"
    look paused "$ram" 2
    is paused-holes "$(ram_blocks "$ram")" "$before"
}

# The same guest runs, is found, and then stopped: a new agent and a probe must not fill a hole either.
stopped()
{
    local ram before
    bed_virsh resume holes > /dev/null
    look running "$(bed_ram_fd holes)" 6
    bed_wait_up holes 60 || not_ok stopped-boot "the guest does not come up"
    bed_wait_state holes ready 60 || not_ok stopped-ready "$(bed_state_line holes)"
    bed_virsh suspend holes > /dev/null
    ram=$(bed_ram_fd holes)
    before=$(ram_blocks "$ram")
    bed_agent_stop TERM || true
    bed_agent_start
    look stopped "$ram" 2
    bed_ctl probe --ram "$ram" > /dev/null || not_ok stopped-probe "probe of the live RAM fails"
    is stopped-holes "$(ram_blocks "$ram")" "$before"
}

# Calls that could change guest RAM, and the ways to a descriptor of it. strace -y names the file behind each one.
calls=openat,openat2,open,mmap,mprotect,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate
calls+=,pidfd_getfd,process_vm_writev

# A whole boot under strace: what looking from time to time may miss.
traced()
{
    local trace="$BED_DIR/log/strace" tracer
    strace -f -y -e "trace=$calls" -o "$trace" -p "$BED_AGENT" 2> /dev/null &
    tracer=$!
    sleep 0.5
    if ! kill -0 "$tracer" 2> /dev/null; then
        skip traced "strace may not attach here"
        return
    fi
    bed_create traced
    bed_wait_state traced ready 90 || not_ok traced-ready "$(bed_state_line traced)"
    bed_destroy traced
    bed_untrace "$tracer"
    grep -F memory-backend "$trace" > "$trace.ram" || true
    diag "traced: $(wc -l < "$trace.ram") calls on guest RAM"
    if [ -s "$trace.ram" ]; then ok traced-opens; else not_ok traced-opens "no call on the RAM was seen"; fi
    is traced-only-read "$(grep -vE 'open.*O_RDONLY' "$trace.ram" | head -n 1)" ""
}

# 64 GiB, of which 300 MiB in 300 places were touched, and no kernel anywhere. The agent's whole CPU time counts, its own
# start with it: a clock on the wall would measure the machine's other work.
large()
{
    local ram before start spent
    bed_agent_stop TERM || true
    # Not a memfd: this machine may have less RAM, and shared memory is accounted for.
    bed_create large boot=firmware backing=file paused=yes memory=65536
    ram=$(bed_ram_fd large)
    python3 -c '
import os, sys
ram = os.open(sys.argv[1], os.O_RDWR)
for i in range(300):
    os.pwrite(ram, os.urandom(1 << 20), i * (65536 // 300 << 20))' "$ram"
    before=$(ram_blocks "$ram")
    start=$(bed_now)
    bed_agent_start
    bed_until 60 has_tried large || diag "state: $(bed_state_line large)"
    spent=$(bed_cpu_ms "$BED_AGENT")
    diag "large: a failed try $(awk -v a="$start" -v b="$(bed_now)" 'BEGIN { print b - a }') s after the agent's start, $spent ms of CPU"
    like large-tried "$(bed_state_line large)" 'in RAM'
    if [ "$spent" -lt 500 ]; then ok large-cost; else not_ok large-cost "$spent ms"; fi
    is large-holes "$(ram_blocks "$ram")" "$before"
    bed_destroy large
}

# QEMU's own memory in KiB, page tables apart
own_kib() { awk '/^RssAnon:/ { print $2 }' "/proc/$(bed_pid "$1")/status"; }
tries() { grep -c "probing->backoff on retry" "$(bed_agent_log)" || true; }
have_tried() { [ "$(tries)" -ge "$1" ]; }

# 100 tries and more at each of two guests that never boot, one of shared RAM and one of QEMU's own memory.
retries()
{
    local ram blocks kib before grown config="$BED_DIR/config/eager.conf"
    bed_agent_stop TERM || true
    printf 'retry_%s\n' 'first_ms = 20' 'cap_ms = 20' 'growth_percent = 0' 'cost_factor = 1' > "$config"
    bed_create shared boot=firmware memory=512
    bed_create private boot=firmware memory=512 backing=none
    sleep 4
    ram=$(bed_ram_fd shared)
    blocks=$(ram_blocks "$ram")
    kib=$(own_kib private)
    before=$(tries)
    BED_AGENT_OPTIONS=(--config "$config")
    bed_agent_start
    if bed_until 60 have_tried $((before + 200)); then ok retries; else not_ok retries "only $(($(tries) - before))"; fi
    is retries-holes "$(ram_blocks "$ram")" "$blocks"
    grown=$(($(own_kib private) - kib))
    diag "$(($(tries) - before)) tries; QEMU's own memory grew by $grown KiB"
    [ "$grown" -le 256 ] && ok retries-resident || not_ok retries-resident "$grown KiB more"
    bed_destroy shared
    bed_destroy private
}

# A try that failed has a reason to tell.
has_tried() { bed_state_line "$1" | grep -q 'in RAM'; }

LOOKED=0
bed_start
paused
stopped
# Else the tests above had nothing to look at.
[ "$LOOKED" -gt 0 ] || skip descriptors "the agent was never caught holding the RAM"
bed_destroy holes
traced
large
retries
finish
