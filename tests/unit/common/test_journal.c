/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Entries for a journal that is a socket of the test's. */
#include "unit.h"

#include <sys/stat.h>

#include "base/bytes.h"
#include "common/journal.h"
#include "common/log.h"
#include "datagrams.h"
#include "logpipe.h"

struct fixture {
    struct datagrams journal;
    struct log_journal to;
    struct log log;
    struct logpipe pipe;
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    datagrams_init(&f->journal);
    f->to.fd = journal_connect(f->journal.path);
    assert_true(f->to.fd >= 0);
    f->log = (struct log){
        .level = LOG_LEVEL_INFO, .priorities = true, .journal = &f->to};
    logpipe_init(&f->pipe);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    logpipe_deinit(&f->pipe);
    close(f->to.fd);
    datagrams_deinit(&f->journal);
    free(f);
    return 0;
}

/* The value of a field of the entry that was taken last, as the journal parses
 * it: NAME, newline, 8 bytes of length, value, newline; NULL: it has none. The
 * whole entry must be such fields. */
static const char *
field(const struct datagrams *d, const char *name, char value[4096])
{
    const char *found = NULL;
    for (size_t at = 0; at < d->len;) {
        const char *end = memchr(d->last + at, '\n', d->len - at);
        assert_non_null(end);
        size_t name_len = (size_t)(end - d->last) - at;
        assert_true((size_t)(end - d->last) + 9 < d->len);
        uint64_t len = memctx_le64((const unsigned char *)end + 1);
        assert_true(len < 4096 && (size_t)(end - d->last) + 9 + len < d->len);
        assert_int_equal(end[9 + len], '\n');
        if (name_len == strlen(name) &&
            memcmp(d->last + at, name, name_len) == 0) {
            assert_null(found); /* no field twice */
            memcpy(value, end + 9, len);
            value[len] = '\0';
            found = value;
        }
        at = (size_t)(end - d->last) + 9 + len + 1;
    }
    return found;
}

static void
assert_field(const struct fixture *f, const char *name, const char *wanted)
{
    char value[4096];
    const char *found = field(&f->journal, name, value);
    if (wanted == NULL) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, wanted);
}

static void
test_entry_has_the_fields(void **state)
{
    struct fixture *f = *state;
    const struct log_subject subject = {.kind = LOG_KIND_GAINED,
                                        .domain = "web1",
                                        .uuid = "6695eb01",
                                        .state = "ready"};
    log_about(&f->log, LOG_LEVEL_INFO, &subject, "uuid=%s name=%s", "6695eb01",
              LOG_QUOTE("web1"));
    assert_true(datagrams_take(&f->journal));
    assert_field(f, "MESSAGE", "uuid=6695eb01 name=\"web1\"");
    assert_field(f, "PRIORITY", "6");
    assert_field(f, "SYSLOG_IDENTIFIER", "memctxd");
    assert_field(f, "MESSAGE_ID", log_kind_row(LOG_KIND_GAINED)->id);
    assert_field(f, "MEMCTX_DOMAIN", "web1");
    assert_field(f, "MEMCTX_UUID", "6695eb01");
    assert_field(f, "MEMCTX_STATE", "ready");
    assert_int_equal(logpipe_count(&f->pipe, "web1"), 0);
}

static void
test_line_without_a_domain(void **state)
{
    struct fixture *f = *state;
    log_say(&f->log, LOG_LEVEL_WARNING, LOG_KIND_DISCONNECTED, "away");
    assert_true(datagrams_take(&f->journal));
    assert_field(f, "PRIORITY", "4");
    assert_field(f, "MESSAGE_ID", log_kind_row(LOG_KIND_DISCONNECTED)->id);
    assert_field(f, "MEMCTX_DOMAIN", NULL);
    assert_field(f, "MEMCTX_STATE", NULL);
    log_line(&f->log, LOG_LEVEL_INFO, "for who debugs it");
    assert_true(datagrams_take(&f->journal));
    assert_field(f, "MESSAGE_ID", NULL);
    log_line(&f->log, LOG_LEVEL_DEBUG, "below the level");
    assert_false(datagrams_take(&f->journal));
    const struct log_subject access = {.kind = LOG_KIND_ACCESS};
    log_audit(&f->log, &access, "access: op=read");
    assert_true(datagrams_take(&f->journal));
    assert_field(f, "PRIORITY", "5");
}

