/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of an adapter's life. Performs nothing. */
#include "tries/life.h"

#include <assert.h>
#include <stddef.h>

#include "base/bytes.h"

#define LEARN LIFE_ACT_LEARN
#define UNASK LIFE_ACT_UNASK
#define REST LIFE_ACT_REST
#define SHUT LIFE_ACT_SHUT
#define SPILL LIFE_ACT_SPILL
#define KEEP LIFE_ACT_KEEP
#define NEWS LIFE_ACT_NEWS
#define TELL LIFE_ACT_TELL
#define OPEN LIFE_ACT_OPEN
#define ANSWER LIFE_ACT_ANSWER
#define ASK LIFE_ACT_ASK
#define QUIZ LIFE_ACT_QUIZ
#define READ LIFE_ACT_READ
#define HOLD LIFE_ACT_HOLD
#define BEGIN LIFE_ACT_BEGIN

/* clang-format off */
#define ON(event, next, actions) \
    [LIFE_##event] = {LIFE_##next, actions}

/* RAM is open: an order begins, once what runs was told to `end`. */
#define ORDERS(end) \
    ON(ORDER_EASY, IDLE, (end) | ANSWER), \
    ON(ORDER_TRY, TRYING, (end) | ASK), \
    ON(ORDER_LATER, HELD, (end) | HOLD)

/* RAM is not open: whatever is ordered waits for that. */
#define ORDERS_WAIT(next, actions) \
    ON(ORDER_EASY, next, actions), ON(ORDER_TRY, next, actions), \
    ON(ORDER_LATER, next, actions)

/* Nothing was asked of a worker, or of a prober. */
#define NO_WORKER(phase) ON(OPENED, phase, SPILL), ON(REFUSED, phase, 0)
#define NO_PROBER(phase) \
    ON(FAILED, phase, 0), ON(FOUND, phase, 0), ON(SETTLED, phase, 0)

static const struct life_transition transitions[LIFE_PHASES][LIFE_EVENTS] = {
    [LIFE_CLOSED] = {
        ORDERS_WAIT(OPENING, OPEN),
        ON(DROP, CLOSED, 0),
        ON(CLOSE, CLOSED, 0),
        NO_WORKER(CLOSED), NO_PROBER(CLOSED),
        ON(TIMER, CLOSED, 0),
        ON(WROTE, CLOSED, 0),
    },
    [LIFE_OPENING] = {
        ORDERS_WAIT(OPENING, 0),
        ON(DROP, OPENING_ALONE, 0),
        ON(CLOSE, OPENING_STALE, REST),
        ON(OPENED, IDLE, KEEP | NEWS | BEGIN),
        ON(REFUSED, CLOSED, REST | NEWS | TELL),
        NO_PROBER(OPENING),
        ON(TIMER, OPENING, 0),
        ON(WROTE, OPENING, 0),
    },
    [LIFE_OPENING_ALONE] = {
        ORDERS_WAIT(OPENING, 0),
        ON(DROP, OPENING_ALONE, 0),
        ON(CLOSE, OPENING_STALE, REST),
        ON(OPENED, IDLE, KEEP | NEWS),
        ON(REFUSED, CLOSED, REST | NEWS),
        NO_PROBER(OPENING_ALONE),
        ON(TIMER, OPENING_ALONE, 0),
        ON(WROTE, OPENING_ALONE, 0),
    },
    [LIFE_OPENING_STALE] = {
        ORDERS_WAIT(REOPENING, 0),
        ON(DROP, OPENING_STALE, 0),
        ON(CLOSE, OPENING_STALE, 0),
        ON(OPENED, CLOSED, SPILL),
        ON(REFUSED, CLOSED, 0),
        NO_PROBER(OPENING_STALE),
        ON(TIMER, OPENING_STALE, 0),
        ON(WROTE, OPENING_STALE, 0),
    },
    [LIFE_REOPENING] = {
        ORDERS_WAIT(REOPENING, 0),
        ON(DROP, OPENING_STALE, 0),
        ON(CLOSE, OPENING_STALE, 0),
        ON(OPENED, OPENING, SPILL | OPEN),
        ON(REFUSED, OPENING, OPEN),
        NO_PROBER(REOPENING),
        ON(TIMER, REOPENING, 0),
        ON(WROTE, REOPENING, 0),
    },
    [LIFE_IDLE] = {
        ORDERS(0),
        ON(DROP, IDLE, 0),
        ON(CLOSE, CLOSED, REST | SHUT),
        NO_WORKER(IDLE), NO_PROBER(IDLE),
        ON(TIMER, IDLE, 0),
        ON(WROTE, READING, READ),
    },
    [LIFE_HELD] = {
        ORDERS(0),
        ON(DROP, IDLE, 0),
        ON(CLOSE, CLOSED, REST | SHUT),
        NO_WORKER(HELD), NO_PROBER(HELD),
        ON(TIMER, IDLE, BEGIN),
        ON(WROTE, HELD, 0),
    },
    [LIFE_TRYING] = {
        ORDERS(UNASK),
        ON(DROP, IDLE, UNASK),
        ON(CLOSE, CLOSED, UNASK | REST | SHUT),
        NO_WORKER(TRYING),
        ON(FAILED, IDLE, TELL),
        ON(FOUND, LEARNING, TELL | QUIZ),
        ON(SETTLED, IDLE, LEARN | REST | TELL),
        ON(TIMER, TRYING, 0),
        ON(WROTE, TRYING, 0),
    },
    [LIFE_LEARNING] = {
        ORDERS(UNASK),
        ON(DROP, IDLE, UNASK | REST),
        ON(CLOSE, CLOSED, UNASK | REST | SHUT),
        NO_WORKER(LEARNING),
        ON(FAILED, IDLE, REST),
        ON(FOUND, IDLE, REST),
        ON(SETTLED, IDLE, LEARN | REST),
        ON(TIMER, LEARNING, 0),
        ON(WROTE, LEARNING, 0),
    },
    [LIFE_READING] = {
        ORDERS(UNASK),
        ON(DROP, IDLE, UNASK | REST),
        ON(CLOSE, CLOSED, UNASK | REST | SHUT),
        NO_WORKER(READING),
        ON(FAILED, IDLE, REST),
        ON(FOUND, IDLE, REST),
        ON(SETTLED, IDLE, REST),
        ON(TIMER, READING, 0),
        ON(WROTE, READING, 0),
    },
};
/* clang-format on */

static const char *const phase_names[] = {
    [LIFE_CLOSED] = "closed",
    [LIFE_OPENING] = "opening",
    [LIFE_OPENING_ALONE] = "opening-alone",
    [LIFE_OPENING_STALE] = "opening-stale",
    [LIFE_REOPENING] = "reopening",
    [LIFE_IDLE] = "idle",
    [LIFE_HELD] = "held",
    [LIFE_TRYING] = "trying",
    [LIFE_LEARNING] = "learning",
    [LIFE_READING] = "reading",
};
static_assert(MEMCTX_ARRAY_LEN(phase_names) == LIFE_PHASES,
              "every phase has a name");

static const char *const event_names[] = {
    [LIFE_ORDER_EASY] = "order-easy",
    [LIFE_ORDER_TRY] = "order-try",
    [LIFE_ORDER_LATER] = "order-later",
    [LIFE_DROP] = "drop",
    [LIFE_CLOSE] = "close",
    [LIFE_OPENED] = "opened",
    [LIFE_REFUSED] = "refused",
    [LIFE_FAILED] = "failed",
    [LIFE_FOUND] = "found",
    [LIFE_SETTLED] = "settled",
    [LIFE_TIMER] = "timer",
    [LIFE_WROTE] = "wrote",
};
static_assert(MEMCTX_ARRAY_LEN(event_names) == LIFE_EVENTS,
              "every event has a name");

static const char *const action_names[] = {
    "learn", "unask",  "rest", "shut", "spill", "keep", "news",  "tell",
    "open",  "answer", "ask",  "quiz", "read",  "hold", "begin",
};
static_assert(1 << (MEMCTX_ARRAY_LEN(action_names) - 1) == LIFE_ACT_BEGIN,
              "every action has a name");

struct life_transition
life_transition(enum life_phase phase, enum life_event event)
{
    assert(phase < LIFE_PHASES && event < LIFE_EVENTS);
    return transitions[phase][event];
}

const char *
life_phase_name(enum life_phase phase)
{
    return phase < LIFE_PHASES ? phase_names[phase] : "?";
}

const char *
life_event_name(enum life_event event)
{
    return event < LIFE_EVENTS ? event_names[event] : "?";
}

const char *
life_action_name(unsigned bit)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(action_names); i++) {
        if (bit == 1u << i)
            return action_names[i];
    }
    return NULL;
}
