/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Visits every cell of the transition table: laws that all cells keep, and
 * stories that libvirt tells. */
#include "unit.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "domain/domain.h"

/* What the caller of the table has in its hands. */
struct ghost {
    enum memctx_phase phase;
    bool running; /* a try */
    bool armed;   /* the timer */
    bool datum;   /* is published */
};

static bool
is_searching(enum memctx_phase phase)
{
    return phase == MEMCTX_PHASE_PROBING ||
           phase == MEMCTX_PHASE_PROBING_PAUSED ||
           phase == MEMCTX_PHASE_CHECKING ||
           phase == MEMCTX_PHASE_CHECKING_PAUSED;
}

/* Whose kernel is listened to: tries are made beside that, or not. */
static bool
is_listening(enum memctx_phase phase)
{
    return phase == MEMCTX_PHASE_READY || phase == MEMCTX_PHASE_LULL ||
           phase == MEMCTX_PHASE_DOUBT || phase == MEMCTX_PHASE_SILENT;
}

static bool
may_run(enum memctx_phase phase)
{
    return is_searching(phase) || is_listening(phase);
}

/* Waits for the timer, and for nothing else. */
static bool
is_waiting(enum memctx_phase phase)
{
    return phase == MEMCTX_PHASE_BACKOFF || phase == MEMCTX_PHASE_CHECK_WAIT;
}

static bool
may_be_armed(enum memctx_phase phase)
{
    return is_waiting(phase) || is_listening(phase);
}

static bool
is_paused(enum memctx_phase phase)
{
    return phase == MEMCTX_PHASE_PROBING_PAUSED ||
           phase == MEMCTX_PHASE_PAUSED || phase == MEMCTX_PHASE_READY_PAUSED ||
           phase == MEMCTX_PHASE_SILENT_PAUSED ||
           phase == MEMCTX_PHASE_CHECKING_PAUSED;
}

static bool
is_result(enum memctx_event event)
{
    return event == MEMCTX_EVENT_FOUND || event == MEMCTX_EVENT_RETRY ||
           event == MEMCTX_EVENT_PENDING || event == MEMCTX_EVENT_STILL ||
           event == MEMCTX_EVENT_COMPLETE || event == MEMCTX_EVENT_CONFIRMED ||
           event == MEMCTX_EVENT_NEVER;
}

static bool
is_heard(enum memctx_event event)
{
    return event == MEMCTX_EVENT_MOVES || event == MEMCTX_EVENT_LULL ||
           event == MEMCTX_EVENT_STANDS || event == MEMCTX_EVENT_REPLACED ||
           event == MEMCTX_EVENT_UNREAD;
}

/* A search finds a kernel or has one pending, a look confirms it; both can
 * fail. That a paused guest has one kernel says a search that began while it
 * was. */
static bool
can_end_with(enum memctx_phase phase, enum memctx_event event)
{
    bool beside = phase == MEMCTX_PHASE_LULL || phase == MEMCTX_PHASE_DOUBT ||
                  phase == MEMCTX_PHASE_SILENT;
    if (event == MEMCTX_EVENT_FOUND)
        return is_searching(phase) || beside;
    if (event == MEMCTX_EVENT_STILL)
        return is_searching(phase) || phase == MEMCTX_PHASE_SILENT;
    if (event == MEMCTX_EVENT_COMPLETE)
        return is_searching(phase) && is_paused(phase);
    if (event == MEMCTX_EVENT_CONFIRMED)
        return phase == MEMCTX_PHASE_READY || phase == MEMCTX_PHASE_LULL;
    return is_result(event) && may_run(phase);
}

#define ARMS (MEMCTX_ACT_ARM | MEMCTX_ACT_ARM_LOOK | MEMCTX_ACT_ARM_DOUBT)
#define TRIES (MEMCTX_ACT_PROBE | MEMCTX_ACT_LOOK)

static bool
is_end(enum memctx_event event)
{
    return event == MEMCTX_EVENT_STOP || event == MEMCTX_EVENT_GONE;
}

typedef bool law_fn(enum memctx_phase phase, enum memctx_event event,
                    enum memctx_phase next, unsigned actions);

/* Every cell keeps the law, or each that does not is named. */
static void
check_law(law_fn *law)
{
    bool kept = true;
    for (unsigned p = 0; p < MEMCTX_PHASES; p++) {
        for (unsigned e = 0; e < MEMCTX_EVENTS; e++) {
            struct memctx_transition cell = memctx_domain_transition(p, e);
            if (law(p, e, cell.next, cell.actions))
                continue;
            print_error("broken by %s x %s -> %s, actions %#x\n",
                        memctx_phase_name(p), memctx_event_name(e),
                        memctx_phase_name(cell.next), cell.actions);
            kept = false;
        }
    }
    assert_true(kept);
}

/* An empty cell would lead to NEW, which no event does. */
static bool
is_filled(enum memctx_phase phase, enum memctx_event event,
          enum memctx_phase next, unsigned actions)
{
    (void)actions;
    if (next != MEMCTX_PHASE_NEW)
        return next < MEMCTX_PHASES;
    return phase == MEMCTX_PHASE_NEW &&
           (is_result(event) || is_heard(event) || is_end(event) ||
            event == MEMCTX_EVENT_TIMER || event == MEMCTX_EVENT_LAYOUT ||
            event == MEMCTX_EVENT_DIED || event == MEMCTX_EVENT_OPENED);
}

