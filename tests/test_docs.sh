#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What the documents say is what the programs do: options, commands, configuration keys, transitions, licences,
# headers. Prints each difference; exits with 1 if there is one.
#
#   MEMCTX_BUILDDIR  where memctx, memctxd and tests/print_transitions were built (default: the source)
#   MEMCTX_SRCDIR    the source (default: the directory above)
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
cc=${CC:-cc}
failures=0

fail()
{
    echo "$*" >&2
    failures=$((failures + 1))
}

# same WHAT LEFT RIGHT: two lists of lines must be one and the same set.
same()
{
    local difference
    difference=$(diff <(sort -u <<< "$2") <(sort -u <<< "$3") | sed -n 's/^[<>]/&/p')
    [ -n "$2" ] || fail "$1: there is nothing to compare"
    [ -z "$difference" ] || fail "$1:"$'\n'"$difference"
}

# ---- pages ----------------------------------------------------------------------------------------------

# section PAGE HEADING: the POD text under a =head1
section() { awk -v head="=head1 $2" '/^=head1/ { inside = ($0 == head); next } inside' "$top/man/$1.pod"; }

# Formatting codes off: "B<-c>, B<--connect> I<URI>" becomes "-c, --connect URI".
plain() { sed 's/[A-Z]<\([^<>]*\)>/\1/g'; }

items() { sed -n 's/^=item //p' | plain; }
long_options() { grep -oE -- '--[a-z][a-z-]*' | sort -u; }

# ---- options and commands -------------------------------------------------------------------------------

# The left column of --help, as "-c, --connect URI"
help_options() { "$build/$1" --help | sed -nE 's/^ {2,6}((-., )?--[^ ]+( [A-Z]+)?)( .*)?$/\1/p'; }
help_commands() { "$build/$1" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p'; }

# What bash offers after these words: complete PROGRAM WORD...
complete_words()
{
    bash -c '
        . "$1"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        "_$1"
        printf "%s\n" "${COMPREPLY[@]}"' bash "$top/completion/$1" "$@"
}

check_options()
{
    local program=$1 options
    options=$(help_options "$program")
    same "$program: --help < and > OPTIONS" "$options" "$(section "$program" OPTIONS | items)"
    same "$program: --help < and > SYNOPSIS" "$(long_options <<< "$options")" \
        "$(section "$program" SYNOPSIS | long_options)"
    same "$program: --help < and > completion" "$(long_options <<< "$options")" "$(complete_words "$program" --)"
}

check_commands()
{
    local commands
    commands=$(help_commands memctx)
    same "memctx: commands < and > COMMANDS" "$commands" "$(section memctx COMMANDS | items | cut -d ' ' -f 1)"
    same "memctx: commands < and > SYNOPSIS" "$commands" \
        "$(section memctx SYNOPSIS | grep -oE 'B<[a-z]+>' | plain | grep -vx memctx)"
    same "memctx: commands < and > completion" "$commands" "$(complete_words memctx "")"
}

# The formats as memctx lists them: manual and completion know the same.
check_formats()
{
    local formats
    formats=$("$build/memctx" probe --ram / --export none 2>&1 | sed -n 's/.*there are: //p' | tr -d ' ' | tr , '\n')
    same "memctx: formats < and > TOOLS" "$formats" "$(section memctx TOOLS | items | tr -d ' ' | tr , '\n')"
    same "memctx: formats < and > completion" "$formats" "$(complete_words memctx --format "")"
}

# ---- configuration --------------------------------------------------------------------------------------

# "KEY MIN MAX" of each row of the table in agent/config/settings.c; both are 0 for a text, MAX for a list
key_rows()
{
    tr '\n' ' ' < "$top/agent/config/settings.c" | sed 's/.*} keys\[\] = {\(.*\)} *; *void *settings_init.*/\1/' |
        grep -oE '\{"[^}]*\}' | sed 's/[{}",]/ /g; s/offsetof(.*)//' | awk '{ print $1, $2, $3 }'
}

# default_of KEY MIN MAX: what settings_init() sets, a text in quotes
default_of()
{
    local value
    value=$(sed -n '/^settings_init/,/^}/s/^ *\.'"$1"' = \(.*\),$/\1/p' "$top/agent/config/settings.c")
    case "$value/$2/$3" in
    /1/0) echo '[ ]' ;;
    /0/0) echo '""' ;;
    /*) echo 0 ;;
    *) echo "$value" ;;
    esac
}

# The text of the page under one key, on one line
key_text()
{
    section memctxd.conf KEYS | awk -v item="=item B<$1> =" '
        /^=/ { inside = (index($0, item) == 1); next }
        inside' | plain | tr '\n' ' '
}

check_keys()
{
    local key min max default wanted
    same "settings.c < and > memctxd.conf(5)" "$(key_rows | cut -d ' ' -f 1)" \
        "$(section memctxd.conf KEYS | items | cut -d ' ' -f 1)"
    while read -r key min max; do
        default=$(default_of "$key" "$min" "$max")
        wanted="From $min to $max, default $default."
        [ "$max" != 0 ] || wanted="Default $default"
        [[ $(key_text "$key") == *"$wanted"* ]] || fail "memctxd.conf(5) does not say of $key: $wanted"
        grep -qxF "#$key = $default" "$top/agent/memctxd.conf" ||
            fail "agent/memctxd.conf does not say: #$key = $default"
    done < <(key_rows)
    same "settings.c < and > agent/memctxd.conf" "$(key_rows | cut -d ' ' -f 1)" \
        "$(sed -n 's/^#\([a-z_]*\) = .*/\1/p' "$top/agent/memctxd.conf")"
}

