/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the log of 5.10 and later while it is written
 * (kernel/printk/printk_ringbuffer.c).
 *
 * A record has an id. Its descriptor and its printk_info stand at the id modulo
 * the number of descriptors, its text in a block of the text ring. The
 * descriptor's state word is the id and two bits: reserved, committed,
 * finalized or reusable. Only what is finalized is shown, as dmesg(1) does.
 *
 * Nothing stops the guest meanwhile. So some descriptors are read, then their
 * infos and texts, then the descriptors again: if one was finalized before and
 * has not changed, nobody has touched what lies between. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "explain/log.h"
#include "explain/ringlayout.h"

#define BATCH 1024u /* descriptors that are read at once */
#define TEXTS (4 * MEMCTX_PRINTK_TEXT_MAX) /* and bytes of text */
#define WINDOW (2 * MEMCTX_PRINTK_TEXT_MAX)
#define TEXT_GUESS 256u /* most records have less text */

/* Kernels have at most 2^20 descriptors, as CONFIG_LOG_BUF_SHIFT allows. */
#define COUNT_BITS_MAX 20u
#define SIZE_BITS_MAX 28u

/* A guest that writes faster than we read makes us begin anew so often, and
 * look in vain at so many batches in one call. */
#define RESTARTS_MAX 16u
#define BATCHES_MAX 4096u

enum desc_state {
    RESERVED,
    COMMITTED,
    FINALIZED,
    REUSABLE
};

/* begin and next of a record without a block: its line is empty. With one bit
 * it has lost its text. */
#define DATALESS 1u
#define EMPTY_LINE 3u

/* The ring as it is just now. */
struct state {
    uint64_t ring_gva;
    uint64_t descs_gva;
    uint64_t infos_gva;
    uint64_t data_gva;
    uint64_t count; /* of descriptors; a power of 2 */
    uint64_t size;  /* of the text ring, the same */
    uint64_t head;  /* ids */
    uint64_t tail;
};

struct entry {
    bool good;
    struct memctx_printk_record record;
};

/* Records that were read together. */
struct batch {
    uint64_t first_id;
    size_t n;
    size_t at; /* the next to be given */
    struct entry entries[BATCH];
    size_t texts_used;
    char texts[TEXTS];
};

/* A piece of the text ring, as it was at some time of this batch. */
struct window {
    uint64_t at;
    uint64_t len_bytes;
    unsigned char bytes[WINDOW];
};

struct ring {
    const struct memctx_target *target;
    struct memctx_ringlayout layout;
    uint64_t id_mask;
    struct state state;
    uint64_t next_id;   /* what the next batch begins with */
    uint64_t end_id;    /* the last record when the log was opened */
    uint64_t text_left; /* bytes that there can have been up to then */
    unsigned restarts;
    bool waits; /* the last batch ended before this id, not finished */
    uint64_t waits_id;
    bool has_last; /* a record was given, with this number */
    uint64_t last_seq;
    unsigned char *descs; /* raw, BATCH of each; owned */
    unsigned char *again;
    unsigned char *infos;
    struct window window;
    struct batch batch;
};

/* ---- the ring ------------------------------------------------------------ */

static uint64_t
word(const struct ring *ring, const unsigned char *from)
{
    return memctx_target_word(ring->target, from);
}

/* How many ids b is behind a; ids wrap. */
static uint64_t
id_distance(const struct ring *ring, uint64_t a, uint64_t b)
{
    return (b - a) & ring->id_mask;
}

