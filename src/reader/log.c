/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel's log, record by record, through a reader. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/printk.h"
#include "reader/explaining.h"
#include "text/text.h"

struct memctx_log {
    struct explaining *explaining; /* owned */
    struct memctx_printk *printk;  /* owned; reads through it */
    enum memctx_printk_reach reach;
    struct memctx_log_record record; /* that was given last */
    struct memctx_text text;         /* its own */
};

void
memctx_log_close(struct memctx_log *log)
{
    if (log == NULL)
        return;
    memctx_printk_close(log->printk);
    explaining_destroy(log->explaining);
    memctx_text_deinit(&log->text);
    free(log);
}

static void
cleanup_log(struct memctx_log **log)
{
    memctx_log_close(*log);
}

static int
open_printk(struct memctx_log *log, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explaining_check_linux(log->explaining, err) < 0 ||
        explaining_begin(log->explaining, MEMCTX_PRINTK_STEPS, err) < 0)
        return -1;
    int result =
        memctx_printk_open(&log->explaining->target, &log->printk, &why);
    return explaining_end(log->explaining, result, &why, err);
}

int
memctx_reader_log(struct memctx_reader *reader, unsigned flags,
                  struct memctx_log **ret, struct memctx_error *err)
{
    if ((flags & ~MEMCTX_LOG_FOLLOW) != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "this libmemctx does not know the flags %#x",
                                flags & ~MEMCTX_LOG_FOLLOW);
    MEMCTX_CLEANUP(cleanup_log)
    struct memctx_log *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    log->reach = (flags & MEMCTX_LOG_FOLLOW) != 0 ? MEMCTX_PRINTK_GROWS
                                                  : MEMCTX_PRINTK_STANDS;
    if (explaining_create(reader, &log->explaining, err) < 0 ||
        open_printk(log, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&log);
    return 0;
}

/* With a NUL behind the text. */
static int
take(struct memctx_log *log, const struct memctx_printk_record *record,
     struct memctx_error *err)
{
    log->text.len_bytes = 0;
    memctx_text_add_bytes(&log->text, record->text, record->len_bytes);
    if (log->text.failed)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    log->record = (struct memctx_log_record){
        .seq = record->seq,
        .time_ns = record->ts_nsec,
        .lost = record->lost,
        .facility = record->facility,
        .level = record->level,
        .text = log->text.bytes,
        .len = log->text.len_bytes,
    };
    return 0;
}

int
memctx_log_next(struct memctx_log *log, const struct memctx_log_record **ret,
                struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct memctx_printk_record record;
    if (explaining_begin(log->explaining, MEMCTX_PRINTK_STEPS, err) < 0)
        return -1;
    int got = memctx_printk_next(log->printk, log->reach, &record, &why);
    if (explaining_end(log->explaining, got < 0 ? -1 : 0, &why, err) < 0 ||
        (got > 0 && take(log, &record, err) < 0))
        return -1;
    *ret = &log->record;
    return got;
}
