/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Knows what a clue is only through memctx_guest_ops. */
#include "search/attempt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "search/guests.h"
#include "search/rivals.h"

#define FIRST_OS (MEMCTX_OS_UNKNOWN + 1)
/* What proving one clue amounts to, in reading and beside it. */
#define CLUE_COST (16 * MEMCTX_KIB)
#define CLUE_STEPS 4u

/* What all proofs of a try may take: about 30 ms of CPU, or 7 s when everything
 * is to be looked at. */
#define PROOF_STEPS 65536u
#define PROOF_STEPS_ALL (UINT64_C(1) << 24)

static uint64_t
round_up(uint64_t gpa)
{
    return memctx_round_up(gpa, MEMCTX_PAGE_SIZE);
}

/* Many clues may lead to one kernel; guests ask which are known already. */
static void
remember_known(struct memctx_session *session,
               const struct memctx_kernel *kernel)
{
    for (size_t i = 0; i < session->n_known; i++) {
        if (memctx_kernel_is_same(&session->known[i], kernel))
            return;
    }
    if (session->n_known < MEMCTX_KNOWN_MAX)
        session->known[session->n_known++] = *kernel;
}

void
memctx_attempt_init(struct memctx_attempt *attempt,
                    const struct memctx_rammap *map,
                    const struct memctx_search_request *request,
                    struct memctx_hints *hints, unsigned char *block,
                    struct memctx_search_result *result)
{
    bool unlimited = request->budget_bytes == 0;
    memset(result, 0, sizeof(*result));
    *attempt = (struct memctx_attempt){
        .map = map,
        .request = request,
        .result = result,
        .hints = hints,
        .block = block,
        .left_bytes = unlimited ? UINT64_MAX : round_up(request->budget_bytes),
        .session = {.map = map, .every = request->every},
        .proofs_left = request->all ? PROOF_STEPS_ALL : PROOF_STEPS,
        .why = MEMCTX_ERROR_INIT,
        .rivalry = MEMCTX_ERROR_INIT,
    };
    if (request->rivals != NULL)
        attempt->session.rivals = *request->rivals;
    for (size_t i = 0; i < request->n_proven; i++)
        remember_known(&attempt->session, &request->proven[i]);
}

void
memctx_attempt_tell(const struct memctx_attempt *a,
                    const struct memctx_trace_step *step)
{
    const struct memctx_trace *trace = a->request->trace;
    if (trace != NULL)
        trace->step(step, trace->arg);
}

bool
memctx_attempt_is_done(const struct memctx_attempt *a)
{
    return memctx_work_is_over(memctx_rammap_work(a->map)) ||
           (!a->request->all && a->result->n_kernels > 0);
}

bool
memctx_attempt_is_over(const struct memctx_attempt *a)
{
    return a->left_bytes == 0 || memctx_attempt_is_done(a);
}

/* ---- clues -------------------------------------------------------------- */

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

static void
keep_failure(struct memctx_attempt *a, uint64_t clue_gpa,
             const struct memctx_error *why)
{
    struct memctx_search_seen *seen = &a->result->seen[a->os];
    memctx_attempt_tell(a,
                        &(struct memctx_trace_step){.kind = MEMCTX_TRACE_FAILED,
                                                    .os = a->os,
                                                    .gpa = clue_gpa,
                                                    .passed = a->session.passed,
                                                    .why = why});
    if (why->kind == MEMCTX_GONE)
        a->why = *why;
    if (seen->n_clues > 1 && a->session.passed < seen->passed)
        return;
    seen->passed = a->session.passed;
    a->best[a->os] = *why;
}

static bool
is_looked_into(const struct memctx_attempt *a, uint64_t clue_gpa)
{
    size_t n = (size_t)memctx_min(a->n_looked, MEMCTX_ATTEMPT_LOOKED);
    for (size_t i = 0; i < n; i++) {
        if (a->looked[i].gpa == clue_gpa && a->looked[i].os == a->os)
            return true;
    }
    return false;
}

static void
remember_looked(struct memctx_attempt *a, uint64_t clue_gpa)
{
    size_t at = a->n_looked++ % MEMCTX_ATTEMPT_LOOKED;
    a->looked[at].gpa = clue_gpa;
    a->looked[at].os = a->os;
}

