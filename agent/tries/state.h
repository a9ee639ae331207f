/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What an adapter knows. For the files of the adapter alone. */
#ifndef MEMCTXD_STATE_H
#define MEMCTXD_STATE_H

#include "tries/life.h"
#include "tries/order.h"
#include "tries/pace.h"
#include "tries/ramopen.h"
#include "wire/clocks.h"

struct adapter {
    struct adapter_means means;
    uint64_t look_us;
    unsigned fail_boots_max;
    int fds[ADAPTER_COOKIES];
    struct ramopen *ramopen;
    struct tries_client *client;
    struct heartbeat_listener *listener;
    enum life_phase phase;
    struct adapter_order order; /* the last one */
    struct memctx_probe_request asked;
    struct ram ram; /* without a map: none is open */
    struct pace pace;
    uint64_t spent_us;   /* by probers, as far as it was charged */
    unsigned fail_boots; /* that are left in this boot */
    /* When the timer fires for an order that is held, and when for the record;
       0: never. */
    uint64_t hold_us;
    uint64_t ring_us;
    bool looks; /* ... which then has a kernel without clock words looked at */
    bool new_boot;  /* the next try is the first of a boot */
    bool has_found; /* in this RAM, since it was opened or reset */
    bool suspect;   /* the prober says that the RAM is gone: open it anew */
    /* The kernel that was found last, in which layout, and its clock words;
       none since the last reset. */
    bool has_known;
    struct memctx_kernel known;
    uint32_t known_layout;
    struct memctx_words words;
    /* The kernel that the last search was about, found or pending. */
    bool has_candidate;
    struct memctx_kernel candidate;
    uint32_t candidate_layout;
    uint64_t pending_since_us; /* 0: not pending */
    uint64_t silent_since_us;  /* 0: the record waits for nothing of the kind */
    bool listens;              /* the record wants the words listened to */
    enum {
        ATTENDS_NOTHING,
        ATTENDS_CPU, /* what the CPUs use while a kernel is pending */
        ATTENDS_WORDS
    } attends;        /* what the heartbeat does for it */
    unsigned wrote;   /* so often the kernel was heard to log since that was
                         read; 0: nothing is to be read */
    unsigned reading; /* the same when that was asked for last */
    bool has_tried_cpu;
    uint64_t tried_cpu_us; /* used by the CPUs before the last try beside a
                              kernel that stands */
    bool collecting;       /* adapter_dispatch() is at it */
    /* What the record has yet to be told. */
    bool has_news;
    struct adapter_result news;
    bool has_heard;
    struct adapter_result heard;
    bool has_end;
    struct adapter_result end;
};

static inline uint64_t
adapter_now(void)
{
    return clocks_us(CLOCK_MONOTONIC);
}

#endif
