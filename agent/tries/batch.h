/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Words of many guests, read by a thread of their own, which may be left behind
 * with what it hangs at. */
#ifndef MEMCTXD_BATCH_H
#define MEMCTXD_BATCH_H

#include <stdbool.h>

#include "backing/vcpus.h"
#include "guest/words.h"
#include "ram/rammap.h"

/* Words to be read, and what they say. */
struct batch_item {
    uint64_t serial;
    struct memctx_rammap *map; /* a reference; NULL: there are no words */
    struct memctx_words words;
    struct vcpus *vcpus; /* a reference, or NULL */
    bool synthetic; /* no guest runs in this RAM: the words show the time */
    bool wants_cpu; /* read the CPU time, unless a word has moved; */
    bool anew;      /* which threads are CPUs is to be looked up for that */
    uint64_t values[MEMCTX_WORDS_MAX];
    bool panicked; /* the panic word says so */
    bool has_log;  /* the head of the log could be read: */
    uint64_t log_head;
    bool failed;  /* a word could not be read */
    bool looked;  /* the CPU time was to be read, */
    bool has_cpu; /* and could be */
    uint64_t cpu_us;
};

struct batch;

/* Room for n items, which the caller fills in. NULL: there is no memory. */
struct batch *batch_create(size_t n);
struct batch_item *batch_item(struct batch *batch, size_t index);

/* Read them, from the first on, until all are read or one takes too long: it
 * hangs, and neither it nor those behind it are to be looked at. Once. -1:
 * there is no thread to be had. */
int batch_read(struct batch *batch, size_t *n_read);

/* What is still read is left to its thread. */
void batch_destroy(struct batch *batch);

#endif
