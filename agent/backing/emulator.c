/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks through pidfiles, and then through the children of a wrapper. */
#include "backing/emulator.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backing/pidfile.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "qemu/cmdline.h"

/* Wrappers of wrappers that are followed, and processes and threads below one
 * that are looked at. */
#define WRAPPERS_MAX 8
#define CHILDREN_MAX 64
#define THREADS_MAX 512

/* A process with its arguments. */
struct candidate {
    struct process process;
    char *args; /* owned */
    size_t len_bytes;
};

static void
candidate_deinit(struct candidate *c)
{
    process_deinit(&c->process);
    free(c->args);
    *c = (struct candidate){.process = PROCESS_INIT};
}

/* *to becomes what *from was. */
static void
candidate_move(struct candidate *from, struct candidate *to)
{
    candidate_deinit(to);
    *to = *from;
    *from = (struct candidate){.process = PROCESS_INIT};
}

/* Between fork and exec a process still has libvirtd's arguments. */
static int
hold(pid_t pid, const char *uuid, struct candidate *ret,
     struct memctx_error *err)
{
    char carried[MEMCTX_UUID_TEXT_SIZE];
    if (process_hold(pid, &ret->process, err) < 0 ||
        process_read_args(&ret->process, &ret->args, &ret->len_bytes, err) < 0)
        return -1;
    memctx_cmdline_uuid(ret->args, ret->len_bytes, carried);
    if (strcasecmp(carried, uuid) != 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "process %d does not carry the domain's uuid",
                                (int)pid);
    return 0;
}

/* The search among pidfiles. */
struct seek {
    const char *uuid;
    bool found;
    struct candidate candidate;
    char path[PATH_MAX + NAME_MAX + 2];
    struct memctx_error why; /* of the likeliest file, if there was one */
};

static int
look_at(const char *path, struct seek *s, struct memctx_error *err)
{
    MEMCTX_CLEANUP(candidate_deinit)
    struct candidate c = {.process = PROCESS_INIT};
    pid_t pid;
    if (pidfile_read(path, &pid, err) < 0 || hold(pid, s->uuid, &c, err) < 0)
        return -1;
    candidate_move(&c, &s->candidate);
    snprintf(s->path, sizeof(s->path), "%s", path);
    s->found = true;
    return 0;
}

/* Most pidfiles are of other domains, and tell nothing of ours. */
static bool
visit(const char *path, void *arg)
{
    struct seek *s = arg;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (look_at(path, s, &why) == 0)
        return false;
    if (s->why.kind == MEMCTX_OK && why.kind == MEMCTX_PERMANENT)
        s->why = why;
    return true;
}

/* Among hundreds of domains the file with the domain's name is found without
 * a look at the others. */
static void
look_by_name(const char *dir, const char *name, struct seek *s)
{
    char path[PATH_MAX + NAME_MAX + 2];
    if (strchr(name, '/') != NULL || strlen(name) + 4 > NAME_MAX)
        return;
    snprintf(path, sizeof(path), "%s/%s.pid", dir, name);
    if (access(path, F_OK) == 0)
        look_at(path, s, &s->why);
}

static int
find_started(const char *dir, const char *name, struct seek *s,
             struct memctx_error *err)
{
    look_by_name(dir, name, s);
    if (!s->found && pidfile_visit(dir, visit, s, err) < 0)
        return -1;
    if (s->found)
        return 0;
    if (s->why.kind == MEMCTX_OK)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no pidfile of libvirt names a process that "
                                "carries the domain's uuid");
    return memctx_error_pass(err, &s->why);
}

/* A fork of a program has its arguments and its file; both can be told of a
 * process that we may read. */
