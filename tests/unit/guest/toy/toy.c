/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest system that nobody runs, as small as one can be: what the checklist
 * on top of guest/guest.h asks for, and no more. tests/test_new_guest.sh adds
 * it. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "guest/guest.h"
#include "guest/toy/toy.h"
#include "paging/paging.h"

static uint64_t
follow(const struct memctx_rammap *map, memctx_clue_fn *clue, void *arg)
{
    (void)map;
    (void)clue;
    (void)arg;
    return 0;
}

static void
scan(const struct memctx_block *block, memctx_clue_fn *clue, void *arg)
{
    for (size_t at = 0; at + MEMCTX_PAGE_SIZE <= block->len_bytes;
         at += MEMCTX_PAGE_SIZE) {
        if (memcmp(block->bytes + at, TOY_MAGIC, sizeof(TOY_MAGIC)) == 0 &&
            !clue(block->gpa + at, arg))
            return;
    }
}

/* The page says where it is in the address space of a root; the root must say
 * the same. */
static int
verify(struct memctx_session *session, uint64_t clue_gpa,
       struct memctx_kernel *ret, struct memctx_error *err)
{
    unsigned char page[TOY_LEN];
    struct memctx_walk walk;
    struct memctx_kernel kernel = {.os = MEMCTX_OS_TOY,
                                   .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                   .clue_gpa = clue_gpa};
    session->passed = 0;
    if (memctx_rammap_read(session->map, clue_gpa, page, sizeof(page), err) < 0)
        return -1;
    if (memcmp(page, TOY_MAGIC, sizeof(TOY_MAGIC)) != 0)
        return memctx_error_set(err, MEMCTX_RETRY, "check magic: none");
    session->passed++;
    memctx_checks_add(kernel.checks, "magic");
    kernel.kcr3 = memctx_le64(page + TOY_ROOT);
    kernel.base_gva = memctx_le64(page + TOY_SELF);
    if (memctx_paging_walk(session->map, kernel.paging, kernel.kcr3,
                           kernel.base_gva, &walk, err) < 0)
        return memctx_error_prefix(err, "check self");
    if (walk.gpa != clue_gpa)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "check self: the page is at %#" PRIx64,
                                walk.gpa);
    session->passed++;
    memctx_checks_add(kernel.checks, "self");
    memcpy(kernel.version, page + TOY_VERSION, TOY_LEN - TOY_VERSION - 1);
    memctx_kernel_set_clue(&kernel, 0, "toy-page");
    *ret = kernel;
    return 0;
}

static int
clocks(const struct memctx_rammap *map, const struct memctx_kernel *kernel,
       struct memctx_clocks *ret, struct memctx_error *err)
{
    uint64_t gpa = kernel->clue_gpa + TOY_TICKS;
    unsigned char raw[8];
    if (memctx_rammap_read(map, gpa, raw, sizeof(raw), err) < 0)
        return -1;
    ret->per_second = 1000;
    ret->least = 0;
    ret->n = 1;
    ret->clock[0] = (struct memctx_clock){gpa, memctx_le64(raw)};
    return 0;
}

const struct memctx_guest_ops memctx_toy_ops = {
    .sought = "page of a Toy",
    .follow = follow,
    .scan = scan,
    .verify = verify,
    .clocks = clocks,
};
