/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Decides which bytes of RAM to look at next. It knows what a clue is only
 * through memctx_guest_ops. */
#include "search/search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "search/guests.h"

#define BLOCK (256 * MEMCTX_KIB)
#define OVERLAP 64u /* clues that straddle two blocks of a thorough pass */
#define HOLES_MAX 512
#define HINTS_MAX 16
#define ROUNDS_BEFORE_GUESSING 2    /* one of each kind found nothing */
#define CLUE_COST (16 * MEMCTX_KIB) /* reading that proving one amounts to */
#define SUSPECTS_MAX 64
#define LOOKED_MAX 64
#define FIRST_OS (MEMCTX_OS_UNKNOWN + 1)

/* What all proofs of a try may read, in reads of up to a page: about 30 ms of
 * CPU, or 10 s when everything is to be looked at. */
#define PROOF_READS 65536u
#define PROOF_READS_ALL (UINT64_C(1) << 24)

/* Places of clues of one guest, what is worth looking at again first. */
struct hints {
    uint64_t gpa[HINTS_MAX];
    size_t n;
};

struct memctx_search {
    struct memctx_range holes[HOLES_MAX]; /* never looked at, by gpa */
    size_t n_holes;
    bool primed; /* holes are set up */
    struct hints hints[MEMCTX_OSES];
    uint64_t likely_cursor[MEMCTX_OSES]; /* bytes into the likely part */
    uint64_t cursor_gpa; /* the round through all RAM goes on here */
    unsigned rounds;     /* ended so far */
    unsigned char block[BLOCK + OVERLAP];
};

/* One try under way. */
struct attempt {
    struct memctx_search *search;
    const struct memctx_rammap *map;
    const struct memctx_search_request *request;
    enum memctx_os os; /* whose clues are looked into */
    struct memctx_search_result *result;
    struct memctx_error *why;              /* why RAM could not be read */
    struct memctx_error best[MEMCTX_OSES]; /* why the clue failed that came
                                              farthest */
    uint64_t left_bytes;                   /* of the budget */
    bool thorough;
    bool guess;
    struct memctx_quest quest;
    /* Where a thorough look may find more, by gpa. */
    struct memctx_range suspects[SUSPECTS_MAX];
    size_t n_suspects;
    /* Clues of this try, to look at each once; the oldest are forgotten. */
    struct {
        uint64_t gpa;
        enum memctx_os os;
    } looked[LOOKED_MAX];
    size_t n_looked; /* ever */
};

