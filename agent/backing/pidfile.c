/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads pidfiles; asks no libvirt: it has no public API for a domain's pid. */
#include "backing/pidfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "wire/rundir.h"
#include "wire/uri.h"

int
pidfile_dir(const char *text, char *to, size_t size, struct memctx_error *err)
{
    char base[PATH_MAX];
    struct uri uri;
    int n = -1;
    if (uri_parse(text, &uri, err) < 0)
        return -1;
    bool qemu = strcmp(uri.driver, "qemu") == 0;
    if (qemu && uri.scope == URI_SYSTEM)
        n = snprintf(to, size, "/run/libvirt/qemu");
    else if (qemu && uri.scope == URI_SESSION &&
             rundir_of_user(base, sizeof(base)) == 0)
        n = snprintf(to, size, "%s/libvirt/qemu/run", base);
    else if (qemu && uri.scope == URI_EMBED)
        n = snprintf(to, size, "%s/run/qemu", uri.root);
    if (n < 0 || (size_t)n >= size)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guest RAM of '%.60s' cannot be found: only "
                                "the domains of QEMU are supported",
                                text);
    return 0;
}

static int
cannot_open(const char *what, struct memctx_error *err)
{
    bool refused = errno == EACCES || errno == EPERM;
    return memctx_error_set(
        err, refused ? MEMCTX_PERMANENT : MEMCTX_RETRY, "cannot open %s: %s%s",
        what, strerror(errno),
        refused ? "; run memctxd as root or as libvirt's user" : "");
}

int
pidfile_read(const char *path, pid_t *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return cannot_open("QEMU's pidfile", err);
    char text[32] = "";
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (read(fd, text, sizeof(text) - 1) <= 0 || fcntl(fd, F_GETLK, &lock) < 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "QEMU's pidfile is not filled in yet");
    const char *end = text;
    uint64_t pid;
    if (!memctx_number_take(&end, 10, INT_MAX, &pid) || pid <= 1 ||
        (*end != '\0' && *end != '\n'))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "QEMU's pidfile holds no pid: '%.20s'", text);
    if (lock.l_type == F_UNLCK || lock.l_pid != (pid_t)pid)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "QEMU's pidfile names process %d, which does "
                                "not hold it locked",
                                (int)pid);
    *ret = (pid_t)pid;
    return 0;
}

static bool
is_pidfile(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".pid") == 0;
}

int
pidfile_visit(const char *dir, pidfile_fn *visit, void *arg,
              struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_dir) DIR *open_dir = opendir(dir);
    if (open_dir == NULL)
        return cannot_open("libvirt's directory of pidfiles", err);
    struct dirent *entry;
    unsigned seen = 0;
    while (seen < PIDFILES_MAX && (entry = readdir(open_dir)) != NULL) {
        char path[PATH_MAX + NAME_MAX + 2];
        if (!is_pidfile(entry->d_name))
            continue;
        seen++;
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (!visit(path, arg))
            break;
    }
    return 0;
}
