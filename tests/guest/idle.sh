#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What ready domains cost: nothing but the heartbeat. One real guest under strace, and 200 stubs by their CPU time.
# ALONE: 200 heartbeats may take 1 % of a core, and cost more where others take their caches.
#
#   MEMCTX_IDLE_S  seconds to watch each (default 12)
set -eu
# shellcheck disable=SC2034 # for bed.sh
BED_TRACES_ITSELF=1
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

watch_s=${MEMCTX_IDLE_S:-12}
stubs=200

# Times that threads of the agent slept and were woken, while the guest is ready and nothing happens, in $woken, and the
# seconds that this took in $took_s: where the machine is busy they are more than were asked for.
wakeups()
{
    local trace="$BED_DIR/log/idle" tracer since
    strace -f -e trace=poll,ppoll,futex,select,pselect6,epoll_wait,read -o "$trace" -p "$BED_AGENT" 2> /dev/null &
    tracer=$! since=$SECONDS
    sleep "$watch_s"
    kill -0 "$tracer" 2> /dev/null || return 1
    bed_untrace "$tracer"
    took_s=$((SECONDS - since + 1))
    # A wait that ended, whole or resumed.
    woken=$(grep -cE '(poll|select|epoll_wait)(\(| resumed).*= [0-9]' "$trace" || true)
}

agent_with()
{
    printf '%s\n' "$@" 'keepalive_interval = 0' > "$BED_DIR/config/memctxd.conf"
    BED_AGENT_OPTIONS=(--config "$BED_DIR/config/memctxd.conf")
    BED_LOG_LEVEL=info bed_agent_start
    bed_wait_state idle ready 60 || not_ok idle-ready "$(bed_state_line idle)"
    sleep 3
}

# The heartbeat has a thread of its own, which sleeps in a futex: libvirt's loop and ours do not wake for it. A kernel with
# clock words needs no other look, however often those are to be.
guest()
{
    local woken took_s
    bed_create idle
    bed_wait_up idle 60
    agent_with 'revalidate_ms = 1000'
    if wakeups; then
        # libvirtd asks each client every 5 s whether it is there; an answer is three or four turns of libvirt's loop.
        diag "woken $woken times in $took_s s"
        if [ "$woken" -le $(((took_s / 5 + 1) * 4)) ]; then ok idle-sleeps; else not_ok idle-sleeps "$woken"; fi
    else
        skip idle-sleeps "strace may not attach here"
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

stubs_ready() { [ "$(bed_ctl list | grep -c ' ready ')" = $stubs ]; }

stubs()
{
    local used
    stub_node > "$BED_DIR/config/node.xml"
    chmod 644 "$BED_DIR/config/node.xml"
    bed_spawn "$(bed_agent_log)" "$BED_DIR/bin/memctxd" -c "test://$BED_DIR/config/node.xml" --stub
    BED_AGENT=$BED_SPAWNED
    if bed_until 60 stubs_ready; then ok stubs-ready; else not_ok stubs-ready "$(bed_ctl list | grep -c ' ready ') of $stubs"; fi
    sleep 5 # until the probers of all have seen the clocks tick
    used=$(bed_permille "$watch_s")
    diag "$stubs ready stubs took $used permille of a core, each with a heartbeat"
    if [ "$used" -le 10 ]; then ok stubs-cpu; else not_ok stubs-cpu "$used permille is more than 1 %"; fi
    bed_agent_stop TERM || not_ok stubs-end "status $?"
}

bed_start
guest
stubs
finish