int
memctx_search_create(struct memctx_search **ret, struct memctx_error *err)
{
    struct memctx_search *search = calloc(1, sizeof(*search));
    if (search == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    *ret = search;
    return 0;
}

void
memctx_search_destroy(struct memctx_search *search)
{
    free(search);
}

void
memctx_search_reset(struct memctx_search *search)
{
    search->primed = false;
    search->cursor_gpa = 0;
    search->rounds = 0;
}

/* What passed a check goes in front, what passed none behind the others: RAM
 * may be full of pages that only look like a clue. */
static void
remember_hint(struct hints *hints, uint64_t gpa, bool good)
{
    size_t at = 0;
    while (at < hints->n && hints->gpa[at] != gpa)
        at++;
    if (at == hints->n && hints->n < HINTS_MAX)
        hints->n++;
    if (at == HINTS_MAX)
        at--;
    if (good) {
        memmove(&hints->gpa[1], &hints->gpa[0], at * sizeof(hints->gpa[0]));
        at = 0;
    }
    hints->gpa[at] = gpa;
}

/* A kernel has several clues; keep it once, with the best of them, and of those
 * that are as good with the one found first. */
static void
keep_kernel(struct memctx_search_result *result,
            const struct memctx_kernel *kernel)
{
    for (size_t i = 0; i < result->n_kernels; i++) {
        struct memctx_kernel *known = &result->kernels[i];
        if (!memctx_kernel_is_same(known, kernel))
            continue;
        if (kernel->clue_rank < known->clue_rank)
            *known = *kernel;
        return;
    }
    if (result->n_kernels < MEMCTX_KERNELS_MAX)
        result->kernels[result->n_kernels++] = *kernel;
}

static bool
is_done(const struct attempt *a)
{
    return (a->request->cancel != NULL && atomic_load(a->request->cancel)) ||
           (!a->request->all && a->result->n_kernels > 0);
}

/* Many clues may lead to one kernel; guests ask which are known already. */
static void
remember_known(struct memctx_quest *quest, const struct memctx_kernel *kernel)
{
    for (size_t i = 0; i < quest->n_known; i++) {
        if (memctx_kernel_is_same(&quest->known[i], kernel))
            return;
    }
    if (quest->n_known < MEMCTX_KNOWN_MAX)
        quest->known[quest->n_known++] = *kernel;
}

static void
keep_failure(struct attempt *a, const struct memctx_error *why)
{
    struct memctx_search_seen *seen = &a->result->seen[a->os];
    if (why->kind == MEMCTX_GONE)
        *a->why = *why;
    if (seen->n_clues > 1 && a->quest.passed < seen->passed)
        return;
    seen->passed = a->quest.passed;
    a->best[a->os] = *why;
}

/* The same page may be a hint, fresh, and where a guest's structures lead. */
static bool
is_looked_into(struct attempt *a, uint64_t clue_gpa)
{
    size_t n = (size_t)memctx_min(a->n_looked, LOOKED_MAX);
    for (size_t i = 0; i < n; i++) {
        if (a->looked[i].gpa == clue_gpa && a->looked[i].os == a->os)
            return true;
    }
    a->looked[a->n_looked % LOOKED_MAX].gpa = clue_gpa;
    a->looked[a->n_looked % LOOKED_MAX].os = a->os;
    a->n_looked++;
    return false;
}

static bool
look_into(uint64_t clue_gpa, void *arg)
{
    struct attempt *a = arg;
    if (is_looked_into(a, clue_gpa))
        return !is_done(a);
    const struct memctx_search_request *request = a->request;
    struct memctx_kernel kernel;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    a->result->n_clues++;
    a->result->seen[a->os].n_clues++;
    a->left_bytes -= memctx_min(a->left_bytes, CLUE_COST);
    if (memctx_guests[a->os]->verify(&a->quest, clue_gpa, &kernel, &why) < 0) {
        keep_failure(a, &why);
    } else {
        remember_known(&a->quest, &kernel);
        if (request->accept == NULL ||
            request->accept(&kernel, request->accept_arg))
            keep_kernel(a->result, &kernel);
    }
    remember_hint(&a->search->hints[a->os], clue_gpa, a->quest.passed > 0);
    return !is_done(a);
}

/* Note that a thorough look at this block may find more. When there are too
 * many such blocks, all RAM behind the last one counts as suspect. */
static void
note_suspect(struct attempt *a, const struct memctx_block *block)
{
    uint64_t start = block->gpa - memctx_min(block->gpa, MEMCTX_PAGE_SIZE);
    uint64_t end = block->gpa + block->len_bytes;
    size_t n = a->n_suspects;
    struct memctx_range *last = n > 0 ? &a->suspects[n - 1] : NULL;
    if (last != NULL &&
        (start <= last->gpa + last->size || n == SUSPECTS_MAX)) {
        last->size = end - last->gpa;
        return;
    }
    a->suspects[a->n_suspects++] = (struct memctx_range){start, end - start};
}

static void
scan_block(struct attempt *a, const struct memctx_block *block)
{
    for (a->os = FIRST_OS; a->os < MEMCTX_OSES && !is_done(a); a->os++) {
        const struct memctx_guest_ops *guest = memctx_guests[a->os];
        guest->scan(block, look_into, a);
        if (a->request->all && !a->thorough && guest->suspect != NULL &&
            guest->suspect(block))
            note_suspect(a, block);
    }
}

static uint64_t
round_up(uint64_t gpa)
{
    return gpa + (MEMCTX_PAGE_SIZE - gpa % MEMCTX_PAGE_SIZE) % MEMCTX_PAGE_SIZE;
}

/* Read and scan [gpa, end_gpa), all of it RAM, while the budget lasts. Returns
 * the gpa reached. */
static uint64_t
scan_range(struct attempt *a, uint64_t gpa, uint64_t end_gpa)
{
    while (gpa < end_gpa && a->left_bytes > 0 && !is_done(a)) {
        uint64_t len = memctx_min(BLOCK - gpa % BLOCK, a->left_bytes);
        len = memctx_min(round_up(len), end_gpa - gpa);
        size_t extra =
            a->thorough && memctx_rammap_contains(a->map, gpa, len + OVERLAP)
                ? OVERLAP
                : 0;
        /* A part that cannot be read is passed over: the RAM that can may
         * hold the answer. */
        if (memctx_rammap_read(a->map, gpa, a->search->block, len + extra,
                               a->why) == 0) {
            struct memctx_block block = {gpa, a->search->block, len + extra,
                                         a->thorough, a->guess};
            scan_block(a, &block);
        }
        a->result->bytes_read += len;
        a->left_bytes -= memctx_min(a->left_bytes, len);
        gpa += len;
    }
    return gpa;
}

/* Scan what is data in [gpa, end_gpa), in whole pages: on some file systems a
 * run of data begins or ends within one. Returns the gpa reached; end_gpa when
 * everything was looked at. Bounded: each turn moves on. */
static uint64_t
scan_data(struct attempt *a, uint64_t gpa, uint64_t end_gpa)
{
    uint64_t start;
    uint64_t end;
    while (a->left_bytes > 0 && !is_done(a)) {
        if (!memctx_rammap_next_data(a->map, gpa, end_gpa, &start, &end))
            return end_gpa;
        start -= start % MEMCTX_PAGE_SIZE;
        end = memctx_min(round_up(end), end_gpa);
        gpa = scan_range(a, memctx_max(start, gpa), end);
        if (gpa < end)
            return gpa;
    }
    return gpa;
}

/* Look again at the place of a clue; it counts if it still looks like one. */
static void
scan_hint(struct attempt *a, uint64_t gpa)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    size_t len = gpa % MEMCTX_PAGE_SIZE == 0 ? sizeof(page) : OVERLAP;
    if (memctx_rammap_read(a->map, gpa, page, len, a->why) < 0)
        return;
    struct memctx_block block = {gpa, page, len, false, true};
    scan_block(a, &block);
}

