# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A clean copy of the source; sourced by scripts that build.

# copy_source FROM TO: what git knows of the tree FROM, or might; TO is made anew. What was built in FROM stays behind.
copy_source()
{
    rm -rf "$2" && mkdir -p "$2" &&
        git -C "$1" ls-files -z --cached --others --exclude-standard |
        tar -C "$1" --null -T - -cf - | tar -C "$2" -xf -
}
