#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Hooks both ways: libvirt's, which must never hold up or fail a guest, whatever the agent does; and the agent's own.
# libvirt's directory of hooks is the machine's: this runs in a mount namespace with one of its own.
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

limit_ms=50
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

# hook_ms: median of what the hook takes, called as libvirt calls it. Fails when it prints or fails.
hook_ms()
{
    local i start times=()
    for ((i = 0; i < 15; i++)); do
        start=${EPOCHREALTIME/./}
        [ -z "$("${hook_user[@]}" "$BED_BUILD/hooks/qemu" web1 started begin - < "$BED_DIR/config/one.xml" 2>&1)" ] || return 1
        times+=($((${EPOCHREALTIME/./} - start)))
    done
    mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -n)
    echo $((times[14] / 1000)) > "$BED_DIR/log/slowest"
    echo $((times[7] / 1000))
}

# quick WHAT: within the limit, silently and with status 0
quick()
{
    local ms
    if ms=$(hook_ms); then
        diag "hook with the agent $1: median $ms ms, slowest $(< "$BED_DIR/log/slowest") ms"
        if [ "$ms" -lt $limit_ms ]; then ok "hook-$1"; else not_ok "hook-$1" "$ms ms"; fi
    else
        not_ok "hook-$1" "it printed something or failed"
    fi
}

# start_ms: median of what the start of a domain takes
start_ms()
{
    local i start times=()
    for ((i = 0; i < 7; i++)); do
        start=${EPOCHREALTIME/./}
        bed_virsh create "$BED_DIR/config/one.xml" > /dev/null || return 1
        times+=($((${EPOCHREALTIME/./} - start)))
        bed_destroy one
    done
    mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -n)
    echo $((times[3] / 1000))
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
    local without with
    quick absent
    bed_agent_start
    quick running
    with=$(start_ms) || not_ok hook-start "a domain does not start"
    kill -STOP "$BED_AGENT"
    quick stopped
    start_ms > /dev/null || not_ok hook-start-stopped "a domain does not start"
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
    without=$(start_ms)
    diag "start of a domain: $with ms with the hook, $without ms without"
    # The hook is a process more, five times in a start.
    if [ "$with" -le $((without + 5 * limit_ms)) ]; then ok hook-start; else not_ok hook-start "$with ms, $without ms without"; fi
}

# libvirt's socket is gone for the agent: a hint, and it is back before its next try was due.
hint_reconnects()
{
    local tries
    bed_libvirtd_kill
    bed_until 10 bed_has_state one unknown || true
    sleep 4
    bed_libvirtd_up
    tries=$(grep -c 'connected to libvirt' "$(bed_agent_log)")
    "${hook_user[@]}" "$BED_BUILD/hooks/qemu" one reconnect begin - < "$BED_DIR/config/one.xml"
    if bed_until 1 connected_again "$tries"; then ok hint-reconnects; else not_ok hint-reconnects "not within 1 s"; fi
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
    bed_until 20 grep -q '^ready 1 ' "$told" || true
    first=$(bed_truth own | bed_field kcr3)
    bed_virsh reset own > /dev/null
    bed_wait_up own 60 2
    bed_until 20 grep -q '^ready 2 ' "$told" || true
    second=$(bed_truth own | bed_field kcr3)
    uuid=$(bed_uuid own)
    bed_destroy own
    bed_until 20 grep -q '^lost 2 ' "$told" || true
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
