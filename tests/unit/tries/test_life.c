/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Visits every cell of the table of an adapter's life. */
#include "unit.h"

#include "base/bytes.h"
#include "tries/life.h"

#define ORDERS 3 /* LIFE_ORDER_EASY is the first */

/* A worker is at it. */
static bool
is_opening(enum life_phase phase)
{
    return phase == LIFE_OPENING || phase == LIFE_OPENING_ALONE ||
           phase == LIFE_OPENING_STALE || phase == LIFE_REOPENING;
}

static bool
has_ram(enum life_phase phase)
{
    return phase != LIFE_CLOSED && !is_opening(phase);
}

/* A prober has a task. */
static bool
is_asked(enum life_phase phase)
{
    return phase == LIFE_TRYING || phase == LIFE_LEARNING ||
           phase == LIFE_READING;
}

static bool
is_order(enum life_event event)
{
    return event < ORDERS;
}

static bool
is_answer(enum life_event event)
{
    return event == LIFE_FAILED || event == LIFE_FOUND || event == LIFE_SETTLED;
}

static bool
is_opened(enum life_event event)
{
    return event == LIFE_OPENED || event == LIFE_REFUSED;
}

typedef bool law_fn(enum life_phase phase, enum life_event event,
                    enum life_phase next, unsigned actions);

/* Every cell keeps the law, or each that does not is named. */
static void
check_law(law_fn *law)
{
    bool kept = true;
    for (unsigned p = 0; p < LIFE_PHASES; p++) {
        for (unsigned e = 0; e < LIFE_EVENTS; e++) {
            struct life_transition cell = life_transition(p, e);
            if (law(p, e, cell.next, cell.actions))
                continue;
            print_error("broken by %s x %s -> %s, actions %#x\n",
                        life_phase_name(p), life_event_name(e),
                        life_phase_name(cell.next), cell.actions);
            kept = false;
        }
    }
    assert_true(kept);
}

/* An empty cell would lead to CLOSED, and do nothing. */
static bool
is_filled(enum life_phase phase, enum life_event event, enum life_phase next,
          unsigned actions)
{
    bool late = is_answer(event) || event == LIFE_TIMER ||
                event == LIFE_REFUSED || event == LIFE_WROTE;
    if (next != LIFE_CLOSED || actions != 0)
        return next < LIFE_PHASES;
    return (phase == LIFE_CLOSED &&
            (late || event == LIFE_DROP || event == LIFE_CLOSE)) ||
           (phase == LIFE_OPENING_STALE && event == LIFE_REFUSED);
}

/* One worker at a time opens RAM, and only where there is none. */
static bool
opens_once(enum life_phase phase, enum life_event event, enum life_phase next,
           unsigned actions)
{
    bool busy = is_opening(phase) && !is_opened(event);
    bool begins = is_opening(next) && !busy;
    return ((actions & LIFE_ACT_OPEN) != 0) == begins &&
           (!busy || is_opening(next));
}

static bool
closes_what_it_had(enum life_phase phase, enum life_event event,
                   enum life_phase next, unsigned actions)
{
    (void)event;
    return ((actions & LIFE_ACT_SHUT) != 0) ==
           (has_ram(phase) && !has_ram(next));
}

/* What a worker has opened is kept or closed, never lost. */
static bool
loses_no_ram(enum life_phase phase, enum life_event event, enum life_phase next,
             unsigned actions)
{
    unsigned taken = actions & (LIFE_ACT_KEEP | LIFE_ACT_SPILL);
    if (event != LIFE_OPENED)
        return taken == 0;
    return taken ==
           (!has_ram(phase) && has_ram(next) ? LIFE_ACT_KEEP : LIFE_ACT_SPILL);
}

static bool
asks_where_it_waits(enum life_phase phase, enum life_event event,
                    enum life_phase next, unsigned actions)
{
    bool asks = (actions & (LIFE_ACT_ASK | LIFE_ACT_QUIZ | LIFE_ACT_READ)) != 0;
    bool waits_anew = is_asked(next) &&
                      (!is_asked(phase) || is_order(event) || is_answer(event));
    return asks == waits_anew;
}

static bool
takes_back_what_nobody_waits_for(enum life_phase phase, enum life_event event,
                                 enum life_phase next, unsigned actions)
{
    bool leaves = is_asked(phase) && !is_answer(event) &&
                  (!is_asked(next) || is_order(event));
    return ((actions & LIFE_ACT_UNASK) != 0) == leaves;
}

/* An order has one end, which is told; one that was replaced, or is void, has
 * none. */
static bool
tells_how_an_order_ends(enum life_phase phase, enum life_event event,
                        enum life_phase next, unsigned actions)
{
    bool refused = phase == LIFE_OPENING && event == LIFE_REFUSED;
    bool answered = phase == LIFE_TRYING && is_answer(event);
    (void)next;
    return ((actions & LIFE_ACT_TELL) != 0) == (refused || answered);
}

/* What was read beside RAM that is out of date is read once more. */
static bool
tells_what_a_worker_has_read(enum life_phase phase, enum life_event event,
                             enum life_phase next, unsigned actions)
{
    bool fresh = phase == LIFE_OPENING || phase == LIFE_OPENING_ALONE;
    (void)next;
    return ((actions & LIFE_ACT_NEWS) != 0) == (fresh && is_opened(event));
}

