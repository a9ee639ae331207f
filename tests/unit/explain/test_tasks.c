/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Processes are listed as they are; lists that change, or lie, end. */
#include "unit.h"

#include "charged.h"
#include "explain/taskfields.h"
#include "explain/tasks.h"
#include "taskimg.h"

#define MANY 200u

struct fixture {
    struct explimg x;
    struct memctx_btf *btf;
    struct memctx_rammap *map;
    struct memctx_target target;
    struct memctx_tasks tasks;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct btfimg *types = calloc(1, sizeof(*types));
    explimg_init(&f->x);
    taskimg_init(&f->x);
    btfimg_init(types);
    taskimg_types(types);
    f->btf = btfimg_open(types);
    free(types);
    f->map = explimg_rammap(&f->x);
    memctx_target_init(&f->target, f->map, &f->x.kernel, NULL, 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_tasks_deinit(&f->tasks);
    memctx_btf_destroy(f->btf);
    memctx_rammap_destroy(f->map);
    explimg_deinit(&f->x);
    free(f);
    return 0;
}

static uint64_t
link_of(const struct fixture *f, unsigned index)
{
    return taskimg_gva(&f->x, index) + TASKIMG_TASKS;
}

static int
list(struct fixture *f)
{
    memctx_tasks_deinit(&f->tasks);
    memctx_target_refresh(&f->target);
    f->err = (struct memctx_error)MEMCTX_ERROR_INIT;
    return memctx_tasks_read(&f->target, f->btf, taskimg_gva(&f->x, 0),
                             &f->tasks, &f->err);
}

/* The list broke off, for this reason. */
static void
assert_broken_at(struct fixture *f, const char *words, size_t n, int line)
{
    assert_int_equal(list(f), -1);
    assert_error_at(&f->err, MEMCTX_RETRY, "the list of tasks broke off",
                    __FILE__, line);
    assert_error_at(&f->err, MEMCTX_RETRY, words, __FILE__, line);
    if (f->tasks.n != n) {
        print_error("wanted %zu tasks, found %zu\n", n, f->tasks.n);
        _fail(__FILE__, line);
    }
}

#define assert_broken(f, words, n) assert_broken_at((f), (words), (n), __LINE__)

/* ---- lists that are right ------------------------------------------------ */

static void
test_a_process_as_it_is(void **state)
{
    struct fixture *f = *state;
    taskimg_add(&f->x, 1, 1, "init");
    taskimg_add(&f->x, 2, 7, "shell");
    explimg_le64(&f->x, taskimg_gva(&f->x, 2) + TASKIMG_PARENT,
                 taskimg_gva(&f->x, 1));
    assert_done(list(f), &f->err);
    assert_int_equal(f->tasks.n, 2);
    const struct memctx_task *task = &f->tasks.task[1];
    assert_int_equal(task->gva, taskimg_gva(&f->x, 2));
    assert_int_equal(task->pid, 7);
    assert_int_equal(task->ppid, 1);
    assert_int_equal(task->uid, 1000);
    assert_int_equal(task->state, 'S');
    assert_false(task->is_kernel_thread);
    assert_true(task->has_start);
    assert_int_equal(task->start_nsec, UINT64_C(7000000000));
    assert_string_equal(task->name, "shell");
    assert_int_equal(f->tasks.task[0].ppid, 0);
}

static void
test_no_process(void **state)
{
    struct fixture *f = *state;
    assert_done(list(f), &f->err);
    assert_int_equal(f->tasks.n, 0);
}

static void
test_processes_in_order_of_pid(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 1; i <= MANY; i++)
        taskimg_add(&f->x, i, 1 + (i * 37) % 211, "one");
    assert_done(list(f), &f->err);
    assert_int_equal(f->tasks.n, MANY);
    for (size_t i = 1; i < f->tasks.n; i++)
        assert_true(f->tasks.task[i].pid > f->tasks.task[i - 1].pid);
}

static void
test_letters_of_states(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t state;
        uint32_t exit_state;
        char letter;
    } rows[] = {{0, 0, 'R'},       {1, 0, 'S'},       {2, 0, 'D'},
                {0x102, 0, 'D'},   {4, 0, 'T'},       {0x104, 0, 'T'},
                {8, 0, 't'},       {0x402, 0, 'I'},   {0x40, 0, 'P'},
                {0x80, 0x20, 'Z'}, {0x80, 0x10, 'X'}, {0x1000, 0, 'D'},
                {0x8000, 0, 'D'},  {0x800, 0, 'R'},   {UINT32_MAX, 0, 'I'}};
    taskimg_add(&f->x, 1, 1, "init");
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        uint64_t gva = taskimg_gva(&f->x, 1);
        explimg_le32(&f->x, gva + TASKIMG_STATE, rows[i].state);
        explimg_le32(&f->x, gva + TASKIMG_EXIT_STATE, rows[i].exit_state);
        assert_done(list(f), &f->err);
        assert_int_equal(f->tasks.task[0].state, rows[i].letter);
    }
}

