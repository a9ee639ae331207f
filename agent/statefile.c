/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes small files atomically; knows nothing of what is in them. */
#include "statefile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define MODE 0640
#define SUFFIX ".xml"
#define PART ".part"
#define UUID_LEN 36

static void
cleanup_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

/* One of our own names: a UUID and a suffix. */
static bool
is_ours(const char *name)
{
    size_t len = strspn(name, "0123456789abcdef-");
    return len == UUID_LEN &&
           (strcmp(name + len, SUFFIX) == 0 || strcmp(name + len, PART) == 0);
}

void
statefile_clean(int dirfd)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(cleanup_dir) DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (dir == NULL)
        return;
    copy = -1; /* the stream's now */
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (is_ours(entry->d_name))
            unlinkat(dirfd, entry->d_name, 0);
    }
}

/* Open a directory that is ours alone to write: whoever else could write into
 * it could lead us to other files, or put a socket of his own there. */
static int
open_own_dir(int at, const char *name, int *ret)
{
    struct stat st;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (st.st_uid != geteuid() || (st.st_mode & 002) != 0) {
        errno = EPERM;
        return -1;
    }
    *ret = memctx_steal_fd(&fd);
    return 0;
}

/* Make a directory; the one it is in, too, which may be a ~/.cache that nobody
 * needed before. */
static int
make_dir(const char *dir)
{
    char parent[PATH_MAX];
    if (mkdir(dir, 0755) == 0 || errno == EEXIST)
        return 0;
    const char *slash = strrchr(dir, '/');
    if (errno != ENOENT || slash == NULL || slash == dir)
        return -1;
    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - dir), dir);
    return mkdir(parent, 0700) == 0 ? mkdir(dir, 0755) : -1;
}

int
statefile_open_dir(const char *dir, int *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int top = -1;
    if (make_dir(dir) < 0 || open_own_dir(AT_FDCWD, dir, &top) < 0 ||
        (mkdirat(top, "domains", 0755) < 0 && errno != EEXIST) ||
        open_own_dir(top, "domains", ret) < 0)
        return memctx_error_set(
            err, MEMCTX_PERMANENT, "cannot use the agent's directory %s: %s%s",
            dir, strerror(errno),
            errno == ENOENT || errno == EACCES
                ? ""
                : "; it must be a directory of the agent's own user that "
                  "others cannot write");
    return 0;
}

static int
write_all(int fd, const char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

int
statefile_write(int dirfd, const char *uuid, const char *text,
                struct memctx_error *err)
{
    char part[64];
    char name[64];
    snprintf(part, sizeof(part), "%s" PART, uuid);
    snprintf(name, sizeof(name), "%s" SUFFIX, uuid);
    unlinkat(dirfd, part, 0);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(dirfd, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
    if (fd < 0 || fchmod(fd, MODE) < 0 ||
        write_all(fd, text, strlen(text)) < 0 || write_all(fd, "\n", 1) < 0 ||
        renameat(dirfd, part, dirfd, name) < 0) {
        int why = errno;
        unlinkat(dirfd, part, 0);
        return memctx_error_set(err, MEMCTX_RETRY, "cannot write %s: %s", name,
                                strerror(why));
    }
    return 0;
}

void
statefile_remove(int dirfd, const char *uuid)
{
    char name[64];
    snprintf(name, sizeof(name), "%s" SUFFIX, uuid);
    unlinkat(dirfd, name, 0);
}
