/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The retry path of one domain, driven by fail_boots and by nothing else: the
 * test waits for descriptors, never for time to pass. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gate.h"
#include "fakeprober.h"
#include "guestimg.h"
#include "logimg.h"
#include "logpipe.h"
#include "testclock.h"
#include "common/executor.h"
#include "record/record.h"
#include "sandbox/spawner.h"
#include "tries/adapter.h"

#define HOUR_US (UINT64_C(3600) * 1000000)

/* After so long clocks stand, in a world that is impatient. */
#define SOON_US 20000u

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

/* What a record did to the world. */
struct world {
    struct spawner *spawner;
    struct heartbeat_config heartbeat;
    struct adapter_means means;
    struct record *record;
    struct record_ops ops;
    struct logpipe logpipe;
    struct log log;
    unsigned published;
    unsigned same; /* of these, as the one before to the byte */
    char *text;    /* of the last one */
    unsigned withdrawn;
    unsigned remembered;
    unsigned generation;
    enum memctx_datum_live live;
    uint64_t kcr3;
    unsigned ended;
    enum bootlog_end end; /* the last one */
    unsigned goes_on;
};

static const struct memctx_backoff_limits quick = {
    .first_us = 1000, .cap_us = 5000, .growth_percent = 10, .cost_factor = 1};

static void
on_publish(void *arg, const struct record *record,
           const struct memctx_datum *datum)
{
    struct world *w = arg;
    char *text = NULL;
    (void)record;
    assert_int_equal(memctx_datum_to_xml(datum, MEMCTX_PUBLIC, &text, NULL), 0);
    w->published++;
    w->same += w->text != NULL && strcmp(w->text, text) == 0;
    free(w->text);
    w->text = text;
    w->generation = datum->generation;
    w->live = datum->live;
    w->kcr3 = datum->kernel.kcr3;
}

static void
on_withdraw(void *arg, const struct record *record)
{
    struct world *w = arg;
    (void)record;
    w->withdrawn++;
}

static void
on_remember(void *arg, const struct record *record)
{
    struct world *w = arg;
    (void)record;
    w->remembered++;
}

static void
on_changed(void *arg, const struct record *record)
{
    (void)arg;
    (void)record;
}

static void
on_ended(void *arg, const struct record *record, enum bootlog_end end)
{
    struct world *w = arg;
    assert_true(record->has_datum);
    assert_non_null(record->map);
    w->ended++;
    w->end = end;
}

static void
on_goes_on(void *arg, const struct record *record)
{
    struct world *w = arg;
    (void)record;
    w->goes_on++;
}

static struct adapter *
make_adapter(struct world *w, const struct adapter_config *config)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct adapter_config quicker = *config;
    struct adapter *adapter;
    if (config->limits.first_us == 0)
        quicker.limits = quick;
    assert_done(adapter_create(&quicker, &w->means, &adapter, &err), &err);
    return adapter;
}

/* The prober that was built, and limits that a test never reaches. */
static void
means_init(struct world *w, const char *program)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(spawner_create(&w->spawner, &err), &err);
    const struct tries_config tries = {
        .spawner = w->spawner,
        .program = program,
        .places = 1,
        .live_max = 1,
        .limits = {[TRIES_SHORT] = {HOUR_US, HOUR_US},
                   [TRIES_LONG] = {HOUR_US, HOUR_US},
                   [TRIES_LIGHT] = {HOUR_US, HOUR_US}}};
    assert_done(executor_create(1, 0, &w->means.workers, &err), &err);
    assert_done(tries_create(&tries, &w->means.tries, &err), &err);
    assert_done(heartbeat_create(&w->heartbeat, &w->means.heartbeat, &err),
                &err);
}

static void
means_deinit(struct world *w)
{
    executor_destroy(w->means.workers, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT);
    tries_destroy(w->means.tries);
    heartbeat_destroy(w->means.heartbeat);
    spawner_destroy(w->spawner, EXECUTOR_NO_LIMIT);
}

/* A world with one record whose adapter has this configuration; what is logged
 * goes into a pipe. */
static void
world_init_by(struct world *w, const struct adapter_config *config,
              const char *program, const struct verdict_law *law)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    memset(w, 0, sizeof(*w));
    w->heartbeat = (struct heartbeat_config){.period_us = 1000, .law = *law};
    w->ops = (struct record_ops){on_publish, on_withdraw, on_remember,
                                 on_changed, on_ended,    on_goes_on,
                                 w};
    w->log = (struct log){.level = LOG_LEVEL_INFO};
    logpipe_init(&w->logpipe);
    means_init(w, program);
    assert_done(record_create(UUID, "retry", 1, make_adapter(w, config),
                              &w->ops, &w->log, &w->record, &err),
                &err);
}

static void
world_init_with(struct world *w, const struct adapter_config *config,
                const char *program, uint64_t blind_us)
{
    world_init_by(w, config, program,
                  &(struct verdict_law){.look_us = 1000, .blind_us = blind_us});
}

static void
world_init(struct world *w, const struct adapter_config *config)
{
    /* By ./run. */
    world_init_with(w, config, getenv("MEMCTX_PROBER"), HOUR_US);
}

static void
world_deinit(struct world *w)
{
    testclock_start();
    record_destroy(w->record);
    means_deinit(w);
    logpipe_deinit(&w->logpipe);
    free(w->text);
}

/* Wait until one of the adapter's descriptors fires and dispatch it. A minute
 * is for a machine that stands still, not for the test. */
static enum adapter_cookie
turn(struct world *w)
{
    struct pollfd fds[ADAPTER_COOKIES];
    for (unsigned i = 0; i < ADAPTER_COOKIES; i++)
        fds[i] = (struct pollfd){
            .fd = adapter_fd(w->record->adapter, (enum adapter_cookie)i),
            .events = POLLIN};
    assert_true(poll(fds, ADAPTER_COOKIES, 60000) > 0);
    enum adapter_cookie cookie =
        fds[ADAPTER_DONE].revents != 0 ? ADAPTER_DONE : ADAPTER_TIMER;
    assert_false(record_dispatch(w->record, cookie));
    return cookie;
}

static void
turn_until_ready(struct world *w)
{
    for (unsigned i = 0;
         i < 1000 && record_state(w->record) != MEMCTX_STATE_READY; i++)
        turn(w);
    assert_int_equal(record_state(w->record), MEMCTX_STATE_READY);
}

static void
turn_until_phase(struct world *w, enum memctx_phase phase)
{
    for (unsigned i = 0; i < 10000 && w->record->phase != phase; i++)
        turn(w);
    assert_int_equal(w->record->phase, phase);
}

/* The RAM of a domain as the attach code opens it: anew whenever it is asked.
 */
static int
open_image(void *arg, struct ram *ret, struct memctx_error *err)
{
    const struct guestimg *img = arg;
    int failed = ram_from_fd(guestimg_open(img), "ram", img->low, ret, err);
    ret->fresh = true;
    return failed;
}

static void
test_descriptors_alternate_until_a_boot_succeeds(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true, .fail_boots = 3});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    for (unsigned failed = 1; failed <= 3; failed++) {
        assert_false(adapter_is_armed(w.record->adapter));
        assert_int_equal(turn(&w), ADAPTER_DONE);
        assert_int_equal(record_state(w.record), MEMCTX_STATE_WAITING);
        assert_true(adapter_is_armed(w.record->adapter));
        assert_int_equal(turn(&w), ADAPTER_TIMER);
    }
    assert_int_equal(turn(&w), ADAPTER_DONE);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_READY);
    assert_false(adapter_is_armed(w.record->adapter));
    assert_int_equal(w.published, 1);
    assert_int_equal(w.generation, 1);
    world_deinit(&w);
}

