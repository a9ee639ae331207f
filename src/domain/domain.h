/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The life of one domain as a table: phase x event -> next phase and actions.
 * Deciding is pure and stands here; agent/record/record.c performs the actions.
 *
 * libvirt promises no order: a cold boot sends RESUMED before STARTED, a
 * restore the reverse, a reset sends two or three REBOOTs. No cell assumes
 * one; tests/unit/domain/test_domain.c visits every cell. */
#ifndef MEMCTX_DOMAIN_H
#define MEMCTX_DOMAIN_H

/* What outsiders see. The set is closed: memctx-datum(7) lists it. */
enum memctx_state {
    MEMCTX_STATE_WAITING,     /* nothing true to say yet */
    MEMCTX_STATE_READY,       /* the datum is published */
    MEMCTX_STATE_STALE,       /* the datum is being checked again */
    MEMCTX_STATE_SILENT,      /* a complete kernel that does not run: it
                                 panicked, hangs or gives way to another; or
                                 its guest is paused and nobody saw it run */
    MEMCTX_STATE_UNSUPPORTED, /* can never work; the reason says why */
    MEMCTX_STATE_UNKNOWN,     /* libvirt is away */
    MEMCTX_STATES
};

enum memctx_phase {
    /* A record just made, nothing started. Leaves with the first event. */
    MEMCTX_PHASE_NEW,
    /* A try is made: RAM is opened if need be, and a prober searches it; the
     * timer is not armed. Ends with one of FOUND, RETRY, PENDING, NEVER, GONE.
     */
    MEMCTX_PHASE_PROBING,
    /* The same, but the guest has been paused: when this try fails there is no
     * other until RESUME, which begins a new one: what a paused guest shows was
     * not seen running. */
    MEMCTX_PHASE_PROBING_PAUSED,
    /* The timer is armed and nothing runs. Ends with TIMER. */
    MEMCTX_PHASE_BACKOFF,
    /* The guest is paused, or its RAM has not arrived yet: nothing runs and
     * nothing is armed. Ends with RESUME. */
    MEMCTX_PHASE_PAUSED,
    /* The datum is published; nothing runs, the timer is armed for the next
     * look at it. Ends with TIMER. */
    MEMCTX_PHASE_READY,
    /* That look is under way: do the kernel's clock words move, or, of one
     * without, is it still what it was? Ends with CONFIRMED, STANDS, RETRY. No
     * event tells of a kexec: only this does. */
    MEMCTX_PHASE_GLANCE,
    /* Published and paused: nothing runs, nothing is armed. A paused guest
     * cannot be seen running, so what was found in it is checked once it is
     * resumed. */
    MEMCTX_PHASE_READY_PAUSED,
    /* As PROBING, with a datum published that may have gone stale while we
     * could not see. It must not stay when the try fails. */
    MEMCTX_PHASE_CHECKING,
    /* The same, but the guest has been paused: what runs on can no longer be
     * seen running, so a try that was begun before decides nothing. */
    MEMCTX_PHASE_CHECKING_PAUSED,
    /* As BACKOFF, between two such tries: what stands published passed all
     * static checks, but has not been seen running yet. */
    MEMCTX_PHASE_CHECK_WAIT,
    /* Nothing runs, RAM is closed. Only the end of the run leaves it: what can
     * never work does not begin to while libvirt is away. */
    MEMCTX_PHASE_UNSUPPORTED,
    /* libvirt is away: data are kept, nothing runs, nothing is believed. */
    MEMCTX_PHASE_AWAY,
    MEMCTX_PHASES
};

enum memctx_event {
    MEMCTX_EVENT_START,        /* runs, or was found running */
    MEMCTX_EVENT_START_PAUSED, /* was found paused */
    MEMCTX_EVENT_ARRIVING,     /* started to receive a migration */
    MEMCTX_EVENT_SUSPEND,
    MEMCTX_EVENT_RESUME,
    MEMCTX_EVENT_RESET,  /* reboot or reset: RAM still holds the old kernel */
    MEMCTX_EVENT_LAYOUT, /* memory was plugged in, resized or removed */
    MEMCTX_EVENT_STOP,
    MEMCTX_EVENT_AWAY,    /* the connection to libvirt was lost */
    MEMCTX_EVENT_OPENED,  /* the domain's RAM was opened, and its metadata read:
                             whose run it is, and what stood there */
    MEMCTX_EVENT_FOUND,   /* the try ended: a kernel is verified */
    MEMCTX_EVENT_RETRY,   /* ... not yet */
    MEMCTX_EVENT_PENDING, /* ... what stands published passed the static checks
                             and has yet to be seen running */
    MEMCTX_EVENT_CONFIRMED, /* the look ended: what stands published runs, */
    MEMCTX_EVENT_STANDS,    /* or that could not be seen */
    MEMCTX_EVENT_NEVER,     /* a try ended: it can never work for this run */
    MEMCTX_EVENT_GONE,      /* ... the domain is not there any more */
    MEMCTX_EVENT_TIMER,     /* the backoff timer fired */
    MEMCTX_EVENTS
};

/* What the caller has to do, in the order of the bits. */
enum memctx_action {
    MEMCTX_ACT_ABANDON = 1 << 0,  /* drop the running try, disarm the timer */
    MEMCTX_ACT_WITHDRAW = 1 << 1, /* remove the datum, if there is one */
    MEMCTX_ACT_NEW_BOOT = 1 << 2, /* what was found is the old kernel's; count
                                     tries from the beginning */
    MEMCTX_ACT_DOUBT = 1 << 3,    /* open the RAM anew before the next try, and
                                     believe only what is seen running */
    MEMCTX_ACT_REOPEN = 1 << 4,   /* open the RAM anew, too, but believe in the
                                     kernel that was found if it is still there */
    MEMCTX_ACT_INHERIT = 1 << 5,  /* count on from what the run has counted, and
                                     take over the datum that stood there */
    MEMCTX_ACT_PROBE = 1 << 6,    /* start a try: search, */
    MEMCTX_ACT_LOOK = 1 << 7,     /* or look at what was found */
    MEMCTX_ACT_ARM = 1 << 8,      /* arm the timer: next backoff delay, */
    MEMCTX_ACT_ARM_LOOK = 1 << 9, /* or time to the next look */
    MEMCTX_ACT_PUBLISH = 1 << 10, /* write the datum, unless it stands there */
    MEMCTX_ACT_RELEASE = 1 << 11, /* close the RAM */
    MEMCTX_ACT_FORGET = 1 << 12,  /* destroy the record */
};

struct memctx_transition {
    enum memctx_phase next;
    unsigned actions; /* MEMCTX_ACT_* or'ed */
};

/* The cell for a phase and an event. Pure, any thread. */
struct memctx_transition memctx_domain_transition(enum memctx_phase phase,
                                                  enum memctx_event event);

/* What outsiders see of a phase. */
enum memctx_state memctx_phase_state(enum memctx_phase phase);

const char *memctx_state_name(enum memctx_state state);
const char *memctx_phase_name(enum memctx_phase phase);
const char *memctx_event_name(enum memctx_event event);

/* Name of the action with this one bit, NULL for none of ours. */
const char *memctx_action_name(unsigned bit);

#endif
