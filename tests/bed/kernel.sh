# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Where the guests' kernel and initramfs come from: the machine's own package source; sourced by bed.sh.

# What the meta package stands for today, remembered so that the next run needs no package lists.
bed_default_kernel()
{
    local remembered="$BED_CACHE/default-kernel" package
    if [ ! -s "$remembered" ]; then
        package=$(bed_cloud_kernel)
        if [ -z "$package" ]; then
            apt-get -qq update >&2 || true
            package=$(bed_cloud_kernel)
        fi
        [ -n "$package" ] || bed_die "apt knows no linux-image-cloud-amd64"
        echo "$package" > "$remembered"
    fi
    cat "$remembered"
}

bed_cloud_kernel()
{
    apt-cache depends linux-image-cloud-amd64 2> /dev/null |
        sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

# Download package $1 into the current directory. Old package lists name files that are gone: then read them anew.
bed_download()
{
    apt-get -qq -o APT::Sandbox::User=root download "$1" >&2 || { apt-get -qq update >&2 || true; apt-get -qq -o APT::Sandbox::User=root download "$1" >&2; }
}

# Only boot/ of the package is kept; renamed into place, so a kernel that is there is whole.
bed_fetch_kernel()
{
    local package=$1 new
    new=$(mktemp -d "$BED_CACHE/new.XXXXXX")
    (
        cd "$new"
        bed_download "$package"
        dpkg -x ./*.deb all
        mkdir out
        mv all/boot/* out/
        chmod -R a+rX out
    ) || { rm -rf "$new"; return 1; }
    chmod 755 "$new"
    mv -T "$new/out" "$BED_CACHE/$package"
    rm -rf "$new"
}

# bed_kernel [PACKAGE]: prints the path of its vmlinuz, readable by the user.
bed_kernel()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    package=${1:-$(bed_default_kernel)}
    [ -d "$BED_CACHE/$package" ] || bed_fetch_kernel "$package" || bed_die "cannot fetch $package"
    echo "$BED_CACHE/$package"/vmlinuz-*
)

bed_busybox()
{
    local path
    for path in /bin/busybox /usr/bin/busybox; do
        [ ! -x "$path" ] || { echo "$path"; return; }
    done
    bed_die "no busybox: run tests/bed/install.sh"
}

# bed_pack_initramfs BUSYBOX: of it and guest-init; made again when either changes. The caller has the lock.
bed_pack_initramfs()
{
    local key image tree
    key=$(cat "$1" "$BED_SRC/guest-init" | sha256sum | cut -c 1-16)
    image="$BED_CACHE/initramfs-$key.gz"
    if [ ! -e "$image" ]; then
        tree=$(mktemp -d "$BED_CACHE/new.XXXXXX")
        install -D -m 755 "$1" "$tree/bin/busybox"
        install -m 755 "$BED_SRC/guest-init" "$tree/init"
        (cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) > "$image.new"
        chmod 644 "$image.new"
        mv "$image.new" "$image"
        rm -rf "$tree"
    fi
    echo "$image"
}

# bed_initramfs: prints the path of an initramfs of busybox and guest-init.
bed_initramfs()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    bed_pack_initramfs "$(bed_busybox)"
)

# bed_kexec_initramfs [PACKAGE]: the same with a kernel in it, and the means to start that one from within.
bed_kexec_initramfs()
(
    base=$(bed_initramfs)
    kernel=$(bed_kernel "$@")
    exec 9> "$BED_CACHE/lock"
    flock 9
    key=$(echo "$base $kernel" | cat - "$BED_SRC/kexec.c" | sha256sum | cut -c 1-16)
    image="$BED_CACHE/kexec-$key.gz"
    if [ ! -e "$image" ]; then
        tree=$(mktemp -d "$BED_CACHE/new.XXXXXX")
        mkdir "$tree/bin" "$tree/boot"
        gcc -O2 -static -o "$tree/bin/kexec" "$BED_SRC/kexec.c"
        cp "$kernel" "$tree/boot/kernel"
        cp "$base" "$tree/boot/initrd"
        (cd "$tree" && find bin boot | cpio --quiet -o -H newc | gzip -1) | cat "$base" - > "$image.new"
        chmod 644 "$image.new"
        mv "$image.new" "$image"
        rm -rf "$tree"
    fi
    echo "$image"
)

# ---- i386 ------------------------------------------------------------------------------------------------

# apt as on a machine that also takes i386, with lists of its own, so that nothing of the machine changes.
bed_apt_i386()
{
    local program=$1 dir="$BED_CACHE/apt-i386"
    shift
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    "$program" -qq -o APT::Architectures::=amd64 -o APT::Architectures::=i386 -o APT::Sandbox::User=root \
        -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" "$@"
}

# The newest package of Linux 6.1 with this ending
bed_i386_package()
{
    bed_apt_i386 apt-cache search --names-only "^linux-image-6[.]1[.0-9]*-[0-9]*-$1-unsigned\$" |
        cut -d ' ' -f 1 | sort -V | tail -n 1
}

# Download package $1 for i386 and keep its file $2 (a pattern) in $BED_CACHE/i386-$1. Some of the lists may be out of
# date, which does not matter here.
bed_fetch_i386()
{
    local new status=0
    new=$(mktemp -d "$BED_CACHE/new.XXXXXX")
    mkdir "$new/out"
    # shellcheck disable=SC2086 # a pattern
    { (cd "$new" && bed_apt_i386 apt-get download "$1:i386" >&2) && dpkg -x "$new"/*.deb "$new/all" &&
        cp "$new"/all/$2 "$new/out/" && chmod -R a+rX "$new/out" && mv -T "$new/out" "$BED_CACHE/i386-$1"; } || status=1
    rm -rf "$new"
    return $status
}

# bed_kernel_i386 686|rt-686-pae: prints the path of its vmlinuz; 1 when there is none to be had. After
# bed_initramfs_i386, which gets the lists.
bed_kernel_i386()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    remembered="$BED_CACHE/default-kernel-$1"
    if [ ! -s "$remembered" ]; then
        package=$(bed_i386_package "$1")
        [ -n "$package" ] || return 1
        [ -d "$BED_CACHE/i386-$package" ] || bed_fetch_i386 "$package" 'boot/vmlinuz-*' || return 1
        echo "$package" > "$remembered"
    fi
    echo "$BED_CACHE/i386-$(cat "$remembered")"/vmlinuz-*
)

# bed_initramfs_i386: as bed_initramfs, with a busybox that a 32-bit kernel can run
bed_initramfs_i386()
(
    exec 9> "$BED_CACHE/lock"
    flock 9
    if [ ! -d "$BED_CACHE/i386-busybox-static" ]; then
        bed_apt_i386 apt-get update >&2 || true
        bed_fetch_i386 busybox-static bin/busybox || return 1
    fi
    bed_pack_initramfs "$BED_CACHE/i386-busybox-static/busybox"
)
