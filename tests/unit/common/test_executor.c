/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Jobs of one key keep their order and never meet, those of others do not wait
 * for them, and none is lost: run, dropped or taken back. */
#include "unit.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>

#include "base/bytes.h"
#include "common/executor.h"
#include "wire/clocks.h"

#define RUNS_MAX 64
#define GUARD_S 60 /* for a machine that stands still */

/* What all jobs of a test share. */
struct stage {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct executor *executor;
    char runs[RUNS_MAX + 1];      /* the names of the jobs, as they began */
    char drops[2 * RUNS_MAX + 1]; /* of each dropped job, and of the next */
    unsigned n_runs;
    unsigned n_running;
    unsigned most_running;
    unsigned n_idle;
};

struct task {
    struct executor_job job; /* first */
    struct stage *stage;
    char name;
    bool held;        /* run() waits while this is set */
    unsigned retries; /* run() asks for so many */
    unsigned delay_ms;
};

static void
add_name(char *to, size_t size, char name)
{
    size_t len = strlen(to);
    assert_true(len + 1 < size);
    to[len] = name;
    to[len + 1] = '\0';
}

static void
run_task(struct executor_job *job)
{
    struct task *task = (struct task *)job;
    struct stage *s = task->stage;
    pthread_mutex_lock(&s->lock);
    add_name(s->runs, sizeof(s->runs), task->name);
    s->n_runs++;
    s->n_running++;
    if (s->n_running > s->most_running)
        s->most_running = s->n_running;
    pthread_cond_broadcast(&s->changed);
    while (task->held)
        pthread_cond_wait(&s->changed, &s->lock);
    s->n_running--;
    bool again = task->retries > 0;
    if (again)
        task->retries--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (again)
        executor_retry(s->executor, job, task->delay_ms);
}

static void
drop_task(struct executor_job *job, struct executor_job *next)
{
    struct task *task = (struct task *)job;
    struct stage *s = task->stage;
    pthread_mutex_lock(&s->lock);
    add_name(s->drops, sizeof(s->drops), task->name);
    add_name(s->drops, sizeof(s->drops),
             next != NULL ? ((struct task *)next)->name : '-');
    pthread_mutex_unlock(&s->lock);
}

