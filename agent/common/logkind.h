/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kinds of lines that the log has, each with an id by which programs find
 * it in the journal (MESSAGE_ID, systemd.journal-fields(7)). An id is never
 * used for anything else.
 *
 * To add one: a row here and in logkind.c, with an id from
 * "systemd-id128 new", and one in memctxd(8), JOURNAL. */
#ifndef MEMCTXD_LOGKIND_H
#define MEMCTXD_LOGKIND_H

#include <stddef.h>

enum log_kind {
    LOG_NO_KIND, /* for who debugs memctxd: it has no id */
    LOG_KIND_STARTED,
    LOG_KIND_STOPPING,
    LOG_KIND_CUT_SHORT,
    LOG_KIND_REFUSED,
    LOG_KIND_RELOADED,
    LOG_KIND_NOT_RELOADED,
    LOG_KIND_CONNECTED,
    LOG_KIND_DISCONNECTED,
    LOG_KIND_GAINED,
    LOG_KIND_LOST,
    LOG_KIND_SILENT,
    LOG_KIND_UNSUPPORTED,
    LOG_KIND_STATE,
    LOG_KIND_PROBER,
    LOG_KIND_METADATA,
    LOG_KIND_UNPUBLISHED,
    LOG_KIND_LAYOUT,
    LOG_KIND_UNWATCHED,
    LOG_KIND_HANDED_IN,
    LOG_KIND_LEFT_OUT,
    LOG_KIND_HOOK_SAID,
    LOG_KIND_HOOK_FAILED,
    LOG_KIND_DIRECTORY,
    LOG_KIND_ACCESS,
    LOG_KIND_DENIED,
    LOG_KIND_RETRACTED,
    LOG_KIND_JOURNAL,
    LOG_KIND_METRICS,
    LOG_KIND_NOT_KEPT,
    LOG_KIND_FAULT,
    LOG_KINDS
};

struct log_kind_row {
    const char *id;   /* 32 hex digits */
    const char *help; /* one sentence, as the manual has it */
};

/* The row of a kind; NULL: LOG_NO_KIND has none. */
const struct log_kind_row *log_kind_row(enum log_kind kind);

#endif
