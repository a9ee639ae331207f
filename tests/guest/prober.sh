#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Nothing to steal, nobody to starve: what parses a guest's bytes has no power, holds nothing of another guest, and holds
# up no other guest, whatever becomes of it; and memctxd itself parses none.
# LONG
#
#   MEMCTX_HOSTILES  beside how many hostile guests a good one boots, a list (default "0 1 4")
#   MEMCTX_BOOTS     of a good guest, beside each of these numbers, and with probers that are killed (default 2)
# shellcheck disable=SC2317 # functions called by name
set -eu
# shellcheck disable=SC2034 # for bed.sh
BED_TRACES_ITSELF=1
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

boots=${MEMCTX_BOOTS:-2}
read -ra hostile_counts <<< "${MEMCTX_HOSTILES:-0 1 4}"

# What all processes of memctxd may use of a core, in permille, however many guests are hostile.
max_permille=250

# Looks of an outside reader after a reset, one each 10 ms where the machine has nothing else to do, in which the old
# datum may still be seen.
grace=10

# ---- a prober holds nothing -----------------------------------------------------------------------------

has_tried() { bed_state_line "$1" | grep -q 'in RAM'; }

# The prober that has this among its descriptors
prober_with()
{
    local pid
    for pid in $(bed_probers); do
        [[ " $(bed_descriptors "$pid") " != *" $1 "* ]] || echo "$pid"
    done
}

# confined NAME RAM DESCRIPTORS: one prober has that RAM open, and beside it these descriptors and no power.
confined()
{
    local pid
    pid=$(prober_with "$2")
    is "prober-$1" "$(wc -w <<< "$pid")" 1
    is "prober-$1-descriptors" "$(bed_descriptors "$pid")" "$3"
    is "prober-$1-powers" "$(bed_powers "$pid" 'CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs|Seccomp')" \
        "CapInh=0 CapPrm=0 CapEff=0 CapAmb=0 NoNewPrivs=1 Seccomp=$(bed_filter "$(bed_agent_log)")"
    # A session's agent may not empty the bounding set; with NoNewPrivs it gives nothing.
    diag "prober-$1: $(bed_powers "$pid" CapBnd)"
}

check_confined()
{
    local one two qemu
    if [ "$(id -u)" != 0 ]; then
        skip prober-confined "only root can see what a prober has open"
        return
    fi
    bed_agent_start
    bed_create one boot=firmware memory=256
    bed_create two boot=firmware memory=256 backing=file
    bed_create own boot=firmware memory=256 backing=none
    for name in one two own; do
        bed_until 60 has_tried $name || diag "$(bed_state_line $name)"
    done
    one=$(stat -L -c %d:%i "$(bed_ram_fd one)")
    two=$(stat -L -c %d:%i "$(bed_ram_fd two)")
    qemu=$(bed_pid own)
    confined one "$one" "$one 0 socket"
    confined two "$two" "$two 0 socket"
    confined own "/proc/$qemu/mem" "/proc/$qemu/mem 0 /proc/$qemu/pagemap 0 socket"
    is prober-each-one "$(bed_probers | wc -l)" 3
    for name in one two own; do bed_destroy $name; done
    bed_agent_stop TERM || true
}

# ---- a prober starves nobody ----------------------------------------------------------------------------

has_candidates() { bed_state_line "$1" | grep -q "$2: [0-9][0-9]* candidate"; }

# hostile NAME linux|windows: a guest that fills its RAM and halts
hostile()
{
    bed_create "$1" boot=halt memory=256
    bed_wait_halt "$1" 60 || diag "$1 does not halt"
    "$BED_DIR/bin/hostile" "$(bed_ram_fd "$1")" "$2"
}

# hostiles COUNT: so many, half of each kind. What Linux costs begins when all RAM has been looked through twice.
hostiles()
{
    local i kinds=(linux windows)
    for ((i = 0; i < $1; i++)); do hostile "hostile-$i" "${kinds[i % 2]}"; done
    for ((i = 0; i < $1; i++)); do
        bed_until 120 has_candidates "hostile-$i" "${kinds[i % 2]}" || diag "hostile-$i: $(bed_state_line "hostile-$i")"
    done
    [ "$1" = 0 ] || diag "beside hostile guests such as: $(bed_state_line hostile-0)"
}

