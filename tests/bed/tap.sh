# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# How a guest test reports: lines "ok NAME", "not ok NAME: why", "skip NAME: why"; sourced by bed.sh.

tap_failures=0

ok() { echo "ok $1"; }
skip() { echo "skip $1: $2"; }
diag() { echo "# $*"; }

not_ok()
{
    tap_failures=$((tap_failures + 1))
    echo "not ok $1: $2"
}

# is NAME GOT WANTED
is()
{
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "is '$2', should be '$3'"; fi
}

# like NAME TEXT REGEX (extended, case does not matter)
like()
{
    if grep -qiE -- "$3" <<< "$2"; then
        ok "$1"
    else
        not_ok "$1" "'${2//$'\n'/ }' does not match '$3'"
    fi
}

# The last line of every test.
finish()
{
    bed_report_opens
    [ "$tap_failures" = 0 ] || exit 1
    exit 0
}
