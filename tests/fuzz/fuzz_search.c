/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A small Linux guest of which bytes are changed, also while it is looked at:
 * the search in one or two layouts, its clocks, what is asked of a ready
 * kernel, and all that becomes of what was found.
 *
 * The first byte picks the guest, the second one what the host knows of it;
 * changes.h has the rest. Stages 0 to 2 are before each try, stage 3 is while
 * the kernel that was found is asked of. */
#include "fuzz.h"

#include "cost.h"
#include "guests.h"
#include "search/layouts.h"
#include "uses.h"

#define SECOND UINT64_C(1000000)
#define TIB (1024 * MEMCTX_GIB)
#define BUDGET (8 * MEMCTX_MIB)
#define TRIES 3

/* Bits of the second byte. */
enum {
    COLD = 1,
    PAUSED = 2,
    DOUBTFUL = 4, /* RAM may go on at 1 TiB */
    STANDS = 8,   /* its clock does not move */
    FORGETS = 16, /* is reset behind the first try */
};

struct run {
    const struct fuzz_linux *linux_guest;
    unsigned flags;
    const uint8_t *changes;
    size_t size;
    const struct memctx_rammap *const *maps; /* one for each layout */
    size_t n_maps;
    struct memctx_layouts *layouts;
    struct memctx_bootstrap_request request;
    struct memctx_layouts_result result;
};

static void
pass_second(struct run *r, unsigned stage)
{
    r->request.now_us += SECOND;
    if ((r->flags & STANDS) == 0)
        fuzz_linux_tick(r->linux_guest, 250);
    fuzz_change(&r->linux_guest->guest, stage, r->changes, r->size);
}

/* Nothing but "not yet" may come of what a guest wrote. */
static bool
check(int failed, const struct memctx_error *err)
{
    FUZZ_MUST(failed == 0 ||
              (err->kind == MEMCTX_RETRY && err->message[0] != '\0'));
    return failed == 0;
}

/* A try; where that left a kernel pending, and a moment later it is seen
 * running, that is as good. */
static bool
try_once(struct run *r, unsigned stage)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (check(memctx_layouts_try(r->layouts, &r->request, &r->result, &err),
              &err))
        return true;
    if (!r->result.found.pending)
        return false;
    pass_second(r, stage);
    return check(
        memctx_layouts_watch(r->layouts, &r->request, &r->result, &err), &err);
}

/* A try, and to settle in which layout. */
static uint64_t
steps_of(const struct run *r)
{
    return memctx_layouts_steps(memctx_rammap_size(r->maps[0]),
                                (r->flags & PAUSED) != 0) +
           memctx_layouts_steps(0, false);
}

static bool
find(struct run *r)
{
    bool found = false;
    for (unsigned i = 0; i < TRIES && !found; i++) {
        pass_second(r, i);
        if (i == 1 && (r->flags & FORGETS) != 0)
            memctx_layouts_new_boot(r->layouts);
        struct fuzz_cost cost =
            fuzz_cost_begin(r->linux_guest->guest.ram, steps_of(r));
        found = try_once(r, i);
        fuzz_cost_end(&cost);
    }
    return found;
}

/* What its words say now, for who reads them by himself. */
static void
follow_words(struct run *r, struct memctx_words *words)
{
    uint64_t values[MEMCTX_WORDS_MAX];
    for (size_t i = 0; i < words->n; i++) {
        unsigned char raw[8];
        FUZZ_MUST(memctx_rammap_read(r->maps[r->result.layout],
                                     words->word[i].gpa, raw, sizeof(raw),
                                     NULL) == 0);
        values[i] = memctx_le64(raw);
    }
    memctx_words_judge(words, values, SECOND);
}

/* What a prober is asked of a kernel that was found, maybe by another one. */
static void
ask(struct run *r, struct memctx_layouts *layouts)
{
    struct memctx_layouts_result seen;
    struct memctx_words words = {.n = 0};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (int i = 0; i < 2; i++) {
        if (check(
                memctx_layouts_words(layouts, r->request.now_us, &words, &err),
                &err))
            follow_words(r, &words);
        if (check(memctx_layouts_verify(layouts, &r->request, &seen, &err),
                  &err))
            FUZZ_MUST(memctx_kernel_is_same(&seen.found.kernel,
                                            &r->result.found.kernel));
        pass_second(r, 3);
    }
}

static void
use(struct run *r)
{
    const struct memctx_rammap *map = r->maps[r->result.layout];
    struct memctx_layouts *others;
    size_t n;
    const struct memctx_extent *extents = memctx_rammap_extents(map, &n);
    fuzz_use(map, extents[0].size, &r->result.found.kernel);
    ask(r, r->layouts);
    FUZZ_MUST(memctx_layouts_create(r->maps, r->n_maps, &others, NULL) == 0);
    memctx_layouts_adopt(others, &r->result.found.kernel, r->result.layout);
    ask(r, others);
    memctx_layouts_destroy(others);
}

static void
run(struct run *r)
{
    r->request = (struct memctx_bootstrap_request){
        .now_us = 1000 * SECOND,
        .budget_bytes = BUDGET,
        .cold = (r->flags & COLD) != 0,
        .paused = (r->flags & PAUSED) != 0,
    };
    FUZZ_MUST(memctx_layouts_create(r->maps, r->n_maps, &r->layouts, NULL) ==
              0);
    if (find(r))
        use(r);
    memctx_layouts_destroy(r->layouts);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    if (size < 2)
        return;
    struct run r = {.linux_guest = fuzz_linux(data[0]),
                    .flags = data[1],
                    .changes = data + 2,
                    .size = size - 2};
    struct memram *ram = r.linux_guest->guest.ram;
    struct memctx_rammap *map = memram_rammap(ram, 4 * MEMCTX_GIB);
    struct memctx_rammap *other = memram_rammap(ram, TIB);
    const struct memctx_rammap *const maps[] = {map, other};
    r.maps = maps;
    r.n_maps = (r.flags & DOUBTFUL) != 0 ? 2 : 1;
    run(&r);
    memctx_rammap_destroy(map);
    memctx_rammap_destroy(other);
}
