/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Decides which of the kernels that the search finds is the running one. */
#include "search/bootstrap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "search/guests.h"
#include "search/pulse.h"
#include "search/revalidate.h"
#include "search/rivals.h"
#include "search/search.h"

#define WATCHED_MAX 16 /* as many as the search keeps clues of */

/* A new kernel is complete so soon after its clock began. */
#define SETTLE_US 3000000u

/* A kernel that passed the static checks and is watched for signs of life. */
struct watched {
    struct memctx_kernel kernel;
    uint64_t since_us;
    struct memctx_pulse *pulse;
    bool seen; /* in this try */
};

struct memctx_bootstrap {
    struct memctx_search *search;
    struct watched watched[WATCHED_MAX];
    size_t n_watched;
    bool has_found;
    struct memctx_kernel found;  /* by the last successful try */
    struct memctx_rivals rivals; /* that tries of this boot have seen */
    bool is_over;                /* that try's proof is: the next search needs a
                                    new one */
};

/* One try under way. */
struct attempt {
    struct memctx_bootstrap *bootstrap;
    const struct memctx_rammap *map;
    const struct memctx_bootstrap_request *request;
};

/* Kernels that need no new proof. */
struct proven {
    struct memctx_kernel kernel[WATCHED_MAX];
    size_t n;
};

int
memctx_bootstrap_create(struct memctx_bootstrap **ret, struct memctx_error *err)
{
    struct memctx_bootstrap *bootstrap = calloc(1, sizeof(*bootstrap));
    if (bootstrap == NULL ||
        memctx_search_create(&bootstrap->search, err) < 0) {
        free(bootstrap);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    *ret = bootstrap;
    return 0;
}

static void
forget_watched(struct memctx_bootstrap *bootstrap)
{
    for (size_t i = 0; i < bootstrap->n_watched; i++)
        memctx_pulse_destroy(bootstrap->watched[i].pulse);
    bootstrap->n_watched = 0;
}

void
memctx_bootstrap_destroy(struct memctx_bootstrap *bootstrap)
{
    if (bootstrap == NULL)
        return;
    forget_watched(bootstrap);
    memctx_search_destroy(bootstrap->search);
    free(bootstrap);
}

void
memctx_bootstrap_new_boot(struct memctx_bootstrap *bootstrap)
{
    forget_watched(bootstrap);
    bootstrap->has_found = false;
    bootstrap->rivals.n = 0;
    memctx_search_reset(bootstrap->search);
}

/* The watch of this very kernel, begun if need be; NULL when there is no room
 * or no reading. */
static struct watched *
watch(struct attempt *a, const struct memctx_kernel *kernel)
{
    struct memctx_bootstrap *b = a->bootstrap;
    for (size_t i = 0; i < b->n_watched; i++) {
        if (memctx_kernel_is_same(&b->watched[i].kernel, kernel))
            return &b->watched[i];
    }
    struct watched *w = &b->watched[b->n_watched];
    if (b->n_watched == WATCHED_MAX ||
        memctx_pulse_create(a->map, kernel, a->request->now_us, &w->pulse,
                            NULL) < 0)
        return NULL;
    w->kernel = *kernel;
    w->since_us = a->request->now_us;
    b->n_watched++;
    return w;
}

static bool
share_clock(const struct watched *a, const struct watched *b)
{
    uint64_t page_gpa = a->kernel.wall_clock.page_gpa;
    return page_gpa != 0 && page_gpa == b->kernel.wall_clock.page_gpa;
}

/* May `other` rather than `w` own the clock that both lead to? Not if it booted
 * earlier, or if the clock began anew for it before `w` came. */
static bool
may_own(const struct watched *other, const struct watched *w)
{
    uint64_t mine = w->kernel.wall_clock.booted;
    uint64_t others = other->kernel.wall_clock.booted;
    uint64_t restarted_us = memctx_pulse_restarted_us(other->pulse);
    if (mine != others && mine != 0 && others != 0)
        return others > mine;
    return restarted_us == 0 || restarted_us > w->since_us;
}

/* A system may keep its clock in a page that the next boot has in the same
 * place; the tables of the boot before still lead there. So it ticks for both,
 * and only the one that began later runs. Where the other is not complete yet,
 * the clock of the old one has begun anew, and it is given time to appear. What
 * was the answer once in this boot remains it. */
static bool
is_outlived(const struct attempt *a, const struct watched *w)
{
    const struct memctx_bootstrap *b = a->bootstrap;
    uint64_t restarted_us = memctx_pulse_restarted_us(w->pulse);
    bool proven = b->has_found && memctx_kernel_is_same(&b->found, &w->kernel);
    if (w->kernel.wall_clock.page_gpa == 0 || proven)
        return false;
    for (size_t i = 0; i < b->n_watched; i++) {
        const struct watched *other = &b->watched[i];
        if (other != w && share_clock(other, w) && may_own(other, w))
            return true;
    }
    return restarted_us != 0 && a->request->now_us - restarted_us < SETTLE_US;
}

/* A kernel is accepted once it has been seen alive. It passed the static
 * checks just now, so it is still what it was when its clock was read. */
static bool
accept_alive(const struct memctx_kernel *kernel, void *arg)
{
    struct attempt *a = arg;
    struct watched *w = watch(a, kernel);
    bool alive = false;
    if (w == NULL)
        return false;
    w->seen = true;
    if (a->request->known != NULL &&
        memctx_kernel_is_same(a->request->known, kernel))
        return true;
    return memctx_pulse_check(w->pulse, a->map, a->request->now_us, &alive,
                              NULL) == 0 &&
           alive && !is_outlived(a, w);
}

/* Watches whose kernel failed the checks in this try are over: a later kernel
 * in the same place has to prove itself from the beginning. */
static unsigned
drop_unseen(struct memctx_bootstrap *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n_watched; i++) {
        if (b->watched[i].seen)
            b->watched[kept++] = b->watched[i];
        else
            memctx_pulse_destroy(b->watched[i].pulse);
    }
    b->n_watched = kept;
    return (unsigned)kept;
}

