#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# examples/fleet gathers the data of two hosts, which are two private libvirtd that listen on loopback, with ten domains of
# libvirt's test driver each. One that is stopped holds up nobody.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

fleet() { bed_as_user "$BED_DIR/bin/fleet.py" "$@"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
uri_of() { echo "test+tcp://127.0.0.1:${port[$1]}$BED_DIR/$1/domains.xml"; }

datum()
{
    cat <<END
<memctx:memctx xmlns:memctx='$BED_NS' generation='$1' published='2026-11-22T13:40:00Z'$2>
  <memctx:kcr3>0x1e1${1}000</memctx:kcr3><memctx:low>0x80000000</memctx:low>
  <memctx:paging>x86_64-4level</memctx:paging>
  <memctx:guest os='linux' version='6.1.0-44-cloud-amd64'/>
  <memctx:ram size='0x80000000'><memctx:extent gpa='0x0' size='0x80000000' backend='pc.ram' offset='0x0'/></memctx:ram>
  <memctx:evidence found='vmcoreinfo-note' checks='text,uts'/>
</memctx:memctx>
END
}

# domains HOST: ten of them; the kernel of the eighth stands still, the ninth and tenth have no datum.
domains()
{
    local i
    echo "<node>"
    for i in 1 2 3 4 5 6 7 8 9 10; do
        echo "<domain type='test'><name>$1-$i</name><memory>65536</memory><os><type>hvm</type></os><metadata>"
        if [ "$i" -lt 8 ]; then datum "$i" ''; elif [ "$i" = 8 ]; then datum "$i" " live='no'"; fi
        echo "</metadata></domain>"
    done
    echo "</node>"
}

# host NAME: a libvirtd that listens; its pid in $pid[NAME]
declare -A port pid
host()
{
    local dir="$BED_DIR/$1"
    port[$1]=$(free_port)
    mkdir -p "$dir/run"
    domains "$1" > "$dir/domains.xml"
    cat > "$dir/libvirtd.conf" <<END
listen_tls = 0
listen_tcp = 1
listen_addr = "127.0.0.1"
tcp_port = "${port[$1]}"
auth_tcp = "none"
log_outputs = "3:stderr"
END
    [ "$(id -u)" != 0 ] || chown -R "$BED_USER:$BED_GROUP" "$dir"
    bed_spawn "$BED_DIR/log/$1.log" env XDG_RUNTIME_DIR="$dir/run" XDG_CONFIG_HOME="$dir" XDG_CACHE_HOME="$dir" \
        libvirtd -f "$dir/libvirtd.conf" --listen
    pid[$1]=$BED_SPAWNED
    bed_until 60 bed_virsh -c "$(uri_of "$1")" uri || bed_die "$1 does not answer: $(tail -n 1 "$BED_DIR/log/$1.log")"
}

rows_of() { grep -c " $1-[0-9]" "$2" || true; }
has_rows() { [ "$(rows_of "$1" "$2")" = 10 ]; }

all_at_once()
{
    local table="$BED_DIR/log/table"
    fleet "$(uri_of one)" "$(uri_of two)" > "$table"
    is table-one "$(rows_of one "$table")" 10
    is table-two "$(rows_of two "$table")" 10
    like table-row "$(grep ' one-3 ' "$table")" 'yes +3 +linux 6.1.0-44-cloud-amd64 +x86_64-4level +0x1e13000$'
    like table-silent "$(grep ' two-8 ' "$table")" ' no +8 '
    like table-none "$(grep ' two-10 ' "$table")" ' - +- '
    is json "$(fleet --json --jobs 1 "$(uri_of one)" "$(uri_of two)" | python3 -c '
import json, sys
hosts = [json.loads(line) for line in sys.stdin]
data = [domain["datum"] for host in hosts for domain in host["domains"]]
print(len(hosts), len(data), sum(datum is None for datum in data),
      sum((datum or {}).get("live") == "no" for datum in data), data[0]["ram"]["extents"][0]["size"])')" \
        "2 20 4 2 0x80000000"
}

# Its rows are there while the other is still waited for; that one is told in the end, and comes back.
one_hangs()
{
    local table="$BED_DIR/log/hangs" waiting status=0 since=${EPOCHREALTIME/./}
    kill -STOP "${pid[two]}"
    fleet --timeout 600 "$(uri_of two)" "$(uri_of one)" > "$table" &
    waiting=$!
    bed_until 60 has_rows one "$table" && ok other-shown || not_ok other-shown "$(cat "$table")"
    diag "the rows of the other host were there after $(((${EPOCHREALTIME/./} - since) / 1000)) ms"
    if kill -0 "$waiting" && [ "$(rows_of two "$table")" = 0 ]; then ok still-waited-for
    else not_ok still-waited-for "$(tail -n 1 "$table")"; fi
    fleet --timeout 0.5 --jobs 1 "$(uri_of two)" "$(uri_of one)" > "$table.given-up" || status=$?
    is given-up-status "$status" 1
    is given-up-other "$(rows_of one "$table.given-up")" 10
    like given-up-told "$(grep "${port[two]}" "$table.given-up")" 'error: no answer within 0.5 s'
    kill -CONT "${pid[two]}"
    status=0
    wait "$waiting" || status=$?
    is came-back "$status $(rows_of two "$table")" "0 10"
}

nobody_there()
{
    local status=0
    kill -KILL "${pid[two]}"
    wait "${pid[two]}" 2> /dev/null || true
    fleet --json "$(uri_of two)" > "$BED_DIR/log/gone" || status=$?
    is gone-status "$status" 1
    like gone-told "$(< "$BED_DIR/log/gone")" '"error": ".*refused'
}

bed_start
/usr/bin/python3 -c 'import libvirt' 2> /dev/null || { skip fleet "no python3-libvirt: run tests/bed/install.sh"; finish; }
install -m 755 "$BED_TOP/examples/fleet/fleet.py" "$BED_DIR/bin/"
host one
host two
datum 1 '' > "$BED_DIR/config/datum.xml"
if xmllint --noout --relaxng "$BED_TOP/src/memctx.rng" "$BED_DIR/config/datum.xml" 2> "$BED_DIR/log/rng"; then
    ok data-are-data
else
    not_ok data-are-data "$(head -n 1 "$BED_DIR/log/rng")"
fi
all_at_once
one_hangs
nobody_there
finish
