# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW an agent with 1000 stub domains: start, CPU, memory, list

# node COUNT: what libvirt's test driver is to have
node()
{
    local i
    echo "<node><cpu><mhz>1000</mhz><model>i686</model><active>2</active><nodes>1</nodes><sockets>2</sockets>" \
         "<cores>1</cores><threads>1</threads></cpu><memory>80000000</memory>"
    for ((i = 1; i <= $1; i++)); do
        echo "<domain type='test'><name>stub$i</name><memory>8192</memory><os><type>hvm</type></os></domain>"
    done
    echo "</node>"
}

have_data()
{
    local files=("$BED_DIR"/run/stubs/domains/*.xml)
    [ -e "$BED_DIR/run/stubs/control.sock" ] && { [ "$1" = 0 ] || [ ${#files[@]} = "$1" ]; }
}

# stub_agent COUNT: started, in $started_ms, when each domain has its datum
stub_agent()
{
    local start=${EPOCHREALTIME/./} tries=0
    bed_spawn "$(bed_agent_log)" "$BED_DIR/bin/memctxd" -c "test://$BED_DIR/config/node$1.xml" --stub \
        --runtime-dir "$BED_DIR/run/stubs" --log-level warning
    BED_AGENT=$BED_SPAWNED
    until have_data "$1"; do
        [ $((++tries)) -lt 12000 ] || { agent_stop; return 1; }
        sleep 0.01
    done
    started_ms=$(elapsed_ms "$start")
}

watch_stubs()
{
    local none what="$stubs stubs" status=0 turns=3 builds=("$1")
    stub_agent 0 || return 1
    settle_s=1 watch_s=0.1 watch "$BED_AGENT" || return 1
    agent_stop
    none=$own
    sample "$what, memory" KiB empty "$pss"
    stub_agent $stubs || return 1
    sample "$what, start" ms "$1" "$started_ms"
    watch "$BED_AGENT" || return 1
    sample "$what, CPU" ms/s "$1" "$cpu"
    sample "$what, memory" KiB "$1" "$pss"
    sample "$what, memory of one" KiB "$1" "$(minus "$own" "$none" $stubs)"
    processes "$what, list" true=true -- @/memctx --runtime-dir "$BED_DIR/run/stubs" list || status=1
    agent_stop
    return $status
}

row_stubs()
{
    node 0 > "$BED_DIR/config/node0.xml"
    node $stubs > "$BED_DIR/config/node$stubs.xml"
    chmod 644 "$BED_DIR"/config/node*.xml
    in_turns "$(thirds)" watch_stubs
}
