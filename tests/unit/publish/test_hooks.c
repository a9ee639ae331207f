/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Hook programs are shell scripts that the tests write; what they saw stands in
 * files. Programs that misbehave hold up nobody but their own domain. */
#include "unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ambient.h"
#include "publish/hooks.h"
#include "sandbox/capabilities.h"
#include "logpipe.h"
#include "testclock.h"
#include "testdir.h"

#define ONE "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define TWO "00000000-0000-0000-0000-000000000002"

struct fixture {
    char dir[64];
    char hooks_dir[80];
    struct spawner *spawner;
    struct hooks *hooks;
    struct memctx_datum datum;
    struct memctx_datum_extent extent;
    struct log log;
    struct logpipe logpipe;
};

static void
create(struct fixture *f, uint64_t timeout_ms)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(hooks_create(f->hooks_dir, timeout_ms, f->spawner, &f->log,
                             &f->hooks, &err),
                &err);
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->dir, "/tmp/memctx-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->hooks_dir, sizeof(f->hooks_dir), "%s/hooks.d", f->dir);
    assert_int_equal(mkdir(f->hooks_dir, 0755), 0);
    f->extent = (struct memctx_datum_extent){.size = 0x1000, .backend = "ram"};
    f->datum =
        (struct memctx_datum){.generation = 3,
                              .low = 0x1000,
                              .ram_size = 0x1000,
                              .extents = &f->extent,
                              .n_extents = 1,
                              .kernel = {.os = MEMCTX_OS_LINUX,
                                         .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                         .kcr3 = 0x2000,
                                         .base_gva = 0xffffffff81000000,
                                         .version = "6.1"}};
    f->log = (struct log){.level = LOG_LEVEL_INFO};
    logpipe_init(&f->logpipe);
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(spawner_create(&f->spawner, &err), &err);
    create(f, 60000);
    *state = f;
    return 0;
}

/* Wait for everything; a minute is for a machine that stands still. */
static void
settle(struct fixture *f)
{
    assert_true(hooks_destroy(f->hooks, 60000));
    f->hooks = NULL;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    testclock_start();
    hooks_destroy(f->hooks, 60000);
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    logpipe_deinit(&f->logpipe);
    testdir_remove(f->dir);
    free(f);
    return 0;
}

/* A program that runs this shell command with the test's directory in $D. */
static void
add_program(struct fixture *f, const char *name, mode_t mode,
            const char *command)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", f->hooks_dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nD=%s\n%s\n", f->dir, command);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void
run(struct fixture *f, const char *uuid, enum hooks_what what,
    unsigned generation)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    f->datum.generation = generation;
    assert_done(hooks_run(f->hooks, uuid, "web 1", what, &f->datum, NULL, &err),
                &err);
}

/* A log that is kept a moment after its hook was asked for, or never. */
struct kept {
    struct hooks_file file; /* first */
    const char *path;       /* NULL: never */
    unsigned dropped;
};

static bool
await_kept(struct hooks_file *file, char *path, size_t size)
{
    const struct kept *kept = (struct kept *)file;
    if (kept->path != NULL)
        snprintf(path, size, "%s", kept->path);
    return kept->path != NULL;
}

static void
drop_kept(struct hooks_file *file)
{
    ((struct kept *)file)->dropped++;
}

static const char *
read_result(const struct fixture *f, const char *name, char text[4096])
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    FILE *file = fopen(path, "r");
    text[file != NULL ? fread(text, 1, 4095, file) : 0] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

static bool
exists(const struct fixture *f, const char *name)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    return access(path, F_OK) == 0;
}

/* Let a program go on that waits for this. */
static void
touch(const struct fixture *f, const char *name)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    close(open(path, O_CREAT | O_WRONLY, 0600));
}

static bool
logged(struct fixture *f, const char *words)
{
    return logpipe_count(&f->logpipe, words) > 0;
}

