/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Performs what the transition table decides; decides nothing itself but what
 * the end of a try means. */
#include "record/record.h"

#include <stdlib.h>
#include <string.h>

#include "record/hold.h"
#include "record/inherit.h"
#include "record/tell.h"
#include "wire/clocks.h"

int
record_create(const char *uuid, const char *name, int id,
              struct adapter *adapter, const struct record_ops *ops,
              const struct log *log, struct record **ret,
              struct memctx_error *err)
{
    struct record *r = calloc(1, sizeof(*r));
    char *copy = strdup(name);
    if (r == NULL || copy == NULL || strlen(uuid) >= sizeof(r->uuid) ||
        epoch_create(&r->epoch, NULL) < 0) {
        free(r);
        free(copy);
        adapter_destroy(adapter);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no memory for a domain");
    }
    memcpy(r->uuid, uuid, strlen(uuid) + 1);
    r->name = copy;
    r->id = id;
    r->phase = MEMCTX_PHASE_NEW;
    r->boot = 1;
    r->adapter = adapter;
    r->ops = ops;
    r->log = log;
    *ret = r;
    return 0;
}

void
record_destroy(struct record *r)
{
    if (r == NULL)
        return;
    hold_drop(r);
    hold_drop_unproven(r);
    epoch_set(r->epoch, STATEPAGE_OVER);
    epoch_drop(r->epoch);
    adapter_destroy(r->adapter);
    free(r->name);
    free(r);
}

/* What was found before is not the next kernel, however much alike. Before the
 * withdrawal, with which this is written down. */
static void
end_boot(struct record *r)
{
    bool remembered = r->run.kernel[0] != '\0';
    r->boot += remembered || r->boot == 1;
    r->run.kernel[0] = '\0';
    r->run.live = MEMCTX_LIVE_RUNS;
    r->run.died = false;
    r->run.words.n = 0;
    if (remembered && (!r->has_datum || r->unpublished))
        r->ops->remember(r->ops->arg, r);
}

static void
begin_boot(struct record *r, const char *reason)
{
    memctx_error_set(&r->reason, MEMCTX_RETRY, "%s", reason);
    r->cold = false;
    r->died = false;
    r->believed = false;
    adapter_new_boot(r->adapter);
}

static void
distrust(struct record *r)
{
    hold_drop_map(r);
    r->cold = false;
    r->watched = false;
    r->believed = false;
    adapter_close(r->adapter, true);
}

/* Memory may have moved with its layout; a guest that runs has run on. */
static void
reopen(struct record *r)
{
    hold_drop_map(r);
    r->believed = record_state(r) != MEMCTX_STATE_SILENT;
    adapter_close(r->adapter, false);
}

/* Is the kernel that was found last known not to run, or thought so? */
static bool
is_standing(const struct record *r)
{
    return r->phase == MEMCTX_PHASE_DOUBT || r->phase == MEMCTX_PHASE_SILENT;
}

static void
order(struct record *r, enum adapter_what what)
{
    const struct adapter_order order = {.what = what,
                                        .cold = r->cold,
                                        .paused = record_is_paused(r),
                                        .believed = r->believed,
                                        .standing = is_standing(r),
                                        .lulled =
                                            r->phase == MEMCTX_PHASE_LULL};
    if (what == ADAPTER_SEARCH)
        r->believed = false;
    adapter_order(r->adapter, &order);
}

/* What ends with a kernel, or makes it doubtful. */
static void
perform_end(struct record *r, unsigned actions)
{
    bool reset = (actions & MEMCTX_ACT_NEW_BOOT) != 0;
    bool anew = reset || (actions & MEMCTX_ACT_NEW_KERNEL) != 0;
    if ((actions & MEMCTX_ACT_ABANDON) != 0)
        adapter_drop(r->adapter);
    if (anew)
        end_boot(r);
    if ((actions & MEMCTX_ACT_WITHDRAW) != 0)
        hold_withdraw(r);
    if (reset) {
        r->was_reset = true;
        r->start_us = clocks_us(CLOCK_MONOTONIC);
    }
    if (anew)
        begin_boot(r, reset ? "the guest was reset; its next kernel is not up "
                              "yet"
                            : "another kernel takes the place of the last one");
    if ((actions & MEMCTX_ACT_DISTRUST) != 0)
        distrust(r);
    if ((actions & MEMCTX_ACT_REOPEN) != 0)
        reopen(r);
}

