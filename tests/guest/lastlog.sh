#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Whatever ends a guest's kernel, the last that it logged is kept. Its guest counts into its log; the judge is its console,
# onto which the kernel itself writes the same.
#
#   MEMCTX_ENDS     how often each way (default 1)
#   MEMCTX_WAYS     which ways, in this order (default: reset reboot panic kill destroy; the kernel after a kexec may overwrite the log)
#   MEMCTX_KERNEL   Debian kernel package of the guest (default: the cloud kernel of this release); one of arm64 cannot kexec
# LONG
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

ends=${MEMCTX_ENDS:-1}
ways=${MEMCTX_WAYS:-reset reboot panic kill destroy}
keep=4

# The lines of the kernel's last boot but so many on the console, without their time.
boot_lines()
{
    tr -d '\r' < "$(bed_console last)" | awk -v back="$1" '
        /Linux version / { boot++ }
        /^(<[0-9]+>)?\[ *[0-9]+\.[0-9]+\] / { line[boot] = line[boot] $0 "\n" }
        END { printf "%s", line[boot - back] }' | sed 's/^\(<[0-9]*>\)\{0,1\}\[ *[0-9.]*\] //'
}

# count_of: the last number in lines of a log, 0 if there is none
count_of() { { grep -o 'memctx count [0-9]*$' || true; } | tail -n 1 | grep -o '[0-9]*$' || echo 0; }

# What is on the console now: a number is written there in a moment, and may be cut by the end
console_count() { boot_lines "$1" | count_of; }
counts() { [ "$(console_count 0)" -ge 5 ]; }
newest() { bed_ctl boots last | awk '$1 == -1 { print $3, $4 }'; }
newest_is() { [ "$(newest)" = "$1" ]; }

# What is missing of the last kernel's log, as its file says
missing() { bed_ctl boots last | sed -n '2s/.*(\(.*\))$/\1/p'; }

# judge WHAT BACK: what is kept of the last kernel ends as its console did, BACK boots ago. No event tells of a kexec: the
# next kernel may have overwritten the log before anybody knows of it, and the file must say so then.
judge()
{
    local what=$1 said kept
    if [ "$what" = kexec ] && [ -n "$(missing)" ]; then
        diag "kexec: the next kernel was quicker: $(missing)"
        ok kexec-lost-and-said
        return
    fi
    said=$(console_count "$2")
    kept=$(bed_ctl dmesg last --boot -1 | count_of)
    # The kernel takes a line into its log before it writes it to the console.
    if [ "$said" -gt 0 ] && [ "$kept" -ge "$said" ] && [ "$kept" -le $((said + 2)) ]; then ok "$what"
    # No event tells of a kexec: the next kernel may have overwritten the log by then. That is said.
    elif [ "$what" = kexec ] && bed_ctl boots last | grep -q ' replaced .*(no VMCOREINFO stands'; then ok "$what"
    else not_ok "$what" "the console ends with $said, what was kept with $kept: $(bed_ctl boots last | sed -n 2p)"; fi
}

start()
{
    bed_create last uuid=6695eb01-f6a4-4304-89aa-97f2502e193f kernel="$kernel" initrd="$initrd" "${machine[@]}"
    generation=1
}

ready()
{
    if ! bed_wait_up last 120 "$generation" || ! bed_wait_state last ready 60; then
        not_ok "$1-ready" "$(bed_state_line last)"
        return 1
    fi
    bed_tell last count
    bed_until 60 counts || { not_ok "$1-counts" "the guest counts nothing"; return 1; }
}

# way HOW WORD BACK COMMAND...: end it so, and judge
way()
{
    local how=$1 word=$2 back=$3
    shift 3
    ready "$how" || return 0
    "$@" > /dev/null
    if ! bed_until 90 newest_is "$word $generation"; then
        not_ok "$how" "what is kept is '$(newest)', not '$word $generation'"
    else
        # The next kernel's lines stand on the console, too.
        [ "$back" = 0 ] || bed_wait_up last 120 $((generation + 1)) || not_ok "$how-boot" "it does not come up again"
        judge "$how" "$back"
    fi
    generation=$((generation + 1))
}

kill_qemu() { kill -KILL "$(bed_pid last)"; }
gone() { ! bed_virsh domstate last; }
restart()
{
    bed_until 30 gone || bed_destroy last
    rm -f "$(bed_console last)"
    start
}

