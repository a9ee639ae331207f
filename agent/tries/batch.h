/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Words of many guests, read by a thread of their own, which may be left behind
 * with what it hangs at. */
#ifndef MEMCTXD_BATCH_H
#define MEMCTXD_BATCH_H

#include <stdbool.h>

#include "guest/words.h"
#include "ram/rammap.h"

/* Words to be read, and what they say. */
struct batch_item {
    uint64_t serial;
    struct memctx_rammap *map; /* a reference */
    struct memctx_words words;
    uint64_t values[MEMCTX_WORDS_MAX];
    bool failed;
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
