#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Everything goes wrong, in an order from a seed: the agent, libvirtd and QEMU are killed and stopped, guests are
# destroyed, reset, paused, saved and restored. When it is quiet again every guest that runs has its true datum, every
# other has none, and nothing has leaked.
# LONG
#
#   MEMCTX_FAULTS  how many (default 30)
#   MEMCTX_SEED    of their order (default: a new one, which is printed)
# shellcheck disable=SC2317 # functions called by name
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

faults=${MEMCTX_FAULTS:-30}
seed=${MEMCTX_SEED:-$((${EPOCHREALTIME/./} % 32768))}
pings=0
guests=(f1 f2 f3 f4 f5)
kinds=(agent_killed agent_stopped libvirtd_killed libvirtd_stopped qemu_killed guest_destroyed guest_reset guest_reset
       guest_rebooted guest_paused guest_saved)

quiet() { timeout 40 "${BED_AS_USER[@]}" virsh -q -c "$BED_URI" "$@" > /dev/null 2>&1 || true; }
pause() { sleep "$((RANDOM % 15 / 10)).$((RANDOM % 10))"; }
state_of() { bed_virsh domstate "$1" 2> /dev/null | head -n 1; }
is_running() { [ "$(state_of "$1")" = running ]; }

# Transient domains: who is gone comes back as a new run.
ensure()
{
    [ -z "$(state_of "$1")" ] || return 0
    rm -f "$(bed_console "$1")"
    quiet create "$BED_DIR/config/$1.xml"
}

agent_killed() { bed_agent_stop KILL || true; pause; bed_agent_start; }
agent_stopped() { kill -STOP "$BED_AGENT"; pause; kill -CONT "$BED_AGENT"; }
libvirtd_killed() { kill -KILL "$(cat "$BED_DIR/run/libvirtd.pid")" 2> /dev/null || true; pause; bed_libvirtd_up; }
libvirtd_stopped()
{
    local pid
    pid=$(cat "$BED_DIR/run/libvirtd.pid")
    kill -STOP "$pid"
    pause
    kill -CONT "$pid"
}
qemu_killed() { kill -KILL "$(bed_pid "$1")" 2> /dev/null || true; pause; ensure "$1"; }
guest_destroyed() { quiet destroy "$1"; pause; ensure "$1"; }
guest_reset() { quiet reset "$1"; }
guest_rebooted() { bed_tell "$1" reboot 2> /dev/null || true; }
guest_paused() { quiet suspend "$1"; pause; quiet resume "$1"; }
guest_saved()
{
    quiet save "$1" "$BED_DIR/home/$1.saved"
    pause
    quiet restore "$BED_DIR/home/$1.saved"
    rm -f "$BED_DIR/home/$1.saved"
    ensure "$1"
}

# A guest that answers is up, and was so after all that it had been told before.
answers()
{
    bed_tell "$1" "ping-$2" 2> /dev/null && bed_until 10 grep -q "unknown command: ping-$2" "$(bed_console "$1")"
}
settled()
{
    local name
    for name in "${guests[@]}"; do
        ! is_running "$name" || answers "$name" $((++pings)) || return 1
    done
}
is_true() { bed_has_state "$1" ready && [ -z "$(bed_datum_faults "$(bed_datum "$1")" "$(bed_truth "$1")")" ]; }

ram_descriptors()
{
    local fd
    for fd in "/proc/$BED_AGENT/fd/"*; do readlink "$fd" || true; done | grep -c memory-backend-memfd || true
}
qemus() { bed_charges | while read -r pid; do grep -qs qemu-system "/proc/$pid/comm" && echo "$pid"; done | wc -l; }
as_many_descriptors_as() { [ "$(ram_descriptors)" = "$1" ]; }

judge()
{
    local name running=0
    for name in "${guests[@]}"; do
        if is_running "$name"; then
            running=$((running + 1))
            bed_until 60 is_true "$name" || diag "$name: $(bed_state_line "$name")"
            is "faults-$name" "$(bed_datum_faults "$(bed_datum "$name")" "$(bed_truth "$name")")" ""
        else
            is "faults-$name-not-listed" "$(bed_state_line "$name")" ""
        fi
    done
    diag "$running of ${#guests[@]} guests run"
    is faults-processes "$(qemus)" "$running"
    if bed_until 60 as_many_descriptors_as "$running"; then ok faults-descriptors
    else not_ok faults-descriptors "$(ram_descriptors) of RAM for $running guests"; fi
    is faults-files "$(find "$BED_DIR/run/memctxd/domains" -type f | wc -l)" "$running"
    # One loop, one watch, two workers, up to 32 writers, up to 8 for hooks, and libvirt's own.
    threads=$(find "/proc/$BED_AGENT/task" -mindepth 1 -maxdepth 1 | wc -l)
    if [ "$threads" -le 46 ]; then ok faults-threads; else not_ok faults-threads "$threads"; fi
    # Two a domain beside its RAM, and a few dozen of libvirt's and our own.
    fds=$(find "/proc/$BED_AGENT/fd" -mindepth 1 | wc -l)
    if [ "$fds" -le $((running * 3 + 40)) ]; then ok faults-all-descriptors; else not_ok faults-all-descriptors "$fds"; fi
}

bed_start
diag "MEMCTX_SEED=$seed MEMCTX_FAULTS=$faults"
RANDOM=$seed
printf '%s\n' 'revalidate_ms = 3000' > "$BED_DIR/config/memctxd.conf"
BED_AGENT_OPTIONS=(--config "$BED_DIR/config/memctxd.conf")
bed_agent_start
for name in "${guests[@]}"; do
    bed_create "$name" memory=320
done
for ((i = 1; i <= faults; i++)); do
    kind=${kinds[RANDOM % ${#kinds[@]}]}
    guest=${guests[RANDOM % ${#guests[@]}]}
    echo "$i $kind $guest" >> "$BED_DIR/log/faults"
    $kind "$guest"
    pause
    bed_agent_alive || { not_ok faults-agent "it died after: $(tail -n 1 "$BED_DIR/log/faults")"; finish; }
done
for name in "${guests[@]}"; do quiet resume "$name"; done
bed_until 300 settled || diag "not all guests have settled"
judge
finish
