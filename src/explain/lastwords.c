/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Knows how panic() begins and ends. */
#include "explain/lastwords.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "explain/printk.h"

/* A panic ends with a line of its own (kernel/panic.c, since 3.18), so that the
 * end of the log is enough. Between its first line and that one stand registers
 * and a stack, of each CPU if the administrator wants that. */
#define LAST 512u

/* A log of before 5.10 is read from its beginning. No record is smaller than
 * its header of 16 bytes, and no log larger than 32 MiB. */
#define RECORDS_MAX (2 * MEMCTX_MIB)

/* Who writes to /dev/kmsg cannot give a message the facility of the kernel
 * (LOG_KERN, devkmsg_write() in kernel/printk/printk.c). */
#define KERNEL 0u
#define EMERGENCY 0u

static bool
begins_with(const struct memctx_printk_record *record, const char *words)
{
    size_t len = strlen(words);
    return record->len_bytes >= len && memcmp(record->text, words, len) == 0;
}

static bool
is_panic(const struct memctx_printk_record *record)
{
    return record->facility == KERNEL && record->level == EMERGENCY &&
           (begins_with(record, "Kernel panic - not syncing") ||
            begins_with(record, "---[ end Kernel panic"));
}

/* The first message of each boot (start_kernel() in init/main.c): some kernels
 * keep what an earlier one has written. */
static bool
is_boot(const struct memctx_printk_record *record)
{
    return record->facility == KERNEL && begins_with(record, "Linux version ");
}

int
memctx_lastwords_read(const struct memctx_target *target, bool *panicked,
                      struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_printk_cleanup) struct memctx_printk *log = NULL;
    struct memctx_printk_record record;
    bool found = false;
    int got = 0;
    if (memctx_printk_open(target, &log, err) < 0 ||
        memctx_printk_seek_last(log, LAST, err) < 0)
        return -1;
    for (uint64_t i = 0; i < RECORDS_MAX; i++) {
        got = memctx_printk_next(log, MEMCTX_PRINTK_STANDS, &record, err);
        if (got <= 0)
            break;
        found = is_panic(&record) || (found && !is_boot(&record));
    }
    if (got < 0)
        return -1;
    *panicked = found;
    return 0;
}
