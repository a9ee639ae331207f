#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What memctxd measures is what Prometheus takes, and examples/monitoring speaks of nothing else: names, alerts with the
# situations in which they fire, and the text of a real memctxd in both spellings. Skipped without promtool.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
examples=$top/examples/monitoring
work=$(mktemp -d)
failures=0
agent=

finish()
{
    [ -z "$agent" ] || { kill "$agent"; wait "$agent"; } 2> /dev/null
    rm -rf "$work"
}
trap finish EXIT

fail()
{
    echo "$*" >&2
    failures=$((failures + 1))
}

# Rules and dashboard name metrics that there are.
check_names()
{
    local name file
    "$build/tests/print_metrics" | cut -f 1 > "$work/names"
    for file in "$examples"/memctxd.rules.yml "$examples"/memctxd-dashboard.json; do
        while read -r name; do
            grep -qx "$name" "$work/names" || fail "${file##*/} names $name, which memctxd does not measure"
        done < <(grep -oE '\bmemctx_[a-z_]+' "$file" | sort -u)
    done
    python3 -m json.tool "$examples/memctxd-dashboard.json" > /dev/null || fail "the dashboard is no JSON"
}

# Each alert is tested for when it fires and for when it does not.
check_alerts()
{
    local alert
    while read -r alert; do
        [ "$(grep -c "alertname: $alert\$" "$examples/memctxd.rules.test.yml")" -ge 2 ] || fail "$alert has no tests"
    done < <(sed -n 's/.*- alert: //p' "$examples/memctxd.rules.yml")
    promtool check rules "$examples/memctxd.rules.yml" > "$work/said" 2>&1 || fail "$(< "$work/said")"
    (cd "$examples" && promtool test rules memctxd.rules.test.yml) > "$work/said" 2>&1 || fail "$(< "$work/said")"
}

start_agent()
{
    echo "metrics_file = \"$work/memctxd.prom\"" > "$work/conf"
    "$build/memctxd" -c test:///default --stub --config "$work/conf" --runtime-dir "$work/run" 2> "$work/log" &
    agent=$!
    "$build/memctx" --runtime-dir "$work/run" list > /dev/null 2>&1
    for _ in $(seq 600); do
        "$build/memctx" --runtime-dir "$work/run" wait test --timeout 1 > /dev/null 2>&1 && return
        sleep 0.1
    done
    fail "no datum of the test domain in a minute"
}

check_text()
{
    "$build/memctx" --runtime-dir "$work/run" metrics --prometheus > "$work/text" || fail "memctx metrics fails"
    for _ in $(seq 600); do
        grep -q 'memctx_domains{state="ready"} 1' "$work/memctxd.prom" 2> /dev/null && break
        sleep 0.1
    done
    for file in "$work/text" "$work/memctxd.prom"; do
        promtool check metrics < "$file" > "$work/said" 2>&1 || fail "$(< "$work/said")"
        [ ! -s "$work/said" ] || fail "$(< "$work/said")"
    done
    "$build/memctx" --runtime-dir "$work/run" metrics > "$work/text" || fail "memctx metrics fails"
    [ "$(tail -n 1 "$work/text")" = "# EOF" ] || fail "OpenMetrics text does not end with # EOF"
    # Debian's own python3 has Debian's packages.
    /usr/bin/python3 -c 'import prometheus_client' 2> /dev/null || { echo "python3-prometheus-client is missing: OpenMetrics not parsed"; return; }
    /usr/bin/python3 - "$work/text" << 'END' || fail "no OpenMetrics text"
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = {f.name: f for f in text_string_to_metric_families(open(sys.argv[1]).read())}
assert families["memctx_domain_tries"].type == "counter", families["memctx_domain_tries"]
assert families["memctx_domain_kernel"].type == "info"
assert families["memctx_domain_prober_cpu_seconds"].unit == "seconds"
END
}

check_names
command -v promtool > /dev/null || { [ "$failures" = 0 ] || exit 1; echo "promtool is missing (Debian: prometheus)"; exit 77; }
check_alerts
start_agent
check_text
kill "$agent"
wait "$agent"
agent=
[ ! -e "$work/memctxd.prom" ] || fail "the file with metrics outlives its agent"
[ "$failures" = 0 ]
