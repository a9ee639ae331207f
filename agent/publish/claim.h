/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One agent a connection. Two would withdraw each other's data, and a lock file
 * or an abstract socket reaches neither across users nor across namespaces.
 * What both share is libvirt: whoever writes into the live metadata of a domain
 * is heard by all others (VIR_DOMAIN_EVENT_ID_METADATA_CHANGE).
 *
 * So a newcomer asks, in the first domains that it sees, under a URI of its own
 * beside the datum's: <ask token=T/>. An agent that vouches hears that, reads
 * it, and answers in its place: <held token=T/>. The newcomer looks again and
 * again for ask_ms.
 *
 *   answered by most          another vouches: the newcomer leaves
 *   not answered              nobody does, or an agent from before this was
 *                             invented; the newcomer vouches from now on, and
 *                             answers others. The element is removed
 *   another asks there, too   the smaller token goes first: it answers, or the
 *                             other one leaves on seeing it
 *
 * Most: who may write one domain's metadata can answer there, too, and shall
 * not stop the agent of all others. Nothing is left in the metadata after that
 * to grow stale: an agent that was killed does not answer, and what it asked
 * when it was killed is an event for nobody. An answer that comes late, for a
 * machine that stands still, counts for late_ms.
 *
 * Where no domain runs there is nothing to vouch for, and nobody is asked until
 * the first one starts. A newcomer then loses against an agent that has
 * listened for senior_ms already. After libvirt was away one asks anew: another
 * may have come meanwhile. A retraction asks in the last rank, and only where a
 * datum stands. A domain in which another job holds up the writing holds up
 * nothing but deadline_ms.
 *
 * libvirt's test driver is this process's own: nobody is asked there. */
#ifndef MEMCTXD_CLAIM_H
#define MEMCTXD_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "watch/event.h"
#include "watch/watch.h"

struct claim_times {
    unsigned ask_ms;
    unsigned late_ms;
    unsigned senior_ms;
    unsigned deadline_ms;
};

#define CLAIM_TIMES                          \
    ((struct claim_times){.ask_ms = 1000,    \
                          .late_ms = 10000,  \
                          .senior_ms = 5000, \
                          .deadline_ms = 3000})

enum claim_state {
    CLAIM_UNASKED, /* no domain was seen: nobody else vouches for one */
    CLAIM_ASKING,
    CLAIM_OURS,  /* nobody else vouches; we do */
    CLAIM_TAKEN, /* somebody else does */
};

struct claim;

/* `retracts`: as memctxd --retract. EVENT_CLAIM goes into the queue whenever
 * claim_state() may have changed. Both pointers are borrowed. -1 with
 * EXHAUSTED. */
int claim_create(struct watch *watch, struct queue *queue,
                 const struct claim_times *times, bool retracts,
                 struct claim **ret, struct memctx_error *err);

/* Waits for a libvirt call that is under way. What was asked is taken back. The
 * watch must still be there. NULL is fine. */
void claim_destroy(struct claim *claim);

/* The following do not wait. Loop thread. */

/* The connection to libvirt stands; its list of domains follows. */
void claim_connected(struct claim *claim);

/* This domain runs. */
void claim_see(struct claim *claim, const char *uuid);

/* The list is complete. */
void claim_listed(struct claim *claim);

/* Somebody said something in this domain, perhaps we: EVENT_CLAIM_WORD. */
void claim_hear(struct claim *claim, const char *uuid);

enum claim_state claim_state(struct claim *claim);

#endif
