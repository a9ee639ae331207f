# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A private libvirtd for qemu:///system, which needs directories of its own: a test calls bed_system_inside first, which
# runs it again in a mount namespace. Sourced after bed.sh.

bed_system_pids=()

# bed_system_inside NAME: only comes back in a mount namespace, or not at all.
bed_system_inside()
{
    if [ "$(id -u)" != 0 ] || ! unshare -m true 2> /dev/null; then
        echo "skip $1: needs root and mount namespaces"
        exit 0
    fi
    [ -n "${MEMCTX_SYSTEM_INSIDE-}" ] || MEMCTX_SYSTEM_INSIDE=1 exec unshare -m --propagation private "$0"
}

# bed_system_up WORK [LINE...]: until it answers; WORK is a directory for its log, each LINE one of libvirtd.conf.
# Debian's libvirtd wants the user libvirt-qemu before it has read its configuration. An unusable /dev/kvm would be
# probed again for every domain, for 10 s each: hide it.
bed_system_up()
{
    local dir work=$1
    shift
    bed_locked bed_add_user libvirt-qemu
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
    printf '%s\n' 'auth_unix_ro = "none"' 'unix_sock_ro_perms = "0777"' "$@" > /etc/libvirt/libvirtd.conf
    tini -s -- libvirtd -p /run/libvirt/d.pid -f /etc/libvirt/libvirtd.conf > "$work/libvirtd.log" 2>&1 &
    bed_system_pids+=($!)
    bed_until 60 virsh -q -c qemu:///system list
}

# bed_system_down DOMAIN...: and that what runs in the background
bed_system_down()
{
    local name
    for name in "$@"; do virsh -q -c qemu:///system destroy "$name" > /dev/null 2>&1 || true; done
    [ ${#bed_system_pids[@]} = 0 ] || kill "${bed_system_pids[@]}" 2> /dev/null || true
    wait
}
