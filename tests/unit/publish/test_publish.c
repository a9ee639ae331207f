/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The publisher against a libvirt that is made of the functions below: what
 * fails is tried again, what is superseded is not written, what is gone is
 * left alone. A libvirt call that nobody expected does not link. */
#include "unit.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>

#include "publish/publish.h"
#include "publish/statefile.h"

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define HELD 20
#define OTHER "00000000-0000-0000-0000-000000000001"

/* The fake libvirt, which the publisher's threads call. What a test asks of it,
 * or tells it, goes through the functions that take its lock. */
struct fake {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned asked; /* for a connection */
    unsigned sets;
    unsigned fail_sets; /* so many fail with `set_code` first */
    int set_code;
    int code;  /* of the last error */
    bool gone; /* look-ups find nothing */
    bool held; /* sets for all but OTHER wait */
    bool away; /* there is no connection */
    unsigned id;
    char last[8192]; /* "" after a removal */
    char wrote_for[64];
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
    lock();
    fake()->asked++;
    bool away = fake()->away;
    unlock();
    return away ? NULL : (virConnectPtr)fake();
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

int
virGetLastErrorCode(void)
{
    lock();
    int code = fake()->gone ? VIR_ERR_NO_DOMAIN : fake()->code;
    unlock();
    return code;
}

virDomainPtr
virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
    (void)connection;
    lock();
    bool gone = fake()->gone;
    unlock();
    return gone ? NULL : (virDomainPtr)strdup(uuid);
}

int
virDomainFree(virDomainPtr domain)
{
    free(domain);
    return 0;
}

unsigned
virDomainGetID(virDomainPtr domain)
{
    (void)domain;
    lock();
    unsigned id = fake()->id;
    unlock();
    return id;
}

char *
virDomainGetMetadata(virDomainPtr domain, int type, const char *uri,
                     unsigned flags)
{
    struct fake *f = fake();
    (void)domain;
    assert_int_equal(type, VIR_DOMAIN_METADATA_ELEMENT);
    assert_string_equal(uri, "urn:memctx:1");
    assert_int_equal(flags, VIR_DOMAIN_AFFECT_LIVE);
    lock();
    bool none = f->last[0] == '\0';
    f->code = none ? VIR_ERR_NO_DOMAIN_METADATA : f->code;
    char *text = none ? NULL : strdup(f->last);
    unlock();
    return text;
}

int
virDomainSetMetadata(virDomainPtr domain, int type, const char *metadata,
                     const char *key, const char *uri, unsigned flags)
{
    struct fake *f = fake();
    assert_int_equal(type, VIR_DOMAIN_METADATA_ELEMENT);
    assert_string_equal(key, "memctx");
    assert_string_equal(uri, "urn:memctx:1");
    assert_int_equal(flags, VIR_DOMAIN_AFFECT_LIVE);
    lock();
    while (f->held && strcmp((const char *)domain, OTHER) != 0)
        pthread_cond_wait(&f->changed, &f->lock);
    f->sets++;
    bool fails = f->fail_sets > 0;
    f->fail_sets -= fails;
    f->code = fails ? f->set_code : f->code;
    if (!fails) {
        snprintf(f->last, sizeof(f->last), "%s",
                 metadata != NULL ? metadata : "");
        snprintf(f->wrote_for, sizeof(f->wrote_for), "%s",
                 (const char *)domain);
    }
    unlock();
    return fails ? -1 : 0;
}

/* ---- what tests ask and tell ---- */

static unsigned
count_sets(void)
{
    lock();
    unsigned sets = fake()->sets;
    unlock();
    return sets;
}

static unsigned
count_asked(void)
{
    lock();
    unsigned asked = fake()->asked;
    unlock();
    return asked;
}

static bool
metadata_have(const char *words)
{
    lock();
    bool found = strstr(fake()->last, words) != NULL;
    unlock();
    return found;
}

static bool
was_written_for(const char *uuid)
{
    lock();
    bool same = strcmp(fake()->wrote_for, uuid) == 0;
    unlock();
    return same;
}

static void
hold(bool held)
{
    lock();
    fake()->held = held;
    pthread_cond_broadcast(&fake()->changed);
    unlock();
}

