#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Guests whose memory goes to a file or to another host and comes back: the datum that travelled along is right when
# the guest runs again, and the agent says so, or it is replaced. "Another host" is a second libvirtd of the user's.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

there_uri="qemu:///session"
there() { bed_as_user env "XDG_RUNTIME_DIR=$BED_DIR/there/run" "XDG_CONFIG_HOME=$BED_DIR/there/config" "$@"; }

# arrived WHAT NAME TRUTH GENERATION POLLS: ready soon, the datum right, and nothing else seen since it was resumed
arrived()
{
    local what=$1 name=$2 truth=$3 generation=$4 polls=$5 wrong
    if ! bed_wait_state "$name" ready 60; then
        not_ok "$what-ready" "$(bed_state_line "$name")"
        return
    fi
    is "$what-truth" "$(bed_datum_faults "$(bed_datum "$name")" "$truth")" ""
    is "$what-generation" "$(bed_datum "$name" | bed_datum_attribute memctx generation)" "$generation"
    wrong=$(bed_wrong_polls "$polls" "$truth")
    is "$what-no-stale-datum" "${wrong%%$'\n'*}" ""
}

save_and_restore()
{
    local truth polls="$BED_DIR/log/polls-restore"
    bed_create restore
    bed_wait_up restore 60 && bed_wait_state restore ready 60
    truth=$(bed_truth restore)
    bed_virsh save restore "$BED_DIR/home/saved" > /dev/null
    bed_poll_metadata restore "$polls"
    bed_virsh restore "$BED_DIR/home/saved" > /dev/null
    arrived restore restore "$truth" 1 "$polls"
    bed_kill "$BED_POLLER"
    # After a reset since: the image has the first kernel's datum, and its memory.
    bed_virsh reset restore > /dev/null
    bed_wait_up restore 60 2
    bed_until 60 has_generation restore 2
    truth=$(bed_truth restore)
    bed_virsh save restore "$BED_DIR/home/saved" > /dev/null
    : > "$polls"
    bed_poll_metadata restore "$polls"
    bed_virsh restore "$BED_DIR/home/saved" > /dev/null
    arrived restore-after-reset restore "$truth" 2 "$polls"
    bed_kill "$BED_POLLER"
    bed_destroy restore
}

has_generation() { bed_datum "$1" | grep -q "generation=[\"']$2[\"']"; }

managed_save()
{
    local truth polls="$BED_DIR/log/polls-managed"
    bed_domain_xml managed > "$BED_DIR/config/managed.xml"
    bed_virsh define "$BED_DIR/config/managed.xml" > /dev/null
    bed_virsh start managed > /dev/null
    bed_wait_up managed 60 && bed_wait_state managed ready 60
    truth=$(bed_truth managed)
    bed_virsh managedsave managed > /dev/null
    bed_poll_metadata managed "$polls"
    bed_virsh start managed > /dev/null
    arrived managedsave managed "$truth" 1 "$polls"
    bed_kill "$BED_POLLER"
    bed_destroy managed
    # The next start is a new run.
    rm -f "$(bed_console managed)"
    bed_virsh start managed > /dev/null
    bed_wait_up managed 60 && bed_wait_state managed ready 60
    is managed-new-run-generation "$(bed_datum managed | bed_datum_attribute memctx generation)" 1
    is managed-new-run-truth "$(bed_datum_faults "$(bed_datum managed)" "$(bed_truth managed)")" ""
    bed_destroy managed
    bed_virsh undefine managed > /dev/null
}

# A snapshot of memory needs a disk that can hold it.
snapshot()
{
    local before polls="$BED_DIR/log/polls-snapshot"
    bed_as_user qemu-img create -q -f qcow2 "$BED_DIR/home/disk" 64M
    bed_domain_xml snapshot |
        sed "s,<devices>,&<disk type='file'><driver name='qemu' type='qcow2'/><source file='$BED_DIR/home/disk'/><target dev='vda' bus='virtio'/></disk>," \
        > "$BED_DIR/config/snapshot.xml"
    bed_virsh define "$BED_DIR/config/snapshot.xml" > /dev/null
    bed_virsh start snapshot > /dev/null
    bed_wait_up snapshot 60 && bed_wait_state snapshot ready 60
    before=$(bed_truth snapshot)
    bed_virsh snapshot-create-as snapshot earlier > /dev/null
    bed_virsh reset snapshot > /dev/null
    bed_wait_up snapshot 60 2
    bed_until 60 has_generation snapshot 2 || not_ok snapshot-reset "no second datum"
    bed_virsh snapshot-revert snapshot earlier > /dev/null
    bed_poll_metadata snapshot "$polls"
    arrived snapshot-revert snapshot "$before" 1 "$polls"
    bed_kill "$BED_POLLER"
    bed_destroy snapshot
    bed_virsh undefine snapshot --snapshots-metadata > /dev/null
}