static void
test_arguments_input_and_environment(void **state)
{
    struct fixture *f = *state;
    char text[4096];
    add_program(f, "10-all", 0755,
                "echo \"$#|$1|$2|$3\" > $D/args; cat > $D/input; env > $D/env");
    setenv("SECRET", "of the agent", 1);
    run(f, ONE, HOOKS_READY, 7);
    settle(f);
    assert_string_equal(read_result(f, "args", text), "3|web 1|ready|7\n");
    read_result(f, "input", text);
    assert_non_null(strstr(text, "<kcr3>0x2000</kcr3>"));
    assert_non_null(strstr(text, "0xffffffff81000000")); /* private */
    read_result(f, "env", text);
    assert_non_null(strstr(text, "MEMCTX_UUID=" ONE));
    assert_non_null(strstr(text, "LC_ALL=C"));
    assert_null(strstr(text, "SECRET"));
}

/* Root's program gets what the bounding set leaves, another user's the ambient
 * capabilities: neither is for it. */
static void
test_program_has_no_capability(void **state)
{
    struct fixture *f = *state;
    char text[4096];
    raise_ambient();
    add_program(f, "10-all", 0755,
                "grep -E '^(Cap|NoNewPrivs)' /proc/self/status > $D/status");
    run(f, ONE, HOOKS_READY, 7);
    settle(f);
    capabilities_clear_ambient();
    read_result(f, "status", text);
    assert_non_null(strstr(text, "CapInh:\t0000000000000000\n"));
    assert_non_null(strstr(text, "CapPrm:\t0000000000000000\n"));
    assert_non_null(strstr(text, "CapEff:\t0000000000000000\n"));
    assert_non_null(strstr(text, "CapAmb:\t0000000000000000\n"));
    assert_non_null(strstr(text, "NoNewPrivs:\t1\n"));
}

static void
test_programs_run_by_name_and_events_in_order(void **state)
{
    struct fixture *f = *state;
    char text[4096];
    add_program(f, "20-b", 0755, "echo b$2$3 >> $D/order");
    add_program(f, "10-a", 0755, "sleep 0.02; echo a$2$3 >> $D/order");
    run(f, ONE, HOOKS_READY, 1);
    run(f, ONE, HOOKS_LOST, 1);
    run(f, ONE, HOOKS_READY, 2);
    settle(f);
    assert_string_equal(read_result(f, "order", text),
                        "aready1\nbready1\nalost1\nblost1\naready2\nbready2\n");
}

/* The datum on standard input says the same as the environment. */
static void
test_a_kernel_that_does_not_run(void **state)
{
    static const struct {
        enum memctx_datum_live live;
        const char *told;
    } rows[] = {
        {MEMCTX_LIVE_NO, "silent 4 no 1\n"},
        {MEMCTX_LIVE_UNKNOWN, "silent 4 unknown 1\n"},
        {MEMCTX_LIVE_RUNS, "ready 4 absent 0\n"},
    };
    struct fixture *f = *state;
    char text[4096];
    char all[4096] = "";
    add_program(f, "tells", 0755,
                "echo $2 $3 ${MEMCTX_LIVE-absent} "
                "$(grep -c \" live=\\\"$MEMCTX_LIVE\\\"\") >> $D/told");
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        f->datum.live = rows[i].live;
        run(f, ONE,
            rows[i].live == MEMCTX_LIVE_RUNS ? HOOKS_READY : HOOKS_SILENT, 4);
        strcat(all, rows[i].told);
    }
    settle(f);
    assert_string_equal(read_result(f, "told", text), all);
}

static void
test_what_is_no_program_is_passed_over(void **state)
{
    struct fixture *f = *state;
    char path[160];
    add_program(f, "readme", 0644, "touch $D/no1");
    add_program(f, ".hidden", 0755, "touch $D/no2");
    snprintf(path, sizeof(path), "%s/directory", f->hooks_dir);
    assert_int_equal(mkdir(path, 0755), 0);
    add_program(f, "yes", 0755, "touch $D/yes");
    run(f, ONE, HOOKS_READY, 1);
    settle(f);
    assert_true(exists(f, "yes"));
    assert_false(exists(f, "no1"));
    assert_false(exists(f, "no2"));
}

