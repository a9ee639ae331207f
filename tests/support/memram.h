/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guest RAM in the test's own memory: a read is no system call, what was
 * written can be taken back, and every read is counted. For tests that look
 * through the same RAM thousands of times. */
#ifndef MEMCTX_TESTS_MEMRAM_H
#define MEMCTX_TESTS_MEMRAM_H

#include "guestimg.h"

/* So many pages can differ from what RAM began with. */
#define MEMRAM_CHANGED_MAX 2048u

struct memram;

/* RAM laid out like `img`, with a copy of its pages; `img` is the caller's, who
 * may end it. memram_destroy() frees it; NULL is fine there. */
struct memram *memram_create(const struct guestimg *img);
void memram_destroy(struct memram *ram);

/* Is all of [gpa, gpa + size) RAM? */
bool memram_contains(const struct memram *ram, uint64_t gpa, uint64_t size);

/* Write len_bytes. What would not lie in RAM, or change more than
 * MEMRAM_CHANGED_MAX pages, is left out. */
void memram_write(struct memram *ram, uint64_t gpa, const void *bytes,
                  size_t len_bytes);
void memram_write_le64(struct memram *ram, uint64_t gpa, uint64_t value);

/* What stands in RAM; zeros where there is none. Not counted. */
void memram_read(const struct memram *ram, uint64_t gpa, void *bytes,
                 size_t len_bytes);

/* RAM becomes what it began with, and its cost 0. Takes time by the number of
 * pages that were changed. */
void memram_rewind(struct memram *ram);

/* A map of this RAM in one backend "ram", in which RAM behind the split goes on
 * at `above_gpa` (4 GiB, as guestimg_rammap() has it, or elsewhere). The caller
 * destroys it before the RAM. */
struct memctx_rammap *memram_rammap(struct memram *ram, uint64_t above_gpa);

/* What all maps of this RAM were asked for since the last rewind. */
struct memram_cost {
    uint64_t reads;
    uint64_t bytes; /* read */
    uint64_t looks; /* for data between holes */
};
struct memram_cost memram_cost(const struct memram *ram);

#endif
