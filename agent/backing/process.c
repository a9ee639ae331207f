/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds QEMU processes through /proc and libvirt's pidfiles; asks no libvirt:
 * it has no public API for a domain's pid. */
#include "backing/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "qemu/cmdline.h"
#include "wire/clocks.h"
#include "wire/rundir.h"
#include "wire/uri.h"

/* A pid has so many at most (PID_MAX_LIMIT in linux/threads.h). */
#define PID_BITS 22

void
process_deinit(struct process *process)
{
    memctx_close_fd(&process->pidfd);
    memctx_close_fd(&process->procfd);
}

int
process_pidfile_dir(const char *text, char *to, size_t size,
                    struct memctx_error *err)
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

/* The pid in the pidfile, if that very process holds its lock. */
static int
read_pidfile(const char *path, pid_t *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return memctx_error_set(
            err, errno == EACCES ? MEMCTX_PERMANENT : MEMCTX_RETRY,
            "cannot open QEMU's pidfile: %s%s", strerror(errno),
            errno == EACCES ? "; run memctxd as root or as libvirt's user"
                            : "");
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

/* /proc/PID/cmdline, all of it, up to MEMCTX_CMDLINE_MAX. */
static int
read_args(int procfd, char **ret, size_t *len, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(procfd, "cmdline", O_RDONLY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *args = malloc(MEMCTX_CMDLINE_MAX);
    if (fd < 0 || args == NULL)
        return memctx_error_set(
            err, errno == ENOENT || errno == ESRCH ? MEMCTX_GONE : MEMCTX_RETRY,
            "QEMU's arguments cannot be read: %s", strerror(errno));
    size_t used = 0;
    ssize_t n;
    while (used < MEMCTX_CMDLINE_MAX &&
           (n = read(fd, args + used, MEMCTX_CMDLINE_MAX - used)) > 0)
        used += (size_t)n;
    if (used == 0)
        return memctx_error_set(err, MEMCTX_GONE, "QEMU has ended");
    *ret = memctx_steal_ptr(&args);
    *len = used;
    return 0;
}

static int
check_args(struct process *process, const char *uuid, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    size_t len;
    if (read_args(process->procfd, &text, &len, err) < 0 ||
        memctx_cmdline_parse(text, len, &process->args, err) < 0)
        return -1;
    /* Between fork and exec the process still has libvirtd's arguments. */
    if (strcasecmp(process->args.uuid, uuid) != 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "process %d does not carry the domain's uuid",
                                (int)process->pid);
    return 0;
}

uint64_t
process_started_ns(const struct process *process)
{
    uint64_t ticks = process->instance >> PID_BITS;
    uint64_t since_boot_us = ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t boot_us = clocks_us(CLOCK_REALTIME) - clocks_us(CLOCK_BOOTTIME);
    return (boot_us + since_boot_us) * 1000;
}

int
process_check(const struct process *process, struct memctx_error *err)
{
    struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
    if (poll(&ended, 1, 0) != 0)
        return memctx_error_set(err, MEMCTX_GONE, "QEMU has ended");
    return 0;
}

/* Field 22 of /proc/PID/stat (proc(5)): when the process began, in clock ticks
 * since the host did. Its name, field 2, stands in parentheses and may have
 * any character. */
static int
read_instance(struct process *process, struct memctx_error *err)
{
    char stat[1024] = "";
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(process->procfd, "stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, stat, sizeof(stat) - 1) <= 0)
        return memctx_error_set(err, MEMCTX_GONE, "QEMU has ended");
    const char *at = strrchr(stat, ')');
    uint64_t ticks;
    for (unsigned field = 2; at != NULL && field < 22; field++) {
        const char *blank = strchr(at, ' ');
        at = blank != NULL ? blank + 1 : NULL;
    }
    if (at == NULL || !memctx_number_take(&at, 10, UINT64_MAX, &ticks))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "/proc/%d/stat has no start time",
                                (int)process->pid);
    process->instance = ticks << PID_BITS | (uint64_t)process->pid;
    return 0;
}

static int
hold_process(struct process *process, struct memctx_error *err)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", (int)process->pid);
    process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    process->procfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process->pidfd < 0 || process->procfd < 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "cannot look at QEMU process %d: %s",
                                (int)process->pid, strerror(errno));
    return 0;
}

int
process_find(const char *uri, const char *name, const char *uuid,
             struct process *ret, struct memctx_error *err)
{
    char dir[PATH_MAX];
    char path[PATH_MAX + 320];
    MEMCTX_CLEANUP(process_deinit) struct process process = PROCESS_INIT;
    if (process_pidfile_dir(uri, dir, sizeof(dir), err) < 0)
        return -1;
    if (strchr(name, '/') != NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a domain's name must not have a slash");
    snprintf(path, sizeof(path), "%s/%s.pid", dir, name);
    pid_t again;
    /* The second look at the lock tells that the pid was not reused between
     * the first look and pidfd_open(). */
    if (read_pidfile(path, &process.pid, err) < 0 ||
        hold_process(&process, err) < 0 || read_instance(&process, err) < 0 ||
        check_args(&process, uuid, err) < 0 ||
        process_check(&process, err) < 0 || read_pidfile(path, &again, err) < 0)
        return -1;
    if (again != process.pid)
        return memctx_error_set(err, MEMCTX_RETRY, "QEMU was just replaced");
    *ret = process;
    process.pidfd = -1;
    process.procfd = -1;
    return 0;
}
