/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel's writer, without its concurrency: what is overwritten is made
 * reusable first, tails move on, and a block that does not fit at the end of
 * the text ring goes to its beginning. */
#include "logimg.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INFO_SIZE 88u

/* Members in words: of prb_desc_ring count_bits, descs, infos, head_id,
 * tail_id, last_finalized; of prb_data_ring, which follows, size_bits, data,
 * head_lpos, tail_lpos; of prb_desc state_var, begin, next. */
enum {
    COUNT_BITS,
    DESCS,
    INFOS,
    HEAD_ID,
    TAIL_ID,
    LAST_FINALIZED,
    SIZE_BITS,
    DATA,
    HEAD_LPOS,
    TAIL_LPOS,
    RING_WORDS
};

static uint64_t
mask(const struct logimg *log)
{
    return log->word == 8 ? UINT64_MAX : UINT32_MAX;
}

static uint64_t
id_mask(const struct logimg *log)
{
    return mask(log) >> 2;
}

static uint64_t
count(const struct logimg *log)
{
    return UINT64_C(1) << log->count_bits;
}

static uint64_t
size(const struct logimg *log)
{
    return UINT64_C(1) << log->size_bits;
}

static void
put_word(const struct logimg *log, uint64_t gpa, uint64_t value)
{
    uint64_t raw = htole64(value);
    guestimg_write(log->img, gpa, &raw, log->word);
}

static uint64_t
get_word(const struct logimg *log, uint64_t gpa)
{
    return guestimg_read_le64(log->img, gpa) & mask(log);
}

void
logimg_write_word(const struct logimg *log, uint64_t offset, uint64_t value)
{
    put_word(log, log->gpa + LOGIMG_RING + offset, value);
}

static void
write_ring(const struct logimg *log)
{
    const uint64_t words[RING_WORDS] = {
        [COUNT_BITS] = log->count_bits,    [DESCS] = log->gva + LOGIMG_DESCS,
        [INFOS] = log->gva + LOGIMG_INFOS, [HEAD_ID] = log->head_id,
        [TAIL_ID] = log->tail_id,          [SIZE_BITS] = log->size_bits,
        [DATA] = log->gva + LOGIMG_DATA,   [HEAD_LPOS] = log->head_lpos,
        [TAIL_LPOS] = log->tail_lpos,
    };
    for (unsigned i = 0; i < RING_WORDS; i++)
        logimg_write_word(log, i * log->word, words[i]);
}

static void
write_note(struct logimg *log)
{
    unsigned w = log->word;
    snprintf(log->note, sizeof(log->note),
             "OSRELEASE=6.1.0\n"
             "SYMBOL(prb)=%" PRIx64 "\n"
             "SIZE(printk_ringbuffer)=%u\n"
             "OFFSET(printk_ringbuffer.desc_ring)=0\n"
             "OFFSET(printk_ringbuffer.text_data_ring)=%u\n"
             "OFFSET(prb_desc_ring.count_bits)=0\n"
             "OFFSET(prb_desc_ring.descs)=%u\n"
             "OFFSET(prb_desc_ring.infos)=%u\n"
             "OFFSET(prb_desc_ring.head_id)=%u\n"
             "OFFSET(prb_desc_ring.tail_id)=%u\n"
             "OFFSET(prb_data_ring.size_bits)=0\n"
             "OFFSET(prb_data_ring.data)=%u\n"
             "SIZE(prb_desc)=%u\n"
             "OFFSET(prb_desc.state_var)=0\n"
             "OFFSET(prb_desc.text_blk_lpos)=%u\n"
             "OFFSET(prb_data_blk_lpos.begin)=0\n"
             "OFFSET(prb_data_blk_lpos.next)=%u\n"
             "SIZE(printk_info)=%u\n"
             "OFFSET(printk_info.seq)=0\n"
             "OFFSET(printk_info.ts_nsec)=8\n"
             "OFFSET(printk_info.text_len)=16\n"
             "OFFSET(atomic_long_t.counter)=0\n",
             log->gva + LOGIMG_PRB, RING_WORDS * w, SIZE_BITS * w, DESCS * w,
             INFOS * w, HEAD_ID * w, TAIL_ID * w, (DATA - SIZE_BITS) * w, 3 * w,
             w, w, INFO_SIZE);
}

struct logimg
logimg(const struct guestimg *img, uint64_t gpa, uint64_t gva, unsigned word,
       unsigned count_bits, unsigned size_bits)
{
    struct logimg log = {.img = img,
                         .gpa = gpa,
                         .gva = gva,
                         .word = word,
                         .count_bits = count_bits,
                         .size_bits = size_bits};
    /* As DESC0_ID() has it. The descriptor of that id is reusable. */
    log.head_id = -(count(&log) + 1) & id_mask(&log);
    log.tail_id = log.head_id;
    write_note(&log);
    write_ring(&log);
    put_word(&log, gpa + LOGIMG_PRB, log.gva + LOGIMG_RING);
    logimg_set_state(&log, log.head_id, LOGIMG_REUSABLE);
    return log;
}

