#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A reset guest is a new guest: the old datum goes at once and only the new kernel's comes back, one generation on.
#
#   MEMCTX_RESETS  how often, by virsh reset and by the guest's own reboot in turn (default 4)
#   MEMCTX_KERNEL  Debian kernel package of the guest (default: the cloud kernel of this release)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# With so many of the looks of an outside reader, one each 10 ms where the machine has nothing else to do, the old datum
# may still be seen after the reset: libvirt writes a file to the disk when the agent withdraws it, and none for a look.
grace=30

# restarted NAME NTH POLLS: judge the boot that followed the mark, the NTH of this run
restarted()
{
    local what=$1 nth=$2 polls=$3 truth wrong
    if ! bed_wait_up reset 60 "$nth"; then
        not_ok "$what-boot" "the guest does not come up again"
        return
    fi
    truth=$(bed_truth reset)
    bed_wait_datum "$polls" 60 "generation=\"$nth\"" || diag "state: $(bed_state_line reset)"
    is "$what-truth" "$(bed_datum_faults "$(bed_datum reset)" "$truth")" ""
    is "$what-generation" "$(bed_datum reset | bed_datum_attribute memctx generation)" "$nth"
    wrong=$(bed_wrong_polls "$polls" "$truth" $grace)
    is "$what-old-datum-gone" "${wrong%%$'\n'*}" ""
}

resets() { grep -c 'ready->.* on reset' "$(bed_agent_log)" || true; }
has_resets() { [ "$(resets)" -ge "$1" ]; }

bed_start
bed_agent_start
bed_create reset "kernel=$(bed_kernel ${MEMCTX_KERNEL:+"$MEMCTX_KERNEL"})" vcpus=2 "args=$(bed_judged_args reset)"
bed_judge reset
polls="$BED_DIR/log/polls"
bed_poll_metadata reset "$polls"
if ! bed_wait_datum "$polls" 60 'generation="1"'; then
    not_ok reset-first "no datum: $(bed_state_line reset)"
    finish
fi
bed_wait_up reset 60

for ((nth = 2; nth <= ${MEMCTX_RESETS:-4} + 1; nth++)); do
    bed_kill "$BED_POLLER"
    : > "$polls"
    bed_poll_metadata reset "$polls"
    if [ $((nth % 2)) = 0 ]; then
        bed_virsh reset reset > /dev/null
        bed_mark "$polls"
        restarted "reset-$nth" "$nth" "$polls"
    else
        # The guest itself reboots: that it did the agent has heard of libvirt.
        before=$(resets)
        bed_tell reset reboot
        bed_until 60 has_resets $((before + 1)) || not_ok "reboot-$nth-event" "the agent hears of no reboot"
        bed_mark "$polls"
        restarted "reboot-$nth" "$nth" "$polls"
    fi
done

is reset-judged "$(bed_judged reset)" ""
bed_destroy reset
finish
