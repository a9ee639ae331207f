/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A prober that lives, with what it does and has used: measured, but not
 * judged. It knows nothing of guests and of turns. Under the lock of the tries.
 */
#ifndef MEMCTXD_LIVE_H
#define MEMCTXD_LIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "tries/limits.h"
#include "tries/prober.h"

struct tries;
struct tries_client;

struct live {
    struct tries *tries;
    struct tries_client *client; /* NULL: it has left */
    struct prober *prober;
    /* What epoll tells socket and process apart by. */
    struct live_tag {
        struct live *live;
        bool process;
    } tags[2];
    bool equipped; /* it has RAM: what it does from here on may be the guest's
                      doing */
    bool launched; /* it was started, or could not be */
    bool admitted; /* ... which keeper.c has seen */
    bool ending;   /* it is killed; what it still says counts for nothing */
    bool ended;    /* it was reaped, or never was a process */
    bool running;  /* it has a task, or had one since since_us */
    bool stale;    /* nobody waits for its answer */
    bool stalled;  /* in the last span it has not used the CPU */
    unsigned owed; /* answers to earlier tasks that are still to come */
    enum tries_lane lane;
    uint64_t since_us; /* the task's beginning, or end, or its own; monotonic */
    uint64_t cpu_us;   /* CPU time at that moment */
    uint64_t charged_us;  /* CPU time that the guest was charged */
    uint64_t seen_us;     /* the span's beginning */
    uint64_t seen_cpu_us; /* CPU time then */
    struct live *next;
};

/* CPU time since the task began, or since it ended. */
uint64_t live_cost_us(const struct live *live);

/* CPU time that it was not charged for yet; from now on it is. */
uint64_t live_charge(struct live *live);

/* Begin a task of this lane. */
void live_begin(struct live *live, enum tries_lane lane, uint64_t now_us);

/* The task is done. */
void live_end(struct live *live, uint64_t now_us);

/* From here on it is only waited for until it has ended. */
void live_retire(struct live *live);

/* Is it within its limits? FINE, or the fault, and words about it. */
enum tries_fault live_check(struct live *live,
                            const struct tries_limits *limits, uint64_t now_us,
                            char *words, size_t size);

/* When that is to be asked again; UINT64_MAX: never. */
uint64_t live_next_check_us(const struct live *live,
                            const struct tries_limits *limits, uint64_t now_us);

#endif