# ---- the rest -------------------------------------------------------------------------------------------

check_pod()
{
    local page said
    command -v podchecker > /dev/null || { echo "podchecker is missing: pages not checked"; return; }
    for page in "$top"/man/*.pod; do
        said=$(podchecker -warnings "$page" 2>&1)
        [[ $said == *"syntax OK."* && $said != *WARNING* ]] || fail "$said"
    done
}

# Every page has the headings that a reader looks for.
check_headings()
{
    local page heading
    for page in memctx memctxd memctxd.conf memctx-datum; do
        for heading in NAME SYNOPSIS DESCRIPTION "EXIT STATUS" FILES ENVIRONMENT EXAMPLES SECURITY "SEE ALSO"; do
            [ -n "$(section "$page" "$heading" | tr -d '\n')" ] || fail "man/$page.pod has no $heading"
        done
    done
}

# Here the order counts, too.
check_transitions()
{
    local difference
    [ -x "$build/tests/print_transitions" ] || { fail "no print_transitions in $build/tests"; return; }
    difference=$(diff <("$build/tests/print_transitions") \
        <(sed -n '/^<!-- transitions -->$/,/^<!-- end of transitions -->$/p' "$top/src/domain/transitions.md" | sed '1d; $d'))
    [ -z "$difference" ] || fail "src/domain/domain.c < and > src/domain/transitions.md:"$'\n'"$difference"
}

# Files that a person wrote, in directories that hold such; a build in the source tree leaves others beside them.
# Fuzzing input and JSON can hold no comment.
check_licences()
{
    local file
    while read -r file; do
        ! head -n 3 "$file" | grep -qiE "generated by .*libtool|temporary wrapper script for" || continue
        head -n 8 "$file" | grep -qE 'SPDX-License-Identifier: (LGPL-2\.1|GPL-2\.0)-or-later' ||
            fail "${file#"$top"/} has no SPDX line near its top"
    done < <(cd "$top" && find src agent tests hooks examples man completion -type f \
        ! -path 'tests/fuzz/corpus/*' ! -name '*.json' ! -name '*.gc*' ! -path '*/.*' \
        ! -name '*.log' ! -name '*.trs' ! -name '*.ignore' ! -path 'man/*.[1-9]' ! -path agent/memctxd.service ! -path src/reader/libmemctx.pc ! -path '*/__pycache__/*' -size -200k 2> /dev/null |
        while read -r name; do grep -qI . "$name" && echo "$top/$name"; done)
}

check_headers()
{
    local flags header extra=
    read -ra flags <<< "$(pkg-config --cflags libvirt libxml-2.0 json-c)"
    pkg-config --exists cmocka && extra=yes
    for header in "$top"/src/*.h "$top"/{src,agent}/*/*.h "$top"/src/*/*/*.h ${extra:+"$top"/tests/support/*.h}; do
        "$cc" -std=gnu11 -D_GNU_SOURCE -Wall -Werror -fsyntax-only -I"$top/src" -I"$top/agent" -I"$top/tests/support" \
            "${flags[@]}" -include "$header" -x c /dev/null || fail "${header#"$top"/} does not stand alone"
    done
}

for program in memctx memctxd; do
    check_options $program
done
check_commands
check_formats
check_keys
check_pod
check_headings
check_transitions
check_licences
check_headers
[ "$failures" = 0 ]
