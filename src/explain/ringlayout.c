/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks the members of the log's structs up, and adds up those that lie in one
 * another. The keys are the same since 5.10 (kernel commit 896fbe20b4e2). */
#include "explain/ringlayout.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/bytes.h"

#define OFFSET_MAX MEMCTX_RINGLAYOUT_RING_MAX

/* What VMCOREINFO says of structs that lie in others. */
struct parts {
    uint64_t desc_ring;
    uint64_t text_ring;
    uint64_t lpos;
    uint64_t counter;
};

static const struct {
    const char *key;
    size_t at; /* in struct parts */
} part_rows[] = {
    {"OFFSET(printk_ringbuffer.desc_ring)", offsetof(struct parts, desc_ring)},
    {"OFFSET(printk_ringbuffer.text_data_ring)",
     offsetof(struct parts, text_ring)},
    {"OFFSET(prb_desc.text_blk_lpos)", offsetof(struct parts, lpos)},
    {"OFFSET(atomic_long_t.counter)", offsetof(struct parts, counter)},
};

#define MEMBER(name) offsetof(struct memctx_ringlayout, name)

static const struct {
    const char *key;
    size_t at; /* in struct memctx_ringlayout */
    uint64_t max;
} size_rows[] = {
    {"SYMBOL(prb)", MEMBER(prb_gva), UINT64_MAX},
    {"SIZE(printk_ringbuffer)", MEMBER(ring_size), MEMCTX_RINGLAYOUT_RING_MAX},
    {"SIZE(prb_desc)", MEMBER(desc_size), MEMCTX_RINGLAYOUT_DESC_MAX},
    {"SIZE(printk_info)", MEMBER(info_size), MEMCTX_RINGLAYOUT_INFO_MAX},
};

#define NONE SIZE_MAX
#define WORD 0 /* as many bytes as a long has */

/* Each member: where the struct lies that VMCOREINFO counts from (in the one
 * that we count from), where its word lies in it, its bytes, and the struct
 * that it must lie in. */
static const struct {
    const char *key;
    size_t at;
    size_t part;    /* in struct parts; NONE: we count from the same struct */
    size_t within;  /* the same */
    unsigned bytes; /* or WORD */
    size_t size;    /* in struct memctx_ringlayout */
} member_rows[] = {
#define ROW(key, name, part, within, bytes, size)                          \
    {                                                                      \
        "OFFSET(" key ")", MEMBER(name), part, within, bytes, MEMBER(size) \
    }
#define PART(name) offsetof(struct parts, name)
    ROW("prb_desc_ring.count_bits", count_bits, PART(desc_ring), NONE, 4,
        ring_size),
    ROW("prb_desc_ring.descs", descs, PART(desc_ring), NONE, WORD, ring_size),
    ROW("prb_desc_ring.infos", infos, PART(desc_ring), NONE, WORD, ring_size),
    ROW("prb_desc_ring.head_id", head_id, PART(desc_ring), PART(counter), WORD,
        ring_size),
    ROW("prb_desc_ring.tail_id", tail_id, PART(desc_ring), PART(counter), WORD,
        ring_size),
    ROW("prb_data_ring.size_bits", size_bits, PART(text_ring), NONE, 4,
        ring_size),
    ROW("prb_data_ring.data", data, PART(text_ring), NONE, WORD, ring_size),
    ROW("prb_desc.state_var", state_var, NONE, PART(counter), WORD, desc_size),
    ROW("prb_data_blk_lpos.begin", begin, PART(lpos), NONE, WORD, desc_size),
    ROW("prb_data_blk_lpos.next", next, PART(lpos), NONE, WORD, desc_size),
    ROW("printk_info.seq", seq, NONE, NONE, 8, info_size),
    ROW("printk_info.ts_nsec", ts_nsec, NONE, NONE, 8, info_size),
    /* u16 text_len; u8 facility; u8 flags:5, level:3; VMCOREINFO names only
     * the first. */
    ROW("printk_info.text_len", text_len, NONE, NONE, 4, info_size),
#undef PART
#undef ROW
};

static uint64_t *
number_at(void *base, size_t at)
{
    return (uint64_t *)(void *)((char *)base + at);
}

static uint64_t
part_of(struct parts *parts, size_t at)
{
    return at != NONE ? *number_at(parts, at) : 0;
}

static int
find_members(struct memctx_ringlayout *layout, struct parts *parts,
             const struct memctx_target *target, struct memctx_error *err)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(member_rows); i++) {
        uint64_t *to = number_at(layout, member_rows[i].at);
        uint64_t size = *number_at(layout, member_rows[i].size);
        unsigned bytes = member_rows[i].bytes != WORD ? member_rows[i].bytes
                                                      : layout->word_size;
        if (memctx_target_bounded(target, member_rows[i].key, OFFSET_MAX, to,
                                  err) < 0)
            return -1;
        *to += part_of(parts, member_rows[i].part) +
               part_of(parts, member_rows[i].within);
        if (!memctx_range_in(*to, bytes, 0, size))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "VMCOREINFO: %s leads to byte %" PRIu64
                                    " of a struct of %" PRIu64,
                                    member_rows[i].key, *to, size);
    }
    return 0;
}

int
memctx_ringlayout_init(struct memctx_ringlayout *ret,
                       const struct memctx_target *target,
                       struct memctx_error *err)
{
    struct memctx_ringlayout layout = {.word_size =
                                           memctx_target_word_size(target)};
    struct parts parts;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(size_rows); i++) {
        if (memctx_target_bounded(target, size_rows[i].key, size_rows[i].max,
                                  number_at(&layout, size_rows[i].at), err) < 0)
            return -1;
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(part_rows); i++) {
        if (memctx_target_bounded(target, part_rows[i].key, OFFSET_MAX,
                                  number_at(&parts, part_rows[i].at), err) < 0)
            return -1;
    }
    if (find_members(&layout, &parts, target, err) < 0)
        return -1;
    *ret = layout;
    return 0;
}
