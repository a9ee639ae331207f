#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Run the guest tests, all or those named, and sum up; the last line is "N passed, N failed, N skipped".
#
#   tests/guest/run.sh [NAME...]     boots, latency, ...; MEMCTX_BUILDDIR says where the programs are
set -eu -o pipefail
cd "$(dirname "$0")"

all=(truth probe boots latency firmware prober holes restarts guard reset silent kexec travel hooks faults idle backings layouts names dumps hotplug handoff reader tools operate i386 arm64 uefi windows examples explain tasks system)
passed=0 failed=0 skipped=0

count() { grep -c "$1" "$log" || true; }

# A script that fails without having said what counts as one failure.
run()
{
    local name=$1 status=0 bad start=$SECONDS
    echo "== $name"
    bash "./$name.sh" 2>&1 < /dev/null | tee "$log" || status=$?
    bad=$(count '^not ok ')
    [ "$status" = 0 ] || [ "$bad" != 0 ] || { echo "not ok $name: ended with status $status"; bad=1; }
    passed=$((passed + $(count '^ok ')))
    failed=$((failed + bad))
    skipped=$((skipped + $(count '^skip ')))
    echo "== $name: $((SECONDS - start)) s"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for name in "${@:-${all[@]}}"; do run "${name%.sh}"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
