/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Counts lines. */
#include "control/denials.h"

#include "wire/clocks.h"

#define LINES_MAX 20
#define PERIOD_MS 60000

void
denials_log(struct denials *d, const struct log *log, const struct peer *peer,
            const char *why)
{
    uint64_t now_ms = clocks_now_ms();
    if (d->since_ms == 0 || now_ms - d->since_ms >= PERIOD_MS) {
        if (d->untold > 0)
            log_say(log, LOG_LEVEL_WARNING, LOG_KIND_DENIED,
                    "control socket: %u more refusals were not logged",
                    d->untold);
        *d = (struct denials){.since_ms = now_ms};
    }
    if (d->told == LINES_MAX) {
        d->untold++;
        return;
    }
    d->told++;
    log_say(log, LOG_LEVEL_WARNING, LOG_KIND_DENIED,
            "control socket: uid=%u pid=%d refused=%s", (unsigned)peer->uid,
            (int)peer->pid, LOG_QUOTE(why));
}
