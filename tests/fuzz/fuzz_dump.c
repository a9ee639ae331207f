/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A file with RAM that begins with these bytes, and goes on with zeros: the
 * form that it shows, and then all forms. */
#include "fuzz.h"

#include <string.h>

#include "base/bytes.h"
#include "dump/dump.h"

#define FILE_BYTES (64 * MEMCTX_MIB)

struct input {
    const uint8_t *data;
    size_t size;
};

static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    const struct input *input = source->arg;
    size_t there = offset < input->size
                       ? (size_t)memctx_min(input->size - offset, len_bytes)
                       : 0;
    memset(buf, 0, len_bytes);
    if (there > 0)
        memcpy(buf, input->data + offset, there);
    return (ssize_t)len_bytes;
}

static int
next_data(const struct memctx_source *source, uint64_t offset, uint64_t limit,
          uint64_t *start, uint64_t *end)
{
    (void)source;
    *start = offset;
    *end = limit;
    return 1;
}

static const struct memctx_backend_io io = {read_at, next_data};

static struct memctx_rammap *
map_file(struct input *input)
{
    struct memctx_rammap *map;
    unsigned backend;
    const struct memctx_source source = {-1, -1, -1, 0, input};
    const struct memctx_extent all = {.size = FILE_BYTES};
    FUZZ_MUST(memctx_rammap_create(&map, NULL) == 0);
    FUZZ_MUST(memctx_rammap_add_source(map, "ram", &source, FILE_BYTES, &io,
                                       &backend, NULL) == 0);
    FUZZ_MUST(memctx_rammap_add_extent(map, &all, NULL) == 0);
    return map;
}

/* All that was laid out lies in the file and can be read. */
static void
check_map(const struct memctx_rammap *map)
{
    size_t n;
    const struct memctx_extent *e = memctx_rammap_extents(map, &n);
    FUZZ_MUST(n > 0 && n <= MEMCTX_EXTENTS_MAX);
    FUZZ_MUST(memctx_dump_low(map) > 0);
    for (size_t i = 0; i < n; i++) {
        unsigned char byte;
        FUZZ_MUST(memctx_range_in(e[i].offset, e[i].size, 0, FILE_BYTES));
        FUZZ_MUST(memctx_rammap_read(map, e[i].gpa + (e[i].size - 1), &byte, 1,
                                     NULL) == 0);
    }
}

static void
lay_out(const struct memctx_rammap *file, enum memctx_dump_form form)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map;
    FUZZ_MUST(memctx_rammap_create_beside(file, &map, NULL) == 0);
    if (memctx_dump_lay_out(form, file, map, &err) == 0)
        check_map(map);
    else
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT && err.message[0] != '\0');
    memctx_rammap_destroy(map);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct memctx_rammap *file = map_file(&input);
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum memctx_dump_form form;
    size_t head = memctx_min(size, MEMCTX_DUMP_HEAD_BYTES);
    if (memctx_dump_recognise(data, head, &form, &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT && err.message[0] != '\0');
    lay_out(file, MEMCTX_DUMP_ELF);
    lay_out(file, MEMCTX_DUMP_LIME);
    lay_out(file, MEMCTX_DUMP_WINDOWS);
    memctx_rammap_destroy(file);
}
