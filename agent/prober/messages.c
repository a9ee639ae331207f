/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens a kernel as src/explain wants it, for as much work as a log may take.
 */
#include "prober/messages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "explain/lastwords.h"
#include "explain/logtext.h"
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
open_kernel(const struct messages_subject *s, uint64_t steps, struct opened *o,
            struct memctx_error *err)
{
    size_t len;
    memctx_work_begin(&o->work, steps, s->is_over, s->arg);
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
    if (open_kernel(s, STEPS, &o, NULL) < 0 ||
        memctx_printk_head(&o.target, &words->log_gpa, &bytes, NULL) < 0)
        return;
    words->log_bytes = bytes;
}

int
messages_tell_panic(const struct messages_subject *s, bool *ret,
                    struct memctx_error *err)
{
    MEMCTX_CLEANUP(shut) struct opened o = {.map = NULL};
    return open_kernel(s, STEPS, &o, err) < 0
               ? -1
               : memctx_lastwords_read(&o.target, ret, err);
}

/* ---- a log that is kept -------------------------------------------------- */

/* Lines on their way into the file: no more than twice as many as it takes, and
 * the lines of one record. */
struct lines {
    struct memctx_text text;
    size_t most_bytes;
    uint32_t records;
    bool cut;
};

static void
lines_deinit(struct lines *l)
{
    memctx_text_deinit(&l->text);
}

/* Leave the last ones, and none of them in part. What is said last is what
 * somebody will look for. */
static void
cut_lines(struct lines *l)
{
    if (l->text.len_bytes <= l->most_bytes)
        return;
    char *end = l->text.bytes + l->text.len_bytes;
    char *at = memchr(end - l->most_bytes, '\n', l->most_bytes);
    l->text.len_bytes = at == NULL ? 0 : (size_t)(end - at) - 1;
    memmove(l->text.bytes, end - l->text.len_bytes, l->text.len_bytes);
    l->cut = true;
}

/* All that can be read, also if that ends with an error. */
static int
read_lines(const struct messages_subject *s, struct lines *l,
           struct memctx_error *err)
{
    MEMCTX_CLEANUP(shut) struct opened o = {.map = NULL};
    MEMCTX_CLEANUP(memctx_printk_cleanup) struct memctx_printk *log = NULL;
    struct memctx_printk_record record;
    int got;
    if (open_kernel(s, MEMCTX_PRINTK_STEPS, &o, err) < 0 ||
        memctx_printk_open(&o.target, &log, err) < 0)
        return -1;
    /* Bounded by the steps: each record takes some. */
    while ((got = memctx_printk_next(log, MEMCTX_PRINTK_STANDS, &record, err)) >
           0) {
        memctx_logtext_add(&l->text, &record, MEMCTX_LOGTEXT_RAW_QUOTED);
        l->records++;
        if (l->text.len_bytes / 2 > l->most_bytes)
            cut_lines(l);
    }
    return got;
}

static int
write_lines(int fd, const struct memctx_text *text, struct memctx_error *err)
{
    for (size_t done = 0; done < text->len_bytes;) {
        ssize_t n = write(fd, text->bytes + done, text->len_bytes - done);
        if (n < 0 && errno != EINTR)
            return memctx_error_set(err, MEMCTX_BUG, "no log can be kept: %s",
                                    strerror(errno));
        done += n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

int
messages_keep(const struct messages_subject *s, int fd, uint64_t most_bytes,
              struct messages_kept *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(lines_deinit)
    struct lines l = {.text = MEMCTX_TEXT_INIT, .most_bytes = most_bytes};
    int failed = read_lines(s, &l, err);
    if (l.text.failed)
        failed = memctx_error_set(err, MEMCTX_RETRY,
                                  "its log is larger than memory");
    cut_lines(&l);
    if (write_lines(fd, &l.text, err) < 0)
        failed = -1;
    *ret = (struct messages_kept){l.records, l.cut};
    return failed;
}
