/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where a guest's addresses lead, asked of probers that do what they ought to,
 * and of such that do not: those cost the walk, and nobody else anything. */
#include "unit.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "control/walks.h"
#include "fakeprober.h"
#include "guestimg.h"
#include "sandbox/spawner.h"

#define GUESTS 2
#define RAM (16 * MEMCTX_MIB)
#define GVA UINT64_C(0xffff888000000000)
#define GPA UINT64_C(0x400000)
#define WRITABLE (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE)
#define HOUR_US (UINT64_C(3600) * 1000000)
#define MINUTE_MS 60000

/* A kernel that runs, with two pages at GVA that lie apart. */
struct guest {
    struct guestimg img;
    struct guestimg_space space;
    struct running_kernel kernel;
};

/* A walk, and whether it has ended. */
struct asked {
    struct walk walk; /* first */
    bool done;
};

struct fixture {
    char fake[FAKEPROBER_PATH_MAX];
    struct spawner *spawner;
    struct tries_config config;
    struct tries *tries;
    struct walks *walks;
    struct guest guests[GUESTS];
    struct asked asked[GUESTS + 1];
    struct memctx_error err;
};

static void
guest_init(struct guest *g)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct running_kernel *k = &g->kernel;
    guestimg_init(&g->img, RAM, RAM);
    g->space = (struct guestimg_space){0x10000, 4};
    guestimg_map(&g->img, &g->space, GVA, GPA, 4096, WRITABLE);
    guestimg_map(&g->img, &g->space, GVA + 4096, GPA + 0x5000, 4096,
                 MEMCTX_PTE_PRESENT);
    k->map = guestimg_rammap(&g->img, NULL);
    assert_done(epoch_create(&k->epoch, &err), &err);
    k->epoch_number = epoch_next();
    epoch_set(k->epoch, k->epoch_number);
    k->paging = MEMCTX_PAGING_X86_64_4LEVEL;
    k->kcr3 = g->space.root_gpa;
}

static void
guest_deinit(struct guest *g)
{
    running_kernel_release(&g->kernel);
    guestimg_deinit(&g->img);
}

/* Limits are an hour where a test does not want them to be reached. */
static int
set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    fakeprober_path(f->fake);
    assert_done(spawner_create(&f->spawner, &f->err), &f->err);
    f->config = (struct tries_config){
        .spawner = f->spawner,
        .program = f->fake,
        .places = 1,
        .live_max = 64,
        .limits = {[TRIES_LIGHT] = {HOUR_US, HOUR_US}},
    };
    for (unsigned i = 0; i < GUESTS; i++)
        guest_init(&f->guests[i]);
    *state = f;
    return 0;
}

static void
begin(struct fixture *f)
{
    assert_done(tries_create(&f->config, &f->tries, &f->err), &f->err);
    assert_done(walks_create(f->tries, &f->walks, &f->err), &f->err);
}

static void
end(struct fixture *f)
{
    walks_destroy(f->walks);
    tries_destroy(f->tries);
}

/* No prober is left. */
static int
tear_down(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < GUESTS; i++)
        guest_deinit(&f->guests[i]);
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    test_free(f);
    return 0;
}

static void
on_done(struct walk *walk)
{
    struct asked *a = (struct asked *)walk;
    assert_false(a->done);
    a->done = true;
}

static void
start_walk(struct fixture *f, struct asked *a, struct guest *g, uint64_t gva,
           uint32_t len)
{
    *a = (struct asked){.walk = {.kernel = &g->kernel,
                                 .gva = gva,
                                 .len_bytes = len,
                                 .done = on_done}};
    walks_begin(f->walks, &a->walk);
    assert_false(a->done);
}

/* What the fake prober of a guest will do, if it is asked. */
static void
tell(struct guest *g, const char *word)
{
    char text[32] = "";
    snprintf(text, sizeof(text), "%s", word);
    guestimg_write(&g->img, 0, text, sizeof(text));
}

static void
on_late(int id, void *opaque)
{
    (void)id;
    *(bool *)opaque = true;
}

/* Turn the loop until it is there. A minute is for a machine that stands still.
 */
static const struct walk_result *
wait_for(struct asked *a)
{
    bool late = false;
    int timer = virEventAddTimeout(MINUTE_MS, on_late, &late, NULL);
    while (!a->done && !late)
        assert_int_equal(virEventRunDefaultImpl(), 0);
    virEventRemoveTimeout(timer);
    assert_false(late);
    return &a->walk.result;
}

static const struct walk_result *
walk(struct fixture *f, uint64_t gva, uint32_t len)
{
    start_walk(f, &f->asked[0], &f->guests[0], gva, len);
    return wait_for(&f->asked[0]);
}

