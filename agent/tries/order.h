/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a record orders of its domain's adapter, and what it is told. */
#ifndef MEMCTXD_ORDER_H
#define MEMCTXD_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/disposer.h"
#include "common/executor.h"
#include "common/run.h"
#include "datum/datum.h"
#include "domain/backoff.h"
#include "domain/domain.h"
#include "tries/heartbeat.h"
#include "tries/tries.h"

enum adapter_cookie {
    ADAPTER_DONE,
    ADAPTER_TIMER,
    ADAPTER_COOKIES
};

/* What all adapters share; must outlive them. */
struct adapter_means {
    struct executor *workers; /* open RAM */
    struct tries *tries;
    struct heartbeat *heartbeat;
    struct disposer *disposer; /* closes RAM, which may take seconds; NULL: the
                                  loop thread does */
};

enum adapter_what {
    ADAPTER_SEARCH, /* ends with FOUND */
    ADAPTER_LOOK    /* at what was found; ends with CONFIRMED, mostly */
};

struct adapter_order {
    enum adapter_what what;
    bool cold;     /* RAM never held another kernel: the first one that is found
                      need not be seen running */
    bool paused;   /* nothing can be seen running */
    bool believed; /* the kernel that was found last need not be seen running
                      again: the guest has run on meanwhile */
    bool standing; /* the kernel that was found last does not run, as far as is
                      known: which other one does? */
    bool lulled;   /* it is idle, as far as is known: does another one run? Ends
                      with CONFIRMED when none was seen running for a while */
};

/* What has happened. */
struct adapter_result {
    enum memctx_event event; /* OPENED; FOUND, CONFIRMED, RETRY, PENDING, STILL,
                                NEVER or GONE; MOVES, LULL, STANDS, DIED,
                                REPLACED or UNREAD; TIMER */
    struct memctx_error why; /* when something was wanting */
    unsigned attempt;        /* number of this try since the last new boot */
    /* FOUND, PENDING or STILL: a datum without generation; the receiver's. */
    bool has_datum;
    struct memctx_datum datum;
    struct memctx_rammap *map; /* with the datum: a reference to the RAM that it
                                  was found in; the receiver's */
    uint64_t identity;         /* ... of that RAM, see ram_identity() */
    /* OPENED: whose RAM it is, as in struct ram, and the datum that stood in
       the metadata; the receiver's. */
    bool opened; /* false: RAM could not be opened; the metadata were read */
    bool fresh;  /* see struct ram */
    struct statefile_run run;
    bool has_inherited;
    struct memctx_datum inherited;
};

void adapter_result_deinit(struct adapter_result *result);

#endif
