# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Other Debian systems in directories of their own, made with debootstrap; sourced by scripts that build there.
#
#   MEMCTX_CHROOTS  where RELEASE.tar (the bare system), RELEASE.debs (packages that were downloaded) and RELEASE.cache (what
#                   guest tests keep) are (default: /var/cache/memctx-chroots)

chroots=${MEMCTX_CHROOTS:-/var/cache/memctx-chroots}

# shellcheck source=tests/bed/kernel.sh
. "$(dirname "${BASH_SOURCE[0]}")/kernel.sh"

# chroot_bare RELEASE: make RELEASE.tar. Packages come from the places of this machine's own, and in the same way (proxy,
# certificates).
chroot_bare()
{
    local release=$1 new="$chroots/$1.new" mirror
    mirror=$(bed_sources "$release" | awk -v suite="$release" '$4 == suite { print $3; exit }')
    [ -n "$mirror" ] || { echo "this machine's apt has no place for $release"; return 1; }
    rm -rf "$new"
    mkdir -p "$chroots"
    debootstrap --variant=minbase "$release" "$new" "$mirror" || return 1
    bed_sources "$release" > "$new/etc/apt/sources.list"
    apt-config dump Acquire > "$new/etc/apt/apt.conf.d/50machine"
    cp /etc/hosts "$new/etc/hosts"
    rm -f "$new"/var/cache/apt/archives/*.deb
    tar -C "$new" -cf "$chroots/$release.tar.new" . && mv "$chroots/$release.tar.new" "$chroots/$release.tar" &&
        rm -rf "$new"
}

# chroot_fresh RELEASE ROOT: a bare system in ROOT, which is made anew
chroot_fresh()
{
    [ -e "$chroots/$1.tar" ] || chroot_bare "$1" || return 1
    rm -rf "${2:?}" && mkdir "$2" && tar -C "$2" -xf "$chroots/$1.tar"
}

# chroot_run RELEASE ROOT USER COMMAND...: in the chroot, with mounts and processes that end with the command. The root is a
# mount, too: who unshares mounts in there wants that.
# shellcheck disable=SC2016 # for the shell inside
chroot_run()
{
    local release=$1 root=$2
    shift 2
    mkdir -p "$chroots/$release.debs" "$chroots/$release.cache" "$root/var/cache/memctx-tests"
    unshare --mount --pid --fork --kill-child -- sh -c '
        kept=$1 root=$2 user=$3
        shift 3
        mount --bind "$root" "$root" &&
        mount -t proc proc "$root/proc" && mount -t sysfs -o ro sys "$root/sys" && mount --rbind /dev "$root/dev" &&
        mount -t tmpfs none "$root/dev/shm" && mount --bind "$kept.debs" "$root/var/cache/apt/archives" &&
        mount --bind "$kept.cache" "$root/var/cache/memctx-tests" || exit 1
        exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
            ${http_proxy+"http_proxy=$http_proxy"} ${https_proxy+"https_proxy=$https_proxy"} \
            chroot "$root" setpriv --reuid "$user" --regid "$user" --init-groups "$@"
    ' sh "$chroots/$release" "$root" "$@"
}
