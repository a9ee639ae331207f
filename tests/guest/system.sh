#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# qemu:///system: QEMU under a user of its own, the agent as root, and as root with the unit's two capabilities only;
# what memctx check says of those and of others, and of domains that are broken.
# libvirtd is private here, too: this runs in a mount namespace with directories of its own.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"
# shellcheck source=tests/bed/system.sh
. "$(dirname "$0")/../bed/system.sh"
bed_system_inside system

work=$(mktemp -d)

down()
{
    bed_system_down 'system one' waiting
    rm -rf "$work"
}
trap down EXIT
trap 'exit 1' HUP INT TERM

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

# A guest that never boots, whose RAM is QEMU's own
waiting()
{
    domain | sed 's/system one/waiting/; s/1024/256/; /<kernel>/d' > "$work/waiting.xml"
    virsh -q -c qemu:///system create "$work/waiting.xml" > /dev/null
}

# A hook that tells what it could do.
hook()
{
    mkdir -p "$work/hooks.d"
    printf '%s\n' '#!/bin/sh' "grep -E '^Cap[IPEA]|^NoNewPrivs' /proc/self/status > $work/powers" > "$work/hooks.d/powers"
    chmod 755 "$work/hooks.d" "$work/hooks.d/powers"
    echo "hooks_dir = \"$work/hooks.d\"" > "$work/memctxd.conf"
}

export MEMCTX_PROBER=$BED_BUILD/memctx-prober

