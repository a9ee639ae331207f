#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Are there packages of this tree that a Debian host takes, uses, upgrades, and is rid of again?
#
#   tests/packages.sh [RELEASE [STEP...]]     as root, with debootstrap; RELEASE is this machine's own unless named
#
# Steps, all of them but rpm in this order unless some are named:
#   tools     a system with what the build needs, kept for the next time
#   build     the packages, with their tests
#   again     once more, elsewhere and without tests: they have the same bytes
#   lintian   it has nothing to say about them, not even pedantic things; nor has rpmlint of the spec file
#   host      a system with libvirt and QEMU, kept likewise, and the packages
#   guest     packaging/debian/tests: a guest, from the packages to its datum; a program built with libmemctx-dev
#   upgrade   to a later version; what an administrator changed stays
#   remove    configuration stays
#   purge     everything is as before
#   rpm       rpmbuild builds packages by the spec file, and rpmlint has no fault to find
# The last line is "N passed, N failed, N skipped".
#
#   MEMCTX_CHROOTS  as for chroot.sh; RELEASE-build and RELEASE-host are the chroots
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
steps=(tools build again lintian host guest upgrade remove purge)
passed=0 failed=0

# shellcheck source=tests/bed/chroot.sh
. "$top/tests/bed/chroot.sh"
# shellcheck source=tests/bed/source.sh
. "$top/tests/bed/source.sh"

in_build() { chroot_run "$release" "$chroots/$release-build" "$@"; }
in_host() { chroot_run "$release" "$chroots/$release-host" "$@"; }
# shellcheck disable=SC2016 # for the shell inside
install_inside='DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@"'
apt_in() { "in_$1" root sh -c "$install_inside" sh "${@:2}"; }

# kept NAME KEY...: is $chroots/RELEASE-NAME what the last run left, for the same KEYs? 1, and a bare system there, if not
kept()
{
    local root="$chroots/$release-$1"
    shift
    [ "$(cat "$root/.made-for" 2> /dev/null)" != "$*" ] || return 0
    chroot_fresh "$release" "$root"
    return 1
}

made_for() { echo "${*:2}" > "$chroots/$release-$1/.made-for"; }

# ---- building -------------------------------------------------------------------------------------------

build_tools=(build-essential debhelper fakeroot lintian rpm rpmlint)

tools()
{
    local root="$chroots/$release-build" key
    key=$(sed -n '/^Build-Depends:/,/^$/p' "$top/packaging/debian/control" | xargs)
    if ! kept build "${build_tools[*]} $key"; then
        apt_in build update && apt_in build install "${build_tools[@]}" && in_build root useradd --create-home builder &&
            mkdir -p "$root/build/deps/debian" && cp "$top/packaging/debian/control" "$root/build/deps/debian/" &&
            apt_in build build-dep /build/deps || return 1
        made_for build "${build_tools[*]} $key"
    fi
    copy_source "$top" "$root/build/source" && rm -rf "$root"/build/{first,second,rpm} &&
        in_build root chown -R builder: /build
}

# package DIRECTORY binary|full VARIABLE=VALUE...
package()
{
    in_build builder env HOME=/home/builder "${@:3}" /build/source/packaging/build-deb.sh "/build/$1" "--build=$2" --no-sign
}

build() { package first full "DEB_BUILD_OPTIONS=parallel=$(nproc)"; }

again()
{
    local name bad=0
    package second binary "DEB_BUILD_OPTIONS=nocheck parallel=$(($(nproc) + 1))" TZ=Asia/Tokyo LC_ALL=C || return 1
    for name in "$chroots/$release-build"/build/first/*.deb; do
        cmp "$name" "${name/\/first\//\/second\/}" || bad=1
    done
    [ -e "$name" ] && return $bad
}

rpmlint_says_nothing() { in_build builder rpmlint --strict -r /build/source/packaging/rpm/memctxd.rpmlintrc "$@"; }

# shellcheck disable=SC2016 # for the shell inside
lintian()
{
    in_build builder sh -c 'exec lintian "$@" /build/first/memctxd_*.changes' sh --pedantic --display-info --fail-on error,warning,info,pedantic &&
        rpmlint_says_nothing /build/source/packaging/rpm/memctxd.spec
}

# Debian's rpm knows neither Fedora's macros of systemd nor Debian's packages by their names there.
rpm()
{
    local version
    version=$(sed -n 's/^Version: *//p' "$top/packaging/rpm/memctxd.spec")
    # shellcheck disable=SC2016 # for the shell inside
    in_build builder sh -c '
        rm -rf /build/rpm && mkdir -p /build/rpm/SOURCES && cd /build &&
            tar --transform "s,^source,memctxd-$1," -czf "rpm/SOURCES/memctxd-$1.tar.gz" source &&
            rpmbuild -ba --nodeps --nocheck --define "_topdir /build/rpm" --define "_unitdir /usr/lib/systemd/system" \
                --define "_sysusersdir /usr/lib/sysusers.d" --define "_pkgdocdir /usr/share/doc/memctxd" \
                --define "systemd_requires %{nil}" source/packaging/rpm/memctxd.spec' sh "$version" &&
        in_build builder sh -c 'rpmlint --strict -r /build/source/packaging/rpm/memctxd.rpmlintrc /build/rpm/RPMS/*/*.rpm \
            /build/rpm/SRPMS/*.rpm'
}

# ---- a host ---------------------------------------------------------------------------------------------