static void
scan_hints(struct attempt *a)
{
    for (enum memctx_os os = FIRST_OS; os < MEMCTX_OSES; os++) {
        const struct hints hints = a->search->hints[os];
        /* From the oldest to the latest: look_into() puts each in front. */
        for (size_t i = hints.n; i > 0 && !is_done(a); i--)
            scan_hint(a, hints.gpa[i - 1]);
    }
}

/* A part of RAM in which clues often are, on from where the last try stopped,
 * for half of what is left. */
static void
scan_likely(struct attempt *a)
{
    for (enum memctx_os os = FIRST_OS; os < MEMCTX_OSES && !is_done(a); os++) {
        struct memctx_range range = memctx_guests[os]->likely;
        uint64_t *cursor = &a->search->likely_cursor[os];
        uint64_t len =
            memctx_min(round_up(a->left_bytes / 2), range.size - *cursor);
        scan_data(a, range.gpa + *cursor, range.gpa + *cursor + len);
        *cursor += len;
        if (*cursor >= range.size)
            *cursor = 0;
    }
}

static void
prime_holes(struct attempt *a)
{
    size_t count;
    const struct memctx_extent *e = memctx_rammap_extents(a->map, &count);
    struct memctx_search *s = a->search;
    s->n_holes = (size_t)memctx_min(count, HOLES_MAX);
    for (size_t i = 0; i < s->n_holes; i++)
        s->holes[i] = (struct memctx_range){e[i].gpa, e[i].size};
    s->primed = true;
}

