#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Shows memctxd at work on a real guest, under a libvirtd of its own; leaves behind the build, what it
# installed, the user memctxtest, and a kernel in /var/cache/memctx-tests.
#
#   examples/demo.sh     as root on Debian; takes a minute or two the first time
#
#   MEMCTX_BUILDDIR  programs that are built already (default: build them in build-demo)
set -eu -o pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
export MEMCTX_BUILDDIR=${MEMCTX_BUILDDIR:-$top/build-demo}

bold="" plain=""
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
step() { printf '\n%s* %s%s\n' "$bold" "$*" "$plain"; }
quietly() { "$@" > "$log" 2>&1 || { tail -n 30 "$log"; echo "failed: $*" >&2; return 1; }; }

build()
{
    # A tree that somebody has built in cannot be configured elsewhere: build there.
    if [ -e "$top/config.status" ]; then
        MEMCTX_BUILDDIR=$top
    fi
    mkdir -p "$MEMCTX_BUILDDIR"
    [ -x "$top/configure" ] || quietly autoreconf -fi "$top"
    (
        cd "$MEMCTX_BUILDDIR"
        [ -e config.status ] || quietly "$top/configure"
        quietly make -j"$(nproc)"
    )
}

# Show a command as one would type it, then what it prints.
show()
{
    echo "\$ $1"
    shift
    "$@" | sed 's/^/  /'
    echo
}

compare()
{
    local datum truth faults
    datum=$(bed_datum demo)
    truth=$(bed_truth demo)
    sed -n '/^kcr3\|^paging\|^low\|^release\|^buildid/s/^/  /p' <<< "$truth"
    faults=$(bed_datum_faults "$datum" "$truth")
    echo
    if [ -z "$faults" ]; then
        echo "They agree."
    else
        printf 'They do not agree:\n%s\n' "$faults"
        return 1
    fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
step "Installing what is needed (nothing, if it is there)"
quietly bash "$top/tests/bed/install.sh"
step "Building in $MEMCTX_BUILDDIR"
build
rm -f "$log"

# shellcheck source=tests/bed/bed.sh
. "$top/tests/bed/bed.sh"
step "Starting a private libvirtd as an unprivileged user"
bed_start
step "Starting the agent"
echo "\$ memctxd -c qemu:///session &"
BED_LOG_LEVEL=info bed_agent_start
step "Starting a guest"
bed_create demo machine=q35 memory=3072
show "virsh list" bed_virsh list
echo "\$ memctx wait demo --timeout 60"
bed_ctl wait demo --timeout 60 > /dev/null

step "What everybody may read, as domain metadata"
show "virsh metadata demo urn:memctx:1" bed_datum demo
step "What authorised readers get from the agent"
show "memctx show demo" bed_ctl show demo
step "What the guest's kernel says of itself on its console"
bed_wait_up demo 60
compare
