/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Each domain in which is asked is a job that comes again; so is each answer.
 * What they find is counted under the lock. */
#include "publish/claim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/uuid.h"
#include "common/executor.h"
#include "publish/claimplace.h"
#include "wire/clocks.h"

/* In so many domains is asked, so that most of them are more than one. */
#define ASKS_MAX 5

/* One that other jobs hold must not keep the rest from being asked, or an
 * answer from being given. */
#define THREADS_MAX 8

/* So often is asked again where somebody else wrote over it. */
#define SAYS_MAX 5

#define LOOK_FIRST_MS 20u
#define LOOK_CAP_MS 250u

/* A domain in which nobody answered in time. */
struct denial {
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    uint64_t said_ms; /* when it was asked */
};

struct claim {
    struct watch *watch;
    struct queue *queue;
    struct executor *executor;
    struct claim_times times;
    bool retracts;
    pthread_mutex_t lock; /* over the rest */
    enum claim_state state;
    char token[CLAIM_TOKEN_SIZE];
    unsigned round;        /* of asking; jobs of another one are over */
    uint64_t connected_ms; /* when it began */
    bool vouched;          /* in a round before */
    bool listed;
    unsigned n_open; /* asks that have not ended, */
    unsigned n_yes;  /* or were answered, */
    unsigned n_no;   /* or were not: */
    struct denial denials[ASKS_MAX];
    struct candidate *candidates; /* seen in this round */
};

/* A domain in which may be asked. */
struct candidate {
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    bool tried;
    struct candidate *next;
};

/* What one domain says. */
enum vote {
    VOTE_OPEN, /* nothing yet */
    VOTE_NONE, /* nothing: one cannot ask there */
    VOTE_YES,  /* another agent vouches for it */
    VOTE_NO    /* nobody does */
};

struct ask {
    struct executor_job job; /* first */
    struct claim *claim;
    unsigned round;
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    char token[CLAIM_TOKEN_SIZE];
    unsigned says; /* how often it was said */
    uint64_t said_ms;
    unsigned delay_ms;
};

/* When that has lasted long enough. */
struct deadline {
    struct executor_job job; /* first */
    struct claim *claim;
    unsigned round;
    bool begun;
};

static void
tell(struct claim *c)
{
    struct event *event = event_create(EVENT_CLAIM);
    if (event != NULL)
        event_push(c->queue, event);
}