static void
test_program_that_others_can_write_is_not_run(void **state)
{
    struct fixture *f = *state;
    add_program(f, "theirs", 0775, "touch $D/no");
    run(f, ONE, HOOKS_READY, 1);
    settle(f);
    assert_false(exists(f, "no"));
    assert_true(logged(f, "hook theirs is not run"));
}

static void
test_directory_that_others_can_write_is_not_used(void **state)
{
    struct fixture *f = *state;
    add_program(f, "ours", 0755, "touch $D/no");
    assert_int_equal(chmod(f->hooks_dir, 0777), 0);
    run(f, ONE, HOOKS_READY, 1);
    settle(f);
    assert_false(exists(f, "no"));
    assert_true(logged(f, "no hooks are run"));
}

static void
test_no_directory_is_no_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rmdir(f->hooks_dir), 0);
    run(f, ONE, HOOKS_READY, 1);
    settle(f);
    assert_false(logged(f, "hook"));
    assert_int_equal(mkdir(f->hooks_dir, 0755), 0);
}

static void
test_output_and_status_are_logged(void **state)
{
    struct fixture *f = *state;
    add_program(f, "talks", 0755, "echo out; echo err >&2; exit 3");
    add_program(f, "unfit", 0755, "kill -SEGV $$");
    run(f, ONE, HOOKS_READY, 1);
    settle(f);
    char text[16384] = "";
    assert_true(read(f->logpipe.fds[0], text, sizeof(text) - 1) > 0);
    assert_non_null(strstr(text, "hook: \"out\"\n"));
    assert_non_null(strstr(text, "hook: \"err\"\n"));
    assert_non_null(strstr(text, "hook talks ready: ended with status 3"));
    assert_non_null(strstr(text, "hook unfit ready: ended by signal 11"));
}

static void
test_program_that_hangs_is_killed(void **state)
{
    struct fixture *f = *state;
    settle(f);
    create(f, 100);
    add_program(f, "hangs", 0755, "exec sleep 1000");
    run(f, ONE, HOOKS_READY, 1);
    settle(f);
    assert_true(logged(f, "hook hangs ready: killed after 100 ms"));
}

/* Whoever inherited it may not have reaped it yet. */
static bool
has_died(int pid)
{
    char path[32];
    char byte;
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    int fd = open(path, O_RDONLY);
    bool dead = fd < 0 || read(fd, &byte, 1) <= 0;
    if (fd >= 0)
        close(fd);
    return dead;
}

/* It hangs before its time is over, however slow the machine is: the test
 * alone moves the clock. The program after it has all its time. */
static void
test_group_of_a_program_is_killed_and_the_next_runs(void **state)
{
    struct fixture *f = *state;
    char text[4096];
    add_program(f, "hangs", 0755,
                "sleep 1000 & echo $! > $D/pid; echo hanging\n"
                "while [ ! -e $D/go ]; do sleep 0.01; done; echo; wait");
    add_program(f, "next", 0755, "touch $D/next");
    testclock_stop();
    run(f, ONE, HOOKS_READY, 1);
    /* Who logs what it prints has looked at the clock. */
    wait_until(logged(f, "hook: \"hanging"));
    testclock_add_us(60000000);
    touch(f, "go"); /* what it prints wakes who waits for its end */
    settle(f);
    assert_true(exists(f, "next"));
    assert_true(logged(f, "hook hangs ready: killed after 60000 ms"));
    int pid = atoi(read_result(f, "pid", text));
    assert_true(pid > 0);
    wait_until(has_died(pid));
}

static void
test_background_of_a_program_is_left_alone(void **state)
{
    struct fixture *f = *state;
    add_program(f, "starts", 0755,
                "{ while [ ! -e $D/go ]; do sleep 0.01; done;"
                " touch $D/went; } &");
    run(f, ONE, HOOKS_READY, 1);
    settle(f);
    assert_false(exists(f, "went"));
    touch(f, "go");
    wait_until(exists(f, "went"));
}

