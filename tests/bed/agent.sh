# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The agent under test and those who watch it from outside; sourced by bed.sh.

BED_AGENT=
BED_AGENT_OPTIONS=()
bed_agents=0

bed_agent_log() { echo "$BED_DIR/log/memctxd.log"; }
bed_ctl() { bed_as_user "$BED_DIR/bin/memctx" "$@"; }

# With MEMCTX_TRACE=1 every agent is under strace from its first call on (-D: its pid stays that of the agent), but for
# those that their test traces itself. strace is root: nobody else sees the paths in an agent that hides its memory.
bed_tracer()
{
    [ "${MEMCTX_TRACE:-0}" = 1 ] && [ "${BED_TRACES_ITSELF:-0}" = 0 ] || return 0
    echo strace -D -f -q --seccomp-bpf -e trace=open,openat,openat2,creat -o "$BED_DIR/log/opens.$1"
}

# Guest RAM that an agent opened for writing, in whichever way: nothing, where no configuration allows a write.
bed_ram_opened_for_writing()
{
    cat "$BED_DIR"/log/opens.* 2> /dev/null | grep -E 'O_RDWR|O_WRONLY|O_TRUNC|creat\(' |
        grep -E '"(/proc/|/dev/(shm|hugepages|mem))|/ram/|/memory|[./-]ram"|memfd' || true
}

