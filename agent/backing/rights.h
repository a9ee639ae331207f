/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What this process lacks to read the RAM of a QEMU process, in words that an
 * administrator can act on. The kernel has decided already; this explains. */
#ifndef MEMCTXD_RIGHTS_H
#define MEMCTXD_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backing/process.h"

/* Who reads, and whose RAM. */
struct rights {
    uid_t uid;
    gid_t gid;
    uint64_t capabilities; /* effective, as CapEff in /proc/PID/status */
    uid_t qemu_uid;
    gid_t qemu_gid;
    bool undumpable;  /* see PR_SET_DUMPABLE in prctl(2); the kernel makes what
                         it runs so if its file has capabilities or another
                         user, or cannot be read by the one who runs it */
    int yama;         /* kernel.yama.ptrace_scope; 0 where there is none */
    bool deny_ptrace; /* SELinux' boolean of that name is on */
    char profile[64]; /* of AppArmor, which confines this process; "": none */
};

/* Look at ourselves and at the process. */
void rights_look(const struct process *process, struct rights *ret);

/* One clause without an end: the capability, user, group, sysctl or XML that
 * would cure it. `own_memory`: RAM is QEMU's own (private), else a file. */
void rights_cure(const struct rights *rights, bool own_memory, char *to,
                 size_t size);

#endif