static const struct walk_result *
walk_by_fake(struct fixture *f, const char *word)
{
    tell(&f->guests[0], word);
    return walk(f, GVA, 8);
}

static void
assert_part(const struct memctx_probe_part *part, uint64_t gpa, uint32_t size,
            bool writable)
{
    assert_int_equal(part->gpa, gpa);
    assert_int_equal(part->size, size);
    assert_int_equal(part->writable, writable);
}

static void
test_prober_walks_the_tables_as_they_are(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    f->config.program = getenv("MEMCTX_PROBER"); /* by ./run */
    begin(f);
    const struct walk_result *r = walk(f, GVA + 4094, 5);
    assert_int_equal(r->why.kind, MEMCTX_OK);
    assert_int_equal(r->n_parts, 2);
    assert_part(&r->parts[0], GPA + 4094, 2, true);
    assert_part(&r->parts[1], GPA + 0x5000, 3, false);
    guestimg_map(&g->img, &g->space, GVA, GPA + 0x20000, 4096, WRITABLE);
    r = walk(f, GVA, 1);
    assert_int_equal(r->n_parts, 1);
    assert_part(&r->parts[0], GPA + 0x20000, 1, true);
    r = walk(f, GVA + 0x10000, 1);
    assert_error(&r->why, MEMCTX_RETRY, "page tables: ");
    assert_error(&r->why, MEMCTX_RETRY, "not mapped");
    end(f);
}

/* A contest of two layouts was won by the second, which has RAM elsewhere: that
 * is the one which the prober gets. */
static void
test_kernel_in_another_layout(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    struct memctx_rammap *other;
    const struct memctx_extent low = {0, GPA, 0, 0};
    const struct memctx_extent moved = {MEMCTX_GIB, RAM - GPA, GPA, 0};
    f->config.program = getenv("MEMCTX_PROBER");
    begin(f);
    assert_done(memctx_rammap_create_beside(g->kernel.map, &other, &f->err),
                &f->err);
    assert_done(memctx_rammap_add_extent(other, &low, &f->err), &f->err);
    assert_done(memctx_rammap_add_extent(other, &moved, &f->err), &f->err);
    memctx_rammap_destroy(g->kernel.map);
    g->kernel.map = other;
    const struct walk_result *r = walk(f, GVA, 1);
    assert_error(&r->why, MEMCTX_RETRY, "gpa 0x400000, which is not RAM");
    guestimg_map(&g->img, &g->space, GVA, MEMCTX_GIB + 0x3000, 4096, WRITABLE);
    r = walk(f, GVA, 1);
    assert_int_equal(r->n_parts, 1);
    assert_part(&r->parts[0], MEMCTX_GIB + 0x3000, 1, true);
    end(f);
}

static void
test_each_fault_costs_a_walk(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *word;
        const char *words;
    } rows[] = {
        {"crash", "crashed: ended "},
        {"leave 3", "crashed: ended with status 3"},
        {"close", "crashed: ended by signal 9"},
        {"other", "lied: answer: it was not asked for"},
        {"nonsense 8000", "lied: an answer of 8000 bytes"},
        {"where 16777216", "lied: answer: bytes that are in no page of RAM"},
        {"where 4294967295", "lied: answer: bytes that are in no page of RAM"},
        {"where 4196000", "lied: answer: bytes that are in no page of RAM"},
        {"little 4194304", "lied: answer: 7 bytes, 8 were asked for"},
    };
    begin(f);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct walk_result *r = walk_by_fake(f, rows[i].word);
        assert_error(&r->why, MEMCTX_RETRY, "the prober ");
        assert_error(&r->why, MEMCTX_RETRY, rows[i].words);
        assert_int_equal(r->n_parts, 0);
        r = walk_by_fake(f, "where 4194304");
        assert_int_equal(r->why.kind, MEMCTX_OK);
        assert_part(&r->parts[0], GPA, 8, true);
    }
    end(f);
}

/* Whatever they say, no part is taken that lies beyond RAM, and what they say
 * of their failure does not look like memctxd's own words. */
static void
test_many_lies_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    begin(f);
    for (unsigned i = 0; i < 100; i++) {
        char word[32];
        snprintf(word, sizeof(word), "lie %u", i);
        const struct walk_result *r = walk_by_fake(f, word);
        assert_int_equal(r->n_parts, 0);
        assert_true(r->why.kind == MEMCTX_RETRY ||
                    r->why.kind == MEMCTX_PERMANENT);
        assert_true(strstr(r->why.message, "page tables: ") == r->why.message ||
                    strstr(r->why.message, "the prober lied: ") ==
                        r->why.message);
    }
    end(f);
}

