/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How libFuzzer changes pages: mostly one word, to what could stand in a page
 * table or in a pointer there. It keeps to the form of an input, which the
 * bytes that libFuzzer itself inserts and leaves out would shift. */
#include <stdint.h>
#include <string.h>

#include "pages.h"

#define RUNS_MAX 4096

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed);

/* xorshift32, so that the same seed makes the same change. */
static unsigned
draw(unsigned *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static size_t
find_runs(const uint8_t *data, size_t size, struct fuzz_run *runs)
{
    struct fuzz_runs walk = {.at = 1};
    size_t n = 0;
    while (n < RUNS_MAX && fuzz_next_run(&walk, data, size, &runs[n]))
        n += runs[n].len > 0;
    return n;
}

/* Where one of the pages is, as the entry of a table or as a number. */
static uint64_t
make_word(const uint8_t *data, const struct fuzz_run *runs, size_t n,
          unsigned *state)
{
    static const uint64_t flags[] = {0x63,
                                     0x67,
                                     0xe3,
                                     0x8000000000000063,
                                     0x80000000000000e3,
                                     0x61,
                                     0x3,
                                     0x1,
                                     0x701,
                                     0x60000000000701,
                                     0,
                                     0};
    const struct fuzz_run *run = &runs[draw(state) % n];
    uint64_t gpa =
        fuzz_page_gpa(data[0] % FUZZ_LAYOUTS, run->page + draw(state) % 4 / 3);
    return gpa | flags[draw(state) % MEMCTX_ARRAY_LEN(flags)];
}

static void
put_word(uint8_t *data, const struct fuzz_run *run, uint64_t word,
         unsigned *state)
{
    size_t words = run->len / sizeof(word);
    if (words == 0)
        return;
    size_t skew = (8 - run->offset % 8) % 8;
    size_t at = draw(state) % words * sizeof(word) + skew;
    if (at + sizeof(word) <= run->len)
        memcpy(data + run->at + at, &word, sizeof(word));
}

/* A word where the input says nothing yet: a page with one run more. */
static size_t
append_word(uint8_t *data, size_t size, size_t max, uint64_t page,
            uint64_t word, unsigned *state)
{
    const uint16_t offset = (uint16_t)(draw(state) % 512 * 8);
    uint8_t record[17] = {
        (uint8_t)page,   (uint8_t)(page >> 8),   (uint8_t)(page >> 16), 1, 0,
        (uint8_t)offset, (uint8_t)(offset >> 8), sizeof(word),          0};
    memcpy(record + 9, &word, sizeof(word));
    if (max - size < sizeof(record))
        return size;
    memcpy(data + size, record, sizeof(record));
    return size + sizeof(record);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static struct fuzz_run runs[RUNS_MAX];
    unsigned state = seed | 1;
    size_t n = find_runs(data, size, runs);
    unsigned way = draw(&state) % 8;
    if (n == 0 || way == 0)
        return LLVMFuzzerMutate(data, size, max);
    const struct fuzz_run *run = &runs[draw(&state) % n];
    if (way <= 3) {
        /* Bytes of one run, as many as there were. */
        LLVMFuzzerMutate(data + run->at, run->len, run->len);
        return size;
    }
    uint64_t word = make_word(data, runs, n, &state);
    if (way <= 6)
        put_word(data, run, word, &state);
    else
        size = append_word(data, size, max, run->page, word, &state);
    return size;
}
