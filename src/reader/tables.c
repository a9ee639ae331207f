/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A RAM map whose one backend is all of guest-physical memory, answered from
 * lines that were read before. */
#include "reader/tables.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"

/* 64 entries: reading them takes little longer than reading one, and less than
 * half of what a page takes. Neighbours in memory are neighbours in tables. */
#define LINE 512u
#define LINES 512u
#define LIFE_US 500

struct line {
    bool known;
    uint64_t gpa;
    uint64_t read_us;
    unsigned char bytes[LINE];
};

struct tables {
    struct memctx_rammap *lines_map;
    const struct memctx_rammap *map;
    struct memctx_error *failure;
    uint64_t now_us;
    struct line line[LINES];
};

/* Tables lie at the beginnings of pages, and one entry of each is used again
 * and again: mix the page's number in. */
static struct line *
slot_of(struct tables *tables, uint64_t line_gpa)
{
    uint64_t number = line_gpa / LINE;
    return &tables->line[(number ^ number >> 9) % LINES];
}

static ssize_t
fail(struct tables *tables, const struct memctx_error *why)
{
    *tables->failure = *why;
    errno = EIO;
    return -1;
}

/* As many bytes of a line as were asked for and are in it. */
static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t gpa)
{
    struct tables *tables = source->arg;
    struct memctx_error why; /* not cleared: that takes time */
    uint64_t into = gpa % LINE;
    size_t part = (size_t)memctx_min(len_bytes, LINE - into);
    struct line *line = slot_of(tables, gpa - into);
    if (!line->known || line->gpa != gpa - into ||
        tables->now_us - line->read_us > LIFE_US) {
        line->known = memctx_rammap_read(tables->map, gpa - into, line->bytes,
                                         LINE, &why) == 0;
        line->gpa = gpa - into;
        line->read_us = tables->now_us;
    }
    /* RAM may end within a line. */
    if (!line->known)
        return memctx_rammap_read(tables->map, gpa, buf, part, &why) < 0
                   ? fail(tables, &why)
                   : (ssize_t)part;
    memcpy(buf, line->bytes + into, part);
    return (ssize_t)part;
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

static const struct memctx_backend_io lines_io = {
    .read_at = read_at,
    .next_data = next_data,
};

static int
add_extents(struct tables *tables, struct memctx_error *err)
{
    size_t n;
    unsigned backend;
    const struct memctx_extent *extent = memctx_rammap_extents(tables->map, &n);
    const struct memctx_source source = {-1, -1, -1, 0, tables};
    if (n == 0)
        return 0;
    if (memctx_rammap_add_source(tables->lines_map, "page tables", &source,
                                 memctx_rammap_end(tables->map), &lines_io,
                                 &backend, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct memctx_extent same = {.gpa = extent[i].gpa,
                                           .size = extent[i].size,
                                           .offset = extent[i].gpa,
                                           .backend = backend};
        if (memctx_rammap_add_extent(tables->lines_map, &same, err) < 0)
            return -1;
    }
    return 0;
}

int
tables_create(const struct memctx_rammap *map, struct memctx_error *failure,
              struct tables **ret, struct memctx_error *err)
{
    struct tables *tables = calloc(1, sizeof(*tables));
    if (tables == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    tables->map = map;
    tables->failure = failure;
    if (memctx_rammap_create(&tables->lines_map, err) < 0 ||
        add_extents(tables, err) < 0) {
        tables_destroy(tables);
        return -1;
    }
    *ret = tables;
    return 0;
}

void
tables_destroy(struct tables *tables)
{
    if (tables == NULL)
        return;
    memctx_rammap_destroy(tables->lines_map);
    free(tables);
}

const struct memctx_rammap *
tables_map(const struct tables *tables)
{
    return tables->lines_map;
}

void
tables_set_time(struct tables *tables, uint64_t now_us)
{
    tables->now_us = now_us;
}
