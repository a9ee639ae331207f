#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Everything goes wrong, in an order from a seed: the agent, libvirtd and QEMU are killed and stopped, all at once when the
# power fails; guests are destroyed, reset, paused, saved and restored, panic, and start another kernel; others forge data
# and start agents of their own. When it is quiet again every guest that runs has its true datum, none that is dead has a
# wrong one, every other has none, nothing has leaked, and the log has told it in few lines.
# LONG
#
#   MEMCTX_FAULTS  how many (default 30)
#   MEMCTX_SEED    of their order (default: a new one, which is printed)
#   MEMCTX_KINDS   which of those below, separated by blanks (default: all)
# shellcheck disable=SC2317 # functions called by name
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

faults=${MEMCTX_FAULTS:-30}
seed=${MEMCTX_SEED:-$((${EPOCHREALTIME/./} % 32768))}
pings=0
# f2 has its RAM in a file, which outlives a host; f3 another kernel to start; f4 stays dead after a panic; that of f5 is
# anonymous. The definition of f1 brings a datum along.
guests=(f1 f2 f3 f4 f5)
kinds=(agent_killed agent_stopped agent_second libvirtd_killed libvirtd_stopped power_lost qemu_killed guest_destroyed
       guest_reset guest_rebooted guest_paused guest_saved guest_panicked guest_kexec metadata_forged metadata_removed)
[ -z "${MEMCTX_KINDS-}" ] || read -ra kinds <<< "$MEMCTX_KINDS"

FORGED="<memctx generation='4294967295'><kcr3>0xdead000</kcr3></memctx>"
xmlns="xmlns='$BED_NS'"

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
# One that is not up does not hear it.
tell() { bed_tell "$1" "$2" 5 2> /dev/null || true; }
guest_rebooted() { tell "$1" reboot; }
guest_panicked() { tell "$1" panic; }
guest_kexec() { tell f3 kexec; }
guest_paused() { quiet suspend "$1"; pause; quiet resume "$1"; }
# Each second time somebody forges the datum that is in the file.
guest_saved()
{
    local file="$BED_DIR/home/$1.saved" xml="$BED_DIR/home/$1.saved.xml"
    quiet save "$1" "$file"
    if [ $((RANDOM % 2)) = 0 ] && bed_virsh save-image-dumpxml "$file" 2> /dev/null > "$xml"; then
        sed -i -E "s/generation=(['\"])[0-9]+/generation=\14294967295/; s/(kcr3>)0x[0-9a-f]+/\10xdead000/" "$xml"
        chmod 644 "$xml"
        quiet save-image-define "$file" "$xml" --running
    fi
    pause
    quiet restore "$file"
    rm -f "$file" "$xml"
    ensure "$1"
}

# Or another guest's.
metadata_forged()
{
    local datum=$FORGED
    [ $((RANDOM % 2)) = 0 ] || datum=$(bed_datum f1 2> /dev/null) || datum=$FORGED
    quiet metadata "$1" "$BED_NS" --key memctx --set "$datum"
}
metadata_removed() { quiet metadata "$1" "$BED_NS" --remove; }

# It says that another vouches, and ends. While libvirt comes back it may be the first, and ours leaves; then ours is
# started once more.
agent_second()
{
    local retract=()
    [ $((RANDOM % 2)) = 0 ] || retract=(--retract)
    bed_as_user timeout 5 "$BED_DIR/bin/memctxd" -c "$BED_URI" --runtime-dir "$BED_DIR/run/second" "${retract[@]}" \
        >> "$BED_DIR/log/second.log" 2>&1 || true
    bed_agent_alive || ! tail -n 1 "$(bed_agent_log)" | grep -q 'another memctxd vouches' || bed_agent_start
}

