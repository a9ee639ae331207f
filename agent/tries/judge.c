/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Believes nothing of a prober but what it was asked. */
#include "tries/judge.h"

#include "tries/attend.h"

/* A complete kernel is waited for. After a while either it does not run, since
 * the CPUs did all the time; or they did not, and nobody knows. */
void
judge_pending(struct adapter *a, struct adapter_result *result)
{
    uint64_t now_us = adapter_now();
    uint64_t cpu_us;
    bool began = a->pending_since_us == 0;
    if (result->event != MEMCTX_EVENT_PENDING) {
        a->pending_since_us = 0;
    } else if (began) {
        a->pending_since_us = now_us;
    } else if (!a->order.standing && !a->order.lulled &&
               now_us - a->pending_since_us > JUDGE_PENDING_MAX_US) {
        bool busy = heartbeat_cpu_us(a->listener, &cpu_us) &&
                    cpu_us >= JUDGE_PENDING_CPU_US;
        result->event =
            busy && result->has_datum ? MEMCTX_EVENT_STILL : MEMCTX_EVENT_RETRY;
    }
    attend(a);
}

static int
make_datum(struct adapter *a, const struct memctx_probe_answer *answer,
           struct adapter_result *result)
{
    struct memctx_datum *datum = &result->datum;
    struct memctx_rammap *map = answer->layout == 0 ? a->ram.map : a->ram.other;
    /* What is doubtful is where RAM goes on, never how much is below. */
    if (memctx_datum_init(datum, &answer->kernel, map, a->ram.low,
                          &result->why) < 0)
        return -1;
    datum->layout = answer->proof;
    datum->attempts = a->pace.attempt;
    datum->candidates = answer->candidates;
    datum->seen = answer->alive ? MEMCTX_SEEN_RUNNING : MEMCTX_SEEN_UNASKED;
    result->has_datum = true;
    result->map = memctx_rammap_share(map);
    result->identity = a->ram.identity;
    return 0;
}

static void
keep_kernel(struct adapter *a, const struct memctx_probe_answer *answer)
{
    if (!a->has_known || !memctx_kernel_is_same(&a->known, &answer->kernel))
        a->words.n = 0;
    a->has_known = true;
    a->known = answer->kernel;
    a->known_layout = answer->layout;
}

static enum life_event
judge_found(struct adapter *a, const struct memctx_probe_answer *answer,
            struct adapter_result *result)
{
    result->event = MEMCTX_EVENT_FOUND;
    if (make_datum(a, answer, result) < 0) {
        result->event = MEMCTX_EVENT_RETRY;
        return LIFE_FAILED;
    }
    keep_kernel(a, answer);
    a->has_found = true;
    pace_restart(&a->pace);
    pace_fail(&a->pace, false, false);
    return answer->n_words > 0 || a->asked.paused || a->ram.synthetic
               ? LIFE_SETTLED
               : LIFE_FOUND;
}

/* Is an idle kernel still whole, and has everything been done to see another
 * one run beside it? The clocks of an idle one move every 0.5 s. */
#define LULL_WATCH_US 2000000u

static bool
is_lull(const struct adapter *a, const struct memctx_probe_answer *answer)
{
    return a->order.lulled && answer->verdict == MEMCTX_PROBE_PENDING &&
           a->has_known && memctx_kernel_is_same(&a->known, &answer->kernel) &&
           (answer->candidates <= 1 ||
            (a->pending_since_us != 0 &&
             adapter_now() - a->pending_since_us >= LULL_WATCH_US));
}

/* A prober that was started since the try knows nothing of what is pending. */
static enum life_event
judge_failed(struct adapter *a, const struct memctx_probe_answer *answer,
             struct adapter_result *result)
{
    bool pending = answer->verdict == MEMCTX_PROBE_PENDING;
    bool unknown = !pending && a->asked.task == MEMCTX_PROBE_WATCH;
    /* The clocks of one that stands are listened to: a second look at them is
     * for another kernel beside it. */
    bool alone = a->order.standing && a->attends == ATTENDS_WORDS &&
                 answer->candidates <= 1;
    if (is_lull(a, answer)) {
        pace_fail(&a->pace, false, false);
        result->event = MEMCTX_EVENT_CONFIRMED;
        return LIFE_SETTLED;
    }
    pace_fail(&a->pace, pending && !alone, false);
    /* Whether it is gone a worker will see: the prober may lie. */
    a->suspect = answer->why.kind == MEMCTX_GONE;
    result->event =
        pending || unknown ? MEMCTX_EVENT_PENDING : MEMCTX_EVENT_RETRY;
    if (pending && make_datum(a, answer, result) < 0)
        result->event = MEMCTX_EVENT_RETRY;
    return LIFE_FAILED;
}

