/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes data into domain metadata and state files, on threads of its own:
 * virDomainSetMetadata can wait 30 s for another job on the domain. One domain
 * that waits holds up no other; of several values for one domain the latest is
 * written, and never before one that was given earlier. */
#ifndef MEMCTXD_PUBLISH_H
#define MEMCTXD_PUBLISH_H

#include "datum/datum.h"
#include "common/log.h"
#include "watch/event.h"
#include "publish/statefile.h"
#include "watch/watch.h"

struct publisher;

/* Up to max_threads write at a time; they are started as they are needed.
 * Nothing is written before publisher_release().
 * `dirfd` (for state files) is borrowed, as are the others. -1 with EXHAUSTED.
 */
int publisher_create(unsigned max_threads, struct watch *watch, int dirfd,
                     struct queue *queue, const struct log *log,
                     struct publisher **ret, struct memctx_error *err);

/* End the threads; what is not written yet stays unwritten. NULL is fine. */
void publisher_destroy(struct publisher *publisher);

/* Write what was set so far, and from now on at once: nobody else vouches for
 * these domains. Loop thread. */
void publisher_release(struct publisher *publisher);

/* One run of one domain. */
struct publisher_run {
    const char *uuid;
    int id;                              /* libvirt's */
    const struct statefile_run *counted; /* what is to be remembered of it */
};

/* The datum of this run is from now on this one, or with NULL none: then its
 * state file is gone when this returns. What stands in the metadata already is
 * not written again. Does not wait for libvirt. -1 with EXHAUSTED (out of
 * memory). Loop thread. */
int publisher_set(struct publisher *publisher, const struct publisher_run *run,
                  const struct memctx_datum *datum, struct memctx_error *err);

/* The metadata of this run were changed, perhaps by somebody else: see whether
 * they are what was set last, which is told once more, and put them right. An
 * EVENT_CHECKED says what was found. Does not wait. -1 with EXHAUSTED. Loop
 * thread. */
int publisher_check(struct publisher *publisher,
                    const struct publisher_run *run,
                    const struct memctx_datum *datum, struct memctx_error *err);

/* The run is over: libvirt has dropped the metadata, only the state files have
 * to go. Loop thread. */
void publisher_forget(struct publisher *publisher, const char *uuid);

/* The directory is another agent's by now: what is still to be written there is
 * given up, and metadata alone are written. Loop thread. */
void publisher_leave_files(struct publisher *publisher);

/* Push EVENT_IDLE into the queue once everything is written; now, if it is.
 * What was not released is given up. Loop thread. */
void publisher_tell_idle(struct publisher *publisher);

#endif
