/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One pread pass over a file, 1 MiB at a time: what reading all RAM costs, with
 * nothing looked at. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define BLOCK (1u << 20)

int
main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    off_t at = 0;
    ssize_t n;
    if (fd < 0) {
        fprintf(stderr, "usage: pass RAMFILE\n");
        return 2;
    }
    while ((n = pread(fd, block, BLOCK, at)) > 0)
        at += n;
    return n < 0;
}
