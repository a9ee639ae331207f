#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Many kinds of guests boot; each gets the datum that its kernel itself confirms, and never a wrong one before.
# LONG
#
#   MEMCTX_BOOTS    number of boots of each kernel (default 6); the list below is gone through again and again
#   MEMCTX_KERNELS  kernels, as bed_kernel takes them: "bullseye/5.10-amd64 bookworm/686-pae sid/rt-amd64 PACKAGE"
#                   (default: the cloud kernel of this release)
#   MEMCTX_LATER    when not empty an agent that is started after the guest must find the kernel, too
#   MEMCTX_DOCTOR   when not empty a copy of each guest's RAM has all VMCOREINFO taken out; probe then finds the
#                   right root or none
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# The first six reach every machine, CPU, backing and side of the split; sizes at its very edge come after.
kinds=(
    "machine=q35 memory=512 backing=memfd-unshared"
    "machine=pc memory=512 cpu=qemu64 vcpus=2"
    "machine=q35 memory=3072 cpu=qemu64 vcpus=2 backing=file"
    "machine=pc memory=4096"
    "machine=q35 memory=6144 vcpus=2"
    "machine=pc memory=6144 backing=shared append=no5lvl"
    "machine=q35 memory=2816"
    "machine=q35 memory=2815 cpu=qemu64"
    "machine=pc memory=3584 vcpus=2"
    "machine=pc memory=3583"
    "machine=q35 memory=1024 append=nokaslr"
    "machine=q35 memory=2048 backing=file append=nopti"
    "machine=pc memory=1024 cpu=qemu64 append=pti=on"
    "machine=q35 memory=5000 cells=1 vcpus=2"
)
read -ra kernels <<< "${MEMCTX_KERNELS-}"

# prints a fault unless VMCOREINFO, the note or the text that the kernel makes it of, is where "show" says.
vmcoreinfo_fault()
{
    local gpa
    gpa=$(bed_datum_attribute vmcoreinfo gpa <<< "$2")
    bed_page "$1" "$gpa" "$(bed_field low <<< "$3")" | head -c 40 | tr -d '\0' | grep -qa 'OSRELEASE=' ||
        echo "no VMCOREINFO at '$gpa';"
}

# The datum, once there, must be the truth, and the poller must never have seen another kcr3.
judge()
{
    local name=$1 polls=$2 truth shown faults wrong
    truth=$(bed_truth "$name")
    if ! bed_wait_datum "$polls" 60; then
        not_ok "$name" "the guest is up and has no datum; $(bed_state_line "$name")"
        return
    fi
    faults=$(bed_datum_faults "$(bed_datum "$name" || true)" "$truth")
    shown=$(bed_ctl show "$name" || true)
    faults+=$(bed_private_faults "$shown" "$truth")
    faults+=$(vmcoreinfo_fault "$name" "$shown" "$truth")
    # Metadata is for everybody: a kernel address there would give KASLR away.
    if bed_datum "$name" | grep -q 'ffffffff'; then faults+="metadata has a virtual address"; fi
    wrong=$(bed_wrong_polls "$polls" "$truth")
    if [ -n "$faults" ]; then
        not_ok "$name" "${faults//$'\n'/ }"
    elif [ -n "$wrong" ]; then
        not_ok "$name" "a wrong datum was visible: ${wrong%%$'\n'*}"
    else
        ok "$name"
    fi
}

# An agent that comes later takes nothing for granted: the kernel must be seen running, again and again.
later()
{
    local name=$1 looks
    bed_agent_stop TERM || true
    bed_agent_start
    if ! bed_wait_state "$name" ready 60; then
        not_ok "$name-later" "$(bed_state_line "$name")"
        return
    fi
    looks="name=\"$name\" .*(ready->stale|stale->waiting)"
    sleep 4
    is "$name-later" "$(grep -cE "$looks" "$(bed_agent_log)")$(bed_state "$name")" 0ready
}

# A copy without VMCOREINFO: the root, or nothing at all.
doctor()
{
    local name=$1 truth copy="$BED_DIR/home/copy" found status=0 how=none
    truth=$(bed_truth "$name")
    bed_take "$name" "$copy"
    bed_blank "$copy"
    found=$(bed_ctl probe --ram "$copy" --low "$(bed_field low <<< "$truth")" 2> /dev/null) || status=$?
    rm -f "$copy"
    if [ "$status" = 0 ]; then
        how=$(bed_datum_element kcr3 <<< "$found")/$(bed_datum_attribute evidence found <<< "$found")
        is "$name-doctored" "${how%/*}" "$(bed_field kcr3 <<< "$truth")"
    else
        is "$name-doctored-status" "$status" 3
    fi
    diag "$name without VMCOREINFO: $how"
}

boot()
{
    local name=$1 polls="$BED_DIR/log/polls-$1"
    shift
    diag "$name: $*"
    bed_create "$name" "$@"
    bed_poll_metadata "$name" "$polls"
    if bed_wait_up "$name" 120; then
        judge "$name" "$polls"
        [ -z "${MEMCTX_LATER-}" ] || later "$name"
        [ -z "${MEMCTX_DOCTOR-}" ] || doctor "$name"
    else
        not_ok "$name" "the guest did not come up in 120 s"
    fi
    bed_kill "$BED_POLLER"
    bed_destroy "$name"
}

# boots PREFIX KEY=VALUE...: as many as are wanted
boots()
{
    local prefix=$1 i keys
    shift
    for ((i = 0; i < ${MEMCTX_BOOTS:-6}; i++)); do
        read -ra keys <<< "${kinds[i % ${#kinds[@]}]}"
        boot "$prefix-$((i + 1))" "${keys[@]}" "$@"
    done
}

boots_of()
{
    local kernel=$1 path initrd
    case "$kernel" in
        *686*) initrd=$(bed_initramfs_foreign i386) ;;
        *) initrd=$(bed_initramfs) ;;
    esac || initrd=
    if [ -n "$initrd" ] && path=$(bed_kernel "$kernel"); then
        boots "boots-${kernel//\//-}" "kernel=$path" "initrd=$initrd"
    else
        skip "$kernel" "cannot be had here"
    fi
}

bed_start
if [ -n "${MEMCTX_LATER-}" ]; then
    echo "revalidate_ms = 1000" > "$BED_DIR/config/memctxd.conf"
    BED_AGENT_OPTIONS=(--config "$BED_DIR/config/memctxd.conf")
fi
bed_agent_start
[ ${#kernels[@]} != 0 ] || boots boots
for kernel in "${kernels[@]}"; do boots_of "$kernel"; done
finish