static void
set_away(bool away)
{
    lock();
    fake()->away = away;
    unlock();
}

static void
fail_sets(unsigned count, int code)
{
    lock();
    fake()->fail_sets = count;
    fake()->set_code = code;
    unlock();
}

struct fixture {
    char dir[64];
    int dirfd;
    struct queue *queue;
    struct publisher *publisher;
    struct memctx_datum datum;
    struct memctx_datum_extent extent;
};

static bool
is_nobody(const char *uuid, void *arg)
{
    (void)uuid;
    (void)arg;
    return false;
}

static int
set_up(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct fixture *f = calloc(1, sizeof(*f));
    struct fake *world = fake();
    world->asked = world->sets = world->fail_sets = 0;
    world->code = VIR_ERR_OPERATION_TIMEOUT;
    world->gone = world->held = world->away = false;
    world->id = 3;
    world->last[0] = '\0';
    world->wrote_for[0] = '\0';
    strcpy(f->dir, "/tmp/memctx-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_done(statefile_open_dir(f->dir, &f->dirfd, &err), &err);
    assert_done(queue_create(&f->queue, &err), &err);
    assert_done(publisher_create(HELD + 2, NULL, f->dirfd, f->queue, NULL,
                                 &f->publisher, &err),
                &err);
    publisher_release(f->publisher);
    f->extent = (struct memctx_datum_extent){.size = 4096, .backend = "pc.ram"};
    f->datum = (struct memctx_datum){.generation = 1,
                                     .low = 4096,
                                     .ram_size = 4096,
                                     .extents = &f->extent,
                                     .n_extents = 1};
    f->datum.kernel.os = MEMCTX_OS_LINUX;
    f->datum.kernel.paging = MEMCTX_PAGING_X86_64_4LEVEL;
    f->datum.kernel.base_gva = UINT64_C(0xffffffff81000000);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    publisher_destroy(f->publisher);
    event_queue_destroy(f->queue);
    statefile_forget_others(f->dirfd, is_nobody, NULL);
    unlinkat(f->dirfd, "../runs", AT_REMOVEDIR);
    unlinkat(f->dirfd, "../domains", AT_REMOVEDIR);
    close(f->dirfd);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

/* Wait until everything given so far is written. */
static void
settle(struct fixture *f)
{
    struct pollfd poller = {.fd = queue_fd(f->queue), .events = POLLIN};
    publisher_tell_idle(f->publisher);
    assert_int_equal(poll(&poller, 1, 60000), 1);
    struct event *event = event_pop(f->queue);
    assert_int_equal(event->kind, EVENT_IDLE);
    event_destroy(event);
}

static void
set(struct fixture *f, const char *uuid, uint64_t kcr3)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    f->datum.kernel.kcr3 = kcr3;
    const struct statefile_run counted = {
        .instance = 77, .generation = f->datum.generation, .kernel = "linux"};
    const struct publisher_run run = {uuid, 3, &counted};
    assert_done(
        publisher_set(f->publisher, &run, kcr3 != 0 ? &f->datum : NULL, &err),
        &err);
}

/* libvirt told of a change of the metadata, after that datum was set last. */
static void
check(struct fixture *f, const char *uuid, uint64_t kcr3)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    f->datum.kernel.kcr3 = kcr3;
    const struct statefile_run counted = {
        .instance = 77, .generation = f->datum.generation, .kernel = "linux"};
    const struct publisher_run run = {uuid, 3, &counted};
    assert_done(
        publisher_check(f->publisher, &run, kcr3 != 0 ? &f->datum : NULL, &err),
        &err);
}

/* Somebody else writes, or removes with "". */
static void
meddle(const char *text)
{
    lock();
    snprintf(fake()->last, sizeof(fake()->last), "%s", text);
    unlock();
}

/* ... or puts words before others that stand there. */
static void
insert(const char *words, const char *before)
{
    lock();
    char *at = strstr(fake()->last, before);
    assert_non_null(at);
    assert_true(strlen(fake()->last) + strlen(words) < sizeof(fake()->last));
    memmove(at + strlen(words), at, strlen(at) + 1);
    memcpy(at, words, strlen(words));
    unlock();
}

/* libvirt prints what it has parsed in its own way. */
static void
spell_otherwise(void)
{
    insert("\n      ", "<kcr3>");
}

