#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What stands in examples/ works: the sample domain is valid and gets a datum, both readers read it.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

examples=$BED_TOP/examples

# The sample domain as this bed can start it: emulated, booted directly, without the disk, network and
# terminal of its host.
startable()
{
    sed -e "s/<domain type='kvm'>/<domain type='qemu'>/" -e "s/host-passthrough/maximum/" \
        -e "s/type='pty'/type='null'/" \
        -e "s,<boot dev='hd'/>,<kernel>$(bed_kernel)</kernel><initrd>$(bed_initramfs)</initrd>," \
        -e '/<disk /,/<\/disk>/d' -e '/<interface /,/<\/interface>/d' "$examples/domain.xml"
}

# reads WHAT COMMAND...: it prints the root and both sides of the split.
reads()
{
    local what=$1 said
    shift
    said=$(bed_as_user "$@" 2>&1) || true
    like "$what-kcr3" "$said" "$kcr3"
    like "$what-extent" "$said" 0x100000000
}

# fails_with WHAT STATUS COMMAND...
fails_with()
{
    local what=$1 wanted=$2 status=0
    shift 2
    bed_as_user "$@" > /dev/null 2>&1 || status=$?
    is "$what" "$status" "$wanted"
}

bed_start
# shellcheck disable=SC2046 # flags are words
gcc -o "$BED_DIR/bin/reader" "$examples/reader.c" $(pkg-config --cflags --libs libvirt libxml-2.0)
install -m 755 "$examples/reader.sh" "$BED_DIR/bin/"

if xmllint --noout --relaxng /usr/share/libvirt/schemas/domain.rng "$examples/domain.xml" 2> /dev/null; then
    ok sample-domain-valid
else
    not_ok sample-domain-valid "libvirt's schema refuses examples/domain.xml"
fi
startable > "$BED_DIR/config/sample.xml"
bed_virsh create "$BED_DIR/config/sample.xml" > /dev/null
bed_create split memory=3072
fails_with reader-c-no-datum 3 "$BED_DIR/bin/reader" split
fails_with reader-sh-no-datum 3 "$BED_DIR/bin/reader.sh" split
bed_agent_start
for name in memctx-example split; do
    if bed_ctl wait "$name" --timeout 60 > /dev/null 2>&1; then
        ok "$name-datum"
    else
        not_ok "$name-datum" "$(bed_state_line "$name")"
    fi
done
kcr3=$(bed_datum split | xmllint --xpath 'string(/memctx/kcr3)' -)
reads reader-c "$BED_DIR/bin/reader" split
reads reader-sh "$BED_DIR/bin/reader.sh" split
if /usr/bin/python3 -c 'import libvirt' 2> /dev/null; then
    install -m 755 "$examples/fleet/fleet.py" "$BED_DIR/bin/"
    like fleet "$(bed_as_user "$BED_DIR/bin/fleet.py" "$BED_URI" | grep ' split ')" " yes +1 +linux .*$kcr3\$"
else
    skip fleet "no python3-libvirt: run tests/bed/install.sh"
fi
finish
