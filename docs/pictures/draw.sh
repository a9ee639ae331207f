#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Make the pictures again, or with --check say which are not what their scripts make.
#
#   docs/pictures/draw.sh [--check]
set -eu -o pipefail
cd "$(dirname "$0")"
export PYTHONDONTWRITEBYTECODE=1
faults=0

for script in broker flow life rooms states; do
    if [ "${1-}" != --check ]; then
        python3 "$script.py" > "$script.svg.new"
        mv "$script.svg.new" "$script.svg"
    elif ! python3 "$script.py" | cmp -s - "$script.svg"; then
        echo "docs/pictures/$script.svg is not what $script.py makes: run docs/pictures/draw.sh" >&2
        faults=1
    fi
done
exit "$faults"