static bool
forgets_at_the_end_only(enum memctx_phase phase, enum memctx_event event,
                        enum memctx_phase next, unsigned actions)
{
    if (is_end(event))
        return next == phase &&
               actions == (MEMCTX_ACT_ABANDON | MEMCTX_ACT_FORGET);
    return (actions & MEMCTX_ACT_FORGET) == 0;
}

static bool
publishes_what_was_found(enum memctx_phase phase, enum memctx_event event,
                         enum memctx_phase next, unsigned actions)
{
    bool found =
        event == MEMCTX_EVENT_FOUND && can_end_with(phase, MEMCTX_EVENT_FOUND);
    if (!found)
        return (actions & MEMCTX_ACT_PUBLISH) == 0;
    if (is_paused(phase))
        return next == MEMCTX_PHASE_READY_PAUSED &&
               actions == MEMCTX_ACT_PUBLISH;
    return next == MEMCTX_PHASE_READY &&
           actions == (MEMCTX_ACT_PUBLISH | MEMCTX_ACT_ARM_LOOK);
}

/* A kernel that does not run is marked when that is known, and so is one that
 * goes on. */
static bool
marks_what_is_silent(enum memctx_phase phase, enum memctx_event event,
                     enum memctx_phase next, unsigned actions)
{
    bool from = memctx_phase_state(phase) == MEMCTX_STATE_SILENT;
    bool to = memctx_phase_state(next) == MEMCTX_STATE_SILENT;
    bool surer = event == MEMCTX_EVENT_STILL || event == MEMCTX_EVENT_STANDS ||
                 event == MEMCTX_EVENT_DIED;
    bool marks = (actions & MEMCTX_ACT_MARK) != 0;
    bool unmarks = (actions & MEMCTX_ACT_UNMARK) != 0;
    if (from && to && phase == MEMCTX_PHASE_SILENT)
        return marks == surer && !unmarks;
    if (from && to)
        return marks == (event == MEMCTX_EVENT_DIED) && !unmarks;
    return marks == to && unmarks == (from && event == MEMCTX_EVENT_MOVES &&
                                      next == MEMCTX_PHASE_READY);
}

/* Only libvirt, or what the kernel says itself, tells of a death at once. */
static bool
doubts_before_it_is_silent(enum memctx_phase phase, enum memctx_event event,
                           enum memctx_phase next, unsigned actions)
{
    (void)actions;
    return event != MEMCTX_EVENT_STANDS ||
           (phase == MEMCTX_PHASE_READY || phase == MEMCTX_PHASE_LULL
                ? next == MEMCTX_PHASE_DOUBT
                : next == phase);
}

/* Where another kernel counts, the last one is over, however much alike. */
static bool
begins_anew_with_another_kernel(enum memctx_phase phase,
                                enum memctx_event event, enum memctx_phase next,
                                unsigned actions)
{
    const unsigned wanted = MEMCTX_ACT_ABANDON | MEMCTX_ACT_WITHDRAW |
                            MEMCTX_ACT_NEW_KERNEL | MEMCTX_ACT_PROBE;
    bool replaced = event == MEMCTX_EVENT_REPLACED && is_listening(phase);
    if (!replaced)
        return (actions & MEMCTX_ACT_NEW_KERNEL) == 0;
    return next == MEMCTX_PHASE_PROBING && actions == wanted;
}

/* What the heartbeat says late concerns nobody. */
static bool
hears_what_it_listens_to(enum memctx_phase phase, enum memctx_event event,
                         enum memctx_phase next, unsigned actions)
{
    bool late = is_heard(event) && !memctx_phase_listens(phase);
    return memctx_phase_listens(phase) == is_listening(phase) &&
           memctx_phase_is_paused(phase) == is_paused(phase) &&
           (!late || (next == phase && actions == 0));
}

static bool
withdraws_when_it_has_to_wait(enum memctx_phase phase, enum memctx_event event,
                              enum memctx_phase next, unsigned actions)
{
    enum memctx_state from = memctx_phase_state(phase);
    (void)event;
    if (memctx_phase_state(next) != MEMCTX_STATE_WAITING ||
        (from != MEMCTX_STATE_READY && from != MEMCTX_STATE_STALE &&
         from != MEMCTX_STATE_SILENT))
        return true;
    return (actions & MEMCTX_ACT_WITHDRAW) != 0;
}

static bool
arms_where_it_waits_for_the_timer(enum memctx_phase phase,
                                  enum memctx_event event,
                                  enum memctx_phase next, unsigned actions)
{
    (void)event;
    switch (actions & ARMS) {
    case MEMCTX_ACT_ARM:
        return is_waiting(next) || next == MEMCTX_PHASE_LULL ||
               next == MEMCTX_PHASE_SILENT;
    case MEMCTX_ACT_ARM_LOOK:
        return next == MEMCTX_PHASE_READY;
    case MEMCTX_ACT_ARM_DOUBT:
        return next == MEMCTX_PHASE_DOUBT && phase != next;
    case 0:
        return !is_waiting(next) || phase == next;
    default:
        return false;
    }
}

/* A search that ends beside a silent kernel is followed by another. */
static bool
goes_on_beside_a_silent_kernel(enum memctx_phase phase, enum memctx_event event,
                               enum memctx_phase next, unsigned actions)
{
    bool enters = phase != next && next == MEMCTX_PHASE_SILENT;
    bool ended = phase == MEMCTX_PHASE_SILENT && next == phase &&
                 can_end_with(phase, event);
    return !(enters || ended) ||
           (actions & (MEMCTX_ACT_ARM | MEMCTX_ACT_PROBE)) != 0;
}