/* What the oldest check that was not looked at yet has found. */
static bool
was_wrong(struct fixture *f)
{
    struct pollfd poller = {.fd = queue_fd(f->queue), .events = POLLIN};
    assert_int_equal(poll(&poller, 1, 60000), 1);
    struct event *event = event_pop(f->queue);
    assert_int_equal(event->kind, EVENT_CHECKED);
    assert_string_equal(event->uuid, UUID);
    bool wrong = event->was_wrong;
    event_destroy(event);
    return wrong;
}

static bool
file_has(struct fixture *f, const char *words)
{
    char text[8192] = "";
    int fd = openat(f->dirfd, UUID ".xml", O_RDONLY);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    return strstr(text, words) != NULL;
}

static bool
has_file(struct fixture *f, const char *uuid)
{
    char name[64];
    snprintf(name, sizeof(name), "%s.xml", uuid);
    return faccessat(f->dirfd, name, F_OK, 0) == 0;
}

static void
test_datum_goes_to_metadata_and_file(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    assert_true(metadata_have("<kcr3>0x1000</kcr3>"));
    assert_false(metadata_have("0xffffffff81000000"));
    assert_true(file_has(f, "<kernel base=\"0xffffffff81000000\"/>"));
}

static void
test_what_stands_is_not_written_again(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    statefile_remove(f->dirfd, UUID);
    spell_otherwise();
    set(f, UUID, 0x1000);
    settle(f);
    assert_int_equal(count_sets(), 1);
    assert_int_equal(faccessat(f->dirfd, UUID ".xml", R_OK, 0), 0);
}

static void
test_busy_domain_is_tried_again(void **state)
{
    struct fixture *f = *state;
    fail_sets(2, VIR_ERR_OPERATION_TIMEOUT);
    set(f, UUID, 0x1000);
    settle(f);
    assert_int_equal(count_sets(), 3);
    assert_true(metadata_have("0x1000"));
}

static void
test_libvirt_away_and_back(void **state)
{
    struct fixture *f = *state;
    set_away(true);
    set(f, UUID, 0x1000);
    wait_until(count_asked() > 0);
    set_away(false);
    settle(f);
    assert_true(metadata_have("0x1000"));
}

static void
test_latest_value_wins(void **state)
{
    struct fixture *f = *state;
    hold(true);
    set(f, UUID, 0x1000);
    for (unsigned i = 0; i < 100; i++)
        set(f, UUID, 0x2000);
    set(f, UUID, 0x3000);
    hold(false);
    settle(f);
    assert_true(metadata_have("0x3000"));
    assert_true(count_sets() <= 2);
}

static void
test_what_a_superseded_value_had_to_write_is_written(void **state)
{
    struct fixture *f = *state;
    hold(true);
    set(f, UUID, 0x1000);
    wait_until(count_asked() > 0);
    set(f, UUID, 0x2000);
    check(f, UUID, 0x2000);
    hold(false);
    assert_false(was_wrong(f));
    settle(f);
    assert_true(metadata_have("0x2000"));
    assert_true(file_has(f, "0x2000"));
}

/* The same for one whose write failed. */
static void
test_what_failed_is_written_with_the_next_value(void **state)
{
    struct fixture *f = *state;
    hold(true);
    fail_sets(1, VIR_ERR_OPERATION_TIMEOUT);
    set(f, UUID, 0x1000);
    wait_until(count_asked() > 0);
    set(f, UUID, 0x2000);
    hold(false);
    settle(f);
    assert_int_equal(count_sets(), 2);
    assert_true(metadata_have("0x2000"));
}

static void
test_held_domains_hold_up_no_other(void **state)
{
    struct fixture *f = *state;
    hold(true);
    for (unsigned i = 0; i < HELD; i++) {
        char uuid[40];
        snprintf(uuid, sizeof(uuid), "00000000-0000-0000-0000-1000000000%02u",
                 i);
        /* The metadata of all are one text here: what stands there already is
         * not written again. */
        set(f, uuid, 0x1000 * (i + 2));
    }
    set(f, OTHER, 0x1000);
    wait_until(was_written_for(OTHER));
    hold(false);
    settle(f);
    assert_int_equal(count_sets(), HELD + 1);
}

