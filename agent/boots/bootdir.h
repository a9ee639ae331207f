/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The directory of logs that are kept, which outlives the agent: how many there
 * may be, and which. All that is known of them stands there. May wait for the
 * file system; one thread at a time writes. */
#ifndef MEMCTXD_BOOTDIR_H
#define MEMCTXD_BOOTDIR_H

#include "boots/bootlog.h"

/* What may be there at a time. */
struct bootdir_bounds {
    uint64_t boots; /* of each domain; at least 1 */
    uint64_t bytes; /* in all */
};

/* A file that is there. */
struct bootdir_entry {
    char name[BOOTLOG_NAME_SIZE];
    int64_t written_ns; /* since 1970 */
    uint64_t bytes;     /* that it takes of the disk */
};

/* Open it. `make`: it, and the directories above it, are made if need be (0750
 * and 0700), and it must be this user's. 0 and a descriptor that the caller
 * closes; -1 with GONE: it is not there; PERMANENT. */
int bootdir_open(const char *path, bool make, int *ret,
                 struct memctx_error *err);

/* All files, the one that was written first first. 0 and *ret, which the caller
 * frees; -1 with EXHAUSTED, or PERMANENT: it cannot be read. */
int bootdir_list(int dirfd, struct bootdir_entry **ret, size_t *n,
                 struct memctx_error *err);

/* Read a file: its head into *ret, and all of it into *bytes, which the caller
 * frees; *head_bytes are the head's. NULL: no more than the head is read. 0; -1
 * with PERMANENT: it cannot be read, or is no such file; EXHAUSTED. */
int bootdir_read(int dirfd, const char *name, struct bootlog *ret, char **bytes,
                 size_t *len_bytes, size_t *head_bytes,
                 struct memctx_error *err);

/* Keep a log with these lines (mode 0640). Before that, the oldest ones are
 * removed for which there is no room then. Of a kernel whose log is there it
 * takes the place; if that one has more records, its lines stay. -1 with RETRY:
 * it cannot be written; EXHAUSTED. */
int bootdir_put(int dirfd, const struct bootlog *log, const char *lines,
                size_t len_bytes, const struct bootdir_bounds *bounds,
                struct memctx_error *err);

#endif