static void
test_kernel_threads_and_names_without_an_end(void **state)
{
    struct fixture *f = *state;
    taskimg_add(&f->x, 1, 2, "0123456789abcdef");
    explimg_le32(&f->x, taskimg_gva(&f->x, 1) + TASKIMG_FLAGS,
                 TASKIMG_KERNEL_THREAD | 0x40);
    assert_done(list(f), &f->err);
    assert_true(f->tasks.task[0].is_kernel_thread);
    assert_string_equal(f->tasks.task[0].name, "0123456789abcde");
}

static void
test_init_task_is_found(void **state)
{
    struct fixture *f = *state;
    uint64_t gva = 0;
    assert_int_equal(memctx_tasks_search(&f->target, f->btf, &gva, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "no init_task");
    taskimg_add_many(&f->x, 3);
    /* Others that are called so: a text, a thread of another CPU. */
    explimg_write(&f->x, f->x.built.text_gva + 0x900, "swapper", 8);
    explimg_write(&f->x, taskimg_gva(&f->x, 3) + TASKIMG_COMM, "swapper/1", 10);
    memctx_target_refresh(&f->target);
    assert_done(memctx_tasks_search(&f->target, f->btf, &gva, &f->err),
                &f->err);
    assert_int_equal(gva, taskimg_gva(&f->x, 0));
}

static void
test_fields_are_told_to_who_walks_the_list(void **state)
{
    struct fixture *f = *state;
    struct memctx_landmarks landmarks = {{0}};
    struct memctx_taskfields fields;
    taskimg_add(&f->x, 1, 1, "init");
    for (int i = 0; i < 2; i++) { /* found, then by its symbol */
        assert_done(memctx_taskfields_find(&f->target, f->btf, &landmarks,
                                           &fields, &f->err),
                    &f->err);
        assert_int_equal(fields.init_task_gva, taskimg_gva(&f->x, 0));
        assert_int_equal(fields.tasks, TASKIMG_TASKS);
        assert_int_equal(fields.mm, TASKIMG_MM);
        assert_int_equal(fields.pid, TASKIMG_PID);
        assert_int_equal(fields.comm, TASKIMG_COMM);
        assert_int_equal(fields.pgd, TASKIMG_PGD);
        landmarks.gva[MEMCTX_AT_INIT_TASK] = taskimg_gva(&f->x, 0);
    }
    /* No BTF is in the image that was built. */
    assert_int_equal(memctx_taskfields_read(&f->target, &fields, &f->err), -1);
}

static void
test_landmarks_are_believed(void **state)
{
    struct fixture *f = *state;
    struct memctx_landmarks landmarks = {{0}};
    taskimg_add_many(&f->x, 3);
    for (unsigned i = 0; i < 2; i++) {
        memctx_tasks_deinit(&f->tasks);
        assert_done(memctx_tasks_list(&f->target, f->btf, &landmarks, &f->tasks,
                                      &f->err),
                    &f->err);
        assert_int_equal(f->tasks.n, 3);
        landmarks.gva[MEMCTX_AT_INIT_TASK] = taskimg_gva(&f->x, 0);
    }
}

/* ---- lists that change --------------------------------------------------- */

/* Reads as the default does; at a given read a guest goes on. */
static struct {
    const struct explimg *x;
    unsigned long at;
    unsigned long reads;
    void (*change)(const struct explimg *x);
} change;

static ssize_t
read_and_change(const struct memctx_source *source, void *buf, size_t len,
                uint64_t offset)
{
    if (++change.reads == change.at)
        change.change(change.x);
    return pread(source->fd, buf, len, (off_t)offset);
}

/* As list_del_rcu(): it leads on, but back to nowhere. */
static void
take_out(const struct explimg *x, unsigned index)
{
    uint64_t at = taskimg_gva(x, index) + TASKIMG_TASKS;
    uint64_t next = explimg_read_le64(x, at);
    uint64_t prev = explimg_read_le64(x, at + 8);
    explimg_le64(x, prev, next);
    explimg_le64(x, next + 8, prev);
    explimg_le64(x, at + 8, UINT64_C(0xdead000000000122));
}

/* The memory of one that ended becomes another one, at the end of the list. */
static void
take_out_and_use_again(const struct explimg *x)
{
    for (unsigned i = 60; i < 120; i++) {
        take_out(x, i);
        taskimg_add(x, i, 1000 + i, "new");
    }
}

static void
test_processes_that_come_and_go(void **state)
{
    struct fixture *f = *state;
    struct memctx_backend_io io = guestimg_faulty_io;
    io.read_at = read_and_change;
    taskimg_add_many(&f->x, MANY);
    memctx_rammap_destroy(f->map);
    f->map = guestimg_rammap(&f->x.img, &io);
    memctx_target_init(&f->target, f->map, &f->x.kernel, NULL, 0);
    change.x = &f->x;
    change.reads = 0;
    change.at = 20; /* the pages of some tasks are kept, others are not */
    change.change = take_out_and_use_again;
    assert_done(list(f), &f->err);
    assert_true(change.reads >= change.at);
    /* What was mended is no error, nor told as one. */
    assert_int_equal(f->err.kind, MEMCTX_OK);
    size_t stayed = 0;
    for (size_t i = 0; i < f->tasks.n; i++) {
        uint32_t pid = f->tasks.task[i].pid;
        stayed += pid <= MANY && (pid < 60 || pid >= 120) ? 1 : 0;
    }
    assert_int_equal(stayed, MANY - 60);
}

static void
test_of_two_with_one_pid_the_later_counts(void **state)
{
    struct fixture *f = *state;
    taskimg_add(&f->x, 1, 5, "earlier");
    taskimg_add(&f->x, 2, 5, "later");
    explimg_le64(&f->x, taskimg_gva(&f->x, 2) + TASKIMG_START,
                 UINT64_C(6000000000));
    assert_done(list(f), &f->err);
    assert_int_equal(f->tasks.n, 1);
    assert_string_equal(f->tasks.task[0].name, "later");
}

/* ---- lists that lie ------------------------------------------------------ */

static void
test_links_that_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    taskimg_add_many(&f->x, 9);
    explimg_le64(&f->x, link_of(f, 5), 0x1234);
    assert_broken(f, "gva", 5);
    explimg_le64(&f->x, link_of(f, 5), UINT64_MAX - 3);
    assert_broken(f, "gva", 5);
}