static void
on_idle(void *arg)
{
    struct stage *s = arg;
    pthread_mutex_lock(&s->lock);
    s->n_idle++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void
start(struct stage *s, unsigned max_threads, unsigned max_waiting)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    memset(s, 0, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    clocks_init_cond(&s->changed);
    assert_done(executor_create(max_threads, max_waiting, &s->executor, &err),
                &err);
}

static void
end(struct stage *s)
{
    assert_true(
        executor_destroy(s->executor, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT));
}

static void
submit(struct stage *s, const char *key, struct task *task, char name)
{
    task->job = (struct executor_job){
        .run = run_task, .drop = drop_task, .urgent = task->job.urgent};
    task->stage = s;
    task->name = name;
    executor_submit(s->executor, key, &task->job);
}

static void
release(struct task *task)
{
    pthread_mutex_lock(&task->stage->lock);
    task->held = false;
    pthread_cond_broadcast(&task->stage->changed);
    pthread_mutex_unlock(&task->stage->lock);
}

/* Wait until so many jobs have begun. */
static void
wait_for_runs(struct stage *s, unsigned n)
{
    struct timespec until = clocks_deadline(GUARD_S * 1000);
    pthread_mutex_lock(&s->lock);
    while (s->n_runs < n)
        assert_int_equal(pthread_cond_timedwait(&s->changed, &s->lock, &until),
                         0);
    pthread_mutex_unlock(&s->lock);
}

static void
wait_for_idle(struct stage *s, unsigned n)
{
    struct timespec until = clocks_deadline(GUARD_S * 1000);
    pthread_mutex_lock(&s->lock);
    while (s->n_idle < n)
        assert_int_equal(pthread_cond_timedwait(&s->changed, &s->lock, &until),
                         0);
    pthread_mutex_unlock(&s->lock);
}

/* Threads of this process. */
static unsigned
count_threads(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/task");
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void
test_jobs_of_a_key_keep_their_order_and_never_meet(void **state)
{
    struct stage s;
    struct task tasks[20] = {{.retries = 0}};
    (void)state;
    start(&s, 8, 0);
    for (unsigned i = 0; i < 20; i++)
        submit(&s, "one", &tasks[i], (char)('a' + i));
    end(&s);
    assert_string_equal(s.runs, "abcdefghijklmnopqrst");
    assert_int_equal(s.most_running, 1);
}

static void
test_job_that_hangs_holds_up_its_own_key_only(void **state)
{
    struct stage s;
    struct task hangs = {.held = true};
    struct task behind = {.held = false};
    struct task other = {.held = false};
    struct task none = {.held = false};
    (void)state;
    start(&s, 2, 0);
    submit(&s, "one", &hangs, 'h');
    wait_for_runs(&s, 1);
    submit(&s, "one", &behind, 'b');
    submit(&s, "two", &other, 'o');
    submit(&s, NULL, &none, 'n');
    wait_for_runs(&s, 3);
    assert_string_equal(s.runs, "hon");
    release(&hangs);
    end(&s);
    assert_string_equal(s.runs, "honb");
}

static void
test_jobs_without_a_key_run_side_by_side(void **state)
{
    struct stage s;
    struct task tasks[4] = {
        {.held = true}, {.held = true}, {.held = true}, {.held = true}};
    (void)state;
    start(&s, 4, 0);
    for (unsigned i = 0; i < 4; i++)
        submit(&s, NULL, &tasks[i], 'n');
    wait_for_runs(&s, 4);
    for (unsigned i = 0; i < 4; i++)
        release(&tasks[i]);
    end(&s);
    assert_int_equal(s.most_running, 4);
}

static void
test_threads_are_started_as_needed_up_to_the_limit(void **state)
{
    struct stage s;
    struct task tasks[5] = {{.retries = 0}};
    unsigned before = count_threads();
    (void)state;
    start(&s, 3, 0);
    assert_int_equal(count_threads() - before, 1);
    for (unsigned i = 0; i < 5; i++) {
        tasks[i].held = true;
        submit(&s, NULL, &tasks[i], 'n');
    }
    wait_for_runs(&s, 3);
    assert_int_equal(count_threads() - before, 3);
    for (unsigned i = 0; i < 5; i++)
        release(&tasks[i]);
    end(&s);
    assert_int_equal(s.n_runs, 5);
    assert_int_equal(s.most_running, 3);
}

/* With one thread: who has much to do does not make others wait for all. */
static void
test_keys_take_turns(void **state)
{
    struct stage s;
    struct task first = {.held = true};
    struct task tasks[5] = {{.retries = 0}};
    (void)state;
    start(&s, 1, 0);
    submit(&s, "one", &first, 'a');
    wait_for_runs(&s, 1);
    submit(&s, "one", &tasks[0], 'b');
    submit(&s, "one", &tasks[1], 'c');
    submit(&s, "two", &tasks[2], '1');
    submit(&s, "two", &tasks[3], '2');
    submit(&s, "three", &tasks[4], 'x');
    release(&first);
    end(&s);
    assert_string_equal(s.runs, "a1xb2c");
}

/* Jobs that hang leave a thread for those that are urgent, which go first. */
static void
test_urgent_jobs_go_first_and_find_a_thread(void **state)
{
    struct stage s;
    struct task hangs = {.held = true};
    struct task behind = {.retries = 0};
    struct task urgent = {.held = true, .job = {.urgent = true}};
    struct task more[2] = {{.job = {.urgent = true}}, {.retries = 0}};
    (void)state;
    start(&s, 2, 0);
    executor_keep_spare(s.executor);
    submit(&s, "one", &hangs, 'h');
    wait_for_runs(&s, 1);
    submit(&s, "two", &behind, 'b');
    submit(&s, "three", &urgent, 'u');
    wait_for_runs(&s, 2);
    assert_string_equal(s.runs, "hu");
    submit(&s, "four", &more[1], 'm');
    submit(&s, "five", &more[0], 'v');
    release(&urgent);
    wait_for_runs(&s, 3);
    assert_string_equal(s.runs, "huv");
    release(&hangs);
    end(&s);
    assert_string_equal(s.runs, "huvbm");
}

static void
test_oldest_gives_way_when_too_many_wait(void **state)
{
    struct stage s;
    struct task first = {.held = true};
    struct task tasks[5] = {{.retries = 0}};
    (void)state;
    start(&s, 1, 2);
    submit(&s, "one", &first, 'a');
    wait_for_runs(&s, 1);
    for (unsigned i = 0; i < 4; i++)
        submit(&s, "one", &tasks[i], (char)('b' + i));
    submit(&s, "two", &tasks[4], 'x');
    release(&first);
    end(&s);
    assert_string_equal(s.drops, "bccd");
    assert_string_equal(s.runs, "axde");
}

/* The same where none of the key runs. */
static void
test_oldest_in_the_list_gives_way(void **state)
{
    struct stage s;
    struct task first = {.held = true};
    struct task tasks[3] = {{.retries = 0}};
    (void)state;
    start(&s, 1, 1);
    submit(&s, "other", &first, 'a');
    wait_for_runs(&s, 1);
    submit(&s, "one", &tasks[0], 'b');
    submit(&s, "two", &tasks[1], 'x');
    submit(&s, "one", &tasks[2], 'c');
    release(&first);
    end(&s);
    assert_string_equal(s.drops, "bc");
    assert_string_equal(s.runs, "acx");
}

static void
test_retried_job_runs_before_those_that_came_since(void **state)
{
    struct stage s;
    struct task again = {.held = true, .retries = 2, .delay_ms = 1};
    struct task later = {.held = false};
    (void)state;
    start(&s, 4, 0);
    submit(&s, "one", &again, 'a');
    wait_for_runs(&s, 1);
    submit(&s, "one", &later, 'l');
    release(&again);
    wait_for_runs(&s, 4);
    end(&s);
    assert_string_equal(s.runs, "aaal");
    assert_string_equal(s.drops, "");
}

static void
test_retried_job_gives_way_to_a_later_one(void **state)
{
    struct stage s;
    struct task again = {.held = true, .retries = 1, .delay_ms = 3600000};
    struct task later = {.held = false};
    (void)state;
    start(&s, 4, 1);
    submit(&s, "one", &again, 'a');
    wait_for_runs(&s, 1);
    submit(&s, "one", &later, 'l');
    release(&again);
    wait_for_runs(&s, 2);
    end(&s);
    assert_string_equal(s.runs, "al");
    assert_string_equal(s.drops, "al");
}

static void
test_later_job_need_not_wait_for_a_delay(void **state)
{
    struct stage s;
    struct task again = {.retries = 1, .delay_ms = 3600000};
    struct task later = {.held = false};
    (void)state;
    start(&s, 4, 1);
    submit(&s, "one", &again, 'a');
    wait_for_runs(&s, 1);
    submit(&s, "one", &later, 'l');
    wait_for_runs(&s, 2);
    end(&s);
    assert_string_equal(s.runs, "al");
    assert_string_equal(s.drops, "al");
}

/* The only thread there is begins a job that hangs while the other is not due.
 */
static void
test_delayed_job_is_not_held_up_by_jobs_that_hang(void **state)
{
    struct stage s;
    struct task again = {.retries = 1, .delay_ms = 200};
    struct task hangs = {.held = true};
    (void)state;
    start(&s, 2, 0);
    poll(NULL, 0, 50); /* mostly enough for the thread to look for work */
    submit(&s, "one", &again, 'a');
    wait_for_runs(&s, 1);
    poll(NULL, 0, 50);
    submit(&s, "two", &hangs, 'h');
    wait_for_runs(&s, 3);
    release(&hangs);
    end(&s);
}

static void
test_job_that_waits_can_be_taken_back(void **state)
{
    struct stage s;
    struct task runs = {.held = true};
    struct task waits[4] = {{.retries = 0}};
    (void)state;
    start(&s, 1, 0);
    submit(&s, "one", &runs, 'a');
    wait_for_runs(&s, 1);
    submit(&s, "one", &waits[0], 'b'); /* behind one that runs */
    submit(&s, "two", &waits[1], 'c'); /* in the list */
    submit(&s, "two", &waits[2], 'd');
    submit(&s, NULL, &waits[3], 'e');
    assert_false(executor_cancel(s.executor, &runs.job));
    assert_true(executor_cancel(s.executor, &waits[0].job));
    assert_false(executor_cancel(s.executor, &waits[0].job));
    assert_true(executor_cancel(s.executor, &waits[1].job));
    assert_true(executor_cancel(s.executor, &waits[3].job));
    release(&runs);
    wait_for_runs(&s, 2);
    executor_when_idle(s.executor, on_idle, &s);
    wait_for_idle(&s, 1);
    assert_false(executor_cancel(s.executor, &waits[2].job));
    end(&s);
    assert_string_equal(s.runs, "ad");
    assert_string_equal(s.drops, "");
}

static void
test_idle_is_told_once_and_not_while_a_job_is_to_be_retried(void **state)
{
    struct stage s;
    struct task runs = {.held = true, .retries = 1, .delay_ms = 100};
    struct task other = {.held = false};
    (void)state;
    start(&s, 2, 0);
    executor_when_idle(s.executor, on_idle, &s);
    assert_int_equal(s.n_idle, 1);
    submit(&s, "one", &runs, 'a');
    wait_for_runs(&s, 1);
    executor_when_idle(s.executor, on_idle, &s);
    assert_int_equal(s.n_idle, 1);
    release(&runs);
    wait_for_idle(&s, 2);
    submit(&s, "one", &other, 'b');
    end(&s);
    assert_string_equal(s.runs, "aab");
    assert_int_equal(s.n_idle, 2);
}

/* With one thread: once the second job runs, the first waits again. */
static void
test_end_drops_what_waits(void **state)
{
    struct stage s;
    struct task again = {.retries = 1, .delay_ms = 3600000};
    struct task runs = {.held = true};
    struct task waits[2] = {{.retries = 0}};
    (void)state;
    start(&s, 1, 0);
    submit(&s, "one", &again, 'r');
    submit(&s, "two", &runs, 'a');
    wait_for_runs(&s, 2);
    submit(&s, "two", &waits[0], 'b');
    submit(&s, "two", &waits[1], 'c');
    assert_false(executor_destroy(s.executor, EXECUTOR_DROP, 0));
    assert_string_equal(s.drops, "r-b-c-");
    release(&runs);
    assert_true(executor_destroy(s.executor, EXECUTOR_DROP, EXECUTOR_NO_LIMIT));
    assert_string_equal(s.runs, "ra");
    assert_true(executor_destroy(NULL, EXECUTOR_DROP, 0));
}

/* A delay is over then, and nothing is tried again. */
static void
test_end_runs_what_waits_and_does_not_wait_for_ever(void **state)
{
    struct stage s;
    struct task again = {.retries = 1, .delay_ms = 3600000};
    struct task runs = {.held = true, .retries = 1, .delay_ms = 1};
    struct task waits = {.held = false};
    (void)state;
    start(&s, 1, 0);
    submit(&s, "one", &again, 'r');
    submit(&s, "two", &runs, 'a');
    wait_for_runs(&s, 2);
    submit(&s, "two", &waits, 'b');
    assert_false(executor_destroy(s.executor, EXECUTOR_DRAIN, 1));
    release(&runs);
    assert_true(
        executor_destroy(s.executor, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT));
    assert_string_equal(s.runs, "rarb");
    assert_string_equal(s.drops, "a-");
}

/* ---- all at once ---- */

#define KEYS 16u
#define SUBMITTERS 4u
#define EACH 500u

/* One key's jobs: their numbers must rise, and none may meet another. */
struct lane {
    char key[8];
    unsigned running;
    unsigned last;
    unsigned faults;
};

struct crowd_job {
    struct executor_job job; /* first */
    struct executor *executor;
    struct lane *lane;
    unsigned number;
    unsigned retries;
};

struct crowd {
    struct executor *executor;
    struct lane lanes[KEYS];
    struct crowd_job jobs[KEYS][EACH];
};

static void
run_in_crowd(struct executor_job *job)
{
    struct crowd_job *c = (struct crowd_job *)job;
    struct lane *lane = c->lane;
    /* Not atomic: it is the executor that keeps others off. */
    lane->faults += lane->running != 0;
    lane->running++;
    if (c->retries == 0) {
        lane->faults += c->number != lane->last + 1;
        lane->last = c->number;
    }
    lane->running--;
    if (c->retries > 0) {
        c->retries--;
        executor_retry(c->executor, job, c->number % 2);
    }
}

struct submitter {
    pthread_t thread;
    struct crowd *crowd;
    unsigned number;
};

static void *
submit_lanes(void *arg)
{
    const struct submitter *submitter = arg;
    struct crowd *crowd = submitter->crowd;
    for (unsigned i = 0; i < EACH; i++) {
        for (unsigned k = submitter->number; k < KEYS; k += SUBMITTERS)
            executor_submit(crowd->executor, crowd->lanes[k].key,
                            &crowd->jobs[k][i].job);
    }
    return NULL;
}

static void
fill_crowd(struct crowd *crowd)
{
    for (unsigned k = 0; k < KEYS; k++) {
        snprintf(crowd->lanes[k].key, sizeof(crowd->lanes[k].key), "%u", k);
        for (unsigned i = 0; i < EACH; i++)
            crowd->jobs[k][i] =
                (struct crowd_job){.job = {.run = run_in_crowd},
                                   .executor = crowd->executor,
                                   .lane = &crowd->lanes[k],
                                   .number = i + 1,
                                   .retries = (i + k) % 50 == 0};
    }
}

static void
test_many_threads_and_keys_lose_nothing(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    struct submitter submitters[SUBMITTERS];
    struct stage s = {.n_idle = 0};
    (void)state;
    pthread_mutex_init(&s.lock, NULL);
    clocks_init_cond(&s.changed);
    assert_done(executor_create(6, 0, &crowd->executor, &err), &err);
    fill_crowd(crowd);
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){.crowd = crowd, .number = i};
        assert_int_equal(pthread_create(&submitters[i].thread, NULL,
                                        submit_lanes, &submitters[i]),
                         0);
    }
    for (unsigned i = 0; i < SUBMITTERS; i++)
        pthread_join(submitters[i].thread, NULL);
    executor_when_idle(crowd->executor, on_idle, &s);
    wait_for_idle(&s, 1);
    assert_true(
        executor_destroy(crowd->executor, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT));
    for (unsigned k = 0; k < KEYS; k++) {
        assert_int_equal(crowd->lanes[k].last, EACH);
        assert_int_equal(crowd->lanes[k].faults, 0);
    }
    free(crowd);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_jobs_of_a_key_keep_their_order_and_never_meet),
        T(test_job_that_hangs_holds_up_its_own_key_only),
        T(test_jobs_without_a_key_run_side_by_side),
        T(test_threads_are_started_as_needed_up_to_the_limit),
        T(test_keys_take_turns),
        T(test_urgent_jobs_go_first_and_find_a_thread),
        T(test_oldest_gives_way_when_too_many_wait),
        T(test_oldest_in_the_list_gives_way),
        T(test_retried_job_runs_before_those_that_came_since),
        T(test_retried_job_gives_way_to_a_later_one),
        T(test_later_job_need_not_wait_for_a_delay),
        T(test_delayed_job_is_not_held_up_by_jobs_that_hang),
        T(test_job_that_waits_can_be_taken_back),
        T(test_idle_is_told_once_and_not_while_a_job_is_to_be_retried),
        T(test_end_drops_what_waits),
        T(test_end_runs_what_waits_and_does_not_wait_for_ever),
        T(test_many_threads_and_keys_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
