#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Which lines of src/ and agent/ the tests have reached: coverage/index.html of the build directory, and a line a room.
# Run by "make coverage" after the tests, in a build that was configured with --enable-coverage.
set -eu -o pipefail
top=$(cd "${MEMCTX_SRCDIR:?}" && pwd)
cd "${MEMCTX_BUILDDIR:?}"

lcov -q -c -d . -o coverage.info --include "$top/src/*" --include "$top/agent/*" 2> coverage.log ||
    { cat coverage.log >&2; exit 1; }
genhtml -q -o coverage coverage.info

# room LINES REACHED PERCENT, and all together
awk -F '[:,]' -v top="$top/" '
    /^SF:/ { file = $2; room = file; sub(top, "", room); sub("/[^/]*$", "", room) }
    /^DA:/ { line = file ":" $2; if (!(line in seen)) { seen[line] = room; lines[room]++; lines["all"]++ } }
    /^DA:/ && $3 > 0 && !(line in hit) { hit[line]; reached[room]++; reached["all"]++ }
    END { for (r in lines) printf "%-20s %6d %6d %5.1f %%\n", r, lines[r], reached[r], reached[r] * 100 / lines[r] }
' coverage.info | sort