# A second libvirtd, which must not say that it is the first one's host.
there_start()
{
    mkdir -m 700 "$BED_DIR/there" "$BED_DIR"/there/{run,config,config/libvirt}
    cp "$BED_DIR/config/libvirt/qemu.conf" "$BED_DIR/there/config/libvirt/"
    printf '%s\n' 'log_outputs = "3:stderr"' 'host_uuid = "7d2f1a3c-4a61-4d8e-9d43-0123456789ab"' \
        > "$BED_DIR/there/libvirtd.conf"
    [ "$(id -u)" != 0 ] || chown -R "$BED_USER:$BED_GROUP" "$BED_DIR/there"
    bed_spawn "$BED_DIR/log/there.log" env "XDG_RUNTIME_DIR=$BED_DIR/there/run" \
        "XDG_CONFIG_HOME=$BED_DIR/there/config" tini -s -- libvirtd -f "$BED_DIR/there/libvirtd.conf"
    there_libvirtd=$BED_SPAWNED
    bed_until 60 there virsh -q -c $there_uri uri || bed_die "no second libvirtd"
    bed_spawn "$BED_DIR/log/there-memctxd.log" env "XDG_RUNTIME_DIR=$BED_DIR/there/run" \
        "XDG_CONFIG_HOME=$BED_DIR/there/config" "$BED_DIR/bin/memctxd" -c $there_uri --log-level debug
    there_agent=$BED_SPAWNED
    bed_until 60 there "$BED_DIR/bin/memctx" list || bed_die "no second memctxd"
}

there_ready() { there "$BED_DIR/bin/memctx" list | grep -w migrate | grep -qw ready; }
there_datum() { there virsh -q -c $there_uri metadata migrate "$BED_NS"; }
# Of a datum all but when and how it was found: nobody there saw the kernel run before it came.
facts() { sed -e 's/ published="[^"]*"//' -e '/<evidence /d'; }
gone_here() { [ -z "$(bed_state_line migrate)" ]; }

migration()
{
    local truth before
    there_start
    bed_domain_xml migrate | sed "/<serial type='unix'>/d" > "$BED_DIR/config/migrate.xml"
    bed_virsh create "$BED_DIR/config/migrate.xml" > /dev/null
    bed_wait_up migrate 60 && bed_wait_state migrate ready 60
    truth=$(bed_truth migrate)
    before=$(bed_datum migrate)
    bed_spawn "$BED_DIR/log/polls-there" env "XDG_RUNTIME_DIR=$BED_DIR/there/run" \
        "XDG_CONFIG_HOME=$BED_DIR/there/config" "$BED_DIR/bin/metapoll" $there_uri migrate 10
    BED_POLLER=$BED_SPAWNED
    bed_virsh migrate --live migrate "qemu+unix:///session?socket=$BED_DIR/there/run/libvirt/libvirt-sock" \
        --migrateuri "unix://$BED_DIR/there/run/migration" > /dev/null
    if bed_until 60 there_ready; then
        is migration-truth "$(bed_datum_faults "$(there_datum)" "$truth")" ""
        is migration-same-datum "$(there_datum | facts)" "$(facts <<< "$before")"
        is migration-no-other "$(bed_wrong_polls "$BED_DIR/log/polls-there" "$truth")" ""
    else
        not_ok migration-ready "$(tail -n 1 "$BED_DIR/log/there-memctxd.log")"
    fi
    if bed_until 60 gone_here; then ok migration-gone-here; else not_ok migration-gone-here "$(bed_state_line migrate)"; fi
    bed_kill "$BED_POLLER"
    there virsh -q -c $there_uri destroy migrate > /dev/null
    bed_kill "$there_agent"
    bed_kill "$there_libvirtd"
}

bed_start
bed_agent_start
save_and_restore
managed_save
snapshot
migration
finish