/* Whoever names a domain would like to write other fields. */
static void
test_value_cannot_add_a_field(void **state)
{
    struct fixture *f = *state;
    static const char name[] = "x\nMESSAGE_ID=0\nPRIORITY=0\n\n\xff";
    const struct log_subject subject = {.kind = LOG_KIND_LOST, .domain = name};
    log_about(&f->log, LOG_LEVEL_INFO, &subject, "name=%s", LOG_QUOTE(name));
    assert_true(datagrams_take(&f->journal));
    assert_field(f, "MEMCTX_DOMAIN", name);
    assert_field(f, "MESSAGE_ID", log_kind_row(LOG_KIND_LOST)->id);
    assert_field(f, "PRIORITY", "6");
}

/* Nobody stands still with a journal that does; when it goes on it is told how
 * many lines it has missed. */
static void
test_full_journal_holds_up_nobody(void **state)
{
    struct fixture *f = *state;
    unsigned sent = 0;
    while (atomic_load(&f->to.lost) == 0 && sent++ < 100000)
        log_say(&f->log, LOG_LEVEL_INFO, LOG_KIND_STATE, "line");
    log_say(&f->log, LOG_LEVEL_INFO, LOG_KIND_STATE, "line");
    assert_int_equal(atomic_load(&f->to.lost), 2);
    assert_int_equal(logpipe_count(&f->pipe, "line"), 0);
    assert_int_equal(datagrams_count(&f->journal, "line"), sent - 1);
    log_say(&f->log, LOG_LEVEL_INFO, LOG_KIND_STATE, "again");
    assert_true(datagrams_take(&f->journal));
    assert_field(f, "MESSAGE",
                 "2 lines were lost: the journal did not take them in time");
    assert_field(f, "MESSAGE_ID", log_kind_row(LOG_KIND_JOURNAL)->id);
    assert_true(datagrams_take(&f->journal));
    assert_field(f, "MESSAGE", "again");
    assert_int_equal(atomic_load(&f->to.lost), 0);
}

static void
test_journal_that_has_gone(void **state)
{
    struct fixture *f = *state;
    close(f->journal.fd);
    log_say(&f->log, LOG_LEVEL_INFO, LOG_KIND_STATE, "line");
    assert_int_equal(logpipe_count(&f->pipe, "<6>line"), 1);
    f->journal.fd = -1;
    assert_int_equal(journal_connect("/nowhere"), -1);
}

/* An entry that is as long as they come. */
static void
test_longest_entry(void **state)
{
    struct fixture *f = *state;
    char line[2000];
    char name[1000];
    memset(line, 'l', sizeof(line) - 1);
    memset(name, 'n', sizeof(name) - 1);
    line[sizeof(line) - 1] = name[sizeof(name) - 1] = '\0';
    const struct log_subject subject = {.kind = LOG_KIND_STATE, .domain = name};
    log_about(&f->log, LOG_LEVEL_INFO, &subject, "%s", line);
    assert_true(datagrams_take(&f->journal));
    assert_field(f, "MEMCTX_DOMAIN", name);
    line[999] = '\0';
    assert_field(f, "MESSAGE", line);
}

static void
test_stream_is_told_from_other_files(void **state)
{
    (void)state;
    struct stat st;
    char stream[64];
    assert_int_equal(fstat(STDIN_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    assert_true(journal_is_stream(stream, STDIN_FILENO));
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino + 1);
    assert_false(journal_is_stream(stream, STDIN_FILENO));
    const char *const others[] = {"", ":", "1", "1:", ":1", "1:2:3", "x:y"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(others); i++)
        assert_false(journal_is_stream(others[i], STDIN_FILENO));
    assert_false(journal_is_stream(NULL, STDIN_FILENO));
}

/* Programs find lines by them for years. */
static void
test_ids_are_ids_and_differ(void **state)
{
    (void)state;
    assert_null(log_kind_row(LOG_NO_KIND));
    for (unsigned i = LOG_NO_KIND + 1; i < LOG_KINDS; i++) {
        const char *id = log_kind_row((enum log_kind)i)->id;
        assert_int_equal(strlen(id), 32);
        assert_int_equal(strspn(id, "0123456789abcdef"), 32);
        for (unsigned k = LOG_NO_KIND + 1; k < i; k++)
            assert_string_not_equal(id, log_kind_row((enum log_kind)k)->id);
    }
}

#define WITH_JOURNAL(test) \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_JOURNAL(test_entry_has_the_fields),
        WITH_JOURNAL(test_line_without_a_domain),
        WITH_JOURNAL(test_value_cannot_add_a_field),
        WITH_JOURNAL(test_full_journal_holds_up_nobody),
        WITH_JOURNAL(test_journal_that_has_gone),
        WITH_JOURNAL(test_longest_entry),
        cmocka_unit_test(test_stream_is_told_from_other_files),
        cmocka_unit_test(test_ids_are_ids_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
