# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Copies of guests' RAM, and what tests do to them; sourced by bed.sh.

# bed_take NAME FILE: stop the guest and copy its RAM, holes as holes.
bed_take()
{
    bed_virsh suspend "$1" > /dev/null
    cp --sparse=always "$(bed_ram_fd "$1")" "$2"
    chmod 644 "$2"
}

# bed_probe ARGUMENT...: memctx probe; its status in $status, output in $out, complaint in $err.
# shellcheck disable=SC2034 # for who calls it
bed_probe()
{
    status=0
    out=$(timeout 120 "${BED_AS_USER[@]}" "$BED_DIR/bin/memctx" probe "$@" 2> "$BED_DIR/log/probe") || status=$?
    err=$(< "$BED_DIR/log/probe")
}

# bed_blank FILE: no page of the file has a VMCOREINFO any more, neither the note nor the text that it is made of.
bed_blank()
{
    python3 -c '
import os, re, sys
wanted = re.compile(rb"SYMBOL\(swapper_pg_dir\)=|VMCOREINFO\0\0|OSRELEASE=[0-9]")
ram = os.open(sys.argv[1], os.O_RDWR)
at, size = 0, os.fstat(ram).st_size
while at < size:
    try:
        at = os.lseek(ram, at, os.SEEK_DATA) & ~4095
    except OSError:
        break
    block = os.pread(ram, 1 << 20, at)
    for found in wanted.finditer(block):
        os.pwrite(ram, bytes(4096), at + (found.start() & ~4095))
    at += len(block)' "$1"
}

# bed_blank_running NAME: the same to the guest itself, which does not need them
bed_blank_running()
{
    bed_virsh suspend "$1" > /dev/null
    bed_blank "$(bed_ram_fd "$1")"
    bed_virsh resume "$1" > /dev/null
}

# bed_found_noteless NAME: another agent finds the same kernel once the note is blanked in its RAM
bed_found_noteless()
{
    local root
    root=$(bed_datum "$1" | bed_datum_element kcr3)
    bed_agent_stop TERM || true
    bed_blank_running "$1"
    bed_agent_start
    bed_wait_state "$1" ready 60 || not_ok "$1-noteless" "$(bed_state_line "$1")"
    is "$1-noteless-kcr3" "$(bed_datum "$1" | bed_datum_element kcr3)" "$root"
    like "$1-noteless-found" "$(bed_datum "$1" | bed_datum_attribute evidence found)" without-note
}
