/* SPDX-License-Identifier: GPL-2.0-or-later
 * Copyright (C) 2026 the memctxd authors
 * Tells when a Linux guest's VMCOREINFO note first shows in the RAM of a QEMU
 * process, by looking in the simplest way: every data page, every 20 ms.
 *
 *   notepoll PID [SECONDS]  prints "NOTE T OFFSET", T as below; exit 3 if none
 *   notepoll now            prints CLOCK_MONOTONIC in seconds
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define POLL_NS (20 * 1000 * 1000)

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The link of a descriptor that holds guest RAM, as libvirt names backings. */
static bool
is_ram(const char *link)
{
    return strstr(link, "memfd:memory-backend-memfd") ||
           strstr(link, "/libvirt/qemu/ram/");
}

/* Open the guest RAM of QEMU process pid read-only. Returns -1 if none yet. */
static int
open_ram(const char *pid)
{
    char dir[64];
    snprintf(dir, sizeof(dir), "/proc/%s/fd", pid);
    DIR *fds = opendir(dir);
    if (!fds)
        return -1;

    int ram = -1;
    struct dirent *entry;
    while (ram < 0 && (entry = readdir(fds))) {
        char path[sizeof(dir) + sizeof(entry->d_name) + 1];
        char link[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        ssize_t len = readlink(path, link, sizeof(link) - 1);
        if (len <= 0)
            continue;
        link[len] = '\0';
        if (is_ram(link))
            ram = open(path, O_RDONLY | O_CLOEXEC);
    }
    closedir(fds);
    return ram;
}

/* An ELF note named VMCOREINFO, type 0, whose text has come, too. */
static bool
is_note(const unsigned char *page)
{
    static const unsigned char namesz_le[4] = {11, 0, 0, 0};
    static const unsigned char type[4] = {0, 0, 0, 0};
    return memcmp(page, namesz_le, 4) == 0 && memcmp(page + 8, type, 4) == 0 &&
           memcmp(page + 12, "VMCOREINFO", 11) == 0 &&
           memcmp(page + 24, "OSRELEASE=", 10) == 0;
}

/* Look at the start of each data page. Never touches a hole: an mmap read
 * would fill it. Returns the offset of the note, or -1. */
static off_t
find_note(int ram, const unsigned char *map, off_t size)
{
    off_t data = 0;
    while (data < size && (data = lseek(ram, data, SEEK_DATA)) >= 0) {
        off_t hole = lseek(ram, data, SEEK_HOLE);
        if (hole < 0)
            return -1;
        for (off_t page = data & -PAGE; page + PAGE <= hole; page += PAGE) {
            if (is_note(map + page))
                return page;
        }
        data = hole;
    }
    return -1;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "now") == 0) {
        printf("%.3f\n", now());
        return 0;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: notepoll PID [SECONDS] | notepoll now\n");
        return 2;
    }

    const double end = now() + (argc > 2 ? atof(argv[2]) : 60);
    const struct timespec pause = {.tv_nsec = POLL_NS};
    const unsigned char *map = MAP_FAILED;
    int ram = -1;
    struct stat st = {0};
    for (; now() < end; nanosleep(&pause, NULL)) {
        if (ram < 0) {
            ram = open_ram(argv[1]);
            if (ram < 0 || fstat(ram, &st) < 0)
                continue;
            map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, ram, 0);
            if (map == MAP_FAILED) {
                perror("notepoll: mmap");
                return 1;
            }
        }
        off_t note = find_note(ram, map, st.st_size);
        if (note >= 0) {
            printf("NOTE %.3f %#jx\n", now(), (intmax_t)note);
            return 0;
        }
    }
    return 3;
}