/* Take [gpa, end_gpa) out of hole i, which contains it: it was looked at.
 * Returns by how much to go on from i. When the table is full, the part before
 * counts as looked at, too; the round through all RAM finds it. */
static size_t
cut_hole(struct memctx_search *s, size_t i, uint64_t gpa, uint64_t end_gpa)
{
    struct memctx_range old = s->holes[i];
    struct memctx_range before = {old.gpa, gpa - old.gpa};
    struct memctx_range after = {end_gpa, old.gpa + old.size - end_gpa};
    struct memctx_range left[2];
    size_t n = 0;
    if (before.size > 0 && (after.size == 0 || s->n_holes < HOLES_MAX))
        left[n++] = before;
    size_t step = n;
    if (after.size > 0)
        left[n++] = after;
    memmove(&s->holes[i + n], &s->holes[i + 1],
            (s->n_holes - i - 1) * sizeof(s->holes[0]));
    memcpy(&s->holes[i], left, n * sizeof(left[0]));
    s->n_holes += n - 1;
    return step;
}

/* RAM that was a hole when it was last asked for and has data now is where a
 * booting kernel has just put something. */
static void
scan_fresh(struct attempt *a)
{
    struct memctx_search *s = a->search;
    if (!s->primed)
        prime_holes(a);
    /* Bounded by HOLES_MAX: every turn leaves a hole behind or cuts one. */
    for (size_t i = 0; i < s->n_holes && a->left_bytes > 0 && !is_done(a);) {
        struct memctx_range hole = s->holes[i];
        uint64_t start;
        uint64_t end;
        if (!memctx_rammap_next_data(a->map, hole.gpa, hole.gpa + hole.size,
                                     &start, &end)) {
            i++;
            continue;
        }
        start -= memctx_min(start - hole.gpa, start % MEMCTX_PAGE_SIZE);
        end = memctx_min(round_up(end), hole.gpa + hole.size);
        i += cut_hole(s, i, start, scan_range(a, start, end));
    }
}

/* Let each guest follow its own structures. A scan through RAM goes on beside
 * it, however much that took: the structures may not be what they seem. */
static void
follow_guests(struct attempt *a)
{
    uint64_t spare_bytes = a->left_bytes / 4;
    for (a->os = FIRST_OS; a->os < MEMCTX_OSES && !is_done(a); a->os++) {
        uint64_t bytes = memctx_guests[a->os]->follow(a->map, look_into, a);
        a->result->bytes_read += bytes;
        a->left_bytes -= memctx_min(a->left_bytes, bytes);
    }
    a->left_bytes = memctx_max(a->left_bytes, spare_bytes);
}

/* The round through all RAM, on from the cursor. Every second round is a
 * thorough one, for the clues of old kernels. */
static void
scan_round(struct attempt *a)
{
    struct memctx_search *s = a->search;
    a->thorough = s->rounds % 2 == 1;
    a->guess = s->rounds >= ROUNDS_BEFORE_GUESSING;
    s->cursor_gpa = scan_data(a, s->cursor_gpa, memctx_rammap_end(a->map));
    if (s->cursor_gpa == memctx_rammap_end(a->map)) {
        s->cursor_gpa = 0;
        s->rounds++;
    }
}

static void
try_some(struct attempt *a)
{
    scan_hints(a);
    follow_guests(a);
    /* A guest that boots touches more RAM than a try may read: the round goes
     * on all the same. */
    uint64_t for_round = a->left_bytes / 2;
    a->left_bytes -= for_round;
    scan_likely(a);
    scan_fresh(a);
    a->left_bytes += for_round;
    if (!is_done(a) && a->left_bytes > 0)
        scan_round(a);
}

/* All RAM once for clues on page starts. Only when there is no kernel, what is
 * suspect once more for clues of old kernels, which may lie anywhere, and of
 * kernels that say nothing of themselves. */
