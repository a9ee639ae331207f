/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a sandbox leaves to a process. */
#ifndef MEMCTXD_SANDBOX_RULES_H
#define MEMCTXD_SANDBOX_RULES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ram/rammap.h"

/* What a descriptor is for, beside close(2) and poll(2). None is sent, and none
 * can be received. */
enum sandbox_use {
    SANDBOX_WRITE = 1,    /* write(2) */
    SANDBOX_STORE = 2,    /* pwrite(2) and ftruncate(2): a file that is made */
    SANDBOX_TALK = 4,     /* send(2) and recv(2): a socket that is connected */
    SANDBOX_ASK = 8,      /* send(2), recvmsg(2) and shutdown(2): the same */
    SANDBOX_SERVE = 16,   /* read(2) and writev(2): /dev/fuse */
    SANDBOX_MEASURE = 32, /* fstat(2): a file with RAM, for a library */
    SANDBOX_HEAR = 64     /* read(2): a pipe to who asks */
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

#endif
