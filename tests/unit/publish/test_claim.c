/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Agents that claim the domains of one libvirt, which is made of the functions
 * below: its domains have two elements of metadata each, and a number that
 * counts what was written, which the tests bring to all agents as libvirt would
 * by its events. Times are either over at once, or never in a test. */
#include "unit.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <pthread.h>
#include <stdlib.h>

#include "publish/claim.h"
#include "publish/claimword.h"

#define DOMAINS 8
#define NEVER_MS 3600000u

struct fake_domain {
    bool gone;
    bool held; /* writes wait */
    bool has_datum;
    char said[256];  /* "": no element */
    char asked[256]; /* the last question there */
    unsigned writes;
    unsigned heard; /* writes that agents were told of */
};

struct fake {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const char *driver;
    struct fake_domain domains[DOMAINS];
};

static struct fake *
fake(void)
{
    static struct fake the_fake = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                   .changed = PTHREAD_COND_INITIALIZER};
    return &the_fake;
}

static void
lock(void)
{
    pthread_mutex_lock(&fake()->lock);
}

static void
unlock(void)
{
    pthread_mutex_unlock(&fake()->lock);
}

virConnectPtr
watch_connection(struct watch *watch)
{
    (void)watch;
    return (virConnectPtr)fake();
}

const char *
virGetLastErrorMessage(void)
{
    return "made to fail";
}

int
virConnectClose(virConnectPtr connection)
{
    (void)connection;
    return 0;
}

const char *
virConnectGetType(virConnectPtr connection)
{
    (void)connection;
    return fake()->driver;
}

/* A UUID is the number of a domain. */
virDomainPtr
virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
    struct fake_domain *domain = &fake()->domains[atoi(uuid)];
    (void)connection;
    lock();
    bool gone = domain->gone;
    unlock();
    return gone ? NULL : (virDomainPtr)domain;
}

int
virDomainFree(virDomainPtr domain)
{
    (void)domain;
    return 0;
}

char *
virDomainGetMetadata(virDomainPtr domain, int type, const char *uri,
                     unsigned flags)
{
    struct fake_domain *d = (struct fake_domain *)domain;
    assert_int_equal(type, VIR_DOMAIN_METADATA_ELEMENT);
    assert_int_equal(flags, VIR_DOMAIN_AFFECT_LIVE);
    lock();
    const char *text = strcmp(uri, "urn:memctx:1") == 0
                           ? (d->has_datum ? "<memctx/>" : "")
                           : d->said;
    char *copy = text[0] != '\0' ? strdup(text) : NULL;
    unlock();
    return copy;
}

int
virDomainSetMetadata(virDomainPtr domain, int type, const char *metadata,
                     const char *key, const char *uri, unsigned flags)
{
    struct fake_domain *d = (struct fake_domain *)domain;
    assert_int_equal(type, VIR_DOMAIN_METADATA_ELEMENT);
    assert_int_equal(flags, VIR_DOMAIN_AFFECT_LIVE);
    assert_string_equal(uri, "urn:memctx:agent:1");
    assert_string_equal(key, "memctxagent");
    lock();
    while (d->held)
        pthread_cond_wait(&fake()->changed, &fake()->lock);
    snprintf(d->said, sizeof(d->said), "%s", metadata != NULL ? metadata : "");
    if (strstr(d->said, "<ask") != NULL)
        memcpy(d->asked, d->said, sizeof(d->asked));
    d->writes++;
    unlock();
    return 0;
}

/* ---- what tests ask and tell ---- */

static void
say(unsigned i, enum claim_said said, const char *token)
{
    lock();
    claimword_print(said, token, fake()->domains[i].said);
    fake()->domains[i].writes++;
    unlock();
}

static struct claim_word
said(unsigned i)
{
    lock();
    struct claim_word word = claimword_parse(fake()->domains[i].said);
    unlock();
    return word;
}