bed_report_opens()
{
    [ "${BED_TRACES_ITSELF:-0}" = 0 ] || return 0
    compgen -G "$BED_DIR/log/opens.*" > /dev/null || return 0
    is opens-have-paths "$(cat "$BED_DIR"/log/opens.* | grep -c -m 1 '"[^"]*", O_RDONLY')" 1
    is opens-no-ram-for-writing "$(bed_ram_opened_for_writing)" ""
    diag "$(cat "$BED_DIR"/log/opens.* | grep -c open) opens seen"
}

# In the background as the user; its pid in BED_AGENT. BED_LOG_LEVEL says how much it tells, BED_AGENT_OPTIONS are
# further options.
bed_agent_start()
{
    [ -x "$BED_DIR/bin/memctxd" ] || bed_die "no memctxd in $BED_BUILD: build first or set MEMCTX_BUILDDIR"
    [ "${MEMCTX_TRACE:-0}" = 0 ] || [ "$(id -u)" = 0 ] || bed_die "MEMCTX_TRACE wants root"
    read -ra BED_TRACER <<< "$(bed_tracer $((++bed_agents)))"
    bed_spawn "$(bed_agent_log)" "$BED_DIR/bin/memctxd" -c "$BED_URI" --log-level "${BED_LOG_LEVEL:-debug}" \
        "${BED_AGENT_OPTIONS[@]}"
    # shellcheck disable=SC2034 # for bed_spawn
    BED_TRACER=()
    BED_AGENT=$BED_SPAWNED
    bed_until 60 test -S "$BED_DIR/run/memctxd/control.sock" || bed_die "memctxd made no control socket"
    bed_until 60 bed_agent_answers || bed_die "memctxd does not answer"
}

# bed_agent_stop SIGNAL: returns the agent's exit status.
bed_agent_stop()
{
    local status=0
    kill "-$1" "$BED_AGENT"
    wait "$BED_AGENT" 2> /dev/null || status=$?
    BED_AGENT=
    return "$status"
}

# bed_note_hooks FILE: agents that are started from now on have a hook that writes down there what it is told: "DOMAIN WHAT
# GENERATION".
bed_note_hooks()
{
    mkdir -p "$BED_DIR/config/hooks"
    printf '#!/bin/sh\necho "$@" >> %s\n' "$1" > "$BED_DIR/config/hooks/10-note"
    chmod -R go-w,a+rX "$BED_DIR/config/hooks"
    chmod 755 "$BED_DIR/config/hooks/10-note"
    : > "$1"
    chmod 666 "$1"
    echo "hooks_dir = \"$BED_DIR/config/hooks\"" > "$BED_DIR/config/memctxd.conf"
    BED_AGENT_OPTIONS+=(--config "$BED_DIR/config/memctxd.conf")
}

bed_agent_alive() { kill -0 "$BED_AGENT" 2> /dev/null; }

bed_agent_show_log()
{
    [ -s "$(bed_agent_log)" ] || return 0
    diag "last lines of the agent's log:"
    tail -n 25 "$(bed_agent_log)" | sed 's/^/#   /'
}

# bed_state_line NAME: prints the line of "memctx list" about it, or nothing.
bed_state_line() { bed_ctl list | grep -w -- "$1" || true; }

# bed_state NAME: the state alone
bed_state() { bed_state_line "$1" | grep -owE 'waiting|ready|stale|silent|unsupported|unknown' | head -n 1; }

bed_has_state() { [ "$(bed_state "$1")" = "$2" ]; }

# bed_wait_state NAME STATE TIMEOUT
bed_wait_state() { bed_until "$3" bed_has_state "$1" "$2"; }

# It does, too, while libvirt is away: that it knows no domains then is an answer.
bed_agent_answers() { ! bed_ctl list 2>&1 | grep -qE 'cannot reach|memctxd left'; }

# bed_in_turns COUNT COMMAND...: repeat until it succeeds, as often as the agent answers so many times; 1 when it has. A
# second or less where the machine has nothing else to do.
bed_in_turns()
{
    local left=$1
    shift
    until "$@" > /dev/null 2>&1; do
        [ "$((left--))" -gt 0 ] || return 1
        bed_agent_answers || return 1
    done
}

# CPU time of process $1 in milliseconds
bed_cpu_ms()
{
    local stat ticks
    stat=$(< "/proc/$1/stat")
    # The name in parentheses may hold blanks; count from behind it.
    read -ra ticks <<< "${stat##*) }"
    echo $(((ticks[11] + ticks[12]) * 1000 / $(getconf CLK_TCK)))
}

# Processes of the agent that parse guest memory
bed_probers() { pgrep -x -P "$BED_AGENT" memctx-prober || true; }

# CPU time of the agent and of all its children in milliseconds, of those that have ended, too
bed_all_cpu_ms()
{
    local stat ticks pid ms=0
    for pid in $(bed_probers); do ms=$((ms + $(bed_cpu_ms "$pid" 2> /dev/null || echo 0))); done
    stat=$(< "/proc/$BED_AGENT/stat")
    read -ra ticks <<< "${stat##*) }"
    echo $((ms + (ticks[11] + ticks[12] + ticks[13] + ticks[14]) * 1000 / $(getconf CLK_TCK)))
}

# bed_powers PID NAMES: these lines of its status, "CapEff=0 Seccomp=2", without leading zeros; NAMES is "CapEff|Seccomp".
bed_powers() { sed -nE "s/^($2):[ \t]*0*([0-9a-f]+)\$/\1=\2/p" "/proc/$1/status" | xargs; }

# bed_filter LOG: the state Seccomp of a prober by what this agent has logged: a build with sanitizers says that it has
# no filter.
bed_filter() { if grep -q 'system calls are not filtered' "$1"; then echo 0; else echo 2; fi; }

# bed_descriptors PID: all but the standard ones, each once: "socket", or what the file is and its access mode (0:
# O_RDONLY). A file is its inode, as stat prints it, or the memory of a process. Root alone sees those of a prober.
bed_descriptors()
{
    local fd flags
    for fd in "/proc/$1/fd/"*; do
        [ "${fd##*/}" -gt 2 ] || continue
        flags=$(sed -n 's/^flags:[ \t]*//p' "/proc/$1/fdinfo/${fd##*/}")
        case "$(readlink "$fd")" in
            socket:*) echo socket ;;
            */mem | */pagemap) echo "$(readlink "$fd") $((0$flags & 3))" ;;
            *) echo "$(stat -L -c %d:%i "$fd") $((0$flags & 3))" ;;
        esac
    done | sort -u | xargs
}

# bed_permille SECONDS: of the time of a core that the agent took meanwhile; more time may pass where the machine is busy.
bed_permille()
{
    local cpu since
    cpu=$(bed_cpu_ms "$BED_AGENT") since=${EPOCHREALTIME/./}
    sleep "$1"
    echo $((($(bed_cpu_ms "$BED_AGENT") - cpu) * 1000000 / (${EPOCHREALTIME/./} - since)))
}

# bed_agent_fds_of INODE: descriptors by which the agent holds that file, by device:inode as stat prints them
bed_agent_fds_of()
{
    local fd
    for fd in "/proc/$BED_AGENT/fd/"*; do
        [ "$(stat -L -c %d:%i "$fd" 2> /dev/null)" != "$1" ] || echo "${fd##*/}"
    done
}

