/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes data into domain metadata and state files, on threads of its own,
 * because virDomainSetMetadata can wait 30 s for another job on the domain. One
 * domain that waits delays no other. If several values come for one domain,
 * only the latest is written. A later value is never overwritten by an earlier
 * one. */
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

/* End the threads. Values that are not written yet are dropped. NULL is fine.
 */
void publisher_destroy(struct publisher *publisher);

/* Nobody else serves these domains: write what was set so far, and write later
 * values at once. Loop thread. */
void publisher_release(struct publisher *publisher);

/* One run of one domain. */
struct publisher_run {
    const char *uuid;
    int id;                              /* libvirt's */
    const struct statefile_run *counted; /* what is to be remembered of it */
};

/* Set the datum of this run; NULL: none, and its state file is gone when this
 * returns. If the metadata already have the datum, it is not written again.
 * Does not wait for libvirt. -1 with EXHAUSTED (out of memory). Loop thread. */
int publisher_set(struct publisher *publisher, const struct publisher_run *run,
                  const struct memctx_datum *datum, struct memctx_error *err);

/* The metadata of this run were changed, perhaps by somebody else. Compare them
 * with what was set last (`datum`), and put them right. An EVENT_CHECKED says
 * what was found. Does not wait. -1 with EXHAUSTED. Loop thread. */
int publisher_check(struct publisher *publisher,
                    const struct publisher_run *run,
                    const struct memctx_datum *datum, struct memctx_error *err);

/* The run is over. libvirt has dropped the metadata; remove the state files.
 * Loop thread. */
void publisher_forget(struct publisher *publisher, const char *uuid);

/* The directory belongs to another agent now: write no more files there, only
 * metadata. Loop thread. */
void publisher_leave_files(struct publisher *publisher);

/* Push EVENT_IDLE into the queue once everything is written, or now if it is.
 * Values that were not released are dropped. Loop thread. */
void publisher_tell_idle(struct publisher *publisher);

#endif
