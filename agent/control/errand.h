/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A request that takes guest memory or a file: it is carried out by a thread of
 * offload.h, with references of its own to the RAM, and answered on the loop if
 * the client is still there and the kernel still the same. */
#ifndef MEMCTXD_ERRAND_H
#define MEMCTXD_ERRAND_H

#include <stdatomic.h>

#include "control/session.h"

struct errand;

/* Carry it out, on a thread: add the answer. -1 with *err. */
typedef int errand_work_fn(struct errand *errand, struct memctx_error *err);

struct errand {
    struct offload_job job; /* first */
    errand_work_fn *work;
    struct session *session; /* loop thread; NULL: the client has left */
    atomic_bool abandoned;   /* the same, for the thread */
    const struct log *log;
    /* The kernel that is meant. */
    struct memctx_rammap *map;
    struct epoch *epoch;
    uint64_t epoch_value;
    enum memctx_paging paging; /* for write */
    uint64_t kcr3;
    char *domain;
    /* Who asks. */
    uid_t uid;
    pid_t pid;
    /* What is asked for: read and write. */
    uint64_t address; /* read: a gpa; write: a gva */
    size_t len_bytes;
    unsigned char bytes[CONTROL_WRITE_MAX]; /* write: a slot of fixed size */
    bool settled; /* write: done is done, whatever runs by now */
    /* The answer. */
    json_object *reply; /* open: its beginning; owned */
    int page_fd;        /* open: of the state page; owned */
    struct packet *first;
    struct packet **last;
    struct memctx_error err;
};

/* Prepare one for a domain, which must be ready, and whose epoch must be that
 * in the request, if there is one. NULL, and *refusal. */
struct errand *errand_create(struct session *session,
                             const struct record *record, json_object *request,
                             errand_work_fn *work, struct refusal *refusal);

/* For one that is not submitted. */
void errand_destroy(struct errand *errand);

/* Hand it to a thread; it is not the caller's any more. */
void errand_submit(struct errand *errand);

/* The client leaves. NULL is fine. */
void errand_abandon(struct errand *errand);

/* Add a packet to the answer; owned from the call on. */
void errand_add(struct errand *errand, struct packet *packet);

/* Does the kernel still run? 0, or -1 with STALE, RETRY or GONE. Any thread. */
int errand_check_epoch(const struct errand *errand, struct memctx_error *err);

#endif