static void
test_many_failures_are_one_line(void **state)
{
    (void)state;
    struct world w;
    world_init(&w,
               &(struct adapter_config){.ram.stub = true, .fail_boots = 20});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    for (unsigned i = 0; i < 30; i++)
        turn(&w);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_WAITING);
    assert_int_equal(logpipe_count(&w.logpipe, UUID), 1);
    turn_until_ready(&w);
    assert_int_equal(logpipe_count(&w.logpipe, "waiting->ready"), 1);
    world_deinit(&w);
}

static void
test_no_configuration_means_stub(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = false});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    assert_true(w.kcr3 != 0);
    world_deinit(&w);
}

static void
test_success_resets_the_backoff(void **state)
{
    (void)state;
    struct world w;
    const struct memctx_backoff_limits limits = {.first_us = 20000,
                                                 .cap_us = 1000000,
                                                 .growth_percent = 100,
                                                 .cost_factor = 1};
    world_init(&w, &(struct adapter_config){
                       .ram.stub = true, .fail_boots = 3, .limits = limits});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    assert_true(adapter_is_armed(w.record->adapter));
    /* Armed again by hand, the delay is the first one: tries are counted from
     * the beginning. */
    assert_int_equal(adapter_arm(w.record->adapter, ADAPTER_BACKOFF), 20000);
    world_deinit(&w);
}

/* A guest that resets itself all the time would pay nothing else. */
static void
test_cost_outlives_a_reset(void **state)
{
    (void)state;
    struct world w;
    const struct memctx_backoff_limits limits = {.first_us = 1000,
                                                 .cap_us = 1000,
                                                 .growth_percent = 0,
                                                 .cost_factor = 1000000};
    world_init(&w,
               &(struct adapter_config){.ram.stub = true, .limits = limits});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    for (unsigned i = 0; i < 3; i++) {
        record_handle(w.record, MEMCTX_EVENT_RESET, false);
        assert_true(adapter_arm(w.record->adapter, ADAPTER_BACKOFF) > 1000000);
    }
    world_deinit(&w);
}

/* ... nor may an order that does not wait be given early: a guest may have its
 * memory plugged and unplugged as often as it likes. */
static void
test_order_is_held_until_the_last_try_is_paid_for(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    const struct memctx_backoff_limits limits = {.first_us = 1000,
                                                 .cap_us = 1000,
                                                 .growth_percent = 0,
                                                 .cost_factor = 1000000};
    guestimg_init(&img, 16 * MEMCTX_MIB, 16 * MEMCTX_MIB);
    world_init(&w, &(struct adapter_config){.ram.open = open_image,
                                            .ram.open_arg = &img,
                                            .limits = limits});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_phase(&w, MEMCTX_PHASE_BACKOFF);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    assert_int_equal(w.record->phase, MEMCTX_PHASE_PROBING);
    assert_int_equal(adapter_phase(w.record->adapter), LIFE_HELD);
    assert_true(adapter_is_armed(w.record->adapter));
    world_deinit(&w);
    guestimg_deinit(&img);
}

static void
test_reset_withdraws_and_counts_a_generation(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    record_handle(w.record, MEMCTX_EVENT_RESET, false); /* libvirt sends two */
    assert_int_equal(w.withdrawn, 1);
    assert_int_equal(w.ended, 1);
    assert_int_equal(w.end, BOOTLOG_RESET);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_WAITING);
    turn_until_ready(&w);
    assert_int_equal(w.published, 2);
    assert_int_equal(w.generation, 2);
    assert_int_equal(w.same, 0);
    /* The next kernel goes on; nothing is told of the one before. */
    record_handle(w.record, MEMCTX_EVENT_LAYOUT, false);
    turn_until_ready(&w);
    assert_int_equal(w.goes_on, 0);
    world_deinit(&w);
}

static void
test_paused_guest_is_not_retried(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true, .fail_boots = 2});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    assert_int_equal(turn(&w), ADAPTER_DONE);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    assert_false(adapter_is_armed(w.record->adapter));
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    turn_until_ready(&w);
    world_deinit(&w);
}

static void
test_pause_while_a_try_runs_ends_after_it(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true, .fail_boots = 1});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    assert_int_equal(turn(&w), ADAPTER_DONE);
    assert_int_equal(w.record->phase, MEMCTX_PHASE_PAUSED);
    assert_false(adapter_is_armed(w.record->adapter));
    world_deinit(&w);
}

/* What readers see changes with the event, not with what comes of it. */
static void
test_page_shows_doubt_and_another_kernel(void **state)
{
    (void)state;
    static const enum memctx_event doubts[] = {MEMCTX_EVENT_LAYOUT,
                                               MEMCTX_EVENT_AWAY};
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true});
    assert_int_equal(epoch_get(w.record->epoch), STATEPAGE_UNKNOWN);
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    uint64_t epoch = epoch_get(w.record->epoch);
    assert_true(epoch != STATEPAGE_UNKNOWN && epoch != STATEPAGE_OVER);
    assert_non_null(w.record->map);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    assert_true(epoch_get(w.record->epoch) == epoch);
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    assert_int_equal(epoch_get(w.record->epoch), STATEPAGE_UNKNOWN);
    turn_until_ready(&w);
    assert_true(epoch_get(w.record->epoch) == epoch);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(doubts); i++) {
        record_handle(w.record, doubts[i], false);
        assert_int_equal(epoch_get(w.record->epoch), STATEPAGE_UNKNOWN);
        assert_null(w.record->map);
        if (doubts[i] == MEMCTX_EVENT_AWAY)
            record_handle(w.record, MEMCTX_EVENT_START, false);
        turn_until_ready(&w);
        assert_non_null(w.record->map);
    }
    /* A reset is no doubt: that kernel is over. The next is another run of
     * it, however much alike. */
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    uint64_t none = epoch_get(w.record->epoch);
    assert_true(none != STATEPAGE_UNKNOWN && none > epoch);
    assert_null(w.record->map);
    turn_until_ready(&w);
    assert_true(epoch_get(w.record->epoch) > none);
    struct epoch *shown = epoch_share(w.record->epoch);
    world_deinit(&w);
    assert_true(epoch_get(shown) == STATEPAGE_OVER);
    epoch_drop(shown);
}

static void
test_reset_while_a_try_runs_drops_its_result(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    turn_until_ready(&w);
    /* The first try's kernel was the old one: it was never published. */
    assert_int_equal(w.published, 1);
    assert_int_equal(w.generation, 1);
    world_deinit(&w);
}

static void
test_libvirt_away_and_back_writes_nothing_again(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    record_handle(w.record, MEMCTX_EVENT_AWAY, false);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_UNKNOWN);
    record_handle(w.record, MEMCTX_EVENT_START, false);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_STALE);
    turn_until_ready(&w);
    assert_int_equal(w.published, 2);
    assert_int_equal(w.same, 1);
    assert_int_equal(w.generation, 1);
    assert_int_equal(w.withdrawn, 0);
    world_deinit(&w);
}

/* Once that libvirt is away is enough, for a thousand domains. */
static void
test_doubt_of_which_nothing_comes_is_no_line(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    logpipe_count(&w.logpipe, UUID);
    for (unsigned i = 0; i < 3; i++) {
        record_handle(w.record, MEMCTX_EVENT_AWAY, false);
        record_handle(w.record, MEMCTX_EVENT_START, false);
        turn_until_ready(&w);
        record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
        record_handle(w.record, MEMCTX_EVENT_RESUME, false);
        turn_until_ready(&w);
        record_handle(w.record, MEMCTX_EVENT_LAYOUT, false);
        turn_until_ready(&w);
    }
    assert_int_equal(logpipe_count(&w.logpipe, UUID), 0);
    /* But what comes of it is told. */
    record_handle(w.record, MEMCTX_EVENT_AWAY, false);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    assert_int_equal(logpipe_count(&w.logpipe, "->waiting on reset"), 1);
    turn_until_ready(&w);
    assert_int_equal(logpipe_count(&w.logpipe, "waiting->ready"), 1);
    world_deinit(&w);
}