/* Proofs have a share of the work: what is left of it scans RAM. */
static int
verify(struct memctx_attempt *a, uint64_t clue_gpa, struct memctx_kernel *ret,
       struct memctx_error *err)
{
    struct memctx_work *work = memctx_rammap_work(a->map);
    uint64_t kept = memctx_work_keep_back(work, a->proofs_left);
    uint64_t before = memctx_work_left(work);
    memctx_work_charge(work, CLUE_STEPS);
    int failed = memctx_guests[a->os]->verify(&a->session, clue_gpa, ret, err);
    a->proofs_left -= before - memctx_work_left(work);
    memctx_work_give_back(work, kept);
    return failed;
}

/* May another kernel be the one that runs, of which a page is out that would
 * prove it? In RAM that was never asked for a proof of life there is no other.
 */
static bool
is_contested(struct memctx_attempt *a, const struct memctx_kernel *kernel)
{
    const struct memctx_rival *rival = memctx_rivals_find(
        a->map, &a->session.rivals, kernel, a->request->accept != NULL);
    if (rival == NULL)
        return false;
    a->result->contested = true;
    memctx_rivals_tell(rival, kernel, &a->rivalry);
    return true;
}

static void
prove(struct memctx_attempt *a, uint64_t clue_gpa)
{
    const struct memctx_search_request *request = a->request;
    struct memctx_kernel kernel;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (verify(a, clue_gpa, &kernel, &why) < 0) {
        keep_failure(a, clue_gpa, &why);
        return;
    }
    memctx_attempt_tell(a,
                        &(struct memctx_trace_step){.kind = MEMCTX_TRACE_FOUND,
                                                    .os = a->os,
                                                    .gpa = clue_gpa,
                                                    .kernel = &kernel});
    remember_known(&a->session, &kernel);
    if (request->accept != NULL &&
        (!request->accept(&kernel, request->accept_arg) ||
         is_contested(a, &kernel)))
        return;
    keep_kernel(a->result, &kernel);
}

/* The same page may be a hint, fresh, and where a guest's structures lead. */
static bool
look_into(uint64_t clue_gpa, void *arg)
{
    struct memctx_attempt *a = arg;
    if (is_looked_into(a, clue_gpa))
        return !memctx_attempt_is_done(a);
    remember_looked(a, clue_gpa);
    a->result->n_clues++;
    a->result->seen[a->os].n_clues++;
    a->left_bytes -= memctx_min(a->left_bytes, CLUE_COST);
    prove(a, clue_gpa);
    memctx_hints_add(&a->hints[a->os], clue_gpa, a->session.passed > 0);
    return !memctx_attempt_is_done(a);
}

/* ---- RAM ---------------------------------------------------------------- */

/* Another look at this part may find more. What begins in the page before is
 * seen, too. When there are too many such parts, all RAM behind the last one is
 * looked at again. */
static void
note_again(struct memctx_attempt *a, const struct memctx_range *part)
{
    uint64_t start = part->gpa - memctx_min(part->gpa, MEMCTX_PAGE_SIZE);
    uint64_t end = part->gpa + part->size;
    size_t n = a->n_again;
    struct memctx_range *last = n > 0 ? &a->again[n - 1] : NULL;
    if (last != NULL &&
        (start <= last->gpa + last->size || n == MEMCTX_ATTEMPT_AGAIN)) {
        last->size = end - last->gpa;
        return;
    }
    a->again[a->n_again++] = (struct memctx_range){start, end - start};
}

static void
scan_block(struct memctx_attempt *a, const struct memctx_block *block)
{
    for (a->os = FIRST_OS; a->os < MEMCTX_OSES && !memctx_attempt_is_done(a);
         a->os++) {
        const struct memctx_guest_ops *guest = memctx_guests[a->os];
        guest->scan(block, look_into, a);
        if (!a->request->all || a->guess || guest->hides == NULL)
            continue;
        struct memctx_range part =
            guest->hides(block, a->result->n_kernels == 0);
        if (part.size > 0)
            note_again(a, &part);
    }
}

uint64_t
memctx_attempt_scan(struct memctx_attempt *a, uint64_t gpa, uint64_t end_gpa)
{
    while (gpa < end_gpa && !memctx_attempt_is_over(a)) {
        uint64_t len = memctx_min(
            MEMCTX_ATTEMPT_BLOCK - gpa % MEMCTX_ATTEMPT_BLOCK, a->left_bytes);
        len = memctx_min(round_up(len), end_gpa - gpa);
        size_t extra = 0;
        if (a->thorough &&
            memctx_rammap_contains(a->map, gpa, len + MEMCTX_ATTEMPT_OVERLAP))
            extra = MEMCTX_ATTEMPT_OVERLAP;
        /* A part that cannot be read is passed over: the RAM that can may
         * hold the answer. */
        if (memctx_rammap_read(a->map, gpa, a->block, len + extra, &a->why) ==
            0) {
            struct memctx_block block = {gpa, a->block, len + extra,
                                         a->thorough, a->guess};
            scan_block(a, &block);
        }
        memctx_attempt_tell(
            a, &(struct memctx_trace_step){
                   .kind = MEMCTX_TRACE_SCANNED, .gpa = gpa, .size = len});
        a->result->bytes_read += len;
        a->left_bytes -= memctx_min(a->left_bytes, len);
        gpa += len;
    }
    return gpa;
}

