#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What ready domains cost: nothing but the looks at them. One real guest under strace, and 200 stubs by their CPU time.
#
#   MEMCTX_IDLE_S  seconds to watch each (default 12)
set -eu
# shellcheck disable=SC2034 # for bed.sh
BED_TRACES_ITSELF=1
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

watch_s=${MEMCTX_IDLE_S:-12}
stubs=200

# Times that threads of the agent slept and were woken, while the guest is ready and nothing happens.
wakeups()
{
    local trace="$BED_DIR/log/idle" tracer
    strace -f -e trace=poll,ppoll,futex,select,pselect6,epoll_wait,read -o "$trace" -p "$BED_AGENT" 2> /dev/null &
    tracer=$!
    sleep "$watch_s"
    kill -0 "$tracer" 2> /dev/null || return 1
    bed_kill "$tracer"
    # A wait that ended, whole or resumed.
    grep -cE '(poll|select|epoll_wait)(\(| resumed).*= [0-9]' "$trace" || true
}

agent_with()
{
    printf '%s\n' "$@" 'keepalive_interval = 0' > "$BED_DIR/config/memctxd.conf"
    BED_AGENT_OPTIONS=(--config "$BED_DIR/config/memctxd.conf")
    BED_LOG_LEVEL=info bed_agent_start
    bed_wait_state idle ready 60 || not_ok idle-ready "$(bed_state_line idle)"
    sleep 3
}

guest()
{
    local n looks
    bed_create idle
    bed_wait_up idle 60
    agent_with 'revalidate_ms = 0'
    if n=$(wakeups); then
        # libvirtd asks each client every 5 s whether it is there; an answer is three or four turns of libvirt's loop.
        diag "no looks: woken $n times in $watch_s s"
        if [ "$n" -le $(((watch_s / 5 + 1) * 4)) ]; then ok idle-sleeps; else not_ok idle-sleeps "$n"; fi
    else
        skip idle-sleeps "strace may not attach here"
    fi
    bed_agent_stop TERM || true
    agent_with 'revalidate_ms = 2000'
    if n=$(wakeups); then
        # A look is two halves, of which each is a timer and a result; libvirt's loop may wake once more for each.
        looks=$((watch_s / 3 + 2))
        diag "a look every 2 s and what it takes: woken $n times in $watch_s s"
        if [ "$n" -gt 0 ] && [ "$n" -le $((looks * 8 + (watch_s / 5 + 1) * 4)) ]; then ok idle-looks; else not_ok idle-looks "$n"; fi
    else
        skip idle-looks "strace may not attach here"
    fi
    bed_agent_stop TERM || true
    bed_destroy idle
}

stub_node()
{
    local i
    echo "<node><cpu><mhz>1000</mhz><model>i686</model><active>2</active><nodes>1</nodes><sockets>2</sockets>" \
         "<cores>1</cores><threads>1</threads></cpu><memory>80000000</memory>"
    for ((i = 1; i <= stubs; i++)); do
        echo "<domain type='test'><name>stub$i</name><memory>8192</memory><os><type>hvm</type></os></domain>"
    done
    echo "</node>"
}

stubs_ready() { [ "$(bed_ctl list | grep -cw ready)" = $stubs ]; }

stubs()
{
    local before used
    stub_node > "$BED_DIR/config/node.xml"
    chmod 644 "$BED_DIR/config/node.xml"
    bed_spawn "$(bed_agent_log)" "$BED_DIR/bin/memctxd" -c "test://$BED_DIR/config/node.xml" --stub
    BED_AGENT=$BED_SPAWNED
    if bed_until 60 stubs_ready; then ok stubs-ready; else not_ok stubs-ready "$(bed_ctl list | grep -cw ready) of $stubs"; fi
    before=$(bed_cpu_ms "$BED_AGENT")
    sleep "$watch_s"
    used=$(($(bed_cpu_ms "$BED_AGENT") - before))
    diag "$stubs ready stubs took $used ms of CPU in $watch_s s, with a look at each every 10 s"
    if [ "$used" -le $((watch_s * 10)) ]; then ok stubs-cpu; else not_ok stubs-cpu "$used ms is more than 1 %"; fi
    bed_agent_stop TERM || not_ok stubs-end "status $?"
}

bed_start
guest
stubs
finish
