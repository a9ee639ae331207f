/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The transition table. Performs nothing. */
#include "domain/domain.h"

#include <assert.h>
#include <stddef.h>

#include "base/bytes.h"

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
#define PUBLISH MEMCTX_ACT_PUBLISH
#define KEEP MEMCTX_ACT_KEEP
#define MARK MEMCTX_ACT_MARK
#define UNMARK MEMCTX_ACT_UNMARK
#define REMEMBER MEMCTX_ACT_REMEMBER
#define RELEASE MEMCTX_ACT_RELEASE
#define FORGET MEMCTX_ACT_FORGET

/* clang-format off */
#define ON(event, next, actions) \
    [MEMCTX_EVENT_##event] = {MEMCTX_PHASE_##next, actions}

/* What is read beside the RAM counts in every phase. */
#define READS(phase) ON(OPENED, phase, INHERIT)

/* What ends a run ends it from everywhere. */
#define ENDS(phase) \
    ON(STOP, phase, ABANDON | FORGET), \
    ON(GONE, phase, ABANDON | FORGET)

/* A result that nobody waits for changes nothing. */
#define NO_RESULT(phase) \
    ON(FOUND, phase, 0), ON(RETRY, phase, 0), ON(PENDING, phase, 0), \
    ON(STILL, phase, 0), ON(COMPLETE, phase, 0), ON(CONFIRMED, phase, 0), \
    ON(NEVER, phase, 0)

/* Nothing is listened to. */
#define NO_HEARTBEAT(phase) \
    ON(MOVES, phase, 0), ON(LULL, phase, 0), ON(STANDS, phase, 0), \
    ON(REPLACED, phase, 0), ON(UNREAD, phase, 0)

/* A kernel is listened to: another one has taken its place, or nobody knows. */
#define LISTENS \
    ON(REPLACED, PROBING, ABANDON | WITHDRAW | NEW_KERNEL | PROBE), \
    ON(UNREAD, CHECKING, ABANDON | PROBE)

/* A published datum of a guest that runs, doubted or not: what happens to the
 * guest is the same. Its memory may have moved with a change of its layout, so
 * that it is found anew. */
#define WHILE_READY(phase) \
    ON(START, phase, 0), \
    ON(START_PAUSED, READY_PAUSED, ABANDON), \
    ON(ARRIVING, PAUSED, ABANDON | WITHDRAW), \
    ON(SUSPEND, READY_PAUSED, ABANDON), \
    ON(RESUME, phase, 0), \
    ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM), \
    ON(LAYOUT, CHECKING, ABANDON | REOPEN | PROBE), \
    ON(DIED, SILENT, ABANDON | MARK | ARM), \
    ON(AWAY, AWAY, ABANDON | DISTRUST), \
    LISTENS, \
    READS(phase), \
    ENDS(phase)

