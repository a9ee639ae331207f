/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What all clients of the control socket share. */
#ifndef MEMCTXD_SERVICE_H
#define MEMCTXD_SERVICE_H

#include "config/access.h"
#include "config/patterns.h"
#include "control/audit.h"
#include "control/denials.h"
#include "common/offload.h"

struct disposer;
struct handed;
struct intake;
struct record;
struct tries;
struct walks;

/* RAM of a domain is handed in, which is owned from the call on: *ret is the
 * record that has it, in place of `record`, which is no more. -1 with RETRY:
 * libvirt is away; or EXHAUSTED. */
typedef int service_attach_fn(void *arg, struct record *record,
                              struct handed *handed, struct record **ret,
                              struct memctx_error *err);

struct service {
    /* What the owner gives. */
    struct record *const *records; /* the head of the list; may change */
    const bool *is_complete; /* they are all that run: libvirt is there, and
                                has listed them */
    const struct access *access;
    const struct patterns *domains; /* that are watched */
    struct offload *requests;       /* carries them out */
    struct tries *tries;            /* start probers for them */
    const struct log *log;
    const uint64_t *metrics_kernel; /* the key: metrics tell of kernels */
    int64_t started_s;              /* when the agent was; since the epoch */
    service_attach_fn *attach;
    void *attach_arg;
    /* The control socket's own, zero at first. */
    struct intake *intake;     /* for descriptors of clients */
    struct disposer *disposer; /* for connections, and RAM that was checked */
    uint64_t changes;          /* of all records, counted */
    struct denials denials;
    uint64_t refusals; /* for want of a right, counted */
    struct audit *audit;
    struct walks *walks;
};

#endif
