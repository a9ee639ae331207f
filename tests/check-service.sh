#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What is installed around the service: the unit is as closed as it was measured to be, its list of system calls names
# each one once, its user can be made, polkit lets it do what SECURITY.md says, no more, and what is for security modules
# compiles.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
unit=$build/agent/service/memctxd.service
service=$top/agent/service
failures=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The exposure that systemd-analyze reckons, times ten; it prints the unit's when that is more.
threshold=11

fail()
{
    echo "check-service: $*" >&2
    failures=$((failures + 1))
}

permissions() { grep -oE '"?\b(connect|domain)\.[a-z-]+\b"?|`(connect|domain)\.[a-z-]+`' | tr -d '"`' | sort -u; }

check_exposure()
{
    command -v systemd-analyze > /dev/null || { echo "no systemd-analyze: the unit's exposure is not looked at"; return; }
    # 250 has --offline and --threshold; older ones ask the running systemd.
    systemd-analyze security --help 2>&1 | grep -q -- --offline || { echo "systemd-analyze is too old"; return; }
    systemd-analyze security --offline=true --threshold=$threshold --no-pager "$unit" > "$dir/said" 2>&1 ||
        fail "the unit is more exposed than $threshold: $(grep -E '✗|Overall' "$dir/said")"
}

check_calls()
{
    local twice
    twice=$(sed -n 's/^SystemCallFilter=//p' "$unit" | tr ' ' '\n' | sort | uniq -d | xargs)
    [ -z "$twice" ] || fail "system calls that are named twice: $twice"
    ! grep -E '^SystemCallFilter=.*[@~]' "$unit" || fail "the list of system calls names a set"
}

check_user()
{
    command -v systemd-sysusers > /dev/null || { echo "no systemd-sysusers: the user is not made"; return; }
    mkdir "$dir/etc"
    systemd-sysusers --root="$dir" "$service/memctxd.sysusers" > "$dir/said" 2>&1 ||
        { fail "systemd-sysusers: $(< "$dir/said")"; return; }
    grep -q '^memctxd:.*:/:.*nologin$' "$dir/etc/passwd" && grep -q '^memctxd:' "$dir/etc/group" ||
        fail "no user memctxd, or no group: $(grep memctxd "$dir/etc/passwd")"
    grep -qx User=memctxd "$unit" || fail "the unit has another user"
}

check_polkit()
{
    local said rule
    said=$(sed -n '/^# Security/,/^So the process/p' "$top/SECURITY.md" | permissions)
    rule=$(sed -n 's/.*"org\.libvirt\.api\.\(.*\)".*/\1/p' "$service/memctxd.rules" | sort -u)
    [ -n "$rule" ] && [ "$said" = "$rule" ] ||
        fail "SECURITY.md has the permissions" $said "and the polkit rule" $rule
}

# parses FILE: by AppArmor's compiler, and not into the kernel
parses()
{
    apparmor_parser -Q --skip-kernel-load --skip-cache "$1" > "$dir/said" 2>&1 || fail "apparmor_parser: $(< "$dir/said")"
}

check_apparmor()
{
    # /usr/sbin may not be in the PATH of whoever builds.
    PATH=$PATH:/usr/sbin:/sbin
    command -v apparmor_parser > /dev/null || { echo "no apparmor_parser: the profile is not compiled"; return; }
    parses "$build/agent/service/apparmor/memctxd"
    { echo 'profile libvirt-x {'; cat "$service/apparmor/libvirt-qemu"; echo '}'; } > "$dir/qemu"
    parses "$dir/qemu"
}

check_selinux()
{
    command -v checkmodule > /dev/null || { echo "no checkmodule: the SELinux module is not compiled"; return; }
    checkmodule -M -m -o "$dir/memctxd.mod" "$service/selinux/memctxd.te" > "$dir/said" 2>&1 ||
        fail "checkmodule: $(< "$dir/said")"
}

check_apparmor
check_selinux
check_exposure
check_calls
check_user
check_polkit
[ "$failures" = 0 ]
