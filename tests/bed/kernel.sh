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

# bed_initramfs: prints the path of an initramfs of busybox and guest-init; made again when either changes.
bed_initramfs()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    busybox=$(bed_busybox)
    key=$(cat "$busybox" "$BED_SRC/guest-init" | sha256sum | cut -c 1-16)
    image="$BED_CACHE/initramfs-$key.gz"
    if [ ! -e "$image" ]; then
        tree=$(mktemp -d "$BED_CACHE/new.XXXXXX")
        install -D -m 755 "$busybox" "$tree/bin/busybox"
        install -m 755 "$BED_SRC/guest-init" "$tree/init"
        (cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) > "$image.new"
        chmod 644 "$image.new"
        mv "$image.new" "$image"
        rm -rf "$tree"
    fi
    echo "$image"
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
