#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A kernel that takes another's place without any event: by kexec, and after a panic, when the crash kernel finds
# all of the one before in memory, complete. The datum of the old one goes, or says that its kernel does not run, and that
# of the new one comes.
# ALONE: it counts in looks of a poller how long the old datum may stand, and its guest needs a CPU meanwhile.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# What the old datum may stand unmarked after the kernel was replaced, and the new one take to come when its kernel is
# up, in looks of 10 ms: 2 s of the clock that stands, and 2 s more.
grace=400

loads() { bed_said kexec | grep -c '^kexec=loaded' || true; }
has_loaded() { [ "$(loads)" -gt "$1" ]; }

# replaced WHAT COMMAND NTH: the NTH kernel of this run takes over at the command
replaced()
{
    local what=$1 command=$2 nth=$3 polls="$BED_DIR/log/polls-$1" truth wrong late before
    before=$(loads)
    bed_poll_metadata kexec "$polls"
    bed_tell kexec "$command"
    bed_until 60 has_loaded "$before" || { not_ok "$what-load" "the guest does not load a kernel"; return; }
    bed_mark "$polls"
    bed_wait_up kexec 120 "$nth" || { not_ok "$what-boot" "the next kernel does not come up"; return; }
    bed_mark "$polls"
    truth=$(bed_truth kexec)
    bed_wait_datum "$polls" 60 "generation=\"$nth\"" || diag "state: $(bed_state_line kexec)"
    is "$what-truth" "$(bed_datum_faults "$(bed_datum kexec)" "$truth")" ""
    wrong=$(bed_wrong_polls "$polls" "$truth" $grace)
    is "$what-old-datum-gone" "${wrong%%$'\n'*}" ""
    late=$(bed_polls_since_mark "$polls" "generation=\"$nth\"")
    diag "$what: published $late looks after its kernel was up"
    if [ "$late" -le $grace ]; then ok "$what-published-in-time"; else not_ok "$what-published-in-time" "$late looks"; fi
    # What is heard of it changes nothing.
    sleep 5
    is "$what-stays" "$(bed_datum kexec | bed_datum_attribute memctx generation)" "$nth"
    bed_kill "$BED_POLLER"
}

# A crash kernel that is loaded lies in RAM that is set aside, and runs only after a crash: an agent that comes later,
# one that finds the guest paused, and probe, which look at all RAM, find the one that runs.
loaded()
{
    local copy="$BED_DIR/home/copy" truth
    truth=$(bed_truth kexec)
    bed_tell kexec load
    bed_until 60 has_loaded 0 || { not_ok loaded "the guest does not load a kernel"; return; }
    bed_agent_stop TERM || true
    bed_agent_start
    bed_wait_state kexec ready 60 || diag "$(bed_state_line kexec)"
    is loaded-later "$(bed_datum_faults "$(bed_datum kexec || true)" "$truth")" ""
    bed_agent_stop TERM || true
    bed_take kexec "$copy"
    bed_agent_start
    # The agent has not seen it run, but one before has.
    bed_wait_state kexec silent 60 || diag "$(bed_state_line kexec)"
    is loaded-paused "$(bed_datum_faults "$(bed_datum kexec || true)" "$truth")" ""
    is loaded-probe "$(bed_ctl probe --ram "$copy" | bed_datum_element kcr3)" "$(bed_field kcr3 <<< "$truth")"
    bed_blank "$copy"
    is loaded-blank "$(bed_ctl probe --ram "$copy" | bed_datum_element kcr3)" "$(bed_field kcr3 <<< "$truth")"
    rm "$copy"
    bed_virsh resume kexec > /dev/null
    bed_wait_state kexec ready 60 || diag "$(bed_state_line kexec)"
}

bed_start
bed_agent_start
bed_create kexec memory=1024 "initrd=$(bed_kexec_initramfs)" append=crashkernel=192M "args=$(bed_judged_args kexec)"
bed_judge kexec
if bed_wait_state kexec ready 60 && bed_wait_up kexec 60; then
    replaced kexec kexec 2
    is kexec-judged "$(bed_judged kexec)" ""
    bed_destroy kexec
else
    not_ok kexec-first "no datum: $(bed_state_line kexec)"
fi
bed_create kexec memory=1024 "initrd=$(bed_kexec_initramfs)" append=crashkernel=192M "args=$(bed_judged_args kexec)"
bed_judge kexec
if bed_wait_state kexec ready 60 && bed_wait_up kexec 60; then
    loaded
    replaced crash crash 2
    is crash-judged "$(bed_judged kexec)" ""
    bed_destroy kexec
else
    not_ok crash-first "no datum: $(bed_state_line kexec)"
fi
finish