static bool
does_not_arm_while_paused(enum memctx_phase phase, enum memctx_event event,
                          enum memctx_phase next, unsigned actions)
{
    (void)event;
    return (actions & ARMS) == 0 || (!is_paused(phase) && !is_paused(next));
}

/* A try is begun beside a kernel that is listened to. */
static bool
begins_beside(enum memctx_phase phase, enum memctx_event event,
              enum memctx_phase next)
{
    if (next == MEMCTX_PHASE_DOUBT)
        return phase == MEMCTX_PHASE_READY || phase == MEMCTX_PHASE_LULL;
    if (next == MEMCTX_PHASE_LULL)
        return phase == MEMCTX_PHASE_READY || event == MEMCTX_EVENT_TIMER;
    if (next == MEMCTX_PHASE_READY)
        return phase == next && event == MEMCTX_EVENT_TIMER;
    return next == MEMCTX_PHASE_SILENT &&
           (phase == MEMCTX_PHASE_SILENT_PAUSED ||
            (phase == next &&
             (event == MEMCTX_EVENT_TIMER || event == MEMCTX_EVENT_LAYOUT)));
}

static bool
starts_one_try(enum memctx_phase phase, enum memctx_event event,
               enum memctx_phase next, unsigned actions)
{
    unsigned tries = actions & TRIES;
    unsigned wanted =
        next == MEMCTX_PHASE_READY ? MEMCTX_ACT_LOOK : MEMCTX_ACT_PROBE;
    /* A try that ended, or was abandoned, may be followed by another at once;
     * a result that nobody waits for starts none. */
    bool ended =
        can_end_with(phase, event) || (actions & MEMCTX_ACT_ABANDON) != 0;
    bool starts =
        is_listening(next)
            ? begins_beside(phase, event, next) && event != MEMCTX_EVENT_DIED
            : is_searching(next) && (!is_searching(phase) || ended);
    return tries == (starts && !is_end(event) ? wanted : 0);
}

/* A search ends by itself; only doubt does not wait for that. */
static bool
probes_or_arms(enum memctx_phase phase, enum memctx_event event,
               enum memctx_phase next, unsigned actions)
{
    (void)phase;
    (void)event;
    return (actions & TRIES) == 0 || (actions & ARMS) == 0 ||
           next == MEMCTX_PHASE_DOUBT;
}

static bool
abandons_what_it_leaves(enum memctx_phase phase, enum memctx_event event,
                        enum memctx_phase next, unsigned actions)
{
    bool leaves_try = may_run(phase) && next != phase && !is_result(event) &&
                      !(is_searching(phase) && is_searching(next));
    bool leaves_timer =
        is_waiting(phase) && next != phase && event != MEMCTX_EVENT_TIMER;
    return !(leaves_try || leaves_timer) || (actions & MEMCTX_ACT_ABANDON) != 0;
}

static bool
ignores_results_of_nothing(enum memctx_phase phase, enum memctx_event event,
                           enum memctx_phase next, unsigned actions)
{
    bool late = (is_result(event) && !can_end_with(phase, event)) ||
                (event == MEMCTX_EVENT_TIMER && !may_be_armed(phase));
    return !late || (next == phase && actions == 0);
}

static bool
resets_to_a_new_boot(enum memctx_phase phase, enum memctx_event event,
                     enum memctx_phase next, unsigned actions)
{
    const unsigned wanted = MEMCTX_ACT_WITHDRAW | MEMCTX_ACT_NEW_BOOT;
    if (event != MEMCTX_EVENT_RESET)
        return (actions & MEMCTX_ACT_NEW_BOOT) == 0;
    if (phase == MEMCTX_PHASE_UNSUPPORTED)
        return next == phase && actions == 0;
    return (actions & wanted) == wanted &&
           next ==
               (is_paused(phase) ? MEMCTX_PHASE_PAUSED : MEMCTX_PHASE_BACKOFF);
}

static bool
releases_what_can_never_work(enum memctx_phase phase, enum memctx_event event,
                             enum memctx_phase next, unsigned actions)
{
    bool never = event == MEMCTX_EVENT_NEVER && may_run(phase);
    return never == ((actions & MEMCTX_ACT_RELEASE) != 0) &&
           (!never || next == MEMCTX_PHASE_UNSUPPORTED);
}

static bool
stays_unsupported(enum memctx_phase phase, enum memctx_event event,
                  enum memctx_phase next, unsigned actions)
{
    if (phase != MEMCTX_PHASE_UNSUPPORTED || is_end(event) ||
        event == MEMCTX_EVENT_OPENED)
        return true;
    return next == phase && actions == 0;
}

/* No call of libvirt can be made: data stay, nothing else does. */
static bool
believes_nothing_while_away(enum memctx_phase phase, enum memctx_event event,
                            enum memctx_phase next, unsigned actions)
{
    return event != MEMCTX_EVENT_AWAY || phase == MEMCTX_PHASE_UNSUPPORTED ||
           (next == MEMCTX_PHASE_AWAY &&
            (actions & ~(unsigned)MEMCTX_ACT_ABANDON) ==
                (phase == MEMCTX_PHASE_AWAY ? 0u : MEMCTX_ACT_DISTRUST));
}

/* What was found in the old layout may have been read from the wrong place, but
 * the guest runs on. */
