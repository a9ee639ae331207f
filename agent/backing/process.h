/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The QEMU process of a domain: found by its pidfile, held so that a reused
 * pid cannot be taken for it. */
#ifndef MEMCTXD_PROCESS_H
#define MEMCTXD_PROCESS_H

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
    struct memctx_qemuargs args;
};

#define PROCESS_INIT              \
    {                             \
        .pidfd = -1, .procfd = -1 \
    }

void process_deinit(struct process *process);

/* Find the QEMU of domain `name` with `uuid` on the libvirt connection with
 * canonical URI `uri` (qemu:///system, qemu:///session, qemu:///embed?root=R).
 * The pidfile must be locked by the process it names (libvirt passes QEMU the
 * locked file; measured with 9.0 and 11.3) and the process must carry the
 * uuid. -1 with RETRY: no pidfile or not locked yet; PERMANENT: no right to
 * look, or a URI of another driver; GONE: it ended meanwhile. */
int process_find(const char *uri, const char *name, const char *uuid,
                 struct process *ret, struct memctx_error *err);

/* When it was started, in ns of CLOCK_REALTIME as that counts now; to some 10
 * ms if nobody has set that clock since. */
uint64_t process_started_ns(const struct process *process);

/* Does it still run? 0, or -1 with GONE. */
int process_check(const struct process *process, struct memctx_error *err);

/* The directory in which libvirt keeps pidfiles for `uri`, in `to`. -1 with
 * PERMANENT for a driver without. */
int process_pidfile_dir(const char *uri, char *to, size_t size,
                        struct memctx_error *err);

#endif