/* `told`: the error says already why none was taken. */
static int
fail_pending(struct memctx_bootstrap *b, bool told,
             struct memctx_bootstrap_result *ret, struct memctx_error *err)
{
    ret->pending = true;
    ret->kernel = b->watched[0].kernel;
    if (told)
        return -1;
    return memctx_error_set(err, MEMCTX_RETRY,
                            "kernel %s at root %#" PRIx64 " is complete, but "
                            "has not been seen running yet",
                            ret->kernel.version, ret->kernel.kcr3);
}

/* A running guest shows by its clocks which of several kernels is the present
 * one. A paused guest does not, and a guess would be wrong half of the time. */
static int
take_only_one(const struct memctx_search_result *found,
              struct memctx_bootstrap_result *ret, struct memctx_error *err)
{
    if (found->n_kernels > 1)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%zu kernels in RAM, and a paused guest cannot "
                                "show which one runs",
                                found->n_kernels);
    ret->kernel = found->kernels[0];
    return 0;
}

static void
remember_found(struct memctx_bootstrap *b, const struct memctx_kernel *kernel)
{
    b->found = *kernel;
    b->has_found = true;
    b->is_over = true;
}

/* What a kernel has shown serves one search. It may be long ago at the next. */
static void
begin_proof(struct attempt *a)
{
    struct memctx_bootstrap *b = a->bootstrap;
    for (size_t i = 0; i < b->n_watched; i++) {
        b->watched[i].seen = false;
        /* One that cannot be read is not alive, and fails its checks. */
        if (b->is_over)
            memctx_pulse_restart(b->watched[i].pulse, a->map,
                                 a->request->now_us, NULL);
    }
    b->is_over = false;
}

static void
add_proven(struct proven *proven, const struct memctx_rammap *map,
           const struct memctx_kernel *kernel)
{
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    if (proven->n < WATCHED_MAX && guest->stands != NULL &&
        guest->stands(map, kernel, NULL) == 0)
        proven->kernel[proven->n++] = *kernel;
}

/* What an earlier try has proven in this boot is not asked again for what a
 * running kernel may page out. */
static void
find_proven(const struct attempt *a, struct proven *ret)
{
    const struct memctx_bootstrap *b = a->bootstrap;
    ret->n = 0;
    if (b->has_found)
        add_proven(ret, a->map, &b->found);
    for (size_t i = 0; i < b->n_watched; i++)
        add_proven(ret, a->map, &b->watched[i].kernel);
}

int
memctx_bootstrap_try(struct memctx_bootstrap *bootstrap,
                     const struct memctx_rammap *map,
                     const struct memctx_bootstrap_request *request,
                     struct memctx_bootstrap_result *ret,
                     struct memctx_error *err)
{
    struct attempt a = {bootstrap, map, request};
    /* Cold RAM held no kernel before, and a paused guest cannot be seen
     * running. In all other cases the kernel of an earlier boot passes every
     * static check until its pages are overwritten. */
    bool prove = !request->cold && !request->paused;
    struct proven proven;
    find_proven(&a, &proven);
    const struct memctx_search_request search = {
        .budget_bytes = request->budget_bytes,
        .all = request->paused,
        .accept = prove ? accept_alive : NULL,
        .accept_arg = &a,
        .proven = proven.kernel,
        .n_proven = proven.n,
        .rivals = &bootstrap->rivals,
    };
    struct memctx_search_result found;
    begin_proof(&a);
    memset(ret, 0, sizeof(*ret));
    int failed =
        memctx_search_try(bootstrap->search, map, &search, &found, err);
    /* Also those of a try that failed: the next one must not forget them. */
    bootstrap->rivals = found.rivals;
    ret->bytes_read = found.bytes_read;
    ret->candidates =
        prove ? drop_unseen(bootstrap) : (unsigned)found.n_kernels;
    if (failed < 0 && prove && ret->candidates > 0 &&
        (err == NULL || err->kind == MEMCTX_RETRY))
        return fail_pending(bootstrap, found.contested, ret, err);
    if (failed < 0)
        return -1;
    ret->alive = prove;
    if (take_only_one(&found, ret, err) < 0)
        return -1;
    remember_found(bootstrap, &ret->kernel);
    return 0;
}

