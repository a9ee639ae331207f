/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The adapter: one domain's RAM and the tries at finding a kernel in it.
 *
 * It has two descriptors for the event loop, told apart by a cookie: the
 * completion of what was ordered, and the one-shot backoff timer. The owner
 * polls both for reading and calls adapter_dispatch() with the cookie of the
 * one that fired. Guest bytes are parsed by a prober, which is another process;
 * all functions below are for the loop thread. */
#ifndef MEMCTXD_ADAPTER_H
#define MEMCTXD_ADAPTER_H

#include "tries/life.h"
#include "tries/order.h"
#include "tries/ramopen.h"

struct adapter;

/* The private configuration; it never leaves the agent. */
struct adapter_config {
    struct ramopen_config ram; /* owned as ramopen_create() does */
    unsigned fail_boots;       /* stub: so many tries fail in each boot */
    uint64_t look_us; /* from one look at a kernel without clock words to the
                         next; 0: never */
    struct memctx_backoff_limits limits;
};

/* Nothing is opened yet. 0, or -1 with EXHAUSTED (no descriptors); what was
 * handed in is closed and open_arg freed then. */
int adapter_create(const struct adapter_config *config,
                   const struct adapter_means *means, struct adapter **ret,
                   struct memctx_error *err);

/* Close everything; what is under way ends by itself. NULL is fine. */
void adapter_destroy(struct adapter *adapter);

/* The descriptor to poll for a cookie. The adapter keeps it. */
int adapter_fd(const struct adapter *adapter, enum adapter_cookie cookie);

/* Do this. What was ordered before is void. RAM that is not open is opened. */
void adapter_order(struct adapter *adapter, const struct adapter_order *order);

/* What was ordered is void, and the timer is disarmed. */
void adapter_drop(struct adapter *adapter);

enum adapter_delay {
    ADAPTER_BACKOFF, /* from one failed search to the next */
    ADAPTER_SILENT,  /* ... beside a kernel that does not run */
    ADAPTER_TO_LOOK, /* from a kernel found to the look at it, if it has no
                        clock words */
    ADAPTER_DOUBT,   /* how long clocks may stand */
    ADAPTER_DELAYS
};

/* Arm the timer. Returns the delay in us; 0: never. */
uint64_t adapter_arm(struct adapter *adapter, enum adapter_delay delay);

/* Have the heartbeat listen to the clock words of the kernel that was found,
 * from when they are known on, or no longer. */
void adapter_listen(struct adapter *adapter, bool on);

/* The clock words of the kernel that was found last, as they were read last;
 * none: they are not known. */
struct memctx_words adapter_words(const struct adapter *adapter);

/* The kernel of the last try is one whose clock words an earlier agent knew:
 * these, unless they are known better. */
void adapter_recall(struct adapter *adapter, const struct memctx_words *words);

/* For how long no clock has moved, in us. */
uint64_t adapter_age_us(const struct adapter *adapter);

/* Is it known what the guest's CPUs do while its clocks stand? */
bool adapter_knows_cpu(const struct adapter *adapter);

/* Other delays, from the next that is armed on; as in the configuration. */
void adapter_pace(struct adapter *adapter,
                  const struct memctx_backoff_limits *limits, uint64_t look_us);

/* The guest was reset: RAM is to be looked at again, and tries count from the
 * beginning; what they have cost stays. */
void adapter_new_boot(struct adapter *adapter);

/* Close the RAM, if it can be opened again; the next order opens it. `doubt`:
 * what was found there is forgotten. What was ordered is void. */
void adapter_close(struct adapter *adapter, bool doubt);

/* Close the RAM; there will be no other order. */
void adapter_release(struct adapter *adapter);

/* Is the timer armed, are clock words listened to, and where in its life is the
 * adapter? For tests. */
bool adapter_is_armed(const struct adapter *adapter);
bool adapter_is_listening(const struct adapter *adapter);
enum life_phase adapter_phase(const struct adapter *adapter);

/* How many tries there were so far, and the CPU time that probers have used for
 * them, in us. */
uint64_t adapter_tries(const struct adapter *adapter);
uint64_t adapter_spent_us(const struct adapter *adapter);

/* What a prober did wrong so far, and what it was the last time. */
unsigned adapter_faults(const struct adapter *adapter, const char **ret);

/* The descriptor of `cookie` has fired. True and *ret: this has happened; the
 * caller calls adapter_result_deinit(), and this function again until it is
 * false. */
bool adapter_dispatch(struct adapter *adapter, enum adapter_cookie cookie,
                      struct adapter_result *ret);

#endif
