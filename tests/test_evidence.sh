#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The hook that keeps evidence of a guest that died: what it leaves, and how much of it at most. A program in the place of
# memctx makes files as large as is wanted.
set -eu
hook=${MEMCTX_SRCDIR:?}/examples/hooks/silent-evidence
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
fail() { echo "$*" >&2; failures=$((failures + 1)); }

mkdir "$dir/bin"
cat > "$dir/bin/memctx" <<END
#!/bin/bash
case \$3 in
    core) [ "\$5" = --output ] && head -c \$(cat $dir/size) /dev/zero > "\$6" ;;
    stat) echo "no stat" >&2; exit 1 ;;
    *) echo "\$*" ;;
esac
END
chmod 755 "$dir/bin/memctx"

# call WHAT GENERATION: the hook, and what it goes on with
call()
{
    echo '<memctx/>' | PATH="$dir/bin:$PATH" MEMCTX_UUID=uuid EVIDENCE_DIR="$dir/evidence" EVIDENCE_MIB=5 \
        EVIDENCE_OPTIONS="-c uri" "$hook" web1 "$1" "$2"
    [ "$1" = silent ] || return 0
    for ((i = 0; i < 600; i++)); do
        ! compgen -G "$dir/evidence/2*-uuid-$2" > /dev/null || return 0
        sleep 0.1
    done
    fail "no evidence of $2"
}
kept() { for path in "$dir"/evidence/2*; do echo "${path##*-}"; done | xargs; }

echo 1000000 > "$dir/size"
call ready 1
call lost 1
[ ! -e "$dir/evidence" ] || fail "evidence of a guest that is not silent"
call silent 1
cd "$dir"/evidence/2*-1
there=$(printf "%s " *)
[ "$there" = "core datum.xml log stat stat.error symbols " ] || fail "there is: $there"
[ "$(cat log)" = "-c uri dmesg web1" ] || fail "log: $(cat log)"
[ "$(cat stat.error)" = "no stat" ] || fail "stat.error: $(cat stat.error)"
[ "$(cat datum.xml)" = "<memctx/>" ] || fail "datum: $(cat datum.xml)"
[ "$(stat -c %s core)" = 1000000 ] || fail "core: $(stat -c %s core)"
[ "$(stat -c %a .)" = 700 ] || fail "others may look in"
cd /

# The oldest go for what is new; names are told apart by seconds.
sleep 1.1
echo 2300000 > "$dir/size"
call silent 2
sleep 1.1
call silent 3
[ "$(kept)" = "2 3" ] || fail "kept by size: $(kept)"
# What is too large by itself leaves the rest of its evidence.
echo 9000000 > "$dir/size"
sleep 1.1
call silent 4
[ "$(stat -c %s "$dir"/evidence/2*-4/core 2> /dev/null || echo 0)" -le $((5 << 20)) ] || fail "a core beyond the limit"
[ "$(du -sm "$dir/evidence" | cut -f 1)" -le 5 ] || fail "all of it is $(du -sm "$dir/evidence")"
echo 1000 > "$dir/size"
for path in "$dir"/evidence/2*; do touch -d '40 days ago' "$path"; done
sleep 1.1
call silent 5
[ "$(kept)" = 5 ] || fail "kept by age: $(kept)"
exit $((failures > 0))