static enum life_event
judge_search(struct adapter *a, const struct tries_outcome *outcome,
             struct adapter_result *result)
{
    const struct memctx_probe_answer *answer = &outcome->answer;
    if (a->asked.task == MEMCTX_PROBE_WATCH)
        pace_watched(&a->pace, outcome->cost_us);
    else
        pace_measure(&a->pace, outcome->cost_us, answer->bytes_read);
    if (answer->has_kernel) {
        a->has_candidate = true;
        a->candidate = answer->kernel;
        a->candidate_layout = answer->layout;
    }
    return answer->verdict == MEMCTX_PROBE_DONE
               ? judge_found(a, answer, result)
               : judge_failed(a, answer, result);
}

static enum life_event
judge_look(struct adapter *a, const struct memctx_probe_answer *answer,
           struct adapter_result *result)
{
    if (answer->verdict != MEMCTX_PROBE_DONE || !answer->has_kernel) {
        a->suspect = answer->why.kind == MEMCTX_GONE;
        result->event = MEMCTX_EVENT_RETRY;
        return LIFE_FAILED;
    }
    keep_kernel(a, answer);
    result->event = MEMCTX_EVENT_CONFIRMED;
    return LIFE_SETTLED;
}

/* What a prober did wrong tells nothing of the guest: what stands published is
 * doubtful, not wrong. */
static enum life_event
judge_fault(struct adapter *a, const struct tries_outcome *outcome,
            struct adapter_result *result)
{
    pace_fail(&a->pace, false, true);
    result->why = outcome->why;
    result->event = MEMCTX_EVENT_PENDING;
    return LIFE_FAILED;
}

struct memctx_words
judge_words(const struct memctx_probe_answer *answer)
{
    struct memctx_words words = {.per_second = answer->per_second,
                                 .least = answer->least,
                                 .panic_gpa = answer->panic_gpa,
                                 .log_gpa = answer->log_gpa,
                                 .log_bytes = answer->log_bytes,
                                 .n = answer->n_words};
    for (uint32_t i = 0; i < answer->n_words; i++)
        words.word[i] =
            (struct memctx_clock){answer->words[i].gpa, answer->words[i].value};
    return words;
}

/* A kernel that cannot be asked now may be asked later, unless it has no log
 * that anybody could read. */
static enum life_event
judge_last_words(struct adapter *a, const struct tries_outcome *outcome,
                 const struct adapter_result *result)
{
    const struct memctx_probe_answer *answer = &outcome->answer;
    /* What was logged since it was asked for is yet to be read. */
    if (a->wrote == a->reading)
        a->wrote = 0;
    if (outcome->fault != TRIES_FINE || answer->why.kind == MEMCTX_RETRY) {
        heartbeat_unread(a->listener);
        return LIFE_FAILED;
    }
    if (answer->panicked) {
        a->heard = (struct adapter_result){.event = MEMCTX_EVENT_DIED,
                                           .attempt = result->attempt};
        a->has_heard = true;
        memctx_error_set(&a->heard.why, MEMCTX_RETRY,
                         "the guest panicked, as its log says");
    }
    return LIFE_SETTLED;
}

enum life_event
judge_outcome(struct adapter *a, const struct tries_outcome *outcome,
              struct adapter_result *result)
{
    result->why = outcome->answer.why;
    if (a->asked.task == MEMCTX_PROBE_LAST_WORDS)
        return judge_last_words(a, outcome, result);
    if (outcome->fault != TRIES_FINE)
        return judge_fault(a, outcome, result);
    return a->asked.task == MEMCTX_PROBE_VERIFY
               ? judge_look(a, &outcome->answer, result)
               : judge_search(a, outcome, result);
}
