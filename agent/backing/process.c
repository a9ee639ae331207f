/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Holds a process and asks /proc about it. */
#include "backing/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "qemu/cmdline.h"
#include "wire/clocks.h"

/* A pid has so many at most (PID_MAX_LIMIT in linux/threads.h). */
#define PID_BITS 22

/* Fields of /proc/PID/stat, counted from 1 (proc(5)). */
enum stat_field {
    STAT_PARENT = 4,
    STAT_STARTED = 22, /* in clock ticks since the host was */
};

void
process_deinit(struct process *process)
{
    memctx_close_fd(&process->pidfd);
    memctx_close_fd(&process->procfd);
    free(process->args);
    process->args = NULL;
}

int
process_read_args(const struct process *process, char **ret, size_t *len_bytes,
                  struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(process->procfd, "cmdline", O_RDONLY | O_CLOEXEC);
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
    *len_bytes = used;
    return 0;
}

/* The process' name, field 2, stands in parentheses and may have any
 * character. */
static int
read_stat(const struct process *process, enum stat_field wanted, uint64_t *ret,
          struct memctx_error *err)
{
    char stat[1024] = "";
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(process->procfd, "stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, stat, sizeof(stat) - 1) <= 0)
        return memctx_error_set(err, MEMCTX_GONE, "QEMU has ended");
    const char *at = strrchr(stat, ')');
    for (int field = 2; at != NULL && field < (int)wanted; field++) {
        const char *blank = strchr(at, ' ');
        at = blank != NULL ? blank + 1 : NULL;
    }
    if (at == NULL || !memctx_number_take(&at, 10, UINT64_MAX, ret))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "/proc/%d/stat has no field %d",
                                (int)process->pid, (int)wanted);
    return 0;
}

int
process_parent(const struct process *process, pid_t *ret,
               struct memctx_error *err)
{
    uint64_t parent;
    if (read_stat(process, STAT_PARENT, &parent, err) < 0)
        return -1;
    *ret = (pid_t)memctx_min(parent, INT_MAX);
    return 0;
}

void
process_read_name(const struct process *process, char *to, size_t size)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(process->procfd, "comm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, to, size - 1) : 0;
    to[n > 0 ? n : 0] = '\0';
    to[strcspn(to, "\n")] = '\0';
    if (to[0] == '\0')
        snprintf(to, size, "?");
}

/* Since the host was started. */
static uint64_t
started_us(const struct process *process)
{
    uint64_t ticks = process->instance >> PID_BITS;
    return ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

uint64_t
process_started_ns(const struct process *process)
{
    uint64_t boot_us = clocks_us(CLOCK_REALTIME) - clocks_us(CLOCK_BOOTTIME);
    return (boot_us + started_us(process)) * 1000;
}

uint64_t
process_age_ms(const struct process *process)
{
    uint64_t now_us = clocks_us(CLOCK_BOOTTIME);
    return (now_us - memctx_min(started_us(process), now_us)) / 1000;
}

int
process_check(const struct process *process, struct memctx_error *err)
{
    struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
    if (poll(&ended, 1, 0) != 0)
        return memctx_error_set(err, MEMCTX_GONE, "QEMU has ended");
    return 0;
}

/* The process runs, and /proc/PID cannot be opened: "hidepid" of proc(5). */
static int
is_hidden(const struct process *process, int why, struct memctx_error *err)
{
    bool hidden = why == ENOENT || why == EPERM || why == EACCES;
    if (hidden && process_check(process, err) < 0)
        return -1;
    if (hidden)
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "/proc hides process %d from us (hidepid, or ProtectProc= of a "
            "unit); add CAP_SYS_PTRACE, or mount /proc with gid= of a group "
            "that memctxd has",
            (int)process->pid);
    return memctx_error_set(err, MEMCTX_RETRY, "cannot look at process %d: %s",
                            (int)process->pid, strerror(why));
}

int
process_hold(pid_t pid, struct process *ret, struct memctx_error *err)
{
    char path[32];
    uint64_t ticks;
    MEMCTX_CLEANUP(process_deinit) struct process process = PROCESS_INIT;
    process.pid = pid;
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    process.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process.pidfd < 0)
        return memctx_error_set(
            err, errno == ESRCH ? MEMCTX_GONE : MEMCTX_RETRY,
            "cannot look at process %d: %s", (int)pid, strerror(errno));
    process.procfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process.procfd < 0)
        return is_hidden(&process, errno, err);
    if (read_stat(&process, STAT_STARTED, &ticks, err) < 0)
        return -1;
    process.instance = ticks << PID_BITS | (uint64_t)pid;
    *ret = process;
    process = (struct process)PROCESS_INIT;
    return 0;
}
