/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Makes sentences of the steps of a search. What a guest has written is quoted
 * in them. */
#include "memctx/trail.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "text/text.h"

/* RAM may hold so many pages that look like something that nobody would read a
 * line about each. */
#define FAILED_MAX 100

void
trail_init(struct trail *trail, bool is_verbose)
{
    *trail = (struct trail){.is_verbose = is_verbose};
    progress_init(&trail->progress);
    trail->progress.doing = "searched";
}

/* Lines and a progress line would be in each other's way. */
static void __attribute__((format(printf, 2, 3)))
say(const struct trail *trail, const char *format, ...)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *line = NULL;
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text quoted = MEMCTX_TEXT_INIT;
    va_list args;
    if (!trail->is_verbose)
        return;
    va_start(args, format);
    int len = vasprintf(&line, format, args);
    va_end(args);
    if (len < 0) {
        line = NULL;
        return;
    }
    memctx_text_add_terminal(&quoted, line, (size_t)len);
    if (!quoted.failed)
        fprintf(stderr, "search: %s\n", quoted.bytes);
}

static void
tell_failed(struct trail *trail, const struct memctx_trace_step *step)
{
    if (++trail->n_failed > FAILED_MAX)
        return;
    say(trail, "%s: candidate at " MEMCTX_HEX " fails after %u check%s: %s",
        memctx_os_name(step->os), step->gpa, step->passed,
        step->passed == 1 ? "" : "s", step->why->message);
}

static void
tell_found(struct trail *trail, const struct memctx_trace_step *step)
{
    say(trail,
        "%s: candidate at " MEMCTX_HEX " is a kernel: %s, root at " MEMCTX_HEX,
        memctx_os_name(step->os), step->gpa, step->kernel->version,
        step->kernel->kcr3);
}

static void
tell_scanned(struct trail *trail, const struct memctx_trace_step *step)
{
    trail->scanned_bytes += step->size;
    if (!trail->is_verbose)
        progress_show(&trail->progress,
                      trail->scanned_bytes - trail->before_bytes);
}

static void
take_step(const struct memctx_trace_step *step, void *arg)
{
    struct trail *trail = arg;
    switch (step->kind) {
    case MEMCTX_TRACE_FOLLOWED:
        say(trail, "%s: followed its own structures, %" PRIu64 " bytes",
            memctx_os_name(step->os), step->size);
        break;
    case MEMCTX_TRACE_AGAIN:
        say(trail, "looking again, for kernels that do not name themselves");
        trail->before_bytes = trail->scanned_bytes;
        break;
    case MEMCTX_TRACE_SCANNED:
        tell_scanned(trail, step);
        break;
    case MEMCTX_TRACE_FAILED:
        tell_failed(trail, step);
        break;
    case MEMCTX_TRACE_FOUND:
        tell_found(trail, step);
        break;
    }
}

void
trail_begin(struct trail *trail, const struct memctx_rammap *map, uint64_t low,
            struct memctx_trace *ret)
{
    uint64_t size = memctx_rammap_size(map);
    trail->scanned_bytes = trail->before_bytes = 0;
    trail->n_failed = 0;
    trail->progress.total_bytes = size;
    if (low != 0)
        say(trail,
            "%" PRIu64 " MiB of RAM, " MEMCTX_HEX
            " bytes of it taken to be below 4 GiB",
            size / MEMCTX_MIB, low);
    else
        say(trail, "%" PRIu64 " MiB of RAM", size / MEMCTX_MIB);
    *ret = (struct memctx_trace){take_step, trail};
}

void
trail_end(struct trail *trail, const struct memctx_error *why)
{
    progress_end(&trail->progress);
    if (trail->n_failed > FAILED_MAX)
        say(trail, "%" PRIu64 " more candidates failed",
            trail->n_failed - FAILED_MAX);
    say(trail, "%" PRIu64 " MiB of data looked at: %s",
        trail->scanned_bytes / MEMCTX_MIB,
        why == NULL ? "a kernel was found" : why->message);
}

void
trail_judge(struct trail *trail, enum memctx_split_word word)
{
    static const char *const words[] = {
        [MEMCTX_SPLIT_UNTOLD] = "the kernel's tables do not tell where RAM is",
        [MEMCTX_SPLIT_CONFIRMED] = "the kernel's tables have RAM there, too",
        [MEMCTX_SPLIT_CONTRADICTED] =
            "the kernel's tables have RAM in other places",
    };
    say(trail, "%s", words[word]);
}