static void
perform_begin(struct record *r, unsigned actions)
{
    if ((actions & MEMCTX_ACT_PROBE) != 0)
        order(r, ADAPTER_SEARCH);
    if ((actions & MEMCTX_ACT_LOOK) != 0)
        order(r, ADAPTER_LOOK);
    if ((actions & MEMCTX_ACT_ARM) != 0)
        adapter_arm(r->adapter, record_state(r) == MEMCTX_STATE_SILENT
                                    ? ADAPTER_SILENT
                                    : ADAPTER_BACKOFF);
    if ((actions & MEMCTX_ACT_ARM_LOOK) != 0)
        adapter_arm(r->adapter, ADAPTER_TO_LOOK);
    if ((actions & MEMCTX_ACT_ARM_DOUBT) != 0)
        adapter_arm(r->adapter, ADAPTER_DOUBT);
}

static void
perform_tell(struct record *r, unsigned actions, struct adapter_result *result)
{
    if ((actions & MEMCTX_ACT_PUBLISH) != 0)
        hold_publish(r, result);
    if ((actions & MEMCTX_ACT_KEEP) != 0)
        hold_keep(r, result);
    if ((actions & MEMCTX_ACT_MARK) != 0)
        hold_mark(r, result);
    if ((actions & MEMCTX_ACT_UNMARK) != 0)
        hold_unmark(r);
    if ((actions & MEMCTX_ACT_REMEMBER) != 0)
        hold_remember(r);
}

/* What is old goes before something new begins. A new boot stands around the
 * withdrawal: what ends with it is written down with that. */
static bool
perform(struct record *r, unsigned actions, struct adapter_result *result)
{
    bool listens = memctx_phase_listens(r->phase);
    if (!listens)
        adapter_listen(r->adapter, false);
    perform_end(r, actions);
    if ((actions & MEMCTX_ACT_INHERIT) != 0)
        inherit(r, result);
    perform_begin(r, actions);
    perform_tell(r, actions, result);
    if ((actions & MEMCTX_ACT_RELEASE) != 0) {
        hold_drop_map(r);
        adapter_release(r->adapter);
    }
    if (listens)
        adapter_listen(r->adapter, true);
    return (actions & MEMCTX_ACT_FORGET) != 0;
}

/* A try has found this kernel to run: is it the one that ran before? */
static bool
finds(const struct record *r, const struct memctx_transition *t,
      const struct adapter_result *result, bool same)
{
    return (t->actions & MEMCTX_ACT_PUBLISH) != 0 && result != NULL &&
           hold_is_last_kernel(r, &result->datum) == same;
}

/* Does this event end the kernel of the datum, or raise a doubt of it? What
 * arrives from elsewhere overwrites RAM that held nothing. */
static bool
is_end(const struct record *r, enum memctx_event event,
       const struct memctx_transition *t, const struct adapter_result *result,
       enum bootlog_end *ret)
{
    enum memctx_state next = memctx_phase_state(t->next);
    bool replaced =
        (t->actions & MEMCTX_ACT_WITHDRAW) != 0 || finds(r, t, result, false);
    bool silent = next == MEMCTX_STATE_SILENT && record_state(r) != next;
    bool stands =
        event == MEMCTX_EVENT_STANDS && record_state(r) == MEMCTX_STATE_READY;
    if (event == MEMCTX_EVENT_ARRIVING)
        return false;
    *ret = r->died                       ? BOOTLOG_PANIC
           : event == MEMCTX_EVENT_RESET ? BOOTLOG_RESET
           : replaced                    ? BOOTLOG_REPLACED
           : silent                      ? BOOTLOG_SILENT
                                         : BOOTLOG_STOOD;
    return replaced || silent || stands || event == MEMCTX_EVENT_DIED;
}

/* Before its RAM is let go of, and before the next kernel can have overwritten
 * much of it. */
static void
tell_end(struct record *r, enum memctx_event event,
         const struct memctx_transition *t, const struct adapter_result *result)
{
    enum bootlog_end end;
    bool readable = r->has_datum && !r->unpublished && r->map != NULL;
    if (readable && is_end(r, event, t, result, &end)) {
        r->ops->ended(r->ops->arg, r, end);
        r->ended = true;
    } else if (r->ended &&
               (event == MEMCTX_EVENT_MOVES || finds(r, t, result, true))) {
        r->ops->goes_on(r->ops->arg, r);
        r->ended = false;
    }
}

