/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Performs what the transition table decides; decides nothing itself but
 * whether a datum is the one that already stands published. */
#include "record/record.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/cleanup.h"
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

/* What the adapter closes must not be held open here. */
static void
drop_map(struct record *r)
{
    memctx_rammap_destroy(r->map);
    r->map = NULL;
}

/* Readers are told by the state page before anything else is done: what they
 * opened holds, is doubtful, or is over. */
static void
show_epoch(struct record *r)
{
    enum memctx_state state = record_state(r);
    if (r->has_datum && state == MEMCTX_STATE_SILENT)
        epoch_set_silent(r->epoch, r->kernel_epoch);
    else if (r->has_datum && state != MEMCTX_STATE_READY)
        epoch_set(r->epoch, STATEPAGE_UNKNOWN);
    else
        epoch_set(r->epoch, r->kernel_epoch);
}

/* From now on no reader's epoch is the one that is shown. */
static void
end_epoch(struct record *r)
{
    r->kernel_epoch = epoch_next();
    epoch_set(r->epoch, r->kernel_epoch);
}

static void
drop_datum(struct record *r)
{
    drop_map(r);
    if (r->has_datum)
        memctx_datum_deinit(&r->datum);
    r->has_datum = false;
    r->unpublished = false;
    r->watched = false;
    r->told = false;
}

static void
drop_claim(struct record *r)
{
    if (r->has_claim)
        memctx_datum_deinit(&r->claim);
    r->has_claim = false;
}

void
record_destroy(struct record *r)
{
    if (r == NULL)
        return;
    drop_datum(r);
    drop_claim(r);
    epoch_set(r->epoch, STATEPAGE_OVER);
    epoch_drop(r->epoch);
    adapter_destroy(r->adapter);
    free(r->name);
    free(r);
}

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

static void
count_up_to(struct record *r, unsigned generation)
{
    r->run.generation = (unsigned)memctx_max(r->run.generation, generation);
}

/* libvirt told of no end of the run that we knew, and yet QEMU is another: it
 * happened while libvirt itself was away. What was published went with it. */
