#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Guests that UEFI boots: its own page tables, SMRAM and the memory that SMM takes from RAM's top confuse nothing.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

firmware=/usr/share/OVMF

# boots NAME CODE FEATURES KEY=VALUE...: FEATURES is more XML for <features>
boots()
{
    local name=$1 code=$2 features=$3 secure="" vars="$BED_DIR/config/$1.fd" xml="$BED_DIR/config/$1.xml" polls
    polls="$BED_DIR/log/polls-$1"
    shift 3
    [ -z "$features" ] || secure="secure='yes'"
    install -o "$BED_USER" -m 600 "$firmware/OVMF_VARS_4M.fd" "$vars"
    bed_domain_xml "$name" "$@" | sed "s,<acpi/>,<acpi/>$features,
        s,</type>,&<loader readonly='yes' $secure type='pflash'>$firmware/$code</loader><nvram>$vars</nvram>," > "$xml"
    if ! bed_virsh create "$xml" > /dev/null; then
        not_ok "$name" "the domain does not start"
        return
    fi
    bed_poll_metadata "$name" "$polls"
    if bed_wait_up "$name" 90 && bed_wait_state "$name" ready 60; then
        is "$name" "$(bed_datum "$name" | bed_datum_element kcr3)" "$(bed_root "$name")"
        is "$name-never-wrong" "$(bed_wrong_polls "$polls" "kcr3=$(bed_root "$name")")" ""
    else
        not_ok "$name" "is: $(bed_state_line "$name")"
    fi
    bed_kill "$BED_POLLER"
    bed_destroy "$name"
}

if [ ! -e $firmware/OVMF_CODE_4M.fd ]; then
    skip uefi "no OVMF here"
    finish
fi
bed_start
bed_agent_start
boots smm OVMF_CODE_4M.secboot.fd "<smm state='on'/>" memory=4096
boots private OVMF_CODE_4M.secboot.fd "<smm state='on'/>" memory=2048 backing=none
finish
