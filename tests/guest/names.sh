#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# QEMU is found whatever its domain is called and however libvirt was told to start it, and its RAM where a file of
# options put it; or memctxd says why not.
# LONG
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

qemu=$(command -v qemu-system-x86_64)

# create NAME TITLE EMULATOR KEY=VALUE...: domain TITLE, whose files are called NAME. Sets uuid.
create()
{
    local name=$1 title=$2 emulator=$3 xml="$BED_DIR/config/$1.xml"
    shift 3
    uuid=$(cat /proc/sys/kernel/random/uuid)
    bed_domain_xml "$name" "uuid=$uuid" "$@" > "$xml"
    TITLE=$title EMULATOR=$emulator python3 - "$xml" << 'END'
import os, sys, xml.sax.saxutils as sax
text = open(sys.argv[1]).read()
head, rest = text.split('<name>', 1)
rest = rest.split('</name>', 1)[1]
emulator = sax.escape(os.environ['EMULATOR'])
rest = rest.replace('<devices>', '<devices><emulator>' + emulator + '</emulator>', 1)
open(sys.argv[1], 'w').write(head + '<name>' + sax.escape(os.environ['TITLE']) + '</name>' + rest)
END
    bed_virsh create "$xml" > /dev/null
}

# below PID: the processes that it started, and they
below()
{
    local pid
    for pid in $(pgrep -P "$1" || true); do
        below "$pid"
        echo "$pid"
    done
}

# remove NAME: libvirt ends what it started; QEMU below a wrapper outlives that.
remove()
{
    local pid pids
    pids=$(below "$(bed_pid "$1")")
    bed_virsh destroy "$1" > /dev/null || true
    for pid in $pids; do bed_kill "$pid"; done
}

checks() { bed_ctl check "$1" 2>&1 | grep -E '^ (ok|FAIL) +(process|backing|rights)' || true; }

named()
{
    local label=$1 found
    create named "$2" "$qemu" boot=halt memory=64 || { not_ok "$label" "the domain does not start"; return; }
    found=$(checks "$uuid")
    is "$label" "$(grep -c '^ ok' <<< "$found")" 3
    if bed_until 60 grep -q "uuid=$uuid .* on opened" "$(bed_agent_log)"; then
        ok "$label-opened"
    else
        not_ok "$label-opened" "$(grep "uuid=$uuid" "$(bed_agent_log)" | tail -n 1)"
    fi
    bed_virsh destroy "$uuid" > /dev/null
}

# wrapped LABEL EMULATOR: the guest below it has its datum
wrapped()
{
    local label=$1
    if ! create "$label" "$label" "$2"; then
        not_ok "$label" "the domain does not start"
        return
    fi
    if ! bed_wait_up "$label" 60 || ! bed_wait_state "$label" ready 60; then
        not_ok "$label" "is: $(bed_state_line "$label")"
    else
        is "$label" "$(bed_datum_element kcr3 <<< "$(bed_datum "$label")")" "$(bed_root "$label")"
    fi
    remove "$label"
}

# script NAME LINE...: a wrapper
script()
{
    local file="$BED_DIR/home/$1"
    shift
    printf '%s\n' '#!/bin/sh' "$@" > "$file"
    chmod 755 "$file"
    echo "$file"
}

names()
{
    named ampersand 'R&D'
    named apostrophe "Bob's VM"
    named quote 'the "best" one'
    named angles 'a<b>c'
    named escaped 'R&amp;D'
    named space 'x y  z'
    named latin 'Büro-Äpfel'
    named han '日本語'
    named dash '-uuid'
    # shellcheck disable=SC2016 # they are not to expand
    named shell '$(id);|`x`'
    named ascii-1 ' !"#$%&'"'"'()*+,-.0123456789:;<=>?'
    named ascii-2 '@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`'
    named ascii-3 'abcdefghijklmnopqrstuvwxyz{|}~'
}

emulators()
{
    local copy="$BED_DIR/home/usr/bin/my-emulator"
    wrapped sh-without-exec "$(script sh-emulator "$qemu \"\$@\"" 'exit $?')"
    wrapped sh-in-subshell "$(script subshell-emulator "($qemu \"\$@\"; exit \$?)" 'exit $?')"
    wrapped setpriv "$(script setpriv-emulator "exec setpriv --no-new-privs $qemu \"\$@\"")"
    wrapped nice "$(script nice-emulator "nice -n 1 $qemu \"\$@\"" 'exit $?')"
    # QEMU looks for its modules and firmware beside itself.
    mkdir -p "$BED_DIR/home/usr/bin"
    ln -s /usr/lib /usr/share "$BED_DIR/home/usr"
    cp "$qemu" "$copy"
    chmod 755 "$copy"
    wrapped copy "$copy"
    ln -s "$qemu" "$BED_DIR/home/link-emulator"
    wrapped link "$BED_DIR/home/link-emulator"
    if command -v strace > /dev/null; then
        wrapped strace "$(script strace-emulator "exec strace -qq -e trace=none -o /dev/null $qemu \"\$@\"")"
    else
        skip strace "no strace here"
    fi
    undumpable "$copy"
}

# A program that its user may run but not read makes a process that nobody may look into.
undumpable()
{
    [ "$(id -u)" = 0 ] || { skip undumpable "only root can make such a file"; return; }
    chown root:root "$1"
    chmod 711 "$1"
    create undumpable undumpable "$1" boot=halt memory=64 || { not_ok undumpable "the domain does not start"; return; }
    bed_wait_state undumpable unsupported 60 || true
    like undumpable "$(bed_state_line undumpable)" 'QEMU is not dumpable'
    like undumpable-check "$(bed_ctl check undumpable 2>&1 || true)" 'cure: QEMU is not dumpable'
    bed_destroy undumpable
}

config_file()
{
    local config="$BED_DIR/config/options.cfg" datum
    printf '[machine]\n  max-ram-below-4g = "256M"\n' > "$config"
    chmod 644 "$config"
    create options options "$qemu" "args=-readconfig $config" || { not_ok options "the domain does not start"; return; }
    bed_wait_up options 60 && bed_wait_state options ready 60 || not_ok options-ready "$(bed_state_line options)"
    datum=$(bed_datum options)
    is options "$(bed_datum_element kcr3 <<< "$datum")" "$(bed_root options)"
    like options-low "$datum" '<low>0x10000000</low>'
    like options-extent "$datum" '<extent gpa="0x100000000" size="0x10000000" backend="pc.ram" offset="0x10000000"/>'
    bed_destroy options

    # It is another file by the time the agent looks.
    bed_agent_stop TERM || true
    create changed changed "$qemu" "args=-readconfig $config" append=nokaslr
    bed_wait_up changed 60 || not_ok changed-up "does not boot"
    echo '# changed' >> "$config"
    bed_agent_start
    bed_wait_state changed ready 60 || not_ok changed-ready "$(bed_state_line changed)"
    is changed "$(bed_datum_element kcr3 <<< "$(bed_datum changed)")" "$(bed_root changed)"
    like changed-assumed "$(bed_datum changed)" '<evidence [^>]*layout="assumed"'
    like changed-told "$(cat "$(bed_agent_log)")" "may depend on '-readconfig"
    bed_destroy changed
}

bed_start
bed_agent_start
names
emulators
config_file
finish