static bool
reopens_another_layout(enum memctx_phase phase, enum memctx_event event,
                       enum memctx_phase next, unsigned actions)
{
    bool blind = phase == MEMCTX_PHASE_NEW || phase == MEMCTX_PHASE_AWAY ||
                 phase == MEMCTX_PHASE_UNSUPPORTED;
    if (event != MEMCTX_EVENT_LAYOUT)
        return true;
    if (blind)
        return next == phase && actions == 0;
    return (actions & MEMCTX_ACT_REOPEN) != 0 &&
           memctx_phase_state(next) != MEMCTX_STATE_READY;
}

static bool
waits_for_ram_that_arrives(enum memctx_phase phase, enum memctx_event event,
                           enum memctx_phase next, unsigned actions)
{
    (void)actions;
    return event != MEMCTX_EVENT_ARRIVING ||
           phase == MEMCTX_PHASE_UNSUPPORTED || next == MEMCTX_PHASE_PAUSED;
}

/* What was read of a run counts wherever it is. */
static bool
inherits_what_was_read(enum memctx_phase phase, enum memctx_event event,
                       enum memctx_phase next, unsigned actions)
{
    if (event != MEMCTX_EVENT_OPENED)
        return (actions & MEMCTX_ACT_INHERIT) == 0;
    return next == phase && actions == MEMCTX_ACT_INHERIT;
}

#define LAW(law)                         \
    static void test_##law(void **state) \
    {                                    \
        (void)state;                     \
        check_law(law);                  \
    }
LAW(is_filled)
LAW(forgets_at_the_end_only)
LAW(publishes_what_was_found)
LAW(marks_what_is_silent)
LAW(doubts_before_it_is_silent)
LAW(begins_anew_with_another_kernel)
LAW(hears_what_it_listens_to)
LAW(goes_on_beside_a_silent_kernel)
LAW(withdraws_when_it_has_to_wait)
LAW(arms_where_it_waits_for_the_timer)
LAW(does_not_arm_while_paused)
LAW(starts_one_try)
LAW(probes_or_arms)
LAW(abandons_what_it_leaves)
LAW(ignores_results_of_nothing)
LAW(resets_to_a_new_boot)
LAW(releases_what_can_never_work)
LAW(stays_unsupported)
LAW(believes_nothing_while_away)
LAW(reopens_another_layout)
LAW(waits_for_ram_that_arrives)
LAW(inherits_what_was_read)

/* Perform an event as agent/record/record.c does, in the order of the bits. */
static struct ghost
perform(struct ghost g, enum memctx_event event)
{
    struct memctx_transition cell = memctx_domain_transition(g.phase, event);
    g.phase = cell.next;
    if (is_result(event))
        g.running = false;
    if (event == MEMCTX_EVENT_TIMER)
        g.armed = false;
    if (cell.actions & MEMCTX_ACT_ABANDON)
        g.running = g.armed = false;
    if (cell.actions & MEMCTX_ACT_WITHDRAW)
        g.datum = false;
    if (cell.actions & TRIES)
        g.running = true;
    if (cell.actions & ARMS)
        g.armed = true;
    if (cell.actions & (MEMCTX_ACT_PUBLISH | MEMCTX_ACT_MARK))
        g.datum = true;
    return g;
}

/* A result can come only from a try, the timer only when armed. */
static bool
can_happen(const struct ghost *g, enum memctx_event event)
{
    if (event == MEMCTX_EVENT_PENDING && !g->datum)
        return false;
    if (is_result(event))
        return g->running && can_end_with(g->phase, event);
    if (is_heard(event))
        return memctx_phase_listens(g->phase);
    return event == MEMCTX_EVENT_TIMER ? g->armed : !is_end(event);
}

/* What a phase promises: READY, SILENT and CHECK_WAIT that there is a datum;
 * where it waits and nothing runs, nobody vouches for one. */
static bool
is_sound(const struct ghost *g)
{
    enum memctx_state state = memctx_phase_state(g->phase);
    bool has = state == MEMCTX_STATE_READY || state == MEMCTX_STATE_SILENT ||
               g->phase == MEMCTX_PHASE_DOUBT ||
               g->phase == MEMCTX_PHASE_CHECK_WAIT;
    bool none = g->phase == MEMCTX_PHASE_BACKOFF ||
                g->phase == MEMCTX_PHASE_PAUSED ||
                g->phase == MEMCTX_PHASE_UNSUPPORTED;
    if ((has && !g->datum) || (none && g->datum))
        return false;
    if (g->phase == MEMCTX_PHASE_SILENT || g->phase == MEMCTX_PHASE_LULL)
        return g->running != g->armed;
    if (g->phase == MEMCTX_PHASE_DOUBT)
        return g->armed;
    if (g->phase == MEMCTX_PHASE_READY)
        return !g->running || !g->armed;
    return g->running == is_searching(g->phase) &&
           g->armed == is_waiting(g->phase);
}

/* All that can happen, from a record just made: with a datum that an agent
 * before this one left behind, or without. */