# All that runs ends at the same moment, /run is empty after that, and ids begin at 1. What is left is the RAM of f2.
power_lost()
{
    local charges ram="$BED_DIR/config/libvirt/qemu/ram/libvirt/qemu" dir name
    bed_as_user touch "$BED_DIR/run/down"
    mapfile -t charges < <(bed_charges)
    kill -KILL "$BED_AGENT" "${charges[@]}" 2> /dev/null || true
    wait "$BED_AGENT" 2> /dev/null || true
    bed_until 60 bed_kill_charges || bed_die "processes do not end"
    rm -rf "$BED_DIR"/run/{libvirt,memctxd}
    for dir in "$ram"/*-f2; do [ ! -d "$dir" ] || [ "$dir" = "$ram/1-f2" ] || mv -T "$dir" "$ram/1-f2"; done
    bed_libvirtd_up
    bed_agent_start
    for name in f2 f1 f3 f4 f5; do ensure "$name"; done
}

uuid() { echo "00000000-0000-4000-8000-0000000000$1"; }
create() { bed_create "$1" memory=320 uuid="$(uuid "$1")" "${@:2}"; }

# A guest that answers is up, and was so after all that it had been told before.
answers()
{
    bed_tell "$1" "ping-$2" 2> /dev/null && bed_until 10 grep -q "unknown command: ping-$2" "$(bed_console "$1")"
}
settled()
{
    local name
    for name in "${guests[@]}"; do
        ! is_running "$name" || is_dead "$name" || answers "$name" $((++pings)) || return 1
    done
}
is_dead() { tac "$(bed_console "$1")" | grep -aEm 1 '^GUEST-UP|end Kernel panic' | grep -q panic; }

# wrong NAME: what is wrong with the state and the datum of a guest that runs. A dead one that no agent saw running has
# none.
wrong()
{
    local state=ready live='' datum
    ! is_dead "$1" || state=silent live=no
    bed_has_state "$1" $state || echo "is no $state guest;"
    datum=$(bed_datum "$1" 2> /dev/null) || datum=
    [ -n "$datum" ] || [ $state = ready ] || return 0
    bed_expect live "$(bed_datum_attribute memctx live <<< "$datum")" "$live"
    [ "$(bed_datum_attribute memctx generation <<< "$datum")" -le $((faults + 1)) ] || echo "generation is wrong;"
    bed_datum_faults "$datum" "$(bed_truth "$1")"
}
is_true() { [ -z "$(wrong "$1")" ]; }

ram_descriptors()
{
    local fd
    for fd in "/proc/$BED_AGENT/fd/"*; do readlink "$fd" || true; done |
        grep -cE 'memory-backend-memfd|/libvirt/qemu/ram/|^/proc/[0-9]+/mem' || true
}
qemus() { bed_charges | while read -r pid; do grep -qs qemu-system "/proc/$pid/comm" && echo "$pid"; done | wc -l; }
as_many_descriptors_as() { [ "$(ram_descriptors)" = "$1" ]; }

judge()
{
    local name running=0 data=0
    for name in "${guests[@]}"; do
        if is_running "$name"; then
            running=$((running + 1))
            bed_until 60 is_true "$name" || diag "$name: $(bed_state_line "$name")"
            is "faults-$name" "$(wrong "$name")" ""
            ! is_dead "$name" || diag "$name is dead: $(bed_state_line "$name")"
            ! bed_datum "$name" > /dev/null 2>&1 || data=$((data + 1))
        else
            is "faults-$name-not-listed" "$(bed_state_line "$name")" ""
        fi
    done
    diag "$running of ${#guests[@]} guests run"
    is faults-processes "$(qemus)" "$running"
    if bed_until 60 as_many_descriptors_as "$running"; then ok faults-descriptors
    else not_ok faults-descriptors "$(ram_descriptors) of RAM for $running guests"; fi
    is faults-files "$(find "$BED_DIR/run/memctxd/domains" -type f | wc -l)" "$data"
    # One loop, one watch, two workers, up to 32 writers, up to 8 for hooks, and libvirt's own.
    threads=$(find "/proc/$BED_AGENT/task" -mindepth 1 -maxdepth 1 | wc -l)
    if [ "$threads" -le 46 ]; then ok faults-threads; else not_ok faults-threads "$threads"; fi
    # Of each domain what an administrator reads, in all its lives.
    for name in "${guests[@]}"; do
        lines=$(grep -c "^<[0-6]>uuid=$(uuid "$name") " "$(bed_agent_log)") || true
        if [ "$lines" -lt 50 ]; then ok "faults-$name-log"; else not_ok "faults-$name-log" "$lines lines"; fi
        diag "$name: $lines lines"
    done
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
create f1
sed -i "s|<memory |<metadata>${FORGED/<memctx/<memctx $xmlns}</metadata>&|" "$BED_DIR/config/f1.xml"
create f2 backing=file
create f3 initrd="$(bed_kexec_initramfs)"
create f4 append=panic=0
create f5 backing=anon
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
