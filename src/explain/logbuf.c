/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the log of kernels before 5.10 (kernel/printk/printk.c): one buffer, in
 * which records stand behind one another from log_first_idx to log_next_idx. A
 * record is a struct printk_log, its text, and what is of no interest here; a
 * length of 0 says that the next one is at the beginning of the buffer.
 *
 * The buffer is copied between two looks at log_first_idx. What that has passed
 * meanwhile may have been overwritten, and is left out. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "explain/log.h"

#define HEADER_MAX 64u
#define SIZE_MAX_BYTES (32 * MEMCTX_MIB)
#define RECORD_ALIGN 4u /* LOG_ALIGN, at least */

/* Where the symbols are, and in bytes from the beginning of a printk_log. */
struct layout {
    uint64_t buf_gva; /* of the pointer to the buffer */
    uint64_t size_gva;
    uint64_t first_gva;
    uint64_t next_gva;
    uint64_t header_size;
    uint64_t ts_nsec;
    uint64_t len;
    uint64_t text_len;
    uint64_t dict_len;
};

/* What a record began with that was given; another one at its place differs. */
struct mark {
    bool known;
    uint32_t at;
    unsigned char header[HEADER_MAX];
};

struct logbuf {
    const struct memctx_target *target;
    struct layout layout;
    unsigned char *copy; /* owned; NULL: none yet */
    uint32_t size;
    uint32_t at;   /* the next record in the copy */
    uint32_t left; /* bytes up to the last */
    bool looked;   /* a copy was made */
    struct mark last;
    bool has_lost; /* before the next record */
    uint64_t next_seq;
};

#define MEMBER(name) offsetof(struct layout, name)

static const struct {
    const char *key;
    size_t at;
    uint64_t max;
    unsigned bytes; /* of a member of printk_log */
} rows[] = {
    {"SYMBOL(log_buf)", MEMBER(buf_gva), UINT64_MAX, 0},
    {"SYMBOL(log_buf_len)", MEMBER(size_gva), UINT64_MAX, 0},
    {"SYMBOL(log_first_idx)", MEMBER(first_gva), UINT64_MAX, 0},
    {"SYMBOL(log_next_idx)", MEMBER(next_gva), UINT64_MAX, 0},
    {"SIZE(printk_log)", MEMBER(header_size), HEADER_MAX, 0},
    {"OFFSET(printk_log.ts_nsec)", MEMBER(ts_nsec), HEADER_MAX, 8},
    {"OFFSET(printk_log.len)", MEMBER(len), HEADER_MAX, 2},
    {"OFFSET(printk_log.text_len)", MEMBER(text_len), HEADER_MAX, 2},
    /* u16 dict_len; u8 facility; u8 flags:5, level:3; VMCOREINFO names only
     * the first. */
    {"OFFSET(printk_log.dict_len)", MEMBER(dict_len), HEADER_MAX, 4},
};

static int
find_layout(const struct memctx_target *target, struct layout *ret,
            struct memctx_error *err)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        uint64_t number;
        if (memctx_target_bounded(target, rows[i].key, rows[i].max, &number,
                                  err) < 0)
            return -1;
        memcpy((char *)ret + rows[i].at, &number, sizeof(number));
        if (rows[i].bytes != 0 &&
            !memctx_range_in(number, rows[i].bytes, 0, ret->header_size))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "VMCOREINFO: %s is %" PRIu64
                                    ", beyond a struct of %" PRIu64 " bytes",
                                    rows[i].key, number, ret->header_size);
    }
    return 0;
}

static int
read_le32(const struct logbuf *log, uint64_t gva, uint32_t *ret,
          struct memctx_error *err)
{
    unsigned char raw[4];
    if (memctx_target_read(log->target, gva, raw, sizeof(raw), err) < 0)
        return memctx_error_prefix(err, "the log");
    *ret = memctx_le32(raw);
    return 0;
}

/* ---- records ------------------------------------------------------------- */

/* How far b is behind a in the buffer. */
static uint32_t
distance(const struct logbuf *log, uint32_t a, uint32_t b)
{
    return b >= a ? b - a : log->size - a + b;
}

static void
pass(struct logbuf *log, uint32_t bytes)
{
    log->at = (log->at + bytes) % log->size;
    log->left -= (uint32_t)memctx_min(bytes, log->left);
}

/* Bytes of the record at the place where the log is; 0: there is none. Passes
 * over the mark that says that the next one is at the beginning. */
static uint32_t
record_length(struct logbuf *log)
{
    const struct layout *l = &log->layout;
    for (unsigned turns = 0; turns < 2 && log->left > 0; turns++) {
        uint64_t room = log->size - log->at;
        if (room < l->header_size)
            return 0;
        uint32_t len = memctx_le16(log->copy + log->at + l->len);
        if (len >= l->header_size && len <= memctx_min(room, log->left) &&
            len % RECORD_ALIGN == 0)
            return len;
        if (len != 0)
            return 0;
        pass(log, (uint32_t)room);
    }
    return 0;
}