has_tried() { "$BED_BUILD/memctx" -c qemu:///system list | grep -q 'waiting.*in RAM'; }

# confined WHAT BOUNDING: the prober of the guest that waits has no power, and this guest's RAM. It may keep BOUNDING
# capabilities that it cannot get.
confined()
{
    local qemu
    qemu=$(cat /run/libvirt/qemu/waiting.pid)
    bed_until 60 has_tried || true
    is "$1-prober-powers" "$(bed_powers "$(bed_probers)" 'Cap...|NoNewPrivs|Seccomp')" \
        "CapInh=0 CapPrm=0 CapEff=0 CapBnd=$2 CapAmb=0 NoNewPrivs=1 Seccomp=$(bed_filter "$work/agent.log")"
    is "$1-prober-descriptors" "$(bed_descriptors "$(bed_probers)")" "/proc/$qemu/mem 0 /proc/$qemu/pagemap 0 socket"
}

# ready WHAT BOUNDING COMMAND...: an agent started by that command publishes, calls a hook that can do nothing, has
# guest memory parsed by a process that can do nothing, and withdraws at its end.
ready()
{
    local what=$1 bounding=$2 agent
    shift 2
    rm -f "$work/powers"
    "$@" --config "$work/memctxd.conf" > "$work/agent.log" 2>&1 &
    agent=$!
    bed_until 60 "$BED_BUILD/memctx" -c qemu:///system list || true
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
    bed_until 10 grep -qs NoNewPrivs "$work/powers" || true
    is "$what-hook-powers" "$(sed 's/.*\t//' "$work/powers" | sort | uniq -c | xargs)" "4 0000000000000000 1 1"
    BED_AGENT=$agent confined "$what" "$bounding"
    kill "$agent"
    wait "$agent" 2> /dev/null || true
    if virsh -q -c qemu:///system metadata 'system one' "$BED_NS" > /dev/null 2>&1; then
        not_ok "$what-withdrawn" "the datum stays behind"
    else
        ok "$what-withdrawn"
    fi
}

bed_system_up "$work" 'auth_unix_rw = "none"' 'unix_sock_rw_perms = "0700"' || { not_ok system-up "$(tail -n 1 "$work/libvirtd.log")"; finish; }
hook
domain memfd > "$work/domain.xml"
virsh -q -c qemu:///system create "$work/domain.xml" > /dev/null
waiting
is system-qemu-user "$(stat -c %U "/proc/$(cat '/run/libvirt/qemu/system one.pid')")" libvirt-qemu
ready root 0 "$BED_BUILD/memctxd" -c qemu:///system
# shellcheck disable=SC2054 # setpriv wants commas
capabilities=(setpriv --bounding-set=-all,+sys_ptrace,+dac_read_search --inh-caps=-all)
ready two-capabilities 80004 "${capabilities[@]}" "$BED_BUILD/memctxd" -c qemu:///system
virsh -q -c qemu:///system destroy 'system one' > /dev/null
domain > "$work/domain.xml"
virsh -q -c qemu:///system create "$work/domain.xml" > /dev/null
ready root-private 0 "$BED_BUILD/memctxd" -c qemu:///system
ready two-capabilities-private 80004 "${capabilities[@]}" "$BED_BUILD/memctxd" -c qemu:///system
virsh -q -c qemu:///system destroy waiting > /dev/null

# ---- memctx check ---------------------------------------------------------------------------------------

# shellcheck disable=SC2054 # setpriv wants commas
both=(--inh-caps=-all,+sys_ptrace,+dac_read_search --ambient-caps=-all,+sys_ptrace,+dac_read_search)

# checks NAME STATUS FAILED CURE COMMAND...: exits so; this check failed, with a cure that matches
checks()
{
    local name=$1 wanted=$2 failed=$3 cure=$4 status=0 said
    shift 4
    said=$("$@" 2>&1) || status=$?
    is "check-$name-status" "$status" "$wanted"
    [ -n "$failed" ] || return 0
    is "check-$name" "$(sed -n 's/^ FAIL  \([a-z]*\).*/\1/p' <<< "$said" | head -n 1)" "$failed"
    like "check-$name-cure" "$(grep -A1 '^ FAIL' <<< "$said")" "$cure"
}

# The programs may lie where others cannot go.
memctx="$work/bin/memctx"
check=("$memctx" -c qemu:///system check)
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

define() { sed "$1" "$work/domain.xml" | virsh -q -c qemu:///system define /dev/stdin > /dev/null 2>&1; }

# What the rights of the reader decide; the last one can read RAM, but libvirt lets root alone write.
check_rights()
{
    local owner
    owner=$(stat -c %u:%g "/proc/$(cat '/run/libvirt/qemu/system one.pid')")
    checks root 0 "" "" "${check[@]}" 'system one'
    checks nobody 1 backing "user and group \\($owner\\)" "${as_nobody[@]}" "${check[@]}" 'system one'
    checks trace-only 1 backing 'add CAP_DAC_READ_SEARCH' "${as_nobody[@]}" --inh-caps=-all,+sys_ptrace \
        --ambient-caps=-all,+sys_ptrace "${check[@]}" 'system one'
    checks search-only 1 backing 'add CAP_SYS_PTRACE' "${as_nobody[@]}" --inh-caps=-all,+dac_read_search \
        --ambient-caps=-all,+dac_read_search "${check[@]}" 'system one'
    checks other-group 1 backing "QEMU's group, gid ${owner#*:}" setpriv --reuid=libvirt-qemu --regid=65534 --clear-groups \
        "${check[@]}" 'system one'
    checks weak-root 1 backing 'add CAP_SYS_PTRACE' setpriv --bounding-set=-sys_ptrace "${check[@]}" 'system one'
    checks no-metadata 1 metadata 'may write to libvirt' "${as_nobody[@]}" "${both[@]}" "${check[@]}" 'system one'
}

check_domains()
{
    local pidfile='/run/libvirt/qemu/system one.pid'
    checks no-domain 1 libvirt 'name, the URI' "${check[@]}" 'system two'
    checks no-libvirt 1 libvirt 'that libvirt runs' "$memctx" -c 'qemu+unix:///system?socket=/nowhere' check x
    checks other-driver 1 process 'host of the domain' "$memctx" -c test:///default check test
    cp "$pidfile" "$work/pidfile"
    mv "$pidfile" "$work/saved"
    cp "$work/pidfile" "$pidfile"
    checks stale-pidfile 1 process 'host of the domain' "${check[@]}" 'system one'
    mv "$work/saved" "$pidfile"
    if define 's/system one/off/'; then
        checks off 0 '' '' "${check[@]}" off
        like check-off-verdict "$("${check[@]}" off)" 'as far as its XML tells'
    else
        skip check-off 'cannot be defined'
    fi
    if define "s/system one/sev/; s,</domain>,<launchSecurity type='sev'><policy>0x3</policy></launchSecurity></domain>,"
    then
        checks encrypted 1 guest 'cannot read' "${check[@]}" sev
    else
        skip check-encrypted 'this libvirt defines no such domain here'
    fi
}

# A RAM file that somebody cut: QEMU is paused, else it would notice by dying.
check_truncated()
{
    virsh -q -c qemu:///system destroy 'system one' > /dev/null
    domain file > "$work/domain.xml"
    virsh -q -c qemu:///system create "$work/domain.xml" --paused > /dev/null
    truncate -s 4096 /var/lib/libvirt/qemu/ram/*/pc.ram
    checks truncated 1 rights 'restart' "${check[@]}" 'system one'
}

mkdir -p "$work/bin"
chmod 755 "$work" "$work/bin"
cp "$BED_BUILD/memctx" "$memctx"
check_rights
check_domains
check_truncated
finish
