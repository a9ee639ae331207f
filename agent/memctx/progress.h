/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A line on a terminal for what takes long: how far it is. Who has no terminal
 * on standard error sees nothing of it. */
#ifndef MEMCTX_PROGRESS_H
#define MEMCTX_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool is_shown;        /* standard error is a terminal */
    bool is_there;        /* a line stands there */
    uint64_t shown_ms;    /* when something was shown, or it began */
    const char *doing;    /* "copied", "searched" */
    uint64_t total_bytes; /* 0: not known */
};

/* Before a sandbox is entered. What is over within half a second shows no
 * line. */
void progress_init(struct progress *progress);

/* So much is done. Writes some times a second at most. */
void progress_show(struct progress *progress, uint64_t done_bytes);

/* Take the line away, for other output or for good. */
void progress_end(struct progress *progress);

/* The same for a line that another process has left. */
void progress_take_away(const struct progress *progress);

#endif
