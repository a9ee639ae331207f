#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Kernels of several releases and architectures panic: each stays silent and readable, its hook is called once, and a
# reset begins the second generation at once. They die side by side. Kernels that cannot be had are skipped.
#
#   MEMCTX_PANICS    which of those below, a regular expression (default: one that names no panic word, and one of ARM)
#   MEMCTX_SILENT_S  seconds to watch the dead (default 10)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

watch_s=${MEMCTX_SILENT_S:-10}
wanted=${MEMCTX_PANICS:-5.10|arm64}

is_panicked() { grep -q 'end Kernel panic' "$(bed_console "$1")" 2> /dev/null; }
live_of() { bed_datum "$1" 2> /dev/null | bed_datum_attribute memctx live; }
has_live() { [ "$(live_of "$1")" = "$2" ]; }
has_no_datum() { ! bed_datum "$1" > /dev/null 2>&1; }
attribute() { bed_datum "$1" | bed_datum_attribute memctx "$2"; }

# start NAME ARCH KERNEL [KEY=VALUE...]: into $names, if it is wanted and that kernel can be had
names=()
start()
{
    local name=$1 initrd kernel
    [[ $name =~ ^($wanted)$ ]] || return 0
    if ! kernel=$(bed_kernel "$3") ||
        ! initrd=$(if [ "$2" = amd64 ]; then bed_initramfs; else bed_initramfs_foreign "$2"; fi); then
        skip "$name" "no such kernel can be had here"
        return
    fi
    bed_create "$name" kernel="$kernel" initrd="$initrd" append=panic=0 "${@:4}"
    names+=("$name")
}

# dies NAME: it is up and ready, and panics; the agent has two seconds from when it says so
dies()
{
    local name=$1
    if ! bed_wait_up "$name" 120 || ! bed_wait_state "$name" ready 60; then
        not_ok "$name-ready" "$(bed_state_line "$name")"
    fi
    bases[$name]=$(bed_ctl show "$name" | bed_datum_attribute kernel base)
    bed_tell "$name" panic
    bed_until 60 is_panicked "$name" || not_ok "$name-panic" "the guest does not panic"
    if bed_until 3 has_live "$name" no; then ok "$name-marked"; else not_ok "$name-marked" "$(bed_state_line "$name")"; fi
}

# stays NAME: dead for a while by now
stays()
{
    local name=$1 said
    is "$name-live" "$(live_of "$name")" no
    is "$name-invalid" "$(bed_datum_invalid "$(bed_datum "$name")")" ""
    like "$name-list" "$(bed_state_line "$name")" ' silent '
    # Behind what a kernel of ARM gives back of its image's beginning.
    said=$(bed_ctl read "$name" "$(printf '%#x' $((${bases[$name]} + 0x10000)))" 16 2>&1) || true
    like "$name-read" "$said" '^[0-9a-f]{8,16}  ([0-9a-f]{2} +){16}'
    like "$name-warning" "$said" "^warning: domain '$name' does not run"
    is "$name-hook" "$(grep "^$name silent" "$calls")" "$name silent 1"
}

# returns NAME: by a reset
returns()
{
    local name=$1
    bed_virsh reset "$name" > /dev/null
    if bed_until 2 has_no_datum "$name"; then ok "$name-reset"; else not_ok "$name-reset" "$(bed_datum "$name")"; fi
}

returned()
{
    local name=$1
    bed_wait_state "$name" ready 120 || not_ok "$name-again" "$(bed_state_line "$name")"
    is "$name-next" "$(attribute "$name" generation) $(live_of "$name")" "2 "
    bed_destroy "$name"
}

# Those that were started, through all of it
dies_and_returns()
{
    local name
    for name in "${names[@]}"; do dies "$name"; done
    sleep "$watch_s"
    for name in "${names[@]}"; do stays "$name"; done
    for name in "${names[@]}"; do returns "$name"; done
    for name in "${names[@]}"; do returned "$name"; done
    names=()
}

bed_start
declare -A bases
calls="$BED_DIR/log/hooks"
bed_note_hooks "$calls"
bed_agent_start
release=$(bed_release)
start 5.10 amd64 bullseye/5.10-cloud-amd64 machine=pc vcpus=4 backing=file
start arm64 arm64 "$release/6.1-cloud-arm64" arch=aarch64 machine=virt cpu=max backing=anon
dies_and_returns
start 6.12 amd64 "$release/6.12-cloud-amd64" machine=pc backing=anon
start newest amd64 sid/cloud-amd64 vcpus=4
start 686-pae i386 "$release/rt-686-pae" machine=pc vcpus=4 backing=file
dies_and_returns
start 686 i386 "$release/686" backing=anon
start 5.10-q35 amd64 bullseye/5.10-cloud-amd64 backing=anon
start arm64-smp arm64 "$release/6.1-cloud-arm64" arch=aarch64 machine=virt cpu=max vcpus=4 backing=file
dies_and_returns
start arm64-16k arm64 "$release/6.12-arm64-16k" arch=aarch64 machine=virt cpu=max
start newest-pc amd64 sid/cloud-amd64 machine=pc backing=file
dies_and_returns
bed_agent_stop TERM || true
finish
