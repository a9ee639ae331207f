/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A request that takes guest memory or a file: it is carried out by a thread of
 * offload.h, with references of its own to the RAM, and answered on the loop if
 * the client is still there and the kernel still the same.
 *
 * An operation has a struct for what it was asked, which begins with struct
 * request:
 *
 *   struct read_request { struct request request; uint64_t gpa; ... };
 *   static const struct request_ops ops = {.work = read_memory};
 *   struct read_request *r = request_create(sizeof(*r), &ops, session, ...);
 *   fill it from the message, or request_destroy(&r->request);
 *   request_submit(&r->request);
 *
 * What has to be known first, and is told on the loop later, an operation asks
 * for between the two, with session->busy and an abandon() of its own. */
#ifndef MEMCTXD_REQUEST_H
#define MEMCTXD_REQUEST_H

#include <stdatomic.h>

#include "control/running.h"
#include "control/session.h"

struct request;

/* How an operation carries requests out. */
struct request_ops {
    /* Do it, and add the answer. 0, or -1 with *err, and what was added is
       dropped. On a thread. */
    int (*work)(struct request *request, struct memctx_error *err);
    /* Free what the operation's own struct owns. NULL: nothing. */
    void (*deinit)(struct request *request);
    /* What is done is done: the answer is sent though another kernel runs by
       then. work() looks itself whether the kernel is the one that is meant. */
    bool is_final;
    /* It may be done with a kernel that is silent, if the client asks for it
       with "silent":true. */
    bool serves_silent;
};

struct request {
    struct offload_job job; /* first */
    struct task task;
    const struct request_ops *ops;
    struct session *session; /* loop thread; NULL: the client has left */
    atomic_bool abandoned;   /* the same, for the thread */
    struct running_kernel kernel;
    /* The answer. */
    struct packet *first;
    struct packet **last;
    struct memctx_error err;
};

/* Prepare one of `size` bytes, which begins with a struct request and is zero
 * behind it, for a domain, which must be ready, or silent where that is served,
 * and whose epoch must be that in the message, if there is one. NULL, and
 * *refusal. Loop thread. */
void *request_create(size_t size, const struct request_ops *ops,
                     struct session *session, const struct record *record,
                     json_object *message, struct refusal *refusal);

/* For one that is not submitted; its session is not touched. Loop thread. */
void request_destroy(struct request *request);

/* Hand it to a thread; it is not the caller's any more. Loop thread. */
void request_submit(struct request *request);

/* Add a packet to the answer; owned from the call on. From work(). */
void request_add(struct request *request, struct packet *packet);

/* Add an object as a packet, which is put. -1 with EXHAUSTED. From work(). */
int request_add_object(struct request *request, json_object *object,
                       struct memctx_error *err);

#endif
