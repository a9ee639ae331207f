#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What the documents say is what the programs do: options, commands, configuration keys, transitions, pictures,
# licences, headers. Prints each difference; exits with 1 if there is one.
#
#   MEMCTX_BUILDDIR  where memctx, memctxd and tests/print_* were built (default: the source)
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

# help PROGRAM [COMMAND]: its --help
help() { "$build/$1" "${@:2}" --help; }

# help_options HEADING: of what help prints, the options under a heading, as "-c, --connect URI"
help_options()
{
    sed -n "/^$1:\$/,/^\$/p" | sed -nE 's/^ {2,6}((-., )?--[^ ]+( [A-Z]+)?)( .*)?$/\1/p'
}

# The usage lines of what help prints: a line for each form, without what stands before it
help_usage()
{
    sed -n '1,/^$/p' | sed -z 's/\n  *\([^ m]\)/ \1/g' | sed -nE 's/^(Usage: | {7})//p'
}

# What is listed, and help, which is not
help_commands() { help memctx | sed -nE '/^Options/,$d; s/^  ([a-z]+) .*/\1/p'; echo help; }

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

check_daemon()
{
    local options
    options=$(help memctxd | help_options Options)
    same "memctxd: --help < and > OPTIONS" "$options" "$(section memctxd OPTIONS | items)"
    same "memctxd: --help < and > SYNOPSIS" "$(long_options <<< "$options")" "$(section memctxd SYNOPSIS | long_options)"
    same "memctxd: --help < and > completion" "$(long_options <<< "$options")" "$(complete_words memctxd --)"
}

# Paragraphs of a page as lines, without formatting codes
paragraphs() { awk 'BEGIN { RS = "" } { gsub(/\n/, " "); print }' | plain; }

# The items of COMMANDS, or with a command those of the list inside its text, which are its options
command_items()
{
    section memctx COMMANDS | awk -v command="${1-}" '
        /^=over/ { depth++ }
        /^=back/ { depth-- }
        /^=item/ && depth == 1 { inside = (index($0, "=item B<" command ">") == 1) }
        /^=item/ && (command == "" ? depth == 1 : depth == 2 && inside)' | items
}

# A file, a directory and a word are offered for options that want a FILE, a DIR, a FORMAT, a FORM or a URI, none for others.
check_argument()
{
    local command=$1 option=$2 wanted=$3 offered
    offered=$(cd "$top/man" && complete_words memctx "$command" "$option" "")
    case $wanted in
    FILE) [[ $offered == *memctx.pod* ]] ;;
    DIR) [[ $(complete_words memctx "$command" "$option" "$top/") == *"$top/man"* ]] ;;
    FORMAT) if [ "$command" = symbols ]; then [[ $offered == *system-map* ]]; else [[ $offered == *drgn* ]]; fi ;;
    FORM) [[ $offered == *lime* ]] ;;
    KEY) [[ $offered == *still* ]] ;;
    LIST) [ "$command" != list ] || [[ $offered == *silent* ]] ;;
    URI) [[ $offered == *qemu:///system* ]] ;;
    *) [ -z "$offered" ] ;;
    esac || fail "completion of memctx $command $option does not offer a $wanted: $offered"
}

# Completion knows that an option of this command has an argument, and so where the command stands.
check_arguments()
{
    local command=$1 options=$2 known=$3 option wanted
    while read -r option wanted; do
        check_argument "$command" "$option" "$wanted"
        same "completion of memctx $option $wanted $command" "$known" \
            "$(complete_words memctx "$option" x "$command" --)"
    done < <(sed -n 's/^\(-[^-]\), \(--[a-z-]*\) \(.*\)/\1 \3\n\2 \3/p; s/^\(--[a-z-]*\) /\1 /p' <<< "$options")
}

check_command()
{
    local command=$1 said options common known
    said=$(help memctx "$command")
    options=$(help_options "Options, beside those in memctx --help" <<< "$said")
    common=$(help memctx | help_options "Options of every command")
    known=$(long_options <<< "$options"$'\n'"$common")
    [ "$said" = "$("$build/memctx" help "$command")" ] || fail "memctx help $command is not memctx $command --help"
    [ "$(awk 'length > 79' <<< "$said")" = "" ] || fail "memctx $command --help has lines of more than 79 columns"
    [ "$options" = "$(command_items "$command")" ] || same "memctx $command: --help < and > COMMANDS" \
        "$options" "$(command_items "$command")"
    same "memctx $command: usage < and > SYNOPSIS" "$(help_usage <<< "$said")" \
        "$(section memctx SYNOPSIS | paragraphs | grep "^memctx $command\b")"
    same "memctx $command: --help < and > completion" "$known" "$(complete_words memctx "$command" --)"
    check_arguments "$command" "$options"$'\n'"$common" "$known"
}

