/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The law of the heartbeat. */
#include "tries/verdict.h"

#include "base/bytes.h"

void
verdict_begin(struct verdict_state *s, uint64_t now_us)
{
    *s = (struct verdict_state){.since_us = now_us, .log.paid_us = now_us};
}

void
verdict_unread(struct verdict_state *s, uint64_t now_us)
{
    s->log.unread = true;
    s->log.since_us = now_us;
}

bool
verdict_wants_cpu(const struct verdict_state *s, const struct verdict_law *law,
                  uint64_t now_us)
{
    return now_us - memctx_min(s->since_us, now_us) >= law->look_us;
}

/* What the words did since they were read last. Who noted their values, and how
 * long ago, nobody knows at first: then they may be anywhere ahead, and that
 * they moved tells nothing of now. */
static enum memctx_step
take_step(struct verdict_state *s, struct memctx_words *words,
          const struct verdict_reading *r)
{
    uint64_t elapsed_us = s->noted ? r->now_us - s->noted_us : UINT64_MAX;
    enum memctx_step step = memctx_words_judge(words, r->values, elapsed_us);
    bool first = !s->noted;
    s->noted = true;
    s->noted_us = r->now_us;
    return first && step == MEMCTX_STEP_MOVES ? MEMCTX_STEP_STANDS : step;
}

static enum verdict
move(struct verdict_state *s, const struct verdict_law *law, uint64_t now_us)
{
    bool told = s->moved;
    *s = (struct verdict_state){.noted = true,
                                .noted_us = now_us,
                                .since_us = now_us,
                                .moved = true,
                                .died = s->died,
                                .lull_us =
                                    memctx_min(s->lull_us, law->lull_cap_us),
                                .log = s->log};
    return told ? VERDICT_NONE : VERDICT_MOVES;
}

/* Threads of CPUs come and go: less than before is a new beginning. */
static void
follow_cpu(struct verdict_state *s, const struct verdict_reading *r)
{
    if (!r->looked)
        return;
    bool goes_on =
        s->has_cpu && r->has_cpu && r->cpu_us >= s->cpu_from_us + s->cpu_us;
    s->has_cpu = r->has_cpu;
    if (!goes_on)
        s->cpu_from_us = r->cpu_us;
    s->cpu_us = r->cpu_us - s->cpu_from_us;
}

static bool
is_standing(const struct verdict_state *s, const struct verdict_law *law,
            const struct verdict_reading *r)
{
    uint64_t wall_us = r->now_us - s->since_us;
    if (!r->looked)
        return false;
    return s->has_cpu ? wall_us >= law->wall_us && s->cpu_us >= law->cpu_us
                      : wall_us >= law->blind_us;
}

/* How long it was is remembered: a kernel that idles like this always is not
 * asked again. */
static bool
take_lull(struct verdict_state *s, const struct verdict_law *law,
          uint64_t now_us)
{
    uint64_t stood_us = now_us - s->since_us;
    if (law->lull_us == 0 || stood_us < memctx_max(law->lull_us, s->lull_us))
        return false;
    s->lull_us = 2 * stood_us;
    return true;
}

static enum verdict
judge_clocks(struct verdict_state *s, const struct verdict_law *law,
             const struct memctx_words *words, enum memctx_step step,
             const struct verdict_reading *r)
{
    if (step == MEMCTX_STEP_MOVES)
        return move(s, law, r->now_us);
    follow_cpu(s, r);
    if (s->stood || words->n == 0)
        return VERDICT_NONE;
    s->stood = is_standing(s, law, r);
    bool lull = !s->stood && take_lull(s, law, r->now_us);
    s->moved = s->moved && !s->stood && !lull;
    return s->stood ? VERDICT_STANDS : lull ? VERDICT_LULL : VERDICT_NONE;
}

/* What was logged before anybody listened has yet to be read, too. */
static bool
follow_log(struct verdict_state *s, const struct verdict_reading *r)
{
    struct verdict_log *log = &s->log;
    bool wrote = r->has_log && (!log->noted || log->head != r->log_head);
    if (wrote && !log->unread)
        verdict_unread(s, r->now_us);
    if (r->has_log)
        log->head = r->log_head;
    log->noted = log->noted || r->has_log;
    return wrote;
}

/* Are messages to be read now? A panic is many of them, the last one the
 * surest: they are read when no other has come since the last reading, or none
 * was read for long. Reading them takes a prober, so that it has its price. */
static bool
take_read(struct verdict_state *s, const struct verdict_law *law, bool wrote,
          uint64_t now_us)
{
    struct verdict_log *log = &s->log;
    uint64_t credit_us = memctx_max(law->reads_saved, 1) * law->read_us;
    bool flooded = now_us - log->since_us >= law->read_us;
    if (s->died || !log->unread || (wrote && !flooded) ||
        log->paid_us + law->read_us > now_us + credit_us)
        return false;
    log->paid_us = memctx_max(log->paid_us, now_us) + law->read_us;
    log->unread = false;
    return true;
}

/* Words that were torn once may have been read between two writes of the
 * kernel: its clock moves before the next time. */
static bool
is_replaced(struct verdict_state *s, enum memctx_step step)
{
    bool was_torn = s->torn;
    s->torn = step == MEMCTX_STEP_TORN;
    return step == MEMCTX_STEP_BACK || step == MEMCTX_STEP_AWAY ||
           (s->torn && was_torn);
}

enum verdict
verdict_judge(struct verdict_state *s, const struct verdict_law *law,
              struct memctx_words *words, const struct verdict_reading *r)
{
    enum memctx_step step = take_step(s, words, r);
    if (is_replaced(s, step))
        return VERDICT_REPLACED;
    enum verdict verdict = judge_clocks(s, law, words, step, r);
    bool wrote = follow_log(s, r);
    if (r->panicked && !s->died) {
        s->died = true;
        return VERDICT_DIED;
    }
    if (verdict == VERDICT_NONE && take_read(s, law, wrote, r->now_us))
        return VERDICT_WROTE;
    return verdict;
}
