/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Believes what stands in metadata only as far as somebody vouches for it. */
#include "record/inherit.h"

#include "record/hold.h"

/* libvirt told of no end of the run that we knew, and yet QEMU is another: it
 * happened while libvirt itself was away. What was published went with it. */
static void
begin_anew(struct record *r, bool has_inherited)
{
    hold_end(r);
    if (!has_inherited)
        r->ops->withdraw(r->ops->arg, r);
    hold_drop(r);
    r->died = false;
    r->boot = 1;
    r->booted = false;
    r->run = (struct statefile_run){.instance = 0};
}

/* No run counts so many kernels. */
#define GENERATION_SANE (1u << 20)

/* Nobody vouches for what stood in the metadata: what there was when the domain
 * was booted came with its definition, and what counts like this was made up.
 * It goes; nothing of it counts. */
static bool
is_disowned(const struct record *r, const struct adapter_result *result)
{
    bool made_up = result->inherited.generation > GENERATION_SANE;
    return !r->has_datum && result->opened && (r->booted || made_up);
}

/* No agent has written it for this QEMU: it came with a restore or a migration,
 * or somebody has made it up. Its kernel has to be found; then it counts as it
 * says. */
static bool
is_unproven(const struct record *r, const struct adapter_result *result)
{
    return !r->has_datum && result->opened && r->run.generation == 0 &&
           r->boot == 1;
}

static void
keep_unproven(struct record *r, struct adapter_result *result)
{
    hold_drop_unproven(r);
    r->unproven = result->inherited;
    r->has_unproven = true;
    result->has_inherited = false;
    r->ops->withdraw(r->ops->arg, r);
}

/* Whose RAM it is that was opened, and how many kernels an agent before us has
 * counted in it. */
static void
join_run(struct record *r, const struct adapter_result *result)
{
    const struct statefile_run *run = &result->run;
    if (r->run.instance != 0 && r->run.instance != run->instance)
        begin_anew(r, result->has_inherited);
    if (r->run.generation == 0 && r->boot == 1) {
        r->run = *run;
        r->died = r->died || run->died;
    }
    r->run.instance = run->instance;
    r->joined = true;
    r->cold = r->cold && result->fresh;
    hold_count_up_to(r, run->generation);
}

/* What stood in the metadata counts as published until it is withdrawn or found
 * to be right. */
static void
take_over(struct record *r, struct adapter_result *result)
{
    if (r->run.generation == 0)
        hold_count_up_to(r, result->inherited.generation);
    if (r->has_datum)
        return;
    r->datum = result->inherited;
    r->has_datum = true;
    result->has_inherited = false;
    /* A reset since then: it is an earlier kernel's. */
    if (r->boot > 1)
        hold_withdraw(r);
}

void
inherit(struct record *r, struct adapter_result *result)
{
    if (result->opened)
        join_run(r, result);
    if (!result->has_inherited)
        return;
    if (is_disowned(r, result))
        r->ops->withdraw(r->ops->arg, r);
    else if (is_unproven(r, result))
        keep_unproven(r, result);
    else
        take_over(r, result);
}