# right WHAT POLLS NTH: the good guest is up for the NTH time, and soon has its datum, and never another one.
right()
{
    local what=$1 polls=$2 nth=$3 truth
    if ! bed_wait_up good 120 "$nth"; then
        not_ok "$what" "the good guest does not come up"
        return
    fi
    truth=$(bed_truth good)
    bed_wait_datum "$polls" 60 "generation=\"$nth\"" || diag "$what: $(bed_state_line good)"
    is "$what" "$(bed_datum_faults "$(bed_datum good || true)" "$truth")$(bed_wrong_polls "$polls" "$truth" $grace)" ""
}

# boot_good WHAT: a good guest boots, and is reset; from the note in its RAM to the datum in $ms
boot_good()
{
    local what=$1 polls="$BED_DIR/log/polls" note="$BED_DIR/log/note"
    rm -f "$polls" "$note"
    bed_create good
    bed_poll_metadata good "$polls"
    bed_spawn "$note" "$BED_DIR/bin/notepoll" "$(bed_pid good)" 60
    local notepoll=$BED_SPAWNED
    right "$what" "$polls" 1
    wait "$notepoll" || true
    ms=$(awk -v a="$(awk '/^NOTE/ { print $2 }' "$note")" -v b="$(bed_first_datum "$polls")" \
        'BEGIN { printf "%d", (b - a) * 1000 }')
    bed_virsh reset good > /dev/null
    bed_mark "$polls"
    right "$what-reset" "$polls" 2
    bed_kill "$BED_POLLER"
    bed_destroy good
}

# beside COUNT: good guests boot beside so many hostile ones.
beside()
{
    local i ms cpu since used all=()
    hostiles "$1"
    cpu=$(bed_all_cpu_ms) since=${EPOCHREALTIME/./}
    for ((i = 1; i <= boots; i++)); do
        boot_good "beside-$1-$i"
        all+=("$ms")
    done
    used=$((($(bed_all_cpu_ms) - cpu) * 1000000 / (${EPOCHREALTIME/./} - since)))
    diag "beside $1 hostile guests: from the note in RAM to the datum: ${all[*]} ms; memctxd and its probers" \
        "took $used permille of a core; load $(cut -d ' ' -f 1 /proc/loadavg) on $(nproc)"
    if [ "$used" -le $max_permille ]; then ok "beside-$1-cpu"; else not_ok "beside-$1-cpu" "$used permille of a core"; fi
    for ((i = 0; i < $1; i++)); do bed_destroy "hostile-$i"; done
}

check_fair()
{
    local count
    bed_agent_start
    for count in "${hostile_counts[@]}"; do beside "$count"; done
    bed_agent_stop TERM || true
}

# ---- a prober may die -----------------------------------------------------------------------------------

# All that a prober could leave behind: descriptors, threads, and children in any state.
holdings()
{
    echo "$(find "/proc/$BED_AGENT/fd" -mindepth 1 | wc -l) descriptors," \
        "$(pgrep -c -P "$BED_AGENT") children"
}
threads() { find "/proc/$BED_AGENT/task" -mindepth 1 -maxdepth 1 | wc -l; }
has_holdings() { [ "$(holdings)" = "$1" ]; }
is_empty() { [ -z "$(bed_ctl list | grep -E 'waiting|ready|stale' || true)" ]; }

