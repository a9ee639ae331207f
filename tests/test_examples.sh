#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Commands that the documents show do what they say: those of tests/examples.list that need no guest are run as they stand,
# against a guest that is built.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh
set -u -o pipefail
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
failures=0 ran=0
dir=$(mktemp -d)

for tool in jq strings; do
    command -v "$tool" > /dev/null || { echo "skip: $tool is missing: run tests/bed/install.sh"; exit 77; }
done

# An agent may be there that an example has started in the background.
leave()
{
    local pids
    pids=$(jobs -p)
    # shellcheck disable=SC2086 # several words
    [ -z "$pids" ] || kill $pids 2> /dev/null
    wait
    rm -rf "$dir"
}
trap leave EXIT

# As memctx finds the agent of a session
export XDG_RUNTIME_DIR="$dir/run" XDG_CACHE_HOME="$dir/cache" LIBVIRT_DEFAULT_URI=qemu:///session
export PATH="$build:$PATH" MEMCTX_PROBER="$build/memctx-prober"
mkdir -p "$dir/run/memctxd" "$dir/cache"
chmod 700 "$dir/run"

# replaced COMMAND HOW: the command with each WORD=TEXT of HOW put in, and our directory where that says @DIR@
replaced()
{
    local command=$1 words=${2#run} pair
    while [ -n "$words" ]; do
        pair=${words%%" // "*}
        words=${words#"$pair"}
        words=${words#" // "}
        pair=${pair# }
        command=${command//"${pair%%=*}"/"${pair#*=}"}
    done
    echo "${command//@DIR@/"$dir"}"
}

# try COMMAND PATTERN: it runs in this shell, so that what it leaves in the background is ended with it.
try()
{
    local status=0
    ran=$((ran + 1))
    eval "$1" > "$dir/said" 2> "$dir/errors" < /dev/null || status=$?
    if [ "$status" != 0 ]; then
        echo "$1: ended with $status: $(head -n 3 "$dir/errors")" >&2
    elif [ "$2" = '^$' ] && [ -s "$dir/said" ]; then
        echo "$1: printed: $(head -n 3 "$dir/said")" >&2
    elif [ "$2" != '^$' ] && [ -n "$2" ] && ! grep -qE -- "$2" "$dir/said"; then
        echo "$1: '$(head -n 3 "$dir/said")' does not match '$2'" >&2
    else
        return
    fi
    failures=$((failures + 1))
}

cd "$dir" || exit 1
coproc SERVER { exec "$build/tests/serve" linux "$dir/run/memctxd"; }
read -r line <&"${SERVER[0]}"
[ "$line" = ready ] || { echo "tests/serve does not come up" >&2; exit 1; }
while IFS=$'\t' read -r command how pattern; do
    [[ $how != run* ]] || try "$(replaced "$command" "$how")" "$pattern"
done < <(grep -v '^#' "$top/tests/examples.list")
[ "$ran" -gt 20 ] || { echo "only $ran commands were run" >&2; exit 1; }
echo "$ran commands were run"
[ "$failures" = 0 ]
