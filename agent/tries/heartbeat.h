/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the clock words of kernels that were found, of all guests in one batch:
 * a few numbers of fixed size each, which nobody parses. It tells when they
 * move, or that they do not.
 *
 * A read may hang for ever, where RAM is a file of a file system that is gone.
 * Then the guest is told to stand, and another thread goes on with the rest. */
#ifndef MEMCTXD_HEARTBEAT_H
#define MEMCTXD_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/words.h"
#include "ram/rammap.h"

struct heartbeat;
struct heartbeat_listener; /* one guest */

/* Words are read every `period_us`. -1 with EXHAUSTED: no thread to be had. */
int heartbeat_create(uint64_t period_us, struct heartbeat **ret,
                     struct memctx_error *err);

/* No listener may be left. A thread that hangs is left to hang, and what it
 * needs with it. NULL is fine. */
void heartbeat_destroy(struct heartbeat *heartbeat);

/* An eventfd `fd`, which stays the caller's, is written to when there is
 * something to say. -1 with EXHAUSTED: out of memory. */
int heartbeat_join(struct heartbeat *heartbeat, int fd,
                   struct heartbeat_listener **ret, struct memctx_error *err);

/* From now on nothing is written to its descriptor. NULL is fine. */
void heartbeat_leave(struct heartbeat_listener *listener);

/* Listen to these words of this RAM until they have moved on from what they say
 * now, or for patience_us; or until they say what a clock that said
 * words->value some time ago never says. Takes a reference to the map. */
void heartbeat_listen(struct heartbeat_listener *listener,
                      struct memctx_rammap *map,
                      const struct memctx_words *words, uint64_t patience_us);

/* Listen no longer. */
void heartbeat_stop(struct heartbeat_listener *listener);

/* What was heard: true, once. MOVES; STANDS; BACK or AWAY, also where the words
 * cannot be read. *words are those listened to, as they were read last. */
bool heartbeat_take(struct heartbeat_listener *listener, enum memctx_step *ret,
                    struct memctx_words *words);

#endif