check_commands()
{
    local said commands common command
    said=$(help memctx)
    commands=$(help_commands)
    common=$(help_options "Options of every command" <<< "$said")
    [ "$(awk 'length > 79' <<< "$said")" = "" ] || fail "memctx --help has lines of more than 79 columns"
    same "memctx: --help < and > OPTIONS" "$common" "$(section memctx OPTIONS | items)"
    same "memctx: --help < and > SYNOPSIS" "$(help_usage <<< "$said")" "$(section memctx SYNOPSIS | paragraphs | head -n 1)"
    same "memctx: commands < and > COMMANDS" "$commands" "$(command_items | cut -d ' ' -f 1)"
    same "memctx: commands < and > SYNOPSIS" "$commands" \
        "$(section memctx SYNOPSIS | paragraphs | sed -nE 's/^memctx ([a-z]+).*/\1/p')"
    same "memctx: commands < and > completion" "$commands" "$(complete_words memctx "")"
    same "memctx: commands < and > completion of help" "$commands" "$(complete_words memctx help "")"
    same "memctx: options < and > completion" "$(long_options <<< "$common")" "$(complete_words memctx --)"
    # bash cuts a URI at its colon.
    same "memctx: commands < and > completion behind a URI" "$commands" "$(complete_words memctx -c qemu : ///session "")"
    same "memctx: a URI < and > completion" $'///system\n///session' "$(complete_words memctx -c qemu : ///s)"
    for command in $commands; do check_command "$command"; done
}

# zsh and fish read options from the help, but know by themselves which of them have arguments.
check_other_shells()
{
    local file wanted command option
    wanted=$(for command in $(help_commands); do help memctx "$command" | help_options "Options.*"; done |
        sed -nE 's/.*--([a-z-]+) [A-Z]+$/\1/p' | sort -u)
    for file in _memctx memctx.fish; do
        while read -r option; do
            grep -qE -- "[|(-]${option}[|)]" "$top/completion/$file" || fail "completion/$file does not know that --$option has an argument"
        done <<< "$wanted"
    done
    [ -n "$wanted" ] || fail "no option has an argument"
}

# What memctx lists when it does not know a word: listed COMMAND [ARGUMENT]...
listed() { "$build/memctx" "$@" 2>&1 | sed -n 's/.*there are: //p' | tr -d ' ' | tr , '\n'; }

# The formats and tools as memctx lists them: manual, help and completion know the same.
check_formats()
{
    local formats tools
    formats=$(listed export none --format none)
    tools=$(listed run none none)
    same "memctx: tools of run < and > completion" "$tools" "$(complete_words memctx run "")"
    same "memctx: tools of run < and > run --help" "$tools" \
        "$(help memctx run | tr -s ', .\n' '\n' | grep -xFf <(echo "$tools"))"
    same "memctx: formats and tools < and > TOOLS" "$formats"$'\n'"$tools" "$(section memctx TOOLS | items | tr -d ' ' | tr , '\n')"
    same "memctx: formats < and > completion" "$formats" "$(complete_words memctx export --format "")"
    same "memctx: formats < and > export --help" "$formats" \
        "$(help memctx export | tr -s ', .\n' '\n' | grep -xFf <(echo "$formats"))"
}

# ---- configuration --------------------------------------------------------------------------------------

# The text of the page under one key, on one line
key_text()
{
    section memctxd.conf KEYS | awk -v item="=item B<$1> =" '
        /^=/ { inside = (index($0, item) == 1); next }
        inside' | plain | tr '\n' ' '
}

check_keys()
{
    local rows key min max default help wanted
    [ -x "$build/tests/print_keys" ] || { fail "no print_keys in $build/tests"; return; }
    rows=$("$build/tests/print_keys")
    same "settings.c < and > memctxd.conf(5)" "$(cut -f 1 <<< "$rows")" \
        "$(section memctxd.conf KEYS | items | cut -d ' ' -f 1)"
    while IFS=$'\t' read -r key min max default help; do
        wanted="From $min to $max, default $default."
        [ "$max" != - ] || wanted="Default $default"
        [[ $(key_text "$key") == *"$wanted"* ]] || fail "memctxd.conf(5) does not say of $key: $wanted"
        [[ $(key_text "$key" | sed 's/^ *//') == "$help"* ]] ||
            fail "memctxd.conf(5) does not begin $key with: $help"
        grep -qxF "#$key = $default" "$top/agent/memctxd.conf" ||
            fail "agent/memctxd.conf does not say: #$key = $default"
    done <<< "$rows"
    # The sample is in the order of the table.
    [ "$(cut -f 1 <<< "$rows")" = "$(sed -n 's/^#\([a-z_]*\) = .*/\1/p' "$top/agent/memctxd.conf")" ] ||
        fail "agent/memctxd.conf has other keys than settings.c, or in another order"
}

