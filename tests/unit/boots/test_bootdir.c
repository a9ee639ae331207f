/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Logs of kernels that have ended stay within their bounds, the oldest go
 * first, and nothing that a guest or the owner of a domain chose ends a head.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "boots/bootdir.h"
#include "testdir.h"

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define OTHER "6695eb01-f6a4-8304-79aa-97f2502e1940"

struct fixture {
    char dir[64];
    char path[96];
    int dirfd;
    struct bootdir_bounds bounds;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    testdir_make(f->dir);
    snprintf(f->path, sizeof(f->path), "%s/state/memctxd/boots", f->dir);
    f->bounds = (struct bootdir_bounds){.boots = 3, .bytes = 1 << 20};
    assert_done(bootdir_open(f->path, true, &f->dirfd, &f->err), &f->err);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    close(f->dirfd);
    testdir_remove(f->dir);
    test_free(f);
    return 0;
}

static struct bootlog
log_of(const char *uuid, unsigned generation)
{
    struct bootlog log = {.domain = "web1",
                          .run = 0x1a2b,
                          .generation = generation,
                          .kernel = "linux 6.1.0",
                          .ended = "2026-11-22T13:40:00Z",
                          .end = "reset",
                          .records = 1};
    snprintf(log.uuid, sizeof(log.uuid), "%s", uuid);
    return log;
}

static void
put(struct fixture *f, const struct bootlog *log, const char *lines)
{
    assert_done(
        bootdir_put(f->dirfd, log, lines, strlen(lines), &f->bounds, &f->err),
        &f->err);
    /* Files are told apart by when they were written. */
    usleep(2000);
}

static void
put_generation(struct fixture *f, const char *uuid, unsigned generation)
{
    const struct bootlog log = log_of(uuid, generation);
    put(f, &log, "<6>[    0.000000] Linux version\n");
}

/* Of those that are there, oldest first: "1 2 3". */
static const char *
generations(struct fixture *f, char text[256])
{
    struct bootdir_entry *entries;
    size_t n;
    size_t len = 0;
    text[0] = '\0';
    assert_done(bootdir_list(f->dirfd, &entries, &n, &f->err), &f->err);
    for (size_t i = 0; i < n; i++) {
        struct bootlog log;
        assert_done(bootdir_read(f->dirfd, entries[i].name, &log, NULL, NULL,
                                 NULL, &f->err),
                    &f->err);
        len += (size_t)snprintf(text + len, 256 - len, "%s%u", i > 0 ? " " : "",
                                (unsigned)log.generation);
    }
    free(entries);
    return text;
}

