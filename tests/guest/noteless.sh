#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A kernel without VMCOREINFO is found as one with it: at the start, by an agent that comes later, and after a reset,
# however much data its RAM has. How long it took is told; it fails where memory had to be searched for it.
#
#   MEMCTX_NOTELESS_MEMORY  MiB of RAM (default 512)
#   MEMCTX_NOTELESS_FILL    MiB of it that a file in the guest's tmpfs fills first (default 200)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

memory=${MEMCTX_NOTELESS_MEMORY:-512}
fill=${MEMCTX_NOTELESS_FILL:-200}

# The initcall that makes the note. Its name is one of a kernel with KALLSYMS, as Debian's are.
without="initcall_blacklist=crash_save_vmcoreinfo_init"

# What a kernel with a note takes on a busy machine, and the 2 s that one without may take more.
limit_ms=8000

# ready_after NAME SINCE_US: ms from then until the domain is ready, of its generation $3 if that is given
ready_after()
{
    bed_until 60 has_generation "$1" "${3-}" || return 1
    echo $(((${EPOCHREALTIME/./} - $2) / 1000))
}
has_generation() { bed_has_state "$1" ready && { [ -z "$2" ] || bed_datum "$1" | grep -q "generation=\"$2\""; }; }

# judge WHAT NAME FOUND MS
judge()
{
    local datum
    datum=$(bed_datum "$2")
    diag "$1: ${4:-never} ms after the guest was up"
    if [ -n "$4" ] && [ "$4" -lt $limit_ms ]; then ok "$1"; else not_ok "$1" "took ${4:-too long} ms: $(bed_state_line "$2")"; fi
    is "$1-kcr3" "$(bed_datum_element kcr3 <<< "$datum")" "$(bed_root "$2")"
    is "$1-paging" "$(bed_datum_element paging <<< "$datum")" "$(bed_said_paging "$(bed_said "$2")")"
    is "$1-version" "$(bed_datum_attribute guest version <<< "$datum")" "$(bed_said "$2" | bed_field release)"
    like "$1-found" "$(bed_datum_attribute evidence found <<< "$datum")" "$3"
    is "$1-schema" "$(bed_datum_invalid "$datum")" ""
}

# kernel NAME FOUND [KEY=VALUE...]
kernel()
{
    local name=$1 found=$2 since
    shift 2
    bed_create "$name" memory="$memory" "$@"
    bed_wait_up "$name" 120 || not_ok "$name-up" "the guest does not come up"
    since=${EPOCHREALTIME/./}
    judge "$name-start" "$name" "$found" "$(ready_after "$name" "$since")"
    [ "$fill" = 0 ] || bed_ask "$name" fill 120 "fill $fill" || not_ok "$name-fill" "the guest does not fill its RAM"
    bed_agent_stop TERM || true
    since=${EPOCHREALTIME/./}
    bed_agent_start
    judge "$name-later" "$name" "$found" "$(ready_after "$name" "$since")"
    bed_virsh reset "$name" > /dev/null
    bed_wait_up "$name" 120 2 || not_ok "$name-up-again" "the guest does not come up"
    since=${EPOCHREALTIME/./}
    judge "$name-reset" "$name" "$found" "$(ready_after "$name" "$since" 2)"
    bed_destroy "$name"
}

bed_start
bed_agent_start
kernel noted vmcoreinfo
kernel noteless without-note append="$without"
finish
