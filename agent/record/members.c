/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Brings what an adapter's descriptors say to its record. */
#include "record/members.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

/* The control socket goes through records and knows no members. */
static void
relink_records(struct members *members)
{
    struct record **last = &members->records;
    for (struct member *m = members->first; m != NULL; m = m->next) {
        *last = m->record;
        last = &m->record->next;
    }
    *last = NULL;
}

static void
on_member(int id, int fd, int events, void *opaque)
{
    struct member_handle *handle = opaque;
    struct member *member = handle->member;
    (void)id;
    (void)fd;
    (void)events;
    /* Nothing of the member may be touched behind this: it may be freed. */
    if (record_dispatch(member->record, handle->cookie))
        member->members->over(member->members->arg, member);
}

/* Until members_listen() the handles wait for no event: what adapters find
 * stays in their descriptors, and is not lost. */
static int
add_handles(struct member *member)
{
    int events = member->members->listening ? VIR_EVENT_HANDLE_READABLE : 0;
    for (unsigned i = 0; i < ADAPTER_COOKIES; i++) {
        struct member_handle *handle = &member->handles[i];
        handle->member = member;
        handle->cookie = (enum adapter_cookie)i;
        handle->id = virEventAddHandle(
            adapter_fd(member->record->adapter, handle->cookie), events,
            on_member, handle, NULL);
        if (handle->id < 0)
            return -1;
    }
    return 0;
}

struct member *
members_add(struct members *members, struct record *record)
{
    struct member *member = calloc(1, sizeof(*member));
    if (member == NULL) {
        record_destroy(record);
        return NULL;
    }
    member->record = record;
    member->members = members;
    for (unsigned i = 0; i < ADAPTER_COOKIES; i++)
        member->handles[i].id = -1;
    member->next = members->first;
    members->first = member;
    relink_records(members);
    if (add_handles(member) == 0)
        return member;
    members_remove(members, member);
    return NULL;
}

void
members_listen(struct members *members)
{
    members->listening = true;
    for (struct member *m = members->first; m != NULL; m = m->next) {
        for (unsigned i = 0; i < ADAPTER_COOKIES; i++)
            virEventUpdateHandle(m->handles[i].id, VIR_EVENT_HANDLE_READABLE);
    }
}

void
members_remove(struct members *members, struct member *member)
{
    struct member **at = &members->first;
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    for (unsigned i = 0; i < ADAPTER_COOKIES; i++) {
        if (member->handles[i].id >= 0)
            virEventRemoveHandle(member->handles[i].id);
    }
    relink_records(members);
    record_destroy(member->record);
    free(member);
}

struct member *
members_find(const struct members *members, const char *uuid)
{
    for (struct member *m = members->first; m != NULL; m = m->next) {
        if (strcmp(m->record->uuid, uuid) == 0)
            return m;
    }
    return NULL;
}