static void
test_withdrawal_removes_both(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    set(f, UUID, 0);
    settle(f);
    assert_false(metadata_have("<"));
    assert_int_equal(count_sets(), 2);
    assert_int_equal(faccessat(f->dirfd, UUID ".xml", F_OK, 0), -1);
    /* How many kernels there were is still known. */
    assert_int_equal(statefile_counted(f->dirfd, UUID, 77).generation,
                     f->datum.generation);
}

/* Who may not call libvirt reads the file. */
static void
test_held_domain_loses_its_file_at_once(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    hold(true);
    set(f, UUID, 0);
    assert_false(has_file(f, UUID));
    assert_int_equal(count_sets(), 1);
    hold(false);
    settle(f);
    assert_int_equal(count_sets(), 2);
}

/* A datum that libvirt holds up is no reason to show that before it; nor is it
 * shown itself when it was withdrawn meanwhile. */
static void
test_datum_that_is_held_is_withdrawn(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    hold(true);
    set(f, UUID, 0x2000);
    wait_until(count_asked() == 2);
    set(f, UUID, 0);
    assert_false(has_file(f, UUID));
    hold(false);
    settle(f);
    assert_false(has_file(f, UUID));
    assert_false(metadata_have("<"));
}

/* Domains that libvirt holds up have all threads but one: that is there for a
 * datum that is no longer true. */
static void
test_withdrawal_finds_a_thread(void **state)
{
    struct fixture *f = *state;
    set(f, OTHER, 0x1000);
    settle(f);
    hold(true);
    for (unsigned i = 0; i < HELD + 2; i++) {
        char uuid[40];
        snprintf(uuid, sizeof(uuid), "00000000-0000-0000-0000-1000000000%02u",
                 i);
        set(f, uuid, 0x1000);
    }
    wait_until(count_asked() >= HELD + 2);
    set(f, OTHER, 0);
    wait_until(!metadata_have("<"));
    assert_true(was_written_for(OTHER));
    hold(false);
    settle(f);
}

/* A guest that resets itself all the time: libvirt, which has to tell of that,
 * lets nobody write, and says so after a while. */
static void
test_withdrawal_is_tried_until_libvirt_has_time(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    fail_sets(3, VIR_ERR_OPERATION_TIMEOUT);
    set(f, UUID, 0);
    assert_false(has_file(f, UUID));
    settle(f);
    assert_int_equal(count_sets(), 5);
    assert_false(metadata_have("<"));
}

static void
test_removal_of_nothing_is_no_write(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0);
    settle(f);
    assert_int_equal(count_sets(), 0);
}

static void
test_domain_that_is_gone_is_left_alone(void **state)
{
    struct fixture *f = *state;
    fake()->gone = true;
    set(f, UUID, 0x1000);
    settle(f);
    assert_int_equal(count_sets(), 0);
}

static void
test_next_run_of_the_domain_is_left_alone(void **state)
{
    struct fixture *f = *state;
    fake()->id = 4;
    set(f, UUID, 0x1000);
    settle(f);
    assert_int_equal(count_sets(), 0);
}

static void
test_refusal_for_good_is_not_tried_again(void **state)
{
    struct fixture *f = *state;
    fail_sets(1000, VIR_ERR_OPERATION_DENIED);
    set(f, UUID, 0x1000);
    settle(f);
    assert_int_equal(count_sets(), 1);
}

static void
test_what_somebody_else_wrote_is_replaced(void **state)
{
    static const char *const forged[] = {
        "", "<memctx><kcr3>0xdead</kcr3></memctx>", "<memctx", "<other/>"};
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    for (unsigned i = 0; i < 4; i++) {
        meddle(forged[i]);
        check(f, UUID, 0x1000);
        assert_true(was_wrong(f));
        assert_true(metadata_have("<kcr3>0x1000</kcr3>"));
    }
    assert_int_equal(count_sets(), 5);
}

static void
test_what_somebody_else_added_goes(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    insert("<kcr3>0xdead</kcr3>", "</memctx>");
    check(f, UUID, 0x1000);
    assert_true(was_wrong(f));
    assert_false(metadata_have("0xdead"));
}