static const struct memctx_transition
transitions[MEMCTX_PHASES][MEMCTX_EVENTS] = {
    [MEMCTX_PHASE_NEW] = {
        ON(START, PROBING, PROBE),
        ON(START_PAUSED, PROBING_PAUSED, PROBE),
        ON(ARRIVING, PAUSED, WITHDRAW),
        ON(SUSPEND, PROBING_PAUSED, PROBE),
        ON(RESUME, PROBING, PROBE),
        ON(RESET, BACKOFF, WITHDRAW | NEW_BOOT | ARM),
        ON(LAYOUT, NEW, 0),
        ON(DIED, NEW, 0),
        ON(AWAY, AWAY, DISTRUST),
        NO_RESULT(NEW),
        NO_HEARTBEAT(NEW),
        ON(TIMER, NEW, 0),
        READS(NEW),
        ENDS(NEW),
    },
    [MEMCTX_PHASE_PROBING] = {
        ON(START, PROBING, 0),
        ON(START_PAUSED, PROBING_PAUSED, 0),
        ON(ARRIVING, PAUSED, ABANDON | WITHDRAW),
        ON(SUSPEND, PROBING_PAUSED, 0),
        ON(RESUME, PROBING, 0),
        ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
        ON(LAYOUT, PROBING, ABANDON | REOPEN | PROBE),
        ON(DIED, PROBING, 0),
        ON(AWAY, AWAY, ABANDON | DISTRUST),
        ON(FOUND, READY, ARM_LOOK | PUBLISH),
        ON(RETRY, BACKOFF, WITHDRAW | ARM),
        ON(PENDING, CHECK_WAIT, ARM),
        ON(STILL, SILENT, ARM | MARK),
        ON(COMPLETE, PROBING, 0),
        ON(CONFIRMED, PROBING, 0),
        ON(NEVER, UNSUPPORTED, WITHDRAW | RELEASE),
        NO_HEARTBEAT(PROBING),
        ON(TIMER, PROBING, 0),
        READS(PROBING),
        ENDS(PROBING),
    },
    [MEMCTX_PHASE_PROBING_PAUSED] = {
        ON(START, PROBING, ABANDON | PROBE),
        ON(START_PAUSED, PROBING_PAUSED, 0),
        ON(ARRIVING, PAUSED, ABANDON | WITHDRAW),
        ON(SUSPEND, PROBING_PAUSED, 0),
        ON(RESUME, PROBING, ABANDON | PROBE),
        ON(RESET, PAUSED, ABANDON | WITHDRAW | NEW_BOOT),
        ON(LAYOUT, PROBING_PAUSED, ABANDON | REOPEN | PROBE),
        ON(DIED, PROBING_PAUSED, 0),
        ON(AWAY, AWAY, ABANDON | DISTRUST),
        ON(FOUND, READY_PAUSED, PUBLISH),
        ON(RETRY, PAUSED, WITHDRAW),
        ON(PENDING, CHECKING_PAUSED, PROBE),
        ON(STILL, PROBING_PAUSED, PROBE),
        ON(COMPLETE, SILENT_PAUSED, MARK),
        ON(CONFIRMED, PROBING_PAUSED, 0),
        ON(NEVER, UNSUPPORTED, WITHDRAW | RELEASE),
        NO_HEARTBEAT(PROBING_PAUSED),
        ON(TIMER, PROBING_PAUSED, 0),
        READS(PROBING_PAUSED),
        ENDS(PROBING_PAUSED),
    },
    [MEMCTX_PHASE_BACKOFF] = {
        ON(START, BACKOFF, 0),
        ON(START_PAUSED, PAUSED, ABANDON),
        ON(ARRIVING, PAUSED, ABANDON),
        ON(SUSPEND, PAUSED, ABANDON),
        ON(RESUME, BACKOFF, 0),
        ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
        ON(LAYOUT, BACKOFF, ABANDON | REOPEN | ARM),
        ON(DIED, BACKOFF, 0),
        ON(AWAY, AWAY, ABANDON | DISTRUST),
        NO_RESULT(BACKOFF),
        NO_HEARTBEAT(BACKOFF),
        ON(TIMER, PROBING, PROBE),
        READS(BACKOFF),
        ENDS(BACKOFF),
    },
    [MEMCTX_PHASE_PAUSED] = {
        ON(START, PROBING, PROBE),
        ON(START_PAUSED, PAUSED, 0),
        ON(ARRIVING, PAUSED, 0),
        ON(SUSPEND, PAUSED, 0),
        ON(RESUME, PROBING, PROBE),
        ON(RESET, PAUSED, WITHDRAW | NEW_BOOT),
        ON(LAYOUT, PAUSED, REOPEN),
        ON(DIED, PAUSED, 0),
        ON(AWAY, AWAY, DISTRUST),
        NO_RESULT(PAUSED),
        NO_HEARTBEAT(PAUSED),
        ON(TIMER, PAUSED, 0),
        READS(PAUSED),
        ENDS(PAUSED),
    },
    [MEMCTX_PHASE_READY] = {
        WHILE_READY(READY),
        ON(FOUND, READY, 0),
        ON(RETRY, BACKOFF, WITHDRAW | ARM),
        ON(PENDING, CHECKING, PROBE),
        ON(STILL, READY, 0),
        ON(COMPLETE, READY, 0),
        ON(CONFIRMED, READY, ARM_LOOK),
        ON(NEVER, UNSUPPORTED, WITHDRAW | RELEASE),
        ON(MOVES, READY, REMEMBER),
        ON(LULL, LULL, ABANDON | PROBE),
        ON(STANDS, DOUBT, ABANDON | PROBE | ARM_DOUBT),
        ON(TIMER, READY, LOOK),
    },
    [MEMCTX_PHASE_LULL] = {
        WHILE_READY(LULL),
        ON(FOUND, READY, ARM_LOOK | PUBLISH),
        ON(RETRY, BACKOFF, WITHDRAW | ARM),
        ON(PENDING, LULL, ARM),
        ON(STILL, LULL, 0),
        ON(COMPLETE, LULL, 0),
        ON(CONFIRMED, READY, ARM_LOOK),
        ON(NEVER, UNSUPPORTED, ABANDON | WITHDRAW | RELEASE),
        ON(MOVES, READY, ABANDON | ARM_LOOK),
        ON(LULL, LULL, 0),
        ON(STANDS, DOUBT, ABANDON | PROBE | ARM_DOUBT),
        ON(TIMER, LULL, PROBE),
    },
    [MEMCTX_PHASE_DOUBT] = {
        WHILE_READY(DOUBT),
        ON(FOUND, READY, ARM_LOOK | PUBLISH),
        ON(RETRY, BACKOFF, WITHDRAW | ARM),
        ON(PENDING, DOUBT, 0),
        ON(STILL, DOUBT, 0),
        ON(COMPLETE, DOUBT, 0),
        ON(CONFIRMED, DOUBT, 0),
        ON(NEVER, UNSUPPORTED, ABANDON | WITHDRAW | RELEASE),
        ON(MOVES, READY, ABANDON | ARM_LOOK),
        ON(LULL, DOUBT, 0),
        ON(STANDS, DOUBT, 0),
        ON(TIMER, SILENT, ABANDON | MARK | ARM),
    },
    [MEMCTX_PHASE_READY_PAUSED] = {
        ON(START, CHECKING, PROBE),
        ON(START_PAUSED, READY_PAUSED, 0),
        ON(ARRIVING, PAUSED, WITHDRAW),
        ON(SUSPEND, READY_PAUSED, 0),
        ON(RESUME, CHECKING, PROBE),
        ON(RESET, PAUSED, WITHDRAW | NEW_BOOT),
        ON(LAYOUT, CHECKING_PAUSED, REOPEN | PROBE),
        ON(DIED, SILENT_PAUSED, MARK),
        ON(AWAY, AWAY, DISTRUST),
        NO_RESULT(READY_PAUSED),
        NO_HEARTBEAT(READY_PAUSED),
        ON(TIMER, READY_PAUSED, 0),
        READS(READY_PAUSED),
        ENDS(READY_PAUSED),
    },
    [MEMCTX_PHASE_SILENT] = {
        ON(START, SILENT, 0),
        ON(START_PAUSED, SILENT_PAUSED, ABANDON),
        ON(ARRIVING, PAUSED, ABANDON | WITHDRAW),
        ON(SUSPEND, SILENT_PAUSED, ABANDON),
        ON(RESUME, SILENT, 0),
        ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
        ON(LAYOUT, SILENT, ABANDON | REOPEN | PROBE),
        ON(DIED, SILENT, MARK),
        ON(AWAY, AWAY, ABANDON | DISTRUST),
        ON(FOUND, READY, ARM_LOOK | PUBLISH),
        ON(RETRY, BACKOFF, WITHDRAW | ARM),
        ON(PENDING, SILENT, ARM | KEEP),
        ON(STILL, SILENT, ARM | MARK),
        ON(COMPLETE, SILENT, 0),
        ON(CONFIRMED, SILENT, 0),
        ON(NEVER, UNSUPPORTED, WITHDRAW | RELEASE),
        LISTENS,
        ON(MOVES, READY, ABANDON | ARM_LOOK | UNMARK),
        ON(LULL, SILENT, 0),
        ON(STANDS, SILENT, MARK),
        ON(TIMER, SILENT, PROBE),
        READS(SILENT),
        ENDS(SILENT),
    },
    [MEMCTX_PHASE_SILENT_PAUSED] = {
        ON(START, SILENT, PROBE),
        ON(START_PAUSED, SILENT_PAUSED, 0),
        ON(ARRIVING, PAUSED, WITHDRAW),
        ON(SUSPEND, SILENT_PAUSED, 0),
        ON(RESUME, SILENT, PROBE),
        ON(RESET, PAUSED, WITHDRAW | NEW_BOOT),
        ON(LAYOUT, CHECKING_PAUSED, REOPEN | PROBE),
        ON(DIED, SILENT_PAUSED, MARK),
        ON(AWAY, AWAY, DISTRUST),
        NO_RESULT(SILENT_PAUSED),
        NO_HEARTBEAT(SILENT_PAUSED),
        ON(TIMER, SILENT_PAUSED, 0),
        READS(SILENT_PAUSED),
        ENDS(SILENT_PAUSED),
    },
    [MEMCTX_PHASE_CHECKING] = {
        ON(START, CHECKING, 0),
        ON(START_PAUSED, CHECKING_PAUSED, 0),
        ON(ARRIVING, PAUSED, ABANDON | WITHDRAW),
        ON(SUSPEND, CHECKING_PAUSED, 0),
        ON(RESUME, CHECKING, 0),
        ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
        ON(LAYOUT, CHECKING, ABANDON | REOPEN | PROBE),
        ON(DIED, CHECKING, 0),
        ON(AWAY, AWAY, ABANDON | DISTRUST),
        ON(FOUND, READY, ARM_LOOK | PUBLISH),
        ON(RETRY, BACKOFF, WITHDRAW | ARM),
        ON(PENDING, CHECK_WAIT, ARM),
        ON(STILL, SILENT, ARM | MARK),
        ON(COMPLETE, CHECKING, 0),
        ON(CONFIRMED, CHECKING, 0),
        ON(NEVER, UNSUPPORTED, WITHDRAW | RELEASE),
        NO_HEARTBEAT(CHECKING),
        ON(TIMER, CHECKING, 0),
        READS(CHECKING),
        ENDS(CHECKING),
    },
    [MEMCTX_PHASE_CHECKING_PAUSED] = {
        ON(START, CHECKING, ABANDON | PROBE),
        ON(START_PAUSED, CHECKING_PAUSED, 0),
        ON(ARRIVING, PAUSED, ABANDON | WITHDRAW),
        ON(SUSPEND, CHECKING_PAUSED, 0),
        ON(RESUME, CHECKING, ABANDON | PROBE),
        ON(RESET, PAUSED, ABANDON | WITHDRAW | NEW_BOOT),
        ON(LAYOUT, CHECKING_PAUSED, ABANDON | REOPEN | PROBE),
        ON(DIED, CHECKING_PAUSED, 0),
        ON(AWAY, AWAY, ABANDON | DISTRUST),
        ON(FOUND, READY_PAUSED, PUBLISH),
        ON(RETRY, PAUSED, WITHDRAW),
        ON(PENDING, CHECKING_PAUSED, PROBE),
        ON(STILL, CHECKING_PAUSED, PROBE),
        ON(COMPLETE, SILENT_PAUSED, MARK),
        ON(CONFIRMED, CHECKING_PAUSED, 0),
        ON(NEVER, UNSUPPORTED, WITHDRAW | RELEASE),
        NO_HEARTBEAT(CHECKING_PAUSED),
        ON(TIMER, CHECKING_PAUSED, 0),
        READS(CHECKING_PAUSED),
        ENDS(CHECKING_PAUSED),
    },
    [MEMCTX_PHASE_CHECK_WAIT] = {
        ON(START, CHECK_WAIT, 0),
        ON(START_PAUSED, CHECKING_PAUSED, ABANDON | PROBE),
        ON(ARRIVING, PAUSED, ABANDON | WITHDRAW),
        ON(SUSPEND, CHECKING_PAUSED, ABANDON | PROBE),
        ON(RESUME, CHECK_WAIT, 0),
        ON(RESET, BACKOFF, ABANDON | WITHDRAW | NEW_BOOT | ARM),
        ON(LAYOUT, CHECKING, ABANDON | REOPEN | PROBE),
        ON(DIED, CHECK_WAIT, 0),
        ON(AWAY, AWAY, ABANDON | DISTRUST),
        NO_RESULT(CHECK_WAIT),
        NO_HEARTBEAT(CHECK_WAIT),
        ON(TIMER, CHECKING, PROBE),
        READS(CHECK_WAIT),
        ENDS(CHECK_WAIT),
    },
    [MEMCTX_PHASE_UNSUPPORTED] = {
        ON(START, UNSUPPORTED, 0),
        ON(START_PAUSED, UNSUPPORTED, 0),
        ON(ARRIVING, UNSUPPORTED, 0),
        ON(SUSPEND, UNSUPPORTED, 0),
        ON(RESUME, UNSUPPORTED, 0),
        ON(RESET, UNSUPPORTED, 0),
        ON(LAYOUT, UNSUPPORTED, 0),
        ON(DIED, UNSUPPORTED, 0),
        ON(AWAY, UNSUPPORTED, 0),
        NO_RESULT(UNSUPPORTED),
        NO_HEARTBEAT(UNSUPPORTED),
        ON(TIMER, UNSUPPORTED, 0),
        READS(UNSUPPORTED),
        ENDS(UNSUPPORTED),
    },
    [MEMCTX_PHASE_AWAY] = {
        ON(START, CHECKING, PROBE),
        ON(START_PAUSED, CHECKING_PAUSED, PROBE),
        ON(ARRIVING, PAUSED, WITHDRAW),
        ON(SUSPEND, CHECKING_PAUSED, PROBE),
        ON(RESUME, CHECKING, PROBE),
        ON(RESET, BACKOFF, WITHDRAW | NEW_BOOT | ARM),
        ON(LAYOUT, AWAY, 0),
        ON(DIED, AWAY, 0),
        ON(AWAY, AWAY, 0),
        NO_RESULT(AWAY),
        NO_HEARTBEAT(AWAY),
        ON(TIMER, AWAY, 0),
        READS(AWAY),
        ENDS(AWAY),
    },
};
/* clang-format on */