# ---- datum ----------------------------------------------------------------------------------------------

# Each reads a datum on stdin.
bed_datum_element() { tr '\n' ' ' | sed -n "s:.*<$1>\([^<]*\)</$1>.*:\1:p"; }
bed_datum_attribute() { tr '\n' ' ' | sed -n "s:.*<$1 [^>]*\b$2=[\"']\([^\"']*\)[\"'].*:\1:p"; }

# bed_datum_faults DATUM TRUTH: prints how the datum departs from the truth, nothing when it is right.
bed_datum_faults()
{
    local datum=$1 truth=$2 key
    for key in kcr3 paging low; do
        bed_expect "$key" "$(bed_datum_element $key <<< "$datum")" "$(bed_field $key <<< "$truth")"
    done
    bed_expect os "$(bed_datum_attribute guest os <<< "$datum")" linux
    bed_expect version "$(bed_datum_attribute guest version <<< "$datum")" "$(bed_field release <<< "$truth")"
    bed_expect identity "$(bed_datum_attribute guest identity <<< "$datum")" "$(bed_field buildid <<< "$truth")"
    bed_expect ram "$(bed_datum_attribute ram size <<< "$datum")" "$(bed_field ram <<< "$truth")"
    bed_datum_invalid "$datum"
}

# bed_private_faults DATUM TRUTH: the same for what only authorised readers get.
bed_private_faults()
{
    local datum=$1 truth=$2
    bed_expect base "$(bed_datum_attribute kernel base <<< "$datum")" "$(bed_field text <<< "$truth")"
    bed_expect kaslr "$(bed_datum_attribute linux kaslr_offset <<< "$datum")" "$(bed_field kaslr_offset <<< "$truth")"
    bed_expect phys_base "$(bed_datum_attribute linux phys_base <<< "$datum")" "$(bed_field phys_base <<< "$truth")"
}

bed_expect() { [ "$2" = "$3" ] || echo "$1 is '$2', should be '$3';"; }

# The schema that ships with the project. virsh shows the datum without its namespace.
bed_datum_invalid()
{
    sed "0,/<memctx/s|<memctx|& xmlns='$BED_NS'|" <<< "$1" |
        xmllint --noout --relaxng "$BED_TOP/src/memctx.rng" - > /dev/null 2>&1 || echo "schema says no;"
}

# bed_poll_metadata NAME FILE [INTERVAL_MS]: appends "T<tab>N<tab>DATUM" at each change ("-": none), N counting the
# looks; pid in BED_POLLER.
bed_poll_metadata()
{
    bed_spawn "$2" "$BED_DIR/bin/metapoll" "$BED_URI" "$1" "${3:-10}"
    # shellcheck disable=SC2034 # for the test
    BED_POLLER=$BED_SPAWNED
    bed_until 60 test -s "$2"
}

# bed_mark FILE: marks in the poll file that something has just happened.
bed_mark()
{
    local before
    before=$(bed_marks "$1")
    kill -USR1 "$BED_POLLER"
    bed_until 60 bed_has_marks "$1" $((before + 1)) || bed_die "the poller of $1 does not answer"
}
bed_marks() { grep -c $'\tmark$' "$1" || true; }
bed_has_marks() { [ "$(bed_marks "$1")" -ge "$2" ]; }

bed_kill()
{
    kill "$1" 2> /dev/null || true
    wait "$1" 2> /dev/null || true
}

# bed_untrace PID: end a strace of the agent. One that is told to end while the agent starts a program may wait for ever:
# for the thread that waits for the child that strace itself has stopped. Killed, it lets go of both.
bed_untrace()
{
    kill "$1" 2> /dev/null || true
    bed_until 10 bed_has_ended "$1" || kill -KILL "$1" 2> /dev/null || true
    wait "$1" 2> /dev/null || true
}
bed_has_ended() { case "$(ps -o stat= -p "$1")" in '' | Z*) ;; *) return 1 ;; esac; }

bed_now() { "$BED_DIR/bin/notepoll" now; }

# Time of the first datum in a poll file, or of the first one with TEXT in it: bed_first_datum FILE [TEXT]
bed_first_datum() { grep -F "${2:-<memctx}" "$1" | grep -m 1 '<memctx' | cut -f 1; }

