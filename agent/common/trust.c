/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Owner and mode; access control lists show in the mode's group bits. */
#include "common/trust.h"

#include <stdbool.h>
#include <unistd.h>

static bool
is_owner(uid_t uid, enum trust trust)
{
    return uid == geteuid() || (trust == TRUST_OURS_OR_ROOTS && uid == 0);
}

static int
check_owner(const struct stat *st, enum trust trust, const char *path,
            struct memctx_error *err)
{
    bool or_root = trust == TRUST_OURS_OR_ROOTS && geteuid() != 0;
    if (is_owner(st->st_uid, trust))
        return 0;
    return memctx_error_set(
        err, MEMCTX_PERMANENT,
        "%s belongs to uid %u, and must belong to uid %u, "
        "as which memctxd runs%s; chown it, or take another",
        path, (unsigned)st->st_uid, (unsigned)geteuid(),
        or_root ? ", or to root" : "");
}

int
trust_check(const struct stat *st, enum trust trust, const char *path,
            struct memctx_error *err)
{
    if (check_owner(st, trust, path, err) < 0)
        return -1;
    if ((st->st_mode & 022) == 0)
        return 0;
    return memctx_error_set(
        err, MEMCTX_PERMANENT,
        "%s has mode %04o: %s can write it; chmod go-w %s", path,
        (unsigned)st->st_mode & 07777,
        (st->st_mode & 002) != 0 ? "everybody" : "its group", path);
}

int
trust_check_link(const char *path, struct memctx_error *err)
{
    struct stat st;
    if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
        return 0;
    return check_owner(&st, TRUST_OURS_OR_ROOTS, path, err);
}