# Some prober gets some signal, again and again. What is signalled is in the file killed.
hunt()
{
    local pids signals=(SEGV STOP KILL) signal
    for ((;;)); do
        mapfile -t pids < <(bed_probers)
        signal=${signals[RANDOM % 3]}
        [ ${#pids[@]} = 0 ] || ! kill "-$signal" "${pids[RANDOM % ${#pids[@]}]}" 2> /dev/null ||
            echo "$signal" >> "$BED_DIR/log/killed"
        sleep "0.$((RANDOM % 9 + 1))"
    done
}

# hunted NTH: two guests boot while their probers are hunted, and get the right datum when that is over.
hunted()
{
    local name hunter
    hunt &
    hunter=$!
    for name in prey none; do
        bed_create $name memory=320 "$([ $name = none ] && echo backing=none || echo backing=memfd)"
    done
    for name in prey none; do bed_wait_up $name 120 || diag "$name does not come up"; done
    bed_kill $hunter
    for name in prey none; do
        bed_wait_state $name ready 90 || diag "$(bed_state_line $name)"
        is "hunted-$1-$name" "$(bed_datum_faults "$(bed_datum $name || true)" "$(bed_truth $name)")" ""
        bed_destroy $name
    done
}

check_hunted()
{
    local i before threads_before
    bed_agent_start
    # libvirt's threads and what is made once
    bed_create prey boot=firmware
    bed_until 60 has_tried prey || diag "$(bed_state_line prey)"
    bed_destroy prey
    bed_until 60 is_empty || diag "$(bed_ctl list)"
    sleep 1
    before=$(holdings)
    threads_before=$(threads)
    for ((i = 1; i <= boots; i++)); do
        hunted "$i"
        bed_agent_alive || { not_ok hunted-agent "it died in boot $i"; return; }
    done
    ok hunted-agent
    diag "signals: $(sort "$BED_DIR/log/killed" | uniq -c | xargs); of the faults were" \
        "logged: $(sed -nE 's/.*prober fault [0-9]+: (it [^:]*).*/\1/p' "$(bed_agent_log)" | sort | uniq -c | xargs)"
    is hunted-faults-are-told "$(grep -cE 'prober fault [0-9]+: it did well' "$(bed_agent_log)" || true)" 0
    bed_until 60 has_holdings "$before" || true
    is hunted-leaves-nothing "$(holdings)" "$before"
    # Executors begin with none, and start one when there is more to do at once than before.
    if [ "$(threads)" -le $((threads_before + 8)) ]; then ok hunted-threads
    else not_ok hunted-threads "$(threads), and $threads_before before"; fi
    bed_agent_stop TERM || true
}

# ---- memctxd parses nothing -----------------------------------------------------------------------------

client_bytes=3000

# All calls by which bytes could come out of a descriptor
calls=read,readv,pread64,preadv,preadv2,mmap,process_vm_readv,sendfile,splice,copy_file_range

# Calls of memctxd's own threads on guest RAM. A thread of the trace that calls execve is a process.
calls_on_ram()
{
    awk 'FNR == 1 { other = 0 }
        /^execve\(/ { other = 1 }
        !other && /^[a-z0-9_]+\(.*<[^>]*(memory-backend|\/proc\/[0-9]+\/mem>)/' "$BED_DIR"/log/broker.*
}

words_read() { calls_on_ram | grep -cE '^pread64\(.*, 8, [0-9]+\) += 8$' || true; }
has_read_words() { [ "$(words_read)" -gt "$1" ]; }
all_traced() { ! grep -h TracerPid "/proc/$BED_AGENT/task/"*/status | grep -qw 0; }

# tracer_starts: memctxd under strace, each thread in a file of its own; its pid in $tracer
tracer_starts()
{
    strace -ff -y -s 0 -e "trace=$calls,execve" -o "$BED_DIR/log/broker" -p "$BED_AGENT" 2> /dev/null &
    tracer=$!
    bed_until 20 all_traced
}

client_reads() { bed_ctl read "$1" 0x100000 $client_bytes --physical --raw | wc -c; }

# Two guests boot, are ready for a while, read, reset and ready again.
trace_guests()
{
    local name nth
    for name in traced own; do
        bed_create $name "$([ $name = own ] && echo backing=none || echo backing=memfd)"
    done
    for nth in 1 2; do
        for name in traced own; do
            bed_wait_up $name 120 $nth || diag "$name does not come up"
            bed_wait_state $name ready 90 || not_ok "traced-$name-ready" "$(bed_state_line $name)"
        done
        bed_until 60 has_read_words "$(($(words_read) + 4))" || diag "$(words_read) words read"
        for name in traced own; do
            is "traced-$name-read-$nth" "$(client_reads $name)" $client_bytes
            [ $nth = 2 ] || bed_virsh reset $name > /dev/null
        done
    done
}

check_broker()
{
    local tracer name
    echo 'revalidate_ms = 1000' > "$BED_DIR/config/memctxd.conf"
    BED_AGENT_OPTIONS=(--config "$BED_DIR/config/memctxd.conf")
    bed_agent_start
    if ! tracer_starts; then
        skip broker "strace may not attach here"
        return
    fi
    trace_guests
    for name in traced own; do bed_destroy $name; done
    bed_untrace "$tracer"
    diag "calls on guest RAM by memctxd:" \
        "$(calls_on_ram | sed -nE 's/^([a-z0-9]+)\(.*, ([0-9]+), [0-9]+\) += .*/\1 of \2/p' | sort | uniq -c | xargs)"
    if [ "$(words_read)" -gt 0 ]; then ok broker-heartbeat; else not_ok broker-heartbeat "no word was read"; fi
    # One copy of what the client wants, or parts of it; a clock word, or the word of 4 bytes that tells of a panic.
    is broker-parses-nothing \
        "$(calls_on_ram | grep -vE "^pread64\(.*, (4|8|$client_bytes), [0-9]+\) += (4|8|$client_bytes)\$" | head -n 3)" ""
    bed_agent_stop TERM || true
}

bed_start
check_confined
check_fair
check_hunted
check_broker
finish
