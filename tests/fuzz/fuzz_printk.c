/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel's log that says anything, and goes on to while it is read. The first
 * byte says which log (modulo 3: a ring of 64 or 32 bits, a buffer of before
 * 5.10) and, by the bits 0x80 and 0x40, whether it is followed, and whether it
 * goes on with its last records; the second one after how
 * many records changes of stage 1 are made; the third one how many bytes follow
 * that stand before the lines of VMCOREINFO. Then come changes (changes.h). */
#include "fuzz.h"

#include <string.h>

#include "changes.h"
#include "charged.h"
#include "cost.h"
#include "explain/printk.h"
#include "logimg.h"

#define RAM (32 * MEMCTX_MIB)
#define ROOT (2 * MEMCTX_MIB)
#define LOG_GPA (8 * MEMCTX_MIB)
#define LOG_GVA UINT64_C(0xffffffff83000000)
#define LOG_GVA_I386 UINT64_C(0xc3000000)
#define RECORDS 40
#define RECORDS_MAX 100000u
#define SEEK_AT 2 /* records that are read before */

enum kind {
    RING,
    RING_I386,
    BUFFER,
    KINDS
};

struct built {
    struct fuzz_guest guest;
    char note[LOGIMG_TEXT_MAX];
};

static const char buffer_note[] = "OSRELEASE=4.19.0\n"
                                  "SYMBOL(log_buf)=ffffffff83000100\n"
                                  "SYMBOL(log_buf_len)=ffffffff83000108\n"
                                  "SYMBOL(log_first_idx)=ffffffff8300010c\n"
                                  "SYMBOL(log_next_idx)=ffffffff83000110\n"
                                  "SIZE(printk_log)=16\n"
                                  "OFFSET(printk_log.ts_nsec)=0\n"
                                  "OFFSET(printk_log.len)=8\n"
                                  "OFFSET(printk_log.text_len)=10\n"
                                  "OFFSET(printk_log.dict_len)=12\n";

/* Ten records of 32 bytes in a buffer of 4 KiB. */
static void
add_buffer(const struct guestimg *img, struct built *built)
{
    guestimg_write_le64(img, LOG_GPA + 0x100, LOG_GVA + LOGIMG_DESCS);
    guestimg_write_le64(img, LOG_GPA + 0x108, 4096);
    guestimg_write_le64(img, LOG_GPA + 0x110, 320);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t at = LOG_GPA + LOGIMG_DESCS + 32 * i;
        guestimg_write_le64(img, at, i);
        guestimg_write_le64(img, at + 8, UINT64_C(0xc000000000100020));
        guestimg_write(img, at + 16, "sixteen letters!", 16);
    }
    memcpy(built->note, buffer_note, sizeof(buffer_note));
}

static void
add_ring(const struct guestimg *img, bool narrow, struct built *built)
{
    struct logimg log = logimg(img, LOG_GPA, narrow ? LOG_GVA_I386 : LOG_GVA,
                               narrow ? 4 : 8, 4, 10);
    for (unsigned i = 0; i < RECORDS; i++) {
        char text[64];
        snprintf(text, sizeof(text), "record %u %.*s", i, (int)(i % 20),
                 "of a log that wraps some");
        logimg_add(&log, i % 8, i, text);
    }
    memcpy(built->note, log.note, sizeof(log.note));
}

static const uint64_t places[] = {
    LOGIMG_PRB,           LOGIMG_RING,        LOGIMG_RING + 48,
    LOGIMG_DESCS,         LOGIMG_DESCS + 192, LOGIMG_INFOS,
    LOGIMG_INFOS + 0x2c0, LOGIMG_DATA,        LOGIMG_DATA + 0x200,
};

static const struct built *
build(enum kind kind)
{
    static struct built all[KINDS];
    struct built *built = &all[kind];
    const struct guestimg_space space = {ROOT, kind == RING_I386 ? 3 : 4};
    struct guestimg img;
    if (built->guest.ram != NULL) {
        memram_rewind(built->guest.ram);
        return built;
    }
    guestimg_init(&img, RAM, RAM);
    guestimg_map_range(&img, &space, kind == RING_I386 ? LOG_GVA_I386 : LOG_GVA,
                       LOG_GPA, LOGIMG_SIZE, MEMCTX_PAGE_SIZE,
                       MEMCTX_PTE_PRESENT);
    if (kind == BUFFER)
        add_buffer(&img, built);
    else
        add_ring(&img, kind == RING_I386, built);
    built->guest.ram = memram_create(&img);
    guestimg_deinit(&img);
    built->guest.n_places = MEMCTX_ARRAY_LEN(places);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(places); i++)
        built->guest.places[i] = LOG_GPA + places[i];
    built->guest.tables_gpa = ROOT;
    built->guest.entry_bytes = 8;
    return built;
}

/* What every record must be, whoever wrote it. */
static void
check(const struct memctx_printk_record *record, bool first, uint64_t last_seq)
{
    FUZZ_MUST(record->level < 8 && record->facility < 256);
    FUZZ_MUST(record->len_bytes <= 65535);
    FUZZ_MUST(first || record->seq > last_seq);
    for (size_t i = 0; i < record->len_bytes; i++)
        (void)*(const volatile char *)&record->text[i];
}

static void
read_log(struct memctx_printk *log, const struct fuzz_guest *guest,
         const uint8_t *data, size_t size)
{
    enum memctx_printk_reach reach =
        (data[0] & 0x80) != 0 ? MEMCTX_PRINTK_GROWS : MEMCTX_PRINTK_STANDS;
    struct memctx_printk_record record;
    uint64_t last_seq = 0;
    unsigned ends = 0;
    for (unsigned n = 0; n < RECORDS_MAX && ends < 3; n++) {
        int got = memctx_printk_next(log, reach, &record, NULL);
        if (got < 0)
            return;
        if (got > 0)
            check(&record, last_seq == 0, last_seq);
        last_seq = got > 0 ? record.seq : last_seq;
        ends += got == 0;
        if (n == data[1])
            fuzz_change(guest, 1, data + 3 + data[2], size - 3 - data[2]);
        if (n != SEEK_AT || (data[0] & 0x40) == 0)
            continue;
        memctx_printk_seek_last(log, 5, NULL);
        last_seq = 0;
    }
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    char note[256 + LOGIMG_TEXT_MAX];
    if (size < 3 || size < 3u + data[2])
        return;
    enum kind kind = (enum kind)((data[0] & 0x3f) % KINDS);
    const struct built *built = build(kind);
    const struct memctx_kernel kernel = {
        .kcr3 = ROOT,
        .paging = kind == RING_I386 ? MEMCTX_PAGING_X86_PAE
                                    : MEMCTX_PAGING_X86_64_4LEVEL};
    struct memctx_work work;
    struct memctx_target target;
    struct memctx_printk *log = NULL;
    memcpy(note, data + 3, data[2]);
    strcpy(note + data[2], built->note);
    fuzz_change(&built->guest, 0, data + 3 + data[2], size - 3 - data[2]);
    struct memctx_rammap *map = memram_rammap(built->guest.ram, 4 * MEMCTX_GIB);
    struct fuzz_cost cost = fuzz_cost_begin(built->guest.ram, FUZZ_STEPS);
    charge_map(&map, &work, FUZZ_STEPS);
    memctx_target_init(&target, map, &kernel, note,
                       data[2] + strlen(built->note));
    if (memctx_printk_open(&target, &log, NULL) == 0)
        read_log(log, &built->guest, data, size);
    fuzz_cost_end(&cost);
    memctx_printk_close(log);
    memctx_rammap_destroy(map);
}