static void
try_all(struct attempt *a)
{
    scan_data(a, 0, memctx_rammap_end(a->map));
    if (a->result->n_kernels > 0 || is_done(a))
        return;
    a->thorough = true;
    a->guess = true;
    for (size_t i = 0; i < a->n_suspects && !is_done(a); i++)
        scan_data(a, a->suspects[i].gpa,
                  a->suspects[i].gpa + a->suspects[i].size);
}

/* One system's part of the sentence. */
static int
describe_failure(const struct attempt *a, enum memctx_os os, char *text,
                 size_t size)
{
    uint64_t n = a->result->seen[os].n_clues;
    if (n == 0)
        return snprintf(text, size, "%s: no %s in RAM", memctx_os_name(os),
                        memctx_guests[os]->sought);
    return snprintf(text, size, "%s: %" PRIu64 " candidate%s, the best: %.200s",
                    memctx_os_name(os), n, n == 1 ? "" : "s",
                    a->best[os].message);
}

/* What was looked for, and how far the best of what was found came. */
static int
fail_all(const struct attempt *a, struct memctx_error *err)
{
    char text[MEMCTX_OSES * 256];
    size_t used = 0;
    for (enum memctx_os os = FIRST_OS; os < MEMCTX_OSES; os++) {
        if (os > FIRST_OS)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "; ");
        used +=
            (size_t)describe_failure(a, os, text + used, sizeof(text) - used);
    }
    return memctx_error_set(err, MEMCTX_RETRY, "%s", text);
}

/* Two boots may have had their clock in one place, and then tell the same time;
 * but they began at different ones. */
static bool
is_later(const struct memctx_kernel *a, const struct memctx_kernel *b)
{
    const struct memctx_wall_clock *ca = &a->wall_clock;
    const struct memctx_wall_clock *cb = &b->wall_clock;
    if (ca->time != cb->time)
        return ca->time > cb->time;
    return ca->booted > cb->booted;
}

size_t
memctx_search_latest(const struct memctx_search_result *result)
{
    size_t latest = 0;
    for (size_t i = 1; i < result->n_kernels; i++) {
        if (is_later(&result->kernels[i], &result->kernels[latest]))
            latest = i;
    }
    return latest;
}

int
memctx_search_try(struct memctx_search *search, const struct memctx_rammap *map,
                  const struct memctx_search_request *request,
                  struct memctx_search_result *ret, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    memset(ret, 0, sizeof(*ret));
    bool unlimited = request->budget_bytes == 0;
    struct attempt a = {
        .search = search,
        .map = map,
        .request = request,
        .result = ret,
        .why = &why,
        .left_bytes = unlimited ? UINT64_MAX : round_up(request->budget_bytes),
        .quest = {.map = map,
                  .reads_left = request->all ? PROOF_READS_ALL : PROOF_READS},
    };
    if (memctx_rammap_check(map, err) < 0)
        return -1;
    if (request->all)
        try_all(&a);
    else
        try_some(&a);
    ret->ram_gpa = a.quest.ram_gpa;
    if (ret->n_kernels > 0)
        return 0;
    if (why.kind == MEMCTX_GONE)
        return memctx_error_set(err, MEMCTX_GONE, "%s", why.message);
    if (ret->n_clues == 0 && why.kind != MEMCTX_OK)
        return memctx_error_set(err, MEMCTX_RETRY, "%s", why.message);
    return fail_all(&a, err);
}

int
memctx_search_verify(const struct memctx_rammap *map,
                     const struct memctx_kernel *kernel,
                     struct memctx_error *err)
{
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    struct memctx_quest quest = {.map = map, .reads_left = PROOF_READS};
    struct memctx_kernel now;
    if (guest == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "no guest system %d",
                                (int)kernel->os);
    if (memctx_rammap_check(map, err) < 0 ||
        guest->verify(&quest, kernel->clue_gpa, &now, err) < 0)
        return -1;
    if (!memctx_kernel_is_same(&now, kernel))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "kernel %s at root %#" PRIx64
                                " has taken the place of %s at %#" PRIx64,
                                now.version, now.kcr3, kernel->version,
                                kernel->kcr3);
    return 0;
}
