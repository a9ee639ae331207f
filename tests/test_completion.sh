#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Completion as the real shells do it: a line is typed on a terminal, up to TAB and Enter, and what the shell then runs
# is compared. A shell that is not installed is left out, and that is said.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
failures=0
dir=$(mktemp -d)
agent=
trap 'if [ -n "$agent" ]; then kill "$agent"; wait "$agent"; fi 2> /dev/null; rm -rf "$dir"' EXIT

fail()
{
    echo "$*" >&2
    failures=$((failures + 1))
}

# ---- an agent with domains, and a memctx that notes how it is called -------------------------------------

domain()
{
    echo "<domain type='test'><name>$1</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os></domain>"
}

serve()
{
    local i
    export HOME=$dir XDG_RUNTIME_DIR=$dir/run
    mkdir -p "$dir/bin" "$dir/run"
    { echo "<node>"; domain web1; domain db:one; domain "my space"; domain büro; echo "</node>"; } > "$dir/node.xml"
    MEMCTX_PROBER=$build/memctx-prober "$build/memctxd" -c "test://$dir/node.xml" --stub \
        --runtime-dir "$dir/run/memctxd" > "$dir/log" 2>&1 &
    agent=$!
    for ((i = 0; i < 600; i++)); do
        [ "$("$build/memctx" -c qemu:///session list 2> /dev/null | grep -c ready)" != 4 ] || break
        sleep 0.1
    done
    printf '%s\n' '#!/bin/sh' '{ printf "%s\n" "$#" "$@"; echo; } >> "$MEMCTX_CALLS"' "exec '$build/memctx' \"\$@\"" > "$dir/bin/memctx"
    chmod +x "$dir/bin/memctx"
    # What the shells give up after half a second takes as long as it takes here.
    printf '%s\n' '#!/bin/sh' shift 'exec "$@"' > "$dir/bin/timeout"
    printf '%s\n' '#!/bin/sh' "tac '$dir/calls' | awk 'NR > 1 && \$0 == \"\" { exit } NR > 1' | tac | tail -n +2 |
        paste -sd '|' >> '$dir/results'" > "$dir/bin/mark"
    chmod +x "$dir/bin/timeout" "$dir/bin/mark"
    export PATH=$dir/bin:$PATH MEMCTX_CALLS=$dir/calls TERM=dumb LIBVIRT_DEFAULT_URI=qemu:///session
}

# ---- shells --------------------------------------------------------------------------------------------

start_bash()
{
    printf '%s\n' "PS1='READY> '" ". '$top/completion/memctx'" > "$dir/bashrc"
    "$top/tests/type.py" 100 'READY> ' "$1" bash --rcfile "$dir/bashrc" -i
}

start_zsh()
{
    printf '%s\n' "PROMPT='READY> '" 'unsetopt beep global_rcs' "fpath=('$top/completion' \$fpath)" \
        'autoload -U compinit' 'compinit -u -D' > "$dir/.zshrc"
    ZDOTDIR=$dir "$top/tests/type.py" 100 'READY> ' "$1" zsh -d -i
}

# What is typed before TAB and Enter, and the arguments that memctx gets then
lines=(
    'memctx -c qemu:///session show w' '-c|qemu:///session|show|web1'
    'memctx show db' 'show|db:one'
    'memctx show db:' 'show|db:one'
    'memctx show my' 'show|my space'
    'memctx show b' 'show|büro'
    'memctx sym' 'symbols'
    'memctx -c qemu:///se' '-c|qemu:///session'
    'memctx list --sta' 'list|--state'
    'memctx list --runt' 'list|--runtime-dir'
    'memctx list --state unsup' 'list|--state|unsupported'
    'memctx list --fol' 'list|--fol'
    'memctx wait --timeout 0 --fol' 'wait|--timeout|0|--follow'
    'memctx exec web1 -- memctx-no' 'exec|web1|--|memctx-nobody'
    'memctx run memp' 'run|memprocfs'
    'memctx run memprocfs we' 'run|memprocfs|web1'
    'memctx export web1 --format vola' 'export|web1|--format|volatility3'
    'memctx symbols web1 --format sys' 'symbols|web1|--format|system-map'
)

check_typed()
{
    local shell=$1 keys='' i got
    command -v "$shell" > /dev/null || { echo "$shell is missing: its completion is not tried"; return; }
    for ((i = 0; i < ${#lines[@]}; i += 2)); do keys+="${lines[i]}\\t\\n\\pmark\\n\\p"; done
    : > "$dir/results"
    "start_$shell" "${keys}exit\\n" > "$dir/screen" 2>&1
    mapfile -t got < "$dir/results"
    for ((i = 0; i < ${#lines[@]}; i += 2)); do
        [ "${got[i / 2]-}" = "${lines[i + 1]}" ] ||
            fail "$shell: '${lines[i]}' became '${got[i / 2]-}', not '${lines[i + 1]}'"
    done
}

# fish tells what it would offer.
offers()
{
    local typed=$1 wanted=$2 offered
    offered=$(fish --no-config -c "source $top/completion/memctx.fish; complete -C '$typed'" 2>&1 | cut -f 1)
    [ "$offered" = "$wanted" ] || fail "fish: '$typed' offers: ${offered//$'\n'/|} not: ${wanted//$'\n'/|}"
}

check_fish()
{
    command -v fish > /dev/null || { echo "fish is missing: its completion is not tried"; return; }
    offers 'memctx -c qemu:///session show w' web1
    offers 'memctx show my' 'my space'
    offers 'memctx show db:' db:one
    offers 'memctx show b' büro
    offers 'memctx sym' symbols
    offers 'memctx -c qemu:///se' qemu:///session
    offers 'memctx list --sta' --state
    offers 'memctx list --state unsup' unsupported
    offers 'memctx show --' $'--connect\n--help\n--json\n--runtime-dir\n--verbose\n--version'
    offers 'memctx wait --fol' --follow
    offers 'memctx list ' ''
    offers 'memctx exec web1 -- memctx-no' memctx-nobody
    offers 'memctx run memp' memprocfs
    offers 'memctx run crash we' web1
    offers 'memctx export web1 --format vola' volatility3
    offers 'memctx symbols web1 --format sys' system-map
    offers 'memctx help sy' symbols
}

serve
printf '#!/bin/sh\n' > "$dir/bin/memctx-nobody"
chmod +x "$dir/bin/memctx-nobody"
check_typed bash
check_typed zsh
check_fish
[ "$failures" = 0 ]