static void
test_links_that_lead_back_to_another(void **state)
{
    struct fixture *f = *state;
    taskimg_add_many(&f->x, 9);
    explimg_le64(&f->x, link_of(f, 6) + 8, link_of(f, 2));
    assert_broken(f, "leads back to", 5);
}

/* A ring beside the head, each link of which leads back. */
static void
test_a_list_that_never_ends(void **state)
{
    struct fixture *f = *state;
    taskimg_add_many(&f->x, 9);
    explimg_le64(&f->x, link_of(f, 9), link_of(f, 4));
    explimg_le64(&f->x, link_of(f, 4) + 8, link_of(f, 9));
    explimg_le64(&f->x, link_of(f, 3), link_of(f, 4));
    /* so that 3 is followed, its next leads back at first */
    assert_int_equal(list(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "broke off");
    explimg_le64(&f->x, link_of(f, 0), link_of(f, 4));
    explimg_le64(&f->x, link_of(f, 4), link_of(f, 4));
    explimg_le64(&f->x, link_of(f, 4) + 8, link_of(f, 4));
    assert_int_equal(list(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "broke off");
}

static void
test_a_parent_that_is_gone(void **state)
{
    struct fixture *f = *state;
    taskimg_add_many(&f->x, 2);
    explimg_le64(&f->x, taskimg_gva(&f->x, 2) + TASKIMG_PARENT, 0x10);
    assert_done(list(f), &f->err);
    assert_int_equal(f->tasks.task[1].ppid, 0);
}

static void
test_types_without_tasks(void **state)
{
    struct fixture *f = *state;
    struct btfimg *types = calloc(1, sizeof(*types));
    btfimg_init(types);
    btfimg_int(types, "int", 4);
    memctx_btf_destroy(f->btf);
    f->btf = btfimg_open(types);
    free(types);
    assert_int_equal(list(f), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "BTF has no task_struct");
    assert_int_equal(f->tasks.n, 0);
}

static void
test_all_is_paid_for(void **state)
{
    struct fixture *f = *state;
    struct memctx_work work;
    taskimg_add_many(&f->x, MANY);
    charge_map(&f->map, &work, 100);
    memctx_target_init(&f->target, f->map, &f->x.kernel, NULL, 0);
    assert_int_equal(list(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "broke off");
    assert_true(f->tasks.n < MANY);
}

static void
test_every_read_may_fail(void **state)
{
    struct fixture *f = *state;
    taskimg_add_many(&f->x, 3);
    assert_done(list(f), &f->err);
    unsigned long reads = guestimg_faults()->reads;
    for (unsigned long n = 1; n <= reads; n++) {
        *guestimg_faults() = (struct guestimg_faults){.fail_from = n};
        if (list(f) < 0)
            assert_error(&f->err, MEMCTX_RETRY, "broke off");
        assert_true(f->tasks.n <= 3);
    }
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_a_process_as_it_is),
        T(test_no_process),
        T(test_processes_in_order_of_pid),
        T(test_letters_of_states),
        T(test_kernel_threads_and_names_without_an_end),
        T(test_init_task_is_found),
        T(test_fields_are_told_to_who_walks_the_list),
        T(test_landmarks_are_believed),
        T(test_processes_that_come_and_go),
        T(test_of_two_with_one_pid_the_later_counts),
        T(test_links_that_lead_nowhere),
        T(test_links_that_lead_back_to_another),
        T(test_a_list_that_never_ends),
        T(test_a_parent_that_is_gone),
        T(test_types_without_tasks),
        T(test_all_is_paid_for),
        T(test_every_read_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
