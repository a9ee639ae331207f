/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Files of one directory, the oldest of which make room. */
#include "boots/bootdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "common/newfile.h"
#include "common/trust.h"

#define MODE 0640
#define PART "log.part"

/* No directory of ours has more. */
#define ENTRIES_MAX 65536u

/* No file of ours is larger. */
#define FILE_MAX (4 * MEMCTX_MIB)

/* Make each directory on the way that is not there. */
static void
make_parents(const char *path)
{
    char part[PATH_MAX];
    snprintf(part, sizeof(part), "%s", path);
    for (char *at = strchr(part + 1, '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(part, 0700);
        *at = '/';
    }
}

int
bootdir_open(const char *path, bool make, int *ret, struct memctx_error *err)
{
    struct stat st;
    if (make) {
        make_parents(path);
        mkdir(path, 0750);
    }
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return memctx_error_set(
            err, errno == ENOENT ? MEMCTX_GONE : MEMCTX_PERMANENT,
            "cannot open %s: %s", path, strerror(errno));
    if (make && trust_check(&st, TRUST_OURS, path, err) < 0)
        return -1;
    *ret = memctx_steal_fd(&fd);
    return 0;
}

static int
by_age(const void *a, const void *b)
{
    const struct bootdir_entry *x = a;
    const struct bootdir_entry *y = b;
    if (x->written_ns != y->written_ns)
        return x->written_ns < y->written_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool
look_at(int dirfd, const char *name, struct bootdir_entry *ret)
{
    struct stat st;
    if (!bootlog_is_name(name) || strlen(name) >= sizeof(ret->name) ||
        fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode))
        return false;
    uint64_t blocks_bytes = (uint64_t)st.st_blocks * 512;
    strcpy(ret->name, name);
    ret->written_ns =
        (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    ret->bytes = memctx_max((uint64_t)st.st_size, blocks_bytes);
    return true;
}

/* Make room for one entry more; NULL: out of memory. */
static struct bootdir_entry *
grow(struct bootdir_entry **entries, size_t n, size_t *size)
{
    if (n == *size) {
        size_t more = *size == 0 ? 64 : *size * 2;
        struct bootdir_entry *grown =
            realloc(*entries, more * sizeof(grown[0]));
        if (grown == NULL)
            return NULL;
        *entries = grown;
        *size = more;
    }
    return *entries + n;
}

int
bootdir_list(int dirfd, struct bootdir_entry **ret, size_t *n,
             struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) struct bootdir_entry *entries = NULL;
    size_t size = 0;
    size_t found = 0;
    struct dirent *entry;
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_dir)
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (dir == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot list the kept logs: %s",
                                strerror(errno));
    while (found < ENTRIES_MAX && (entry = readdir(dir)) != NULL) {
        struct bootdir_entry *to = grow(&entries, found, &size);
        if (to == NULL)
            return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
        found += look_at(dirfd, entry->d_name, to);
    }
    if (found > 0)
        qsort(entries, found, sizeof(entries[0]), by_age);
    *ret = memctx_steal_ptr(&entries);
    *n = found;
    return 0;
}

/* Up to `most` bytes from the beginning. */
static int
read_file(int dirfd, const char *name, size_t most, char **ret, size_t *len,
          struct memctx_error *err)
{
    struct stat st;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd =
        openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot read %s: %s",
                                name, fd < 0 ? strerror(errno) : "no file");
    size_t size = (size_t)memctx_min((uint64_t)st.st_size, most);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *bytes = malloc(size + 1);
    if (bytes == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    ssize_t n = pread(fd, bytes, size, 0);
    if (n < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot read %s: %s",
                                name, strerror(errno));
    bytes[n] = '\0';
    *ret = memctx_steal_ptr(&bytes);
    *len = (size_t)n;
    return 0;
}

int
bootdir_read(int dirfd, const char *name, struct bootlog *ret, char **bytes,
             size_t *len_bytes, size_t *head_bytes, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *all = NULL;
    size_t most = bytes == NULL ? BOOTLOG_HEAD_MAX : FILE_MAX;
    size_t len;
    size_t head;
    if (read_file(dirfd, name, most, &all, &len, err) < 0)
        return -1;
    if (bootlog_parse(all, len, ret, &head, err) < 0)
        return memctx_error_prefix(err, "%s", name);
    if (bytes == NULL)
        return 0;
    *bytes = memctx_steal_ptr(&all);
    *len_bytes = len;
    *head_bytes = head;
    return 0;
}

/* Is it of another kernel of the same domain? */
static bool
is_another(const struct bootdir_entry *entry, const char *name)
{
    return strncmp(entry->name, name, MEMCTX_UUID_TEXT_LEN) == 0 &&
           strcmp(entry->name, name) != 0;
}

/* Remove what there is no room for beside one more. The one whose place it
 * takes does not count as a boot, but is there until then. */
static int
make_room(int dirfd, const char *name, uint64_t bytes,
          const struct bootdir_bounds *bounds, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) struct bootdir_entry *entries = NULL;
    size_t n;
    uint64_t all = bytes;
    uint64_t boots = 1;
    if (bootdir_list(dirfd, &entries, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        all += entries[i].bytes;
        boots += is_another(&entries[i], name);
    }
    for (size_t i = 0; i < n; i++) {
        bool mine = is_another(&entries[i], name);
        if (all <= bounds->bytes && (!mine || boots <= bounds->boots))
            continue;
        unlinkat(dirfd, entries[i].name, 0);
        all -= entries[i].bytes;
        boots -= mine;
    }
    return 0;
}

int
bootdir_put(int dirfd, const struct bootlog *log, const char *lines,
            size_t len_bytes, const struct bootdir_bounds *bounds,
            struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text head = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *bytes = NULL;
    char name[BOOTLOG_NAME_SIZE];
    struct bootlog now = *log;
    struct bootlog before;
    size_t len;
    size_t begin;
    bootlog_name(log, name);
    if (bootdir_read(dirfd, name, &before, &bytes, &len, &begin, NULL) == 0 &&
        before.records > now.records) {
        now.records = before.records;
        memcpy(now.missing, before.missing, sizeof(now.missing));
        lines = bytes + begin;
        len_bytes = len - begin;
    }
    bootlog_add_head(&head, &now);
    if (head.failed)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    const struct iovec parts[] = {{head.bytes, head.len_bytes},
                                  {(char *)lines, len_bytes}};
    if (make_room(dirfd, name, head.len_bytes + len_bytes, bounds, err) < 0)
        return -1;
    if (newfile_put(dirfd, PART, name, MODE, parts, 2) < 0)
        return memctx_error_set(err, MEMCTX_RETRY, "cannot write %s: %s", name,
                                strerror(errno));
    return 0;
}
