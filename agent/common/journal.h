/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Entries with fields for systemd's journal, in its native protocol
 * (systemd.io, JOURNAL_NATIVE_PROTOCOL), which systemd promises to keep. As
 * notify.h it does without libsystemd. */
#ifndef MEMCTXD_JOURNAL_H
#define MEMCTXD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_FIELDS_MAX 8

struct journal_field {
    const char *name;  /* upper case, digits, underscores */
    const char *value; /* any bytes; NULL: the entry has no such field */
};

/* Is `fd` the stream that `stream`, the value of JOURNAL_STREAM ("DEV:INODE";
 * NULL: none), speaks of? systemd sets it for who writes into the journal by
 * standard error; behind a shell's 2> it is another file's. */
bool journal_is_stream(const char *stream, int fd);

/* A socket to the journal at `path`, for journal_send(). The caller closes it.
 * -1: there is none. */
int journal_connect(const char *path);

/* Send one entry of up to JOURNAL_FIELDS_MAX fields. No value can add a field
 * or end one: each goes with its length. Does not wait, since who logs must not
 * stand still with the journal. 0, or -1: it was not taken. Any thread. */
int journal_send(int fd, const struct journal_field *fields, size_t n);

#endif
