#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# RAM that cannot be read from outside: unsupported, with a reason that names the cure, and never a datum.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

cure='memoryBacking'
cells='NUMA|cells?\b'
huge='hugepages'

# unsupported NAME REASON KEY=VALUE...: the guest need not boot for that
unsupported()
{
    local name=$1 reason=$2
    shift 2
    if ! bed_create "$name" "$@"; then
        not_ok "$name" "the domain does not start"
        return
    fi
    if bed_wait_state "$name" unsupported 10; then
        ok "$name-unsupported"
        like "$name-reason" "$(bed_state_line "$name")" "$reason"
    else
        not_ok "$name-unsupported" "is: $(bed_state_line "$name")"
    fi
    if bed_datum "$name" > /dev/null 2>&1; then not_ok "$name-no-datum" "there is one"; else ok "$name-no-datum"; fi
    bed_destroy "$name"
}

huge()
{
    local name
    if bed_has_huge; then
        unsupported huge-private "$cure" backing=hugepages memory=256
        unsupported huge-file "$huge" backing=hugepages-shared memory=256
        unsupported huge-memfd "$huge" backing=hugepages-memfd memory=256
        return
    fi
    for name in huge-private huge-file huge-memfd; do
        skip $name "no pool of huge pages can be had here"
    done
}

BED_HUGE_MIB=256 bed_start
bed_agent_start
unsupported no-backing "$cure" backing=none
unsupported anonymous "$cure" backing=anon
unsupported memfd-private "$cure" backing=memfd-private
unsupported file-private "$cure" backing=file-private
unsupported file-unshared "$cure" backing=file-unshared
unsupported numa-anonymous "$cure|$cells" backing=none cells=2
unsupported numa-memfd "$cells" backing=memfd cells=2
huge
finish
