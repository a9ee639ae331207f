#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Prints what memctxd published about a domain, with virsh and xmllint alone.
#
#   examples/reader.sh [-c URI] DOMAIN
#
# Exits with 0, 1 error, 2 usage, 3 the domain has no datum (yet).
set -u

usage()
{
    echo "usage: reader.sh [-c URI] DOMAIN" >&2
    exit 2
}

while getopts c: option; do
    case $option in
        c) LIBVIRT_DEFAULT_URI=$OPTARG; export LIBVIRT_DEFAULT_URI ;;
        *) usage ;;
    esac
done
shift $((OPTIND - 1))
[ $# = 1 ] || usage

# virsh fails in the same way when there is no datum and when there is no such domain: ask for the domain first.
virsh -q domuuid -- "$1" > /dev/null || exit 1
datum=$(virsh -q metadata -- "$1" urn:memctx:1 2> /dev/null) || {
    echo "$1 has no datum" >&2
    exit 3
}

# By local name, so that it does not matter whether the namespace is shown; what is not asked for is ignored.
value() { printf '%s' "$datum" | xmllint --xpath "string($1)" - 2> /dev/null; }
memctx="/*[local-name()='memctx']"
extents="$memctx/*[local-name()='ram']/*[local-name()='extent']"

# Where it is absent the kernel runs.
live=$(value "$memctx/@live")
case $live in
    "") ;;
    no) echo "warning: live is no: this kernel stands still" >&2 ;;
    *) echo "warning: live is $live: this kernel may stand still" >&2 ;;
esac
kcr3=$(value "$memctx/*[local-name()='kcr3']")
case $kcr3 in
    0x*[!0-9a-f]*|0x|"") echo "$1: kcr3 is no number: '$kcr3'" >&2; exit 1 ;;
    0x*) ;;
    *) echo "$1: kcr3 is no number: '$kcr3'" >&2; exit 1 ;;
esac
echo "kcr3 $kcr3"
echo "paging $(value "$memctx/*[local-name()='paging']")"
echo "guest $(value "$memctx/*[local-name()='guest']/@os") $(value "$memctx/*[local-name()='guest']/@version")"

i=1
while [ -n "$(value "${extents}[$i]/@gpa")" ]; do
    echo "extent gpa $(value "${extents}[$i]/@gpa") size $(value "${extents}[$i]/@size")" \
        "is $(value "${extents}[$i]/@backend") from $(value "${extents}[$i]/@offset")"
    i=$((i + 1))
done
