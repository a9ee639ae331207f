/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A table of pages. A page that was changed is a copy; the one before is kept
 * beside it. */
#include "memram.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE MEMCTX_PAGE_SIZE
#define RUN_MAX MEMCTX_MIB /* as those of a file */

struct change {
    uint64_t number; /* of the page */
    unsigned char *before;
    unsigned char bytes[PAGE];
};

struct memram {
    uint64_t size;
    uint64_t low;
    uint64_t base_gpa;
    unsigned char **pages; /* NULL: a hole */
    uint64_t *present;     /* a bit for each page that is none */
    unsigned char *began;  /* the pages it began with, one behind the other */
    struct change *changes;
    size_t n_changes;
    struct memram_cost cost;
};

static void *
must_alloc(size_t n, size_t size)
{
    void *memory = calloc(n, size);
    if (memory != NULL)
        return memory;
    perror("memram");
    abort();
}

static void
set_page(struct memram *ram, uint64_t number, unsigned char *page)
{
    uint64_t bit = UINT64_C(1) << number % 64;
    ram->pages[number] = page;
    if (page != NULL)
        ram->present[number / 64] |= bit;
    else
        ram->present[number / 64] &= ~bit;
}

static void
read_page(const struct guestimg *img, uint64_t number, unsigned char *to)
{
    if (pread(img->fd, to, PAGE, (off_t)(number * PAGE)) == PAGE)
        return;
    perror("memram: pread");
    abort();
}

/* Visit each page that is no hole; the number of them. */
static size_t
for_each_page(const struct guestimg *img, struct memram *ram)
{
    size_t n = 0;
    off_t at = 0;
    while ((at = lseek(img->fd, at, SEEK_DATA)) >= 0) {
        uint64_t number = (uint64_t)at / PAGE;
        if (ram->began != NULL) {
            set_page(ram, number, ram->began + n * PAGE);
            read_page(img, number, ram->pages[number]);
        }
        n++;
        at = (off_t)((number + 1) * PAGE);
    }
    return n;
}

struct memram *
memram_create(const struct guestimg *img)
{
    struct memram *ram = must_alloc(1, sizeof(*ram));
    ram->size = img->size;
    ram->low = img->low;
    ram->base_gpa = img->base_gpa;
    ram->pages = must_alloc(img->size / PAGE, sizeof(ram->pages[0]));
    ram->present = must_alloc(img->size / PAGE / 64 + 1, sizeof(uint64_t));
    ram->changes = must_alloc(MEMRAM_CHANGED_MAX, sizeof(ram->changes[0]));
    ram->began = must_alloc(for_each_page(img, ram) + 1, PAGE);
    for_each_page(img, ram);
    return ram;
}

void
memram_destroy(struct memram *ram)
{
    if (ram == NULL)
        return;
    free(ram->began);
    free(ram->changes);
    free(ram->present);
    free(ram->pages);
    free(ram);
}

/* Offset in the backing; UINT64_MAX where there is no RAM. */
static uint64_t
offset_of(const struct memram *ram, uint64_t gpa)
{
    if (memctx_range_in(gpa, 1, ram->base_gpa, ram->low))
        return gpa - ram->base_gpa;
    if (memctx_range_in(gpa, 1, 4 * MEMCTX_GIB, ram->size - ram->low))
        return gpa - 4 * MEMCTX_GIB + ram->low;
    return UINT64_MAX;
}

bool
memram_contains(const struct memram *ram, uint64_t gpa, uint64_t size)
{
    return memctx_range_in(gpa, size, ram->base_gpa, ram->low) ||
           memctx_range_in(gpa, size, 4 * MEMCTX_GIB, ram->size - ram->low);
}

/* The page as one that may be written; NULL: too many have been. */
static unsigned char *
own_page(struct memram *ram, uint64_t number)
{
    unsigned char *page = ram->pages[number];
    uintptr_t first = (uintptr_t)ram->changes;
    if (memctx_range_in((uintptr_t)page, 1, first,
                        ram->n_changes * sizeof(ram->changes[0])))
        return page;
    if (ram->n_changes == MEMRAM_CHANGED_MAX)
        return NULL;
    struct change *change = &ram->changes[ram->n_changes++];
    change->number = number;
    change->before = page;
    if (page != NULL)
        memcpy(change->bytes, page, PAGE);
    else
        memset(change->bytes, 0, PAGE);
    set_page(ram, number, change->bytes);
    return change->bytes;
}

