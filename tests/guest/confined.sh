#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The agent as memctxd.service has it: its own user, in libvirt's group, with the unit's three capabilities as ambient
# ones, its list of system calls, its umask, no network, and a /proc that hides processes of others. There is no systemd
# here: setpriv, unshare and underunit (tests/bed) do what it would. And what could be reached from there.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"
# shellcheck source=tests/bed/system.sh
. "$(dirname "$0")/../bed/system.sh"
bed_system_inside confined

work=$(mktemp -d)
unit=$BED_BUILD/agent/service/memctxd.service
guests=(memfd file own)

down()
{
    bed_system_down "${guests[@]}" waiting
    rm -rf "$work" "${victim_file-}" "${victim_secret-}"
}
trap down EXIT
trap 'exit 1' HUP INT TERM

[ -e "$unit" ] || bed_die "no unit in $BED_BUILD: build first or set MEMCTX_BUILDDIR"

virsh_system() { virsh -q -c qemu:///system "$@"; }
memctx() { "$work/bin/memctx" -c qemu:///system "$@"; }
qemu_of() { cat "/run/libvirt/qemu/$1.pid"; }

# domain NAME [BACKING]: without, RAM is QEMU's own
domain()
{
    cat <<END
<domain type='qemu'>
  <name>$1</name>
  <memory unit='MiB'>384</memory>
  <memoryBacking>${2:+$(bed_xml_backing "$2")}</memoryBacking>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$(bed_kernel)</kernel><initrd>$(bed_initramfs)</initrd><cmdline>quiet</cmdline>
  </os>
  <cpu mode='maximum'/>
</domain>
END
}

create() { domain "$@" > "$work/$1.xml" && virsh_system create "$work/$1.xml" > /dev/null; }

make_users()
{
    getent group libvirt > /dev/null || bed_locked groupadd --system libvirt
    bed_locked bed_add_user memctxd
}

make_programs()
{
    mkdir -p "$work/bin" "$work/hooks.d"
    chmod 755 "$work" "$work/bin" "$work/hooks.d"
    bed_programs "$BED_BUILD" "$work/bin"
    gcc -O2 -o "$work/bin/underunit" "$BED_SRC/underunit.c" -lseccomp
    gcc -O2 -D_GNU_SOURCE -I"$BED_TOP/src" -I"$BED_TOP/agent" -o "$work/bin/reach" "$BED_SRC/reach.c" \
        "$BED_TOP/agent/sandbox/"{modes,capabilities}.c "$BED_TOP/src/base/error.c"
    # What a hook is, has, and may still do with files of its own.
    cat > "$work/hooks.d/tell" <<'END'
#!/bin/sh
exec >> /run/memctxd/told 2>&1
cat /proc/self/status | grep -E '^(Uid|Cap[IPEA]|NoNewPrivs|Seccomp)' | xargs
touch /run/memctxd/mine && chmod 0777 /run/memctxd/mine && echo chmod works
python3 -c 'import json, subprocess; print("python", subprocess.run(["true"]).returncode)'
echo "$1 $2 $3"
END
    chmod 755 "$work/hooks.d/tell"
    echo "hooks_dir = \"$work/hooks.d\"" > "$work/memctxd.conf"
}

# As the unit starts its commands.
# shellcheck disable=SC2054 # setpriv wants commas
powers=(--reuid=memctxd --regid=memctxd --groups=libvirt --no-new-privs
        --bounding-set=-all,+sys_ptrace,+dac_read_search,+fowner
        --inh-caps=-all,+sys_ptrace,+dac_read_search,+fowner
        --ambient-caps=-all,+sys_ptrace,+dac_read_search,+fowner)
# shellcheck disable=SC2016 # for the shell inside
in_unit=(unshare --mount --net sh -c 'umask 077 && mount -t proc -o nosuid,nodev,noexec,hidepid=2 proc /proc && exec "$@"'
         sh setpriv "${powers[@]}" env -i PATH="$PATH" LANG=C.UTF-8 "$(sed -n 's/^Environment=//p' "$unit")" "MEMCTX_PROBER=$work/bin/memctx-prober"
         "$work/bin/underunit" "$unit")

start()
{
    "${in_unit[@]}" "$work/bin/memctxd" --log-level debug --config "$work/memctxd.conf" \
        >> "$work/agent.log" 2>&1 &
    BED_AGENT=$!
    bed_until 60 memctx list || not_ok agent-answers "$(tail -n 1 "$work/agent.log")"
}

is_told() { grep -qs "$1" /run/memctxd/told; }
has_generation() { virsh_system metadata "$1" "$BED_NS" | grep -q "generation=[\"']$2"; }

# status WHAT PID: a line with what the kernel says of it
status()
{
    diag "$1: $(grep -E '^(Name|Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp|Seccomp_filters):' \
        "/proc/$2/status" 2> /dev/null | tr -s '\t ' ' ' | sed 's/: /=/; s/0000000000//' | xargs)"
}

# Threads of the agent with a capability, by the number of filters each is under: the unit's, and the one of modes.h. The
# thread that starts programs has no capability, and is under the unit's only.
filters()
{
    local task
    for task in "/proc/$BED_AGENT/task/"*; do
        sed -nE 's/^CapEff:\t0*([0-9a-f]+)$/\1/p; s/^Seccomp_filters:\t//p' "$task/status" | xargs
    done | sort -u | xargs
}

# Until then a prober may wait outside its sandbox for the RAM of its guest.
has_tried() { memctx list | grep -q 'waiting.*in RAM'; }

processes()
{
    local pid
    status agent "$BED_AGENT"
    is agent-powers "$(bed_powers "$BED_AGENT" 'Cap...|NoNewPrivs|Seccomp')" \
        "CapInh=8000c CapPrm=8000c CapEff=8000c CapBnd=8000c CapAmb=0 NoNewPrivs=1 Seccomp=2"
    is agent-filters "$(filters)" "0 1 8000c 2"
    is agent-user "$(stat -c %U "/proc/$BED_AGENT")" memctxd
    bed_until 60 has_tried || not_ok prober "none for a guest that waits"
    for pid in $(bed_probers); do status prober "$pid"; done
    is prober-powers "$(bed_powers "$(bed_probers | head -n 1)" \
        'Cap...|NoNewPrivs|Seccomp')" "CapInh=0 CapPrm=0 CapEff=0 CapBnd=8000c CapAmb=0 NoNewPrivs=1 Seccomp=2"
}

# What each kind of backing lets readers have.
served()
{
    local name
    for name in "${guests[@]}"; do
        if memctx wait "$name" --timeout 120 > /dev/null 2>&1; then ok "$name-ready"
        else not_ok "$name-ready" "$(memctx list)"; continue; fi
        if has_generation "$name" 1; then ok "$name-metadata"; else not_ok "$name-metadata" "no datum"; fi
        like "$name-read" "$(memctx read "$name" 0 16 --physical 2>&1)" '^0000000000000000 '
    done
    # shellcheck disable=SC2016 # for the shell inside
    is handed-out "$(memctx exec memfd -- sh -c 'stat -L -c %a /proc/self/fd/$MEMCTX_FD' 2>&1)" 444
    # shellcheck disable=SC2016 # for the shell inside
    like handed-out-file "$(memctx exec file -- sh -c 'head -c 1 /proc/self/fd/$MEMCTX_FD | wc -c' 2>&1)" '^1$'
}

life()
{
    virsh_system reset memfd > /dev/null
    if bed_until 120 has_generation memfd 2; then ok reset; else not_ok reset "$(memctx list)"; fi
    is socket-mode "$(stat -c '%U %a' /run/memctxd/control.sock)" "memctxd 600"
    echo 'access = [ "user:nobody show memfd" ]' >> "$work/memctxd.conf"
    # As the unit's ExecReload does it
    "${in_unit[@]}" "$work/bin/memctxd" --check-config --config "$work/memctxd.conf" > /dev/null ||
        not_ok check-config "it fails"
    "${in_unit[@]}" /bin/kill -HUP "$BED_AGENT"
    bed_until 60 test "$(stat -c %a /run/memctxd/control.sock)" = 666 || true
    is reloaded-socket-mode "$(stat -c '%U %a' /run/memctxd/control.sock)" "memctxd 666"
    like reloaded-access "$(setpriv --reuid=nobody --regid=nogroup --clear-groups "$work/bin/memctx" -c qemu:///system \
        show memfd 2>&1)" '<kcr3>'
    is modes "$(cd /run/memctxd && stat -c '%n %a' domains runs domains/*.xml | sed 's,/.*xml,/,' | sort -u | xargs)" \
        "domains 755 domains/ 640 runs 700"
}

hooks()
{
    bed_until 60 is_told 'memfd ready 2' || true
    diag "hook: $(head -n 1 /run/memctxd/told)"
    is hook-powers "$(head -n 1 /run/memctxd/told | sed -E 's/0{8,}/0/g; s/Seccomp_filters.*//' | xargs)" \
        "Uid: $(printf '%s ' "$(id -u memctxd)"{,,,})CapInh: 0 CapPrm: 0 CapEff: 0 CapAmb: 0 NoNewPrivs: 1 Seccomp: 2"
    is hook-chmod "$(grep -m 1 chmod /run/memctxd/told)" "chmod works"
    is hook-python "$(grep -m 1 python /run/memctxd/told)" "python 0"
    like hook-lost "$(cat /run/memctxd/told)" 'memfd lost 1'
}

ends()
{
    local name
    kill "$BED_AGENT"
    wait "$BED_AGENT" 2> /dev/null || true
    for name in "${guests[@]}"; do
        ! has_generation "$name" '' 2> /dev/null || not_ok withdrawn "the datum of $name stays"
    done
    ok withdrawn
    start
    memctx wait memfd --timeout 120 > /dev/null 2>&1 || not_ok ready-again "$(memctx list)"
    kill -KILL "$BED_AGENT"
    wait "$BED_AGENT" 2> /dev/null || true
    "${in_unit[@]}" "$work/bin/memctxd" --retract --config "$work/memctxd.conf" 2>> "$work/agent.log" ||
        not_ok retract "$(tail -n 1 "$work/agent.log")"
    if has_generation memfd '' 2> /dev/null; then not_ok retracted "the datum stays"; else ok retracted; fi
}

# The worst case: somebody chose what code the agent runs. SECURITY.md says the same.
worst_case()
{
    local victim said
    victim_file=$(mktemp /etc/memctxd-victim.XXXXXX)
    victim_secret=$(mktemp /etc/memctxd-victim.XXXXXX)
    chmod 644 "$victim_file"
    sleep 600 &
    victim=$!
    said=$("${in_unit[@]}" "$work/bin/reach" "$victim" "$victim_file" "$victim_secret" "$(qemu_of own)")
    sed 's/^/# reach: /' <<< "$said"
    is reached "$(sed -n 's/ done$//p' <<< "$said" | xargs)" "read-roots-memory read-secret-file read-qemu-memory"
    # Were there no filter of its own, the list of system calls would not do.
    said=$("${in_unit[@]}" "$work/bin/reach" --unguarded "$victim" "$victim_file" "$victim_secret" "$(qemu_of own)")
    like unguarded "$said" 'write-after-fchmod done'
    kill "$victim"
    wait "$victim" 2> /dev/null || true
}

make_users
make_programs
bed_system_up "$work" 'auth_unix_rw = "none"' 'unix_sock_group = "libvirt"' 'unix_sock_rw_perms = "0770"' ||
    { not_ok system-up "$(tail -n 1 "$work/libvirtd.log")"; finish; }
chown memctxd:memctxd /run/memctxd
create memfd memfd
create file file
create own
domain waiting | sed '/<kernel>/d; s/384/256/' > "$work/waiting.xml"
virsh_system create "$work/waiting.xml" > /dev/null
start
processes
virsh_system destroy waiting
served
life
hooks
ends
worst_case
finish