/* Far more than a pipe holds, in both directions. */
static void
test_input_not_read_and_much_output(void **state)
{
    struct fixture *f = *state;
    add_program(f, "floods", 0755,
                "head -c 1000000 /dev/zero | tr '\\0' x; touch $D/end");
    f->log.level = LOG_LEVEL_ERROR; /* nobody reads the log meanwhile */
    run(f, ONE, HOOKS_READY, 1);
    settle(f);
    assert_true(exists(f, "end"));
}

static void
test_slow_domain_holds_up_no_other(void **state)
{
    struct fixture *f = *state;
    add_program(f, "waits", 0755,
                "if [ $MEMCTX_UUID = " ONE " ]; then"
                " while [ ! -e $D/go ]; do sleep 0.01; done; fi;"
                " touch $D/$MEMCTX_UUID");
    run(f, ONE, HOOKS_READY, 1);
    run(f, TWO, HOOKS_READY, 1);
    wait_until(exists(f, TWO));
    assert_false(exists(f, ONE));
    touch(f, "go");
    settle(f);
    assert_true(exists(f, ONE));
}

static void
test_domain_that_lags_behind_loses_the_oldest(void **state)
{
    struct fixture *f = *state;
    char text[4096];
    add_program(f, "waits", 0755,
                "touch $D/began; while [ ! -e $D/go ]; do sleep 0.01; done;"
                " echo $3 >> $D/told");
    run(f, ONE, HOOKS_READY, 1);
    wait_until(exists(f, "began"));
    for (unsigned i = 2; i <= 20; i++)
        run(f, ONE, HOOKS_READY, i);
    assert_true(logged(f, "hooks are too slow"));
    touch(f, "go");
    settle(f);
    assert_string_equal(
        read_result(f, "told", text),
        "1\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n");
}

static void
test_end_does_not_wait_for_ever(void **state)
{
    struct fixture *f = *state;
    add_program(f, "waits", 0755,
                "touch $D/began; while [ ! -e $D/go ]; do sleep 0.01; done");
    run(f, ONE, HOOKS_READY, 1);
    wait_until(exists(f, "began"));
    struct hooks *hooks = f->hooks;
    assert_false(hooks_destroy(hooks, 1));
    /* Its thread still uses it: now let it end, and wait for that. */
    touch(f, "go");
    settle(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
test_log_of_the_kernel_is_told(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char text[4096];
    struct kept there = {{await_kept, drop_kept}, "/var/lib/a log", 0};
    struct kept never = {{await_kept, drop_kept}, NULL, 0};
    add_program(f, "10-log", 0755, "echo \"<${MEMCTX_LOG-none}>\" >> $D/out");
    assert_done(hooks_run(f->hooks, "uuid", "web 1", HOOKS_LOST, &f->datum,
                          &there.file, &err),
                &err);
    assert_done(hooks_run(f->hooks, "uuid", "web 1", HOOKS_SILENT, &f->datum,
                          &never.file, &err),
                &err);
    run(f, "uuid", HOOKS_READY, 2);
    settle(f);
    assert_string_equal(read_result(f, "out", text),
                        "</var/lib/a log>\n<none>\n<none>\n");
    assert_int_equal(there.dropped, 1);
    assert_int_equal(never.dropped, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_arguments_input_and_environment),
        TEST(test_log_of_the_kernel_is_told),
        TEST(test_program_has_no_capability),
        TEST(test_programs_run_by_name_and_events_in_order),
        TEST(test_a_kernel_that_does_not_run),
        TEST(test_what_is_no_program_is_passed_over),
        TEST(test_program_that_others_can_write_is_not_run),
        TEST(test_directory_that_others_can_write_is_not_used),
        TEST(test_no_directory_is_no_error),
        TEST(test_output_and_status_are_logged),
        TEST(test_program_that_hangs_is_killed),
        TEST(test_group_of_a_program_is_killed_and_the_next_runs),
        TEST(test_background_of_a_program_is_left_alone),
        TEST(test_input_not_read_and_much_output),
        TEST(test_slow_domain_holds_up_no_other),
        TEST(test_domain_that_lags_behind_loses_the_oldest),
        TEST(test_end_does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