static bool
is_same_program(const struct candidate *a, const struct candidate *b)
{
    struct stat x;
    struct stat y;
    if (a->len_bytes != b->len_bytes ||
        memcmp(a->args, b->args, a->len_bytes) != 0)
        return false;
    return fstatat(a->process.procfd, "exe", &x, 0) < 0 ||
           fstatat(b->process.procfd, "exe", &y, 0) < 0 ||
           (x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* Processes that are to be looked at, each behind its parent. */
struct family {
    pid_t pid[CHILDREN_MAX];
    pid_t parent[CHILDREN_MAX];
    size_t n;
};

/* The children that one thread has started: "PID PID ...". */
static void
add_children(struct family *f, int dirfd, const char *thread, pid_t parent)
{
    char path[64];
    char text[1024] = "";
    uint64_t pid;
    snprintf(path, sizeof(path), "%.32s/children", thread);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return;
    const char *at = text;
    while (f->n < CHILDREN_MAX && memctx_number_take(&at, 10, INT_MAX, &pid)) {
        f->parent[f->n] = parent;
        f->pid[f->n++] = (pid_t)pid;
        at += *at == ' ';
    }
}

/* Needs CONFIG_PROC_CHILDREN; a kernel without it shows no wrapper's child. */
static void
add_children_of(struct family *f, const struct process *process)
{
    int dirfd =
        openat(process->procfd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_dir)
    DIR *dir = dirfd >= 0 ? fdopendir(dirfd) : NULL;
    struct dirent *entry;
    for (unsigned i = 0; dir != NULL && i < THREADS_MAX; i++) {
        if ((entry = readdir(dir)) == NULL)
            break;
        if (entry->d_name[0] != '.')
            add_children(f, dirfd, entry->d_name, process->pid);
    }
}

/* The first process below *c that carries the uuid and is no fork of it. The
 * pid may be another's by the time we hold it: then it has another parent. */
static bool
find_child(const struct candidate *c, const char *uuid, struct candidate *ret)
{
    struct family family = {.n = 0};
    add_children_of(&family, &c->process);
    for (size_t i = 0; i < family.n; i++) {
        MEMCTX_CLEANUP(candidate_deinit)
        struct candidate child = {.process = PROCESS_INIT};
        pid_t parent;
        bool carries = hold(family.pid[i], uuid, &child, NULL) == 0;
        if (child.process.procfd < 0 ||
            process_parent(&child.process, &parent, NULL) < 0 ||
            parent != family.parent[i])
            continue;
        if (carries && !is_same_program(c, &child)) {
            candidate_move(&child, ret);
            return true;
        }
        add_children_of(&family, &child.process);
    }
    return false;
}

/* QEMU is the last of them. */
static void
follow_wrappers(struct candidate *c, const char *uuid)
{
    MEMCTX_CLEANUP(candidate_deinit)
    struct candidate child = {.process = PROCESS_INIT};
    for (unsigned i = 0; i < WRAPPERS_MAX && find_child(c, uuid, &child); i++)
        candidate_move(&child, c);
}

/* The second look at the lock tells that the pid was not reused between the
 * first look and the holding. */
static int
check_unchanged(const struct seek *s, pid_t started, struct memctx_error *err)
{
    pid_t again;
    if (process_check(&s->candidate.process, err) < 0 ||
        pidfile_read(s->path, &again, err) < 0)
        return -1;
    if (again != started)
        return memctx_error_set(err, MEMCTX_RETRY, "QEMU was just replaced");
    return 0;
}

/* QEMU's own paths, relative ones as well. No path leads to a device or FIFO
 * that would notice; a file that changed since QEMU began is not what it read.
 */
static int
open_config(const struct process *process, const char *path, struct stat *st)
{
    char link[32];
    bool absolute = path[0] == '/';
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int dirfd = openat(process->procfd, absolute ? "root" : "cwd",
                       O_PATH | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int file = dirfd >= 0
                   ? openat(dirfd, path + strspn(path, "/"), O_PATH | O_CLOEXEC)
                   : -1;
    if (file < 0 || fstat(file, st) < 0 || !S_ISREG(st->st_mode))
        return -1;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    return open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static bool
read_config(const char *path, char *to, size_t size, void *arg)
{
    const struct process *process = arg;
    struct stat st;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = open_config(process, path, &st);
    if (fd < 0)
        return false;
    uint64_t changed_ns =
        (uint64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
    ssize_t n = read(fd, to, size - 1);
    if (n < 0 || st.st_size != n || changed_ns > process_started_ns(process))
        return false;
    to[n] = '\0';
    return strlen(to) == (size_t)n;
}

static int
parse_args(struct candidate *c, struct memctx_error *err)
{
    c->process.args = calloc(1, sizeof(*c->process.args));
    if (c->process.args == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return memctx_cmdline_parse_all(c->args, c->len_bytes, read_config,
                                    &c->process, c->process.args, err);
}

static void
cleanup_seek(struct seek **s)
{
    if (*s != NULL)
        candidate_deinit(&(*s)->candidate);
    free(*s);
}

int
emulator_find(const char *uri, const char *name, const char *uuid,
              struct process *ret, struct memctx_error *err)
{
    char dir[PATH_MAX];
    MEMCTX_CLEANUP(cleanup_seek) struct seek *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    s->uuid = uuid;
    s->candidate.process = (struct process)PROCESS_INIT;
    if (pidfile_dir(uri, dir, sizeof(dir), err) < 0 ||
        find_started(dir, name, s, err) < 0)
        return -1;
    struct candidate *c = &s->candidate;
    const pid_t started = c->process.pid;
    follow_wrappers(c, uuid);
    if (check_unchanged(s, started, err) < 0 || parse_args(c, err) < 0)
        return -1;
    *ret = c->process;
    c->process = (struct process)PROCESS_INIT;
    return 0;
}
