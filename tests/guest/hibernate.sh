#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A guest sleeps on its disk, and its domain ends. In the next run GRUB boots a kernel from that disk, which reads the
# image there and gives way to the kernel that slept, without an event: at last the datum is of that one, and what it was
# before is never wrong for long.
# shellcheck disable=SC2317 # functions called by bed_until
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

disk=''
run()
{
    bed_create sleeper boot=firmware memory=256 "args=$(bed_judged_args sleeper)" \
        "devices=<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$disk'/><target dev='vda' bus='virtio'/></disk>"
}

is_off() { ! bed_virsh domstate sleeper > /dev/null 2>&1; }
has_said() { grep -aq "^MEMCTX $1" "$(bed_console sleeper)"; }
is_true() { bed_has_state sleeper ready && [ -z "$(bed_datum_faults "$(bed_datum sleeper)" "$truth")" ]; }

sleeps()
{
    if ! bed_wait_up sleeper 90 || ! bed_wait_state sleeper ready 60; then
        not_ok hibernate-ready "$(bed_state_line sleeper)"
        return 1
    fi
    truth=$(bed_truth sleeper)
    is hibernate-first "$(bed_datum_faults "$(bed_datum sleeper)" "$truth")" ""
    bed_tell sleeper hibernate
    bed_until 120 is_off || { not_ok hibernate-off "the guest does not go to sleep"; return 1; }
}

# Its console is a new one: what the kernel that slept says comes after what GRUB and the other kernel say.
wakes()
{
    local polls="$BED_DIR/log/polls" wrong
    run
    bed_judge sleeper
    bed_poll_metadata sleeper "$polls"
    bed_until 120 has_said 'hibernate end' || { not_ok hibernate-woken "the guest does not wake up"; return; }
    bed_mark "$polls"
    bed_until 60 is_true || diag "$(bed_state_line sleeper)"
    is hibernate-truth "$(bed_datum_faults "$(bed_datum sleeper)" "$truth")" ""
    sleep 5
    is hibernate-stays "$(bed_state sleeper) $(bed_datum_faults "$(bed_datum sleeper)" "$truth")" "ready "
    # In looks of 10 ms after it woke up: 2 s for the old one's clock, and 2 s more.
    wrong=$(bed_wrong_polls "$polls" "$truth" 400)
    is hibernate-old-datum-gone "${wrong%%$'\n'*}" ""
    diag "published $(bed_polls_since_mark "$polls" "$(bed_field kcr3 <<< "$truth")") looks after it woke up"
    is hibernate-judged "$(bed_judged sleeper)" ""
}

bed_start
modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk)
disk="$BED_DIR/home/sleeper.img"
if ! initramfs=$(bed_modules_initramfs "${modules[@]}") || ! bed_boot_disk "$disk" "$(bed_kernel)" "$initramfs" 256 ""; then
    skip hibernate "GRUB or the kernel's package cannot be had"
    finish
fi
[ "$(id -u)" != 0 ] || chown "$BED_USER:$BED_GROUP" "$disk"
bed_agent_start
run
! sleeps || wakes
bed_destroy sleeper || true
bed_agent_stop TERM || true
finish