static const struct {
    const char *name;
    enum memctx_state state;
    bool listens;
    bool paused;
} phases[] = {
    [MEMCTX_PHASE_NEW] = {.name = "new", .state = MEMCTX_STATE_WAITING},
    [MEMCTX_PHASE_PROBING] = {.name = "probing", .state = MEMCTX_STATE_WAITING},
    [MEMCTX_PHASE_PROBING_PAUSED] = {.name = "probing-paused",
                                     .state = MEMCTX_STATE_WAITING,
                                     .paused = true},
    [MEMCTX_PHASE_BACKOFF] = {.name = "backoff", .state = MEMCTX_STATE_WAITING},
    [MEMCTX_PHASE_PAUSED] = {.name = "paused",
                             .state = MEMCTX_STATE_WAITING,
                             .paused = true},
    [MEMCTX_PHASE_READY] = {.name = "ready",
                            .state = MEMCTX_STATE_READY,
                            .listens = true},
    [MEMCTX_PHASE_LULL] = {.name = "lull",
                           .state = MEMCTX_STATE_READY,
                           .listens = true},
    [MEMCTX_PHASE_DOUBT] = {.name = "doubt",
                            .state = MEMCTX_STATE_STALE,
                            .listens = true},
    [MEMCTX_PHASE_READY_PAUSED] = {.name = "ready-paused",
                                   .state = MEMCTX_STATE_READY,
                                   .paused = true},
    [MEMCTX_PHASE_SILENT] = {.name = "silent",
                             .state = MEMCTX_STATE_SILENT,
                             .listens = true},
    [MEMCTX_PHASE_SILENT_PAUSED] = {.name = "silent-paused",
                                    .state = MEMCTX_STATE_SILENT,
                                    .paused = true},
    [MEMCTX_PHASE_CHECKING] = {.name = "checking", .state = MEMCTX_STATE_STALE},
    [MEMCTX_PHASE_CHECKING_PAUSED] = {.name = "checking-paused",
                                      .state = MEMCTX_STATE_STALE,
                                      .paused = true},
    [MEMCTX_PHASE_CHECK_WAIT] = {.name = "check-wait",
                                 .state = MEMCTX_STATE_STALE},
    [MEMCTX_PHASE_UNSUPPORTED] = {.name = "unsupported",
                                  .state = MEMCTX_STATE_UNSUPPORTED},
    [MEMCTX_PHASE_AWAY] = {.name = "away", .state = MEMCTX_STATE_UNKNOWN},
};
static_assert(MEMCTX_ARRAY_LEN(phases) == MEMCTX_PHASES,
              "every phase has a name and a state");

