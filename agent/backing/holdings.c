/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lists a process' mappings and regular files. */
#include "backing/holdings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "backing/rights.h"

#define FDS_MAX 65536  /* of one QEMU that are looked at */
#define MAPS_MAX 65536 /* lines, likewise */

static int
no_right(const struct process *process, const char *what, bool own_memory,
         struct memctx_error *err)
{
    struct rights rights;
    char cure[200];
    rights_look(process, &rights);
    rights_cure(&rights, own_memory, cure, sizeof(cure));
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "no right to open /proc/%d/%s of QEMU; %s",
                            (int)process->pid, what, cure);
}

/* Why something of /proc/PID cannot be opened, by errno. What may pass, such
 * as a lack of descriptors, is no verdict. */
static int
cannot_look(const struct process *process, const char *what,
            struct memctx_error *err)
{
    if (errno == EACCES || errno == EPERM)
        return no_right(process, what, false, err);
    if (errno == ENOENT || errno == ESRCH)
        return memctx_error_set(err, MEMCTX_GONE, "QEMU has ended");
    return memctx_error_set(err, MEMCTX_RETRY,
                            "cannot look at QEMU process %d: %s",
                            (int)process->pid, strerror(errno));
}

/* Make room for one more, doubling. NULL: out of memory. */
static void *
grow(void *array, size_t used, size_t item_size)
{
    bool full = used == 0 || (used >= 64 && (used & (used - 1)) == 0);
    size_t items = used < 64 ? 64 : 2 * used;
    return full ? realloc(array, items * item_size) : array;
}

static int
add_mapping(struct holdings *h, const char *line, struct memctx_error *err)
{
    struct memctx_mapping mapping;
    if (memctx_procmaps_parse(line, &mapping, NULL) < 0)
        return 0;
    struct memctx_mapping *more =
        grow(h->mappings, h->list.n_mappings, sizeof(*more));
    if (more == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    h->mappings = more;
    h->mappings[h->list.n_mappings++] = mapping;
    return 0;
}

static int
read_mappings(const struct process *process, struct holdings *h,
              struct memctx_error *err)
{
    int fd = openat(process->procfd, "maps", O_RDONLY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_file)
    FILE *maps = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (maps == NULL)
        return cannot_look(process, "maps", err);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *line = NULL;
    size_t line_size = 0;
    for (unsigned i = 0; i < MAPS_MAX && getline(&line, &line_size, maps) > 0;
         i++) {
        if (add_mapping(h, line, err) < 0)
            return -1;
    }
    return 0;
}

/* The last part of where the link leads, without " (deleted)". */
static void
read_name(int dirfd, const char *link, char *to, size_t size)
{
    char path[4096];
    ssize_t len = readlinkat(dirfd, link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    char *deleted = strstr(path, " (deleted)");
    if (deleted != NULL)
        *deleted = '\0';
    const char *name = strrchr(path, '/');
    snprintf(to, size, "%.255s", name != NULL ? name + 1 : path);
}

/* O_PATH opens nothing: neither device nor FIFO notices. */
static int
look_at(int dirfd, const char *name, struct stat *st)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(dirfd, name, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, st) < 0 || !S_ISREG(st->st_mode))
        return -1;
    return memctx_steal_fd(&fd);
}

/* When the file was made, in ns, where its file system tells (tmpfs from Linux
 * 5.19 on); 0: it does not. */
static uint64_t
born_ns(int fd)
{
    struct statx st;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) < 0 ||
        (st.stx_mask & STATX_BTIME) == 0 || st.stx_btime.tv_sec < 0)
        return 0;
    return (uint64_t)st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec;
}

/* A memfd, or what QEMU made on hugetlbfs and removed at once. A file that has
 * a name outlives a QEMU, and a host's loss of power if it is on a disk. */
static bool
is_of_process(int fd, const struct stat *st, const char *name)
{
    struct statfs fs;
    if (strncmp(name, "memfd:", 6) == 0)
        return true;
    return st->st_nlink == 0 && fstatfs(fd, &fs) == 0 &&
           fs.f_type == HUGETLBFS_MAGIC;
}

static int
add_file(const struct process *process, struct holdings *h, int dirfd,
         const char *name, struct memctx_error *err)
{
    struct stat st;
    uint64_t number;
    if (!memctx_number_parse_decimal(name, INT_MAX, &number))
        return 0; /* "." or ".." */
    errno = 0;
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = look_at(dirfd, name, &st);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return no_right(process, "fd", false, err);
    if (fd < 0)
        return 0;
    struct memctx_ram_file *more =
        grow(h->files, h->list.n_files, sizeof(*more));
    if (more == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    h->files = more;
    struct memctx_ram_file *file = &h->files[h->list.n_files++];
    *file = (struct memctx_ram_file){
        .number = (int)number,
        .major = major(st.st_dev),
        .minor = minor(st.st_dev),
        .inode = st.st_ino,
        .born_ns = born_ns(fd),
    };
    read_name(dirfd, name, file->name, sizeof(file->name));
    file->of_process = is_of_process(fd, &st, file->name);
    return 0;
}

static int
read_files(const struct process *process, struct holdings *h,
           struct memctx_error *err)
{
    int dirfd =
        openat(process->procfd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_dir)
    DIR *dir = dirfd >= 0 ? fdopendir(dirfd) : NULL;
    if (dir == NULL)
        return cannot_look(process, "fd", err);
    struct dirent *entry;
    for (unsigned i = 0; i < FDS_MAX && (entry = readdir(dir)) != NULL; i++) {
        if (entry->d_name[0] != '.' &&
            add_file(process, h, dirfd, entry->d_name, err) < 0)
            return -1;
    }
    if (h->list.n_files > 0)
        qsort(h->files, h->list.n_files, sizeof(h->files[0]),
              memctx_match_by_age);
    return 0;
}

void
holdings_deinit(struct holdings *holdings)
{
    free(holdings->mappings);
    free(holdings->files);
    memset(holdings, 0, sizeof(*holdings));
}

int
holdings_read(const struct process *process, struct holdings *ret,
              struct memctx_error *err)
{
    MEMCTX_CLEANUP(holdings_deinit) struct holdings h = {.mappings = NULL};
    if (read_mappings(process, &h, err) < 0 || read_files(process, &h, err) < 0)
        return -1;
    h.list.mappings = h.mappings;
    h.list.files = h.files;
    *ret = h;
    memset(&h, 0, sizeof(h));
    return 0;
}

int
holdings_open_file(const struct process *process,
                   const struct memctx_ram_file *file, int *ret,
                   struct memctx_error *err)
{
    char path[32];
    struct stat st;
    snprintf(path, sizeof(path), "fd/%d", file->number);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int looked = look_at(process->procfd, path, &st);
    if (looked < 0 || st.st_ino != file->inode ||
        major(st.st_dev) != file->major || minor(st.st_dev) != file->minor)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "QEMU's descriptors changed meanwhile");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", looked);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return cannot_look(process, "fd", err);
    *ret = fd;
    return 0;
}

int
holdings_open_memory(const struct process *process, const char *name, int *ret,
                     struct memctx_error *err)
{
    int fd = openat(process->procfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return no_right(process, name, true, err);
    if (fd < 0)
        return cannot_look(process, name, err);
    *ret = fd;
    return 0;
}
