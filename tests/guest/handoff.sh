#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# RAM that is handed out stays read-only in other hands, and neither QEMU nor libvirt minds; memctxd opens none of it
# for writing, but for one write that the configuration allows.
set -eu
# shellcheck disable=SC2034 # for bed.sh
BED_TRACES_ITSELF=1
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

trace=
tracer=

hand() { python3 "$BED_SRC/handoff.py" "$BED_DIR/run/memctxd/control.sock" "$@" 2>&1; }

# All files that the agent opens from now on. Each thread has a file of its own: in a common one, calls that overlap are
# written as two lines, the first without the result.
watch_opens()
{
    trace="$BED_DIR/log/opens.$1"
    strace -ff -q -e trace=open,openat,openat2,creat,memfd_create -o "$trace" -p "$BED_AGENT" 2> /dev/null &
    tracer=$!
    bed_until 60 is_traced || bed_die "strace does not attach"
}
is_traced() { ! grep -qx 'TracerPid:.0' "/proc/$BED_AGENT/status"; }

# opens_for_writing: what was opened so, but for the agent's own files in its directory, which it makes, and what a
# prober opens before it can open nothing any more: its standard descriptors and its own score
opens_for_writing()
{
    cat "$trace".* | grep -E 'O_RDWR|O_WRONLY|O_TRUNC|creat\(' |
        grep -vE 'O_CREAT\|O_EXCL|"/dev/null"|"/proc/self/oom_score_adj"' || true
}

end_watch() { bed_untrace "$tracer"; }

has_backend() { hand open "$1" | grep -q "^$2 "; }
no_way() { is "$1" "$(grep '^writable' <<< "$2")" "writable:"; }

# Everything that happens to a guest while others hold its RAM
life()
{
    local opened release dimm="$BED_DIR/config/dimm.xml"
    bed_create one memory=512 cells=512 room=1024
    bed_wait_up one 60 && bed_wait_state one ready 60 || not_ok ready "$(bed_state_line one)"
    opened=$(hand open one)
    diag "$opened"
    like mode "$opened" '^ram-node0 0444 0x20000000$'
    no_way other-uid "$opened"
    release=$(hand release one)
    is read "$release" "$(bed_said one | bed_field release)"

    bed_virsh suspend one && bed_virsh resume one || not_ok suspend "refused"
    bed_wait_state one ready 60 || not_ok resumed "$(bed_state_line one)"
    is same-epoch "$(hand open one | grep ^epoch)" "$(grep ^epoch <<< "$opened")"

    echo "<memory model='dimm'><target><size unit='MiB'>256</size><node>0</node></target></memory>" > "$dimm"
    if bed_virsh attach-device one "$dimm" --live > /dev/null; then ok plugged; else not_ok plugged "refused"; fi
    bed_until 60 has_backend one memdimm0 || diag "the DIMM does not appear"
    like dimm "$(hand open one)" '^memdimm0 0444 0x10000000$'
    no_way dimm-other-uid "$(hand open one)"
    isnt_same new-layout "$(hand open one | grep ^epoch)" "$(grep ^epoch <<< "$opened")"

    if bed_virsh save one "$BED_DIR/home/one.save" > /dev/null && bed_virsh restore "$BED_DIR/home/one.save" > /dev/null
    then ok save-restore; else not_ok save-restore "refused"; fi
    bed_wait_state one ready 60 || not_ok restored "$(bed_state_line one)"
    opened=$(hand open one)
    like restored-mode "$opened" '^ram-node0 0444 0x20000000$'
    no_way restored-other-uid "$opened"
    is restored-read "$(hand release one)" "$release"
}

is_let_go() { [ -z "$(bed_agent_fds_of "$1")" ]; }
isnt_same() { if [ -n "$2" ] && [ "$2" != "$3" ]; then ok "$1"; else not_ok "$1" "still '$2'"; fi; }

# Where there is no file, the agent reads for others.
own_memory()
{
    bed_create own memory=512 backing=none
    bed_wait_up own 60 && bed_wait_state own ready 60 || not_ok own-ready "$(bed_state_line own)"
    like own-why "$(hand open own)" "none: it is memory of QEMU's own"
    is own-read "$(hand release own)" "$(bed_said own | bed_field release)"
}

# writes NAME: one word of the guest changes, and its code does not.
writes()
{
    local at text
    at=$(hand uts "$1")
    text=$(bed_said "$1" | bed_field _text)
    is "$1-written" "$(bed_ctl --json write "$1" "$at" 6d656d637478 2>&1)" '{"size":"0x6"}'
    is "$1-changed" "$(hand read "$1" "$at" 6)" 6d656d637478
    like "$1-code" "$(bed_ctl write "$1" "$text" 00 2>&1 || true)" 'mapped read-only'
    like "$1-hole" "$(bed_ctl write "$1" 0x1000 00 2>&1 || true)" 'not mapped'
    like "$1-stays-0444" "$(hand open "$1")" "$2"
}