void
memram_write(struct memram *ram, uint64_t gpa, const void *bytes,
             size_t len_bytes)
{
    const unsigned char *from = bytes;
    while (len_bytes > 0) {
        uint64_t offset = offset_of(ram, gpa);
        size_t part = (size_t)memctx_min(len_bytes, PAGE - gpa % PAGE);
        unsigned char *page =
            offset != UINT64_MAX ? own_page(ram, offset / PAGE) : NULL;
        if (page != NULL)
            memcpy(page + offset % PAGE, from, part);
        from += part;
        gpa += part;
        len_bytes -= part;
    }
}

void
memram_write_le64(struct memram *ram, uint64_t gpa, uint64_t value)
{
    uint64_t raw = htole64(value);
    memram_write(ram, gpa, &raw, sizeof(raw));
}

/* As much of [offset, offset + len) as lies in one page. */
static size_t
copy_part(const struct memram *ram, uint64_t offset, unsigned char *to,
          size_t len)
{
    const unsigned char *page = ram->pages[offset / PAGE];
    size_t part = (size_t)memctx_min(len, PAGE - offset % PAGE);
    if (page != NULL)
        memcpy(to, page + offset % PAGE, part);
    else
        memset(to, 0, part);
    return part;
}

void
memram_read(const struct memram *ram, uint64_t gpa, void *bytes,
            size_t len_bytes)
{
    unsigned char *to = bytes;
    size_t part;
    memset(to, 0, len_bytes);
    for (; len_bytes > 0; to += part, gpa += part, len_bytes -= part) {
        uint64_t offset = offset_of(ram, gpa);
        part = (size_t)memctx_min(len_bytes, PAGE - gpa % PAGE);
        if (offset != UINT64_MAX)
            copy_part(ram, offset, to, part);
    }
}

void
memram_rewind(struct memram *ram)
{
    for (size_t i = 0; i < ram->n_changes; i++)
        set_page(ram, ram->changes[i].number, ram->changes[i].before);
    ram->n_changes = 0;
    ram->cost = (struct memram_cost){.reads = 0};
}

static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    struct memram *ram = source->arg;
    ram->cost.reads++;
    if (offset >= ram->size)
        return 0;
    size_t len = (size_t)memctx_min(len_bytes, ram->size - offset);
    for (size_t done = 0; done < len;)
        done += copy_part(ram, offset + done, (unsigned char *)buf + done,
                          len - done);
    ram->cost.bytes += len;
    return (ssize_t)len;
}

/* The first page in [number, last) that is no hole; `last` if there is none. */
static uint64_t
first_page(const struct memram *ram, uint64_t number, uint64_t last)
{
    while (number < last) {
        uint64_t word = ram->present[number / 64] >> number % 64;
        if (word != 0)
            return memctx_min(number + (uint64_t)__builtin_ctzll(word), last);
        number += 64 - number % 64;
    }
    return last;
}

static int
next_data(const struct memctx_source *source, uint64_t offset, uint64_t limit,
          uint64_t *start, uint64_t *end)
{
    struct memram *ram = source->arg;
    uint64_t number = offset / PAGE;
    uint64_t last = (limit + PAGE - 1) / PAGE;
    ram->cost.looks++;
    number = first_page(ram, number, last);
    if (number == last)
        return 0;
    *start = memctx_max(offset, number * PAGE);
    uint64_t run_end = number + RUN_MAX / PAGE;
    while (number < last && number < run_end && ram->pages[number] != NULL)
        number++;
    *end = memctx_min(number * PAGE, limit);
    return 1;
}

static const struct memctx_backend_io memram_io = {
    .read_at = read_at,
    .next_data = next_data,
};

struct memctx_rammap *
memram_rammap(struct memram *ram, uint64_t above_gpa)
{
    const struct memctx_source source = {-1, -1, -1, 0, ram};
    const struct memctx_extent below = {ram->base_gpa, ram->low, 0, 0};
    const struct memctx_extent above = {above_gpa, ram->size - ram->low,
                                        ram->low, 0};
    struct memctx_rammap *map;
    unsigned backend;
    bool good =
        memctx_rammap_create(&map, NULL) == 0 &&
        memctx_rammap_add_source(map, "ram", &source, ram->size, &memram_io,
                                 &backend, NULL) == 0 &&
        memctx_rammap_add_extent(map, &below, NULL) == 0 &&
        (above.size == 0 || memctx_rammap_add_extent(map, &above, NULL) == 0);
    if (good)
        return map;
    fprintf(stderr, "memram: no map\n");
    abort();
}

struct memram_cost
memram_cost(const struct memram *ram)
{
    return ram->cost;
}