static void
test_prober_that_spins_is_ended(void **state)
{
    struct fixture *f = *state;
    f->config.limits[TRIES_LIGHT].cpu_us = 30000;
    begin(f);
    const struct walk_result *r = walk_by_fake(f, "spin");
    assert_error(&r->why, MEMCTX_RETRY,
                 "the prober took too long: 30 ms of CPU");
    end(f);
}

static void
test_no_answer_in_time_is_the_end(void **state)
{
    struct fixture *f = *state;
    f->config.limits[TRIES_LIGHT].wall_us = 50000;
    begin(f);
    const struct walk_result *r = walk_by_fake(f, "hang");
    assert_error(&r->why, MEMCTX_RETRY, "the prober hangs: no answer in 50 ms");
    end(f);
}

static void
test_program_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    f->config.program = "/nonexistent/memctx-prober";
    /* valgrind starts a program before it knows that there is none. */
    if (is_under_valgrind())
        skip();
    begin(f);
    const struct walk_result *r = walk_by_fake(f, "where 4194304");
    assert_error(&r->why, MEMCTX_RETRY, "was not started");
    end(f);
}

/* One prober at a time for each guest; others do not wait for it. */
static void
test_guest_that_hangs_holds_up_its_own_walks(void **state)
{
    struct fixture *f = *state;
    struct asked *hung = &f->asked[0];
    struct asked *second = &f->asked[1];
    struct asked *of_other = &f->asked[2];
    begin(f);
    tell(&f->guests[0], "hang");
    tell(&f->guests[1], "where 4194304");
    start_walk(f, hung, &f->guests[0], GVA, 8);
    start_walk(f, second, &f->guests[0], GVA, 8);
    start_walk(f, of_other, &f->guests[1], GVA, 8);
    assert_null(second->walk.client);
    wait_for(of_other);
    assert_part(&of_other->walk.result.parts[0], GPA, 8, true);
    assert_false(hung->done);
    assert_null(second->walk.client);
    tell(&f->guests[0], "where 4194304");
    walks_cancel(f->walks, &hung->walk);
    assert_part(&wait_for(second)->parts[0], GPA, 8, true);
    assert_false(hung->done);
    end(f);
}

static void
test_one_that_waits_may_leave(void **state)
{
    struct fixture *f = *state;
    begin(f);
    tell(&f->guests[0], "hang");
    for (unsigned i = 0; i < 3; i++)
        start_walk(f, &f->asked[i], &f->guests[0], GVA, 8);
    walks_cancel(f->walks, &f->asked[1].walk);
    assert_null(f->asked[2].walk.client);
    tell(&f->guests[0], "where 4194304");
    walks_cancel(f->walks, &f->asked[0].walk);
    wait_for(&f->asked[2]);
    assert_false(f->asked[0].done);
    assert_false(f->asked[1].done);
    end(f);
}

/* At once, whatever the prober does; and those that wait for it, too. */
static void
test_kernel_that_ends_ends_its_walks(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    static const struct {
        uint64_t more; /* than its number */
        enum memctx_error_kind kind;
        const char *words;
    } rows[] = {
        {1, MEMCTX_STALE, "runs no more"},
        {0, MEMCTX_GONE, "has stopped"},
    };
    begin(f);
    tell(g, "hang");
    tell(&f->guests[1], "hang");
    for (unsigned i = 0; i < 2; i++) {
        start_walk(f, &f->asked[0], g, GVA, 8);
        start_walk(f, &f->asked[1], g, GVA, 8);
        start_walk(f, &f->asked[2], &f->guests[1], GVA, 8);
        epoch_set(g->kernel.epoch, STATEPAGE_UNKNOWN);
        walks_check(f->walks);
        assert_false(f->asked[0].done);
        epoch_set(g->kernel.epoch, rows[i].more > 0
                                       ? g->kernel.epoch_number + rows[i].more
                                       : STATEPAGE_OVER);
        walks_check(f->walks);
        for (unsigned j = 0; j < 2; j++) {
            assert_true(f->asked[j].done);
            assert_error(&f->asked[j].walk.result.why, rows[i].kind,
                         rows[i].words);
        }
        assert_false(f->asked[2].done);
        walks_cancel(f->walks, &f->asked[2].walk);
        epoch_set(g->kernel.epoch, g->kernel.epoch_number);
    }
    end(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_prober_walks_the_tables_as_they_are),
        T(test_kernel_in_another_layout),
        T(test_each_fault_costs_a_walk),
        T(test_many_lies_lead_nowhere),
        T(test_prober_that_spins_is_ended),
        T(test_no_answer_in_time_is_the_end),
        T(test_program_that_is_not_there),
        T(test_guest_that_hangs_holds_up_its_own_walks),
        T(test_one_that_waits_may_leave),
        T(test_kernel_that_ends_ends_its_walks),
    };
    if (virEventRegisterDefaultImpl() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