static void
begin_anew(struct record *r, bool has_inherited)
{
    end_epoch(r);
    if (!has_inherited)
        r->ops->withdraw(r->ops->arg, r);
    drop_datum(r);
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
is_mere_claim(const struct record *r, const struct adapter_result *result)
{
    return !r->has_datum && result->opened && r->run.generation == 0 &&
           r->boot == 1;
}

static void
take_claim(struct record *r, struct adapter_result *result)
{
    drop_claim(r);
    r->claim = result->inherited;
    r->has_claim = true;
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
    count_up_to(r, run->generation);
}

/* What stood in the metadata counts as published until it is withdrawn or found
 * to be right. */
static void
take_over(struct record *r, struct adapter_result *result)
{
    if (r->run.generation == 0)
        count_up_to(r, result->inherited.generation);
    if (r->has_datum)
        return;
    r->datum = result->inherited;
    r->has_datum = true;
    result->has_inherited = false;
    /* A reset since then: it is an earlier kernel's. */
    if (r->boot > 1)
        record_withdraw(r);
}

static void
inherit(struct record *r, struct adapter_result *result)
{
    if (result->opened)
        join_run(r, result);
    if (!result->has_inherited)
        return;
    if (is_disowned(r, result))
        r->ops->withdraw(r->ops->arg, r);
    else if (is_mere_claim(r, result))
        take_claim(r, result);
    else
        take_over(r, result);
}

/* Is it the last kernel that was seen running in this run, as far as anybody
 * remembers? A reset ends that, and so does another kernel. */
static bool
is_remembered(const struct record *r, const struct memctx_datum *datum)
{
    char words[MEMCTX_KERNEL_WORDS_MAX];
    memctx_kernel_words(&datum->kernel, words);
    return strcmp(r->run.kernel, words) == 0;
}

/* The same kernel found again is the same generation: while its datum stands,
 * after it was withdrawn for a pulse too slow, or by an agent that ended. */
static bool
is_last_kernel(const struct record *r, const struct memctx_datum *datum)
{
    if (r->has_datum && !r->unpublished)
        return r->datum.generation != 0 &&
               memctx_datum_is_same_kernel(&r->datum, datum);
    return is_remembered(r, datum);
}

/* How and when it was found first. */
static void
keep_evidence(struct memctx_datum *to, const struct memctx_datum *from)
{
    to->attempts = from->attempts;
    to->candidates = from->candidates;
    to->seen = from->seen;
    to->layout = from->layout;
    memcpy(to->published, from->published, sizeof(to->published));
    memcpy(to->kernel.found, from->kernel.found, sizeof(to->kernel.found));
    memcpy(to->kernel.checks, from->kernel.checks, sizeof(to->kernel.checks));
}

/* The try's datum takes the place of the one that stood, if `same`, of the same
 * kernel. True: nothing differs that readers act on. */
static bool
take_datum(struct record *r, struct adapter_result *result, bool same)
{
    struct memctx_datum *datum = &result->datum;
    datum->live = r->has_datum ? r->datum.live : MEMCTX_LIVE_RUNS;
    bool equal =
        same && r->has_datum && memctx_datum_is_equal(&r->datum, datum);
    memctx_datum_stamp(datum, (int64_t)time(NULL));
    if (equal)
        keep_evidence(datum, &r->datum);
    drop_datum(r);
    r->datum = *datum;
    r->has_datum = true;
    result->has_datum = false;
    r->map = memctx_steal_ptr(&result->map);
    if (!equal || r->kernel_epoch == 0 || r->identity != result->identity)
        r->kernel_epoch = epoch_next();
    r->identity = result->identity;
    show_epoch(r);
    return equal;
}

/* What the next agent should know of it. */
static void
note(struct record *r)
{
    r->run.live = r->has_datum ? r->datum.live : MEMCTX_LIVE_RUNS;
    r->run.died = r->died;
    r->run.words = adapter_words(r->adapter);
}

static void
remember(struct record *r)
{
    note(r);
    r->ops->remember(r->ops->arg, r);
}

/* The datum says from now on whether its kernel runs. */
static void
say(struct record *r, enum memctx_datum_live live)
{
    r->datum.live = live;
    note(r);
    r->ops->publish(r->ops->arg, r, &r->datum);
    r->told = true;
}

/* One more kernel; or the first one, which came with its generation from where
 * the guest was before. */
static void
count(struct record *r, const struct memctx_datum *datum)
{
    bool came = r->has_claim && r->claim.generation > 0 &&
                r->run.generation == 0 && r->boot == 1 &&
                memctx_datum_is_same_kernel(&r->claim, datum);
    if (came)
        count_up_to(r, r->claim.generation);
    else if (r->run.generation < UINT_MAX)
        r->run.generation++;
    drop_claim(r);
}

/* A kernel that runs. From here on RAM has held a kernel, which a kexec may
 * replace. */
static void
publish(struct record *r, struct adapter_result *result)
{
    bool same = is_last_kernel(r, &result->datum);
    if (!same)
        count(r, &result->datum);
    result->datum.generation = r->run.generation;
    take_datum(r, result, same);
    memctx_kernel_words(&r->datum.kernel, r->run.kernel);
    r->cold = false;
    r->watched = true;
    r->died = false;
    say(r, MEMCTX_LIVE_RUNS);
}

/* A kernel that does not run, or of which nobody knows. One that nobody has
 * seen running is counted by nobody, and stands in no metadata. */
static void
keep(struct record *r, struct adapter_result *result)
{
    if (result == NULL || !result->has_datum)
        return;
    bool stood = r->has_datum && !r->unpublished;
    bool seen = is_remembered(r, &result->datum);
    if (stood && !seen)
        r->ops->withdraw(r->ops->arg, r);
    result->datum.generation = seen ? r->run.generation : 0;
    bool watched = r->watched;
    bool told = r->told;
    bool equal = take_datum(r, result, r->has_datum);
    r->watched = watched && seen;
    r->told = told && seen && equal && stood;
    r->unpublished = !seen;
    if (seen)
        adapter_recall(r->adapter, &r->run.words);
}

/* Only what was watched all the time is known not to run; a panic is known
 * anyhow. */
static enum memctx_datum_live
judge_live(const struct record *r)
{
    bool knows =
        r->died || (!record_is_paused(r) && adapter_knows_cpu(r->adapter));
    return knows ? MEMCTX_LIVE_NO : MEMCTX_LIVE_UNKNOWN;
}

static void
mark(struct record *r, struct adapter_result *result)
{
    keep(r, result);
    if (!r->has_datum)
        return;
    enum memctx_datum_live live = judge_live(r);
    if (r->unpublished)
        r->datum.live = live;
    else if (!r->told || r->datum.live != live)
        say(r, live);
}

static void
unmark(struct record *r)
{
    r->watched = true;
    say(r, MEMCTX_LIVE_RUNS);
}

void
record_withdraw(struct record *r)
{
    if (!r->has_datum)
        return;
    end_epoch(r);
    if (!r->unpublished)
        r->ops->withdraw(r->ops->arg, r);
    drop_datum(r);
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
    r->wait_logged = false;
    memctx_error_set(&r->reason, MEMCTX_RETRY, "%s", reason);
    r->cold = false;
    r->died = false;
    r->believed = false;
    adapter_new_boot(r->adapter);
}

static void
distrust(struct record *r)
{
    drop_map(r);
    r->cold = false;
    r->watched = false;
    r->believed = false;
    adapter_close(r->adapter, true);
}

/* Memory may have moved with its layout; a guest that runs has run on. */
static void
reopen(struct record *r)
{
    drop_map(r);
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
                                        .standing = is_standing(r)};
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
        record_withdraw(r);
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
        publish(r, result);
    if ((actions & MEMCTX_ACT_KEEP) != 0)
        keep(r, result);
    if ((actions & MEMCTX_ACT_MARK) != 0)
        mark(r, result);
    if ((actions & MEMCTX_ACT_UNMARK) != 0)
        unmark(r);
    if ((actions & MEMCTX_ACT_REMEMBER) != 0)
        remember(r);
}

