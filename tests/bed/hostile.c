/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Fills a RAM file as a hostile guest would (tests/support/hostileimg.c), and
 * leaves it at that; the file may be the RAM of a guest that sits in cli; hlt.
 *
 *   hostile FILE linux|windows
 *
 * All RAM is below 4 GiB, and 64 MiB of it at least. Of linux, each 64 MiB are
 * an image whose every MiB begins with eight roots and is full of banners; the
 * first four have pointers, too. Of windows, half of what is behind the first
 * 64 MiB are roots. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hostileimg.h"

#define PAGE MEMCTX_PAGE_SIZE
#define ROOTS 8u /* so far from its tables may a root of Linux be, in pages */
#define TABLES (ROOTS * PAGE)      /* from the beginning of a MiB */
#define POINTERS (64 * MEMCTX_KIB) /* from there on; more are not followed */
#define TRAMPOLINES 4u

static unsigned char block[MEMCTX_MIB];

/* The first MiB is left to the firmware. */
static void
fill_with_banners(const struct guestimg *img)
{
    for (uint64_t gpa = MEMCTX_MIB; gpa + sizeof(block) <= img->size;
         gpa += sizeof(block)) {
        hostileimg_banners(gpa, block, sizeof(block));
        guestimg_write(img, gpa, block, sizeof(block));
    }
}

static void
write_pointers(const struct guestimg *img, uint64_t gpa)
{
    hostileimg_pointers(gpa, block, POINTERS);
    guestimg_write(img, gpa, block, POINTERS);
}

static void
clear_roots(const struct guestimg *img, uint64_t gpa)
{
    static const unsigned char zeros[TABLES + 2 * PAGE];
    guestimg_write(img, gpa, zeros, sizeof(zeros));
}

static void
fill_as_linux(struct guestimg *img)
{
    unsigned n = 0;
    fill_with_banners(img);
    for (uint64_t image = 0; image + HOSTILEIMG_SIZE <= img->size;
         image += HOSTILEIMG_SIZE, n++) {
        for (uint64_t at = MEMCTX_MIB; at < HOSTILEIMG_SIZE; at += MEMCTX_MIB) {
            clear_roots(img, image + at);
            hostileimg_add_roots(img, image, image + at + TABLES, ROOTS);
        }
        uint64_t first = image + MEMCTX_MIB + TABLES;
        if (n < TRAMPOLINES) {
            hostileimg_add_trampoline(img, n, first);
            write_pointers(img, first + 2 * PAGE);
        }
    }
}

static void
fill_as_windows(struct guestimg *img)
{
    uint64_t from = 64 * MEMCTX_MIB;
    hostileimg_add_windows(img, from,
                           (unsigned)((img->size - from) / PAGE / 2));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fill)(struct guestimg *img);
    } kinds[] = {{"linux", fill_as_linux}, {"windows", fill_as_windows}};
    struct guestimg img = {.free_gpa = MEMCTX_MIB};
    struct stat st;
    img.fd = argc == 3 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    if (img.fd >= 0 && fstat(img.fd, &st) == 0) {
        img.size = (uint64_t)st.st_size;
        img.low = img.size;
        for (size_t i = 0; i < MEMCTX_ARRAY_LEN(kinds); i++) {
            if (strcmp(argv[2], kinds[i].name) == 0) {
                kinds[i].fill(&img);
                return 0;
            }
        }
    }
    fprintf(stderr, "usage: hostile FILE linux|windows\n");
    return 2;
}