static bool
is_wanted(const struct memctx_kernel *kernel, void *arg)
{
    return memctx_kernel_is_same(kernel, arg);
}

/* The clue that led to the kernel may be of an earlier boot of it, which had
 * everything in the same place: one without KASLR, or on ARM's machine, whose
 * seed a reset leaves as it was. That page is no longer held by anybody; once
 * it is gone, another clue has to lead to the same kernel. */
static int
verify_found(struct attempt *a, struct memctx_error *err)
{
    struct memctx_bootstrap *b = a->bootstrap;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct memctx_kernel wanted = b->found;
    const struct memctx_search_request search = {
        .budget_bytes = MEMCTX_BOOTSTRAP_LOOK_BYTES,
        .accept = is_wanted,
        .accept_arg = &wanted,
    };
    struct memctx_search_result again;
    if (memctx_stands(a->map, &b->found, &why) == 0)
        return 0;
    if (why.kind == MEMCTX_RETRY &&
        memctx_search_try(b->search, a->map, &search, &again, NULL) == 0) {
        b->found = again.kernels[0];
        return 0;
    }
    return memctx_error_set(err, why.kind, "%s", why.message);
}

void
memctx_bootstrap_adopt(struct memctx_bootstrap *bootstrap,
                       const struct memctx_kernel *kernel)
{
    bootstrap->found = *kernel;
    bootstrap->has_found = true;
    memctx_search_hint(bootstrap->search, kernel);
}

/* It passed the static checks some time ago. *told: it ticks, but *err says why
 * it is not taken. */
static bool
runs_now(struct attempt *a, struct watched *w, bool *told,
         struct memctx_error *err)
{
    bool alive = false;
    if (memctx_pulse_check(w->pulse, a->map, a->request->now_us, &alive, NULL) <
            0 ||
        !alive || is_outlived(a, w) ||
        memctx_stands(a->map, &w->kernel, NULL) < 0)
        return false;
    const struct memctx_rival *rival =
        memctx_rivals_find(a->map, &a->bootstrap->rivals, &w->kernel, true);
    if (rival == NULL)
        return true;
    memctx_rivals_tell(rival, &w->kernel, err);
    *told = true;
    return false;
}

int
memctx_bootstrap_watch(struct memctx_bootstrap *bootstrap,
                       const struct memctx_rammap *map,
                       const struct memctx_bootstrap_request *request,
                       struct memctx_bootstrap_result *ret,
                       struct memctx_error *err)
{
    struct attempt a = {bootstrap, map, request};
    bool told = false;
    memset(ret, 0, sizeof(*ret));
    if (memctx_rammap_check(map, err) < 0)
        return -1;
    ret->candidates = (unsigned)bootstrap->n_watched;
    for (size_t i = 0; i < bootstrap->n_watched; i++) {
        if (!runs_now(&a, &bootstrap->watched[i], &told, err))
            continue;
        ret->kernel = bootstrap->watched[i].kernel;
        ret->alive = true;
        remember_found(bootstrap, &ret->kernel);
        return 0;
    }
    if (bootstrap->n_watched == 0)
        return memctx_error_set(err, MEMCTX_RETRY, "no kernel is pending");
    return fail_pending(bootstrap, told, ret, err);
}

int
memctx_bootstrap_verify(struct memctx_bootstrap *bootstrap,
                        const struct memctx_rammap *map,
                        const struct memctx_bootstrap_request *request,
                        struct memctx_bootstrap_result *ret,
                        struct memctx_error *err)
{
    struct attempt a = {bootstrap, map, request};
    memset(ret, 0, sizeof(*ret));
    if (!bootstrap->has_found)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no kernel has been found in this RAM");
    if (verify_found(&a, err) < 0)
        return -1;
    ret->kernel = bootstrap->found;
    ret->candidates = 1;
    return 0;
}

int
memctx_bootstrap_words(struct memctx_bootstrap *bootstrap,
                       const struct memctx_rammap *map, uint64_t now_us,
                       struct memctx_words *ret, struct memctx_error *err)
{
    const struct memctx_bootstrap_request request = {.now_us = now_us};
    struct attempt a = {bootstrap, map, &request};
    bool alive;
    if (!bootstrap->has_found)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no kernel has been found in this RAM");
    struct watched *w = watch(&a, &bootstrap->found);
    if (w == NULL)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the clocks of kernel %s cannot be read",
                                bootstrap->found.version);
    if (memctx_pulse_check(w->pulse, map, now_us, &alive, err) < 0)
        return -1;
    memctx_pulse_words(w->pulse, ret);
    return 0;
}
