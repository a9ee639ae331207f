/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A list of walks, each with a client of the tries, and one descriptor that is
 * written to when any of them has an answer. */
#include "control/walks.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"

struct walks {
    struct tries *tries;
    struct walk *first; /* in the order in which they began */
    int fd;             /* eventfd */
    int handle;         /* libvirt's; -1: none */
};

/* A prober may say what it likes of why it found nothing: it must not pass for
 * what memctxd says. */
static void
take_failure(struct walk_result *result,
             const struct memctx_probe_answer *answer)
{
    bool permanent = answer->why.kind == MEMCTX_PERMANENT;
    memctx_error_set(&result->why, permanent ? MEMCTX_PERMANENT : MEMCTX_RETRY,
                     "page tables: %s", answer->why.message);
}

static bool
take_answer(struct walk *walk)
{
    struct walk_result *result = &walk->result;
    struct tries_outcome outcome;
    if (!tries_take(walk->client, &outcome))
        return false;
    const struct memctx_probe_answer *answer = &outcome.answer;
    if (outcome.fault != TRIES_FINE) {
        result->why = outcome.why;
    } else if (answer->verdict != MEMCTX_PROBE_DONE) {
        take_failure(result, answer);
    } else {
        result->n_parts = answer->n_parts;
        memcpy(result->parts, answer->parts, sizeof(result->parts));
    }
    return true;
}

static struct walk *
find_ended(const struct walks *walks)
{
    for (struct walk *w = walks->first; w != NULL; w = w->next) {
        if (w->result.why.kind != MEMCTX_OK ||
            (w->client != NULL && take_answer(w)))
            return w;
    }
    return NULL;
}

static void
end_walks(struct walks *walks)
{
    struct walk *walk;
    while ((walk = find_ended(walks)) != NULL) {
        walks_cancel(walks, walk);
        walk->done(walk);
    }
}

static void
on_answer(int handle, int fd, int events, void *opaque)
{
    eventfd_t ignored;
    (void)handle;
    (void)events;
    eventfd_read(fd, &ignored);
    end_walks(opaque);
}

static void
ask(struct walks *walks, struct walk *walk)
{
    const struct running_kernel *kernel = walk->kernel;
    const struct memctx_probe_request request = {
        .task = MEMCTX_PROBE_TRANSLATE,
        .paging = kernel->paging,
        .root_gpa = kernel->kcr3,
        .gva = walk->gva,
        .size = walk->len_bytes,
    };
    if (tries_join(walks->tries, walks->fd, &walk->client, &walk->result.why) <
        0) {
        eventfd_write(walks->fd, 1);
        return;
    }
    tries_set_ram(walk->client, &kernel->map, 1);
    tries_ask(walk->client, &request, TRIES_LIGHT);
}

/* To the first walk in this guest, if it has not begun. */
static void
give_turn(struct walks *walks, const struct epoch *guest)
{
    struct walk *w = walks->first;
    while (w != NULL && w->kernel->epoch != guest)
        w = w->next;
    if (w != NULL && w->client == NULL && w->result.why.kind == MEMCTX_OK)
        ask(walks, w);
}

void
walks_begin(struct walks *walks, struct walk *walk)
{
    struct walk **at = &walks->first;
    while (*at != NULL)
        at = &(*at)->next;
    *at = walk;
    walk->result = (struct walk_result){.why = MEMCTX_ERROR_INIT};
    walk->client = NULL;
    walk->next = NULL;
    give_turn(walks, walk->kernel->epoch);
}

void
walks_cancel(struct walks *walks, struct walk *walk)
{
    struct walk **at = &walks->first;
    while (*at != walk)
        at = &(*at)->next;
    *at = walk->next;
    tries_leave(memctx_steal_ptr(&walk->client));
    give_turn(walks, walk->kernel->epoch);
}

/* Where it is not known whether it runs, it may well be known later. */
void
walks_check(struct walks *walks)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    for (struct walk *w = walks->first; w != NULL; w = w->next) {
        if (running_kernel_check(w->kernel, &why) < 0 &&
            why.kind != MEMCTX_RETRY)
            w->result.why = why;
    }
    end_walks(walks);
}

int
walks_create(struct tries *tries, struct walks **ret, struct memctx_error *err)
{
    struct walks *walks = calloc(1, sizeof(*walks));
    if (walks == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    walks->tries = tries;
    walks->handle = -1;
    walks->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (walks->fd >= 0)
        walks->handle = virEventAddHandle(walks->fd, VIR_EVENT_HANDLE_READABLE,
                                          on_answer, walks, NULL);
    if (walks->handle < 0) {
        walks_destroy(walks);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no descriptors to hear probers by");
    }
    *ret = walks;
    return 0;
}

void
walks_destroy(struct walks *walks)
{
    if (walks == NULL)
        return;
    if (walks->handle >= 0)
        virEventRemoveHandle(walks->handle);
    memctx_close_fd(&walks->fd);
    free(walks);
}
