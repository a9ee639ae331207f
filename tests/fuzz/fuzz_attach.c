/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The whole way from a domain to where its RAM is, on what a user may have
 * written and what /proc shows of a process that calls itself QEMU.
 *
 * A line "%%" is between the parts of an input: the domain XML; the arguments,
 * a line each; lines of /proc/PID/maps; the files that are open, a line each:
 * "NUMBER MAJOR:MINOR INODE BORN NAME", all decimal. */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "domain/domxml.h"
#include "qemu/cmdline.h"
#include "qemu/layout.h"
#include "qemu/match.h"

#define PARTS 4
#define MAPPINGS_MAX 1024
#define FILES_MAX 256

/* What is known of one domain. */
struct facts {
    struct memctx_domxml xml;
    struct memctx_qemuargs args;
    struct memctx_mapping mappings[MAPPINGS_MAX];
    struct memctx_ram_file files[FILES_MAX];
    struct memctx_match_input holdings;
};

/* Cut the input at each "%%", into texts that end with a NUL. */
static void
cut(char *text, size_t *len, char *parts[PARTS], size_t lens[PARTS])
{
    for (size_t i = 0; i < PARTS; i++) {
        char *end = memmem(text, *len, "\n%%\n", 4);
        parts[i] = text;
        lens[i] = end != NULL ? (size_t)(end - text) : *len;
        size_t passed = end != NULL ? lens[i] + 4 : *len;
        text[lens[i]] = '\0';
        text += passed;
        *len -= passed;
    }
}

/* The kernel lists them by address, and none overlaps another. */
static void
add_mapping(struct facts *f, const char *line)
{
    size_t n = f->holdings.n_mappings;
    struct memctx_mapping *m = &f->mappings[n];
    if (n < MAPPINGS_MAX && memctx_procmaps_parse(line, m, NULL) == 0 &&
        (n == 0 || m->start >= m[-1].end))
        f->holdings.n_mappings++;
}

static void
add_file(struct facts *f, const char *line)
{
    struct memctx_ram_file file = {.number = -1};
    if (sscanf(line, "%d %u:%u %" SCNu64 " %" SCNu64 " %255[^\n]", &file.number,
               &file.major, &file.minor, &file.inode, &file.born_ns,
               file.name) == 6 &&
        file.number >= 0 && f->holdings.n_files < FILES_MAX)
        f->files[f->holdings.n_files++] = file;
}

static void
read_holdings(struct facts *f, char *maps, char *files)
{
    f->holdings = (struct memctx_match_input){f->mappings, 0, f->files, 0};
    for (char *line = strsep(&maps, "\n"); line != NULL;
         line = strsep(&maps, "\n"))
        add_mapping(f, line);
    for (char *line = strsep(&files, "\n"); line != NULL;
         line = strsep(&files, "\n"))
        add_file(f, line);
    qsort(f->files, f->holdings.n_files, sizeof(f->files[0]),
          memctx_match_by_age);
}

static bool
read_args(struct facts *f, char *args, size_t len)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (size_t i = 0; i < len; i++)
        args[i] = args[i] == '\n' ? '\0' : args[i];
    if (memctx_cmdline_parse(args, len, &f->args, &err) == 0)
        return true;
    FUZZ_MUST(err.kind == MEMCTX_PERMANENT && err.message[0] != '\0');
    return false;
}

static ssize_t
read_nothing(const struct memctx_source *source, void *buf, size_t len_bytes,
             uint64_t offset)
{
    (void)source;
    (void)buf;
    (void)len_bytes;
    (void)offset;
    return 0;
}

static int
find_nothing(const struct memctx_source *source, uint64_t offset,
             uint64_t limit, uint64_t *start, uint64_t *end)
{
    (void)source;
    (void)offset;
    (void)limit;
    (void)start;
    (void)end;
    return 0;
}

/* A layout is one that a map of RAM takes as it is. */
static void
check_layout(const struct memctx_layout *layout)
{
    static const struct memctx_backend_io io = {read_nothing, find_nothing};
    const struct memctx_source source = {-1, -1, -1, 0, NULL};
    struct memctx_rammap *map;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    unsigned index;
    FUZZ_MUST(layout->n_backends > 0 && layout->n_extents > 0);
    FUZZ_MUST(memctx_rammap_create(&map, &err) == 0);
    for (size_t i = 0; i < layout->n_backends; i++)
        FUZZ_MUST(memctx_rammap_add_source(map, layout->backends[i].id, &source,
                                           layout->backends[i].size, &io,
                                           &index, &err) == 0);
    for (size_t i = 0; i < layout->n_extents; i++)
        FUZZ_MUST(memctx_rammap_add_extent(map, &layout->extents[i], &err) ==
                  0);
    memctx_rammap_destroy(map);
}

/* Each backend is in a mapping that QEMU has, of a file that it has open. */
static void
check_matches(const struct facts *f, const struct memctx_layout *layout)
{
    static struct memctx_match matches[MEMCTX_BACKENDS_MAX];
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (memctx_match_backends(layout, &f->args, &f->holdings, matches, &err) <
        0) {
        FUZZ_MUST(err.kind == MEMCTX_RETRY && err.message[0] != '\0');
        return;
    }
    for (size_t i = 0; i < layout->n_backends; i++) {
        const struct memctx_mapping *m = matches[i].mapping;
        const struct memctx_ram_file *file = matches[i].file;
        FUZZ_MUST(m >= f->mappings && m < f->mappings + f->holdings.n_mappings);
        FUZZ_MUST(m->readable);
        FUZZ_MUST(file == NULL ||
                  (file >= f->files && file < f->files + f->holdings.n_files &&
                   file->inode == m->inode && m->offset == 0));
    }
}

static void
attach(struct facts *f)
{
    static struct memctx_memconf conf;
    static struct memctx_layout layout;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (int i = 0; i < 6; i++) {
        conf = f->xml.memory;
        memctx_memconf_overlay(&conf, &f->args.memory, true);
        conf.host = (enum memctx_vendor)(i / 2);
        if (memctx_layout_compute(&conf,
                                  i % 2 == 0 ? MEMCTX_LAYOUT_LIKELIEST
                                             : MEMCTX_LAYOUT_OTHER,
                                  &layout, &err) < 0) {
            FUZZ_MUST(err.kind == MEMCTX_PERMANENT && err.message[0] != '\0');
            continue;
        }
        check_layout(&layout);
        check_matches(f, &layout);
    }
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static struct facts f;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *parts[PARTS];
    size_t lens[PARTS];
    char *text = calloc(1, size + 1);
    FUZZ_MUST(text != NULL);
    memcpy(text, data, size);
    cut(text, &size, parts, lens);
    if (read_args(&f, parts[1], lens[1]) &&
        memctx_domxml_parse(parts[0], lens[0], &f.xml, &err) == 0) {
        read_holdings(&f, parts[2], parts[3]);
        attach(&f);
        memctx_domxml_deinit(&f.xml);
    }
    free(text);
}
