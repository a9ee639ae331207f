#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Build Debian packages of this tree, or of an unpacked release.
#
#   packaging/build-deb.sh DIRECTORY [OPTION...]     the packages go to DIRECTORY, which is made; the options are
#                                                    dpkg-buildpackage's (default: --build=binary --no-sign)
#
# "apt-get build-dep DIRECTORY/memctxd-VERSION" installs what is missing. DEB_BUILD_OPTIONS=nocheck leaves the tests out.
# Times in the packages are that of the last entry of the changelog: whoever builds gets the same bytes.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
[ $# != 0 ] || { sed -n '6,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
[ $# != 1 ] || set -- "$1" --build=binary --no-sign
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
version=$(sed -n 's/^AC_INIT(\[memctxd\], \[\(.*\)\])$/\1/p' "$top/configure.ac")
tree="$out/memctxd-$version"

# shellcheck source=tests/bed/source.sh
. "$top/tests/bed/source.sh"

# A release has no git, and nothing in it that was built.
copy()
{
    if [ -e "$top/.git" ]; then copy_source "$top" "$tree"; else rm -rf "$tree" && cp -a "$top" "$tree"; fi
}

copy
tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(cd "$tree/packaging" && dpkg-parsechangelog -S Timestamp)" \
    -cf - "memctxd-$version" | gzip -9n > "$out/memctxd_$version.orig.tar.gz"
cp -a "$tree/packaging/debian" "$tree/debian"
cd "$tree"
exec dpkg-buildpackage "$@"
