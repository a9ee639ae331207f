/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks once a second after what nobody tells the agent: that its directory or
 * a socket in it was removed, which it makes again; and after what the log
 * still owes of domains that change too fast to be told one by one. Loop
 * thread. */
#ifndef MEMCTXD_VIGIL_H
#define MEMCTXD_VIGIL_H

#include "domains.h"
#include "watch/hint.h"

struct vigil;

/* What it looks after; all outlives it. */
struct vigil_means {
    const char *dir; /* the agent's directory; */
    int dirfd;       /* the number stays, whatever directory it is of */
    struct domains *domains;
    struct control *control;
    struct hint *hint;
    const struct log *log;
    /* The directory is another agent's by now; that was logged. */
    void (*lost)(void *arg);
    void *arg;
};

/* On libvirt's event loop. Copies *means. -1 with EXHAUSTED. */
int vigil_create(const struct vigil_means *means, struct vigil **ret,
                 struct memctx_error *err);

/* NULL is fine. */
void vigil_destroy(struct vigil *vigil);

#endif
