/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What reading through libmemctx costs beside plain pread() of the same bytes
 * on the same descriptor, taken in turns within one run. Needs 1.3 GiB of
 * memory.
 *
 *   make tests/bench/reader && tests/bench/reader */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fakeagent.h"
#include "memctx.h"

#define SIZE (1280 * MEMCTX_MIB)
#define DATA_GPA (256 * MEMCTX_MIB)
#define DATA_SIZE MEMCTX_GIB
#define DATA_GVA UINT64_C(0xffffc90000000000)
#define MAPPED (256 * MEMCTX_MIB)
#define PAGES (MAPPED / MEMCTX_PAGE_SIZE)
#define LARGE_GVA UINT64_C(0xffffd90000000000)
#define ROUNDS 9

struct bench {
    struct guestimg img;
    struct guestimg_kernel kernel;
    struct fakeagent fake;
    struct memctx_reader *reader;
    int fd;
    uint32_t page[PAGES];  /* where the n-th page of virtual memory is */
    uint32_t order[PAGES]; /* a random order of pages */
    unsigned char buf[MEMCTX_MIB];
};

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
shuffle(uint32_t *list)
{
    uint64_t seed = 1;
    for (uint32_t i = 0; i < PAGES; i++)
        list[i] = i;
    for (uint32_t i = PAGES - 1; i > 0; i--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t j = (uint32_t)(seed >> 33) % (i + 1);
        uint32_t other = list[i];
        list[i] = list[j];
        list[j] = other;
    }
}

/* One page of the guest's at a time, anywhere in its memory; and the same
 * memory in large pages. */
static void
build(struct bench *b)
{
    guestimg_init(&b->img, SIZE, SIZE);
    b->kernel = guestimg_kernel();
    guestimg_add_kernel(&b->img, &b->kernel);
    memset(b->buf, 0x5a, sizeof(b->buf));
    for (uint64_t at = 0; at < DATA_SIZE; at += sizeof(b->buf))
        guestimg_write(&b->img, DATA_GPA + at, b->buf, sizeof(b->buf));
    const struct guestimg_space space = {b->kernel.root_gpa, b->kernel.levels};
    shuffle(b->page);
    shuffle(b->order);
    for (uint64_t i = 0; i < PAGES; i++)
        guestimg_map(&b->img, &space, DATA_GVA + i * MEMCTX_PAGE_SIZE,
                     DATA_GPA + (uint64_t)b->page[i] * MEMCTX_PAGE_SIZE,
                     MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    guestimg_map_range(&b->img, &space, LARGE_GVA, DATA_GPA, MAPPED,
                       2 * MEMCTX_MIB, MEMCTX_PTE_PRESENT);
}

static void
plain(struct bench *b, uint64_t gpa, size_t len)
{
    if (pread(b->fd, b->buf, len, (off_t)gpa) != (ssize_t)len)
        err(1, "pread");
}

static void
check(int result, const struct memctx_error *error)
{
    if (result < 0)
        errx(1, "%s", error->message);
}

/* All of DATA in calls of 1 MiB. */
static void
physical(struct bench *b, bool by_library)
{
    struct memctx_error error = MEMCTX_ERROR_INIT;
    for (uint64_t at = 0; at < DATA_SIZE; at += sizeof(b->buf)) {
        if (by_library)
            check(memctx_reader_read_gpa(b->reader, DATA_GPA + at, b->buf,
                                         sizeof(b->buf), &error),
                  &error);
        else
            plain(b, DATA_GPA + at, sizeof(b->buf));
    }
}

static void
small_pages(struct bench *b, bool by_library, bool random)
{
    struct memctx_error error = MEMCTX_ERROR_INIT;
    for (uint64_t n = 0; n < PAGES; n++) {
        uint64_t i = random ? b->order[n] : n;
        if (by_library)
            check(memctx_reader_read_gva(b->reader,
                                         DATA_GVA + i * MEMCTX_PAGE_SIZE,
                                         b->buf, MEMCTX_PAGE_SIZE, &error),
                  &error);
        else
            plain(b, DATA_GPA + (uint64_t)b->page[i] * MEMCTX_PAGE_SIZE,
                  MEMCTX_PAGE_SIZE);
    }
}

static void
in_order(struct bench *b, bool by_library)
{
    small_pages(b, by_library, false);
}

static void
at_random(struct bench *b, bool by_library)
{
    small_pages(b, by_library, true);
}

static void
large_pages(struct bench *b, bool by_library)
{
    struct memctx_error error = MEMCTX_ERROR_INIT;
    for (uint64_t n = 0; n < PAGES; n++) {
        uint64_t at = b->order[n] * (uint64_t)MEMCTX_PAGE_SIZE;
        if (by_library)
            check(memctx_reader_read_gva(b->reader, LARGE_GVA + at, b->buf,
                                         MEMCTX_PAGE_SIZE, &error),
                  &error);
        else
            plain(b, DATA_GPA + at, MEMCTX_PAGE_SIZE);
    }
}

static const struct {
    const char *what;
    uint64_t bytes;
    void (*run)(struct bench *b, bool by_library);
} rows[] = {
    {"1 GiB by GPA, calls of 1 MiB", DATA_SIZE, physical},
    {"4 KiB by GVA, 4 KiB pages in order", MAPPED, in_order},
    {"4 KiB by GVA, 4 KiB pages at random", MAPPED, at_random},
    {"4 KiB by GVA, 2 MiB pages at random", MAPPED, large_pages},
};

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
measure(struct bench *b, size_t row)
{
    double times[2][ROUNDS];
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned by_library = 0; by_library < 2; by_library++) {
            double start = now();
            rows[row].run(b, by_library);
            times[by_library][i] = now() - start;
        }
    }
    for (unsigned i = 0; i < 2; i++)
        qsort(times[i], ROUNDS, sizeof(times[i][0]), compare);
    double gib = (double)rows[row].bytes / (double)MEMCTX_GIB;
    double pread_s = times[0][ROUNDS / 2];
    double library_s = times[1][ROUNDS / 2];
    printf("%-36s pread %5.2f GiB/s, library %5.2f GiB/s, ratio %.2f\n",
           rows[row].what, gib / pread_s, gib / library_s, pread_s / library_s);
}

int
main(void)
{
    struct memctx_error error = MEMCTX_ERROR_INIT;
    struct memctx_agent *agent;
    struct bench *b = calloc(1, sizeof(*b));
    if (b == NULL)
        err(1, "calloc");
    build(b);
    fakeagent_start(&b->fake, &b->img, NULL);
    check(memctx_agent_connect(b->fake.dir, &agent, &error), &error);
    check(memctx_reader_open(agent, "web1", 0, &b->reader, &error), &error);
    b->fd = memctx_reader_fd(b->reader, 0);
    for (size_t row = 0; row < MEMCTX_ARRAY_LEN(rows); row++)
        measure(b, row);
    memctx_reader_close(b->reader);
    memctx_agent_disconnect(agent);
    fakeagent_stop(&b->fake);
    guestimg_deinit(&b->img);
    free(b);
    return 0;
}
