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

#include <stdbool.h>

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
     * timer is not armed. Ends with one of FOUND, RETRY, PENDING, STILL,
     * NEVER, GONE. */
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
    /* The datum is published, and the heartbeat listens to its kernel: no event
     * of libvirt's tells of a panic or a kexec. A kernel without clock words
     * has no heartbeat: the timer is armed for a look at it, which ends with
     * CONFIRMED, RETRY or PENDING. */
    MEMCTX_PHASE_READY,
    /* The same for others. Its clocks stand still for longer than they ever
     * did, and no CPU is busy: mostly it is idle. But a kernel that slept on
     * its disk may have taken its place, and be idle itself. A try is made, or
     * the timer is armed for the next look at what it found. Ends with MOVES,
     * STANDS, CONFIRMED, or another kernel FOUND. */
    MEMCTX_PHASE_LULL,
    /* Its clocks stand still while its CPUs are busy, or nobody knows what they
     * do. A try is made, and the
     * timer is armed: when it fires, the kernel counts as silent. Ends with
     * MOVES, TIMER, or what the try finds. */
    MEMCTX_PHASE_DOUBT,
    /* Published and paused: nothing runs, nothing is armed. A paused guest
     * cannot be seen running, so what was found in it is checked once it is
     * resumed. */
    MEMCTX_PHASE_READY_PAUSED,
    /* A complete kernel stands in RAM, does not run, and no other was found.
     * Tries go on: either one is made or the timer is armed for the next. The
     * heartbeat listens, since a kernel may move again. */
    MEMCTX_PHASE_SILENT,
    /* The same, and the guest is paused: nothing runs, nothing is armed. */
    MEMCTX_PHASE_SILENT_PAUSED,
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
    MEMCTX_EVENT_DIED, /* the guest panicked: libvirt says so, or its kernel */
    MEMCTX_EVENT_STOP,
    MEMCTX_EVENT_AWAY,    /* the connection to libvirt was lost */
    MEMCTX_EVENT_OPENED,  /* the domain's RAM was opened, and its metadata read:
                             whose run it is, and what stood there */
    MEMCTX_EVENT_FOUND,   /* the try ended: a kernel is verified */
    MEMCTX_EVENT_RETRY,   /* ... not yet */
    MEMCTX_EVENT_PENDING, /* ... what stands published passed the static checks
                             and has yet to be seen running */
    MEMCTX_EVENT_STILL,   /* ... a kernel is complete, and was not seen running
                             for so long that it does not run */
    MEMCTX_EVENT_COMPLETE,  /* ... a paused guest has one complete kernel, which
                               nobody has seen running since others could have
                               taken its place */
    MEMCTX_EVENT_CONFIRMED, /* ... or the look: it is still what it was, and
                               nothing else was seen running */
    MEMCTX_EVENT_NEVER,     /* a try ended: it can never work for this run */
    MEMCTX_EVENT_GONE,      /* ... the domain is not there any more */
    MEMCTX_EVENT_MOVES,     /* the heartbeat: the clocks move (again), */
    MEMCTX_EVENT_LULL,      /* stand still for longer than before, */
    MEMCTX_EVENT_STANDS,    /* or while the CPUs are busy, */
    MEMCTX_EVENT_REPLACED,  /* are another kernel's by now, */
    MEMCTX_EVENT_UNREAD,    /* or could not be read */
    MEMCTX_EVENT_TIMER,     /* the timer fired */
    MEMCTX_EVENTS
};

/* What the caller has to do, in the order of the bits. */
enum memctx_action {
    MEMCTX_ACT_ABANDON = 1 << 0,    /* drop the running try, disarm the timer */
    MEMCTX_ACT_WITHDRAW = 1 << 1,   /* remove the datum, if there is one */
    MEMCTX_ACT_NEW_BOOT = 1 << 2,   /* what was found is the old kernel's; count
                                       tries from the beginning */
    MEMCTX_ACT_NEW_KERNEL = 1 << 3, /* the same, without a reset */
    MEMCTX_ACT_DISTRUST = 1 << 4, /* open the RAM anew before the next try, and
                                  believe only what is seen running */
    MEMCTX_ACT_REOPEN = 1 << 5,   /* open the RAM anew, too, but believe in the
                                     kernel that was found if it is still there */
    MEMCTX_ACT_INHERIT = 1 << 6,  /* count on from what the run has counted, and
                                     take over the datum that stood there */
    MEMCTX_ACT_PROBE = 1 << 7,    /* start a try: search, */
    MEMCTX_ACT_LOOK = 1 << 8,     /* or look at what was found */
    MEMCTX_ACT_ARM = 1 << 9,      /* arm the timer: next backoff delay, */
    MEMCTX_ACT_ARM_LOOK = 1 << 10, /* time to the next look, if there is one, */
    MEMCTX_ACT_ARM_DOUBT = 1 << 11, /* or how long clocks may stand */
    MEMCTX_ACT_PUBLISH = 1 << 12, /* write the datum, unless it stands there */
    MEMCTX_ACT_KEEP = 1 << 13, /* the kernel is still where the try found it */
    MEMCTX_ACT_MARK = 1 << 14, /* write that it does not run, or that nobody
                                  knows; where it was never seen running, no
                                  datum stands */
    MEMCTX_ACT_UNMARK = 1 << 15,   /* write that it runs again */
    MEMCTX_ACT_REMEMBER = 1 << 16, /* note what the next agent should know */
    MEMCTX_ACT_RELEASE = 1 << 17,  /* close the RAM */
    MEMCTX_ACT_FORGET = 1 << 18,   /* destroy the record */
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

/* Does the heartbeat listen to the kernel's clock words? */
bool memctx_phase_listens(enum memctx_phase phase);

/* Is the guest paused, as far as is known? */
bool memctx_phase_is_paused(enum memctx_phase phase);

const char *memctx_state_name(enum memctx_state state);
const char *memctx_phase_name(enum memctx_phase phase);
const char *memctx_event_name(enum memctx_event event);

/* Name of the action with this one bit, NULL for none of ours. */
const char *memctx_action_name(unsigned bit);

#endif
