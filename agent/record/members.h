/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The records of all running domains, and their descriptors in libvirt's event
 * loop. Loop thread only. */
#ifndef MEMCTXD_MEMBERS_H
#define MEMCTXD_MEMBERS_H

#include "record/record.h"

struct lastlog;
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
    unsigned announced;  /* the owner's: the generation that hooks were called
                            for last; 0: none */
    unsigned silent;     /* ... that they were told does not run, */
    uint64_t silent_us;  /* and when that was; monotonic */
    struct lastlog *log; /* the owner's: of its kernel, which has ended or may
                            have; NULL: none */
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

/* Add a record, which belongs to the member from the call on. NULL if there is
 * no memory or no place in the event loop; the record is then destroyed. */
struct member *members_add(struct members *members, struct record *record);

/* Accept what adapters find from now on. Before this call they already search,
 * but their results wait. */
void members_listen(struct members *members);

/* Destroy the member and its record. */
void members_remove(struct members *members, struct member *member);

/* The member of this domain, or NULL. */
struct member *members_find(const struct members *members, const char *uuid);

#endif
