/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All probers, and whose turn it is. One thread starts them, hands out tasks,
 * takes answers, and ends what goes on for too long.
 *
 * A guest may have made its prober crash, spin, hang, flood or lie. That costs
 * this guest a try and no other one anything: tries wait for their turn in the
 * order of when they were asked and what the guest's last one took, cheap
 * before dear; long looks have a lane of their own; a prober that neither ends
 * nor uses the CPU holds no place. */
#ifndef MEMCTXD_TRIES_H
#define MEMCTXD_TRIES_H

#include <stdbool.h>

#include "tries/limits.h"

struct tries;
struct tries_client; /* one guest */

#define TRIES_LIVE_MAX 64

/* -1 with EXHAUSTED: no thread or descriptors to be had. */
int tries_create(const struct tries_config *config, struct tries **ret,
                 struct memctx_error *err);

/* End all probers; what the kernel does not let go of within 2 seconds is left
 * to it. No client may be left. NULL is fine. */
void tries_destroy(struct tries *tries);

/* An eventfd `fd`, which stays the caller's, is written to whenever there is an
 * outcome. -1 with EXHAUSTED: out of memory. */
int tries_join(struct tries *tries, int fd, struct tries_client **ret,
               struct memctx_error *err);

/* End the guest's prober. From now on nothing is written to its descriptor.
 * NULL is fine. */
void tries_leave(struct tries_client *client);

/* RAM that the next tasks are about; a prober of other RAM ends. NULL: none.
 * Takes references of its own. */
void tries_set_ram(struct tries_client *client,
                   struct memctx_rammap *const *maps, size_t n);

/* What the guest's prober writes goes to fd, which stays the caller's, and is
 * to become no larger than this. Before its first task. */
void tries_set_output(struct tries_client *client, int fd, uint64_t most_bytes);

/* The guest's RAM is being opened, and there will be a task: start its prober
 * meanwhile, unless too many wait for RAM. It ends by tries_rest(), too. */
void tries_expect(struct tries_client *client);

/* A task for the guest's prober, which is started if need be. What was asked
 * before is void. The serial is set here. */
void tries_ask(struct tries_client *client,
               const struct memctx_probe_request *request,
               enum tries_lane lane);

/* What was asked, if anything, is void. The prober stays, but for one in a long
 * look. */
void tries_drop(struct tries_client *client);

/* The prober is not needed any more. What was asked is void. */
void tries_rest(struct tries_client *client);

/* What the task ended with: true, once. */
bool tries_take(struct tries_client *client, struct tries_outcome *ret);

/* CPU time that the guest's probers have used so far, in us, and how many of
 * them did what they must not; also where nobody waited for an outcome. */
uint64_t tries_spent_us(struct tries_client *client);
unsigned tries_faults(struct tries_client *client);

/* What the last of them did; FINE: there was none. */
enum tries_fault tries_last_fault(struct tries_client *client);

#endif
