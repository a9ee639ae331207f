/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The adapter: one domain's RAM and the tries at finding a kernel in it.
 *
 * It has two descriptors for the event loop, told apart by a cookie: the
 * worker's completion and the one-shot backoff timer. The owner polls both for
 * reading and calls adapter_dispatch() with the cookie of the one that fired.
 * Tries run on a worker; all functions below are for the loop thread. */
#ifndef MEMCTXD_ADAPTER_H
#define MEMCTXD_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/backoff.h"
#include "common/disposer.h"
#include "domain/domain.h"
#include "backing/handed.h"
#include "common/executor.h"
#include "backing/ram.h"

struct adapter;

enum adapter_cookie {
    ADAPTER_DONE,
    ADAPTER_TIMER,
    ADAPTER_COOKIES
};

/* Opens a domain's RAM at the first try, on the worker. -1 with the kind that
 * becomes the try's: RETRY, PERMANENT or GONE; *ret then has no map, but may
 * have an inherited datum. */
typedef int adapter_open_fn(void *arg, struct ram *ret,
                            struct memctx_error *err);

/* When a kernel that was found is looked at again. All zero: never. */
struct adapter_look {
    uint64_t period_us;   /* from one look to the next; 0: never */
    uint64_t again_us;    /* from its first half to the second */
    uint64_t patience_us; /* for clocks that stand still, from the first half
                             on: then the kernel is withdrawn */
};

/* Measured: an idle Debian guest moves its clocks every 0.5 s (the clocksource
 * watchdog), so that the second half nearly always is the end of it. A kernel
 * that went by kexec is withdrawn 2 s after the look began, at most, and one
 * that has come up is published by then. */
#define ADAPTER_LOOK_DEFAULTS                                             \
    {                                                                     \
        .period_us = 10000000, .again_us = 700000, .patience_us = 1800000 \
    }

/* The private configuration; it never leaves the agent. */
struct adapter_config {
    bool stub;             /* synthetic RAM; also when nothing else is set */
    const char *ram_path;  /* RAM to open O_RDONLY; copied. Never logged above
                              debug level */
    uint64_t low;          /* its split, bytes; 0: one piece from GPA 0 */
    struct handed *handed; /* NULL, or RAM handed in, which counts before
                              ram_path; owned from adapter_create() on, on every
                              path */
    unsigned fail_boots;   /* stub: so many tries fail in each boot */
    struct adapter_look look;
    const char *seed;      /* stub: makes domains differ; copied */
    adapter_open_fn *open; /* instead of all of these: ask whoever knows */
    void *open_arg;        /* its argument, owned; freed by open_free */
    void (*open_free)(void *arg);
    struct disposer
        *disposer; /* closes RAM in the end, which may take seconds; it
              outlives the adapter; NULL: adapter_destroy() does */
};

/* What a try ended with. */
struct adapter_result {
    enum memctx_event event; /* FOUND, CONFIRMED, RETRY, PENDING, NEVER, GONE
                                or TIMER */
    struct memctx_error why; /* when something was wanting */
    unsigned attempt;        /* number of this try since the last new boot */
    bool has_datum;
    struct memctx_datum datum; /* FOUND or PENDING: without generation; the
                                  receiver's */
    struct memctx_rammap *map; /* FOUND: a reference to the RAM that it was
                                  found in; the receiver's */
    uint64_t identity;         /* FOUND: of that RAM, see ram_identity() */
    bool opened; /* the RAM was opened by this try, and the metadata read */
    struct statefile_run run; /* as in struct ram */
    bool has_inherited;
    struct memctx_datum inherited; /* first try of a run: the datum that stood
                                      in the metadata; the receiver's */
};

void adapter_result_deinit(struct adapter_result *result);

/* Nothing is opened yet. 0, or -1 with EXHAUSTED (no descriptors); what was
 * handed in is closed and open_arg freed then. */
int adapter_create(const struct adapter_config *config,
                   struct executor *executor,
                   const struct memctx_backoff_limits *limits,
                   struct adapter **ret, struct memctx_error *err);

/* Close everything; a try under way is told to leave and closes the RAM when
 * it does. NULL is fine. */
void adapter_destroy(struct adapter *adapter);

/* The descriptor to poll for a cookie. The adapter keeps it. */
int adapter_fd(const struct adapter *adapter, enum adapter_cookie cookie);

enum adapter_try {
    ADAPTER_NO_TRY,
    ADAPTER_SEARCH,    /* ends with FOUND */
    ADAPTER_LOOK,      /* at what was found; ends with CONFIRMED, mostly */
    ADAPTER_LOOK_AGAIN /* ... after the second half */
};

/* Start a try. One that still runs is told to leave, and its result is
 * dropped. */
void adapter_kick(struct adapter *adapter, enum adapter_try what);

/* Drop the running try, if any, and disarm the timer. */
void adapter_abandon(struct adapter *adapter);

enum adapter_delay {
    ADAPTER_BACKOFF,  /* from one failed search to the next */
    ADAPTER_TO_LOOK,  /* from a kernel found to the look at it */
    ADAPTER_TO_AGAIN, /* between the halves of a look */
    ADAPTER_DELAYS
};

/* Arm the timer. Returns the delay in us; 0: never. */
uint64_t adapter_arm(struct adapter *adapter, enum adapter_delay delay);

/* A kernel was withdrawn because its clocks stood still, and yet it runs: give
 * this guest more time from now on. */
void adapter_be_patient(struct adapter *adapter);

/* The guest was reset: RAM is to be looked at again, tries count from the
 * beginning, and what is found must be seen running. */
void adapter_new_boot(struct adapter *adapter);

/* Nobody watched the guest for a while: the RAM is closed and opened anew, and
 * what is found must be seen running. */
void adapter_doubt(struct adapter *adapter);

/* Memory was plugged in, resized or removed: the RAM is closed and opened anew.
 * The kernel that was found before, if any, is believed when it passes the
 * static checks in the new layout: the guest has run on meanwhile. */
void adapter_reopen(struct adapter *adapter);

/* RAM never held another kernel: the domain was just started cold. The first
 * kernel that is found need not be seen running. */
void adapter_set_cold(struct adapter *adapter);

/* The guest is paused: nothing in it can be seen running. */
void adapter_set_paused(struct adapter *adapter, bool paused);

/* Close the RAM; there will be no other try. */
void adapter_release(struct adapter *adapter);

/* Is the backoff timer armed? For tests. */
bool adapter_is_armed(const struct adapter *adapter);

/* Drain the descriptor of `cookie`. True and *ret when something ended that
 * somebody waits for; the caller calls adapter_result_deinit() then. */
bool adapter_dispatch(struct adapter *adapter, enum adapter_cookie cookie,
                      struct adapter_result *ret);

#endif
