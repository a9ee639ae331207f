/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The agent's files: what survives whom, and what is never believed. */
#include "unit.h"

#include "base/bytes.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "publish/statefile.h"

#define ONE "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define TWO "00000000-0000-0000-0000-000000000002"

struct fixture {
    char dir[64];
    int dirfd;
};

static int
set_up(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->dir, "/tmp/memctx-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_done(statefile_open_dir(f->dir, &f->dirfd, &err), &err);
    *state = f;
    return 0;
}

static bool
is_nobody(const char *uuid, void *arg)
{
    (void)uuid;
    (void)arg;
    return false;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    char path[128];
    statefile_clean(f->dirfd);
    statefile_forget_others(f->dirfd, is_nobody, NULL);
    close(f->dirfd);
    snprintf(path, sizeof(path), "%s/domains", f->dir);
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof(path), "%s/runs", f->dir);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

static bool
exists(const struct fixture *f, const char *name)
{
    return faccessat(f->dirfd, name, F_OK, 0) == 0;
}

static void
write_raw(const struct fixture *f, const char *name, const char *text)
{
    int fd = openat(f->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void
count_run(const struct fixture *f, const char *uuid, uint64_t instance,
          unsigned generation)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct statefile_run run = {.instance = instance,
                                      .generation = generation,
                                      .kernel = "linux 0x1000 6.1"};
    assert_done(statefile_count(f->dirfd, uuid, &run, &err), &err);
}

static void
test_datum_is_written_for_the_group_only(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    mode_t old = umask(0);
    assert_done(statefile_write(f->dirfd, ONE, "<memctx/>", NULL), NULL);
    umask(old);
    assert_int_equal(fstatat(f->dirfd, ONE ".xml", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    statefile_remove(f->dirfd, ONE);
    assert_false(exists(f, ONE ".xml"));
    statefile_remove(f->dirfd, ONE);
}

static void
test_count_survives_datum_and_agent(void **state)
{
    struct fixture *f = *state;
    statefile_write(f->dirfd, ONE, "<memctx/>", NULL);
    write_raw(f, ONE ".part", "half");
    write_raw(f, "../runs/" ONE ".part", "half");
    count_run(f, ONE, 12345678901, 7);
    count_run(f, ONE, 12345678901, 8);
    statefile_clean(f->dirfd);
    assert_false(exists(f, ONE ".xml"));
    assert_false(exists(f, ONE ".part"));
    assert_false(exists(f, "../runs/" ONE ".part"));
    struct statefile_run run = statefile_counted(f->dirfd, ONE, 12345678901);
    assert_int_equal(run.generation, 8);
    assert_int_equal(run.instance, 12345678901);
    assert_string_equal(run.kernel, "linux 0x1000 6.1");
}

/* What the next agent should know of a kernel that it has not seen. */
static void
test_clock_words_and_death_are_remembered(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct statefile_run run = {.instance = 5,
                                .generation = 2,
                                .kernel = "linux 0x1000 6.1",
                                .live = MEMCTX_LIVE_NO,
                                .died = true};
    run.words = (struct memctx_words){.per_second = 1000,
                                      .least = 17,
                                      .panic_gpa = 0x2000,
                                      .log_gpa = 0x3000,
                                      .log_bytes = 4,
                                      .n = MEMCTX_WORDS_MAX};
    for (size_t i = 0; i < MEMCTX_WORDS_MAX; i++)
        run.words.word[i] = (struct memctx_clock){8 * i, UINT64_MAX - i};
    assert_done(statefile_count(f->dirfd, ONE, &run, &err), &err);
    struct statefile_run again = statefile_counted(f->dirfd, ONE, 5);
    assert_string_equal(again.kernel, run.kernel);
    assert_int_equal(again.live, MEMCTX_LIVE_NO);
    assert_true(again.died);
    assert_memory_equal(&again.words, &run.words, sizeof(run.words));
}

/* An agent of an earlier version wrote one line. */
static void
test_note_without_words(void **state)
{
    static const struct {
        const char *text;
        unsigned generation;
    } rows[] = {
        {"5 7 linux 0x1000 6.1\n", 7},
        {"5 7 linux 0x1000 6.1\n0 0 0 0 0 0 0 0\n", 7},
        {"5 7 linux 0x1000 6.1\n3 0 0 0 0 0 0 0\n", 0},
        {"5 7 linux 0x1000 6.1\n0 0 0 0 0 0 0 1 8\n", 0},
        {"5 7 linux 0x1000 6.1\n0 0 0 0 0 0 0 9\n", 0},
        {"5 7 linux 0x1000 6.1\n0 x\n", 0},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        write_raw(f, "../runs/" ONE, rows[i].text);
        struct statefile_run run = statefile_counted(f->dirfd, ONE, 5);
        assert_int_equal(run.generation, rows[i].generation);
        assert_int_equal(run.words.n, 0);
        assert_false(run.died);
    }
}

static void
test_count_of_another_run_is_none(void **state)
{
    struct fixture *f = *state;
    count_run(f, ONE, 1, 7);
    assert_int_equal(statefile_counted(f->dirfd, ONE, 2).generation, 0);
    assert_int_equal(statefile_counted(f->dirfd, TWO, 1).generation, 0);
}

static void
test_count_that_is_none(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"", "1", "x 7", "1 x", "-1 -1"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_raw(f, "../runs/" ONE, texts[i]);
        assert_int_equal(statefile_counted(f->dirfd, ONE, 1).generation, 0);
    }
}

static void
test_kernel_that_a_reset_ended(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct statefile_run run = {.instance = 5, .generation = 2};
    assert_done(statefile_count(f->dirfd, ONE, &run, &err), &err);
    assert_int_equal(statefile_counted(f->dirfd, ONE, 5).generation, 2);
    assert_string_equal(statefile_counted(f->dirfd, ONE, 5).kernel, "");
}

static bool
is_one(const char *uuid, void *arg)
{
    assert_string_equal(arg, "arg");
    return strcmp(uuid, ONE) == 0;
}

static void
test_others_are_forgotten(void **state)
{
    struct fixture *f = *state;
    char arg[] = "arg";
    count_run(f, ONE, 1, 7);
    count_run(f, TWO, 1, 7);
    statefile_write(f->dirfd, TWO, "<memctx/>", NULL);
    write_raw(f, "notes.txt", "a person's");
    statefile_forget_others(f->dirfd, is_one, arg);
    assert_int_equal(statefile_counted(f->dirfd, ONE, 1).generation, 7);
    assert_false(exists(f, "../runs/" TWO));
    assert_false(exists(f, TWO ".xml"));
    assert_true(exists(f, "notes.txt"));
    unlinkat(f->dirfd, "notes.txt", 0);
}

static void
test_directory_that_cannot_be_written(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(statefile_write(-1, ONE, "<memctx/>", &err), -1);
    assert_error(&err, MEMCTX_RETRY, "cannot write " ONE ".xml");
}

static void
assert_refused(const char *dir, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    int dirfd = -1;
    assert_int_equal(statefile_open_dir(dir, &dirfd, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(dirfd, -1);
}

/* The directory itself, and each that is in it. */
static void
test_directory_that_others_can_write_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const parts[] = {"", "/runs", "/domains"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        char words[256];
        snprintf(path, sizeof(path), "%s%s", f->dir, parts[i]);
        snprintf(words, sizeof(words),
                 "%s has mode 0775: its group can write it; chmod go-w", path);
        assert_int_equal(chmod(path, 0775), 0);
        assert_refused(f->dir, words);
        assert_int_equal(chmod(path, 0777), 0);
        assert_refused(f->dir, "everybody can write it");
        assert_int_equal(chmod(path, 0755), 0);
    }
}

static void
test_link_is_no_directory(void **state)
{
    struct fixture *f = *state;
    char link[128];
    snprintf(link, sizeof(link), "%s/link", f->dir);
    assert_int_equal(symlink(f->dir, link), 0);
    assert_refused(link, "is a symbolic link, and must be a directory");
    unlink(link);
    write_raw(f, "../link", "");
    assert_refused(link, "is none, and must be a directory");
    unlink(link);
}

/* The unit's umask is 0077. */
static void
test_directories_have_their_modes_whatever_the_umask(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct fixture *f = *state;
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), "%s/domains", f->dir);
    close(f->dirfd);
    assert_int_equal(rmdir(path), 0);
    mode_t old = umask(0077);
    assert_done(statefile_open_dir(f->dir, &f->dirfd, &err), &err);
    umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_datum_is_written_for_the_group_only),
        TEST(test_count_survives_datum_and_agent),
        TEST(test_clock_words_and_death_are_remembered),
        TEST(test_note_without_words),
        TEST(test_count_of_another_run_is_none),
        TEST(test_count_that_is_none),
        TEST(test_kernel_that_a_reset_ended),
        TEST(test_others_are_forgotten),
        TEST(test_directory_that_cannot_be_written),
        TEST(test_directory_that_others_can_write_is_refused),
        TEST(test_link_is_no_directory),
        TEST(test_directories_have_their_modes_whatever_the_umask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
