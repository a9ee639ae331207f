/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens a kernel as src/explain wants it, for as much work as a log may take.
 */
#include "prober/messages.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/lastwords.h"
#include "explain/printk.h"
#include "guest/linux/note.h"

/* The last records of a ring are some hundred KiB. A log of before 5.10 may
 * have 32 MiB, and mostly has 256 KiB. */
#define STEPS (UINT64_C(1) << 16)

/* All of it; {.map = NULL} has nothing. */
struct opened {
    struct memctx_work work;
    struct memctx_rammap *map; /* charged to it; owned */
    char *note;                /* owned */
    struct memctx_target target;
};

static void
shut(struct opened *o)
{
    memctx_rammap_destroy(o->map);
    free(o->note);
}

static int
read_gpa(void *map, uint64_t gpa, void *buf, size_t len,
         struct memctx_error *err)
{
    return memctx_rammap_read(map, gpa, buf, len, err);
}

static int
open_kernel(const struct messages_subject *s, struct opened *o,
            struct memctx_error *err)
{
    size_t len;
    memctx_work_begin(&o->work, STEPS, s->is_over, s->arg);
    if (memctx_rammap_create_charged(s->map, &o->work, &o->map, err) < 0 ||
        memctx_linux_note_text(s->kernel, read_gpa, o->map, &o->note, &len,
                               err) < 0)
        return -1;
    memctx_target_init(&o->target, o->map, s->kernel, o->note, len);
    return 0;
}

void
messages_find_head(const struct messages_subject *s, struct memctx_words *words)
{
    MEMCTX_CLEANUP(shut) struct opened o = {.map = NULL};
    unsigned bytes;
    if (open_kernel(s, &o, NULL) < 0 ||
        memctx_printk_head(&o.target, &words->log_gpa, &bytes, NULL) < 0)
        return;
    words->log_bytes = bytes;
}

int
messages_tell_panic(const struct messages_subject *s, bool *ret,
                    struct memctx_error *err)
{
    MEMCTX_CLEANUP(shut) struct opened o = {.map = NULL};
    return open_kernel(s, &o, err) < 0
               ? -1
               : memctx_lastwords_read(&o.target, ret, err);
}
