/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A list of the few domains whose metadata have just been changed, or were
 * changed by somebody else in this run. */
#include "publish/guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/uuid.h"

#define POSTPONE_MS 200u

struct entry {
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    bool wanted;  /* at due_ms they are to be compared, */
    bool looking; /* or that is being done, */
    bool again;   /* and has to be done once more */
    uint64_t due_ms;
    unsigned repairs;     /* since the domain was calm */
    uint64_t repaired_ms; /* when the last one was */
    bool meddled;         /* that was told in this run, */
    bool fought_before;   /* and so was this */
    bool fought;          /* GUARD_FOUGHT holds */
    struct entry *next;
};

struct guard {
    struct entry *first;
};

struct guard *
guard_create(void)
{
    return calloc(1, sizeof(struct guard));
}

static struct entry **
find_place(struct guard *g, const char *uuid)
{
    struct entry **place = &g->first;
    while (*place != NULL && strcmp((*place)->uuid, uuid) != 0)
        place = &(*place)->next;
    return place;
}

static void
drop(struct entry **place)
{
    struct entry *entry = *place;
    *place = entry->next;
    free(entry);
}

void
guard_destroy(struct guard *g)
{
    while (g != NULL && g->first != NULL)
        drop(&g->first);
    free(g);
}

static uint64_t
delay_ms(unsigned repairs)
{
    uint64_t delay = GUARD_DELAY_FIRST_MS;
    if (repairs < GUARD_PATIENCE)
        return 0;
    for (unsigned i = GUARD_PATIENCE; i < repairs && delay < GUARD_DELAY_CAP_MS;
         i++)
        delay *= 2;
    return memctx_min(delay, GUARD_DELAY_CAP_MS);
}

static void
want(struct entry *e, uint64_t now_ms)
{
    uint64_t soonest = e->repaired_ms + delay_ms(e->repairs);
    e->wanted = true;
    e->due_ms = e->repairs > 0 ? memctx_max(now_ms, soonest) : now_ms;
}

void
guard_hear(struct guard *g, const char *uuid, uint64_t now_ms)
{
    struct entry **place = find_place(g, uuid);
    if (*place == NULL)
        *place = calloc(1, sizeof(**place));
    struct entry *e = *place;
    if (e == NULL || strlen(uuid) >= sizeof(e->uuid))
        return;
    memcpy(e->uuid, uuid, strlen(uuid) + 1);
    if (e->looking)
        e->again = true;
    else if (!e->wanted)
        want(e, now_ms);
}

void
guard_forget(struct guard *g, const char *uuid)
{
    struct entry **place = find_place(g, uuid);
    if (*place != NULL)
        drop(place);
}

const char *
guard_due(struct guard *g, uint64_t now_ms)
{
    for (struct entry *e = g->first; e != NULL; e = e->next) {
        if (!e->wanted || e->due_ms > now_ms)
            continue;
        e->wanted = false;
        e->looking = true;
        return e->uuid;
    }
    return NULL;
}

void
guard_postpone(struct guard *g, const char *uuid, uint64_t now_ms)
{
    struct entry *e = *find_place(g, uuid);
    if (e == NULL)
        return;
    e->looking = false;
    e->again = false;
    e->wanted = true;
    e->due_ms = now_ms + POSTPONE_MS;
}

/* What is to be told of one more repair. */
static enum guard_news
count(struct entry *e, uint64_t now_ms)
{
    bool first = !e->meddled;
    e->meddled = true;
    e->repairs++;
    e->repaired_ms = now_ms;
    if (e->repairs < GUARD_PATIENCE || e->fought)
        return first ? GUARD_MEDDLED : GUARD_NO_NEWS;
    bool before = e->fought_before;
    e->fought = true;
    e->fought_before = true;
    return before ? GUARD_FOUGHT_AGAIN : GUARD_FOUGHT;
}

enum guard_news
guard_find(struct guard *g, const char *uuid, bool was_wrong, uint64_t now_ms)
{
    struct entry **place = find_place(g, uuid);
    struct entry *e = *place;
    if (e == NULL)
        return GUARD_NO_NEWS;
    enum guard_news news = was_wrong ? count(e, now_ms) : GUARD_NO_NEWS;
    e->looking = false;
    if (e->again)
        want(e, now_ms);
    e->again = false;
    /* Most changes are our own: nothing is kept of them. */
    if (!e->wanted && !e->meddled)
        drop(place);
    return news;
}

static bool
waits_for_calm(const struct entry *e)
{
    return e->repairs > 0 && !e->wanted && !e->looking;
}

const char *
guard_calm(struct guard *g, uint64_t now_ms)
{
    for (struct entry *e = g->first; e != NULL; e = e->next) {
        if (!waits_for_calm(e) || now_ms < e->repaired_ms + GUARD_CALM_MS)
            continue;
        bool fought = e->fought;
        e->repairs = 0;
        e->fought = false;
        if (fought)
            return e->uuid;
    }
    return NULL;
}

uint64_t
guard_next_ms(const struct guard *g)
{
    uint64_t next_ms = GUARD_NEVER;
    for (const struct entry *e = g->first; e != NULL; e = e->next) {
        if (e->wanted)
            next_ms = memctx_min(next_ms, e->due_ms);
        else if (waits_for_calm(e))
            next_ms = memctx_min(next_ms, e->repaired_ms + GUARD_CALM_MS);
    }
    return next_ms;
}
