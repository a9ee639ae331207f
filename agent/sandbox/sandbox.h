/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes from a process, for good, all it does not need to parse guest bytes.
 * Whoever chose those bytes and takes the process over then has the CPU, some
 * memory, this guest's RAM to read and the socket to lie into. */
#ifndef MEMCTXD_SANDBOX_H
#define MEMCTXD_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "ram/rammap.h"

/* What a descriptor is for, beside close(2) and poll(2). */
enum sandbox_use {
    SANDBOX_WRITE = 1, /* write(2) */
    SANDBOX_TALK = 2,  /* send(2) and recv(2): a socket that is connected.
                          No descriptor can be sent or received. */
};

struct sandbox_fd {
    int fd;
    unsigned use; /* of enum sandbox_use */
};

#define SANDBOX_MAPS 2

struct sandbox {
    /* The process that this one is to die with; it has started this one, by a
     * thread that lives as long. 0: none. */
    pid_t parent;
    /* RAM to read by pread(2); NULL: none. Sources with a pagemap_fd are
     * memory of another process: of their fd and pagemap_fd only what belongs
     * to the source's bytes can be read. Such a source must read through
     * memctx_procmem_pread_io. */
    const struct memctx_rammap *maps[SANDBOX_MAPS];
    /* What else stays open. Descriptors 0, 1 and 2 stay in any case. */
    const struct sandbox_fd *fds;
    size_t n_fds;
    uint64_t memory_bytes; /* how much it may map beyond what it has now */
    uint64_t file_bytes;   /* how large it may write a file; a longer write
                              fails with EFBIG */
    unsigned cpu_s; /* CPU time of its whole life, then it is killed; 0: any */
};

/* Enter, once and for good. The process has one thread and has yet to see the
 * first guest byte; it has opened all it needs, and linked it (-z now). Every
 * descriptor that is not named in *sandbox is closed. From then on a system
 * call that is not on the list in allowlist.c, or a read outside the RAM, ends
 * it with SIGSYS; and it is killed when its parent ends.
 *
 * A program built with sanitizers or for coverage, or run by valgrind, keeps
 * its system calls, memory, descriptors and processes: their runtime needs more
 * than is left here. It says so on standard error.
 *
 * 0, or -1 when any part of it failed; then the process must end without a
 * look at the guest. PERMANENT: the kernel has no seccomp filters; BUG: more
 * than one thread, a bad descriptor, out of memory, more pieces of RAM than a
 * filter can hold, or the parent is gone already. *sandbox and what it points
 * to stay the caller's. */
int sandbox_enter(const struct sandbox *sandbox, struct memctx_error *err);

/* Make this process' memory nobody's business: no core file, and no ptrace or
 * /proc/PID/mem for other processes of the same user. For programs that hold
 * guest bytes or the right to read them; first thing in main(). Its own
 * /proc/self/fd stays open to it; files such as /proc/self/oom_score_adj
 * become root's. Not in a program built with AddressSanitizer, whose leak
 * check traces the process. */
void sandbox_hide_memory(void);

#endif
