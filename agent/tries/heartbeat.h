/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Listens to kernels that were found, without end and all guests in one batch:
 * a few words of fixed size each, which nobody parses, and where they stand the
 * CPU time of the guest's CPUs. verdict.h says what comes of it.
 *
 * A read may hang for ever, where RAM is a file of a file system that is gone.
 * Then the guest is listened to no longer, and another thread goes on with the
 * rest. */
#ifndef MEMCTXD_HEARTBEAT_H
#define MEMCTXD_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "backing/vcpus.h"
#include "base/error.h"
#include "guest/words.h"
#include "ram/rammap.h"
#include "tries/verdict.h"

struct heartbeat;
struct heartbeat_listener; /* one guest */

struct heartbeat_config {
    uint64_t period_us; /* words are read so often */
    struct verdict_law law;
};

#define HEARTBEAT_DEFAULTS                       \
    {                                            \
        .period_us = 500000, .law = VERDICT_LAW, \
    }

/* -1 with EXHAUSTED: no thread to be had. */
int heartbeat_create(const struct heartbeat_config *config,
                     struct heartbeat **ret, struct memctx_error *err);

/* No listener may be left. A thread that hangs is left to hang, and what it
 * needs with it. NULL is fine. */
void heartbeat_destroy(struct heartbeat *heartbeat);

/* An eventfd `fd`, which stays the caller's, is written to when there is
 * something to say. -1 with EXHAUSTED: out of memory. */
int heartbeat_join(struct heartbeat *heartbeat, int fd,
                   struct heartbeat_listener **ret, struct memctx_error *err);

/* From now on nothing is written to its descriptor. NULL is fine. */
void heartbeat_leave(struct heartbeat_listener *listener);

/* What is listened to. */
struct heartbeat_subject {
    struct memctx_rammap *map; /* NULL: only the CPU time is followed */
    struct memctx_words words;
    struct vcpus *vcpus; /* NULL: nobody knows them */
    bool synthetic;      /* RAM without a guest: its words always move */
};

/* Begin anew to listen to this. Takes references of its own. */
void heartbeat_listen(struct heartbeat_listener *listener,
                      const struct heartbeat_subject *subject);

/* Listen no longer; what was heard is void. */
void heartbeat_stop(struct heartbeat_listener *listener);

enum heartbeat_news {
    HEARTBEAT_MOVES,    /* for the first time, or again */
    HEARTBEAT_LULL,     /* the words stand for longer than before, */
    HEARTBEAT_STANDS,   /* or while the CPUs are busy, or for long */
    HEARTBEAT_DIED,     /* the kernel says that it has panicked */
    HEARTBEAT_REPLACED, /* another kernel counts here; listening has ended */
    HEARTBEAT_UNREAD,   /* a word cannot be read; listening has ended */
    HEARTBEAT_WROTE     /* the kernel has logged something, by which it may say
                           that it has panicked: somebody is to read it */
};

/* What was heard last: true, once. */
bool heartbeat_take(struct heartbeat_listener *listener,
                    enum heartbeat_news *ret);

/* What was logged could not be read: say WROTE again, by and by. */
void heartbeat_unread(struct heartbeat_listener *listener);

/* The words that are listened to, as they were read last; false: none are. */
bool heartbeat_words(struct heartbeat_listener *listener,
                     struct memctx_words *ret);

/* For how long no word has moved, or it has been listened, in us. */
uint64_t heartbeat_age_us(struct heartbeat_listener *listener);

/* The CPU time that the guest's CPUs have used meanwhile, from when it was
 * first read; false: it is not known. */
bool heartbeat_cpu_us(struct heartbeat_listener *listener, uint64_t *ret);

#endif
