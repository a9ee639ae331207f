/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Threads that touch the descriptors which clients hand in. fstat(2) and
 * close(2) ask a file's system, and that of a hostile client (FUSE) answers
 * when it likes, or never. So nobody else touches such a descriptor before it
 * has been checked. Each user has a thread at most, which does its jobs one
 * after the other: a user that makes it wait for ever has no other, and all
 * others have theirs.
 *
 *   struct intake_lot *lot = intake_reserve(intake, uid);
 *   connection_receive(connection, lot != NULL, &packet, &why);
 *   intake_submit() what takes descriptors out of the packet,
 *   intake_close(lot, packet) for the rest.
 *
 * Loop thread, but for work(). */
#ifndef MEMCTXD_INTAKE_H
#define MEMCTXD_INTAKE_H

#include <sys/types.h>

#include "common/offload.h"

struct intake;
struct intake_lot;
struct packet;

/* On libvirt's event loop. -1 with EXHAUSTED: no threads. */
int intake_create(struct intake **ret, struct memctx_error *err);

/* Wait for what is under way, but for no more than a second: what takes longer
 * goes on, and stays with what it has. NULL is fine. */
void intake_destroy(struct intake *intake);

/* Make sure that whatever this user sends now can be closed. The caller calls
 * intake_close(). NULL: take no descriptors; there is no memory, too many of
 * this user's wait, or every thread has another user. */
struct intake_lot *intake_reserve(struct intake *intake, uid_t uid);

/* Have the packet destroyed on the user's thread if there are descriptors in
 * it, else at once. NULL, for either, is fine: a packet without a lot has no
 * descriptors. */
void intake_close(struct intake_lot *lot, struct packet *packet);

/* One piece of work, embedded by its owner, who sets the first three. It must
 * stay where it is until done(). */
struct intake_job {
    unsigned n_fds; /* that it has to do with */
    /* On the user's thread. It may never end. */
    void (*work)(struct intake_job *job);
    /* Then on the loop; may free it. Not called where intake_destroy() did not
       wait for work(). */
    void (*done)(struct intake_job *job);
    /* The intake's own. */
    struct offload_job job;
    struct intake_user *user;
};

/* Hand over a job of this user, of whom something is reserved. */
void intake_submit(struct intake *intake, uid_t uid, struct intake_job *job);

#endif
