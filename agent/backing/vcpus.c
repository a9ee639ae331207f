/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads /proc/PID/task. The directory is held open: once its process has ended
 * it leads nowhere, and never to another process of the same number. */
#include "backing/vcpus.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"

/* As many as QEMU's x86 machines can have. */
#define VCPUS_MAX 4096
/* Of a process; the rest are not looked at. */
#define THREADS_MAX 16384

struct vcpus {
    atomic_uint references;
    int taskfd;
    size_t n;
    pid_t *tids; /* owned */
};

int
vcpus_create(int procfd, struct vcpus **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int taskfd = openat(procfd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct vcpus *v = taskfd >= 0 ? calloc(1, sizeof(*v)) : NULL;
    if (v == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "QEMU's threads cannot be listed");
    atomic_init(&v->references, 1);
    v->taskfd = memctx_steal_fd(&taskfd);
    *ret = v;
    return 0;
}

struct vcpus *
vcpus_share(struct vcpus *v)
{
    if (v != NULL)
        atomic_fetch_add(&v->references, 1);
    return v;
}

void
vcpus_drop(struct vcpus *v)
{
    if (v == NULL || atomic_fetch_sub(&v->references, 1) > 1)
        return;
    memctx_close_fd(&v->taskfd);
    free(v->tids);
    free(v);
}

/* The beginning of the thread's file, as a text. */
static bool
read_file(const struct vcpus *v, pid_t tid, const char *name, char *text,
          size_t size)
{
    char path[32];
    snprintf(path, sizeof(path), "%d/%s", (int)tid, name);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(v->taskfd, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* libvirt has QEMU name its threads (debug-threads=on): "CPU 0/KVM", "CPU
 * 0/TCG", and "ALL CPUs/TCG" where one thread runs all (accel/tcg). */
static bool
is_vcpu(const struct vcpus *v, pid_t tid)
{
    char name[32];
    if (!read_file(v, tid, "comm", name, sizeof(name)))
        return false;
    size_t len = strcspn(name, "\n");
    bool ends = len > 4 && (strncmp(name + len - 4, "/KVM", 4) == 0 ||
                            strncmp(name + len - 4, "/TCG", 4) == 0);
    return ends &&
           (strncmp(name, "CPU ", 4) == 0 || strncmp(name, "ALL CPUs", 8) == 0);
}

/* -1: there is no memory. */
static int
add(struct vcpus *v, pid_t tid)
{
    pid_t *more = realloc(v->tids, (v->n + 1) * sizeof(*more));
    if (more == NULL)
        return -1;
    v->tids = more;
    v->tids[v->n++] = tid;
    return 0;
}

static void
list(struct vcpus *v)
{
    int copy = openat(v->taskfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_dir)
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;
    v->n = 0;
    for (size_t i = 0; dir != NULL && i < THREADS_MAX && v->n < VCPUS_MAX &&
                       (entry = readdir(dir)) != NULL;
         i++) {
        const char *end = entry->d_name;
        uint64_t tid;
        if (memctx_number_take(&end, 10, INT_MAX, &tid) && *end == '\0' &&
            is_vcpu(v, (pid_t)tid) && add(v, (pid_t)tid) < 0)
            break;
    }
}

/* utime and stime are the 14th and the 15th field (proc(5)); the second, a name
 * in parentheses, may have anything in it. */
static bool
parse_ticks(const char *text, uint64_t *ret)
{
    const char *at = strrchr(text, ')');
    uint64_t utime;
    uint64_t stime;
    for (unsigned i = 2; at != NULL && i < 14; i++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || !memctx_number_take(&at, 10, UINT64_MAX, &utime) ||
        *at++ != ' ' || !memctx_number_take(&at, 10, UINT64_MAX, &stime))
        return false;
    *ret = utime + stime;
    return true;
}

bool
vcpus_read(struct vcpus *v, bool anew, uint64_t *ret_us)
{
    uint64_t sum = 0;
    size_t n_read = 0;
    if (v == NULL)
        return false;
    if (anew || v->n == 0)
        list(v);
    for (size_t i = 0; i < v->n; i++) {
        char text[512];
        uint64_t ticks;
        if (read_file(v, v->tids[i], "stat", text, sizeof(text)) &&
            parse_ticks(text, &ticks)) {
            sum += ticks;
            n_read++;
        }
    }
    *ret_us = sum * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    return n_read > 0;
}