bed_polled() { grep -qF "${2:-<memctx}" "$1"; }

# bed_wait_datum FILE TIMEOUT [TEXT]: until the poller has seen a datum (with TEXT in it)
bed_wait_datum() { bed_until "$2" bed_polled "$1" "${3:-<memctx}"; }

# bed_polls_since_mark FILE TEXT: how many looks after the last mark a datum with TEXT in it was first seen
bed_polls_since_mark()
{
    awk -F '\t' -v text="$2" '
        $3 == "mark" { marked = $2; next }
        !seen && index($3, text) { seen = $2 }
        END { print seen - marked }' "$1"
}

# bed_wrong_polls FILE TRUTH [GRACE]: prints each datum the poller saw whose kcr3 is not the truth's, and that does not
# say itself that its kernel does not run; with GRACE only
# those that were there more than so many looks after the first mark.
bed_wrong_polls()
{
    local kcr3
    kcr3=$(bed_field kcr3 <<< "$2")
    awk -F '\t' -v grace="${3:-none}" -v right="<kcr3>$kcr3</kcr3>" '
        function judge(until) {
            if (last ~ /<memctx/ && last !~ /<memctx[^>]* live=/ && !index(last, right) && (grace == "none" || until > since)) print at " " last
        }
        $3 == "mark" { mark = mark ? mark : $2; next }
        { lines[++m] = $0 }
        END {
            since = mark + grace
            for (i = 1; i <= m; i++) {
                split(lines[i], part, "\t")
                judge(part[2])
                at = part[1]
                last = part[3]
            }
            judge(since + 1)
        }' "$1"
}

# bed_judged_args NAME: words for args= of a domain that is to be judged: a monitor of its QEMU beside libvirt's
bed_judged_args()
{
    echo "-chardev socket,id=judge,path=$BED_DIR/console/$1.qmp,server=on,wait=off -mon chardev=judge,mode=control"
}

# bed_judge NAME: from now on a judge sees whether the kernel of its datum runs (judge.py). One at a time.
bed_judge()
{
    local log="$BED_DIR/log/judge-$1"
    rm -f "$log" "$log.polls"
    bed_spawn "$log.polls" "$BED_DIR/bin/metapoll" "$BED_URI" "$1" 10
    bed_judge_poller=$BED_SPAWNED
    bed_until 60 test -s "$log.polls"
    bed_spawn "$log" python3 "$BED_DIR/bin/judge.py" "$(bed_pid "$1")" "$BED_DIR/console/$1.qmp" "$log.polls" \
        "$BED_DIR/run/memctxd/domains/$(bed_uuid "$1").xml"
    bed_judge=$BED_SPAWNED
}

# bed_judged NAME: what the judge has found wrong, on one line; nothing, when all was right and something was seen.
bed_judged()
{
    local log="$BED_DIR/log/judge-$1"
    bed_kill "$bed_judge"
    bed_kill "$bed_judge_poller"
    diag "judge of $1: $(tail -n 1 "$log")" >&2
    grep '^wrong:' "$log" | head -n 1 || grep -qE '^[0-9]{2,} looks, [1-9]' "$log" || echo "the judge saw nothing"
}

# bed_latency NAME [KEY=VALUE...]: boots such a guest; from the note in its RAM to the datum in milliseconds, in $ms.
# Negative: we were quicker than the 20 ms poller. 1 when there was no note or no datum in 60 s.
bed_latency()
{
    local name=$1 polls="$BED_DIR/log/polls-$1" note="$BED_DIR/log/note-$1" noticed published
    rm -f "$polls" "$note"
    bed_create "$@"
    bed_poll_metadata "$name" "$polls"
    bed_spawn "$note" "$BED_DIR/bin/notepoll" "$(bed_pid "$name")" 60
    bed_wait_datum "$polls" 60 || true
    wait "$BED_SPAWNED" || true
    bed_kill "$BED_POLLER"
    bed_destroy "$name"
    noticed=$(awk '/^NOTE/ { print $2 }' "$note")
    published=$(bed_first_datum "$polls")
    [ -n "$noticed" ] && [ -n "$published" ] || return 1
    # shellcheck disable=SC2034 # for the caller
    ms=$(awk -v a="$noticed" -v b="$published" 'BEGIN { printf "%d", (b - a) * 1000 }')
}
