# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The test bed: a private libvirtd in session mode under an unprivileged user; tests source this file.
#
#   MEMCTX_BUILDDIR  where memctxd and memctx were built (default: top of the source)
#   MEMCTX_CACHE     kernels and initramfs are kept here (default: /var/cache/memctx-tests)
#   MEMCTX_KEEP      when not empty the bed's directory is left for inspection
#
# bed_start makes everything in one directory and one process tree, so that bed_stop, which also runs on
# failure, can take both away without touching anything it did not start.

BED_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BED_TOP=$(cd "$BED_SRC/../.." && pwd)
BED_URI=qemu:///session
BED_NS=urn:memctx:1
BED_USER=memctxtest
BED_CACHE=${MEMCTX_CACHE:-/var/cache/memctx-tests}
BED_BUILD=$(cd "${MEMCTX_BUILDDIR:-$BED_TOP}" && pwd)
BED_DIR=
BED_KEEPER=

# shellcheck source=tests/bed/tap.sh
. "$BED_SRC/tap.sh"
# shellcheck source=tests/bed/kernel.sh
. "$BED_SRC/kernel.sh"
# shellcheck source=tests/bed/domain.sh
. "$BED_SRC/domain.sh"
# shellcheck source=tests/bed/disk.sh
. "$BED_SRC/disk.sh"
# shellcheck source=tests/bed/ramfile.sh
. "$BED_SRC/ramfile.sh"
# shellcheck source=tests/bed/agent.sh
. "$BED_SRC/agent.sh"

bed_die() { echo "bed: $*" >&2; exit 1; }