static unsigned
count_writes(void)
{
    unsigned writes = 0;
    lock();
    for (unsigned i = 0; i < DOMAINS; i++)
        writes += fake()->domains[i].writes;
    unlock();
    return writes;
}

static bool
is_clean(void)
{
    bool clean = true;
    lock();
    for (unsigned i = 0; i < DOMAINS; i++)
        clean = clean && fake()->domains[i].said[0] == '\0';
    unlock();
    return clean;
}

static void
hold(unsigned i, bool held)
{
    lock();
    fake()->domains[i].held = held;
    pthread_cond_broadcast(&fake()->changed);
    unlock();
}

struct fixture {
    struct queue *queue;
    struct claim *claims[2]; /* two agents, NULL: none */
};

static int
set_up(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct fixture *f = calloc(1, sizeof(*f));
    fake()->driver = "QEMU";
    memset(fake()->domains, 0, sizeof(fake()->domains));
    assert_done(queue_create(&f->queue, &err), &err);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    claim_destroy(f->claims[0]);
    claim_destroy(f->claims[1]);
    event_queue_destroy(f->queue);
    free(f);
    return 0;
}

/* An agent that waits so long for an answer. */
static struct claim *
start(struct fixture *f, unsigned i, unsigned ask_ms, bool retracts)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct claim_times times = {.ask_ms = ask_ms,
                                      .late_ms = NEVER_MS,
                                      .senior_ms = NEVER_MS,
                                      .deadline_ms = NEVER_MS};
    assert_done(
        claim_create(NULL, f->queue, &times, retracts, &f->claims[i], &err),
        &err);
    return f->claims[i];
}

/* It is connected, and these domains run. */
static void
list(struct claim *claim, unsigned n)
{
    char uuid[16];
    claim_connected(claim);
    for (unsigned i = 0; i < n; i++) {
        snprintf(uuid, sizeof(uuid), "%u", i);
        claim_see(claim, uuid);
        claim_see(claim, uuid); /* events may tell it twice */
    }
    claim_listed(claim);
}

/* Bring what was written to those who listen. */
static void
pump(struct fixture *f)
{
    char uuid[16];
    for (unsigned i = 0; i < DOMAINS; i++) {
        lock();
        bool news = fake()->domains[i].heard != fake()->domains[i].writes;
        fake()->domains[i].heard = fake()->domains[i].writes;
        unlock();
        snprintf(uuid, sizeof(uuid), "%u", i);
        for (unsigned k = 0; news && k < 2; k++) {
            if (f->claims[k] != NULL)
                claim_hear(f->claims[k], uuid);
        }
    }
}

static bool
has_state(struct fixture *f, unsigned i, enum claim_state state)
{
    pump(f);
    return claim_state(f->claims[i]) == state;
}

static void
test_nobody_is_asked_where_no_domain_runs(void **state)
{
    struct fixture *f = *state;
    struct claim *claim = start(f, 0, 1, false);
    list(claim, 0);
    struct event *event = event_pop(f->queue);
    assert_int_equal(event->kind, EVENT_CLAIM);
    event_destroy(event);
    assert_int_equal(claim_state(claim), CLAIM_UNASKED);
    assert_int_equal(count_writes(), 0);
}

static void
test_no_answer(void **state)
{
    struct fixture *f = *state;
    list(start(f, 0, 1, false), DOMAINS);
    wait_until(has_state(f, 0, CLAIM_OURS));
    wait_until(is_clean());
    /* In five of them, and each was taken back. */
    assert_int_equal(count_writes(), 10);
}

static void
test_own_process_is_not_asked(void **state)
{
    struct fixture *f = *state;
    fake()->driver = "TEST";
    list(start(f, 0, NEVER_MS, false), 3);
    wait_until(has_state(f, 0, CLAIM_OURS));
    assert_int_equal(count_writes(), 0);
}

