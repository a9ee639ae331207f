#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Types, processes, modules and memory of a guest, as memctx reads them, are what the guest's own /proc and /sys say; of
# kernels of several releases and architectures. Those that cannot be had are skipped.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"
# shellcheck source=tests/bed/facts.sh
. "$BED_SRC/facts.sh"

# kernel NAME KEY=VALUE...: boot it and ask
kernel()
{
    local name=$1
    shift
    bed_create "$name" "$@"
    bed_wait_up "$name" 180 || { not_ok "$name-up" "the guest does not come up"; return; }
    bed_wait_state "$name" ready 60 || { not_ok "$name-ready" "$(bed_state_line "$name")"; return; }
    bed_tell "$name" odd
    bed_ask "$name" facts 60 || { not_ok "$name-asked" "the guest does not answer"; return; }
    facts_are_right "$name" "$symbols"
    [ "$name" != linux ] || tables_of "$name"
    bed_destroy "$name"
}

# A table for Volatility is JSON, with what it looks for.
tables_of()
{
    is "$1-isf" "$(bed_ctl export "$1" --format isf | python3 -c '
import base64, json, sys
table = json.load(sys.stdin)
symbol = table["symbols"]["linux_banner"]
print(base64.b64decode(symbol["constant_data"]).decode().split()[2], table["symbols"]["init_task"]["type"]["name"],
      "pid" in table["user_types"]["task_struct"]["fields"])')" "$(bed_said "$1" | bed_field release) task_struct True"
}

of_release()
{
    local name=$1 release=$2 flavour=$3 kernel
    kernel=$(bed_kernel "$release/$flavour") || { skip "$name" "no such kernel can be had here"; return; }
    kernel "$name" kernel="$kernel"
}

symbols=yes
bed_start
bed_agent_start
initrd=$(bed_modules_initramfs) || initrd=$(bed_initramfs)
kernel linux initrd="$initrd"
of_release older bullseye 5.10-cloud-amd64
of_release newer "$(bed_release)" 6.12-cloud-amd64
symbols=no
if kernel=$(bed_kernel_arm64 cloud-arm64) && initrd=$(bed_initramfs_foreign arm64); then
    kernel arm64 arch=aarch64 machine=virt kernel="$kernel" initrd="$initrd"
else
    skip arm64 "no kernel or busybox for arm64 can be had here"
fi
finish
