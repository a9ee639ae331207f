#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Hooks both ways: libvirt's, which must never hold up or fail a guest, whatever the agent does; and the agent's own.
# libvirt's directory of hooks is the machine's: this runs in a mount namespace with one of its own.
# LONG
set -eu
if [ "$(id -u)" != 0 ] || ! unshare -m true 2> /dev/null; then
    echo "skip hooks: needs root and mount namespaces"
    exit 0
fi
if [ -z "${MEMCTX_HOOKS_INSIDE-}" ]; then
    MEMCTX_HOOKS_INSIDE=1 exec unshare -m --propagation private "$0"
fi
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# The hook may take so many times as long as a program that does nothing: waiting for somebody takes it more.
hook_factor=4
# A domain may take so many times as long to start with the hook, which is called five times then, as without.
start_factor=2
examples=$BED_TOP/examples/hooks

prepare()
{
    mkdir -p /etc/libvirt/hooks
    mount -t tmpfs -o mode=0755 none /etc/libvirt/hooks
    mkdir /etc/libvirt/hooks/qemu.d
    install -m 755 "$BED_BUILD/hooks/qemu" /etc/libvirt/hooks/qemu.d/50-memctxd
    # What libvirt tells its hooks, to be measured against what the guests' starts take without.
    install -m 755 "$examples/libvirt-stopped" /etc/libvirt/hooks/qemu.d/60-stopped
}

# run_us COMMAND...: how long it takes; fails when it prints or fails.
run_us()
{
    local start=${EPOCHREALTIME/./}
    [ -z "$("${hook_user[@]}" "$@" < "$BED_DIR/config/one.xml" 2>&1)" ] || return 1
    echo $((${EPOCHREALTIME/./} - start))
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# quick WHAT: silently, with status 0, and without waiting for anybody. The hook, called as libvirt calls it, and a
# program that does nothing take turns, so that what else the machine does slows down both.
quick()
{
    local i us hook=() nothing=()
    for ((i = 0; i < 15; i++)); do
        us=$(run_us "$BED_BUILD/hooks/qemu" web1 started begin -) || { not_ok "hook-$1" "it printed something or failed"; return; }
        hook+=("$us")
        nothing+=("$(run_us true)")
    done
    diag "hook with the agent $1: median $(median "${hook[@]}") us, of nothing $(median "${nothing[@]}") us"
    if [ "$(median "${hook[@]}")" -le $((hook_factor * $(median "${nothing[@]}"))) ]; then ok "hook-$1"
    else not_ok "hook-$1" "it waits"; fi
}

# start_us: what the start of a domain takes
start_us()
{
    local start=${EPOCHREALTIME/./}
    bed_virsh create "$BED_DIR/config/one.xml" > /dev/null || return 1
    echo $((${EPOCHREALTIME/./} - start))
    bed_destroy one
}

# Starts with the hook and without take turns, too.
starts()
{
    local i us program=/etc/libvirt/hooks/qemu.d/50-memctxd with=() without=()
    for ((i = 0; i < 7; i++)); do
        us=$(start_us) || { not_ok hook-start "a domain does not start"; return; }
        with+=("$us")
        mv $program "$BED_DIR/log/hook"
        without+=("$(start_us)")
        mv "$BED_DIR/log/hook" $program
    done
    diag "start of a domain: $(median "${with[@]}") us with the hook, $(median "${without[@]}") us without"
    if [ "$(median "${with[@]}")" -le $((start_factor * $(median "${without[@]}"))) ]; then ok hook-start
    else not_ok hook-start "it holds up the start"; fi
}

flood()
{
    exec "${BED_AS_USER[@]}" python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setblocking(False)
while True:
    try: s.sendto(b"flood" * 50, sys.argv[1])
    except OSError: pass' "$BED_DIR/run/memctxd/hint.sock"
}

drop_in()
{
    quick absent
    bed_agent_start
    quick running
    starts
    kill -STOP "$BED_AGENT"
    quick stopped
    start_us > /dev/null || not_ok hook-start-stopped "a domain does not start"
    flood &
    flooder=$!
    quick stopped-and-flooded
    kill -CONT "$BED_AGENT"
    quick flooded
    bed_create flooded
    if bed_wait_state flooded ready 60; then ok flooded-ready; else not_ok flooded-ready "$(bed_state_line flooded)"; fi
    bed_kill "$flooder"
    bed_destroy flooded
    rm /etc/libvirt/hooks/qemu.d/50-memctxd
}

# libvirt's socket is gone for the agent: a hint, and it is back before its next try was due.
hint_reconnects()
{
    local tries
    bed_libvirtd_kill
    bed_until 60 bed_has_state one unknown || true
    sleep 4
    bed_libvirtd_up
    tries=$(grep -c 'connected to libvirt' "$(bed_agent_log)")
    "${hook_user[@]}" "$BED_BUILD/hooks/qemu" one reconnect begin - < "$BED_DIR/config/one.xml"
    if bed_in_turns 50 connected_again "$tries"; then ok hint-reconnects; else not_ok hint-reconnects "not soon"; fi
}
# It may have been back before the hint.
connected_again() { [ "$(grep -c 'connected to libvirt' "$(bed_agent_log)")" -ge 2 ]; }

own_hooks()
{
    local dir="$BED_DIR/config/memctxd/hooks.d" told="$BED_DIR/log/told"
    bed_as_user mkdir -p "$dir"
    bed_as_user cp "$examples/ready-tool" "$examples/ready-journal" "$dir"
    # shellcheck disable=SC2016 # for the hook
    printf '%s\n' '#!/bin/sh' 'echo "$2 $3 $(xmllint --xpath "string(/memctx/kcr3)" -)" >> '"$told" |
        bed_as_user tee "$dir/zz-told" > /dev/null
    chmod 755 "$dir"/*
    bed_create own
    bed_wait_up own 60
    bed_until 60 grep -q '^ready 1 ' "$told" || true
    first=$(bed_truth own | bed_field kcr3)
    bed_virsh reset own > /dev/null
    bed_wait_up own 60 2
    bed_until 60 grep -q '^ready 2 ' "$told" || true
    second=$(bed_truth own | bed_field kcr3)
    uuid=$(bed_uuid own)
    bed_destroy own
    bed_until 60 grep -q '^lost 2 ' "$told" || true
    is own-hooks "$(cat "$told")" "$(printf '%s\n' "ready 1 $first" "lost 1 $first" "ready 2 $second" "lost 2 $second")"
    # What a libvirt hook read when the domain had stopped.
    is stopped-hook "$(bed_datum_element kcr3 < "$BED_DIR/home/kept/$uuid.xml")" "$second"
}

prepare
bed_start
hook_user=("${BED_AS_USER[@]}")
# libvirt gives a session's hooks HOME and no XDG_RUNTIME_DIR.
mkdir "$BED_DIR/home/.cache"
ln -s "$BED_DIR/run/memctxd" "$BED_DIR/home/.cache/memctxd"
sed -i "2i MEMCTX_RUN=$BED_DIR/run/memctxd MEMCTX_KEEP=$BED_DIR/home/kept" /etc/libvirt/hooks/qemu.d/60-stopped
bed_domain_xml one boot=firmware memory=256 > "$BED_DIR/config/one.xml"
chmod 644 "$BED_DIR/config/one.xml"
drop_in
hint_reconnects
own_hooks
finish
