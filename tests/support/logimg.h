/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Builds a kernel's log in a guest's memory and goes on writing it, as
 * kernel/printk/printk_ringbuffer.c of Linux 6.1 does. */
#ifndef MEMCTX_TESTS_LOGIMG_H
#define MEMCTX_TESTS_LOGIMG_H

#include "explain/printk.h"
#include "guestimg.h"

#define LOGIMG_TEXT_MAX 8192

/* Where everything is, in bytes from the beginning of the log's memory. */
#define LOGIMG_PRB UINT64_C(0x100) /* the pointer to the ring */
#define LOGIMG_RING UINT64_C(0x200)
#define LOGIMG_DESCS UINT64_C(0x1000)
#define LOGIMG_INFOS UINT64_C(0x10000)
#define LOGIMG_DATA UINT64_C(0x80000)
#define LOGIMG_SIZE (2 * MEMCTX_MIB)

enum logimg_state {
    LOGIMG_RESERVED,
    LOGIMG_COMMITTED,
    LOGIMG_FINALIZED,
    LOGIMG_REUSABLE
};

struct logimg {
    const struct guestimg *img;
    uint64_t gpa;
    uint64_t gva;
    unsigned word; /* bytes of a long */
    unsigned count_bits;
    unsigned size_bits;
    uint64_t head_id; /* may be given any value before the first record */
    uint64_t tail_id;
    uint64_t head_lpos;
    uint64_t tail_lpos;
    uint64_t next_seq;
    char note[LOGIMG_TEXT_MAX]; /* VMCOREINFO */
};

/* An empty log in memory that lies at this gpa, where the kernel has it at this
 * gva: 1 << count_bits descriptors (at most 1 << 11), 1 << size_bits bytes. */
struct logimg logimg(const struct guestimg *img, uint64_t gpa, uint64_t gva,
                     unsigned word, unsigned count_bits, unsigned size_bits);

/* Add a record; its id. */
uint64_t logimg_add(struct logimg *log, unsigned level, uint64_t ts_nsec,
                    const char *text);

/* A record of a daemon's warning, as it is read; the text stays the caller's.
 */
struct memctx_printk_record logimg_record(const char *text, size_t len_bytes);

/* The state of a record is another one now. */
void logimg_set_state(const struct logimg *log, uint64_t id,
                      enum logimg_state state);

/* The text of a record has no block: begin and next are both this. */
void logimg_set_dataless(const struct logimg *log, uint64_t id, uint64_t lpos);

/* Where a record's descriptor, info and block are in the guest. */
uint64_t logimg_desc_gpa(const struct logimg *log, uint64_t id);
uint64_t logimg_info_gpa(const struct logimg *log, uint64_t id);
uint64_t logimg_block_gpa(const struct logimg *log, uint64_t id);

/* A number of one of the ring's words, at an offset from LOGIMG_RING. */
void logimg_write_word(const struct logimg *log, uint64_t offset,
                       uint64_t value);

/* Give a key of the note, which must be there, another value. */
void logimg_change_note(struct logimg *log, const char *key, const char *value);

#endif