/* In the order of the bits: what is old goes before something new begins. */
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
        drop_map(r);
        adapter_release(r->adapter);
    }
    if (listens)
        adapter_listen(r->adapter, true);
    return (actions & MEMCTX_ACT_FORGET) != 0;
}

/* Tries beside a kernel that does not run say that of it in their own words. */
static bool
has_better_reason(const struct record *r, enum memctx_event event)
{
    return (r->phase == MEMCTX_PHASE_DOUBT ||
            record_state(r) == MEMCTX_STATE_SILENT) &&
           r->reason.kind != MEMCTX_OK &&
           (event == MEMCTX_EVENT_PENDING || event == MEMCTX_EVENT_TIMER ||
            event == MEMCTX_EVENT_SUSPEND || event == MEMCTX_EVENT_RESUME);
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
static void
set_reason(struct record *r, enum memctx_event event,
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

/* What others see of a record, as far as it changes. */
struct appearance {
    enum memctx_state state;
    bool has_datum;
    enum memctx_datum_live live; /* of the datum */
    uint64_t kernel_epoch;
    struct memctx_error reason;
};

static struct appearance
look(const struct record *r)
{
    return (struct appearance){record_state(r), r->has_datum,
                               r->has_datum ? r->datum.live : MEMCTX_LIVE_RUNS,
                               r->kernel_epoch, r->reason};
}

static bool
is_same(const struct appearance *a, const struct appearance *b)
{
    return a->state == b->state && a->has_datum == b->has_datum &&
           a->live == b->live && a->kernel_epoch == b->kernel_epoch &&
           a->reason.kind == b->reason.kind &&
           strcmp(a->reason.message, b->reason.message) == 0;
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
log_state(const struct record *r, enum log_level level, const char *what,
          const char *more)
{
    const char *reason = record_reason(r);
    log_line(r->log, level, "uuid=%s name=%s boot=%u %s%s%s%s", r->uuid,
             LOG_QUOTE(r->name), r->boot, what,
             reason[0] != '\0' ? " reason=" : "",
             reason[0] != '\0' ? LOG_QUOTE(reason) : "", more);
}

static enum log_level
level_of_news(const struct record *r, bool lost, bool first)
{
    enum memctx_state state = record_state(r);
    if (state == MEMCTX_STATE_UNSUPPORTED)
        return LOG_LEVEL_WARNING;
    return state == MEMCTX_STATE_WAITING && !first && !lost ? LOG_LEVEL_DEBUG
                                                            : LOG_LEVEL_INFO;
}

/* One line when outsiders see another state, and one at the first try that
 * failed; then silence. */
static void
tell(struct record *r, const struct appearance *before, enum memctx_event event,
     unsigned attempt)
{
    char what[128];
    char more[REPEATS_WORDS_SIZE] = "";
    enum memctx_state to = record_state(r);
    bool first = to == MEMCTX_STATE_WAITING && !r->wait_logged &&
                 event == MEMCTX_EVENT_RETRY;
    if (to == before->state && !first)
        return;
    enum log_level level =
        level_of_news(r, before->has_datum && !r->has_datum, first);
    if (level != LOG_LEVEL_DEBUG &&
        !repeats_happen(&r->news, &telling, clocks_now_ms(), more))
        level = LOG_LEVEL_DEBUG;
    snprintf(what, sizeof(what), "%s->%s on %s attempt=%u",
             memctx_state_name(before->state), memctx_state_name(to),
             memctx_event_name(event), attempt);
    log_state(r, level, what, more);
    r->wait_logged = to == MEMCTX_STATE_WAITING && (first || r->wait_logged);
}

void
record_tell_late(struct record *r, uint64_t now_ms)
{
    char what[64];
    char more[REPEATS_WORDS_SIZE];
    if (!repeats_settle(&r->news, &telling, now_ms, more))
        return;
    snprintf(what, sizeof(what), "still changes: it is %s",
             memctx_state_name(record_state(r)));
    log_state(r, LOG_LEVEL_INFO, what, more);
}

bool
record_is_paused(const struct record *r)
{
    return memctx_phase_is_paused(r->phase);
}

static bool
step(struct record *r, enum memctx_event event, struct adapter_result *result)
{
    struct appearance before = look(r);
    struct memctx_transition t = memctx_domain_transition(r->phase, event);
    bool moved = t.next != r->phase;
    log_line(r->log, LOG_LEVEL_DEBUG, "uuid=%s boot=%u %s->%s on %s", r->uuid,
             r->boot, memctx_phase_name(r->phase), memctx_phase_name(t.next),
             memctx_event_name(event));
    r->phase = t.next;
    if (record_state(r) != MEMCTX_STATE_READY)
        show_epoch(r);
    if (moved || result != NULL)
        set_reason(r, event, result);
    bool over = perform(r, t.actions, result);
    if (over)
        return true;
    show_epoch(r);
    tell(r, &before, event, result != NULL ? result->attempt : 0);
    struct appearance after = look(r);
    if (!is_same(&before, &after))
        r->ops->changed(r->ops->arg, r);
    return false;
}

bool
record_handle(struct record *r, enum memctx_event event, bool cold)
{
    if (event == MEMCTX_EVENT_START && cold && r->boot == 1) {
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
        is_last_kernel(r, &result->datum))
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

/* What its guest may have done with a prober: at first, and then each time that
 * it happened twice as often. */
static void
log_faults(struct record *r)
{
    const char *words;
    unsigned faults = adapter_faults(r->adapter, &words);
    if (faults == 0 || faults < 2 * r->faults_logged)
        return;
    log_line(r->log, LOG_LEVEL_WARNING,
             "uuid=%s name=%s boot=%u prober fault %u: it %s reason=%s",
             r->uuid, LOG_QUOTE(r->name), r->boot, faults, words,
             LOG_QUOTE(record_reason(r)));
    r->faults_logged = faults;
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
        log_faults(r);
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
