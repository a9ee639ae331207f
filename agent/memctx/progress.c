/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes over its own line again and again. */
#include "memctx/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire/clocks.h"

#define BEGIN_MS 500
#define AGAIN_MS 200

void
progress_init(struct progress *progress)
{
    *progress = (struct progress){.is_shown = isatty(STDERR_FILENO) == 1,
                                  .shown_ms = clocks_now_ms()};
}

static unsigned
percent_of(uint64_t done_bytes, uint64_t total_bytes)
{
    uint64_t hundredth = total_bytes / 100;
    uint64_t percent = hundredth > 0 ? done_bytes / hundredth : 100;
    return (unsigned)memctx_min(percent, 100);
}

void
progress_show(struct progress *progress, uint64_t done_bytes)
{
    uint64_t now_ms = clocks_now_ms();
    unsigned pause_ms = progress->is_there ? AGAIN_MS : BEGIN_MS;
    if (!progress->is_shown || now_ms - progress->shown_ms < pause_ms)
        return;
    progress->shown_ms = now_ms;
    progress->is_there = true;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " MiB %s (%u %%)\033[K",
            done_bytes / MEMCTX_MIB, progress->total_bytes / MEMCTX_MIB,
            progress->doing, percent_of(done_bytes, progress->total_bytes));
}

void
progress_take_away(const struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
}

void
progress_end(struct progress *progress)
{
    if (progress->is_there)
        progress_take_away(progress);
    progress->is_there = false;
}