static bool
holds_what_comes_too_early(enum life_phase phase, enum life_event event,
                           enum life_phase next, unsigned actions)
{
    (void)phase;
    return ((actions & LIFE_ACT_HOLD) != 0) ==
           (next == LIFE_HELD && is_order(event));
}

static bool
begins_what_has_waited(enum life_phase phase, enum life_event event,
                       enum life_phase next, unsigned actions)
{
    bool waited = (phase == LIFE_OPENING && event == LIFE_OPENED) ||
                  (phase == LIFE_HELD && event == LIFE_TIMER);
    return ((actions & LIFE_ACT_BEGIN) != 0) == waited &&
           (!waited || next == LIFE_IDLE);
}

static bool
is_late_to_no_effect(enum life_phase phase, enum life_event event,
                     enum life_phase next, unsigned actions)
{
    bool late = (is_answer(event) && !is_asked(phase)) ||
                (event == LIFE_TIMER && phase != LIFE_HELD) ||
                (event == LIFE_REFUSED && !is_opening(phase));
    return !late || (next == phase && actions == 0);
}

static bool
ends_a_prober_that_is_done(enum life_phase phase, enum life_event event,
                           enum life_phase next, unsigned actions)
{
    bool done =
        (phase == LIFE_TRYING && event == LIFE_SETTLED) ||
        ((phase == LIFE_LEARNING || phase == LIFE_READING) && is_answer(event));
    /* It was started for RAM that does not come. */
    bool waits = phase == LIFE_OPENING || phase == LIFE_OPENING_ALONE;
    bool vain = waits && (event == LIFE_REFUSED || event == LIFE_CLOSE);
    (void)next;
    return !(done || vain) || (actions & LIFE_ACT_REST) != 0;
}

/* What a kernel has logged never takes the place of an order. */
static bool
reads_when_idle(enum life_phase phase, enum life_event event,
                enum life_phase next, unsigned actions)
{
    bool reads = event == LIFE_WROTE && phase == LIFE_IDLE;
    if (event == LIFE_WROTE && !reads)
        return next == phase && actions == 0;
    return ((actions & LIFE_ACT_READ) != 0) == reads &&
           (next != LIFE_READING || reads || phase == LIFE_READING);
}

/* However it stood, an order leads on, and a void one to where nothing runs. */
static bool
obeys(enum life_phase phase, enum life_event event, enum life_phase next,
      unsigned actions)
{
    (void)actions;
    if (is_order(event))
        return next != LIFE_CLOSED && next != LIFE_OPENING_ALONE &&
               next != LIFE_OPENING_STALE;
    if (event == LIFE_DROP)
        return next == LIFE_IDLE || next == LIFE_CLOSED ||
               next == LIFE_OPENING_ALONE || next == LIFE_OPENING_STALE;
    if (event == LIFE_CLOSE)
        return next == (is_opening(phase) ? LIFE_OPENING_STALE : LIFE_CLOSED);
    return true;
}

#define LAW(law)                         \
    static void test_##law(void **state) \
    {                                    \
        (void)state;                     \
        check_law(law);                  \
    }
LAW(is_filled)
LAW(opens_once)
LAW(closes_what_it_had)
LAW(loses_no_ram)
LAW(asks_where_it_waits)
LAW(takes_back_what_nobody_waits_for)
LAW(tells_how_an_order_ends)
LAW(tells_what_a_worker_has_read)
LAW(holds_what_comes_too_early)
LAW(begins_what_has_waited)
LAW(is_late_to_no_effect)
LAW(ends_a_prober_that_is_done)
LAW(obeys)
LAW(reads_when_idle)

static const char *
phase_name(unsigned value)
{
    return life_phase_name(value);
}

static const char *
event_name(unsigned value)
{
    return life_event_name(value);
}

static const char *
action_name(unsigned value)
{
    const char *name = life_action_name(1u << value);
    return name != NULL ? name : "?";
}

static void
test_names_are_all_different(void **state)
{
    static const struct {
        const char *(*name)(unsigned value);
        unsigned count;
    } sets[] = {{phase_name, LIFE_PHASES},
                {event_name, LIFE_EVENTS},
                {action_name, 15}};
    (void)state;
    for (size_t s = 0; s < MEMCTX_ARRAY_LEN(sets); s++) {
        for (unsigned i = 0; i < sets[s].count; i++) {
            assert_string_not_equal(sets[s].name(i), "?");
            for (unsigned j = 0; j < i; j++)
                assert_string_not_equal(sets[s].name(i), sets[s].name(j));
        }
        assert_string_equal(sets[s].name(sets[s].count), "?");
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_is_filled),
        T(test_opens_once),
        T(test_closes_what_it_had),
        T(test_loses_no_ram),
        T(test_asks_where_it_waits),
        T(test_takes_back_what_nobody_waits_for),
        T(test_tells_how_an_order_ends),
        T(test_tells_what_a_worker_has_read),
        T(test_holds_what_comes_too_early),
        T(test_begins_what_has_waited),
        T(test_is_late_to_no_effect),
        T(test_ends_a_prober_that_is_done),
        T(test_obeys),
        T(test_reads_when_idle),
        T(test_names_are_all_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
