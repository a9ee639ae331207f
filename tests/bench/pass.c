/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One pread pass over a file, 1 MiB at a time, or over so many of its first
 * bytes: what reading RAM costs, with nothing looked at. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK (1u << 20)

int
main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    int fd = argc == 2 || argc == 3 ? open(argv[1], O_RDONLY) : -1;
    off_t end = argc == 3 ? atoll(argv[2]) : INT64_MAX;
    off_t at = 0;
    ssize_t n = 0;
    if (fd < 0) {
        fprintf(stderr, "usage: pass RAMFILE [BYTES]\n");
        return 2;
    }
    while (at < end &&
           (n = pread(fd, block, end - at < BLOCK ? (size_t)(end - at) : BLOCK,
                      at)) > 0)
        at += n;
    return n < 0;
}
