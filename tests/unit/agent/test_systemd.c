/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The agent as a unit of systemd, whose socket is the test's: what it is told,
 * and that nothing but the event loop feeds its watchdog. */
#include "unit.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <sys/wait.h>

#include "systemd.h"
#include "common/journal.h"
#include "common/notify.h"
#include "datagrams.h"
#include "stubagent.h"
#include "testdir.h"

#define TURNS_MAX 200000

struct fixture {
    char dir[64];
    struct datagrams manager;
    struct settings settings;
    struct log log;
    struct notify notify;
    struct agent *agent;
    struct systemd *systemd;
};

static void
start(struct fixture *f, const char *watchdog_usec)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    setenv("NOTIFY_SOCKET", f->manager.path, 1);
    if (watchdog_usec != NULL)
        setenv("WATCHDOG_USEC", watchdog_usec, 1);
    notify_init(&f->notify);
    assert_done(
        agent_create(&f->settings, f->dir, true, &f->log, &f->agent, &err),
        &err);
    assert_done(systemd_create(&f->notify, f->agent, &f->systemd, &err), &err);
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    testdir_make(f->dir);
    datagrams_init(&f->manager);
    stubagent_settings(&f->settings, f->dir);
    f->log = (struct log){.level = LOG_LEVEL_ERROR};
    *state = f;
    return 0;
}

static bool
turn(struct fixture *f)
{
    bool alive = agent_turn(f->agent);
    systemd_look(f->systemd);
    return alive;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->agent != NULL) {
        struct agent_view view;
        agent_look(f->agent, &view);
        if (!view.is_stopping)
            agent_stop(f->agent);
        while (turn(f))
            ;
        systemd_destroy(f->systemd);
        agent_destroy(f->agent);
        notify_deinit(&f->notify);
    }
    datagrams_deinit(&f->manager);
    testdir_remove(f->dir);
    free(f);
    return 0;
}

/* The next words to the manager that contain these. */
static void
turn_until_told(struct fixture *f, const char *words)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        while (datagrams_take(&f->manager)) {
            if (strstr(f->manager.last, words) != NULL)
                return;
        }
        turn(f);
    }
    fail_msg("the manager is not told: %s", words);
}

static void
test_ready_when_the_list_is_under_way(void **state)
{
    struct fixture *f = *state;
    struct agent_view view;
    start(f, NULL);
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        agent_look(f->agent, &view);
        if (view.is_connected)
            break;
        assert_false(datagrams_take(&f->manager));
        turn(f);
    }
    turn_until_told(f, "READY=1\n");
    turn_until_told(f, "STATUS=1 domain: 1 ready");
    agent_stop(f->agent);
    turn(f);
    turn_until_told(f, "STOPPING=1");
}

/* libvirt that is not there, and may come later, fails no start. */
static void
test_ready_without_libvirt(void **state)
{
    struct fixture *f = *state;
    strcpy(f->settings.uri, "qemu:///system?socket=/nowhere");
    start(f, NULL);
    turn_until_told(f, "READY=1\nSTATUS=libvirt is away; 0 domains");
}

static void
test_reload_is_told_from_beginning_to_end(void **state)
{
    struct fixture *f = *state;
    start(f, NULL);
    turn_until_told(f, "READY=1");
    datagrams_count(&f->manager, "");
    systemd_reloading(f->systemd);
    assert_true(datagrams_take(&f->manager));
    unsigned long long us;
    assert_int_equal(
        sscanf(f->manager.last, "RELOADING=1\nMONOTONIC_USEC=%llu", &us), 1);
    assert_true(us > 0);
    systemd_reloaded(f->systemd);
    assert_true(datagrams_take(&f->manager));
    assert_non_null(strstr(f->manager.last, "READY=1\n"));
}

/* A guest in a boot loop must not make the manager busy: whatever changes
 * within a second is one status. */
static void
test_status_comes_once_a_second(void **state)
{
    struct fixture *f = *state;
    struct agent_view view;
    start(f, NULL);
    turn_until_told(f, "STATUS=1 domain: 1 ready");
    agent_look(f->agent, &view);
    uint64_t before = view.changes;
    for (unsigned i = 0; i < 50; i++) {
        struct event *event = event_create(EVENT_LISTED);
        event_push(agent_queue(f->agent), event);
        turn(f);
    }
    agent_look(f->agent, &view);
    assert_true(view.changes >= before + 50);
    turn_until_told(f, "STATUS=");
    assert_true(datagrams_count(&f->manager, "STATUS=") <= 1);
}

