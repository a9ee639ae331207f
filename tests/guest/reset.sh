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

# From this many seconds after the reset on the old datum must not be seen.
grace_s=0.1

later() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a + b }'; }

# restarted NAME NTH POLLS RESET_AT: judge the boot that followed, the NTH of this run
restarted()
{
    local what=$1 nth=$2 polls=$3 at=$4 truth wrong
    if ! bed_wait_up reset 60 "$nth"; then
        not_ok "$what-boot" "the guest does not come up again"
        return
    fi
    truth=$(bed_truth reset)
    bed_wait_datum "$polls" 20 "generation=\"$nth\"" || diag "state: $(bed_state_line reset)"
    is "$what-truth" "$(bed_datum_faults "$(bed_datum reset)" "$truth")" ""
    is "$what-generation" "$(bed_datum reset | bed_datum_attribute memctx generation)" "$nth"
    wrong=$(bed_wrong_polls "$polls" "$truth" "$(later "$at" $grace_s)")
    is "$what-old-datum-gone" "${wrong%%$'\n'*}" ""
}

bed_start
bed_agent_start
bed_create reset "kernel=$(bed_kernel ${MEMCTX_KERNEL:+"$MEMCTX_KERNEL"})" vcpus=2
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
        restarted "reset-$nth" "$nth" "$polls" "$(bed_now)"
    else
        # The guest itself reboots. When exactly the machine was reset only the guest knows: the old datum may be seen
        # for the time it takes to shut down and must be gone after that.
        bed_tell reset reboot
        restarted "reboot-$nth" "$nth" "$polls" "$(later "$(bed_now)" 1)"
    fi
done

bed_destroy reset
finish