static void
test_first_domain_that_starts_later_is_asked_in(void **state)
{
    struct fixture *f = *state;
    list(start(f, 0, 1, false), 0);
    claim_see(f->claims[0], "3");
    assert_int_equal(claim_state(f->claims[0]), CLAIM_ASKING);
    wait_until(has_state(f, 0, CLAIM_OURS));
    assert_int_equal(count_writes(), 2);
}

static void
test_second_agent_learns_of_the_first(void **state)
{
    struct fixture *f = *state;
    list(start(f, 0, 1, false), 3);
    wait_until(has_state(f, 0, CLAIM_OURS));
    list(start(f, 1, NEVER_MS, false), 3);
    wait_until(has_state(f, 1, CLAIM_TAKEN));
    assert_int_equal(claim_state(f->claims[0]), CLAIM_OURS);
    claim_destroy(f->claims[1]);
    f->claims[1] = NULL;
    pump(f);
    wait_until(is_clean());
}

/* One leaves, and the other does not. */
static void
test_two_agents_at_once(void **state)
{
    struct fixture *f = *state;
    start(f, 0, NEVER_MS, false);
    start(f, 1, NEVER_MS, false);
    list(f->claims[0], 3);
    list(f->claims[1], 3);
    wait_until(has_state(f, 0, CLAIM_TAKEN) || has_state(f, 1, CLAIM_TAKEN));
    for (unsigned i = 0; i < 100; i++)
        pump(f);
    assert_true(claim_state(f->claims[0]) == CLAIM_ASKING ||
                claim_state(f->claims[1]) == CLAIM_ASKING);
}

/* ... of which each asks where the other does not. */
static void
test_two_agents_in_two_domains(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2; i++) {
        start(f, i, NEVER_MS, false);
        list(f->claims[i], 0);
        claim_see(f->claims[i], i == 0 ? "0" : "1");
    }
    wait_until(has_state(f, 0, CLAIM_TAKEN) || has_state(f, 1, CLAIM_TAKEN));
    assert_true(claim_state(f->claims[0]) == CLAIM_ASKING ||
                claim_state(f->claims[1]) == CLAIM_ASKING);
}

static void
test_both_vouch_after_libvirt_was_away(void **state)
{
    struct fixture *f = *state;
    struct claim *first = start(f, 0, 1, false);
    f->claims[0] = NULL; /* it hears nothing, from the beginning: what it has
                            heard it may answer late */
    list(first, 1);
    wait_until(claim_state(first) == CLAIM_OURS);
    list(start(f, 1, 1, false), 1);
    wait_until(has_state(f, 1, CLAIM_OURS));
    f->claims[0] = first;
    claim_connected(first);
    claim_see(first, "0");
    claim_listed(first);
    wait_until(has_state(f, 0, CLAIM_TAKEN));
    assert_int_equal(claim_state(f->claims[1]), CLAIM_OURS);
}

/* The owner of one guest must not stop the agent of all. */
static void
test_answer_of_one_domain_is_not_enough(void **state)
{
    struct fixture *f = *state;
    list(start(f, 0, 100, false), 3);
    wait_until(said(1).said == CLAIM_SAID_ASK);
    say(1, CLAIM_SAID_HELD, said(1).token);
    wait_until(has_state(f, 0, CLAIM_OURS));
}

static void
test_answer_to_somebody_else_is_none(void **state)
{
    struct fixture *f = *state;
    list(start(f, 0, NEVER_MS, false), 1);
    wait_until(said(0).said == CLAIM_SAID_ASK);
    char token[CLAIM_TOKEN_SIZE];
    snprintf(token, sizeof(token), "%s", said(0).token);
    token[5] = token[5] == '0' ? '1' : '0';
    say(0, CLAIM_SAID_HELD, token);
    /* It asks once more. */
    wait_until(said(0).said == CLAIM_SAID_ASK);
    assert_int_equal(claim_state(f->claims[0]), CLAIM_ASKING);
}