refused() { like "$1" "$(bed_ctl write "$2" 0x1000 00 2>&1 || true)" "may not write '$2'"; }

# vhost-user maps the guest's RAM in another process: a disk that qemu-storage-daemon serves has a boot sector that
# says so on the console.
boot_sector()
{
    python3 - "$1" << 'END'
import sys
say = b'VHOST-USER-BOOT\r\n'
# cld; mov si,text; mov dx,0x3f8; next: lodsb; test al,al; jz end; out dx,al; jmp next; end: hlt; jmp end
code = b'\xfc\xbe\x40\x7c\xba\xf8\x03\xac\x84\xc0\x74\x03\xee\xeb\xf8\xf4\xeb\xfd'
sector = code.ljust(0x40, b'\0') + say + b'\0'
open(sys.argv[1], 'wb').write((sector.ljust(510, b'\0') + b'\x55\xaa').ljust(1 << 20, b'\0'))
END
}

vhost_user()
{
    local image="$BED_DIR/home/vhost.img" socket="$BED_DIR/run/vhost.sock" xml="$BED_DIR/config/vhost.xml"
    command -v qemu-storage-daemon > /dev/null || { skip vhost-user "no qemu-storage-daemon here"; return; }
    boot_sector "$image"
    chown "$BED_USER" "$image"
    bed_spawn "$BED_DIR/log/vhost.log" qemu-storage-daemon --blockdev "file,filename=$image,node-name=disk" \
        --export "vhost-user-blk,id=x,node-name=disk,addr.type=unix,addr.path=$socket"
    local daemon=$BED_SPAWNED
    bed_until 60 test -S "$socket" || { not_ok vhost-user "$(cat "$BED_DIR/log/vhost.log")"; return; }
    bed_domain_xml vhost boot=firmware memory=256 | sed "s|<memballoon|<disk type='vhostuser' device='disk'><driver \
name='qemu' type='raw'/><source type='unix' path='$socket'/><target dev='vda' bus='virtio'/><boot order='1'/></disk>&|" \
        > "$xml"
    bed_virsh create "$xml" --paused > /dev/null || { not_ok vhost-user "the domain does not start"; return; }
    # As a hand-out does, before the other process gets the RAM
    chmod 0444 "$(bed_ram_fd vhost)"
    bed_virsh resume vhost
    if bed_until 60 grep -q VHOST-USER-BOOT "$(bed_console vhost)"; then
        ok vhost-user
    else
        not_ok vhost-user "$(tail -n 3 "$BED_DIR/log/vhost.log") $(head -c 300 "$(bed_console vhost)")"
    fi
    is vhost-mode "$(stat -L -c %a "$(bed_ram_fd vhost)")" 444
    bed_destroy vhost
    bed_kill "$daemon"
}

[ "$(id -u)" = 0 ] || { skip handoff "only root can be another uid"; finish; }
bed_start
bed_agent_start
watch_opens all
life
own_memory
refused write-one one
refused write-own own
end_watch
is no-write-opens "$(opens_for_writing)" ""
is traced "$(cat "$trace".* | grep -c 'O_RDONLY' | sed 's/^[1-9][0-9]*$/some/')" some
bed_agent_stop TERM || true

printf 'access = [\n  "user:%s write one",\n  "user:%s write own"\n]\n' "$BED_USER" "$BED_USER" > "$BED_DIR/config/m.conf"
BED_AGENT_OPTIONS=(--config "$BED_DIR/config/m.conf")
bed_agent_start
bed_wait_state one ready 60 && bed_wait_state own ready 60 || not_ok ready-again "$(bed_ctl list)"
hand open one > /dev/null
watch_opens write
writes one '^ram-node0 0444 0x20000000$'
writes own "none: it is memory of QEMU's own"
end_watch
# One write each was carried out, the first by the owner of a file of mode 0444, whose first try is refused.
is write-opens "$(opens_for_writing | grep -vc EACCES)" 2
is audited "$(grep -c 'write: uid=.*outcome="done"' "$(bed_agent_log)")" 2
is audited-refusals "$(grep 'write: uid=' "$(bed_agent_log)" | grep -vc 'outcome="done"')" 4
dead=$(stat -L -c %d:%i "$(bed_ram_fd one)")
bed_destroy one
if bed_in_turns 50 is_let_go "$dead"; then ok let-go; else not_ok let-go "the agent holds it"; fi
vhost_user
finish
