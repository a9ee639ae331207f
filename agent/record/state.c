/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks only. */
#include "record/state.h"

#include <string.h>

enum memctx_state
record_state(const struct record *r)
{
    return memctx_phase_state(r->phase);
}

const char *
record_reason(const struct record *r)
{
    if (r->reason.kind != MEMCTX_OK)
        return r->reason.message;
    return r->fought ? "somebody else keeps changing the domain's metadata"
                     : "";
}

const struct memctx_datum *
record_published(const struct record *r)
{
    return r->has_datum && !r->unpublished ? &r->datum : NULL;
}

struct log_subject
record_subject(const struct record *r, enum log_kind kind)
{
    return (struct log_subject){.kind = kind,
                                .domain = r->name,
                                .uuid = r->uuid,
                                .state = memctx_state_name(record_state(r))};
}

bool
record_is_paused(const struct record *r)
{
    return memctx_phase_is_paused(r->phase);
}

struct record_appearance
record_appearance(const struct record *r)
{
    const struct memctx_datum *published = record_published(r);
    return (struct record_appearance){
        .state = record_state(r),
        .has_datum = r->has_datum,
        .published = published != NULL ? published->generation : 0,
        .live = r->has_datum ? r->datum.live : MEMCTX_LIVE_RUNS,
        .kernel_epoch = r->kernel_epoch,
        .reason = r->reason};
}

bool
record_has_changed(const struct record *r, const struct record_appearance *was)
{
    struct record_appearance is = record_appearance(r);
    return is.state != was->state || is.has_datum != was->has_datum ||
           is.live != was->live || is.kernel_epoch != was->kernel_epoch ||
           is.reason.kind != was->reason.kind ||
           strcmp(is.reason.message, was->reason.message) != 0;
}