static const char *const state_names[] = {
    [MEMCTX_STATE_WAITING] = "waiting",
    [MEMCTX_STATE_READY] = "ready",
    [MEMCTX_STATE_STALE] = "stale",
    [MEMCTX_STATE_SILENT] = "silent",
    [MEMCTX_STATE_UNSUPPORTED] = "unsupported",
    [MEMCTX_STATE_UNKNOWN] = "unknown",
};
static_assert(MEMCTX_ARRAY_LEN(state_names) == MEMCTX_STATES,
              "every state has a name");

static const char *const event_names[] = {
    [MEMCTX_EVENT_START] = "start",
    [MEMCTX_EVENT_START_PAUSED] = "start-paused",
    [MEMCTX_EVENT_ARRIVING] = "arriving",
    [MEMCTX_EVENT_SUSPEND] = "suspend",
    [MEMCTX_EVENT_RESUME] = "resume",
    [MEMCTX_EVENT_RESET] = "reset",
    [MEMCTX_EVENT_LAYOUT] = "layout",
    [MEMCTX_EVENT_DIED] = "died",
    [MEMCTX_EVENT_STOP] = "stop",
    [MEMCTX_EVENT_AWAY] = "away",
    [MEMCTX_EVENT_OPENED] = "opened",
    [MEMCTX_EVENT_FOUND] = "found",
    [MEMCTX_EVENT_RETRY] = "retry",
    [MEMCTX_EVENT_PENDING] = "pending",
    [MEMCTX_EVENT_STILL] = "still",
    [MEMCTX_EVENT_COMPLETE] = "complete",
    [MEMCTX_EVENT_CONFIRMED] = "confirmed",
    [MEMCTX_EVENT_NEVER] = "never",
    [MEMCTX_EVENT_GONE] = "gone",
    [MEMCTX_EVENT_MOVES] = "moves",
    [MEMCTX_EVENT_LULL] = "lull",
    [MEMCTX_EVENT_STANDS] = "stands",
    [MEMCTX_EVENT_REPLACED] = "replaced",
    [MEMCTX_EVENT_UNREAD] = "unread",
    [MEMCTX_EVENT_TIMER] = "timer",
};
static_assert(MEMCTX_ARRAY_LEN(event_names) == MEMCTX_EVENTS,
              "every event has a name");