/* libvirt tells of one reset up to three times, and tries that fail lie
 * between: the first line has said that there is no kernel, and why. */
static void
test_reset_is_one_line(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true, .fail_boots = 3});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    logpipe_count(&w.logpipe, UUID);
    for (unsigned i = 0; i < 3; i++) {
        record_handle(w.record, MEMCTX_EVENT_RESET, false);
        turn_until_phase(&w, MEMCTX_PHASE_PROBING);
        if (i < 2)
            turn_until_phase(&w, MEMCTX_PHASE_BACKOFF);
    }
    turn_until_ready(&w);
    assert_int_equal(logpipe_count(&w.logpipe, UUID), 2);
    world_deinit(&w);
}

static struct handed *
hand_in(int fd, uint64_t low)
{
    struct handed *handed = handed_create(low);
    assert_non_null(handed);
    assert_int_equal(handed_add_fd(handed, fd, NULL), 0);
    return handed;
}

static void
test_handed_in_descriptor_is_used_and_closed(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    guestimg_init(&img, 128 * MEMCTX_MIB, 128 * MEMCTX_MIB);
    struct guestimg_kernel kernel = guestimg_kernel();
    guestimg_add_kernel(&img, &kernel);
    uint64_t clock_gpa = kernel.root_gpa - 0x8640;
    guestimg_write_le64(&img, clock_gpa, UINT64_C(0xfffedb08));
    int fd = guestimg_open(&img);
    world_init(&w, &(struct adapter_config){.ram.handed =
                                                hand_in(fd, 128 * MEMCTX_MIB)});
    /* However it was started, nobody knows what this RAM held before. */
    record_handle(w.record, MEMCTX_EVENT_START, true);
    for (unsigned i = 0; i < 5; i++)
        turn(&w);
    assert_int_equal(w.published, 0);
    guestimg_write_le64(&img, clock_gpa, UINT64_C(0xfffedb0c));
    turn_until_ready(&w);
    assert_int_equal(w.kcr3, kernel.root_gpa);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    world_deinit(&w);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    guestimg_deinit(&img);
}

static void
test_writable_descriptor_is_refused_and_closed(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    guestimg_init(&img, MEMCTX_MIB, MEMCTX_MIB);
    int fd = dup(img.fd);
    world_init(&w, &(struct adapter_config){.ram.handed = hand_in(fd, 0)});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    assert_int_equal(turn(&w), ADAPTER_DONE);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_UNSUPPORTED);
    assert_non_null(strstr(record_reason(w.record), "read-only"));
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    world_deinit(&w);
    guestimg_deinit(&img);
}

static void
test_descriptor_never_used_is_closed(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    guestimg_init(&img, MEMCTX_MIB, MEMCTX_MIB);
    int fd = guestimg_open(&img);
    world_init(&w, &(struct adapter_config){.ram.handed = hand_in(fd, 0)});
    world_deinit(&w);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    guestimg_deinit(&img);
}

/* No descriptor is left for the adapter's own two. */
static void
test_handed_in_is_closed_when_there_is_no_adapter(void **state)
{
    (void)state;
    struct guestimg img;
    struct rlimit saved;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct adapter *adapter = NULL;
    guestimg_init(&img, MEMCTX_MIB, MEMCTX_MIB);
    int fd = guestimg_open(&img);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = saved.rlim_max};
    const struct adapter_config config = {.ram.handed = hand_in(fd, 0)};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int failed = adapter_create(
        &config, &(struct adapter_means){.workers = NULL}, &adapter, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
    assert_int_equal(failed, -1);
    assert_error(&err, MEMCTX_EXHAUSTED, "descriptors");
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    guestimg_deinit(&img);
}

struct slow {
    struct gate gate;
    bool freed;
};

static void
free_slowly(void *arg)
{
    struct slow *slow = arg;
    gate_pass(&slow->gate);
    slow->freed = true;
}

/* Freeing a guest's RAM takes 0.1 s for each GiB. */
static void
test_end_of_an_adapter_holds_nobody_up(void **state)
{
    (void)state;
    struct world w;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct disposer *disposer;
    struct slow slow = {.gate = GATE_CLOSED};
    world_init(&w, &(struct adapter_config){.ram.stub = true});
    assert_done(disposer_create(&disposer, &err), &err);
    w.means.disposer = disposer;
    struct adapter *adapter = make_adapter(
        &w, &(struct adapter_config){.ram.open_arg = &slow,
                                     .ram.open_free = free_slowly});
    adapter_destroy(adapter);
    assert_false(slow.freed);
    gate_open(&slow.gate);
    disposer_destroy(disposer);
    assert_true(slow.freed);
    world_deinit(&w);
}

/* What was handed in is used up by the first try. Nothing else may take its
 * place then, least of all synthetic RAM. */
static void
test_handed_in_is_never_replaced_by_a_stub(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.handed = handed_create(0)});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    assert_int_equal(turn(&w), ADAPTER_DONE);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_UNSUPPORTED);
    assert_int_equal(w.published, 0);
    world_deinit(&w);
}

static void
test_path_that_is_not_there_is_unsupported(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.ram_path = "/nowhere/ram"});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    assert_int_equal(turn(&w), ADAPTER_DONE);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_UNSUPPORTED);
    /* The path is nobody's business. */
    assert_null(strstr(record_reason(w.record), "nowhere"));
    world_deinit(&w);
}

/* RAM that may hold an earlier kernel: complete tables are not enough. */
static void
test_kernel_that_does_not_tick_is_not_published(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    guestimg_init(&img, 128 * MEMCTX_MIB, 128 * MEMCTX_MIB);
    struct guestimg_kernel kernel = guestimg_kernel();
    guestimg_add_kernel(&img, &kernel);
    world_init(&w, &(struct adapter_config){
                       .ram.handed = hand_in(guestimg_open(&img), img.low)});
    uint64_t clock_gpa = kernel.root_gpa - 0x8640;
    guestimg_write_le64(&img, clock_gpa, UINT64_C(0xfffedb08));
    record_handle(w.record, MEMCTX_EVENT_START, false);
    for (unsigned i = 0; i < 20; i++)
        turn(&w);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_WAITING);
    assert_int_equal(w.published, 0);
    guestimg_write_le64(&img, clock_gpa, UINT64_C(0xfffedb0b));
    turn_until_ready(&w);
    assert_int_equal(w.kcr3, kernel.root_gpa);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* A datum that an earlier agent left, on RAM that cannot be opened. */
static int
open_nothing(void *arg, struct ram *ret, struct memctx_error *err)
{
    (void)arg;
    *ret = (struct ram){.has_inherited = true};
    ret->inherited.generation = 3;
    ret->inherited.extents = calloc(1, sizeof(ret->inherited.extents[0]));
    ret->inherited.n_extents = 1;
    return memctx_error_set(err, MEMCTX_PERMANENT, "RAM is private");
}

static void
test_datum_that_nobody_can_check_is_withdrawn(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.open = open_nothing});
    record_handle(w.record, MEMCTX_EVENT_START, false);
    assert_int_equal(turn(&w), ADAPTER_DONE);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_UNSUPPORTED);
    assert_int_equal(w.withdrawn, 1);
    /* Nothing was opened, and nothing begins to work while libvirt is away. */
    record_handle(w.record, MEMCTX_EVENT_AWAY, false);
    record_handle(w.record, MEMCTX_EVENT_START, false);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_UNSUPPORTED);
    world_deinit(&w);
}

/* While libvirt was away the guest may have been reset: the kernel that was
 * right then is complete in RAM for seconds, but dead. */