# What the tests of the packages want beside them, as packaging/debian/tests/control has it
host_tools()
{
    sed -n '/^Depends:/,/^[A-Z]/p' "$top/packaging/debian/tests/control" | sed 's/^Depends://' | grep -v '^[A-Z]' |
        tr ', ' '\n\n' | grep -vE '^(lib)?memctx' | sort -u | xargs
}

debs() { find "$chroots/$release-build/build/first" -name '*.deb' ! -name '*-dbgsym_*' -printf '%P\n'; }

# Everything in the host's root with modes and owners, but what package managers change on their way, and libvirtd
everything()
{
    (cd "$chroots/$release-host" && find . -xdev \( -path ./build -o -path ./var/cache -o -path ./var/lib/apt \
        -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./tmp -o -path ./run/libvirt -o -path ./.made-for \) -prune -o \
        ! -type d -printf '%p %M %u %g %l\n' -o -type d -printf '%p %M %u %g\n' | sort)
    (cd "$chroots/$release-host" && cat etc/passwd etc/group)
}

host()
{
    local root="$chroots/$release-host" wanted
    wanted=$(host_tools)
    if ! kept host "$wanted"; then
        # shellcheck disable=SC2086 # several words
        apt_in host update && apt_in host install $wanted || return 1
        made_for host "$wanted"
    fi
    rm -rf "$root/build" && mkdir -p "$root/build" && everything > "$chroots/$release.before" || return 1
    # Until purge has put it back.
    rm -f "$root/.made-for"
    cp "$chroots/$release-build/build/first/"*.deb "$root/build/" && rm -f "$root"/build/*-dbgsym_* &&
        copy_source "$top" "$root/build/source" || return 1
    # shellcheck disable=SC2046 # several words
    apt_in host install $(debs | sed 's,^,/build/,')
}

# One that skips itself shows nothing.
guest()
{
    local name said
    for name in library guest; do
        said=$(in_host root "/build/source/packaging/debian/tests/$name" 2>&1) || { echo "$said"; return 1; }
        echo "$said"
        ! grep -q '^skip ' <<< "$said" || return 1
    done
}

# As a later release would be: with another default in the configuration.
later_version()
{
    local root="$chroots/$release-host" name
    for name in $(debs); do
        in_host root sh -c 'cd /build && rm -rf later && dpkg-deb -R "$1" later && sed -i "s/^Version: .*/&.1/; s/(= [^)]*/&.1/" \
            later/DEBIAN/control && { [ ! -e later/etc/memctxd/memctxd.conf ] || echo "# later" >> later/etc/memctxd/memctxd.conf; } &&
            dpkg-deb -b later "later_$1"' sh "$name" || return 1
    done
}

upgrade()
{
    local conf="$chroots/$release-host/etc/memctxd/memctxd.conf"
    later_version || return 1
    echo '# by hand' >> "$conf"
    touch "$chroots/$release-host/etc/memctxd/hooks.d/mine"
    # shellcheck disable=SC2046 # several words
    in_host root dpkg --force-confold --install $(debs | sed 's,^,/build/later_,') && grep -qx '# by hand' "$conf" &&
        ! grep -qx '# later' "$conf" && grep -qx '# later' "$conf.dpkg-dist" && in_host root memctxd --check-config
}

remove()
{
    apt_in host remove memctxd memctx libmemctx1 libmemctx-dev &&
        grep -qx '# by hand' "$chroots/$release-host/etc/memctxd/memctxd.conf" &&
        [ ! -e "$chroots/$release-host/usr/sbin/memctxd" ]
}

purge()
{
    local root="$chroots/$release-host"
    rm "$root/etc/memctxd/hooks.d/mine"
    in_host root dpkg --purge memctxd memctx libmemctx1 libmemctx-dev || return 1
    rm -rf "$root/build"
    diff "$chroots/$release.before" <(everything) && made_for host "$(host_tools)"
}

# ---- all of it ------------------------------------------------------------------------------------------

# step NAME: its output goes to a log, whose end is shown when it fails.
step()
{
    local start=$SECONDS log="$chroots/$release.logs/packages-$1.log"
    if "$1" > "$log" 2>&1 < /dev/null; then
        echo "ok packages-$1 ($((SECONDS - start)) s)"
        passed=$((passed + 1))
    else
        echo "not ok packages-$1 ($((SECONDS - start)) s), see $log:"
        tail -n 40 "$log" | sed 's/^/    /'
        failed=$((failed + 1))
        return 1
    fi
}

can() { [ "$(id -u)" = 0 ] && command -v debootstrap > /dev/null && unshare --mount --pid --fork true 2> /dev/null; }

main()
{
    local name
    release=${1:-$(bed_release)}
    [ $# = 0 ] || shift
    [ $# != 0 ] || set -- "${steps[@]}"
    for name in "$@"; do
        [[ " ${steps[*]} rpm " == *" $name "* ]] || { echo "packages.sh: unknown step $name" >&2; exit 2; }
    done
    if ! can; then
        echo "skip packages: needs root, debootstrap and mount namespaces"
        echo "0 passed, 0 failed, 1 skipped"
        exit 0
    fi
    mkdir -p "$chroots/$release.logs"
    for name in "$@"; do
        # Without these nothing that comes after can be.
        step "$name" || case "$name" in tools|build|host) break ;; esac
    done
    echo "$passed passed, $failed failed, 0 skipped"
    [ "$failed" = 0 ]
    exit
}

main "$@"