static void
test_what_somebody_else_wrote_where_nothing_is_goes(void **state)
{
    struct fixture *f = *state;
    meddle("<memctx><kcr3>0xdead</kcr3></memctx>");
    check(f, UUID, 0);
    assert_true(was_wrong(f));
    assert_false(metadata_have("<"));
}

/* libvirt tells of our own writes, too. */
static void
test_what_we_wrote_is_nobody_elses(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    spell_otherwise();
    check(f, UUID, 0x1000);
    assert_false(was_wrong(f));
    assert_int_equal(count_sets(), 1);
}

/* A check that waited with a newer datum behind it says nothing of others. */
static void
test_check_that_is_superseded_is_answered(void **state)
{
    struct fixture *f = *state;
    hold(true);
    set(f, UUID, 0x1000);
    wait_until(count_asked() > 0);
    check(f, UUID, 0x1000);
    set(f, UUID, 0x2000);
    hold(false);
    assert_false(was_wrong(f));
    assert_true(metadata_have("0x2000"));
}

static void
test_check_that_is_refused_is_told(void **state)
{
    struct fixture *f = *state;
    meddle("<memctx/>");
    fail_sets(1000, VIR_ERR_OPERATION_DENIED);
    check(f, UUID, 0x1000);
    assert_true(was_wrong(f));
    assert_int_equal(count_sets(), 1);
}

static void
test_end_of_a_run_removes_the_files_only(void **state)
{
    struct fixture *f = *state;
    set(f, UUID, 0x1000);
    settle(f);
    publisher_forget(f->publisher, UUID);
    settle(f);
    assert_int_equal(count_sets(), 1);
    assert_int_equal(faccessat(f->dirfd, UUID ".xml", F_OK, 0), -1);
    assert_int_equal(statefile_counted(f->dirfd, UUID, 77).generation, 0);
}

/* Another agent may vouch for these domains. */
static void
test_nothing_is_written_before_the_release(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct fixture *f = *state;
    publisher_destroy(f->publisher);
    assert_done(publisher_create(2, NULL, f->dirfd, f->queue, NULL,
                                 &f->publisher, &err),
                &err);
    set(f, UUID, 0x1000);
    settle(f);
    assert_int_equal(count_asked(), 0);
    assert_int_equal(faccessat(f->dirfd, UUID ".xml", F_OK, 0), -1);
    set(f, UUID, 0x2000);
    set(f, UUID, 0x3000);
    set(f, OTHER, 0x3000);
    publisher_release(f->publisher);
    settle(f);
    assert_true(metadata_have("<kcr3>0x3000</kcr3>"));
    assert_int_equal(faccessat(f->dirfd, UUID ".xml", F_OK, 0), 0);
    assert_int_equal(faccessat(f->dirfd, OTHER ".xml", F_OK, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_datum_goes_to_metadata_and_file),
        TEST(test_what_stands_is_not_written_again),
        TEST(test_busy_domain_is_tried_again),
        TEST(test_libvirt_away_and_back),
        TEST(test_latest_value_wins),
        TEST(test_what_a_superseded_value_had_to_write_is_written),
        TEST(test_what_failed_is_written_with_the_next_value),
        TEST(test_held_domains_hold_up_no_other),
        TEST(test_withdrawal_removes_both),
        TEST(test_held_domain_loses_its_file_at_once),
        TEST(test_datum_that_is_held_is_withdrawn),
        TEST(test_withdrawal_finds_a_thread),
        TEST(test_withdrawal_is_tried_until_libvirt_has_time),
        TEST(test_removal_of_nothing_is_no_write),
        TEST(test_domain_that_is_gone_is_left_alone),
        TEST(test_next_run_of_the_domain_is_left_alone),
        TEST(test_refusal_for_good_is_not_tried_again),
        TEST(test_end_of_a_run_removes_the_files_only),
        TEST(test_nothing_is_written_before_the_release),
        TEST(test_what_somebody_else_wrote_is_replaced),
        TEST(test_what_somebody_else_added_goes),
        TEST(test_what_somebody_else_wrote_where_nothing_is_goes),
        TEST(test_what_we_wrote_is_nobody_elses),
        TEST(test_check_that_is_superseded_is_answered),
        TEST(test_check_that_is_refused_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
