/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guest RAM with any bytes in it: walks, the proof of a Linux kernel, and the
 * search over all of it.
 *
 * The input is a script, so that RAM is large and the corpus small text. Each
 * line is a command, with hexadecimal numbers:
 *   @GPA     go there
 *   =VALUE   write 8 bytes, and go on behind them
 *   *COUNT   write the last value so many times more
 *   'TEXT    write these bytes and a newline, and go on behind them
 *   ?GVA     walk, from the place where we are as root
 * What is none of these, or leaves RAM, is passed over. */
#include "fuzz.h"

#include <string.h>

#include "charged.h"
#include "cost.h"
#include "guest/guest.h"
#include "search/search.h"

#define RAM (128 * MEMCTX_MIB)
#define LOW (112 * MEMCTX_MIB)

struct script {
    struct memram *ram;
    struct memctx_rammap *map;
    struct memctx_work work; /* of the map */
    uint64_t at_gpa;
    uint64_t value;
    unsigned budget; /* commands and repetitions left */
};

static void
write_bytes(struct script *s, const void *bytes, size_t len)
{
    memram_write(s->ram, s->at_gpa, bytes, len);
    s->at_gpa += len;
}

static void
write_value(struct script *s)
{
    memram_write_le64(s->ram, s->at_gpa, s->value);
    s->at_gpa += 8;
}

static void
walk(const struct script *s, uint64_t gva)
{
    uint64_t root_gpa = s->at_gpa & MEMCTX_PTE_FRAME;
    for (unsigned i = 1; i < MEMCTX_PAGINGS; i++) {
        const enum memctx_paging paging = (enum memctx_paging)i;
        unsigned char bytes[64];
        struct memctx_walk walked;
        struct memctx_error err = MEMCTX_ERROR_INIT;
        if (memctx_paging_walk(s->map, paging, root_gpa, gva, &walked, &err) ==
            0)
            FUZZ_MUST(walked.gpa % walked.page_size == gva % walked.page_size);
        else
            FUZZ_MUST(err.kind == MEMCTX_RETRY);
        (void)memctx_paging_read(s->map, paging, root_gpa, gva, bytes,
                                 sizeof(bytes), &err);
    }
}

static void
run_line(struct script *s, const char *line, size_t len)
{
    char number[20] = "";
    memcpy(number, line + 1, memctx_min(len - 1, sizeof(number) - 1));
    uint64_t value = strtoull(number, NULL, 16);
    if (line[0] == '@')
        s->at_gpa = value;
    if (line[0] == '=')
        s->value = value;
    if (line[0] == '=')
        write_value(s);
    for (; line[0] == '*' && value > 0 && s->budget > 0; value--, s->budget--)
        write_value(s);
    if (line[0] == '\'')
        write_bytes(s, line + 1, len - 1);
    if (line[0] == '\'')
        write_bytes(s, "\n", 1);
    if (line[0] == '?')
        walk(s, value);
}

static void
check_kernel(const struct memram *ram, const struct memctx_kernel *kernel)
{
    uint64_t size = memctx_paging_root_size(kernel->paging);
    FUZZ_MUST(kernel->kcr3 % size == 0);
    FUZZ_MUST(memram_contains(ram, kernel->kcr3, size));
    FUZZ_MUST(kernel->version[0] != '\0');
    FUZZ_MUST(memctx_paging_name(kernel->paging) != NULL);
}

static void
search(struct script *s, bool all)
{
    struct memctx_search *search;
    struct memctx_search_request request = {.budget_bytes = 8 * MEMCTX_MIB,
                                            .all = all};
    struct memctx_search_result result;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    FUZZ_MUST(memctx_search_create(&search, NULL) == 0);
    for (int i = 0; i < 2; i++) {
        struct fuzz_cost cost = fuzz_cost_begin(s->ram, FUZZ_STEPS);
        memctx_work_begin(&s->work, FUZZ_STEPS, NULL, NULL);
        if (memctx_search_try(search, s->map, &request, &result, &err) < 0)
            FUZZ_MUST(err.kind == MEMCTX_RETRY);
        fuzz_cost_end(&cost);
        for (size_t k = 0; k < result.n_kernels; k++)
            check_kernel(s->ram, &result.kernels[k]);
    }
    memctx_search_destroy(search);
}

static void
run(struct script *s, const char *line, size_t size)
{
    const char *end = line + size;
    while (line < end && s->budget-- > 0) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((newline != NULL ? newline : end) - line);
        if (len > 0)
            run_line(s, line, len);
        line += len + 1;
    }
}

static struct memram *
empty_ram(void)
{
    static struct memram *ram;
    struct guestimg img;
    if (ram != NULL)
        return ram;
    guestimg_init(&img, RAM, LOW);
    ram = memram_create(&img);
    guestimg_deinit(&img);
    return ram;
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct script s = {.ram = empty_ram(), .budget = 4000};
    memram_rewind(s.ram);
    s.map = memram_rammap(s.ram, 4 * MEMCTX_GIB);
    charge_map(&s.map, &s.work, FUZZ_STEPS);
    run(&s, (const char *)data, size);
    search(&s, false);
    search(&s, true);
    memctx_rammap_destroy(s.map);
}
