/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An agent that serves a built guest, for tests of programs:
 *   serve linux|windows|windows32 DIR     until standard input ends
 * An "s" there makes the domain silent, an "r" ready again; a line tells when
 * it is so. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fakeagent.h"
#include "talkimg.h"
#include "winimg.h"

#define LOW (128 * MEMCTX_MIB)

static void
write_guest(struct guestimg *img, const char *which)
{
    if (strcmp(which, "linux") == 0) {
        struct guestimg_kernel kernel = guestimg_kernel();
        talkimg_add(img, &kernel);
        guestimg_write(img, 4 * MEMCTX_GIB, "above", 5);
        return;
    }
    struct winimg w = strcmp(which, "windows") == 0
                          ? winimg(26100, MEMCTX_PAGING_X86_64_4LEVEL)
                          : winimg(19041, MEMCTX_PAGING_X86_PAE);
    winimg_write(img, &w);
}

static void
obey(struct fakeagent *fake, char byte)
{
    if (byte != 's' && byte != 'r')
        return;
    fakeagent_set_silent(fake, byte == 's', byte == 's' ? "it panicked" : NULL);
    puts(byte == 's' ? "silent" : "ready");
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    struct guestimg img;
    struct fakeagent fake;
    char byte;
    if (argc != 3)
        return 2;
    guestimg_init(&img, LOW + MEMCTX_MIB, LOW);
    write_guest(&img, argv[1]);
    fakeagent_start(&fake, &img, argv[2]);
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        obey(&fake, byte);
    fakeagent_stop(&fake);
    guestimg_deinit(&img);
    return 0;
}