# bed_until SECONDS COMMAND...: repeat until it succeeds; 1 when time is up.
bed_until()
{
    local end=$((${EPOCHREALTIME/./} + ${1%.*} * 1000000))
    shift
    until "$@" > /dev/null 2>&1; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# bed_locked COMMAND...: alone among the beds of this machine. What they share is made and changed below the lock of the
# cache: kernels, tools, the user, huge pages.
bed_locked()
(
    mkdir -p "$BED_CACHE"
    exec 9> "$BED_CACHE/lock"
    flock 9
    "$@"
)

# ---- the user -------------------------------------------------------------------------------------------

bed_add_user()
{
    id "$1" > /dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /bin/sh "$1"
}

# qemu:///session needs somebody who is not root.
bed_make_user()
{
    if [ "$(id -u)" != 0 ]; then
        BED_USER=$(id -un)
    else
        bed_locked bed_add_user "$BED_USER"
    fi
    BED_GROUP=$(id -gn "$BED_USER")
}

# Prints the words that, put before a command, run it as the user in the bed's own world.
# LIBVIRT_AUTOSTART: a client that finds no libvirtd must not start one of its own.
bed_user_words()
{
    [ "$(id -u)" != 0 ] ||
        printf '%s\n' setpriv --reuid "$BED_USER" --regid "$BED_GROUP" --clear-groups
    printf '%s\n' env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        "USER=$BED_USER" "HOME=$BED_DIR/home" "TMPDIR=$BED_DIR/home" \
        "XDG_RUNTIME_DIR=$BED_DIR/run" "XDG_CONFIG_HOME=$BED_DIR/config" "XDG_CACHE_HOME=$BED_DIR/cache" \
        "ASAN_OPTIONS=${ASAN_OPTIONS-}" "UBSAN_OPTIONS=${UBSAN_OPTIONS-}" \
        LIBVIRT_AUTOSTART=0 LIBVIRT_DEFAULT_URI=$BED_URI "MEMCTX_PROBER=$BED_DIR/bin/memctx-prober"
}

bed_as_user() { "${BED_AS_USER[@]}" "$@"; }
bed_virsh() { bed_as_user virsh -q -c "$BED_URI" "$@"; }

# bed_spawn LOG COMMAND...: in the background as the user; its pid in BED_SPAWNED, ended by bed_stop at the latest.
# BED_TRACER is put before that, so that it stays root.
BED_TRACER=()
bed_spawn()
{
    local log=$1
    shift
    (cd "$BED_DIR/home" && exec "${BED_TRACER[@]}" "${BED_AS_USER[@]}" "$@") >> "$log" 2>&1 < /dev/null &
    BED_SPAWNED=$!
}

# ---- libvirtd -------------------------------------------------------------------------------------------

# libvirtd is restarted when it dies, as systemd would, unless the file "down" is there. QEMU becomes a child of
# tini, which is there (and not pid 1, which may not reap) because a zombie QEMU is one libvirt cannot destroy.
# shellcheck disable=SC2016 # for the shell inside
bed_keeper='
while [ -d "$1" ]; do
    if [ -e "$1/run/down" ]; then sleep 0.05; continue; fi
    libvirtd -f "$1/config/libvirtd.conf" &
    echo $! > "$1/run/libvirtd.pid"
    wait $!
    [ -e "$1/run/down" ] || sleep 0.5
done'

# stdio_handler: no virtlogd beside it. cgroup_controllers and remember_owner: nothing outside the bed.
bed_config()
{
    mkdir -p "$BED_DIR/config/libvirt"
    echo 'log_outputs = "3:stderr"' > "$BED_DIR/config/libvirtd.conf"
    cat > "$BED_DIR/config/libvirt/qemu.conf" <<END
stdio_handler = "file"
security_driver = "none"
cgroup_controllers = []
remember_owner = 0
END
    ! bed_has_huge || echo "hugetlbfs_mount = \"$BED_DIR/huge\"" >> "$BED_DIR/config/libvirt/qemu.conf"
}

bed_libvirtd_answers() { bed_virsh uri; }

bed_libvirtd_up()
{
    rm -f "$BED_DIR/run/down"
    bed_until 60 bed_libvirtd_answers || {
        tail -n 5 "$BED_DIR/log/libvirtd.log" >&2
        bed_die "libvirtd does not answer"
    }
}

# Ends libvirtd, not the guests; it stays away until bed_libvirtd_up.
bed_libvirtd_kill()
{
    local pid
    pid=$(cat "$BED_DIR/run/libvirtd.pid")
    bed_as_user touch "$BED_DIR/run/down"
    kill -KILL "$pid"
    bed_until 60 bed_gone "$pid" || bed_die "libvirtd does not end"
}

bed_gone() { [ ! -d "/proc/$1" ]; }

# ---- up and down ----------------------------------------------------------------------------------------

# bed_ram_writer DIR NAME: a tool that writes RAM as tests/support builds it
bed_ram_writer()
{
    gcc -O2 -std=gnu11 -D_GNU_SOURCE -I"$BED_TOP/src" -I"$BED_TOP/tests/support" -o "$1/$2" \
        "$BED_SRC/$2.c" "$BED_TOP"/tests/support/{arm,hostile,win,guest}img.c \
        "$BED_TOP"/src/{base,paging,ram}/*.c "$BED_TOP/src/guest/linux/vmcoreinfo.c"
}

bed_build_helpers()
{
    # shellcheck disable=SC2046 # flags are words
    gcc -O2 -o "$1/notepoll" "$BED_SRC/notepoll.c" &&
        gcc -O2 -o "$1/metapoll" "$BED_SRC/metapoll.c" $(pkg-config --cflags --libs libvirt) &&
        bed_ram_writer "$1" winram && bed_ram_writer "$1" hostile
}

# bed_helpers: prints the directory of the tests' own tools; they are built again when any source changes that they may
# include. The caller has the lock.
bed_helpers()
{
    local key dir new
    key=$({ find "$BED_SRC" "$BED_TOP/src" "$BED_TOP/tests/support" -name '*.[ch]' -print0 | sort -z | xargs -0 cat
        cat "$BED_SRC/bed.sh"; gcc --version; } | sha256sum | cut -c 1-16)
    dir="$BED_CACHE/helpers-$key"
    if [ ! -d "$dir" ]; then
        new=$(mktemp -d "$BED_CACHE/new.XXXXXX")
        bed_build_helpers "$new" || { rm -rf "$new"; return 1; }
        chmod 755 "$new"
        mv -T "$new" "$dir"
    fi
    echo "$dir"
}

# bed_programs FROM TO: those of a build directory. The user may not be able to look into that, so they are copied.
bed_programs()
{
    local name
    for name in memctxd memctx memctx-prober; do
        [ -x "$1/$name" ] || continue
        if [ -x "$1/.libs/$name" ]; then cp "$1/.libs/$name" "$2/"; else cp "$1/$name" "$2/"; fi
    done
}

# With BED_HUGE_MIB set: and a pool of huge pages of that size, if this machine gives one (bed_has_huge).
bed_start()
{
    local helpers
    bed_make_user
    trap bed_exit EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # Short: libvirt keeps unix sockets below this name, and theirs end at 107 characters.
    BED_DIR=$(mktemp -d /tmp/memctx-bed.XXXXXX)
    mkdir -m 700 "$BED_DIR"/{home,run,config,cache,console,log,bin,huge}
    mkdir -p "$BED_CACHE"
    [ -z "${BED_HUGE_MIB-}" ] || bed_huge_take "$BED_HUGE_MIB" || bed_huge_release
    bed_config
    helpers=$(bed_locked bed_helpers)
    cp "$helpers"/* "$BED_SRC"/{judge,spin}.py "$BED_DIR/bin/"
    bed_programs "$BED_BUILD" "$BED_DIR/bin"
    [ "$(id -u)" != 0 ] || chown -R "$BED_USER:$BED_GROUP" "$BED_DIR"
    mapfile -t BED_AS_USER < <(bed_user_words)

    bed_spawn "$BED_DIR/log/libvirtd.log" tini -s -- bash -c "$bed_keeper" keeper "$BED_DIR"
    BED_KEEPER=$BED_SPAWNED
    bed_libvirtd_up
}

# The processes below the keeper but its own shell and sleep: libvirtd and every QEMU
bed_charges()
{
    ps -eo pid=,ppid=,comm= | awk -v top="$BED_KEEPER" '
        { parent[$1] = $2; name[$1] = $3 }
        END {
            for (pid in parent) {
                for (p = parent[pid]; p in parent && p != top; p = parent[p]) ;
                if (p == top && name[pid] != "bash" && name[pid] != "sleep") print pid
            }
        }'
}

bed_kill_charges()
{
    local pids
    mapfile -t pids < <(bed_charges)
    [ ${#pids[@]} != 0 ] || return 0
    kill -KILL "${pids[@]}" 2> /dev/null || true
    return 1
}

# The keeper and its tini go last: they are to reap the others, pid 1 may not.
bed_stop_keeper()
{
    touch "$BED_DIR/run/down"
    bed_until 60 bed_kill_charges || diag "processes left: $(bed_charges | tr '\n' ' ')"
    kill -TERM "$BED_KEEPER" 2> /dev/null || true
    wait "$BED_KEEPER" 2> /dev/null || true
    BED_KEEPER=
}

bed_stop()
{
    local pid
    [ -n "$BED_DIR" ] || return 0
    [ -z "$BED_KEEPER" ] || bed_stop_keeper
    for pid in $(jobs -pr); do
        kill -KILL "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
    bed_huge_release
    if [ -n "${MEMCTX_KEEP-}" ]; then diag "kept: $BED_DIR"; else rm -rf "${BED_DIR:?}"; fi
    BED_DIR=
}

# A test that ends before its "finish" with no "not ok" would look like one that passed.
bed_exit()
{
    local status=$?
    trap '' HUP INT TERM
    [ "$status" = 0 ] || [ "$tap_failures" != 0 ] || not_ok "$(basename "$0")" "ended early with status $status"
    [ "$status" = 0 ] || bed_agent_show_log
    bed_stop
    exit "$status"
}