static void
test_late_answer_counts(void **state)
{
    struct fixture *f = *state;
    list(start(f, 0, 1, false), 1);
    wait_until(has_state(f, 0, CLAIM_OURS));
    wait_until(is_clean());
    say(0, CLAIM_SAID_HELD, claimword_parse(fake()->domains[0].asked).token);
    wait_until(has_state(f, 0, CLAIM_TAKEN));
    wait_until(is_clean());
}

static void
test_held_domain_is_not_waited_for(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct claim_times times = {NEVER_MS, NEVER_MS, NEVER_MS, 1};
    struct fixture *f = *state;
    hold(0, true);
    assert_done(
        claim_create(NULL, f->queue, &times, false, &f->claims[0], &err), &err);
    list(f->claims[0], 1);
    wait_until(has_state(f, 0, CLAIM_OURS));
    assert_int_equal(count_writes(), 0);
    hold(0, false);
}

static void
test_domain_that_is_gone_is_replaced_by_another(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < DOMAINS - 1; i++)
        fake()->domains[i].gone = true;
    list(start(f, 0, 1, false), DOMAINS);
    wait_until(has_state(f, 0, CLAIM_OURS));
    assert_true(fake()->domains[DOMAINS - 1].writes > 0);
}

static void
test_end_takes_back_what_was_asked(void **state)
{
    struct fixture *f = *state;
    list(start(f, 0, NEVER_MS, false), 3);
    wait_until(said(2).said == CLAIM_SAID_ASK);
    claim_destroy(f->claims[0]);
    f->claims[0] = NULL;
    assert_true(is_clean());
}

static void
test_retraction_asks_only_where_a_datum_stands(void **state)
{
    struct fixture *f = *state;
    list(start(f, 0, 1, true), DOMAINS);
    wait_until(has_state(f, 0, CLAIM_UNASKED));
    assert_int_equal(count_writes(), 0);
    fake()->domains[6].has_datum = true;
    list(f->claims[0], DOMAINS);
    wait_until(has_state(f, 0, CLAIM_OURS));
    assert_int_equal(count_writes(), fake()->domains[6].writes);
    assert_int_not_equal(count_writes(), 0);
}

static void
test_retraction_leaves_what_an_agent_vouches_for(void **state)
{
    struct fixture *f = *state;
    fake()->domains[0].has_datum = true;
    list(start(f, 0, 1, false), 1);
    wait_until(has_state(f, 0, CLAIM_OURS));
    list(start(f, 1, NEVER_MS, true), 1);
    wait_until(has_state(f, 1, CLAIM_TAKEN));
}

/* It vouches for nothing: an agent that starts beside it is not refused. */
static void
test_retraction_answers_nobody(void **state)
{
    struct fixture *f = *state;
    fake()->domains[0].has_datum = true;
    list(start(f, 0, 1, true), 1);
    wait_until(has_state(f, 0, CLAIM_OURS));
    list(start(f, 1, 100, false), 1);
    wait_until(has_state(f, 1, CLAIM_OURS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    xmlInitParser(); /* as memctxd does, before there are threads */
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_is_asked_where_no_domain_runs),
        TEST(test_no_answer),
        TEST(test_own_process_is_not_asked),
        TEST(test_first_domain_that_starts_later_is_asked_in),
        TEST(test_second_agent_learns_of_the_first),
        TEST(test_two_agents_at_once),
        TEST(test_two_agents_in_two_domains),
        TEST(test_both_vouch_after_libvirt_was_away),
        TEST(test_answer_of_one_domain_is_not_enough),
        TEST(test_answer_to_somebody_else_is_none),
        TEST(test_late_answer_counts),
        TEST(test_held_domain_is_not_waited_for),
        TEST(test_domain_that_is_gone_is_replaced_by_another),
        TEST(test_end_takes_back_what_was_asked),
        TEST(test_retraction_asks_only_where_a_datum_stands),
        TEST(test_retraction_leaves_what_an_agent_vouches_for),
        TEST(test_retraction_answers_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