static void
test_every_history_is_sound(void **state)
{
    bool seen[MEMCTX_PHASES][8] = {{false}};
    struct ghost todo[MEMCTX_PHASES * 8] = {
        {MEMCTX_PHASE_NEW, false, false, false},
        {MEMCTX_PHASE_NEW, false, false, true},
    };
    size_t n = 2;
    bool sound = true;
    (void)state;
    for (size_t i = 0; i < n; i++) {
        for (unsigned e = 0; e < MEMCTX_EVENTS; e++) {
            if (!can_happen(&todo[i], e))
                continue;
            struct ghost g = perform(todo[i], e);
            bool *known =
                &seen[g.phase][g.running | g.armed << 1 | g.datum << 2];
            if (!is_sound(&g))
                print_error("%s x %s -> %s: running %d, armed %d, datum %d\n",
                            memctx_phase_name(todo[i].phase),
                            memctx_event_name(e), memctx_phase_name(g.phase),
                            g.running, g.armed, g.datum);
            sound = sound && is_sound(&g);
            if (!*known)
                todo[n++] = g;
            *known = true;
        }
    }
    assert_true(sound);
    for (unsigned p = MEMCTX_PHASE_NEW + 1; p < MEMCTX_PHASES; p++) {
        bool reached = false;
        for (unsigned i = 0; i < 8; i++)
            reached = reached || seen[p][i];
        assert_true(reached);
    }
}

/* Retry never gives up: from every phase some events lead to READY. */
static void
test_no_phase_is_a_dead_end(void **state)
{
    /* UNSUPPORTED is an end, on purpose. */
    bool leads[MEMCTX_PHASES] = {
        [MEMCTX_PHASE_READY] = true, [MEMCTX_PHASE_UNSUPPORTED] = true};
    (void)state;
    for (unsigned round = 0; round < MEMCTX_PHASES; round++) {
        for (unsigned p = 0; p < MEMCTX_PHASES; p++) {
            for (unsigned e = 0; e < MEMCTX_EVENTS; e++) {
                if (!is_end(e) && leads[memctx_domain_transition(p, e).next])
                    leads[p] = true;
            }
        }
    }
    for (unsigned p = 0; p < MEMCTX_PHASES; p++)
        assert_true(leads[p]);
}

struct step {
    enum memctx_event event;
    enum memctx_phase next;
    unsigned actions;
};

static void
tell(const struct step *steps, size_t n)
{
    enum memctx_phase phase = MEMCTX_PHASE_NEW;
    for (size_t i = 0; i < n; i++) {
        struct memctx_transition cell =
            memctx_domain_transition(phase, steps[i].event);
        if (cell.next != steps[i].next || cell.actions != steps[i].actions)
            fail_msg("step %zu: %s x %s -> %s, actions %#x; wanted %s, %#x", i,
                     memctx_phase_name(phase),
                     memctx_event_name(steps[i].event),
                     memctx_phase_name(cell.next), cell.actions,
                     memctx_phase_name(steps[i].next), steps[i].actions);
        phase = cell.next;
    }
}