uint64_t
logimg_desc_gpa(const struct logimg *log, uint64_t id)
{
    return log->gpa + LOGIMG_DESCS + (id & (count(log) - 1)) * 3 * log->word;
}

uint64_t
logimg_info_gpa(const struct logimg *log, uint64_t id)
{
    return log->gpa + LOGIMG_INFOS + (id & (count(log) - 1)) * INFO_SIZE;
}

uint64_t
logimg_block_gpa(const struct logimg *log, uint64_t id)
{
    uint64_t desc = logimg_desc_gpa(log, id);
    uint64_t begin = get_word(log, desc + log->word);
    uint64_t next = get_word(log, desc + 2 * log->word);
    bool wraps = begin / size(log) != next / size(log);
    return log->gpa + LOGIMG_DATA + (wraps ? 0 : begin % size(log));
}

struct memctx_printk_record
logimg_record(const char *text, size_t len_bytes)
{
    return (struct memctx_printk_record){.seq = 7,
                                         .ts_nsec = UINT64_C(12345678901),
                                         .facility = 3,
                                         .level = 4,
                                         .text = text,
                                         .len_bytes = len_bytes};
}

void
logimg_set_state(const struct logimg *log, uint64_t id, enum logimg_state state)
{
    put_word(log, logimg_desc_gpa(log, id),
             id | (uint64_t)state << (8 * log->word - 2));
}

void
logimg_set_dataless(const struct logimg *log, uint64_t id, uint64_t lpos)
{
    put_word(log, logimg_desc_gpa(log, id) + log->word, lpos);
    put_word(log, logimg_desc_gpa(log, id) + 2 * log->word, lpos);
}

/* The oldest record goes. */
static void
push_tail(struct logimg *log)
{
    uint64_t next =
        get_word(log, logimg_desc_gpa(log, log->tail_id) + 2 * log->word);
    logimg_set_state(log, log->tail_id, LOGIMG_REUSABLE);
    if ((next & 1) == 0 && next > log->tail_lpos)
        log->tail_lpos = next;
    log->tail_id = (log->tail_id + 1) & id_mask(log);
}

static uint64_t
next_lpos(const struct logimg *log, uint64_t block)
{
    uint64_t next = log->head_lpos + block;
    if (log->head_lpos / size(log) == next / size(log))
        return next;
    return next / size(log) * size(log) + block;
}

static void
write_block(const struct logimg *log, uint64_t id, uint64_t next,
            const char *text)
{
    uint64_t size_ = size(log);
    bool wraps = log->head_lpos / size_ != next / size_;
    uint64_t at = log->gpa + LOGIMG_DATA + (wraps ? 0 : log->head_lpos % size_);
    put_word(log, at, id);
    guestimg_write(log->img, at + log->word, text, strlen(text));
}

static void
write_info(const struct logimg *log, uint64_t id, unsigned level,
           uint64_t ts_nsec, size_t len)
{
    unsigned char info[INFO_SIZE] = {0};
    uint64_t seq = htole64(log->next_seq);
    uint64_t ts = htole64(ts_nsec);
    uint16_t text_len = htole16((uint16_t)len);
    memcpy(info, &seq, sizeof(seq));
    memcpy(info + 8, &ts, sizeof(ts));
    memcpy(info + 16, &text_len, sizeof(text_len));
    info[18] = (unsigned char)(level >> 3);
    info[19] = (unsigned char)((level & 7) << 5 | 2);
    guestimg_write(log->img, logimg_info_gpa(log, id), info, sizeof(info));
}

uint64_t
logimg_add(struct logimg *log, unsigned level, uint64_t ts_nsec,
           const char *text)
{
    uint64_t block = memctx_round_up(log->word + strlen(text), log->word);
    uint64_t id = (log->head_id + 1) & id_mask(log);
    uint64_t next = next_lpos(log, block);
    if (((id - log->tail_id) & id_mask(log)) == count(log))
        push_tail(log);
    while (next - log->tail_lpos > size(log))
        push_tail(log);
    write_block(log, id, next, text);
    write_info(log, id, level, ts_nsec, strlen(text));
    put_word(log, logimg_desc_gpa(log, id) + log->word, log->head_lpos);
    put_word(log, logimg_desc_gpa(log, id) + 2 * log->word, next);
    logimg_set_state(log, id, LOGIMG_FINALIZED);
    log->head_id = id;
    log->head_lpos = next;
    log->next_seq++;
    write_ring(log);
    return id;
}

void
logimg_change_note(struct logimg *log, const char *key, const char *value)
{
    char rest[LOGIMG_TEXT_MAX];
    char *at = strstr(log->note, key);
    if (at == NULL)
        abort();
    snprintf(rest, sizeof(rest), "%s", strchr(at, '\n'));
    snprintf(at, sizeof(log->note) - (size_t)(at - log->note), "%s=%s%s", key,
             value, rest);
}