static int
decode(const struct ring *ring, const unsigned char *raw, struct state *ret,
       struct memctx_error *err)
{
    const struct memctx_ringlayout *l = &ring->layout;
    uint32_t count_bits = memctx_le32(raw + l->count_bits);
    uint32_t size_bits = memctx_le32(raw + l->size_bits);
    if (count_bits == 0 || count_bits > COUNT_BITS_MAX || size_bits < 3 ||
        size_bits > SIZE_BITS_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a log of 2^%" PRIu32 " records and 2^%" PRIu32
                                " bytes, at most 2^%u and 2^%u are sane",
                                count_bits, size_bits, COUNT_BITS_MAX,
                                SIZE_BITS_MAX);
    ret->count = UINT64_C(1) << count_bits;
    ret->size = UINT64_C(1) << size_bits;
    ret->descs_gva = word(ring, raw + l->descs);
    ret->infos_gva = word(ring, raw + l->infos);
    ret->data_gva = word(ring, raw + l->data);
    ret->head = word(ring, raw + l->head_id) & ring->id_mask;
    ret->tail = word(ring, raw + l->tail_id) & ring->id_mask;
    if (id_distance(ring, ret->tail, ret->head) >= ret->count)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the log's records go from id %#" PRIx64
                                " to %#" PRIx64 ", and it has %" PRIu64,
                                ret->tail, ret->head, ret->count);
    return 0;
}

/* The kernel moves to a larger ring while it boots, so the pointer to it is
 * read each time. Head and tail are read together, and not at one instant: a
 * head that has left the tail behind is read once more. */
static int
read_state(const struct ring *ring, struct state *ret, struct memctx_error *err)
{
    unsigned char raw[MEMCTX_RINGLAYOUT_RING_MAX];
    struct memctx_error why = MEMCTX_ERROR_INIT;
    for (unsigned tries = 0; tries < 3; tries++) {
        if (memctx_target_read(ring->target, ring->layout.prb_gva, raw,
                               ring->layout.word_size, err) < 0)
            return memctx_error_prefix(err, "the log");
        ret->ring_gva = word(ring, raw);
        if (memctx_target_read(ring->target, ret->ring_gva, raw,
                               (size_t)ring->layout.ring_size, err) < 0)
            return memctx_error_prefix(err, "the log");
        if (decode(ring, raw, ret, &why) == 0)
            return 0;
    }
    return memctx_error_pass(err, &why);
}

/* ---- texts --------------------------------------------------------------- */

/* Bytes of the text ring, of which they must be; NULL: they cannot be read.
 * They are as they are now, or were since the batch was begun. */
static const unsigned char *
look(struct ring *ring, uint64_t at, uint64_t len_bytes,
     struct memctx_error *err)
{
    struct window *w = &ring->window;
    if (memctx_range_in(at, len_bytes, w->at, w->len_bytes))
        return w->bytes + (at - w->at);
    uint64_t wanted = memctx_max(len_bytes, ring->batch.n * TEXT_GUESS);
    w->len_bytes = 0;
    wanted = memctx_min(memctx_min(wanted, WINDOW), ring->state.size - at);
    if (memctx_target_read(ring->target, ring->state.data_gva + at, w->bytes,
                           (size_t)wanted, err) < 0)
        return NULL;
    w->at = at;
    w->len_bytes = wanted;
    return w->bytes;
}

/* Where the block of a record is in the text ring, and its bytes. A block that
 * does not fit at the end stands at the beginning; one that fits exactly ends
 * the ring (since 6.18) or begins it anew. False: it is none. */
static bool
find_block(const struct ring *ring, uint64_t begin, uint64_t next, uint64_t *at,
           uint64_t *len_bytes)
{
    uint64_t size = ring->state.size;
    uint64_t mask = UINT64_MAX >> (64 - 8 * ring->layout.word_size);
    uint64_t turns = ((next & ~(size - 1)) - (begin & ~(size - 1))) & mask;
    uint64_t from = begin & (size - 1);
    uint64_t to = next & (size - 1);
    if (turns == 0 && from < to) {
        *at = from;
        *len_bytes = to - from;
    } else if (turns == size && to == 0) {
        *at = from;
        *len_bytes = size - from;
    } else if (turns == size) {
        *at = 0;
        *len_bytes = to;
    } else {
        return false;
    }
    return *len_bytes >= ring->layout.word_size;
}

/* The text of a record as far as the block has it, copied behind those of the
 * others. 1; 0: its block is not its own; -1. */
