/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Log lines on what clients were refused, so many a minute and no more: nobody
 * who may connect shall fill a journal. Loop thread. */
#ifndef MEMCTXD_DENIALS_H
#define MEMCTXD_DENIALS_H

#include <stdint.h>

#include "common/log.h"
#include "config/peer.h"

/* All zero at the beginning. */
struct denials {
    uint64_t since_ms; /* the minute began */
    unsigned told;     /* lines in it */
    unsigned untold;
};

/* One line: whom, and why. */
void denials_log(struct denials *denials, const struct log *log,
                 const struct peer *peer, const char *why);

#endif
