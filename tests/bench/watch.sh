# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What an agent with guests uses, beside one without; sourced by run.sh.

agent_start() { BED_LOG_LEVEL=info bed_agent_start; }
agent_stop() { bed_agent_stop TERM || true; }

# watch PID: what it and its children use: $cpu (ms of CPU each second), $pss and, of that, $own (KiB)
watch()
{
    local before after
    sleep "$settle_s"
    read -r before _ < <(python3 "$here/usage.py" "$1") || return 1
    sleep "$watch_s"
    read -r after pss own < <(python3 "$here/usage.py" "$1") || return 1
    cpu=$(minus "$after" "$before" "$watch_s")
}

declare -A empty_pss=() empty_own=() empty_cpu=()

watch_empty()
{
    agent_start
    watch "$BED_AGENT" || return 1
    agent_stop
    empty_cpu[$1]+=" $cpu" empty_pss[$1]+=" $pss" empty_own[$1]+=" $own"
}

# The agent without a domain is the reference of waiting and ready; it is watched before there are guests.
need_empty()
{
    [ -n "${empty_pss[A]-}" ] || in_turns "$(thirds)" watch_empty
}

# nth N LIST: the N-th word, from 0 on
nth()
{
    local words
    read -ra words <<< "$2"
    echo "${words[$1]}"
}

# watch_guests STATE NAMES BUILD
watch_guests()
{
    local what="$guests $1" round name
    agent_start
    for name in $2; do bed_wait_state "$name" "$1" 60 || { agent_stop; return 1; }; done
    watch "$BED_AGENT" || return 1
    agent_stop
    round=$((rounds_done / ${#builds[@]}))
    rounds_done=$((rounds_done + 1))
    sample "$what, CPU" ms/s "$3" "$cpu"
    sample "$what, memory" KiB "$3" "$pss"
    sample "$what, memory of one" KiB "$3" "$(minus "$own" "$(nth $round "${empty_own[$3]}")" "$guests")"
    sample "$what, CPU" ms/s empty "$(nth $round "${empty_cpu[$3]}")"
    sample "$what, memory" KiB empty "$(nth $round "${empty_pss[$3]}")"
}

# guests_in STATE KEY=VALUE...: agents with so many of such guests in that state
guests_in()
{
    local state=$1 names='' i rounds_done=0 status=0
    shift
    need_empty || return 1
    for ((i = 1; i <= guests; i++)); do
        bed_create "$row$i" memory=512 "$@"
        names+=" $row$i"
    done
    for i in $names; do [ "$state" != ready ] || bed_wait_up "$i" 120 || status=1; done
    [ $status != 0 ] || in_turns "$(thirds)" watch_guests "$state" "$names" || status=1
    for i in $names; do bed_destroy "$i"; done
    return $status
}