static void
test_cold_start_is_no_proof_after_libvirt_was_away(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    guestimg_init(&img, 128 * MEMCTX_MIB, 128 * MEMCTX_MIB);
    struct guestimg_kernel kernel = guestimg_kernel();
    guestimg_add_kernel(&img, &kernel);
    uint64_t clock_gpa = kernel.root_gpa - 0x8640;
    guestimg_write_le64(&img, clock_gpa, UINT64_C(0xfffedb08));
    world_init(&w, &(struct adapter_config){.ram.open = open_image,
                                            .ram.open_arg = &img});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    record_handle(w.record, MEMCTX_EVENT_AWAY, false);
    record_handle(w.record, MEMCTX_EVENT_START, false);
    for (unsigned i = 0; i < 20; i++)
        turn(&w);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_STALE);
    guestimg_write_le64(&img, clock_gpa, UINT64_C(0xfffedb0c));
    turn_until_ready(&w);
    assert_int_equal(w.generation, 1);
    assert_int_equal(w.published, 2);
    /* Also that it was seen running now, and not when it was found. */
    assert_int_equal(w.same, 1);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* Its words move by themselves: there is no other look at it. */
static void
test_ready_stub_is_listened_to(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true, .look_us = 1000});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    assert_false(adapter_is_armed(w.record->adapter));
    assert_int_equal(turn(&w), ADAPTER_DONE);
    assert_int_equal(w.record->phase, MEMCTX_PHASE_READY);
    assert_int_equal(w.published, 1);
    assert_int_equal(w.withdrawn, 0);
    assert_int_equal(logpipe_count(&w.logpipe, UUID), 1);
    world_deinit(&w);
}

#define CLOCK_BEHIND_ROOT 0x10cc0

static void
tick(struct guestimg *img, const struct guestimg_kernel *kernel)
{
    uint64_t gpa = kernel->root_gpa + CLOCK_BEHIND_ROOT;
    guestimg_write_le64(img, gpa, guestimg_read_le64(img, gpa) + 1);
}

/* Wait for up to a millisecond, and take what has happened. */
static void
turn_if_any(struct world *w)
{
    struct pollfd fds[ADAPTER_COOKIES];
    for (unsigned k = 0; k < ADAPTER_COOKIES; k++)
        fds[k] = (struct pollfd){
            .fd = adapter_fd(w->record->adapter, (enum adapter_cookie)k),
            .events = POLLIN};
    if (poll(fds, ADAPTER_COOKIES, 1) > 0)
        turn(w);
}

/* Until a clock word is known and listened to; it ticks meanwhile. */
static void
turn_until_listening(struct world *w, struct guestimg *img,
                     const struct guestimg_kernel *kernel)
{
    struct adapter *adapter = w->record->adapter;
    for (unsigned i = 0; i < 60000 && !adapter_is_listening(adapter); i++) {
        tick(img, kernel);
        turn_if_any(w);
    }
    assert_true(adapter_is_listening(adapter));
}

/* RAM with one kernel and its clock word; with a log unless that is NULL. */
static struct guestimg_kernel
image_with_log(struct guestimg *img, struct logimg *log)
{
    struct guestimg_kernel kernel = guestimg_kernel();
    uint64_t room = UINT64_C(0x910000); /* in the image: nothing is there */
    guestimg_init(img, 128 * MEMCTX_MIB, 128 * MEMCTX_MIB);
    if (log != NULL) {
        *log = logimg(img, kernel.text_gpa + room,
                      UINT64_C(0xffffffff81000000) + kernel.slide + room, 8, 11,
                      17);
        kernel.more = strchr(log->note, '\n') + 1;
    }
    guestimg_add_kernel(img, &kernel);
    guestimg_write_le64(img, kernel.root_gpa + CLOCK_BEHIND_ROOT,
                        UINT64_C(0xfffedb08));
    return kernel;
}

static struct guestimg_kernel
image_with_kernel(struct guestimg *img)
{
    return image_with_log(img, NULL);
}

/* ... found after a cold start, and listened to. */
static void
listen_to_image_by(struct world *w, struct guestimg *img,
                   const struct guestimg_kernel *kernel,
                   const struct verdict_law *law)
{
    world_init_by(
        w,
        &(struct adapter_config){.ram.open = open_image, .ram.open_arg = img},
        getenv("MEMCTX_PROBER"), law);
    record_handle(w->record, MEMCTX_EVENT_START, true);
    turn_until_ready(w);
    turn_until_listening(w, img, kernel);
}

static void
listen_to_image(struct world *w, struct guestimg *img,
                const struct guestimg_kernel *kernel, uint64_t blind_us)
{
    listen_to_image_by(
        w, img, kernel,
        &(struct verdict_law){.look_us = 1000, .blind_us = blind_us});
}

static struct guestimg_kernel
listening_on_image(struct world *w, struct guestimg *img, uint64_t blind_us)
{
    struct guestimg_kernel kernel = image_with_kernel(img);
    listen_to_image(w, img, &kernel, blind_us);
    return kernel;
}

static struct guestimg_kernel
ready_on_image(struct world *w, struct guestimg *img)
{
    struct guestimg_kernel kernel = listening_on_image(w, img, HOUR_US);
    assert_int_equal(w->record->phase, MEMCTX_PHASE_READY);
    return kernel;
}

/* Nobody knows what the CPUs of this RAM do, and soon nobody waits. */
static struct guestimg_kernel
silent_on_image(struct world *w, struct guestimg *img)
{
    struct guestimg_kernel kernel = listening_on_image(w, img, SOON_US);
    turn_until_phase(w, MEMCTX_PHASE_DOUBT);
    assert_int_equal(record_state(w->record), MEMCTX_STATE_STALE);
    assert_int_equal(epoch_get(w->record->epoch), STATEPAGE_UNKNOWN);
    turn_until_phase(w, MEMCTX_PHASE_SILENT);
    return kernel;
}