static int
copy_text(struct ring *ring, uint64_t id, const unsigned char *desc,
          struct memctx_printk_record *record, struct memctx_error *err)
{
    unsigned head = ring->layout.word_size; /* the id */
    uint64_t begin = word(ring, desc + ring->layout.begin);
    uint64_t next = word(ring, desc + ring->layout.next);
    uint64_t at;
    uint64_t len;
    record->text = ring->batch.texts + ring->batch.texts_used;
    if (begin == EMPTY_LINE && next == EMPTY_LINE) {
        record->len_bytes = 0;
        return 1;
    }
    if ((begin & DATALESS) != 0 || !find_block(ring, begin, next, &at, &len))
        return 0;
    record->len_bytes = (size_t)memctx_min(record->len_bytes, len - head);
    const unsigned char *block = look(ring, at, head + record->len_bytes, err);
    if (block == NULL)
        return -1;
    if ((word(ring, block) & ring->id_mask) != id)
        return 0;
    memcpy(ring->batch.texts + ring->batch.texts_used, block + head,
           record->len_bytes);
    ring->batch.texts_used += record->len_bytes;
    return 1;
}

/* ---- batches ------------------------------------------------------------- */

/* The members that VMCOREINFO does not name lie behind text_len, the same in
 * all kernels so far. */
static void
decode_info(const struct ring *ring, const unsigned char *info,
            struct memctx_printk_record *ret)
{
    const unsigned char *len = info + ring->layout.text_len;
    *ret = (struct memctx_printk_record){
        .seq = memctx_le64(info + ring->layout.seq),
        .ts_nsec = memctx_le64(info + ring->layout.ts_nsec),
        .facility = len[2],
        .level = len[3] >> 5,
        .flags = len[3] & 0x1f,
        .len_bytes = memctx_le16(len),
    };
}

/* Whether a record that is not finished ends the batch: where the log grows, it
 * is waited for once. */
static bool
waits_for(const struct ring *ring, uint64_t id, enum memctx_printk_reach reach)
{
    return reach == MEMCTX_PRINTK_GROWS &&
           !(ring->waits && ring->waits_id == id);
}

/* Take the record of this place in the batch. 1; 0: the batch ends before it;
 * -1. */
static int
take(struct ring *ring, size_t i, enum memctx_printk_reach reach,
     struct memctx_error *err)
{
    struct batch *batch = &ring->batch;
    struct entry *entry = &batch->entries[i];
    const unsigned char *desc = ring->descs + i * ring->layout.desc_size;
    uint64_t id = (batch->first_id + i) & ring->id_mask;
    uint64_t state = word(ring, desc + ring->layout.state_var);
    uint64_t kind = state >> (8 * ring->layout.word_size - 2);
    bool is_own = (state & ring->id_mask) == id;
    struct memctx_work *work = memctx_rammap_work(ring->target->view.map);
    if (!memctx_work_look(work))
        return memctx_work_fail("log id", id, err);
    entry->good = false;
    if (is_own && kind <= COMMITTED && waits_for(ring, id, reach))
        return 0;
    if (!is_own || kind != FINALIZED)
        return 1;
    if (batch->texts_used > TEXTS - MEMCTX_PRINTK_TEXT_MAX)
        return 0;
    decode_info(ring, ring->infos + i * ring->layout.info_size, &entry->record);
    int copied = copy_text(ring, id, desc, &entry->record, err);
    entry->good = copied > 0;
    if (!memctx_work_charge(work, entry->record.len_bytes / MEMCTX_PAGE_SIZE))
        return memctx_work_fail("log id", id, err);
    return copied < 0 ? -1 : 1;
}

static int
read_descs(const struct ring *ring, unsigned char *to, struct memctx_error *err)
{
    uint64_t index = ring->batch.first_id & (ring->state.count - 1);
    uint64_t size = ring->layout.desc_size;
    return memctx_target_read(ring->target,
                              ring->state.descs_gva + index * size, to,
                              ring->batch.n * (size_t)size, err);
}