static void
decode(struct logbuf *log, uint32_t len, struct memctx_printk_record *ret)
{
    const struct layout *l = &log->layout;
    const unsigned char *header = log->copy + log->at;
    const unsigned char *dict = header + l->dict_len;
    *ret = (struct memctx_printk_record){
        .seq = log->next_seq++,
        .ts_nsec = memctx_le64(header + l->ts_nsec),
        .lost = log->has_lost,
        .facility = dict[2],
        .level = dict[3] >> 5,
        .flags = dict[3] & 0x1f,
        .text = (const char *)header + l->header_size,
        .len_bytes = (size_t)memctx_min(memctx_le16(header + l->text_len),
                                        len - l->header_size),
    };
    log->has_lost = false;
    log->last.known = true;
    log->last.at = log->at;
    memcpy(log->last.header, header, (size_t)l->header_size);
}

/* ---- copies -------------------------------------------------------------- */

static int
read_buffer(struct logbuf *log, struct memctx_error *err)
{
    unsigned char raw[8];
    uint32_t size;
    if (read_le32(log, log->layout.size_gva, &size, err) < 0 ||
        memctx_target_read(log->target, log->layout.buf_gva, raw,
                           memctx_target_word_size(log->target), err) < 0)
        return -1;
    if (size < HEADER_MAX || size > SIZE_MAX_BYTES || size % RECORD_ALIGN != 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a log of %" PRIu32 " bytes, at most %u are "
                                "sane",
                                size, (unsigned)SIZE_MAX_BYTES);
    unsigned char *copy = realloc(log->copy, size);
    if (copy == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    log->copy = copy;
    log->size = size;
    return memctx_target_read(log->target, memctx_target_word(log->target, raw),
                              copy, size, err);
}

/* Go behind the record that was given last, if it stands where it stood. */
static void
go_on(struct logbuf *log)
{
    const struct mark *last = &log->last;
    uint32_t skipped;
    if (!last->known || last->at >= log->size ||
        log->size - last->at < log->layout.header_size)
        return;
    skipped = distance(log, log->at, last->at);
    if (skipped < log->left && memcmp(log->copy + last->at, last->header,
                                      (size_t)log->layout.header_size) == 0) {
        pass(log, skipped);
        pass(log, record_length(log));
        return;
    }
    log->has_lost = true;
}

/* Copy the log as it is now. */
static int
copy(struct logbuf *log, struct memctx_error *err)
{
    const struct layout *l = &log->layout;
    uint32_t first;
    uint32_t next;
    uint32_t after;
    if (read_le32(log, l->first_gva, &first, err) < 0 ||
        read_le32(log, l->next_gva, &next, err) < 0 ||
        read_buffer(log, err) < 0 ||
        read_le32(log, l->first_gva, &after, err) < 0)
        return -1;
    if (first >= log->size || next >= log->size || after >= log->size)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the log goes from %#" PRIx32 " to %#" PRIx32
                                ", and it has %#" PRIx32 " bytes",
                                first, next, log->size);
    uint32_t gone = distance(log, first, after);
    uint32_t left = distance(log, first, next);
    log->at = after;
    log->left = left > gone ? left - gone : 0;
    log->looked = true;
    go_on(log);
    return 0;
}

/* ---- ops ----------------------------------------------------------------- */

static int
logbuf_next(void *arg, enum memctx_printk_reach reach,
            struct memctx_printk_record *ret, struct memctx_error *err)
{
    struct logbuf *log = arg;
    bool looks =
        !log->looked || (log->left == 0 && reach == MEMCTX_PRINTK_GROWS);
    if (looks && copy(log, err) < 0)
        return -1;
    uint32_t len = record_length(log);
    if (len == 0) {
        log->left = 0;
        return 0;
    }
    if (!memctx_work_look(memctx_rammap_work(log->target->view.map)))
        return memctx_work_fail("log offset", log->at, err);
    decode(log, len, ret);
    pass(log, len);
    return 1;
}

static int
logbuf_seek_last(void *log, uint64_t n, struct memctx_error *err)
{
    (void)log;
    (void)n;
    (void)err;
    return 0;
}

static void
logbuf_close(void *arg)
{
    struct logbuf *log = arg;
    if (log == NULL)
        return;
    free(log->copy);
    free(log);
}

static int
logbuf_open(const struct memctx_target *target, void **ret,
            struct memctx_error *err)
{
    struct layout layout = {.buf_gva = 0};
    if (find_layout(target, &layout, err) < 0)
        return -1;
    struct logbuf *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    log->target = target;
    log->layout = layout;
    *ret = log;
    return 0;
}

/* Where the next record will begin: log_next_idx, of 32 bits. */
static int
logbuf_head(const struct memctx_target *target, uint64_t *gva, unsigned *bytes,
            struct memctx_error *err)
{
    struct layout layout = {.buf_gva = 0};
    if (find_layout(target, &layout, err) < 0)
        return -1;
    *gva = layout.next_gva;
    *bytes = 4;
    return 0;
}

const struct memctx_log_ops memctx_buffer_log = {
    .open = logbuf_open,
    .close = logbuf_close,
    .next = logbuf_next,
    .seek_last = logbuf_seek_last,
    .head = logbuf_head,
};
