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

# bed_kernel [PACKAGE | RELEASE/FLAVOUR]: prints the path of its vmlinuz, readable by the user. A package is the
# machine's own; RELEASE is any of Debian's and FLAVOUR how its kernels' names end, maybe with the version before it:
# sid/cloud-amd64, bookworm/686-pae, bullseye/5.10-amd64. 1 when it cannot be had.
bed_kernel()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    case "${1-}" in
        */*) name=${1/\//-} ;;
        *) name=${1:-$(bed_default_kernel)} ;;
    esac
    if [ ! -d "$BED_CACHE/$name" ]; then
        case "${1-}" in
            */*) bed_fetch_flavour "${1%%/*}" "${1#*/}" "$name" ;;
            *) bed_fetch_kernel "$name" ;;
        esac || { echo "bed: cannot fetch kernel $name" >&2; exit 1; }
    fi
    echo "$BED_CACHE/$name"/vmlinuz*
)

# bed_vmlinux [PACKAGE]: prints the path of its vmlinux with debugging information, of the package that is named so
# with -dbg; 1 when there is none to be had. Some 600 MB; a quarter of a minute when it is not there yet.
bed_vmlinux()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    package=${1:-$(bed_default_kernel)}-dbg
    [ -d "$BED_CACHE/$package" ] || bed_fetch_vmlinux "$package" || return 1
    echo "$BED_CACHE/$package"/vmlinux-*
)

bed_fetch_vmlinux()
{
    local new status=0
    new=$(mktemp -d "$BED_CACHE/new.XXXXXX")
    mkdir "$new/out"
    { (cd "$new" && bed_download "$1") &&
        dpkg --fsys-tarfile "$new"/*.deb | tar -x -C "$new/out" --wildcards --transform='s,.*/,,' '*/boot/vmlinux-*' &&
        chmod -R a+rX "$new/out" && mv -T "$new/out" "$BED_CACHE/$1"; } || status=1
    rm -rf "$new"
    return $status
}

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