static int
read_infos(const struct ring *ring, struct memctx_error *err)
{
    uint64_t index = ring->batch.first_id & (ring->state.count - 1);
    uint64_t size = ring->layout.info_size;
    return memctx_target_read(ring->target,
                              ring->state.infos_gva + index * size, ring->infos,
                              ring->batch.n * (size_t)size, err);
}

/* Whatever has changed meanwhile was not read well. */
static int
drop_changed(struct ring *ring, struct memctx_error *err)
{
    size_t size = (size_t)ring->layout.desc_size;
    if (read_descs(ring, ring->again, err) < 0)
        return -1;
    for (size_t i = 0; i < ring->batch.n; i++) {
        if (memcmp(ring->descs + i * size, ring->again + i * size, size) != 0)
            ring->batch.entries[i].good = false;
    }
    return 0;
}

static int
fill(struct ring *ring, enum memctx_printk_reach reach,
     struct memctx_error *err)
{
    struct batch *batch = &ring->batch;
    batch->texts_used = 0;
    ring->window.len_bytes = 0;
    if (read_descs(ring, ring->descs, err) < 0 || read_infos(ring, err) < 0)
        return -1;
    for (size_t i = 0; i < batch->n; i++) {
        int taken = take(ring, i, reach, err);
        if (taken < 0)
            return -1;
        if (taken == 0)
            batch->n = i;
    }
    return drop_changed(ring, err);
}

/* Go on with the oldest record that there is. */
static void
begin_anew(struct ring *ring)
{
    ring->next_id = ring->state.tail;
    if (ring->restarts++ < RESTARTS_MAX)
        ring->end_id = ring->state.head;
}

/* How many records there are from next_id on. If the guest has overwritten that
 * one, go on with the oldest. */
static uint64_t
count_ahead(struct ring *ring, enum memctx_printk_reach reach)
{
    const struct state *s = &ring->state;
    uint64_t n = id_distance(ring, s->tail, s->head) + 1;
    uint64_t skipped = id_distance(ring, s->tail, ring->next_id);
    if (skipped > n) {
        begin_anew(ring);
        skipped = 0;
    }
    uint64_t ahead = n - skipped;
    if (reach == MEMCTX_PRINTK_GROWS)
        return ahead;
    uint64_t wanted = id_distance(ring, ring->next_id, ring->end_id) + 1;
    return wanted > s->count ? 0 : memctx_min(ahead, wanted);
}

/* Read the next batch: 1, 0 when there is nothing in it, or -1. */
static int
load(struct ring *ring, enum memctx_printk_reach reach,
     struct memctx_error *err)
{
    uint64_t before = ring->state.ring_gva;
    struct batch *batch = &ring->batch;
    batch->n = 0;
    batch->at = 0;
    if (read_state(ring, &ring->state, err) < 0)
        return -1;
    /* The records were copied to another ring, where their ids differ. */
    if (ring->state.ring_gva != before)
        begin_anew(ring);
    uint64_t ahead = count_ahead(ring, reach);
    uint64_t index = ring->next_id & (ring->state.count - 1);
    batch->first_id = ring->next_id;
    batch->n =
        (size_t)memctx_min(memctx_min(ahead, BATCH), ring->state.count - index);
    if (batch->n > 0 && fill(ring, reach, err) < 0) {
        batch->n = 0;
        return -1;
    }
    ring->waits = ahead > 0 && batch->n == 0;
    ring->waits_id = batch->first_id;
    ring->next_id = (batch->first_id + batch->n) & ring->id_mask;
    return batch->n > 0;
}

/* The next good record of the batch. Numbers that do not grow are not the
 * kernel's. */