static void
test_log_comes_back_as_it_was_put(void **state)
{
    struct fixture *f = *state;
    struct bootlog log = log_of(UUID, 4);
    struct bootlog got;
    char name[BOOTLOG_NAME_SIZE];
    char *bytes;
    size_t len;
    size_t begin;
    struct stat st;
    snprintf(log.missing, sizeof(log.missing), "what is missing");
    bootlog_name(&log, name);
    assert_string_equal(name, UUID ".1a2b.4.log");
    assert_true(bootlog_is_name(name));
    put(f, &log, "<6>[    0.000000] # end: never\n");
    assert_done(
        bootdir_read(f->dirfd, name, &got, &bytes, &len, &begin, &f->err),
        &f->err);
    assert_memory_equal(&got, &log, sizeof(log));
    assert_string_equal(bytes + begin, "<6>[    0.000000] # end: never\n");
    assert_int_equal(fstatat(f->dirfd, name, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    free(bytes);
}

/* A later head has lines that this memctxd does not know. */
static void
test_head_is_believed_as_a_whole_or_not(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "#\n",
        "# memctxd: the log of a kernel that has ended\n",
        "# memctxd: the log of a kernel that has ended\n<6>[ 1.0] x\n#\n",
        "# memctxd: the log of a kernel that has ended\n# records: -1\n#\n",
        ("# memctxd: the log of a kernel that has ended\n# end: "
         "a word that is far too long\n#\n")};
    static const char later[] =
        "# memctxd: the log of a kernel that has ended\n"
        "# weather: fine\n# records: 7\n#\nrest";
    struct bootlog log;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    size_t head;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(
            bootlog_parse(wrong[i], strlen(wrong[i]), &log, &head, &err), -1);
    assert_done(bootlog_parse(later, strlen(later), &log, &head, &err), &err);
    assert_int_equal(log.records, 7);
    assert_string_equal(later + head, "rest");
}

/* Who names a domain, or a guest, writes no line of a head. */
static void
test_names_end_no_line_of_a_head(void **state)
{
    (void)state;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct bootlog log = log_of(UUID, 1);
    struct bootlog got;
    size_t head;
    snprintf(log.domain, sizeof(log.domain), "web\n# end: stopped\n#\n\x1b[2J");
    bootlog_add_head(&text, &log);
    assert_done(bootlog_parse(text.bytes, text.len_bytes, &got, &head, &err),
                &err);
    assert_string_equal(got.end, "reset");
    assert_string_equal(got.domain,
                        "web\\x0a# end: stopped\\x0a#\\x0a\\x1b[2J");
    assert_int_equal(head, text.len_bytes);
    memctx_text_deinit(&text);
}

static void
test_oldest_of_a_domain_makes_room(void **state)
{
    struct fixture *f = *state;
    char text[256];
    put_generation(f, OTHER, 9);
    for (unsigned i = 1; i <= 5; i++)
        put_generation(f, UUID, i);
    assert_string_equal(generations(f, text), "9 3 4 5");
    /* Once more the same kernel, which is one boot. */
    put_generation(f, UUID, 5);
    assert_string_equal(generations(f, text), "9 3 4 5");
    f->bounds.boots = 1;
    put_generation(f, UUID, 6);
    assert_string_equal(generations(f, text), "9 6");
}

static void
test_oldest_of_all_makes_room(void **state)
{
    struct fixture *f = *state;
    struct bootlog log = log_of(OTHER, 1);
    char text[256];
    char *lines = test_calloc(1, 40001);
    memset(lines, 'x', 40000);
    f->bounds.bytes = 100000;
    put(f, &log, lines);
    log = log_of(UUID, 2);
    put(f, &log, lines);
    assert_string_equal(generations(f, text), "1 2");
    log = log_of(UUID, 3);
    put(f, &log, lines);
    assert_string_equal(generations(f, text), "2 3");
    test_free(lines);
}

/* A log that was taken when the kernel stood is better than what is left of it
 * when the next kernel has overwritten half of it. How it ended is news. */
static void
test_lines_of_more_records_stay(void **state)
{
    struct fixture *f = *state;
    struct bootlog log = log_of(UUID, 1);
    struct bootlog got;
    char name[BOOTLOG_NAME_SIZE];
    char *bytes;
    size_t len;
    size_t begin;
    bootlog_name(&log, name);
    log.records = 2;
    put(f, &log, "<6>[    0.000000] a\n<6>[    0.000000] b\n");
    log.records = 1;
    snprintf(log.end, sizeof(log.end), "replaced");
    snprintf(log.missing, sizeof(log.missing), "most of it");
    put(f, &log, "<6>[    0.000000] b\n");
    assert_done(
        bootdir_read(f->dirfd, name, &got, &bytes, &len, &begin, &f->err),
        &f->err);
    assert_int_equal(got.records, 2);
    assert_string_equal(got.missing, "");
    assert_string_equal(got.end, "replaced");
    assert_string_equal(bytes + begin,
                        "<6>[    0.000000] a\n<6>[    0.000000] b\n");
    free(bytes);
}

static void
test_what_is_not_ours_stays(void **state)
{
    struct fixture *f = *state;
    char text[256];
    assert_int_equal(symlinkat("/etc/passwd", f->dirfd, UUID ".1.1.log"), 0);
    assert_int_equal(mkdirat(f->dirfd, UUID ".1.2.log", 0700), 0);
    assert_int_equal(mkdirat(f->dirfd, "notes", 0700), 0);
    f->bounds.boots = 1;
    put_generation(f, UUID, 3);
    put_generation(f, UUID, 4);
    assert_string_equal(generations(f, text), "4");
    assert_int_equal(unlinkat(f->dirfd, "notes", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(f->dirfd, UUID ".1.1.log", 0), 0);
}

static void
test_directory_of_others_is_refused(void **state)
{
    struct fixture *f = *state;
    int fd;
    assert_int_equal(chmod(f->path, 0777), 0);
    assert_int_equal(bootdir_open(f->path, true, &fd, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_PERMANENT);
    strcat(f->path, "x");
    assert_int_equal(bootdir_open(f->path, false, &fd, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_GONE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_log_comes_back_as_it_was_put),
        T(test_head_is_believed_as_a_whole_or_not),
        T(test_names_end_no_line_of_a_head),
        T(test_oldest_of_a_domain_makes_room),
        T(test_oldest_of_all_makes_room),
        T(test_lines_of_more_records_stay),
        T(test_what_is_not_ours_stays),
        T(test_directory_of_others_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