/* Lock held, as for all down to the jobs. */
static void
drop_candidates(struct claim *c)
{
    struct candidate *next;
    for (struct candidate *at = c->candidates; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
    c->candidates = NULL;
}

static void
set_state(struct claim *c, enum claim_state state)
{
    if (c->state == state)
        return;
    c->state = state;
    c->vouched = c->vouched || state == CLAIM_OURS;
    if (state != CLAIM_ASKING)
        drop_candidates(c);
    tell(c);
}

/* As many domains say yes as no: a yes may be anybody's, a no is nobody's. */
static void
decide(struct claim *c)
{
    unsigned n = c->n_open + c->n_yes + c->n_no;
    if (c->state == CLAIM_TAKEN || !c->listed)
        return;
    if (2 * c->n_yes > n)
        set_state(c, CLAIM_TAKEN);
    else if (n == 0)
        set_state(c, CLAIM_UNASKED);
    else if (2 * c->n_no >= n)
        set_state(c, CLAIM_OURS);
}

static void run_ask(struct executor_job *job);

static void
drop_job(struct executor_job *job, struct executor_job *next)
{
    (void)next;
    free(job);
}

static struct ask *
ask_create(struct claim *c, void (*run)(struct executor_job *),
           const char *uuid)
{
    struct ask *ask = calloc(1, sizeof(*ask));
    if (ask == NULL)
        return NULL;
    ask->job = (struct executor_job){.run = run, .drop = drop_job};
    ask->claim = c;
    ask->round = c->round;
    snprintf(ask->uuid, sizeof(ask->uuid), "%s", uuid);
    memcpy(ask->token, c->token, sizeof(ask->token));
    return ask;
}

/* In one domain more, if there is one. */
static void
ask_next(struct claim *c)
{
    struct candidate *at = c->candidates;
    while (at != NULL && at->tried)
        at = at->next;
    if (at == NULL || c->n_open + c->n_yes + c->n_no >= ASKS_MAX)
        return;
    struct ask *ask = ask_create(c, run_ask, at->uuid);
    at->tried = true;
    if (ask == NULL)
        return;
    c->n_open++;
    executor_submit(c->executor, NULL, &ask->job);
}

/* ---- jobs ---- */

static bool
is_over(const struct ask *ask)
{
    struct claim *c = ask->claim;
    pthread_mutex_lock(&c->lock);
    bool over = ask->round != c->round;
    pthread_mutex_unlock(&c->lock);
    return over;
}

/* An answer that comes late takes this back. Lock held. */
static void
deny(struct claim *c, const struct ask *ask)
{
    struct denial *denial = &c->denials[c->n_no++];
    memcpy(denial->uuid, ask->uuid, sizeof(denial->uuid));
    denial->said_ms = ask->said_ms;
}

static void
cast(const struct ask *ask, enum vote vote)
{
    struct claim *c = ask->claim;
    pthread_mutex_lock(&c->lock);
    if (ask->round == c->round) {
        c->n_open--;
        c->n_yes += vote == VOTE_YES;
        if (vote == VOTE_NO)
            deny(c, ask);
        if (vote == VOTE_NONE)
            ask_next(c);
        decide(c);
    }
    pthread_mutex_unlock(&c->lock);
}

static enum vote
say_ask(struct ask *ask, const struct claimplace *place)
{
    if (claimplace_is_private(place))
        return VOTE_NO;
    if ((ask->claim->retracts && !claimplace_has_datum(place)) ||
        !claimplace_say(place, CLAIM_SAID_ASK, ask->token))
        return VOTE_NONE;
    ask->says++;
    ask->said_ms = clocks_now_ms();
    return VOTE_OPEN;
}

/* Time is up, for a place where it was asked in vain. */
static enum vote
judge_silence(const struct ask *ask)
{
    uint64_t age_ms = clocks_now_ms() - ask->said_ms;
    return age_ms >= ask->claim->times.ask_ms ? VOTE_NO : VOTE_OPEN;
}

/* What stands where it was asked is not the question any more. Of another that
 * asks there, too, the smaller token goes first. */
static enum vote
judge_other(struct ask *ask, const struct claimplace *place,
            const struct claim_word *word)
{
    if (word->said == CLAIM_SAID_ASK && strcmp(word->token, ask->token) < 0)
        return VOTE_YES;
    if (word->said == CLAIM_SAID_ASK) {
        claimplace_say(place, CLAIM_SAID_HELD, word->token);
        return VOTE_OPEN;
    }
    return ask->says < SAYS_MAX ? say_ask(ask, place) : judge_silence(ask);
}

static enum vote
look(struct ask *ask, const struct claimplace *place)
{
    struct claim_word word = claimplace_read(place);
    bool mine = strcmp(word.token, ask->token) == 0;
    enum vote vote = VOTE_OPEN;
    if (mine && word.said == CLAIM_SAID_HELD)
        vote = VOTE_YES;
    else if (mine)
        vote = judge_silence(ask);
    else
        return judge_other(ask, place, &word);
    if (vote != VOTE_OPEN)
        claimplace_clear(place);
    return vote;
}

/* What was asked is not to stand there for ever. */
static void
take_back(const struct ask *ask)
{
    MEMCTX_CLEANUP(claimplace_leave)
    struct claimplace place = {.domain = NULL};
    if (ask->says == 0 ||
        !claimplace_enter(ask->claim->watch, ask->uuid, &place))
        return;
    struct claim_word word = claimplace_read(&place);
    if (strcmp(word.token, ask->token) == 0)
        claimplace_clear(&place);
}

static enum vote
visit(struct ask *ask)
{
    MEMCTX_CLEANUP(claimplace_leave)
    struct claimplace place = {.domain = NULL};
    if (!claimplace_enter(ask->claim->watch, ask->uuid, &place))
        return VOTE_NONE;
    return ask->says == 0 ? say_ask(ask, &place) : look(ask, &place);
}

static void
run_ask(struct executor_job *job)
{
    struct ask *ask = (struct ask *)job;
    if (is_over(ask)) {
        take_back(ask);
        free(ask);
        return;
    }
    enum vote vote = visit(ask);
    if (vote != VOTE_OPEN) {
        cast(ask, vote);
        free(ask);
        return;
    }
    ask->delay_ms = ask->delay_ms == 0
                        ? LOOK_FIRST_MS
                        : (unsigned)memctx_min(2 * ask->delay_ms, LOOK_CAP_MS);
    executor_retry(ask->claim->executor, job, ask->delay_ms);
}

static bool
may_answer(struct claim *c, const char *token)
{
    pthread_mutex_lock(&c->lock);
    bool mine = strcmp(token, c->token) == 0;
    bool vouches = c->state == CLAIM_OURS && !c->retracts;
    bool first = c->state != CLAIM_TAKEN && strcmp(c->token, token) < 0;
    pthread_mutex_unlock(&c->lock);
    return !mine && (vouches || first);
}

/* The domain in which nobody answered in time, if there is still time for a
 * late answer; NULL. Lock held. */
static struct denial *
find_denial(struct claim *c, const char *uuid)
{
    for (unsigned i = 0; i < c->n_no; i++) {
        struct denial *d = &c->denials[i];
        if (strcmp(d->uuid, uuid) == 0 &&
            clocks_now_ms() - d->said_ms < c->times.late_ms)
            return d;
    }
    return NULL;
}

/* Somebody answers us, whose machine may have stood still. True: it counts, and
 * need not stand there. */
static bool
take_late_answer(struct claim *c, const char *uuid, const char *token)
{
    pthread_mutex_lock(&c->lock);
    bool mine = strcmp(token, c->token) == 0;
    struct denial *denial = mine ? find_denial(c, uuid) : NULL;
    if (denial != NULL) {
        *denial = c->denials[--c->n_no];
        c->n_yes++;
        decide(c);
    }
    pthread_mutex_unlock(&c->lock);
    return denial != NULL;
}

/* In a domain in which somebody said something. */
static void
run_answer(struct executor_job *job)
{
    struct ask *heard = (struct ask *)job;
    MEMCTX_CLEANUP(claimplace_leave)
    struct claimplace place = {.domain = NULL};
    if (claimplace_enter(heard->claim->watch, heard->uuid, &place)) {
        struct claim_word word = claimplace_read(&place);
        if (word.said == CLAIM_SAID_ASK && may_answer(heard->claim, word.token))
            claimplace_say(&place, CLAIM_SAID_HELD, word.token);
        if (word.said == CLAIM_SAID_HELD &&
            take_late_answer(heard->claim, heard->uuid, word.token))
            claimplace_clear(&place);
    }
    free(heard);
}

/* Domains that other jobs hold cannot be asked in: that is no answer. */
static void
run_deadline(struct executor_job *job)
{
    struct deadline *deadline = (struct deadline *)job;
    struct claim *c = deadline->claim;
    pthread_mutex_lock(&c->lock);
    bool over = deadline->round != c->round;
    bool begins = !over && !deadline->begun;
    if (!over && !begins && c->state == CLAIM_ASKING)
        set_state(c, CLAIM_OURS);
    pthread_mutex_unlock(&c->lock);
    deadline->begun = true;
    if (begins)
        executor_retry(c->executor, job, c->times.deadline_ms);
    else
        free(deadline);
}

static void
set_deadline(struct claim *c)
{
    struct deadline *deadline = calloc(1, sizeof(*deadline));
    if (deadline == NULL)
        return;
    deadline->job =
        (struct executor_job){.run = run_deadline, .drop = drop_job};
    deadline->claim = c;
    deadline->round = c->round;
    executor_submit(c->executor, NULL, &deadline->job);
}

/* ---- the loop thread's side ---- */

/* Without random bits the token stays: it is no secret, only not another's. */
static void
make_token(struct claim *c, enum claim_rank rank)
{
    claimword_make_token(c->retracts ? CLAIM_RANK_RETRACTS : rank, c->token,
                         NULL);
}

int
claim_create(struct watch *watch, struct queue *queue,
             const struct claim_times *times, bool retracts, struct claim **ret,
             struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct claim *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *c = (struct claim){
        .watch = watch, .queue = queue, .times = *times, .retracts = retracts};
    if (claimword_make_token(retracts ? CLAIM_RANK_RETRACTS
                                      : CLAIM_RANK_NEWCOMER,
                             c->token, err) < 0 ||
        executor_create(THREADS_MAX, 1, &c->executor, err) < 0)
        return -1;
    pthread_mutex_init(&c->lock, NULL);
    *ret = memctx_steal_ptr(&c);
    return 0;
}

/* Jobs that wait are run once more, and see that their round is over. */
void
claim_destroy(struct claim *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    c->round++;
    c->state = CLAIM_TAKEN; /* as far as we are concerned */
    drop_candidates(c);
    pthread_mutex_unlock(&c->lock);
    executor_destroy(c->executor, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void
claim_connected(struct claim *c)
{
    pthread_mutex_lock(&c->lock);
    c->round++;
    c->connected_ms = clocks_now_ms();
    c->listed = false;
    c->n_open = c->n_yes = c->n_no = 0;
    drop_candidates(c);
    if (c->state != CLAIM_TAKEN)
        c->state = CLAIM_UNASKED;
    if (c->vouched)
        make_token(c, CLAIM_RANK_SENIOR);
    pthread_mutex_unlock(&c->lock);
}

/* The first domain of a round. Lock held. */
static void
begin_to_ask(struct claim *c)
{
    c->state = CLAIM_ASKING;
    if (clocks_now_ms() - c->connected_ms >= c->times.senior_ms)
        make_token(c, CLAIM_RANK_SENIOR);
    set_deadline(c);
}

/* Events may tell of a domain twice. Lock held. */
static void
add_candidate(struct claim *c, const char *uuid)
{
    struct candidate **last = &c->candidates;
    while (*last != NULL && strcmp((*last)->uuid, uuid) != 0)
        last = &(*last)->next;
    if (*last != NULL || (*last = calloc(1, sizeof(**last))) == NULL)
        return;
    snprintf((*last)->uuid, sizeof((*last)->uuid), "%s", uuid);
    ask_next(c);
}

void
claim_see(struct claim *c, const char *uuid)
{
    pthread_mutex_lock(&c->lock);
    if (c->state == CLAIM_UNASKED)
        begin_to_ask(c);
    if (c->state == CLAIM_ASKING)
        add_candidate(c, uuid);
    pthread_mutex_unlock(&c->lock);
}

void
claim_listed(struct claim *c)
{
    pthread_mutex_lock(&c->lock);
    c->listed = true;
    decide(c);
    tell(c);
    pthread_mutex_unlock(&c->lock);
}

void
claim_hear(struct claim *c, const char *uuid)
{
    struct ask *heard = ask_create(c, run_answer, uuid);
    if (heard != NULL)
        executor_submit(c->executor, heard->uuid, &heard->job);
}

enum claim_state
claim_state(struct claim *c)
{
    pthread_mutex_lock(&c->lock);
    enum claim_state state = c->state;
    pthread_mutex_unlock(&c->lock);
    return state;
}
