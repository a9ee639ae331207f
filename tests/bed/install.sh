#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Install what building (--build) or building and testing memctxd needs on Debian; must not start any service.
set -eu

usage()
{
    echo "usage: install.sh [--build]"
    echo "  --build  only what configure, make and the unit tests need"
}

build_packages=(
    autoconf automake libtool make gcc libc6-dev pkg-config perl git
    libvirt-dev libxml2-dev libjson-c-dev libseccomp-dev libfuse3-dev
    # libkdumpfile.pc asks for zlib, and its package does not.
    libkdumpfile-dev zlib1g-dev
    libcmocka-dev libxml2-utils python3
)
test_packages=(
    valgrind clang clang-format cppcheck shellcheck codespell lcov
    libvirt-daemon libvirt-clients libvirt-daemon-driver-qemu
    qemu-system-x86 qemu-system-arm qemu-utils seabios ovmf
    fuse3 crash gdb makedumpfile python3-drgn python3-libkdumpfile python3-libvirt bpftool dwarves
    prometheus python3-prometheus-client
    tini busybox-static cpio gzip procps util-linux strace
    systemd apparmor checkpolicy debootstrap zsh fish
)

installed()
{
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]
}

missing()
{
    local package
    for package in "$@"; do
        installed "$package" || echo "$package"
    done
}

# The sanitizer runtime of clang is a package of its own, named after clang's version.
clang_runtime()
{
    local version
    version=$({ dpkg-query -W -f '${Depends}\n' clang 2>/dev/null ||
                apt-cache show clang 2>/dev/null; } |
              grep -o 'clang-[0-9]\+' | head -n 1) || true
    [ -z "$version" ] || echo "libclang-rt-${version#clang-}-dev"
}

# invoke-rc.d asks this file before it starts a service: 101 forbids it.
forbid_services()
{
    policy=/usr/sbin/policy-rc.d
    saved=
    if [ -e "$policy" ] || [ -L "$policy" ]; then
        saved=$(mktemp "$policy.XXXXXX")
        mv -f "$policy" "$saved"
    fi
    trap restore_policy EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
}

restore_policy()
{
    rm -f "$policy"
    [ -z "$saved" ] || mv -f "$saved" "$policy"
}

apt_get()
{
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

install_packages()
{
    [ "$(id -u)" = 0 ] || { echo "install.sh: must be root to install: $*" >&2; exit 1; }
    forbid_services
    # One dead third-party source must not stop us: the install below decides.
    apt_get update || true
    apt_get install --no-install-recommends "$@"
    restore_policy
    trap - EXIT
}

main()
{
    local wanted=("${build_packages[@]}" "${test_packages[@]}") lacking
    case "${1-}" in
        --build) wanted=("${build_packages[@]}") ;;
        "") ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac

    mapfile -t lacking < <(missing "${wanted[@]}")
    [ ${#lacking[@]} = 0 ] || install_packages "${lacking[@]}"
    [ "${1-}" != --build ] || return 0

    # Known for certain only now that clang is there.
    mapfile -t lacking < <(clang_runtime | while read -r p; do missing "$p"; done)
    [ ${#lacking[@]} = 0 ] || install_packages "${lacking[@]}"
}

main "$@"