# bed_fetch_modules PACKAGE NAME MODULE...: into $BED_CACHE/NAME, numbered in this order
bed_fetch_modules()
{
    local package=$1 name=$2 new module number=10
    shift
    new=$(mktemp -d "$BED_CACHE/new.XXXXXX")
    mkdir "$new/modules"
    (cd "$new" && bed_download "$package" && dpkg -x ./*.deb all) || { rm -rf "$new"; return 1; }
    for module in "${@:2}"; do
        find "$new/all" -name "$module.ko" -exec cp {} "$new/modules/$number-$module.ko" \;
        number=$((number + 1))
    done
    [ "$(find "$new/modules" -name '*.ko' | wc -l)" != $(($# - 1)) ] || mv -T "$new/modules" "$BED_CACHE/$name"
    rm -rf "$new"
    [ -d "$BED_CACHE/$name" ]
}

# bed_modules_initramfs [MODULE...]: as bed_initramfs, with some modules of the default kernel that the guest loads first
bed_modules_initramfs()
(
    [ $# != 0 ] || set -- tls fat dummy bonding
    base=$(bed_initramfs)
    exec 9> "$BED_CACHE/lock"
    flock 9
    package=$(bed_default_kernel)
    name=modules-$package-$(echo "$*" | sha256sum | cut -c 1-8)
    [ -d "$BED_CACHE/$name" ] || bed_fetch_modules "$package" "$name" "$@" || exit 1
    image="$BED_CACHE/modules-$(echo "$base $name" | sha256sum | cut -c 1-16).gz"
    if [ ! -e "$image" ]; then
        tree=$(mktemp -d "$BED_CACHE/new.XXXXXX")
        cp -r "$BED_CACHE/$name" "$tree/modules"
        (cd "$tree" && find modules | cpio --quiet -o -H newc | gzip -1) | cat "$base" - > "$image.new"
        chmod 644 "$image.new"
        mv "$image.new" "$image"
        rm -rf "$tree"
    fi
    echo "$image"
)

# ---- other releases and architectures ----------------------------------------------------------------------------

bed_release() { (. /etc/os-release && echo "$VERSION_CODENAME"); }

# Prints the machine's package sources made those of another release, from the same places and with the same keys.
bed_sources()
{
    local place suite own
    own=$(bed_release)
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sort -u |
        while read -r place suite; do
            case "$suite" in
                "$own"*) echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $place $1${suite#"$own"} main" ;;
            esac
        done
}

# bed_apt RELEASE ARCHITECTURE PROGRAM ARGUMENT...: apt as on a machine of that release and architecture, with lists of
# its own, so that nothing of this machine changes. Some of the lists may be out of date or not there.
bed_apt()
{
    local dir="$BED_CACHE/apt-$1-$2" arch=$2 program=$3
    if [ ! -d "$dir" ]; then
        mkdir -p "$dir.new/lists/partial" "$dir.new/cache/archives/partial"
        bed_sources "$1" > "$dir.new/sources.list"
        mv "$dir.new" "$dir"
        bed_apt "$1" "$2" apt-get update >&2 || true
    fi
    shift 3
    "$program" -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User=root \
        -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" "$@"
}

# bed_fetch RELEASE ARCHITECTURE PACKAGE PATTERN NAME: keep those files of the package in $BED_CACHE/NAME
bed_fetch()
{
    local new status=0
    new=$(mktemp -d "$BED_CACHE/new.XXXXXX")
    mkdir "$new/out"
    { (cd "$new" && bed_apt "$1" "$2" apt-get download "$3" >&2) && dpkg -x "$new"/*.deb "$new/all" &&
        find "$new/all" -type f -path "$new/all/$4" -exec cp {} "$new/out/" \; &&
        [ -n "$(ls "$new/out")" ] && chmod -R a+rX "$new/out" && mv -T "$new/out" "$BED_CACHE/$5"; } || status=1
    rm -rf "$new"
    return $status
}

bed_arch_of() { case "$1" in *-686*|686*) echo i386 ;; *arm64*) echo arm64 ;; *) echo amd64 ;; esac; }

# bed_packages RELEASE FLAVOUR: kernels of that flavour, the newest first. From Linux 7.1 or so on linux-image is empty
# and linux-binary has the file.
bed_packages()
{
    local version='[0-9]+[.][0-9]+' flavour=$2
    case "$flavour" in [0-9]*.*) version=${flavour%%-*} flavour=${flavour#*-} ;; esac
    bed_apt "$1" "$(bed_arch_of "$2")" apt-cache search --names-only '^linux-(image|binary)-[0-9]' | cut -d ' ' -f 1 |
        sed -nE "s/^linux-(image|binary)-(${version}[.].*[0-9]-$flavour(-unsigned)?)\$/\2 &/p" | sort -Vr | cut -d ' ' -f 2
}

# The newest one that can be had: a package source may lag behind its own lists.
bed_fetch_flavour()
{
    local package
    for package in $(bed_packages "$1" "$2" | head -n 24); do
        ! bed_fetch "$1" "$(bed_arch_of "$2")" "$package" '*/vmlinuz*' "$3" 2> /dev/null || return 0
    done
    return 1
}

# bed_kernel_arm64 cloud-arm64|arm64-16k|...: of Linux 6.1; those of 16 KiB pages of 6.12
bed_kernel_arm64()
{
    case "$1" in
        *-16k) bed_kernel "$(bed_release)/6.12-$1" ;;
        *) bed_kernel "$(bed_release)/6.1-$1" ;;
    esac
}

# bed_initramfs_foreign ARCH: as bed_initramfs, with a busybox that such a kernel can run
bed_initramfs_foreign()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    [ -d "$BED_CACHE/$1-busybox-static" ] ||
        bed_fetch "$(bed_release)" "$1" busybox-static '*/busybox' "$1-busybox-static" || exit 1
    bed_pack_initramfs "$BED_CACHE/$1-busybox-static/busybox"
)
