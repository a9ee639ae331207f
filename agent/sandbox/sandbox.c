/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Stage by stage; sandbox_enter() calls them in the order of this page. Each
 * needs something that a later one takes away.
 *
 * 1. Alone. Capabilities and filters belong to a thread, and threads share
 *    memory: beside a thread with rights, one without has them, too.
 * 2. First to go. When memory is short, the kernel kills this process before
 *    any guest. Its file in /proc has to be opened.
 * 3. Limits: memory, files, processes, cores, CPU time. They hold what the
 *    process may do to the host by being busy. How much memory there is now is
 *    read in /proc.
 * 4. Not an orphan. It dies with its parent.
 * 5. Descriptors. All but the given ones are closed, and there is no number
 *    left for a new one: the limit on numbers is 1, and 0 is taken. (It is not
 *    0, since poll(2) takes no more descriptors than the limit is.)
 * 6. Powers. No capability, and no way to any.
 * 7. Hidden. No core file; no process of the same user reads its memory.
 * 8. Windows. Of another process' memory, only guest RAM can be read.
 * 9. The list. Every other system call ends the process, those that would be
 *    needed to undo any of this among them. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_VALGRIND_VALGRIND_H
#include <valgrind/valgrind.h>
#endif

#include "base/bytes.h"
#include "base/cleanup.h"
#include "sandbox/allowlist.h"
#include "sandbox/capabilities.h"
#include "sandbox/descriptors.h"

/* Is there something in this process that must map and open what it likes? The
 * runtime of a sanitizer, coverage's, valgrind. */
static bool
is_instrumented(void)
{
#ifdef INSTRUMENTED
    return true;
#elif defined(RUNNING_ON_VALGRIND)
    return RUNNING_ON_VALGRIND != 0;
#else
    return false;
#endif
}

static int
be_alone(struct memctx_error *err)
{
    struct stat st;
    /* A directory each, and two links of its own. */
    if (stat("/proc/self/task", &st) < 0)
        return memctx_error_set(err, MEMCTX_BUG, "cannot count threads: %s",
                                strerror(errno));
    if (st.st_nlink != 3)
        return memctx_error_set(err, MEMCTX_BUG,
                                "a process of %ju threads cannot be confined",
                                (uintmax_t)st.st_nlink - 2);
    return 0;
}

/* The file is root's while memory is hidden, which it may be by now. */
static int
open_score(void)
{
    static const char path[] = "/proc/self/oom_score_adj";
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 || errno != EACCES)
        return fd;
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return fd;
}

static int
be_first_to_go(struct memctx_error *err)
{
    static const char worst[] = "1000";
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = open_score();
    if (fd < 0 || write(fd, worst, strlen(worst)) < 0)
        return memctx_error_set(err, MEMCTX_BUG,
                                "oom_score_adj cannot be set: %s",
                                strerror(errno));
    return 0;
}

/* Both the limit and what it could be raised to; neither above what it is. */
static int
limit(int resource, rlim_t value, struct memctx_error *err)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) == 0) {
        now.rlim_max = memctx_min(now.rlim_max, value);
        now.rlim_cur = now.rlim_max;
        if (setrlimit((__rlimit_resource_t)resource, &now) == 0)
            return 0;
    }
    return memctx_error_set(err, MEMCTX_BUG, "limit %d cannot be set: %s",
                            resource, strerror(errno));
}

/* The first number in /proc/self/statm: pages that are mapped. */
static int
limit_memory(uint64_t more_bytes, struct memctx_error *err)
{
    char text[128] = "";
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return memctx_error_set(err, MEMCTX_BUG,
                                "cannot see how much memory is mapped: %s",
                                strerror(errno));
    uint64_t now_bytes =
        strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    return limit(RLIMIT_AS, now_bytes + more_bytes, err);
}

static int
be_limited(const struct sandbox *sandbox, struct memctx_error *err)
{
    if (!is_instrumented() && (limit_memory(sandbox->memory_bytes, err) < 0 ||
                               limit(RLIMIT_NPROC, 0, err) < 0))
        return -1;
    /* A write beyond the limit fails rather than to end the process. */
    signal(SIGXFSZ, SIG_IGN);
    if (limit(RLIMIT_FSIZE, sandbox->file_bytes, err) < 0 ||
        limit(RLIMIT_CORE, 0, err) < 0)
        return -1;
    return sandbox->cpu_s == 0 ? 0 : limit(RLIMIT_CPU, sandbox->cpu_s, err);
}

/* The signal is not sent for a parent that had ended before it was asked for.
 */
static int
be_no_orphan(pid_t parent, struct memctx_error *err)
{
    if (parent == 0)
        return 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return memctx_error_set(err, MEMCTX_BUG, "no signal is to be had: %s",
                                strerror(errno));
    if (getppid() != parent)
        return memctx_error_set(err, MEMCTX_GONE, "the parent has ended");
    return 0;
}

static int
hold_only(const struct descriptors *descriptors, struct memctx_error *err)
{
    if (descriptors_close_others(descriptors, err) < 0)
        return -1;
    return is_instrumented() ? 0 : limit(RLIMIT_NOFILE, 1, err);
}

static int
install(struct sock_filter *code, size_t len, struct memctx_error *err)
{
    const struct sock_fprog program = {.len = (unsigned short)len,
                                       .filter = code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the kernel takes no seccomp filter: %s",
                                strerror(errno));
    return 0;
}

/* A turn for each program, which uses up windows. */
static int
look_through_windows(const struct descriptors *d, struct memctx_error *err)
{
    struct sock_filter code[BPF_MAXINSNS];
    size_t len;
    size_t used;
    for (size_t i = 0; i < d->n_windows; i += used) {
        if (window_program(d->windows + i, d->n_windows - i, code, &len, &used,
                           err) < 0 ||
            install(code, len, err) < 0)
            return -1;
    }
    return 0;
}

static int
call_only(const struct sandbox *sandbox, const struct descriptors *descriptors,
          struct memctx_error *err)
{
    if (is_instrumented()) {
        fputs("warning: with sanitizers, coverage or valgrind, system calls "
              "are not filtered, and memory, descriptors and processes are "
              "not limited\n",
              stderr);
        return 0;
    }
    if (look_through_windows(descriptors, err) < 0)
        return -1;
    return allowlist_load(sandbox->fds, sandbox->n_fds, err);
}

int
sandbox_enter(const struct sandbox *sandbox, struct memctx_error *err)
{
    MEMCTX_CLEANUP(descriptors_deinit)
    struct descriptors descriptors = {.kept = NULL};
    if (be_alone(err) < 0 || be_first_to_go(err) < 0 ||
        be_limited(sandbox, err) < 0 ||
        be_no_orphan(sandbox->parent, err) < 0 ||
        descriptors_list(sandbox, &descriptors, err) < 0 ||
        hold_only(&descriptors, err) < 0 || capabilities_drop(err) < 0)
        return -1;
    sandbox_hide_memory();
    return call_only(sandbox, &descriptors, err);
}