/* Threads of the agent go on while the loop stands: none of them may say that
 * all is well. */
static void
test_loop_alone_feeds_the_watchdog(void **state)
{
    struct fixture *f = *state;
    start(f, "100000");
    turn_until_told(f, "READY=1");
    turn_until_told(f, "WATCHDOG=1");
    datagrams_count(&f->manager, "");
    usleep(400000); /* the loop stands for four times the limit */
    assert_int_equal(datagrams_count(&f->manager, "WATCHDOG=1"), 0);
    turn_until_told(f, "WATCHDOG=1");
}

/* Turn until the journal has an entry of this kind; it must have the domain,
 * and this state, or none where that is "". */
static void
turn_until_logged(struct fixture *f, struct datagrams *journal,
                  enum log_kind kind, const char *state)
{
    const char *id = log_kind_row(kind)->id;
    char field[64];
    size_t len = (size_t)snprintf(
        field, sizeof(field), "MEMCTX_STATE\n%c%c%c%c%c%c%c%c%s\n",
        (int)strlen(state), 0, 0, 0, 0, 0, 0, 0, state);
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        while (datagrams_take(journal)) {
            if (memmem(journal->last, journal->len, id, 32) == NULL)
                continue;
            assert_int_equal(memmem(journal->last, journal->len, field, len) !=
                                 NULL,
                             state[0] != '\0');
            assert_non_null(memmem(journal->last, journal->len,
                                   "MEMCTX_DOMAIN\n\4\0\0\0\0\0\0\0test\n",
                                   27));
            return;
        }
        turn(f);
    }
    fail_msg("no entry of kind %u", (unsigned)kind);
}

/* Who asks the journal when a domain had a datum finds both ends, also the one
 * that the agent brings about by its own end. */
static void
test_journal_tells_of_gain_and_loss(void **state)
{
    struct fixture *f = *state;
    struct datagrams journal;
    datagrams_init(&journal);
    struct log_journal to = {.fd = journal_connect(journal.path)};
    f->log = (struct log){.level = LOG_LEVEL_INFO, .journal = &to};
    start(f, NULL);
    turn_until_logged(f, &journal, LOG_KIND_GAINED, "ready");
    agent_stop(f->agent);
    turn_until_logged(f, &journal, LOG_KIND_LOST, "");
    while (turn(f))
        ;
    f->log.journal = NULL;
    close(to.fd);
    datagrams_deinit(&journal);
}

static void
wait_for(struct datagrams *manager, const char *words)
{
    wait_until(datagrams_take(manager) && strstr(manager->last, words) != NULL);
}

/* memctxd itself, as systemd starts it. */
static pid_t
run_memctxd(const struct fixture *f)
{
    const char *build = getenv("MEMCTX_BUILDDIR");
    char program[512];
    snprintf(program, sizeof(program), "%s/memctxd",
             build != NULL ? build : ".");
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    setenv("NOTIFY_SOCKET", f->manager.path, 1);
    setenv("WATCHDOG_USEC", "100000", 1);
    /* There are no hooks in it. */
    setenv("XDG_CONFIG_HOME", f->dir, 1);
    execl(program, program, "-c", "test:///default", "--stub", "--config",
          "/dev/null", "--runtime-dir", f->dir, NULL);
    _exit(127);
}

static void
test_stopped_process_is_noticed(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t pid = run_memctxd(f);
    wait_for(&f->manager, "READY=1");
    wait_for(&f->manager, "WATCHDOG=1");
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    datagrams_count(&f->manager, "");
    usleep(400000);
    assert_int_equal(datagrams_count(&f->manager, "WATCHDOG=1"), 0);
    kill(pid, SIGCONT);
    wait_for(&f->manager, "WATCHDOG=1");
    kill(pid, SIGHUP);
    wait_for(&f->manager, "RELOADING=1\nMONOTONIC_USEC=");
    wait_for(&f->manager, "READY=1");
    kill(pid, SIGTERM);
    wait_for(&f->manager, "STOPPING=1");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ready_when_the_list_is_under_way,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ready_without_libvirt, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_reload_is_told_from_beginning_to_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_status_comes_once_a_second, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_loop_alone_feeds_the_watchdog,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_journal_tells_of_gain_and_loss,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped_process_is_noticed, set_up,
                                        tear_down),
    };
    stubagent_prepare_loop(5);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
