#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# qemu:///system: QEMU under a user of its own, the agent as root, and as root with the unit's two capabilities only.
# libvirtd is private here, too: this runs in a mount namespace with directories of its own.
set -eu
if [ "$(id -u)" != 0 ] || ! unshare -m true 2> /dev/null; then
    echo "skip system: needs root and mount namespaces"
    exit 0
fi
if [ -z "${MEMCTX_SYSTEM_INSIDE-}" ]; then
    MEMCTX_SYSTEM_INSIDE=1 exec unshare -m --propagation private "$0"
fi
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

work=$(mktemp -d)
pids=()

down()
{
    virsh -q -c qemu:///system destroy 'system one' > /dev/null 2>&1 || true
    [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2> /dev/null || true
    wait
    rm -rf "$work"
}
trap down EXIT
trap 'exit 1' HUP INT TERM

# Debian's libvirtd wants this user before it has read its configuration. An unusable /dev/kvm would be probed again
# for every domain, for 10 s each: hide it.
up()
{
    local dir
    id libvirt-qemu > /dev/null 2>&1 || useradd --system --user-group --no-create-home libvirt-qemu
    for dir in /run/libvirt /run/memctxd /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /etc/libvirt; do
        mkdir -p "$dir"
        mount -t tmpfs -o mode=0755 none "$dir"
    done
    if [ -e /dev/kvm ]; then
        touch "$work/empty"
        mount --bind "$work/empty" /dev/kvm
        mount -o remount,ro,bind /dev/kvm
    fi
    printf '%s\n' 'namespaces = []' 'security_driver = "none"' 'cgroup_controllers = []' 'stdio_handler = "file"' \
        'remember_owner = 0' > /etc/libvirt/qemu.conf
    printf '%s\n' 'auth_unix_rw = "none"' > /etc/libvirt/libvirtd.conf
    tini -s -- libvirtd -p /run/libvirt/d.pid -f /etc/libvirt/libvirtd.conf > "$work/libvirtd.log" 2>&1 &
    pids+=($!)
    bed_until 30 virsh -q -c qemu:///system list
}

# domain [BACKING]: without, RAM is QEMU's own
domain()
{
    cat <<END
<domain type='qemu'>
  <name>system one</name>
  <memory unit='MiB'>1024</memory>
  <memoryBacking>${1:+$(bed_xml_backing "$1")}</memoryBacking>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$(bed_kernel)</kernel><initrd>$(bed_initramfs)</initrd><cmdline>quiet</cmdline>
  </os>
  <cpu mode='maximum'/>
</domain>
END
}

# ready WHAT COMMAND...: an agent started by that command publishes, and withdraws at its end.
ready()
{
    local what=$1 agent
    shift
    "$@" > "$work/agent.log" 2>&1 &
    agent=$!
    bed_until 10 "$BED_BUILD/memctx" -c qemu:///system list || true
    if "$BED_BUILD/memctx" -c qemu:///system wait 'system one' --timeout 60 > /dev/null 2>&1; then
        ok "$what-ready"
    else
        not_ok "$what-ready" "$(tail -n 1 "$work/agent.log")"
    fi
    if virsh -q -c qemu:///system metadata 'system one' "$BED_NS" > /dev/null 2>&1; then
        ok "$what-metadata"
    else
        not_ok "$what-metadata" "there is no datum"
    fi
    kill "$agent"
    wait "$agent" 2> /dev/null || true
    if virsh -q -c qemu:///system metadata 'system one' "$BED_NS" > /dev/null 2>&1; then
        not_ok "$what-withdrawn" "the datum stays behind"
    else
        ok "$what-withdrawn"
    fi
}

up || { not_ok system-up "$(tail -n 1 "$work/libvirtd.log")"; finish; }
domain memfd > "$work/domain.xml"
virsh -q -c qemu:///system create "$work/domain.xml" > /dev/null
is system-qemu-user "$(stat -c %U "/proc/$(cat '/run/libvirt/qemu/system one.pid')")" libvirt-qemu
ready root "$BED_BUILD/memctxd" -c qemu:///system
capabilities=(setpriv --bounding-set=-all,+sys_ptrace,+dac_read_search --inh-caps=-all)
ready two-capabilities "${capabilities[@]}" "$BED_BUILD/memctxd" -c qemu:///system
virsh -q -c qemu:///system destroy 'system one' > /dev/null
domain > "$work/domain.xml"
virsh -q -c qemu:///system create "$work/domain.xml" > /dev/null
ready two-capabilities-private "${capabilities[@]}" "$BED_BUILD/memctxd" -c qemu:///system
finish
