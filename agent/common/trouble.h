/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One kind of trouble that may strike again and again, and many at a time: a
 * full file system meets all domains, at each try. One line tells of all, then
 * one now and then, and one when the last of them is rid of it. Any thread. */
#ifndef MEMCTXD_TROUBLE_H
#define MEMCTXD_TROUBLE_H

#include <pthread.h>
#include <stdbool.h>

#include "common/log.h"
#include "common/repeats.h"

struct trouble {
    enum log_kind kind; /* of its lines */
    struct repeats_rule rule;
    pthread_mutex_t lock; /* over the rest */
    struct repeats repeats;
    unsigned struck; /* so many have it now */
    bool told;       /* since nobody had it */
};

/* `free`: so many lines come at once, of who has it for reasons of its own. */
void trouble_init(struct trouble *trouble, enum log_kind kind, unsigned free);

void trouble_deinit(struct trouble *trouble);

/* It strikes. `anew`: one that did not have it; trouble_end() is called for it
 * in the end. The line (printf-style) is a warning. */
void trouble_strike(struct trouble *trouble, const struct log *log, bool anew,
                    const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One that had it is rid of it. `words` are told, as information, when nobody
 * has it any more, if it was told of. */
void trouble_end(struct trouble *trouble, const struct log *log,
                 const char *words);

#endif