static void
test_kernel_that_ticks_stays(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = ready_on_image(&w, &img);
    for (unsigned i = 0; i < 200; i++) {
        tick(&img, &kernel);
        turn_if_any(&w);
        assert_int_equal(w.record->phase, MEMCTX_PHASE_READY);
    }
    assert_false(adapter_is_armed(w.record->adapter));
    assert_int_equal(w.withdrawn, 0);
    assert_int_equal(w.published, 1);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* Another kernel counts in the same place, be it the same build. */
static void
test_clock_that_began_anew_is_the_next_generations(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = ready_on_image(&w, &img);
    guestimg_write_le64(&img, kernel.root_gpa + CLOCK_BEHIND_ROOT,
                        UINT64_C(0xfffedb00));
    turn_until_phase(&w, MEMCTX_PHASE_PROBING);
    assert_int_equal(w.withdrawn, 1);
    assert_string_equal(w.record->run.kernel, "");
    assert_int_equal(w.end, BOOTLOG_REPLACED);
    for (unsigned i = 0; i < 60000 && w.published < 2; i++) {
        tick(&img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(w.generation, 2);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* Nobody knows what the CPUs of this RAM do; a lull is soon. */
static const struct verdict_law lulling = {.look_us = 1000,
                                           .blind_us = HOUR_US,
                                           .lull_us = SOON_US,
                                           .lull_cap_us = HOUR_US};

/* One that slept on its disk has taken the place of the one that read it from
 * there. */
static struct guestimg_kernel
wake_another(struct guestimg *img)
{
    struct guestimg_kernel other = guestimg_kernel();
    other.text_gpa = 60 * MEMCTX_MIB;
    other.bare_gpa = 0;
    other.note_gpa = other.text_gpa + 16 * MEMCTX_MIB;
    other.trampoline_gpa = 0;
    guestimg_add_kernel(img, &other);
    guestimg_write_le64(img, other.root_gpa + CLOCK_BEHIND_ROOT,
                        UINT64_C(0xfffedb08));
    return other;
}

/* It is idle, so that nothing else tells. */
static void
test_idle_kernel_that_replaced_another_is_found(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = image_with_kernel(&img);
    listen_to_image_by(&w, &img, &kernel, &lulling);
    struct guestimg_kernel other = wake_another(&img);
    for (unsigned i = 0; i < 60000 && w.generation < 2; i++) {
        tick(&img, &other);
        turn_if_any(&w);
        assert_int_equal(record_state(w.record), MEMCTX_STATE_READY);
    }
    assert_int_equal(w.generation, 2);
    assert_true(w.record->datum.kernel.kcr3 == other.root_gpa);
    assert_int_equal(logpipe_count(&w.logpipe, "ready->ready on found"), 1);
    world_deinit(&w);
    guestimg_deinit(&img);
}

static void
test_idle_kernel_that_overwrote_another_is_found(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = image_with_kernel(&img);
    listen_to_image_by(&w, &img, &kernel, &lulling);
    /* Its tables lead nowhere any more; its clock is as it was. */
    for (uint64_t gpa = 0; gpa < MEMCTX_PAGE_SIZE; gpa += 8)
        guestimg_write_le64(&img, kernel.root_gpa + gpa, 0);
    struct guestimg_kernel other = wake_another(&img);
    turn_until_phase(&w, MEMCTX_PHASE_BACKOFF);
    assert_int_equal(w.withdrawn, 1);
    for (unsigned i = 0; i < 60000 && w.published < 2; i++) {
        tick(&img, &other);
        turn_if_any(&w);
    }
    assert_int_equal(w.generation, 2);
    assert_true(w.record->datum.kernel.kcr3 == other.root_gpa);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* Nobody sees anything of it, and no prober stays with it. */
static void
test_idle_kernel_stays_ready(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = image_with_kernel(&img);
    listen_to_image_by(&w, &img, &kernel, &lulling);
    turn_until_phase(&w, MEMCTX_PHASE_LULL);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_READY);
    turn_until_phase(&w, MEMCTX_PHASE_READY);
    assert_int_equal(adapter_phase(w.record->adapter), LIFE_IDLE);
    assert_false(adapter_is_armed(w.record->adapter));
    tick(&img, &kernel);
    for (unsigned i = 0; i < 100; i++)
        turn_if_any(&w);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_READY);
    assert_int_equal(w.published, 1);
    assert_int_equal(w.withdrawn, 0);
    assert_int_equal(logpipe_count(&w.logpipe, UUID), 1);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* It is served, not dropped: this is when people need it most. */
static void
test_kernel_that_stands_is_silent_and_kept(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = silent_on_image(&w, &img);
    uint64_t epoch = w.record->kernel_epoch;
    assert_int_equal(w.published, 2);
    /* When it stood, and when it was known to. */
    assert_int_equal(w.ended, 2);
    assert_int_equal(w.end, BOOTLOG_SILENT);
    assert_int_equal(w.live, MEMCTX_LIVE_UNKNOWN);
    assert_int_equal(w.generation, 1);
    assert_int_equal(w.withdrawn, 0);
    assert_non_null(w.record->map);
    assert_int_equal(epoch_get(w.record->epoch), STATEPAGE_UNKNOWN);
    assert_true(epoch > 0);
    assert_non_null(strstr(record_reason(w.record), "its clock stood for 0."));
    for (unsigned i = 0; i < 60000 && w.published < 3; i++) {
        tick(&img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(record_state(w.record), MEMCTX_STATE_READY);
    assert_int_equal(w.live, MEMCTX_LIVE_RUNS);
    assert_int_equal(w.generation, 1);
    assert_int_equal(w.goes_on, 1);
    assert_true(epoch_get(w.record->epoch) == epoch);
    world_deinit(&w);
    guestimg_deinit(&img);
}

static void
test_tries_go_on_beside_a_silent_kernel(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    silent_on_image(&w, &img);
    for (unsigned i = 0; i < 6; i++) {
        turn(&w);
        assert_int_equal(w.record->phase, MEMCTX_PHASE_SILENT);
    }
    assert_int_equal(w.published, 2);
    /* Memory that is plugged in may lie anywhere. */
    record_handle(w.record, MEMCTX_EVENT_LAYOUT, false);
    assert_null(w.record->map);
    for (unsigned i = 0; i < 100 && w.record->map == NULL; i++)
        turn(&w);
    assert_non_null(w.record->map);
    assert_int_equal(w.record->phase, MEMCTX_PHASE_SILENT);
    assert_int_equal(w.published, 2);
    world_deinit(&w);
    guestimg_deinit(&img);
}

static void
test_reset_of_a_silent_guest(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = silent_on_image(&w, &img);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    assert_int_equal(w.withdrawn, 1);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_WAITING);
    for (unsigned i = 0; i < 60000 && w.published < 3; i++) {
        tick(&img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(w.generation, 2);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* The clocks of some kernels go on after a panic. */
static void
test_guest_that_died_is_dead_whatever_its_clock_does(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = ready_on_image(&w, &img);
    record_handle(w.record, MEMCTX_EVENT_DIED, false);
    assert_int_equal(record_state(w.record), MEMCTX_STATE_SILENT);
    assert_int_equal(w.live, MEMCTX_LIVE_NO);
    assert_string_equal(record_reason(w.record), "the guest panicked");
    assert_int_equal(w.end, BOOTLOG_PANIC);
    for (unsigned i = 0; i < 300; i++) {
        tick(&img, &kernel);
        turn_if_any(&w);
        assert_int_equal(record_state(w.record), MEMCTX_STATE_SILENT);
    }
    assert_int_equal(w.published, 2);
    /* libvirt pauses it. */
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    assert_int_equal(w.record->phase, MEMCTX_PHASE_SILENT_PAUSED);
    assert_int_equal(w.live, MEMCTX_LIVE_NO);
    /* Its log goes on until the reset that ends it. */
    assert_int_equal(w.ended, 1);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    assert_int_equal(w.ended, 2);
    assert_int_equal(w.end, BOOTLOG_PANIC);
    assert_int_equal(w.goes_on, 0);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* That its clock stands, too, is the lesser news. */
static void
test_guest_that_died_keeps_that_reason(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    listening_on_image(&w, &img, SOON_US);
    record_handle(w.record, MEMCTX_EVENT_DIED, false);
    for (unsigned i = 0; i < 300; i++) {
        turn_if_any(&w);
        assert_string_equal(record_reason(w.record), "the guest panicked");
    }
    assert_int_equal(record_state(w.record), MEMCTX_STATE_SILENT);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* Its clock goes on, and no symbol names what would tell; its log does. */
static void
test_guest_that_died_says_so_in_its_log(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct logimg log;
    struct guestimg_kernel kernel = image_with_log(&img, &log);
    listen_to_image(&w, &img, &kernel, HOUR_US);
    for (unsigned i = 0; i < 100; i++) {
        logimg_add(&log, 6, i, "a message");
        tick(&img, &kernel);
        turn_if_any(&w);
        assert_int_equal(record_state(w.record), MEMCTX_STATE_READY);
    }
    logimg_add(&log, 0, 100, "Kernel panic - not syncing: it did not work");
    for (unsigned i = 0;
         i < 60000 && record_state(w.record) == MEMCTX_STATE_READY; i++) {
        tick(&img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(record_state(w.record), MEMCTX_STATE_SILENT);
    assert_int_equal(w.live, MEMCTX_LIVE_NO);
    assert_string_equal(record_reason(w.record),
                        "the guest panicked, as its log says");
    for (unsigned i = 0;
         i < 60000 && adapter_phase(w.record->adapter) != LIFE_IDLE; i++)
        turn_if_any(&w);
    assert_int_equal(adapter_phase(w.record->adapter), LIFE_IDLE);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* The time of a pause is not the kernel's. */
static void
test_pause_is_no_sign_of_death(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = ready_on_image(&w, &img);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    testclock_stop();
    testclock_add_us(2 * HOUR_US);
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    turn_until_phase(&w, MEMCTX_PHASE_CHECK_WAIT);
    testclock_start();
    tick(&img, &kernel);
    turn_until_ready(&w);
    assert_int_equal(w.withdrawn, 0);
    assert_int_equal(w.published - w.same, 1);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* It proves nothing. */
static void
test_kernel_of_a_paused_guest_that_nobody_saw_run(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = image_with_kernel(&img);
    world_init(&w, &(struct adapter_config){.ram.open = open_image,
                                            .ram.open_arg = &img});
    record_handle(w.record, MEMCTX_EVENT_START_PAUSED, false);
    turn_until_phase(&w, MEMCTX_PHASE_SILENT_PAUSED);
    assert_int_equal(w.published, 0);
    assert_true(w.record->has_datum && w.record->unpublished);
    assert_int_equal(w.record->datum.live, MEMCTX_LIVE_UNKNOWN);
    assert_int_equal(w.record->datum.generation, 0);
    assert_non_null(w.record->map);
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    for (unsigned i = 0; i < 60000 && w.published < 1; i++) {
        tick(&img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(w.generation, 1);
    assert_int_equal(w.live, MEMCTX_LIVE_RUNS);
    assert_int_equal(w.withdrawn, 0);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* A try that was begun before the pause saw it complete, and no more. */
static void
test_pause_before_a_kernel_was_seen_running(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    image_with_kernel(&img);
    world_init(&w, &(struct adapter_config){.ram.open = open_image,
                                            .ram.open_arg = &img});
    record_handle(w.record, MEMCTX_EVENT_START, false);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    turn_until_phase(&w, MEMCTX_PHASE_SILENT_PAUSED);
    assert_true(w.record->unpublished);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* What was watched up to the pause stays as it was; what may have been reset
 * meanwhile does not. */
static void
test_pause_of_a_kernel_that_was_watched(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    ready_on_image(&w, &img);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    turn_until_phase(&w, MEMCTX_PHASE_READY_PAUSED);
    assert_int_equal(w.published - w.same, 1);
    record_handle(w.record, MEMCTX_EVENT_AWAY, false);
    record_handle(w.record, MEMCTX_EVENT_START_PAUSED, false);
    turn_until_phase(&w, MEMCTX_PHASE_SILENT_PAUSED);
    assert_int_equal(w.published - w.same, 2);
    assert_int_equal(w.live, MEMCTX_LIVE_UNKNOWN);
    assert_int_equal(w.generation, 1);
    assert_false(w.record->unpublished);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* What a reset has ended stays dead, also where nothing stood at the time. */
static void
test_reset_is_remembered_without_a_datum(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    ready_on_image(&w, &img);
    record_handle(w.record, MEMCTX_EVENT_SUSPEND, false);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    assert_int_equal(w.withdrawn, 1);
    assert_int_equal(w.remembered, 0);
    record_handle(w.record, MEMCTX_EVENT_AWAY, false);
    record_handle(w.record, MEMCTX_EVENT_START_PAUSED, false);
    turn_until_phase(&w, MEMCTX_PHASE_SILENT_PAUSED);
    assert_true(w.record->unpublished);
    assert_int_equal(w.published, 1);
    snprintf(w.record->run.kernel, sizeof(w.record->run.kernel), "a kernel");
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    assert_int_equal(w.remembered, 1);
    assert_string_equal(w.record->run.kernel, "");
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* Found paused, and resumed while it is looked at: nothing was seen running. */
static void
test_resume_while_a_paused_guest_is_looked_at(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    struct guestimg_kernel kernel = image_with_kernel(&img);
    world_init(&w, &(struct adapter_config){.ram.open = open_image,
                                            .ram.open_arg = &img});
    record_handle(w.record, MEMCTX_EVENT_START_PAUSED, false);
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    for (unsigned i = 0; i < 20; i++)
        turn(&w);
    assert_int_equal(w.published, 0);
    tick(&img, &kernel);
    turn_until_ready(&w);
    world_deinit(&w);
    guestimg_deinit(&img);
}

/* No event tells of a kexec. */
static void
test_kernel_after_a_kexec_is_the_next_generation(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    silent_on_image(&w, &img);
    struct guestimg_kernel next = guestimg_kernel();
    next.text_gpa = 32 * MEMCTX_MIB;
    next.bare_gpa = 0;
    next.note_gpa = 64 * MEMCTX_MIB;
    guestimg_add_kernel(&img, &next);
    uint64_t gpa = next.root_gpa + CLOCK_BEHIND_ROOT;
    guestimg_write_le64(&img, gpa, UINT64_C(0xfffedb08));
    for (unsigned i = 0; i < 10000 && w.generation != 2; i++) {
        turn(&w);
        tick(&img, &next);
    }
    assert_int_equal(w.generation, 2);
    assert_int_equal(w.kcr3, next.root_gpa);
    assert_int_equal(w.end, BOOTLOG_REPLACED);
    assert_int_equal(w.goes_on, 0);
    world_deinit(&w);
    guestimg_deinit(&img);
}

static void
test_each_boot_of_the_stub_fails_anew(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true, .fail_boots = 2});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_ready(&w);
    for (unsigned boot = 2; boot < 5; boot++) {
        record_handle(w.record, MEMCTX_EVENT_RESET, false);
        for (unsigned failed = 0; failed < 2; failed++) {
            turn_until_phase(&w, MEMCTX_PHASE_PROBING);
            turn_until_phase(&w, MEMCTX_PHASE_BACKOFF);
        }
        turn_until_ready(&w);
        assert_int_equal(w.generation, boot);
        assert_int_equal(w.record->boot, boot);
    }
    world_deinit(&w);
}

/* RAM of a QEMU whose instance and count are as the test says. */
struct counted {
    struct guestimg img;
    uint64_t instance;
    unsigned generation;
    const char *kernel;
    bool fresh;
    bool lives; /* its words are no synthetic ones */
    bool died;
    struct memctx_words words; /* that an earlier agent knew */
    unsigned claimed;          /* generation of the datum in the metadata, */
    struct memctx_kernel was;  /* and its kernel */
};

static int
open_counted(void *arg, struct ram *ret, struct memctx_error *err)
{
    const struct counted *c = arg;
    int failed = ram_from_fd(guestimg_open(&c->img), "ram", 0, ret, err);
    ret->run.instance = c->instance;
    ret->run.generation = c->generation;
    snprintf(ret->run.kernel, sizeof(ret->run.kernel), "%s", c->kernel);
    ret->run.died = c->died;
    ret->run.words = c->words;
    ret->synthetic = !c->lives;
    ret->fresh = c->fresh;
    return failed;
}

static void
counted_prepare(struct counted *c, unsigned generation, const char *kernel_name)
{
    struct guestimg_kernel kernel = guestimg_kernel();
    guestimg_init(&c->img, 128 * MEMCTX_MIB, 128 * MEMCTX_MIB);
    guestimg_add_kernel(&c->img, &kernel);
    c->instance = 1;
    c->generation = generation;
    c->kernel = kernel_name;
    c->fresh = false;
    c->lives = false;
    c->died = false;
    c->words.n = 0;
    c->claimed = 0;
}

static void
counted_init(struct counted *c, struct world *w, unsigned generation,
             const char *kernel_name)
{
    counted_prepare(c, generation, kernel_name);
    world_init(w, &(struct adapter_config){.ram.open = open_counted,
                                           .ram.open_arg = c});
    record_handle(w->record, MEMCTX_EVENT_START, false);
    turn_until_ready(w);
}

/* An agent that was killed between a reset and the next kernel left no datum,
 * but it had counted. */
static void
test_generation_continues_after_the_agents_death(void **state)
{
    (void)state;
    struct world w;
    struct counted c;
    counted_init(&c, &w, 6, "");
    assert_int_equal(w.generation, 7);
    char name[MEMCTX_KERNEL_WORDS_MAX];
    snprintf(name, sizeof(name), "%s", w.record->run.kernel);
    world_deinit(&w);
    guestimg_deinit(&c.img);
    /* What an agent withdrew at its end is the same kernel for the next. */
    counted_init(&c, &w, 6, name);
    assert_int_equal(w.generation, 6);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    assert_string_equal(w.record->run.kernel, "");
    turn_until_ready(&w);
    assert_int_equal(w.generation, 7);
    world_deinit(&w);
    guestimg_deinit(&c.img);
}

/* A run whose kernel an earlier agent has seen running. */
static struct guestimg_kernel
known_prepare(struct counted *c, char name[MEMCTX_KERNEL_WORDS_MAX])
{
    struct world w;
    struct guestimg_kernel kernel = guestimg_kernel();
    counted_init(c, &w, 0, "");
    snprintf(name, MEMCTX_KERNEL_WORDS_MAX, "%s", w.record->run.kernel);
    c->was = w.record->datum.kernel;
    kernel.root_gpa = c->was.kcr3;
    world_deinit(&w);
    c->kernel = name;
    c->generation = 3;
    c->lives = true;
    uint64_t gpa = kernel.root_gpa + CLOCK_BEHIND_ROOT;
    guestimg_write_le64(&c->img, gpa, UINT64_C(0xfffedb08));
    c->words = (struct memctx_words){.per_second = 1000,
                                     .least = 1000,
                                     .n = 1,
                                     .word = {{gpa, UINT64_C(0xfffedb07)}}};
    return kernel;
}

static void
begin_beside(struct world *w, struct counted *c, enum memctx_event event)
{
    world_init(w, &(struct adapter_config){.ram.open = open_counted,
                                           .ram.open_arg = c});
    record_handle(w->record, event, false);
}

/* It was seen running before, and nobody watched since. Its clock is listened
 * to from the resume on. */
static void
test_agent_comes_to_a_paused_kernel_that_it_remembers(void **state)
{
    (void)state;
    struct world w;
    struct counted c;
    char name[MEMCTX_KERNEL_WORDS_MAX];
    struct guestimg_kernel kernel = known_prepare(&c, name);
    begin_beside(&w, &c, MEMCTX_EVENT_START_PAUSED);
    turn_until_phase(&w, MEMCTX_PHASE_SILENT_PAUSED);
    assert_int_equal(w.published, 1);
    assert_int_equal(w.live, MEMCTX_LIVE_UNKNOWN);
    assert_int_equal(w.generation, 3);
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    assert_true(adapter_is_listening(w.record->adapter));
    for (unsigned i = 0; i < 60000 && w.published < 2; i++) {
        tick(&c.img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(w.live, MEMCTX_LIVE_RUNS);
    assert_int_equal(w.generation, 3);
    assert_int_equal(w.record->run.words.n, 1);
    world_deinit(&w);
    guestimg_deinit(&c.img);
}

/* What a reset has ended is not remembered: it stays dead. */
static void
test_agent_comes_to_a_paused_kernel_after_a_reset(void **state)
{
    (void)state;
    struct world w;
    struct counted c;
    char name[MEMCTX_KERNEL_WORDS_MAX];
    known_prepare(&c, name);
    c.kernel = "";
    begin_beside(&w, &c, MEMCTX_EVENT_START_PAUSED);
    turn_until_phase(&w, MEMCTX_PHASE_SILENT_PAUSED);
    assert_int_equal(w.published, 0);
    assert_true(w.record->unpublished);
    assert_int_equal(w.record->datum.live, MEMCTX_LIVE_UNKNOWN);
    world_deinit(&w);
    guestimg_deinit(&c.img);
}

/* Its clock goes on after the panic, which the agent before has heard of. */
static void
test_agent_comes_to_a_guest_that_died(void **state)
{
    (void)state;
    struct world w;
    struct counted c;
    char name[MEMCTX_KERNEL_WORDS_MAX];
    struct guestimg_kernel kernel = known_prepare(&c, name);
    c.died = true;
    begin_beside(&w, &c, MEMCTX_EVENT_START);
    for (unsigned i = 0; i < 60000 && w.published == 0; i++) {
        tick(&c.img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(w.record->phase, MEMCTX_PHASE_SILENT);
    assert_int_equal(w.live, MEMCTX_LIVE_NO);
    assert_int_equal(w.generation, 3);
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    assert_false(w.record->died);
    for (unsigned i = 0; i < 60000 && w.published < 2; i++) {
        tick(&c.img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(w.live, MEMCTX_LIVE_RUNS);
    assert_int_equal(w.generation, 4);
    world_deinit(&w);
    guestimg_deinit(&c.img);
}

/* A datum that came along with a restored guest: it goes, and counts as it says
 * once its kernel was seen running. */
static int
open_restored(void *arg, struct ram *ret, struct memctx_error *err)
{
    const struct counted *c = arg;
    int failed = open_counted(arg, ret, err);
    ret->has_inherited = true;
    ret->inherited.generation = c->claimed;
    ret->inherited.kernel = c->was;
    ret->inherited.extents = calloc(1, sizeof(ret->inherited.extents[0]));
    ret->inherited.n_extents = 1;
    return failed;
}

static void
test_claim_of_a_restored_guest_is_checked(void **state)
{
    (void)state;
    struct world w;
    struct counted c;
    char name[MEMCTX_KERNEL_WORDS_MAX];
    struct guestimg_kernel kernel = known_prepare(&c, name);
    c.generation = 0;
    c.kernel = "";
    c.words.n = 0;
    c.claimed = 4;
    world_init(&w, &(struct adapter_config){.ram.open = open_restored,
                                            .ram.open_arg = &c});
    record_handle(w.record, MEMCTX_EVENT_START_PAUSED, false);
    turn_until_phase(&w, MEMCTX_PHASE_SILENT_PAUSED);
    assert_int_equal(w.withdrawn, 1);
    assert_int_equal(w.published, 0);
    record_handle(w.record, MEMCTX_EVENT_RESUME, false);
    for (unsigned i = 0; i < 60000 && w.published == 0; i++) {
        tick(&c.img, &kernel);
        turn_if_any(&w);
    }
    assert_int_equal(w.generation, 4);
    world_deinit(&w);
    guestimg_deinit(&c.img);
}

/* What stood in the metadata, as anybody may have written it. */
static int
open_claimed(void *arg, struct ram *ret, struct memctx_error *err)
{
    int failed = open_counted(arg, ret, err);
    ret->synthetic = false;
    ret->has_inherited = true;
    ret->inherited.generation = UINT32_MAX;
    ret->inherited.kernel.kcr3 = 0xdead000;
    ret->inherited.extents = calloc(1, sizeof(ret->inherited.extents[0]));
    ret->inherited.n_extents = 1;
    return failed;
}

/* It counts for nothing after a boot, nor where it counts like this; and a
 * start that was watched is cold in RAM only that began with it. */
static void
test_claims_in_cold_ram_and_in_other(void **state)
{
    static const struct {
        bool booted;
        bool fresh;
        unsigned counted;
        bool publishes; /* a kernel that does not tick */
        unsigned generation;
    } rows[] = {
        {true, true, 0, true, 1},   {true, true, 5, true, 6},
        {true, false, 0, false, 0}, {true, false, 5, false, 0},
        {false, true, 0, false, 0}, {false, true, 5, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct world w;
        struct counted c;
        counted_prepare(&c, rows[i].counted, "");
        c.fresh = rows[i].fresh;
        world_init(&w, &(struct adapter_config){.ram.open = open_claimed,
                                                .ram.open_arg = &c});
        record_handle(w.record, MEMCTX_EVENT_START, rows[i].booted);
        if (rows[i].publishes)
            turn_until_ready(&w);
        for (unsigned n = 0; n < 10 && !rows[i].publishes; n++)
            turn(&w);
        assert_int_equal(w.published, rows[i].publishes ? 1 : 0);
        assert_int_equal(w.generation, rows[i].generation);
        assert_true(w.withdrawn > 0);
        world_deinit(&w);
        guestimg_deinit(&c.img);
    }
}

/* libvirt gives an id again after its own restart. */
static void
test_another_qemu_under_the_same_id_is_another_run(void **state)
{
    (void)state;
    struct world w;
    struct counted c;
    counted_init(&c, &w, 0, "");
    record_handle(w.record, MEMCTX_EVENT_RESET, false);
    turn_until_ready(&w);
    assert_int_equal(w.generation, 2);
    c.instance = 2;
    record_handle(w.record, MEMCTX_EVENT_AWAY, false);
    record_handle(w.record, MEMCTX_EVENT_START, false);
    turn_until_ready(&w);
    assert_int_equal(w.generation, 1);
    assert_int_equal(w.same, 0);
    assert_int_equal(w.record->boot, 1);
    world_deinit(&w);
    guestimg_deinit(&c.img);
}

/* Whatever a guest does with its prober, its record waits, and the log does not
 * fill. */
static void
test_faults_of_a_prober_are_tries_that_failed(void **state)
{
    (void)state;
    struct world w;
    struct guestimg img;
    char program[FAKEPROBER_PATH_MAX];
    fakeprober_path(program);
    guestimg_init(&img, MEMCTX_MIB, MEMCTX_MIB);
    guestimg_write(&img, 0, "crash", 6);
    world_init_with(
        &w,
        &(struct adapter_config){.ram.open = open_image, .ram.open_arg = &img},
        program, HOUR_US);
    record_handle(w.record, MEMCTX_EVENT_START, true);
    for (unsigned i = 0; i < 4; i++) {
        turn_until_phase(&w, MEMCTX_PHASE_PROBING);
        turn_until_phase(&w, MEMCTX_PHASE_BACKOFF);
        assert_non_null(strstr(record_reason(w.record), "signal 11"));
    }
    /* The first, the second and the fourth; and that it waits. */
    assert_int_equal(logpipe_count(&w.logpipe, UUID), 4);
    /* While no prober reads it. */
    guestimg_write(&img, 0, "good", 5);
    turn_until_phase(&w, MEMCTX_PHASE_PROBING);
    turn_until_phase(&w, MEMCTX_PHASE_BACKOFF);
    assert_string_equal(record_reason(w.record), "fake");
    world_deinit(&w);
    guestimg_deinit(&img);
}

static void
test_prober_that_is_not_installed_is_told(void **state)
{
    (void)state;
    struct world w;
    /* valgrind starts a program before it knows that there is none. */
    if (is_under_valgrind())
        skip();
    world_init_with(&w, &(struct adapter_config){.ram.stub = true},
                    "/nowhere/memctx-prober", HOUR_US);
    record_handle(w.record, MEMCTX_EVENT_START, true);
    turn_until_phase(&w, MEMCTX_PHASE_BACKOFF);
    assert_non_null(
        strstr(record_reason(w.record),
               "/nowhere/memctx-prober cannot be started: No such"));
    world_deinit(&w);
}

static void
test_destroy_while_a_try_runs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        struct world w;
        world_init(&w, &(struct adapter_config){.ram.stub = true});
        record_handle(w.record, MEMCTX_EVENT_START, true);
        world_deinit(&w);
    }
}

static void
test_stop_ends_the_run(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, &(struct adapter_config){.ram.stub = true});
    record_handle(w.record, MEMCTX_EVENT_START, true);
    assert_true(record_handle(w.record, MEMCTX_EVENT_STOP, false));
    world_deinit(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors_alternate_until_a_boot_succeeds),
        cmocka_unit_test(test_many_failures_are_one_line),
        cmocka_unit_test(test_no_configuration_means_stub),
        cmocka_unit_test(test_success_resets_the_backoff),
        cmocka_unit_test(test_cost_outlives_a_reset),
        cmocka_unit_test(test_order_is_held_until_the_last_try_is_paid_for),
        cmocka_unit_test(test_reset_withdraws_and_counts_a_generation),
        cmocka_unit_test(test_paused_guest_is_not_retried),
        cmocka_unit_test(test_pause_while_a_try_runs_ends_after_it),
        cmocka_unit_test(test_page_shows_doubt_and_another_kernel),
        cmocka_unit_test(test_reset_while_a_try_runs_drops_its_result),
        cmocka_unit_test(test_libvirt_away_and_back_writes_nothing_again),
        cmocka_unit_test(test_doubt_of_which_nothing_comes_is_no_line),
        cmocka_unit_test(test_reset_is_one_line),
        cmocka_unit_test(test_handed_in_descriptor_is_used_and_closed),
        cmocka_unit_test(test_writable_descriptor_is_refused_and_closed),
        cmocka_unit_test(test_descriptor_never_used_is_closed),
        cmocka_unit_test(test_handed_in_is_closed_when_there_is_no_adapter),
        cmocka_unit_test(test_handed_in_is_never_replaced_by_a_stub),
        cmocka_unit_test(test_end_of_an_adapter_holds_nobody_up),
        cmocka_unit_test(test_path_that_is_not_there_is_unsupported),
        cmocka_unit_test(test_kernel_that_does_not_tick_is_not_published),
        cmocka_unit_test(test_datum_that_nobody_can_check_is_withdrawn),
        cmocka_unit_test(test_cold_start_is_no_proof_after_libvirt_was_away),
        cmocka_unit_test(test_ready_stub_is_listened_to),
        cmocka_unit_test(test_kernel_that_ticks_stays),
        cmocka_unit_test(test_clock_that_began_anew_is_the_next_generations),
        cmocka_unit_test(test_idle_kernel_that_replaced_another_is_found),
        cmocka_unit_test(test_idle_kernel_that_overwrote_another_is_found),
        cmocka_unit_test(test_idle_kernel_stays_ready),
        cmocka_unit_test(test_kernel_that_stands_is_silent_and_kept),
        cmocka_unit_test(test_tries_go_on_beside_a_silent_kernel),
        cmocka_unit_test(test_reset_of_a_silent_guest),
        cmocka_unit_test(test_guest_that_died_is_dead_whatever_its_clock_does),
        cmocka_unit_test(test_guest_that_died_keeps_that_reason),
        cmocka_unit_test(test_guest_that_died_says_so_in_its_log),
        cmocka_unit_test(test_pause_is_no_sign_of_death),
        cmocka_unit_test(test_kernel_of_a_paused_guest_that_nobody_saw_run),
        cmocka_unit_test(test_pause_before_a_kernel_was_seen_running),
        cmocka_unit_test(test_pause_of_a_kernel_that_was_watched),
        cmocka_unit_test(test_reset_is_remembered_without_a_datum),
        cmocka_unit_test(test_resume_while_a_paused_guest_is_looked_at),
        cmocka_unit_test(test_kernel_after_a_kexec_is_the_next_generation),
        cmocka_unit_test(test_each_boot_of_the_stub_fails_anew),
        cmocka_unit_test(test_generation_continues_after_the_agents_death),
        cmocka_unit_test(test_agent_comes_to_a_paused_kernel_that_it_remembers),
        cmocka_unit_test(test_agent_comes_to_a_paused_kernel_after_a_reset),
        cmocka_unit_test(test_agent_comes_to_a_guest_that_died),
        cmocka_unit_test(test_claim_of_a_restored_guest_is_checked),
        cmocka_unit_test(test_claims_in_cold_ram_and_in_other),
        cmocka_unit_test(test_another_qemu_under_the_same_id_is_another_run),
        cmocka_unit_test(test_faults_of_a_prober_are_tries_that_failed),
        cmocka_unit_test(test_prober_that_is_not_installed_is_told),
        cmocka_unit_test(test_destroy_while_a_try_runs),
        cmocka_unit_test(test_stop_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
