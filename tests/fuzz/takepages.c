/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Makes an input of the target "ram": searches the RAM of a guest, and writes
 * the pages that led to its kernel, its clocks and its processes to standard
 * output. Not the whole tables of symbols: they are a megabyte and more.
 *
 * takepages linux N     one of the guests of guests.h
 * takepages windows N   a build of winimg.h, N its place there
 * takepages FILE        RAM that begins at GPA 0, or at 1 GiB with "arm" behind
 *                       it: up to 512 MiB
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guests.h"
#include "pages.h"
#include "search/guests.h"
#include "search/revalidate.h"
#include "search/search.h"
#include "winimg.h"

#define PAGE MEMCTX_PAGE_SIZE
#define TAKEN_MAX 128 /* pages */
#define JIFFIES_MIN (UINT64_C(0x100000000) - 300 * 1000)
#define JIFFIES_SPAN (UINT64_C(1) << 32)
#define GAP_MAX 8 /* zeros in one run */

struct taking {
    struct memram *ram;
    uint64_t base_gpa;
    uint64_t size;
    bool on; /* what is read now counts */
    uint64_t pages[TAKEN_MAX];
    size_t n;
};

static void
fail(const char *why)
{
    fprintf(stderr, "takepages: %s\n", why);
    exit(1);
}

static void
take_page(struct taking *t, uint64_t page)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->pages[i] == page)
            return;
    }
    if (t->n < TAKEN_MAX)
        t->pages[t->n++] = page;
}

/* Has it what longer reads look for: a kernel's name, or jiffies_64 of the
 * first months? */
static bool
is_telling(const struct taking *t, uint64_t page)
{
    unsigned char bytes[PAGE];
    memram_read(t->ram, t->base_gpa + page * PAGE, bytes, PAGE);
    bool telling = memmem(bytes, PAGE, "Linux", 5) != NULL;
    for (size_t i = 0; i < PAGE && !telling; i += 8)
        telling = memctx_le64(bytes + i) - JIFFIES_MIN < JIFFIES_SPAN;
    return telling;
}

static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    struct taking *t = source->arg;
    uint64_t first = offset / PAGE;
    uint64_t end = (offset + len_bytes + PAGE - 1) / PAGE;
    for (uint64_t page = first; t->on && page < end; page++) {
        if (len_bytes <= PAGE || is_telling(t, page))
            take_page(t, page);
    }
    memram_read(t->ram, t->base_gpa + offset, buf, len_bytes);
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

static struct memctx_rammap *
map_of(struct taking *t)
{
    static const struct memctx_backend_io io = {read_at, next_data};
    const struct memctx_source source = {-1, -1, -1, 0, t};
    const struct memctx_extent extent = {t->base_gpa, t->size, 0, 0};
    struct memctx_rammap *map;
    unsigned backend;
    if (memctx_rammap_create(&map, NULL) < 0 ||
        memctx_rammap_add_source(map, "ram", &source, t->size, &io, &backend,
                                 NULL) < 0 ||
        memctx_rammap_add_extent(map, &extent, NULL) < 0)
        fail("no map");
    return map;
}

/* Only what is needed once it is known where the kernel is. */
static void
take_kernel(struct taking *t, const struct memctx_rammap *map,
            const struct memctx_kernel *kernel)
{
    static struct memctx_clocks clocks;
    struct memctx_process processes[8];
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    size_t n;
    t->on = true;
    memctx_revalidate(map, kernel, NULL);
    if (guest->processes != NULL)
        guest->processes(map, kernel, processes, MEMCTX_ARRAY_LEN(processes),
                         &n, NULL);
    guest->clocks(map, kernel, &clocks, NULL);
    t->on = false;
}

static void
take(struct taking *t)
{
    static struct memctx_search_result found;
    const struct memctx_search_request request = {.all = true};
    struct memctx_rammap *map = map_of(t);
    struct memctx_search *search;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (memctx_search_create(&search, &err) < 0 ||
        memctx_search_try(search, map, &request, &found, &err) < 0)
        fail(err.message);
    for (size_t i = 0; i < found.n_kernels; i++)
        take_kernel(t, map, &found.kernels[i]);
    memctx_search_destroy(search);
    memctx_rammap_destroy(map);
}

static void
put_le(uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        putchar((int)(value >> (8 * i) & 0xff));
}

/* The next run of bytes that are not zero: its length, 0 at the end. */
static size_t
next_run(const unsigned char *page, size_t *at)
{
    size_t start = *at;
    while (start < PAGE && page[start] == 0)
        start++;
    size_t end = start;
    for (size_t i = start; i < PAGE && i - end <= GAP_MAX; i++) {
        if (page[i] != 0)
            end = i + 1;
    }
    *at = start;
    return end - start;
}

static void
write_page(const struct taking *t, uint64_t number)
{
    unsigned char page[PAGE];
    unsigned n = 0;
    size_t len;
    memram_read(t->ram, t->base_gpa + number * PAGE, page, PAGE);
    for (size_t at = 0; (len = next_run(page, &at)) > 0; at += len)
        n++;
    put_le(number, 3);
    put_le(n, 2);
    for (size_t at = 0; (len = next_run(page, &at)) > 0; at += len) {
        put_le(at, 2);
        put_le(len, 2);
        fwrite(page + at, 1, len, stdout);
    }
}

static void
take_file(struct taking *t, const char *path, bool arm)
{
    struct stat st;
    struct guestimg img = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (img.fd < 0 || fstat(img.fd, &st) < 0)
        fail("cannot open this file");
    img.size = memctx_min((uint64_t)st.st_size, FUZZ_PAGES_RAM);
    img.low = img.size;
    img.base_gpa = arm ? MEMCTX_GIB : 0;
    t->ram = memram_create(&img);
    t->base_gpa = img.base_gpa;
    t->size = img.size;
    close(img.fd);
}

static void
take_linux(struct taking *t, unsigned which)
{
    bool arm = which % FUZZ_LINUXES >= 5;
    t->ram = fuzz_linux(which)->guest.ram;
    t->base_gpa = arm ? MEMCTX_GIB : 0;
    t->size = 64 * MEMCTX_MIB;
    if (!arm)
        t->size = 112 * MEMCTX_MIB;
}

static void
take_windows(struct taking *t, unsigned which)
{
    const struct winimg_build *build = &winimg_builds[which];
    struct winimg w =
        winimg(build->build, build->wide ? MEMCTX_PAGING_X86_64_4LEVEL
                                         : MEMCTX_PAGING_X86_PAE);
    struct guestimg img;
    t->size = 64 * MEMCTX_MIB;
    guestimg_init(&img, t->size, t->size);
    winimg_write(&img, &w);
    t->ram = memram_create(&img);
    guestimg_deinit(&img);
}

int
main(int argc, char **argv)
{
    static struct taking t;
    if (argc < 2)
        fail("which guest, or what file?");
    const char *second = argc > 2 ? argv[2] : "";
    if (strcmp(argv[1], "linux") == 0)
        take_linux(&t, (unsigned)atoi(second));
    else if (strcmp(argv[1], "windows") == 0)
        take_windows(&t, (unsigned)atoi(second));
    else
        take_file(&t, argv[1], strcmp(second, "arm") == 0);
    take(&t);
    putchar(t.base_gpa != 0 ? FUZZ_LAYOUT_ARM : FUZZ_LAYOUT_PLAIN);
    for (size_t i = 0; i < t.n; i++)
        write_page(&t, t.pages[i]);
    return 0;
}
