#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Windows guests through the agent. There is no Windows here: a guest sits in cli; hlt, and winram fills its RAM as a
# booting Windows would, stage by stage. The datum must follow the last stage closely, and after a reset the old
# boot, left in RAM as it was, must never be published again.
# LONG
#
#   MEMCTX_WINDOWS_BOOTS  number of boots (default 7)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# Looks of an outside reader, one each 10 ms where the machine has nothing else to do, from the last stage to the datum,
# and from a reset to none.
close=30
grace=10
low=0x80000000
waiting_line='waiting->waiting'

# What differs from boot to boot: build, where things are, what is beside them.
boots=(
    "build=7601 backing=file stub=0"
    "build=19045 backing=file shadow=1"
    "build=26100 backing=memfd stub=0 root=0x7b5000 base=0xfffff8044b40f000 image=0x240f000"
    "paging=x86_64-5level build=20348 backing=file root=0x3456000"
    "paging=x86-pae build=17763 backing=file user=1"
    "build=22621 backing=file stub=0 root=0x9000000 tables=0x9100000 image=0xa000000 large=0"
    "build=9600 backing=memfd processes=20"
)

# The RAM of a guest, for writing. Root may open QEMU's own descriptor.
winram() { "$BED_DIR/bin/winram" "$(bed_ram_fd "$1")" "$low" "${@:2}"; }

# boot NAME WORD...: one boot; how many looks the datum came later in $looks, what is wrong in $faults
boot()
{
    local name=$1 polls="$BED_DIR/log/polls-$1" word keys=() backing=file root=0x1ad000 build ticker
    for word in "${@:2}"; do
        case $word in
            backing=*) backing=${word#*=} ;;
            *) keys+=("$word") ;;
        esac
        [[ $word != root=* ]] || root=${word#*=}
        [[ $word != build=* ]] || build=${word#*=}
    done
    bed_create "$name" memory=1024 boot=halt "backing=$backing"
    bed_wait_halt "$name" 60 || { faults="it does not halt"; return 1; }
    bed_poll_metadata "$name" "$polls"
    # It runs on: RAM in a file may be an earlier guest's, so its kernel has to be seen running.
    winram "$name" "${keys[@]}" wait=0.5 loader wait=0.4 kernel wait=0.4 ready tick=60 > "$BED_DIR/log/stages-$name" &
    ticker=$!
    bed_until 60 grep -q '^ready' "$BED_DIR/log/stages-$name" || { faults="no guest"; return 1; }
    bed_mark "$polls"
    bed_wait_datum "$polls" 60 || { faults="no datum: $(bed_state_line "$name")"; return 1; }
    bed_kill "$ticker"
    bed_kill "$BED_POLLER"
    looks=$(bed_polls_since_mark "$polls" "<memctx")
    faults=$(datum_faults "$(bed_datum "$name")" "$root" "$build")
    faults+=$(bed_wrong_polls "$polls" "kcr3=$root")
    faults+=$(lines_faults "$name")
}

datum_faults()
{
    bed_expect kcr3 "$(bed_datum_element kcr3 <<< "$1")" "$2"
    bed_expect os "$(bed_datum_attribute guest os <<< "$1")" windows
    [[ $(bed_datum_attribute guest version <<< "$1") == *."$3" ]] || echo "version is not of build $3;"
    [[ $1 != *0xfff* ]] || echo "a virtual address in metadata;"
    bed_datum_invalid "$1"
}

lines_faults()
{
    bed_expect "number of '$waiting_line' lines" \
        "$(grep -F "$(bed_uuid "$1")" "$(bed_agent_log)" | grep -cE "$waiting_line")" 1
}

closely()
{
    local results=() sorted i
    for ((i = 0; i < ${MEMCTX_WINDOWS_BOOTS:-7}; i++)); do
        # shellcheck disable=SC2086 # words
        if boot "windows-$i" ${boots[i % ${#boots[@]}]}; then
            results+=("$looks")
            is "windows-$i" "$faults" ""
        else
            not_ok "windows-$i" "$faults"
        fi
        bed_destroy "windows-$i"
    done
    mapfile -t sorted < <(printf '%s\n' "${results[@]}" | sort -n)
    diag "from the last stage to the datum, looks: ${results[*]}; median ${sorted[${#sorted[@]} / 2]}"
    if [ "${sorted[${#sorted[@]} / 2]}" -le $close ]; then
        ok windows-median
    else
        not_ok windows-median "should be at most $close looks"
    fi
}

# reset NAME: the old boot's RAM stays as it is; then a new kernel comes up elsewhere, or at the same root.
after_reset()
{
    local name=again polls="$BED_DIR/log/polls-again" ticker
    bed_create $name memory=1024 boot=halt backing=file
    bed_wait_halt $name 60 || { not_ok windows-reset-first "it does not halt"; return; }
    bed_poll_metadata $name "$polls"
    winram $name build=19045 kernel ready tick=1 > /dev/null
    bed_wait_datum "$polls" 60 || { not_ok windows-reset-first "no datum: $(bed_state_line $name)"; return; }
    bed_virsh reset $name > /dev/null
    bed_mark "$polls"
    sleep 4
    is windows-reset-stale "$(bed_datum $name 2> /dev/null || echo none)" none
    is windows-reset-state "$(bed_state $name)" waiting
    winram $name build=19045 root=0x1ae000 tables=0x4000000 image=0x5000000 base=0xfffff80654800000 \
        time=133500009990000000 kernel wait=0.2 ready tick=60 > /dev/null &
    ticker=$!
    bed_wait_datum "$polls" 60 'generation="2"' || diag "state: $(bed_state_line $name)"
    bed_kill "$ticker"
    is windows-reset-new "$(bed_datum $name | bed_datum_element kcr3)" 0x1ae000
    is windows-reset-seen "$(bed_datum $name | bed_datum_attribute evidence seen)" running
    bed_kill "$BED_POLLER"
    is windows-reset-old-never "$(bed_wrong_polls "$polls" kcr3=0x1ae000 $grace)" ""
    bed_ctl --json show $name > "$BED_DIR/log/show" || true
    like windows-private "$(cat "$BED_DIR/log/show")" '"system_eprocess":"0xffff'
    bed_destroy $name
}

bed_start
BED_LOG_LEVEL=info bed_agent_start
closely
after_reset
finish
