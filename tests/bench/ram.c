/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Fills the RAM of a guest that sits in cli; hlt with a kernel and with memory
 * to read: tests/bench/reader.c reads it through the agent.
 *
 *   ram FILE DATA_MIB
 *
 * DATA_MIB of data begin at 256 MiB; the file must be that large. The kernel
 * maps all of them in pages of 4 KiB in a random order from SMALL_GVA on, and
 * in pages of 2 MiB from LARGE_GVA on. Prints "gpa GPA", "small SMALL_GVA",
 * "large LARGE_GVA". */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guestimg.h"

#define DATA_GPA (256 * MEMCTX_MIB)
#define SMALL_GVA UINT64_C(0xffffc90000000000)
#define LARGE_GVA UINT64_C(0xffffd90000000000)

/* Each page differs from the others, so that a wrong one is told. */
static void
write_data(const struct guestimg *img, uint64_t size)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    memset(page, 0x5a, sizeof(page));
    for (uint64_t at = 0; at < size; at += sizeof(page)) {
        memcpy(page, &at, sizeof(at));
        guestimg_write(img, DATA_GPA + at, page, sizeof(page));
    }
}

/* The same order in each run. */
static void
shuffle(uint32_t *list, uint32_t n)
{
    uint64_t seed = 1;
    for (uint32_t i = 0; i < n; i++)
        list[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t j = (uint32_t)(seed >> 33) % (i + 1);
        uint32_t other = list[i];
        list[i] = list[j];
        list[j] = other;
    }
}

static void
map_data(struct guestimg *img, const struct guestimg_space *space,
         uint64_t size)
{
    uint32_t n = (uint32_t)(size / MEMCTX_PAGE_SIZE);
    uint32_t *order = calloc(n, sizeof(*order));
    if (order == NULL)
        err(1, "calloc");
    shuffle(order, n);
    for (uint32_t i = 0; i < n; i++)
        guestimg_map(img, space, SMALL_GVA + (uint64_t)i * MEMCTX_PAGE_SIZE,
                     DATA_GPA + (uint64_t)order[i] * MEMCTX_PAGE_SIZE,
                     MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    free(order);
    guestimg_map_range(img, space, LARGE_GVA, DATA_GPA, size, 2 * MEMCTX_MIB,
                       MEMCTX_PTE_PRESENT);
}

int
main(int argc, char **argv)
{
    struct guestimg img = {.free_gpa = MEMCTX_MIB};
    struct stat st;
    uint64_t size = argc == 3 ? strtoull(argv[2], NULL, 0) * MEMCTX_MIB : 0;
    img.fd = size != 0 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    if (img.fd < 0 || fstat(img.fd, &st) < 0 ||
        (uint64_t)st.st_size < DATA_GPA + size) {
        fprintf(stderr, "usage: ram FILE DATA_MIB\n");
        return 2;
    }
    img.size = img.low = (uint64_t)st.st_size;
    write_data(&img, size);
    /* The kernel comes last: an agent may look for it meanwhile. */
    struct guestimg_kernel kernel = guestimg_kernel();
    guestimg_add_kernel(&img, &kernel);
    map_data(&img, &(struct guestimg_space){kernel.root_gpa, kernel.levels},
             size);
    printf("gpa %#" PRIx64 "\nsmall %#" PRIx64 "\nlarge %#" PRIx64 "\n",
           (uint64_t)DATA_GPA, SMALL_GVA, LARGE_GVA);
    return 0;
}
