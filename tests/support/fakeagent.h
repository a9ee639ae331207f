/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An agent for readers under test: one domain, whose RAM was built by
 * guestimg.h or winimg.h, on a real control socket; a thread answers. It says
 * what a real one would, or what the test wants it to. */
#ifndef MEMCTX_TESTS_FAKEAGENT_H
#define MEMCTX_TESTS_FAKEAGENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "guestimg.h"
#include "wire/protocol.h"
#include "wire/statepage.h"

#define FAKEAGENT_UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define FAKEAGENT_CLIENTS_MAX 16

/* An answer in place of the right one. */
struct fakeagent_lie {
    const char *op;   /* NULL: no lie */
    const char *text; /* NULL: close the connection; "": do not answer */
    size_t len;       /* of the text; 0: strlen() */
    unsigned n_fds; /* descriptors: the state page, then RAM again and again */
    const char
        *next; /* a second packet, with as many descriptors; NULL: none */
};

struct fakeagent {
    char dir[64];
    pthread_t thread;
    pthread_mutex_t lock; /* over all below: use the functions */
    const struct guestimg *img;
    char *xml;         /* the datum, */
    char *silent_xml;  /* and of a silent domain */
    const char *state; /* "ready" */
    const char *reason;
    bool by_agent; /* RAM has no descriptor: the second extent of two, if any */
    struct statepage *page;
    int page_fd;
    uint64_t epoch; /* of "open" */
    struct fakeagent_lie lie;
    unsigned reads;   /* "read" requests so far */
    unsigned flip_at; /* with this one the page shows flip_to; 0: none */
    uint64_t flip_to;
    int listener;
    int wake;
    int client[FAKEAGENT_CLIENTS_MAX];
    bool waits[FAKEAGENT_CLIENTS_MAX];
    bool takes_silent[FAKEAGENT_CLIENTS_MAX]; /* who waits */
    bool stop;
};

/* Find the kernel in img and serve it as the domain "web1", epoch 7, on a
 * socket in `dir` (NULL: a new directory, removed at the end). */
void fakeagent_start(struct fakeagent *ret, const struct guestimg *img,
                     const char *dir);

/* End the thread and close all connections; nothing of it stays. */
void fakeagent_stop(struct fakeagent *fake);

/* Set the epoch in the state page, and of later opens. */
void fakeagent_set_epoch(struct fakeagent *fake, uint64_t epoch);

/* Only the page, as while a kernel is checked. */
void fakeagent_set_page(struct fakeagent *fake, uint64_t epoch);

void fakeagent_set_state(struct fakeagent *fake, const char *state,
                         const char *reason);

/* The kernel stands still, for 61 s already, or runs again: state and page. */
void fakeagent_set_silent(struct fakeagent *fake, bool silent,
                          const char *reason);

/* RAM has no descriptor from now on, or has. */
void fakeagent_set_by_agent(struct fakeagent *fake, bool by_agent);

/* With the so many-th "read" from now on the page shows `to`. */
void fakeagent_flip(struct fakeagent *fake, unsigned reads, uint64_t to);

/* "read" requests since the last call. */
unsigned fakeagent_take_reads(struct fakeagent *fake);

/* What the lie before said is not used any more when this returns. */
void fakeagent_set_lie(struct fakeagent *fake, const struct fakeagent_lie *lie);

#endif