/* On some file systems a run of data begins or ends within a page. Bounded:
 * each turn moves on. */
uint64_t
memctx_attempt_scan_data(struct memctx_attempt *a, uint64_t gpa,
                         uint64_t end_gpa)
{
    uint64_t start;
    uint64_t end;
    while (!memctx_attempt_is_over(a)) {
        if (!memctx_rammap_next_data(a->map, gpa, end_gpa, &start, &end))
            return memctx_attempt_is_over(a) ? gpa : end_gpa;
        start -= start % MEMCTX_PAGE_SIZE;
        end = memctx_min(round_up(end), end_gpa);
        gpa = memctx_attempt_scan(a, memctx_max(start, gpa), end);
        if (gpa < end)
            return gpa;
    }
    return gpa;
}

static void
scan_hint(struct memctx_attempt *a, uint64_t gpa)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    size_t len =
        gpa % MEMCTX_PAGE_SIZE == 0 ? sizeof(page) : MEMCTX_ATTEMPT_OVERLAP;
    if (memctx_rammap_read(a->map, gpa, page, len, &a->why) < 0)
        return;
    struct memctx_block block = {gpa, page, len, false, true};
    scan_block(a, &block);
}

void
memctx_attempt_scan_hints(struct memctx_attempt *a)
{
    for (enum memctx_os os = FIRST_OS; os < MEMCTX_OSES; os++) {
        const struct memctx_hints hints = a->hints[os];
        /* From the oldest to the latest: look_into() puts each in front. */
        for (size_t i = hints.n; i > 0 && !memctx_attempt_is_done(a); i--)
            scan_hint(a, hints.gpa[i - 1]);
    }
}

void
memctx_attempt_follow(struct memctx_attempt *a)
{
    uint64_t spare_bytes = a->left_bytes / 4;
    for (a->os = FIRST_OS; a->os < MEMCTX_OSES && !memctx_attempt_is_done(a);
         a->os++) {
        uint64_t bytes = memctx_guests[a->os]->follow(a->map, look_into, a);
        memctx_attempt_tell(
            a, &(struct memctx_trace_step){
                   .kind = MEMCTX_TRACE_FOLLOWED, .os = a->os, .size = bytes});
        a->result->bytes_read += bytes;
        a->left_bytes -= memctx_min(a->left_bytes, bytes);
    }
    a->left_bytes = memctx_max(a->left_bytes, spare_bytes);
}

/* ---- the answer --------------------------------------------------------- */

/* One system's part of the sentence. */
static int
describe_failure(const struct memctx_attempt *a, enum memctx_os os, char *text,
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

static int
fail_all(const struct memctx_attempt *a, struct memctx_error *err)
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

/* All rivals are known only when all RAM was looked at. */
static void
drop_contested(struct memctx_attempt *a)
{
    struct memctx_search_result *result = a->result;
    size_t kept = 0;
    for (size_t i = 0; i < result->n_kernels; i++) {
        if (!is_contested(a, &result->kernels[i]))
            result->kernels[kept++] = result->kernels[i];
    }
    result->n_kernels = kept;
}

int
memctx_attempt_end(struct memctx_attempt *a, struct memctx_error *err)
{
    a->result->ram_gpa = a->session.ram_gpa;
    if (a->request->all)
        drop_contested(a);
    a->result->rivals = a->session.rivals;
    if (a->result->n_kernels > 0)
        return 0;
    if (a->result->contested)
        return memctx_error_set(err, MEMCTX_RETRY, "%s", a->rivalry.message);
    if (a->why.kind == MEMCTX_GONE)
        return memctx_error_set(err, MEMCTX_GONE, "%s", a->why.message);
    if (a->result->n_clues == 0 && a->why.kind != MEMCTX_OK)
        return memctx_error_set(err, MEMCTX_RETRY, "%s", a->why.message);
    return fail_all(a, err);
}
