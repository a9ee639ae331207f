/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The life of an adapter as a table: phase x event -> next phase and actions.
 * Deciding is pure and stands here; act.c performs the actions.
 *
 * A domain's record gives orders, of which the last one counts. What they need
 * happens elsewhere: a worker opens RAM, a prober tries. The heartbeat, which
 * reads clock words all the while, is no part of this.
 * tests/unit/tries/test_life.c visits every cell. */
#ifndef MEMCTXD_LIFE_H
#define MEMCTXD_LIFE_H

enum life_phase {
    /* No RAM is open, and nothing runs. */
    LIFE_CLOSED,
    /* A worker opens RAM for the order that waits. Ends with OPENED or
     * REFUSED. */
    LIFE_OPENING,
    /* The same, but the order was dropped. What is opened is kept. */
    LIFE_OPENING_ALONE,
    /* The same, but what is opened is out of date: it is closed again. */
    LIFE_OPENING_STALE,
    /* The same, and an order waits for RAM to be opened once more. One worker
     * at a time opens it, since libvirt or a file system may hold him up. */
    LIFE_REOPENING,
    /* RAM is open, and nothing runs. A prober may be there, and rest. */
    LIFE_IDLE,
    /* The order waits for the time that the last try has cost. Ends with TIMER,
     * of which the record hears nothing. */
    LIFE_HELD,
    /* A prober has the order, or will have it when it is its turn. Ends with
     * FAILED, FOUND or SETTLED. */
    LIFE_TRYING,
    /* A kernel was found and told. The prober goes on until the kernel has
     * shown its clock words. */
    LIFE_LEARNING,
    /* A prober reads the last messages of the kernel that was found. No order
     * stands. */
    LIFE_READING,
    LIFE_PHASES
};

enum life_event {
    /* An order: */
    LIFE_ORDER_EASY,  /* ... that can be answered at once, */
    LIFE_ORDER_TRY,   /* ... that takes a prober, */
    LIFE_ORDER_LATER, /* ... for which it is too early */
    LIFE_DROP,        /* the order is void */
    LIFE_CLOSE,       /* RAM is to be closed; no order stands */
    LIFE_OPENED,      /* the worker has opened RAM, */
    LIFE_REFUSED,     /* or has not */
    LIFE_FAILED,      /* the prober did not do it; it may do better later */
    LIFE_FOUND,       /* it found a kernel, whose words are not known yet */
    LIFE_SETTLED,     /* it has done all there is to do */
    LIFE_TIMER,       /* what tries have cost is paid for */
    LIFE_WROTE,       /* the kernel that was found has logged something, by
                         which it may tell that it has panicked */
    LIFE_EVENTS
};

/* What the caller has to do, in the order of the bits. */
enum life_action {
    LIFE_ACT_LEARN = 1 << 0,  /* keep the clock words that came */
    LIFE_ACT_UNASK = 1 << 1,  /* nobody waits for the prober's answer now */
    LIFE_ACT_REST = 1 << 2,   /* end the prober */
    LIFE_ACT_SHUT = 1 << 3,   /* close the RAM */
    LIFE_ACT_SPILL = 1 << 4,  /* close the RAM that the worker opened */
    LIFE_ACT_KEEP = 1 << 5,   /* take that RAM over */
    LIFE_ACT_NEWS = 1 << 6,   /* tell the record what the worker has read */
    LIFE_ACT_TELL = 1 << 7,   /* tell it how its order has ended */
    LIFE_ACT_OPEN = 1 << 8,   /* have a worker open the RAM; a prober may be
                                 started meanwhile */
    LIFE_ACT_ANSWER = 1 << 9, /* answer the order at once */
    LIFE_ACT_ASK = 1 << 10,   /* ask a prober to do what is ordered, */
    LIFE_ACT_QUIZ = 1 << 11,  /* or which clock words move, */
    LIFE_ACT_READ = 1 << 12,  /* or to read the last messages */
    LIFE_ACT_HOLD = 1 << 13,  /* arm the timer for the order */
    LIFE_ACT_BEGIN = 1 << 14, /* give the order that waits once more */
};

struct life_transition {
    enum life_phase next;
    unsigned actions; /* LIFE_ACT_* or'ed */
};

/* The cell for a phase and an event. Pure, any thread. */
struct life_transition life_transition(enum life_phase phase,
                                       enum life_event event);

const char *life_phase_name(enum life_phase phase);
const char *life_event_name(enum life_event event);

/* Name of the action with this one bit, NULL for none of ours. */
const char *life_action_name(unsigned bit);

#endif