static bool
give(struct ring *ring, struct memctx_printk_record *ret)
{
    while (ring->batch.at < ring->batch.n) {
        const struct entry *entry = &ring->batch.entries[ring->batch.at++];
        uint64_t seq = entry->record.seq;
        if (!entry->good || (ring->has_last && seq <= ring->last_seq))
            continue;
        *ret = entry->record;
        ret->lost = ring->has_last ? seq - ring->last_seq - 1 : 0;
        ring->has_last = true;
        ring->last_seq = seq;
        return true;
    }
    return false;
}

/* All blocks that stand there lie in one ring. It is asked for twice as much,
 * since the guest goes on while it is read; whoever has more tells the same
 * text of many records. */
static int
pay_text(struct ring *ring, enum memctx_printk_reach reach, size_t len_bytes,
         struct memctx_error *err)
{
    if (reach == MEMCTX_PRINTK_GROWS)
        return 1;
    if (len_bytes > ring->text_left)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the log's records have more text than the "
                                "%" PRIu64 " bytes of its ring",
                                ring->state.size);
    ring->text_left -= len_bytes;
    return 1;
}

/* ---- ops ----------------------------------------------------------------- */

static int
ring_next(void *log, enum memctx_printk_reach reach,
          struct memctx_printk_record *ret, struct memctx_error *err)
{
    struct ring *ring = log;
    for (unsigned i = 0; i < BATCHES_MAX; i++) {
        if (give(ring, ret))
            return pay_text(ring, reach, ret->len_bytes, err);
        int loaded = load(ring, reach, err);
        if (loaded <= 0)
            return loaded;
    }
    return 0;
}

static int
ring_seek_last(void *log, uint64_t n, struct memctx_error *err)
{
    struct ring *ring = log;
    if (read_state(ring, &ring->state, err) < 0)
        return -1;
    uint64_t last = id_distance(ring, ring->state.tail, ring->state.head);
    ring->batch.n = 0;
    ring->has_last = false;
    ring->end_id = ring->state.head;
    ring->text_left = 2 * ring->state.size;
    ring->next_id =
        (ring->state.head + 1 - memctx_min(n, last + 1)) & ring->id_mask;
    return 0;
}

static void
ring_close(void *log)
{
    struct ring *ring = log;
    if (ring == NULL)
        return;
    free(ring->descs);
    free(ring->again);
    free(ring->infos);
    free(ring);
}

static void
cleanup(struct ring **ring)
{
    ring_close(*ring);
}

static int
ring_open(const struct memctx_target *target, void **ret,
          struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup) struct ring *ring = calloc(1, sizeof(*ring));
    if (ring == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    ring->target = target;
    if (memctx_ringlayout_init(&ring->layout, target, err) < 0)
        return -1;
    ring->id_mask = UINT64_MAX >> (64 - 8 * ring->layout.word_size + 2);
    ring->descs = calloc(BATCH, (size_t)ring->layout.desc_size);
    ring->again = calloc(BATCH, (size_t)ring->layout.desc_size);
    ring->infos = calloc(BATCH, (size_t)ring->layout.info_size);
    if (ring->descs == NULL || ring->again == NULL || ring->infos == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (ring_seek_last(ring, UINT64_MAX, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&ring);
    return 0;
}

/* The id of the newest record. */
static int
ring_head(const struct memctx_target *target, uint64_t *gva, unsigned *bytes,
          struct memctx_error *err)
{
    struct memctx_ringlayout layout;
    unsigned char raw[8];
    if (memctx_ringlayout_init(&layout, target, err) < 0)
        return -1;
    if (memctx_target_read(target, layout.prb_gva, raw, layout.word_size, err) <
        0)
        return memctx_error_prefix(err, "the log");
    uint64_t ring_gva = memctx_target_word(target, raw);
    if (!memctx_add(ring_gva, layout.head_id, gva))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a log at gva %#" PRIx64 " has no head",
                                ring_gva);
    *bytes = layout.word_size;
    return 0;
}

const struct memctx_log_ops memctx_ring_log = {
    .open = ring_open,
    .close = ring_close,
    .next = ring_next,
    .seek_last = ring_seek_last,
    .head = ring_head,
};