static const char *const action_names[] = {
    "abandon",  "withdraw",  "new-boot", "new-kernel", "distrust",
    "reopen",   "inherit",   "probe",    "look",       "arm",
    "arm-look", "arm-doubt", "publish",  "keep",       "mark",
    "unmark",   "remember",  "release",  "forget",
};
static_assert(1 << (MEMCTX_ARRAY_LEN(action_names) - 1) == MEMCTX_ACT_FORGET,
              "every action has a name");

struct memctx_transition
memctx_domain_transition(enum memctx_phase phase, enum memctx_event event)
{
    assert(phase < MEMCTX_PHASES && event < MEMCTX_EVENTS);
    return transitions[phase][event];
}

enum memctx_state
memctx_phase_state(enum memctx_phase phase)
{
    assert(phase < MEMCTX_PHASES);
    return phases[phase].state;
}

bool
memctx_phase_listens(enum memctx_phase phase)
{
    assert(phase < MEMCTX_PHASES);
    return phases[phase].listens;
}

bool
memctx_phase_is_paused(enum memctx_phase phase)
{
    assert(phase < MEMCTX_PHASES);
    return phases[phase].paused;
}

const char *
memctx_state_name(enum memctx_state state)
{
    return state < MEMCTX_STATES ? state_names[state] : "?";
}

const char *
memctx_phase_name(enum memctx_phase phase)
{
    return phase < MEMCTX_PHASES ? phases[phase].name : "?";
}

const char *
memctx_event_name(enum memctx_event event)
{
    return event < MEMCTX_EVENTS ? event_names[event] : "?";
}

const char *
memctx_action_name(unsigned bit)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(action_names); i++) {
        if (bit == 1u << i)
            return action_names[i];
    }
    return NULL;
}