/* clang-format off */
#define ON(event, next, actions) \
    {MEMCTX_EVENT_##event, MEMCTX_PHASE_##next, actions}
#define STORY(name, ...) \
    static void \
    test_##name(void **state) \
    { \
        static const struct step steps[] = {__VA_ARGS__}; \
        (void)state; \
        tell(steps, MEMCTX_ARRAY_LEN(steps)); \
    }
#define ABANDON MEMCTX_ACT_ABANDON
#define WITHDRAW MEMCTX_ACT_WITHDRAW
#define NEW_BOOT MEMCTX_ACT_NEW_BOOT
#define NEW_KERNEL MEMCTX_ACT_NEW_KERNEL
#define DISTRUST MEMCTX_ACT_DISTRUST
#define REOPEN MEMCTX_ACT_REOPEN
#define INHERIT MEMCTX_ACT_INHERIT
#define PROBE MEMCTX_ACT_PROBE
#define LOOK MEMCTX_ACT_LOOK
#define ARM MEMCTX_ACT_ARM
#define ARM_LOOK MEMCTX_ACT_ARM_LOOK
#define ARM_DOUBT MEMCTX_ACT_ARM_DOUBT
#define KEEP MEMCTX_ACT_KEEP
#define MARK MEMCTX_ACT_MARK
#define UNMARK MEMCTX_ACT_UNMARK
#define REMEMBER MEMCTX_ACT_REMEMBER
#define PUBLISH MEMCTX_ACT_PUBLISH
#define RELEASE MEMCTX_ACT_RELEASE
#define FORGET MEMCTX_ACT_FORGET

STORY(cold_boot_resumes_before_it_starts,
    ON(RESUME, PROBING, PROBE),
    ON(START, PROBING, 0),
    ON(RETRY, BACKOFF, WITHDRAW | ARM),
    ON(TIMER, PROBING, PROBE),
    ON(RETRY, BACKOFF, WITHDRAW | ARM),
    ON(TIMER, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(STOP, READY, ABANDON | FORGET))

STORY(restore_starts_before_it_resumes,
    ON(START, PROBING, PROBE),
    ON(RESUME, PROBING, 0),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(restored_paused,
    ON(START_PAUSED, PROBING_PAUSED, PROBE),
    ON(SUSPEND, PROBING_PAUSED, 0),
    ON(FOUND, READY_PAUSED, PUBLISH),
    ON(RESUME, CHECKING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(double_reset,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
    ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
    ON(TIMER, PROBING, PROBE),
    ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
    ON(FOUND, BACKOFF, 0),
    ON(TIMER, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(pause_while_probing,
    ON(START, PROBING, PROBE),
    ON(SUSPEND, PROBING_PAUSED, 0),
    ON(RETRY, PAUSED, WITHDRAW),
    ON(TIMER, PAUSED, 0),
    ON(RESUME, PROBING, PROBE))

STORY(pause_and_resume_while_probing,
    ON(START, PROBING, PROBE),
    ON(SUSPEND, PROBING_PAUSED, 0),
    ON(RESUME, PROBING, ABANDON | PROBE),
    ON(RETRY, BACKOFF, WITHDRAW | ARM))

STORY(pause_while_waiting,
    ON(START, PROBING, PROBE),
    ON(RETRY, BACKOFF, WITHDRAW | ARM),
    ON(SUSPEND, PAUSED, ABANDON),
    ON(RESUME, PROBING, PROBE))

STORY(reset_while_paused,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(SUSPEND, READY_PAUSED, ABANDON),
    ON(RESET, PAUSED, WITHDRAW | NEW_BOOT),
    ON(RESUME, PROBING, PROBE))

STORY(libvirt_away_and_back,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(AWAY, AWAY, ABANDON | DISTRUST),
    ON(AWAY, AWAY, 0),
    ON(START, CHECKING, PROBE),
    ON(START, CHECKING, 0),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(kernel_must_be_seen_running_again,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(AWAY, AWAY, ABANDON | DISTRUST),
    ON(START, CHECKING, PROBE),
    ON(PENDING, CHECK_WAIT, ARM),
    ON(TIMER, CHECKING, PROBE),
    ON(PENDING, CHECK_WAIT, ARM),
    ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM))

STORY(pause_before_it_was_seen_running_again,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(AWAY, AWAY, ABANDON | DISTRUST),
    ON(START, CHECKING, PROBE),
    ON(SUSPEND, CHECKING_PAUSED, 0),
    ON(PENDING, CHECKING_PAUSED, PROBE),
    ON(FOUND, READY_PAUSED, PUBLISH))

STORY(agent_comes_back_to_its_own_datum,
    ON(START, PROBING, PROBE),
    ON(OPENED, PROBING, INHERIT),
    ON(PENDING, CHECK_WAIT, ARM),
    ON(TIMER, CHECKING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(another_kernel_while_libvirt_was_away,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(AWAY, AWAY, ABANDON | DISTRUST),
    ON(START, CHECKING, PROBE),
    ON(RETRY, BACKOFF, WITHDRAW | ARM),
    ON(TIMER, PROBING, PROBE))

STORY(libvirt_goes_away_while_probing,
    ON(START, PROBING, PROBE),
    ON(AWAY, AWAY, ABANDON | DISTRUST),
    ON(FOUND, AWAY, 0),
    ON(START, CHECKING, PROBE))

STORY(kernel_without_clock_words_is_looked_at,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(TIMER, READY, LOOK),
    ON(CONFIRMED, READY, ARM_LOOK),
    ON(TIMER, READY, LOOK),
    ON(PENDING, CHECKING, PROBE))

STORY(kernel_overwritten_before_a_look,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(TIMER, READY, LOOK),
    ON(RETRY, BACKOFF, WITHDRAW | ARM))

STORY(panic,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(MOVES, READY, REMEMBER),
    ON(STANDS, DOUBT, ABANDON | PROBE | ARM_DOUBT),
    ON(PENDING, DOUBT, 0),
    ON(TIMER, SILENT, ABANDON | MARK | ARM),
    ON(TIMER, SILENT, PROBE),
    ON(PENDING, SILENT, ARM | KEEP),
    ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
    ON(TIMER, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(panic_that_libvirt_tells_of,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(DIED, SILENT, ABANDON | MARK | ARM),
    ON(SUSPEND, SILENT_PAUSED, ABANDON),
    ON(RESET, PAUSED, WITHDRAW | NEW_BOOT))

STORY(panic_after_the_pause_that_comes_of_it,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(SUSPEND, READY_PAUSED, ABANDON),
    ON(DIED, SILENT_PAUSED, MARK),
    ON(STOP, SILENT_PAUSED, ABANDON | FORGET))

STORY(guest_that_hangs_for_a_while,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(STANDS, DOUBT, ABANDON | PROBE | ARM_DOUBT),
    ON(MOVES, READY, ABANDON | ARM_LOOK),
    ON(STANDS, DOUBT, ABANDON | PROBE | ARM_DOUBT),
    ON(TIMER, SILENT, ABANDON | MARK | ARM),
    ON(MOVES, READY, ABANDON | ARM_LOOK | UNMARK))

STORY(kexec_to_a_kernel_elsewhere,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(STANDS, DOUBT, ABANDON | PROBE | ARM_DOUBT),
    ON(TIMER, SILENT, ABANDON | MARK | ARM),
    ON(TIMER, SILENT, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(kexec_that_overwrites_the_kernel,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(STANDS, DOUBT, ABANDON | PROBE | ARM_DOUBT),
    ON(RETRY, BACKOFF, WITHDRAW | ARM),
    ON(TIMER, PROBING, PROBE))

STORY(hibernated_kernel_comes_back,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(REPLACED, PROBING, ABANDON | WITHDRAW | NEW_KERNEL | PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(hibernated_kernel_comes_back_and_is_idle,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(LULL, LULL, ABANDON | PROBE),
    ON(PENDING, LULL, ARM),
    ON(TIMER, LULL, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(guest_that_idles_as_never_before,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(LULL, LULL, ABANDON | PROBE),
    ON(CONFIRMED, READY, ARM_LOOK),
    ON(MOVES, READY, REMEMBER),
    ON(LULL, LULL, ABANDON | PROBE),
    ON(MOVES, READY, ABANDON | ARM_LOOK))

STORY(ram_that_does_not_answer,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(UNREAD, CHECKING, ABANDON | PROBE),
    ON(PENDING, CHECK_WAIT, ARM))

STORY(agent_that_starts_beside_a_dead_guest,
    ON(START, PROBING, PROBE),
    ON(OPENED, PROBING, INHERIT),
    ON(PENDING, CHECK_WAIT, ARM),
    ON(TIMER, CHECKING, PROBE),
    ON(STILL, SILENT, ARM | MARK))

STORY(agent_that_starts_beside_a_paused_guest,
    ON(START_PAUSED, PROBING_PAUSED, PROBE),
    ON(OPENED, PROBING_PAUSED, INHERIT),
    ON(COMPLETE, SILENT_PAUSED, MARK),
    ON(RESUME, SILENT, PROBE),
    ON(MOVES, READY, ABANDON | ARM_LOOK | UNMARK))

STORY(silent_guest_that_is_paused,
    ON(START, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(STANDS, DOUBT, ABANDON | PROBE | ARM_DOUBT),
    ON(SUSPEND, READY_PAUSED, ABANDON),
    ON(TIMER, READY_PAUSED, 0),
    ON(STANDS, READY_PAUSED, 0),
    ON(RESUME, CHECKING, PROBE))

STORY(libvirt_goes_away_from_a_dead_guest,
    ON(START, PROBING, PROBE),
    ON(STILL, SILENT, ARM | MARK),
    ON(LAYOUT, SILENT, ABANDON | REOPEN | PROBE),
    ON(PENDING, SILENT, ARM | KEEP),
    ON(AWAY, AWAY, ABANDON | DISTRUST),
    ON(START, CHECKING, PROBE),
    ON(STILL, SILENT, ARM | MARK))

STORY(memory_is_plugged_in,
    ON(START, PROBING, PROBE),
    ON(LAYOUT, PROBING, ABANDON | REOPEN | PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH),
    ON(LAYOUT, CHECKING, ABANDON | REOPEN | PROBE),
    ON(LAYOUT, CHECKING, ABANDON | REOPEN | PROBE),
    ON(PENDING, CHECK_WAIT, ARM),
    ON(LAYOUT, CHECKING, ABANDON | REOPEN | PROBE),
    ON(RETRY, BACKOFF, WITHDRAW | ARM),
    ON(LAYOUT, BACKOFF, ABANDON | REOPEN | ARM))

STORY(migration_arrives,
    ON(ARRIVING, PAUSED, WITHDRAW),
    ON(SUSPEND, PAUSED, 0),
    ON(RESUME, PROBING, PROBE),
    ON(FOUND, READY, ARM_LOOK | PUBLISH))

STORY(migration_fails,
    ON(ARRIVING, PAUSED, WITHDRAW),
    ON(STOP, PAUSED, ABANDON | FORGET))

STORY(encrypted_guest,
    ON(START, PROBING, PROBE),
    ON(NEVER, UNSUPPORTED, WITHDRAW | RELEASE),
    ON(SUSPEND, UNSUPPORTED, 0),
    ON(RESUME, UNSUPPORTED, 0),
    ON(AWAY, UNSUPPORTED, 0),
    ON(START, UNSUPPORTED, 0),
    ON(RESET, UNSUPPORTED, 0),
    ON(TIMER, UNSUPPORTED, 0),
    ON(STOP, UNSUPPORTED, ABANDON | FORGET))

STORY(domain_stops_while_probing,
    ON(START, PROBING, PROBE),
    ON(GONE, PROBING, ABANDON | FORGET))
/* clang-format on */

static void
test_every_phase_has_its_state(void **state)
{
    static const enum memctx_state states[] = {
        [MEMCTX_PHASE_NEW] = MEMCTX_STATE_WAITING,
        [MEMCTX_PHASE_PROBING] = MEMCTX_STATE_WAITING,
        [MEMCTX_PHASE_PROBING_PAUSED] = MEMCTX_STATE_WAITING,
        [MEMCTX_PHASE_BACKOFF] = MEMCTX_STATE_WAITING,
        [MEMCTX_PHASE_PAUSED] = MEMCTX_STATE_WAITING,
        [MEMCTX_PHASE_READY] = MEMCTX_STATE_READY,
        [MEMCTX_PHASE_LULL] = MEMCTX_STATE_READY,
        [MEMCTX_PHASE_DOUBT] = MEMCTX_STATE_STALE,
        [MEMCTX_PHASE_READY_PAUSED] = MEMCTX_STATE_READY,
        [MEMCTX_PHASE_SILENT] = MEMCTX_STATE_SILENT,
        [MEMCTX_PHASE_SILENT_PAUSED] = MEMCTX_STATE_SILENT,
        [MEMCTX_PHASE_CHECKING] = MEMCTX_STATE_STALE,
        [MEMCTX_PHASE_CHECKING_PAUSED] = MEMCTX_STATE_STALE,
        [MEMCTX_PHASE_CHECK_WAIT] = MEMCTX_STATE_STALE,
        [MEMCTX_PHASE_UNSUPPORTED] = MEMCTX_STATE_UNSUPPORTED,
        [MEMCTX_PHASE_AWAY] = MEMCTX_STATE_UNKNOWN,
    };
    (void)state;
    for (unsigned p = 0; p < MEMCTX_ARRAY_LEN(states); p++)
        assert_int_equal(memctx_phase_state(p), states[p]);
}

static const char *
phase_name(unsigned value)
{
    return memctx_phase_name(value);
}

static const char *
event_name(unsigned value)
{
    return memctx_event_name(value);
}

static const char *
state_name(unsigned value)
{
    return memctx_state_name(value);
}

static const char *
action_name(unsigned value)
{
    const char *name = memctx_action_name(1u << value);
    return name != NULL ? name : "?";
}

static void
test_names_are_all_different(void **state)
{
    static const struct {
        const char *(*name)(unsigned value);
        unsigned count;
    } sets[] = {
        {phase_name, MEMCTX_PHASES},
        {event_name, MEMCTX_EVENTS},
        {state_name, MEMCTX_STATES},
        {action_name, 19},
    };
    (void)state;
    for (size_t s = 0; s < MEMCTX_ARRAY_LEN(sets); s++) {
        for (unsigned i = 0; i < sets[s].count; i++) {
            assert_string_not_equal(sets[s].name(i), "?");
            for (unsigned j = 0; j < i; j++)
                assert_string_not_equal(sets[s].name(i), sets[s].name(j));
        }
        assert_string_equal(sets[s].name(sets[s].count), "?");
    }
    assert_null(memctx_action_name(0));
    assert_null(memctx_action_name(MEMCTX_ACT_PROBE | MEMCTX_ACT_ARM));
}

/* The order in which the caller performs them. */
static void
test_actions_stand_in_order(void **state)
{
    (void)state;
    assert_true(MEMCTX_ACT_ABANDON < MEMCTX_ACT_WITHDRAW);
    assert_true(MEMCTX_ACT_WITHDRAW < MEMCTX_ACT_NEW_BOOT);
    assert_true(MEMCTX_ACT_NEW_BOOT < MEMCTX_ACT_DISTRUST);
    assert_true(MEMCTX_ACT_NEW_BOOT < MEMCTX_ACT_REOPEN);
    assert_true(MEMCTX_ACT_DISTRUST < MEMCTX_ACT_PROBE);
    assert_true(MEMCTX_ACT_DISTRUST < MEMCTX_ACT_ARM);
    assert_true(MEMCTX_ACT_REOPEN < MEMCTX_ACT_PROBE);
    assert_true(MEMCTX_ACT_REOPEN < MEMCTX_ACT_ARM);
    assert_true(MEMCTX_ACT_NEW_BOOT < MEMCTX_ACT_ARM);
    assert_true(MEMCTX_ACT_INHERIT < MEMCTX_ACT_PROBE);
    assert_true(MEMCTX_ACT_NEW_BOOT < MEMCTX_ACT_NEW_KERNEL);
    assert_true(MEMCTX_ACT_PROBE < MEMCTX_ACT_ARM_DOUBT);
    assert_true(MEMCTX_ACT_PUBLISH < MEMCTX_ACT_FORGET);
    assert_true(MEMCTX_ACT_RELEASE < MEMCTX_ACT_FORGET);
    assert_string_equal(memctx_action_name(MEMCTX_ACT_FORGET), "forget");
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_is_filled),
        T(test_forgets_at_the_end_only),
        T(test_publishes_what_was_found),
        T(test_marks_what_is_silent),
        T(test_doubts_before_it_is_silent),
        T(test_begins_anew_with_another_kernel),
        T(test_hears_what_it_listens_to),
        T(test_goes_on_beside_a_silent_kernel),
        T(test_withdraws_when_it_has_to_wait),
        T(test_arms_where_it_waits_for_the_timer),
        T(test_does_not_arm_while_paused),
        T(test_starts_one_try),
        T(test_probes_or_arms),
        T(test_abandons_what_it_leaves),
        T(test_ignores_results_of_nothing),
        T(test_resets_to_a_new_boot),
        T(test_releases_what_can_never_work),
        T(test_stays_unsupported),
        T(test_believes_nothing_while_away),
        T(test_reopens_another_layout),
        T(test_waits_for_ram_that_arrives),
        T(test_inherits_what_was_read),
        T(test_every_history_is_sound),
        T(test_no_phase_is_a_dead_end),
        T(test_cold_boot_resumes_before_it_starts),
        T(test_restore_starts_before_it_resumes),
        T(test_restored_paused),
        T(test_double_reset),
        T(test_pause_while_probing),
        T(test_pause_and_resume_while_probing),
        T(test_pause_while_waiting),
        T(test_reset_while_paused),
        T(test_libvirt_away_and_back),
        T(test_kernel_must_be_seen_running_again),
        T(test_pause_before_it_was_seen_running_again),
        T(test_agent_comes_back_to_its_own_datum),
        T(test_another_kernel_while_libvirt_was_away),
        T(test_libvirt_goes_away_while_probing),
        T(test_kernel_without_clock_words_is_looked_at),
        T(test_kernel_overwritten_before_a_look),
        T(test_panic),
        T(test_panic_that_libvirt_tells_of),
        T(test_panic_after_the_pause_that_comes_of_it),
        T(test_guest_that_hangs_for_a_while),
        T(test_kexec_to_a_kernel_elsewhere),
        T(test_kexec_that_overwrites_the_kernel),
        T(test_hibernated_kernel_comes_back),
        T(test_hibernated_kernel_comes_back_and_is_idle),
        T(test_guest_that_idles_as_never_before),
        T(test_ram_that_does_not_answer),
        T(test_agent_that_starts_beside_a_dead_guest),
        T(test_agent_that_starts_beside_a_paused_guest),
        T(test_silent_guest_that_is_paused),
        T(test_libvirt_goes_away_from_a_dead_guest),
        T(test_memory_is_plugged_in),
        T(test_migration_arrives),
        T(test_migration_fails),
        T(test_encrypted_guest),
        T(test_domain_stops_while_probing),
        T(test_every_phase_has_its_state),
        T(test_names_are_all_different),
        T(test_actions_stand_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
