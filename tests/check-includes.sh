#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Data flows one way: a file of src/ may include headers of its own or an earlier stage only, and src/ decides but
# does nothing: no libvirt, no clock, no file opened, no line written.
#
#   MEMCTX_SRCDIR  the source (default: the directory above)
set -u
src=${MEMCTX_SRCDIR:-$(dirname "$0")/..}/src
cc=${CC:-cc}
failures=0

# Every file of src/ by its name without suffix, and its stage. ARCHITECTURE.md draws them.
declare -A stage=(
    [bytes]=1 [cleanup]=1 [error]=1 [jsonguard]=1 [memctx]=1
    [backoff]=2 [domain]=2 [text]=2
    [xml]=3 [procmaps]=3 [qemuopt]=3 [vmcoreinfo]=3
    [procmem]=4 [rammap]=4
    [layout]=5 [machine]=5 [memconf]=5 [paging]=5 [paging_format]=5 [qemuargs]=5 [tour]=5 [view]=5
    [guest]=6 [match]=6
    [linux_note]=7 [linux_kallsyms]=7 [linux_clock]=7 [linux_image]=7 [linux_pointers]=7
    [linux_root]=7 [linux_shape]=7 [linux]=7
    [windows_code]=7 [windows_finder]=7 [windows_image]=7 [windows_kuser]=7
    [windows_process]=7 [windows_proof]=7 [windows_roots]=7 [windows_system]=7 [windows]=7
    [guests]=8
    [pulse]=9 [search]=9 [weigh]=9
    [bootstrap]=10 [contest]=10
    [datum]=11 [datum_decode]=11 [datum_node]=11 [datum_xml]=11 [datum_json]=11
    [domxml]=12 [domxml_memory]=12
    [elfcore]=12 [export]=12 [export_format]=12 [export_drgn]=12 [export_libvmi]=12 [export_text]=12
    [export_tools]=12 [export_volatility]=12
)

# What others do for src/: agent/ opens, reads clocks and talks. Names of functions, as a regex.
forbidden='open|openat|openat2|fopen|fdopen|creat|opendir|socket|memfd_create|mmap'
forbidden+='|printf|fprintf|vprintf|vfprintf|dprintf|puts|fputs|putchar|perror|syslog|write|pwrite|fwrite'
forbidden+='|clock|clock_gettime|gettimeofday|time|nanosleep|usleep|sleep|getenv|exit|abort|vir[A-Z][A-Za-z0-9]*'

fail()
{
    echo "$1" >&2
    failures=$((failures + 1))
}

check_stages()
{
    local file=$1 name header of
    name=$(basename "$file")
    of=${stage[${name%.*}]-}
    if [ -z "$of" ]; then
        fail "src/$name has no stage: add it to the table in $0"
        return
    fi
    while read -r header; do
        if [ -z "${stage[${header%.h}]-}" ]; then
            fail "src/$name (stage $of) includes \"$header\", which is none of src/'s"
        elif [ "${stage[${header%.h}]}" -gt "$of" ]; then
            fail "src/$name (stage $of) reaches ahead to $header (stage ${stage[${header%.h}]})"
        fi
    done < <(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file")
}

# Comments are cut off by the compiler, texts in quotes by sed.
check_doings()
{
    local file=$1 name called
    name=$(basename "$file")
    ! grep -nE '# *include *[<"](libvirt|config\.h)' "$file" || fail "src/$name includes what it must not"
    while read -r called; do
        fail "src/$name calls ${called%(}: that is for agent/ to do"
    done < <("$cc" -fpreprocessed -dD -E -P -x c "$file" 2> /dev/null | sed 's/"\(\\.\|[^"\\]\)*"//g' |
                 grep -oE "(^|[^A-Za-z0-9_>.])($forbidden) *\(" | sed 's/^[^a-z]//' | sort -u)
}

for file in "$src"/*.[ch]; do
    check_stages "$file"
    check_doings "$file"
done
for name in "${!stage[@]}"; do
    [ -e "$src/$name.h" ] || [ -e "$src/$name.c" ] || fail "src/$name is in the table of $0, but not there"
done
[ "$failures" = 0 ]