static bool
step(struct record *r, enum memctx_event event, struct adapter_result *result)
{
    struct record_appearance before = record_appearance(r);
    struct memctx_transition t = memctx_domain_transition(r->phase, event);
    bool moved = t.next != r->phase;
    log_line(r->log, LOG_LEVEL_DEBUG, "uuid=%s boot=%u %s->%s on %s", r->uuid,
             r->boot, memctx_phase_name(r->phase), memctx_phase_name(t.next),
             memctx_event_name(event));
    tell_end(r, event, &t, result);
    r->phase = t.next;
    if (record_state(r) != MEMCTX_STATE_READY)
        hold_show(r);
    if (moved || result != NULL)
        tell_reason(r, event, result);
    bool over = perform(r, t.actions, result);
    if (over)
        return true;
    hold_show(r);
    tell_change(r, &before, event, result != NULL ? result->attempt : 0);
    if (record_has_changed(r, &before))
        r->ops->changed(r->ops->arg, r);
    return false;
}

bool
record_handle(struct record *r, enum memctx_event event, bool cold)
{
    if (event == MEMCTX_EVENT_START && cold && r->boot == 1) {
        if (!r->booted && !r->has_datum)
            r->start_us = clocks_us(CLOCK_MONOTONIC);
        r->booted = true;
        r->cold = true;
    }
    r->died = r->died || event == MEMCTX_EVENT_DIED;
    return step(r, event, NULL);
}

/* A kernel that is complete but not seen running yet leaves its datum alone
 * only if it is its own; where nothing was seen of any there must be one. */
static bool
is_mine(const struct record *r, const struct adapter_result *result)
{
    return r->has_datum &&
           (!result->has_datum ||
            memctx_datum_is_same_kernel(&r->datum, &result->datum));
}

/* Is the kernel of a paused guest the one that runs? A paused guest proves
 * nothing: somebody must have seen it, and nothing happened since. */
static bool
is_proven(const struct record *r, const struct adapter_result *result)
{
    return result->datum.seen == MEMCTX_SEEN_RUNNING || r->cold ||
           (r->watched && is_mine(r, result));
}

/* What the end of a try means for this record. The clocks of some kernels go on
 * after a panic. */
static enum memctx_event
judge_end(const struct record *r, const struct adapter_result *result)
{
    bool mine = is_mine(r, result);
    bool paused = record_is_paused(r);
    if (result->event == MEMCTX_EVENT_FOUND && r->died &&
        hold_is_last_kernel(r, &result->datum))
        return paused ? MEMCTX_EVENT_COMPLETE : MEMCTX_EVENT_STILL;
    if (result->event == MEMCTX_EVENT_FOUND && paused && !is_proven(r, result))
        return MEMCTX_EVENT_COMPLETE;
    /* It was paused before that could be seen: it is searched as a whole. */
    if (result->event == MEMCTX_EVENT_PENDING && !mine)
        return paused && result->has_datum ? MEMCTX_EVENT_STILL
                                           : MEMCTX_EVENT_RETRY;
    if (result->event == MEMCTX_EVENT_STILL && r->has_datum && !mine)
        return MEMCTX_EVENT_RETRY;
    return result->event;
}

/* One thing that has happened. */
static bool
take_result(struct record *r, struct adapter_result *result)
{
    if (result->event == MEMCTX_EVENT_TIMER)
        return step(r, MEMCTX_EVENT_TIMER, NULL);
    if (result->event == MEMCTX_EVENT_MOVES && r->died)
        return false;
    r->died = r->died || result->event == MEMCTX_EVENT_DIED;
    result->event = judge_end(r, result);
    bool over = step(r, result->event, result);
    if (!over)
        tell_faults(r);
    return over;
}

bool
record_dispatch(struct record *r, enum adapter_cookie cookie)
{
    struct adapter_result result;
    bool over = false;
    while (!over && adapter_dispatch(r->adapter, cookie, &result)) {
        over = take_result(r, &result);
        adapter_result_deinit(&result);
    }
    return over;
}
