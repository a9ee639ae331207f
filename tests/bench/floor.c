/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The least that a search for VMCOREINFO can cost: walk SEEK_DATA extents,
 * pread 1 MiB blocks, compare 24 bytes of each page. Finds, proves nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK (1u << 20)

int
main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    static const char name[12] = "VMCOREINFO";
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    off_t at = 0;
    if (fd < 0) {
        fprintf(stderr, "usage: floor RAMFILE\n");
        return 2;
    }
    while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
        off_t end = lseek(fd, at, SEEK_HOLE);
        while (at < end) {
            size_t want = end - at < (off_t)BLOCK ? (size_t)(end - at) : BLOCK;
            ssize_t n = pread(fd, block, want, at);
            if (n <= 0)
                return 1;
            for (ssize_t p = 0; p + 24 <= n; p += 4096) {
                static const unsigned char head[4] = {11};
                if (memcmp(block + p, head, 4) == 0 &&
                    memcmp(block + p + 12, name, 12) == 0)
                    printf("%#llx\n", (unsigned long long)(at + p));
            }
            at += n;
        }
    }
    return 0;
}
