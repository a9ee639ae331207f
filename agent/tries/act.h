/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Performs what the table of life.h decides. */
#ifndef MEMCTXD_ACT_H
#define MEMCTXD_ACT_H

#include "tries/state.h"

/* What has happened, as far as an action needs it. */
struct happening {
    struct adapter_result *result; /* what the record is told */
    struct ram *ram;               /* what the worker has read */
    bool opened;                   /* ... and opened */
    const struct memctx_words *words;
};

/* Something has happened: perform what the table says of it. */
void act_step(struct adapter *adapter, enum life_event event,
              struct happening *happening);

/* Which kind of order is the last one? */
enum life_event act_classify(const struct adapter *adapter);

/* A result of this event, of the try that was made last. */
struct adapter_result act_result(const struct adapter *adapter,
                                 enum memctx_event event);

/* What the record was to be told of its order is void. */
void act_forget_end(struct adapter *adapter);

/* Have the timer fire at the earlier one of hold_us and ring_us. */
void act_set_timer(struct adapter *adapter);

/* Close this RAM, without making the loop wait if that can be helped. */
void act_dispose(struct adapter *adapter, struct ram *ram);

#endif