once()
{
    local each
    for each in $ways; do
        case $each in
            reset) way reset reset 1 bed_virsh reset last ;;
            reboot) way reboot reset 1 bed_tell last reboot ;;
            panic) way panic panic 1 bed_tell last panic ;;
            kexec) way kexec replaced 1 bed_tell last kexec ;;
            kill) way kill stopped 0 kill_qemu; restart ;;
            destroy) way destroy stopped 0 bed_virsh destroy last; restart ;;
        esac
    done
}

# By the hook, which is called with the path when the file is there.
told()
{
    local path
    path=$(grep -m 1 '^lost ' "$calls" | cut -d ' ' -f 2)
    like told-path "$path" "^$boots/[0-9a-f-]*\.[0-9a-f]*\.1\.log\$"
    is told-in-time "$(grep -c '^lost /.* there$' "$calls")" "$(grep -c '^lost ' "$calls")"
    is told-nothing-when-ready "$(grep -c '^ready /' "$calls" || true)" 0
}

has_lost() { [ "$(grep -c '^lost ' "$calls")" -ge "$1" ]; }

note_logs()
{
    mkdir -p "$BED_DIR/config/hooks"
    cat > "$BED_DIR/config/hooks/10-log" <<END
#!/bin/sh
[ ! -s "\$MEMCTX_LOG" ] || there=there
echo "\$2 \$MEMCTX_LOG \$there" >> $calls
END
    chmod -R go-w,a+rX "$BED_DIR/config/hooks"
    chmod 755 "$BED_DIR/config/hooks/10-log"
    : > "$calls"
    chmod 666 "$calls"
    printf 'hooks_dir = "%s"\n' "$BED_DIR/config/hooks" > "$BED_DIR/config/memctxd.conf"
    BED_AGENT_OPTIONS+=(--config "$BED_DIR/config/memctxd.conf")
}

# Memory of QEMU itself is gone when libvirt tells of the end.
private_memory()
{
    bed_create anon backing=anon
    bed_wait_state anon ready 120 || { not_ok private "$(bed_state_line anon)"; return; }
    bed_destroy anon
    bed_until 30 bed_ctl boots anon || { not_ok private "nothing is said of it"; return; }
    like private "$(bed_ctl boots anon)" ' stopped .*(its RAM went with its QEMU|was truncated)'
    like private-log "$(bed_ctl dmesg anon --boot -1 2>&1 || true)" 'nothing of this log was kept'
}

bed_start
boots="$BED_DIR/home/.local/state/memctxd/boots"
calls="$BED_DIR/log/logs"
kernel=$(bed_kernel ${MEMCTX_KERNEL:+"$MEMCTX_KERNEL"})
case ${MEMCTX_KERNEL-} in
    *arm64*)
        initrd=$(bed_initramfs_foreign arm64)
        machine=(arch=aarch64 machine=virt cpu=max append=loglevel=6)
        ways=${ways/kexec/} ;;
    *)
        initrd=$(bed_kexec_initramfs ${MEMCTX_KERNEL:+"$MEMCTX_KERNEL"})
        machine=(memory=1024 vcpus=2 append="loglevel=6 crashkernel=192M") ;;
esac
note_logs
bed_agent_start
start
ready off && bed_virsh reset last > /dev/null
bed_wait_state last ready 120 || true
is off-by-default "$(ls "$boots" 2> /dev/null)" ""
like off-said "$(bed_ctl boots last 2>&1 || true)" 'no log was kept'
bed_destroy last
bed_until 30 has_lost 2 || not_ok off-hooks "hooks are not told"
echo "keep_logs = $keep" >> "$BED_DIR/config/memctxd.conf"
kill -HUP "$BED_AGENT"
: > "$calls"
restart
for ((turn = 0; turn < ends; turn++)); do once; done
bed_destroy last
told
private_memory
most=$(bed_ctl boots last | grep -cE '^ +-')
if [ "$most" -le $keep ]; then ok bounded; else not_ok bounded "$most logs are kept"; fi
is modes "$(stat -c '%a %U' "$boots"/*.log | sort -u)" "640 $BED_USER"
bed_agent_stop TERM || true
finish
