#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The agent in the hands of an administrator: its file system is full, its directory is removed, permissions are wrong, its
# configuration changes; and a guest that resets itself for ever does not fill the journal.
# shellcheck disable=SC2317 # functions called by name
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

BED_LOG_LEVEL=info
resets=100

lines() { wc -l < "$(bed_agent_log)"; }
# said WORDS: since the line of `mark`
mark() { marked=$(lines); }
said() { tail -n +$((marked + 1)) "$(bed_agent_log)" | grep -qF -- "$1"; }
# few NAME MOST: not more lines than that since the mark
few()
{
    local n=$(($(lines) - marked))
    if [ "$n" -le "$2" ]; then ok "$1"; else not_ok "$1" "$n lines: $(tail -n 3 "$(bed_agent_log)" | tr '\n' ' ')"; fi
}
at_last() { local name=$1; shift; if bed_until 60 "$@"; then ok "$name"; else not_ok "$name" "not in a minute"; fi; }
has_file() { [ -s "$dir/domains/$(bed_uuid "$1").xml" ]; }
has_no_datum() { ! bed_datum "$1" > /dev/null 2>&1; }
is_listed() { bed_ctl list | grep -qw "$1"; }
is_not_listed() { ! is_listed "$1"; }

reload()
{
    mark
    printf '%s\n' "$@" > "$config"
    kill -HUP "$BED_AGENT"
}

directory_goes()
{
    mark
    rm -rf "$dir"
    at_last removed-files has_file one
    at_last removed-socket is_listed one
    is removed-mode "$(stat -c %a "$dir")" 755
    at_last removed-told said 'was removed while memctxd runs'
    is removed-datum "$(bed_datum_faults "$(bed_datum one)" "$(bed_truth one)")" ""
    few removed-lines 3
}

# To the last byte, also what was free again meanwhile.
fill() { bed_as_user sh -c "cat /dev/zero >> $dir/ballast" 2> /dev/null || true; }
have_files() { has_file one && has_file two && has_file three; }
times_told() { tail -n +$((marked + 1)) "$(bed_agent_log)" | grep -c 'No space left' || true; }

# In a file system of its own. The domains are reset, so that each has something to write.
file_system_fills()
{
    local name i
    local -A boot=()
    if [ "$(id -u)" != 0 ] || ! mount -t tmpfs -o "size=64k,mode=0755,uid=$(id -u "$BED_USER")" none "$dir" 2> /dev/null; then
        skip full 'cannot mount here'
        return
    fi
    at_last mounted-files have_files
    fill
    mark
    for i in 1 2 3 4 5; do
        for name in one two three; do boot[$name]=$(bed_reset "$name"); fill; done
        sleep 1
    done
    at_last full-told said 'No space left on device; trying again'
    # At once, and again after 10 s; each of the domains tries all the time.
    if [ "$(times_told)" -le 2 ]; then ok full-told-rarely; else not_ok full-told-rarely "$(times_told) times"; fi
    rm -f "$dir/ballast"
    at_last full-over said 'are written again'
    for name in one two three; do
        bed_wait_up "$name" 60 "${boot[$name]}" || true
        at_last "full-file-$name" has_file "$name"
    done
    umount -l "$dir"
    at_last unmounted-files has_file one
    at_last unmounted-socket is_listed one
}

settings_change()
{
    local before
    before=$(bed_datum one)
    reload 'domains = [ "!two" ]' 'workers = 3'
    at_last reload-fixed said 'next start of memctxd on: workers'
    at_last reload-left-out has_no_datum two
    at_last reload-not-listed is_not_listed two
    is reload-withdraws-nothing-else "$(bed_datum one)" "$before"
    reload 'domains = [ "!two"' 'workers = 3'
    at_last reload-broken said "memctxd.conf:2: domains wants a list"
    is reload-broken-stays "$(bed_ctl list | grep -cw two)" 0
    reload 'domains = [ ]'
    at_last reload-taken-in bed_has_state two ready
    bed_wait_up two 60 || true
    is reload-truth "$(bed_datum_faults "$(bed_datum two)" "$(bed_truth two)")" ""
    is reload-agent "$(kill -0 "$BED_AGENT" && echo runs)" runs
}

check_config()
{
    local status=0 words
    words=$(bed_as_user "$BED_DIR/bin/memctxd" --check-config --config "$config" 2>&1) || status=$?
    is check-config "$status" 0
    printf 'retry_cap_ms = fast\n' > "$config"
    words=$(bed_as_user "$BED_DIR/bin/memctxd" --check-config --config "$config" 2>&1) || status=$?
    is check-config-broken "$status" 1
    like check-config-words "$words" 'memctxd.conf:1: retry_cap_ms wants a number'
    printf '\n' > "$config"
}

# refused NAME WORDS: memctxd does not start, and says why.
refused()
{
    local status=0 words
    words=$(timeout 20 "${BED_AS_USER[@]}" "$BED_DIR/bin/memctxd" -c "$BED_URI" --config "$config" 2>&1) || status=$?
    is "$1-status" "$status" 1
    like "$1-words" "$words" "$2"
}

permissions()
{
    bed_agent_stop TERM || true
    chmod 0775 "$dir"
    refused group-writable 'mode 0775: its group can write it; chmod go-w'
    chmod 0755 "$dir"
    chmod 0777 "$dir/runs"
    refused runs-writable 'runs has mode 0777: everybody can write it'
    chmod 0700 "$dir/runs"
    chmod 0664 "$config"
    refused config-writable 'memctxd.conf has mode 0664'
    chmod 0644 "$config"
    mv "$dir" "$dir.real"
    ln -s "$dir.real" "$dir"
    refused link 'is a symbolic link'
    rm "$dir"
    mv "$dir.real" "$dir"
    bed_agent_start
    bed_wait_state one ready 60 || not_ok permissions-after "$(bed_state_line one)"
}

# resets_in_turn COUNT SECONDS
resets_in_turn()
{
    local i
    for ((i = 0; i < $1; i++)); do
        bed_virsh reset one > /dev/null
        sleep "$2"
    done
}

boot_loop()
{
    mark
    resets_in_turn $resets 0.1
    resets_in_turn 5 1
    few boot-loop-lines 16
    at_last boot-loop-ready bed_has_state one ready
}

bed_start
dir=$BED_DIR/run/memctxd
config=$BED_DIR/config/memctxd.conf
printf '\n' > "$config"
[ "$(id -u)" != 0 ] || chown "$BED_USER" "$config"
BED_AGENT_OPTIONS=(--config "$config")
bed_agent_start
for name in one two three; do
    bed_create "$name" memory=256
    bed_wait_state "$name" ready 120 || bed_die "$name is not ready"
done
directory_goes
file_system_fills
settings_change
check_config
permissions
boot_loop
finish
