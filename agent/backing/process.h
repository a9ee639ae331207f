/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A process of this host, held so that a reused pid cannot be taken for it. */
#ifndef MEMCTXD_PROCESS_H
#define MEMCTXD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "qemu/args.h"

struct process {
    int pidfd;  /* owned; readable when the process has ended */
    int procfd; /* owned: /proc/PID as a directory. After the process's end it
                   leads nowhere, never to the next owner of the pid */
    pid_t pid;
    uint64_t instance; /* start time and pid: no other process of this boot of
                          the host has the same */
    struct memctx_qemuargs *args; /* owned; NULL but by emulator_find(). Too
                                     large for a thread's stack, which is never
                                     given back */
};

#define PROCESS_INIT              \
    {                             \
        .pidfd = -1, .procfd = -1 \
    }

void process_deinit(struct process *process);

/* Hold the process that has this pid now. 0 and *ret, without args; -1 with
 * PERMANENT: /proc hides it from us (the message has the cure); GONE: it ended;
 * RETRY. */
int process_hold(pid_t pid, struct process *ret, struct memctx_error *err);

/* Its arguments, NUL behind each, up to MEMCTX_CMDLINE_MAX bytes. The caller
 * frees *ret. -1 with GONE: it has none any more, or RETRY. */
int process_read_args(const struct process *process, char **ret,
                      size_t *len_bytes, struct memctx_error *err);

/* Whose child it is. 0 and *ret, or -1 with GONE or RETRY. */
int process_parent(const struct process *process, pid_t *ret,
                   struct memctx_error *err);

/* Its name, up to 15 bytes of it, as ps(1) has it; "?": it has none. */
void process_read_name(const struct process *process, char *to, size_t size);

/* When it was started, in ns of CLOCK_REALTIME as that counts now; to some 10
 * ms if nobody has set that clock since. */
uint64_t process_started_ns(const struct process *process);

/* For how long it has been running, in ms, to some 10 ms. */
uint64_t process_age_ms(const struct process *process);

/* Does it still run? 0, or -1 with GONE. */
int process_check(const struct process *process, struct memctx_error *err);

#endif
