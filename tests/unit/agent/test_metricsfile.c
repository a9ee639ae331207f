/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The file with metrics: there, whole, up to date, and gone with its agent. */
#include "unit.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <sys/stat.h>

#include "metricsfile.h"
#include "stubagent.h"
#include "testdir.h"

#define TURNS_MAX 200000

struct fixture {
    char dir[64];
    char path[100];
    struct settings settings;
    struct log log;
    struct agent *agent;
    struct metricsfile *file;
    char text[65536];
};

static int
set_up(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    testdir_make(f->dir);
    snprintf(f->path, sizeof(f->path), "%s/memctxd.prom", f->dir);
    stubagent_settings(&f->settings, f->dir);
    f->log = (struct log){.level = LOG_LEVEL_ERROR};
    assert_done(
        agent_create(&f->settings, f->dir, true, &f->log, &f->agent, &err),
        &err);
    *state = f;
    return 0;
}

static bool
turn(struct fixture *f)
{
    bool alive = agent_turn(f->agent);
    if (f->file != NULL)
        metricsfile_look(f->file);
    return alive;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    agent_stop(f->agent);
    while (turn(f))
        ;
    agent_destroy(f->agent);
    metricsfile_destroy(f->file);
    assert_int_equal(access(f->path, F_OK), -1);
    testdir_remove(f->dir);
    free(f);
    return 0;
}

static void
start(struct fixture *f)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(metricsfile_create(f->path, f->agent, &f->log, &f->file, &err),
                &err);
}

static bool
says(struct fixture *f, const char *words)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, f->text, sizeof(f->text) - 1) : 0;
    f->text[n] = '\0';
    if (fd >= 0)
        close(fd);
    /* Whoever looks sees all of it. */
    assert_true(n == 0 || strstr(f->text, "memctx_domain_kernel_info") != NULL);
    return strstr(f->text, words) != NULL;
}

static void
turn_until(struct fixture *f, const char *words)
{
    for (unsigned i = 0; i < TURNS_MAX && !says(f, words); i++)
        turn(f);
    assert_true(says(f, words));
}

static void
test_change_is_in_the_file_soon(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    start(f);
    turn_until(f, "memctx_domains{state=\"ready\"} 1\n");
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
}

/* Whoever may write to the directory has put a link there. */
static void
test_nothing_is_written_through_a_link(void **state)
{
    struct fixture *f = *state;
    char link[120];
    char other[120];
    snprintf(link, sizeof(link), "%s.new", f->path);
    snprintf(other, sizeof(other), "%s/other", f->dir);
    close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(symlink(other, link), 0);
    start(f);
    turn_until(f, "memctx_domains");
    struct stat st;
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_size, 0);
}

static void
test_directory_that_comes_later(void **state)
{
    struct fixture *f = *state;
    char dir[80];
    snprintf(dir, sizeof(dir), "%s/later", f->dir);
    snprintf(f->path, sizeof(f->path), "%s/memctxd.prom", dir);
    start(f);
    for (unsigned i = 0; i < 200; i++)
        turn(f);
    assert_int_equal(mkdir(dir, 0755), 0);
    event_push(agent_queue(f->agent), event_create(EVENT_LISTED));
    turn_until(f, "memctx_domains");
}

static void
test_path_must_be_absolute(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(
        metricsfile_create("memctxd.prom", f->agent, &f->log, &f->file, &err),
        -1);
    assert_error(&err, MEMCTX_PERMANENT, "absolute path");
    assert_done(metricsfile_create("", f->agent, &f->log, &f->file, &err),
                &err);
    turn(f);
}

#define WITH_AGENT(test) \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_AGENT(test_change_is_in_the_file_soon),
        WITH_AGENT(test_nothing_is_written_through_a_link),
        WITH_AGENT(test_directory_that_comes_later),
        WITH_AGENT(test_path_must_be_absolute),
    };
    stubagent_prepare_loop(5);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