# ---- the log --------------------------------------------------------------------------------------------

# Each kind of line has its id and its sentence in the manual, and the manual has no others.
check_messages()
{
    local rows
    [ -x "$build/tests/print_messages" ] || { fail "no print_messages in $build/tests"; return; }
    rows=$("$build/tests/print_messages" | plain)
    same "logkind.c < and > memctxd(8), LOG" "$rows" "$(section memctxd LOG | awk '
        /^=item C<[0-9a-f]*>$/ { id = substr($0, 9, 32); next }
        id != "" && $0 != "" { print id "\t" $0; id = "" }' | plain)"
}

# ---- metrics --------------------------------------------------------------------------------------------

check_metrics()
{
    local rows
    [ -x "$build/tests/print_metrics" ] || { fail "no print_metrics in $build/tests"; return; }
    rows=$("$build/tests/print_metrics" | awk -F '\t' '{ print $1 " (" $2 ($3 == "" ? "" : "; " $3) ")\t" $4 }')
    same "measures.c < and > memctx(1), METRICS" "$rows" "$(section memctx METRICS | awk '
        /^=item / { item = substr($0, 7); next }
        item != "" && $0 != "" { print item "\t" $0; item = "" }')"
}

# ---- the datum ------------------------------------------------------------------------------------------

# element_text HEADING ELEMENT: the POD text under the item of an element, in this part of ELEMENTS
element_text()
{
    section memctx-datum ELEMENTS | awk -v head="=head2 $1" -v item="=item B<$2>" '
        /^=head2/ { part = ($0 == head) }
        /^=item B</ { inside = (part && $0 == item) }
        inside'
}

# Each fact stands under its element, beside those for the same readers; and so do the variables of memctx exec,
# which tells more than the datum.
check_facts()
{
    local facts path audience element heading text
    [ -x "$build/tests/print_facts" ] || { fail "no print_facts in $build/tests"; return; }
    facts=$("$build/tests/print_facts")
    while read -r path audience _; do
        heading="Public and private"
        [ "$audience" = public ] || heading="Private only"
        element=/memctx/$path
        element=${element%/@*}
        text=$(element_text "$heading" "${element##*/}")
        [[ $text == *"B<${path##*[/@]}>"* ]] || fail "memctx-datum(7) does not say under \"$heading\": $path"
    done <<< "$facts"
    same "facts < and > memctx(1), ENVIRONMENT" \
        "$(awk '$3 != "-" { print $3 }' <<< "$facts"; printf 'MEMCTX_%s\n' DOMAIN UUID FD FDS JSON)" \
        "$(section memctx ENVIRONMENT | sed -n '/^=item/p' | grep -oE 'MEMCTX_[A-Z0-9_]+')"
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

# check_transitions TABLE PAGE SOURCE: here the order counts, too.
check_transitions()
{
    local difference
    [ -x "$build/tests/print_transitions" ] || { fail "no print_transitions in $build/tests"; return; }
    difference=$(diff <("$build/tests/print_transitions" "$1") \
        <(sed -n '/^<!-- transitions -->$/,/^<!-- end of transitions -->$/p' "$top/$2" | sed '1d; $d'))
    [ -z "$difference" ] || fail "$3 < and > $2:"$'\n'"$difference"
}

# A picture shows what its script, and the table that this reads, say.
check_pictures()
{
    local said
    command -v python3 > /dev/null || { echo "python3 is missing: pictures not checked"; return; }
    said=$("$top/docs/pictures/draw.sh" --check 2>&1) || fail "$said"
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
    done < <(cd "$top" && find src agent tests hooks examples docs man completion -type f \
        ! -path 'tests/fuzz/corpus/*' ! -name '*.json' ! -name '*.gc*' ! -path '*/.*' \
        ! -name '*.log' ! -name '*.trs' ! -name '*.ignore' ! -path 'man/*.[1-9]' ! -path agent/service/memctxd.service ! -path agent/service/apparmor/memctxd ! -path src/reader/libmemctx.pc ! -path '*/__pycache__/*' -size -200k 2> /dev/null |
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

check_daemon
check_commands
check_other_shells
check_formats
check_keys
check_messages
check_metrics
check_facts
check_pod
check_headings
check_transitions domain src/domain/transitions.md src/domain/domain.c
check_transitions life agent/tries/transitions.md agent/tries/life.c
check_pictures
check_licences
check_headers
[ "$failures" = 0 ]
