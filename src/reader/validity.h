/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Does the kernel still run that a reader was opened with, or stand silent in
 * RAM where the reader takes that? The state page says
 * so without a system call, as long as the agent lives that writes it. */
#ifndef MEMCTX_VALIDITY_H
#define MEMCTX_VALIDITY_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/client.h"
#include "base/error.h"
#include "wire/statepage.h"

/* Embedded by the caller. */
struct validity {
    struct statepage *page; /* NULL: none */
    uint64_t epoch;
    bool takes_silent; /* the kernel need not run */
    const struct client *client;
    uint64_t looked_us; /* when the connection was looked at */
    bool left;          /* the agent has closed it */
};

/* Map the page in fd, which stays the caller's, for an epoch. The client must
 * outlive *validity, whose takes_silent the caller has set. -1 with PERMANENT:
 * it is no state page, or one that could shrink under its readers. */
int validity_init(struct validity *validity, int fd, uint64_t epoch,
                  const struct client *client, struct memctx_error *err);
void validity_deinit(struct validity *validity);

/* At the monotonic time now_us: 0, or -1 with STALE, RETRY (no kernel is known
 * to run, or it is silent and the reader does not take that) or GONE (the
 * domain stopped, or the agent left; it is looked after at most once in a
 * millisecond). */
int validity_check(struct validity *validity, uint64_t now_us,
                   struct memctx_error *err);

/* Does the page say that the kernel is silent? */
bool validity_is_silent(const struct validity *validity);

/* After a read: has it been the same epoch since a validity_check() that
 * returned 0? Errors as there. */
int validity_confirm(const struct validity *validity, struct memctx_error *err);

#endif
