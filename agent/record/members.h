/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The records of all running domains, and their places in libvirt's event
 * loop. Loop thread only. */
#ifndef MEMCTXD_MEMBERS_H
#define MEMCTXD_MEMBERS_H

#include "record/record.h"

struct members;

/* One descriptor of one member in the event loop. */
struct member_handle {
    struct member *member;
    enum adapter_cookie cookie;
    int id; /* libvirt's; -1: none */
};

/* Fields are for reading, but for the owner's. */
struct member {
    struct record *record;
    unsigned announced; /* the owner's: the generation that hooks were called
                           for last; 0: none */
    unsigned silent;    /* ... that they were told does not run, */
    uint64_t silent_us; /* and when that was; monotonic */
    struct members *members;
    struct member_handle handles[ADAPTER_COOKIES];
    struct member *next;
};

struct members {
    bool listening; /* to the descriptors; members_listen() */
    struct member *first;
    struct record *records; /* the same, for the control socket */
    /* A record's run is over: the owner calls members_remove(). */
    void (*over)(void *arg, struct member *member);
    void *arg;
};

/* Take the record in; it is the member's from the call on. NULL, and the record
 * destroyed, when there is no memory or no place in the event loop. */
struct member *members_add(struct members *members, struct record *record);

/* Take what adapters find from now on. Before, they begin to look, and nothing
 * comes of it. */
void members_listen(struct members *members);

/* Destroy the member and its record. */
void members_remove(struct members *members, struct member *member);

/* The member of this domain, or NULL. */
struct member *members_find(const struct members *members, const char *uuid);

#endif
