/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One line for each change that others see, then fewer. */
#include "record/tell.h"

#include <stdio.h>
#include <string.h>

#include "wire/clocks.h"

/* Tries beside a kernel that does not run say that of it in their own words. */
static bool
has_better_reason(const struct record *r, enum memctx_event event)
{
    return (r->phase == MEMCTX_PHASE_DOUBT ||
            record_state(r) == MEMCTX_STATE_SILENT) &&
           r->reason.kind != MEMCTX_OK &&
           (event == MEMCTX_EVENT_PENDING || event == MEMCTX_EVENT_TIMER ||
            event == MEMCTX_EVENT_SUSPEND || event == MEMCTX_EVENT_RESUME ||
            (event == MEMCTX_EVENT_STANDS && r->died));
}

static const char *
default_reason(const struct record *r, enum memctx_event event)
{
    if (event == MEMCTX_EVENT_AWAY)
        return "libvirt is away";
    if (event == MEMCTX_EVENT_DIED)
        return "the guest panicked";
    if (event == MEMCTX_EVENT_COMPLETE)
        return "the guest is paused, and nobody has seen its kernel run since "
               "it was watched last";
    if (record_state(r) == MEMCTX_STATE_STALE)
        return "checking whether the datum still holds";
    if (r->phase == MEMCTX_PHASE_PAUSED)
        return "the guest is paused";
    return r->reason.kind == MEMCTX_OK ? "looking for a kernel" : NULL;
}

/* The reason that goes with the phase just entered. */
void
tell_reason(struct record *r, enum memctx_event event,
            const struct adapter_result *result)
{
    const char *words = default_reason(r, event);
    if (record_state(r) == MEMCTX_STATE_READY)
        r->reason = (struct memctx_error)MEMCTX_ERROR_INIT;
    else if (has_better_reason(r, event))
        return;
    else if (result != NULL && result->why.kind != MEMCTX_OK)
        r->reason = result->why;
    else if (words != NULL)
        memctx_error_set(&r->reason, MEMCTX_RETRY, "%s", words);
}

/* What a guest may make happen for ever: four boots or so are told as they
 * come. */
static const struct repeats_rule telling = {
    .free = 12,
    .first_ms = 60000,
    .cap_ms = 3600000,
    .forget_ms = 600000,
};

/* The state in words, and why; behind the line's beginning. */
static void
log_state(const struct record *r, enum log_level level, enum log_kind kind,
          const char *what, const char *more)
{
    const char *reason = record_reason(r);
    const struct log_subject subject = record_subject(r, kind);
    log_about(r->log, level, &subject, "uuid=%s name=%s boot=%u %s%s%s%s",
              r->uuid, LOG_QUOTE(r->name), r->boot, what,
              reason[0] != '\0' ? " reason=" : "",
              reason[0] != '\0' ? LOG_QUOTE(reason) : "", more);
}

/* Whether a datum came or went is what readers of the journal look for. */
static enum log_kind
kind_of_news(const struct record *r, const struct record_appearance *before)
{
    unsigned published = record_appearance(r).published;
    if (published == 0 && before->published != 0)
        return LOG_KIND_LOST;
    if (published != before->published)
        return LOG_KIND_GAINED;
    if (record_state(r) == MEMCTX_STATE_SILENT)
        return LOG_KIND_SILENT;
    return record_state(r) == MEMCTX_STATE_UNSUPPORTED ? LOG_KIND_UNSUPPORTED
                                                       : LOG_KIND_STATE;
}

/* A doubt passes, and tells nothing where the same comes of it: all domains of
 * a host have one each time that libvirt was away, which is a line of its own.
 */
static bool
is_passing(const struct record *r)
{
    enum memctx_state state = record_state(r);
    return state == MEMCTX_STATE_STALE || state == MEMCTX_STATE_UNKNOWN ||
           (state != MEMCTX_STATE_WAITING && state == r->logged &&
            r->kernel_epoch == r->logged_epoch);
}

static enum log_level
level_of_news(const struct record *r, bool lost, bool first)
{
    enum memctx_state state = record_state(r);
    if (is_passing(r))
        return LOG_LEVEL_DEBUG;
    if (state == MEMCTX_STATE_UNSUPPORTED)
        return LOG_LEVEL_WARNING;
    return state == MEMCTX_STATE_WAITING && !first && !lost ? LOG_LEVEL_DEBUG
                                                            : LOG_LEVEL_INFO;
}

static void
remember_news(struct record *r)
{
    r->logged = record_state(r);
    r->logged_epoch = r->kernel_epoch;
}

/* One line when outsiders see another state or kernel, and one at the first try
 * that failed, unless one has said why there is no kernel; then silence. */
void
tell_change(struct record *r, const struct record_appearance *before,
            enum memctx_event event, unsigned attempt)
{
    char what[128];
    char more[REPEATS_WORDS_SIZE] = "";
    enum memctx_state to = record_state(r);
    bool first = to == MEMCTX_STATE_WAITING && !r->wait_logged &&
                 event == MEMCTX_EVENT_RETRY;
    bool another = to == MEMCTX_STATE_READY && before->kernel_epoch != 0 &&
                   before->kernel_epoch != r->kernel_epoch;
    if (to == before->state && !first && !another)
        return;
    enum log_level level =
        level_of_news(r, before->has_datum && !r->has_datum, first);
    if (level != LOG_LEVEL_DEBUG &&
        !repeats_happen(&r->news, &telling, clocks_now_ms(), more))
        level = LOG_LEVEL_DEBUG;
    snprintf(what, sizeof(what), "%s->%s on %s attempt=%u",
             memctx_state_name(before->state), memctx_state_name(to),
             memctx_event_name(event), attempt);
    log_state(r, level, kind_of_news(r, before), what, more);
    if (level != LOG_LEVEL_DEBUG)
        remember_news(r);
    r->wait_logged = to == MEMCTX_STATE_WAITING &&
                     (first || level != LOG_LEVEL_DEBUG || r->wait_logged);
}

void
tell_late(struct record *r, uint64_t now_ms)
{
    char what[64];
    char more[REPEATS_WORDS_SIZE];
    if (!repeats_settle(&r->news, &telling, now_ms, more))
        return;
    snprintf(what, sizeof(what), "still changes: it is %s",
             memctx_state_name(record_state(r)));
    log_state(r, LOG_LEVEL_INFO, LOG_KIND_STATE, what, more);
    remember_news(r);
}

/* What its guest may have done with a prober: at first, and then each time that
 * it happened twice as often. */
void
tell_faults(struct record *r)
{
    const char *words;
    unsigned faults = adapter_faults(r->adapter, &words);
    if (faults == 0 || faults < 2 * r->faults_logged)
        return;
    const struct log_subject subject = record_subject(r, LOG_KIND_PROBER);
    log_about(r->log, LOG_LEVEL_WARNING, &subject,
              "uuid=%s name=%s boot=%u prober fault %u: it %s reason=%s",
              r->uuid, LOG_QUOTE(r->name), r->boot, faults, words,
              LOG_QUOTE(record_reason(r)));
    r->faults_logged = faults;
}
