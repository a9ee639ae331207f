#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Does a fresh Debian of some release install what the build needs, build without a warning, and pass "make check"?
#
#   tests/chroot.sh SUITE [STEP...]     as root, with debootstrap; SUITE is bookworm, trixie, ...
#
# Steps, all of them in this order unless some are named:
#   fresh           unpack the bare system (made by debootstrap the first time)
#   build-packages  tests/bed/install.sh --build
#   in-tree         README's recipe, by an ordinary user
#   out-of-tree     the same in a directory beside the source, by root
#   tarball         what "make dist" packed, out of tree, by root
#   all-packages    tests/bed/install.sh
#   clang           out of tree with clang
# Each builds a clean copy of this tree with --enable-werror and runs "make check". The last line is
# "N passed, N failed, N skipped".
#
#   MEMCTX_CHROOTS  where SUITE.tar (the bare system), SUITE (the chroot, kept) and SUITE.debs (packages) are
#                   (default: /var/cache/memctx-chroots)
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
steps=(fresh build-packages in-tree out-of-tree tarball all-packages clang)
passed=0 failed=0

# shellcheck source=tests/bed/chroot.sh
. "$top/tests/bed/chroot.sh"
# shellcheck source=tests/bed/source.sh
. "$top/tests/bed/source.sh"

fresh() { chroot_fresh "$release" "$root" && inside root useradd --create-home builder; }
inside() { mkdir -p "$root/build" && chroot_run "$release" "$root" "$@"; }

# ---- steps ----------------------------------------------------------------------------------------------

packages() { copy_source "$top" "$root/build/source" && inside root bash /build/source/tests/bed/install.sh "$@"; }
build-packages() { packages --build; }
all-packages() { packages; }

# build USER SOURCE DIRECTORY [VARIABLE=VALUE]...: configure, make, make check; both directories are below /build.
# shellcheck disable=SC2016 # for the shell inside
build()
{
    local user=$1 source=$2 dir=$3
    shift 3
    inside "$user" sh -c '
        source=$1 dir=$2
        shift 2
        mkdir -p "/build/$dir" && cd "/build/$dir" && "/build/$source/configure" -q --enable-werror "$@" &&
            make -j"$(nproc)" && make -j"$(nproc)" check || {
                status=$?
                grep -v "^PASS" test-suite.log
                exit $status
            }' sh "$source" "$dir" "$@"
}

# prepared USER NAME: a copy of this tree that the user may build, in /build/NAME
prepared()
{
    copy_source "$top" "$root/build/$2" && inside root chown -R "$1" "/build/$2" &&
        inside "$1" autoreconf -fi "/build/$2"
}

in-tree() { prepared builder in-tree && build builder in-tree in-tree; }
out-of-tree() { rm -rf "$root/build/beside" && prepared root outside && build root outside beside; }
clang() { rm -rf "$root/build/clang" && prepared root outside && build root outside clang CC=clang; }

# Needs the directory of out-of-tree.
# shellcheck disable=SC2016 # for the shell inside
tarball()
{
    rm -rf "$root"/build/{packed,packed-beside}
    inside root sh -c 'cd /build/beside && make dist && mkdir /build/packed &&
        tar -C /build/packed --strip-components=1 -xf memctxd-*.tar.gz' && build root packed packed-beside
}

# step NAME: its output goes to a log, whose end is shown when it fails.
step()
{
    local start=$SECONDS log="$chroots/$release.logs/$1.log"
    if "$1" > "$log" 2>&1 < /dev/null; then
        echo "ok $release-$1 ($((SECONDS - start)) s)$(sed -n 's/^# PASS: */, tests passed: /p' "$log")"
        passed=$((passed + 1))
    else
        echo "not ok $release-$1 ($((SECONDS - start)) s), see $log:"
        tail -n 40 "$log" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
}

main()
{
    local name
    [ "$(id -u)" = 0 ] || { echo "chroot.sh: must be root" >&2; exit 1; }
    command -v debootstrap > /dev/null || { echo "chroot.sh: needs debootstrap" >&2; exit 1; }
    [ $# -ge 1 ] || { sed -n '6,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
    release=$1
    root="$chroots/$release"
    shift
    mkdir -p "$chroots/$release.logs"
    [ $# != 0 ] || set -- "${steps[@]}"
    for name in "$@"; do
        case " ${steps[*]} " in
            *" $name "*) step "$name" ;;
            *) echo "chroot.sh: unknown step $name" >&2; exit 2 ;;
        esac
    done
    echo "$passed passed, $failed failed, 0 skipped"
    [ "$failed" = 0 ]
    exit
}

main "$@"
