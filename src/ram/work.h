/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What may still be done for one guest. Its bytes decide how much there is to
 * read, to walk and to compare, so each of these is charged to one counter: a
 * map that carries it (rammap.h) fails every read once nothing is left.
 *
 * It is counted in steps. A step is what takes about as long as reading a page:
 * 0.3 to 0.5 us on a processor of 2020. */
#ifndef MEMCTX_RAM_WORK_H
#define MEMCTX_RAM_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* One thread at a time. The members are its own; {0} has nothing left. */
struct memctx_work {
    uint64_t left;    /* steps */
    uint64_t looks;   /* see memctx_work_look() */
    uint64_t unasked; /* steps since is_over() was asked */
    bool (*is_over)(void *arg);
    void *arg;
    bool over; /* for good: it said so */
};

/* Begin a task, which may take `steps`. is_over(), which may be NULL, is asked
 * now and then (each MEMCTX_WORK_ASK steps) and says whether the task is to end
 * whatever is left: it was cancelled, or has used the time that it has. */
#define MEMCTX_WORK_ASK 256u
void memctx_work_begin(struct memctx_work *work, uint64_t steps,
                       bool (*is_over)(void *arg), void *arg);

/* Pay for `steps`. False: there was less than that; nothing is left then, and
 * what was to be done must not be. NULL can pay for everything. */
bool memctx_work_charge(struct memctx_work *work, uint64_t steps);

/* Pay for a look at what is in memory already: an entry of a table, a word of a
 * page that is kept, one of many texts. So many of them cost a step. */
#define MEMCTX_WORK_LOOKS 16u
bool memctx_work_look(struct memctx_work *work);

/* What could not be paid for, at this address of `space` ("gpa"): -1 with
 * RETRY. */
int memctx_work_fail(const char *space, uint64_t address,
                     struct memctx_error *err);

/* Steps that are left; 0 for NULL. */
uint64_t memctx_work_left(const struct memctx_work *work);

/* Is nothing left? false for NULL. */
bool memctx_work_is_over(const struct memctx_work *work);

/* For a part of a task that may take up to `steps` of what is left: keep the
 * rest back, and give it back at the end of the part. Parts may have parts.
 * NULL keeps nothing. */
uint64_t memctx_work_keep_back(struct memctx_work *work, uint64_t steps);
void memctx_work_give_back(struct memctx_work *work, uint64_t kept);

#endif
