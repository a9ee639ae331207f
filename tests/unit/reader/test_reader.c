/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* libmemctx against an agent that says what it should. */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "reader/client.h"
#include "text/jsonguard.h"
#include "fakeagent.h"
#include "memctx.h"
#include "reader/tables.h"
#include "version1.h"

#define LOW (128 * MEMCTX_MIB)
#define HIGH (64 * MEMCTX_MIB)
#define HIGH_GPA (4 * MEMCTX_GIB)
#define PATTERN_GVA UINT64_C(0xffffc90000000000)
#define PATTERN_SIZE (2 * MEMCTX_MIB)
#define ROW_GVA UINT64_C(0xffffc90010000000)
#define ROW_GPA (16 * MEMCTX_MIB)
#define ROW_SIZE MEMCTX_MIB

struct fixture {
    struct guestimg img;
    struct guestimg_kernel kernel;
    struct fakeagent fake;
    struct memctx_agent *agent;
    struct memctx_reader *reader;
    struct memctx_error err;
    unsigned fds;     /* before the test */
    atomic_uint good; /* reads of one kernel alone */
};

/* A byte of the pattern: each page has its own. */
static unsigned char
pattern(uint64_t i)
{
    return (unsigned char)(i / MEMCTX_PAGE_SIZE * 7 + i % 251);
}

/* Pages of virtual memory, in reverse order above the split. */
static void
map_pattern(struct fixture *f)
{
    struct guestimg_space space = {f->kernel.root_gpa, f->kernel.levels};
    unsigned char page[MEMCTX_PAGE_SIZE];
    for (uint64_t at = 0; at < PATTERN_SIZE; at += sizeof(page)) {
        uint64_t gpa = HIGH_GPA + PATTERN_SIZE - sizeof(page) - at;
        for (size_t i = 0; i < sizeof(page); i++)
            page[i] = pattern(at + i);
        guestimg_write(&f->img, gpa, page, sizeof(page));
        guestimg_map(&f->img, &space, PATTERN_GVA + at, gpa, sizeof(page),
                     MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE | MEMCTX_PTE_NX);
    }
}

/* Pages that follow one another in virtual and in physical memory; each begins
 * with its number. */
static void
map_row(struct fixture *f)
{
    struct guestimg_space space = {f->kernel.root_gpa, f->kernel.levels};
    guestimg_map_range(&f->img, &space, ROW_GVA, ROW_GPA, ROW_SIZE,
                       MEMCTX_PAGE_SIZE,
                       MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE | MEMCTX_PTE_NX);
    for (uint64_t at = 0; at < ROW_SIZE; at += MEMCTX_PAGE_SIZE)
        guestimg_write_le64(&f->img, ROW_GPA + at, at / MEMCTX_PAGE_SIZE + 1);
}

static struct fixture *
make_fixture(uint64_t high)
{
    struct fixture *f = calloc(1, sizeof(*f));
    guestimg_init(&f->img, LOW + high, LOW);
    f->kernel = guestimg_kernel();
    guestimg_add_kernel(&f->img, &f->kernel);
    return f;
}

static void
start_agent(struct fixture *f)
{
    f->fds = count_fds();
    fakeagent_start(&f->fake, &f->img, NULL);
    assert_done(memctx_agent_connect(f->fake.dir, &f->agent, &f->err), &f->err);
}

static int
set_up(void **state)
{
    struct fixture *f = make_fixture(HIGH);
    map_pattern(f);
    start_agent(f);
    *state = f;
    return 0;
}

/* The page tables have no descriptor either. */
static int
set_up_without_file(void **state)
{
    struct fixture *f = make_fixture(0);
    map_row(f);
    start_agent(f);
    fakeagent_set_by_agent(&f->fake, true);
    assert_done(memctx_reader_open(f->agent, "web1", 0, &f->reader, &f->err),
                &f->err);
    *state = f;
    return 0;
}

static int
set_up_reader(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    assert_done(memctx_reader_open(f->agent, "web1", 0, &f->reader, &f->err),
                &f->err);
    return 0;
}

static int
set_up_by_agent(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    fakeagent_set_by_agent(&f->fake, true);
    assert_done(memctx_reader_open(f->agent, "web1", 0, &f->reader, &f->err),
                &f->err);
    return 0;
}

/* Nothing is left open, whatever the test did. */
static int
tear_down(void **state)
{
    struct fixture *f = *state;
    memctx_reader_close(f->reader);
    memctx_agent_disconnect(f->agent);
    fakeagent_stop(&f->fake);
    assert_int_equal(count_fds(), f->fds);
    guestimg_deinit(&f->img);
    free(f);
    return 0;
}

/* ---- the agent ---- */

static void
nobody_is_there(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_agent *agent;
    (void)state;
    assert_int_equal(memctx_agent_connect("/nonexistent", &agent, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "cannot reach memctxd at");
    char dir[5000];
    memset(dir, '/', sizeof(dir) - 1);
    dir[sizeof(dir) - 1] = '\0';
    assert_int_equal(memctx_agent_connect(dir, &agent, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "too long");
    memctx_agent_disconnect(NULL);
    memctx_reader_close(NULL);
}

static void
another_protocol(void **state)
{
    struct fixture *f = *state;
    struct memctx_agent *agent;
    fakeagent_set_lie(&f->fake, &(struct fakeagent_lie){
                                    .op = "hello", .text = "{\"memctx\":3}"});
    assert_int_equal(memctx_agent_connect(f->fake.dir, &agent, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT,
                 "speaks version 3 of its protocol, and this program version "
                 "2: upgrade the program");
}

/* Recorded; it read by virtual address, too. */
static void
agent_of_version_1(void **state)
{
    struct fixture *f = *state;
    struct memctx_agent *agent;
    fakeagent_set_lie(
        &f->fake,
        &(struct fakeagent_lie){.op = "hello", .text = VERSION1_HELLO_ANSWER});
    assert_int_equal(memctx_agent_connect(f->fake.dir, &agent, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT,
                 "speaks version 1 of its protocol, and this program version "
                 "2: upgrade memctxd");
}

static void
agent_older_than_hello(void **state)
{
    struct fixture *f = *state;
    struct memctx_agent *agent;
    fakeagent_set_lie(&f->fake,
                      &(struct fakeagent_lie){
                          .op = "hello", .text = "{\"error\":\"unknown op\"}"});
    assert_int_equal(memctx_agent_connect(f->fake.dir, &agent, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "upgrade memctxd");
}

static void
agent_that_turns_us_away(void **state)
{
    struct fixture *f = *state;
    struct memctx_agent *agent;
    fakeagent_set_lie(
        &f->fake,
        &(struct fakeagent_lie){
            .op = "hello", .text = "{\"error\":\"no\",\"kind\":\"denied\"}"});
    assert_int_equal(memctx_agent_connect(f->fake.dir, &agent, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "no");
    fakeagent_set_lie(
        &f->fake,
        &(struct fakeagent_lie){
            .op = "hello", .text = "{\"error\":\"many\",\"kind\":\"retry\"}"});
    assert_int_equal(memctx_agent_connect(f->fake.dir, &agent, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "many");
    fakeagent_set_lie(
        &f->fake,
        &(struct fakeagent_lie){
            .op = "hello",
            .text = "{\"error\":\"no memory\",\"kind\":\"exhausted\"}"});
    assert_int_equal(memctx_agent_connect(f->fake.dir, &agent, &f->err), -1);
    assert_error(&f->err, MEMCTX_EXHAUSTED, "no memory");
}

static void
list_of_two_packets(void **state)
{
    struct fixture *f = *state;
    char *text;
    assert_done(memctx_agent_list(f->agent, &text, &f->err), &f->err);
    assert_string_equal(text, "[{\"name\":\"web1\",\"uuid\":\"" FAKEAGENT_UUID
                              "\",\"id\":3,\"state\":\"ready\"}]");
    free(text);
}

static void
list_without_domains(void **state)
{
    struct fixture *f = *state;
    char *text;
    fakeagent_set_lie(&f->fake,
                      &(struct fakeagent_lie){.op = "list", .text = "{}"});
    assert_int_equal(memctx_agent_list(f->agent, &text, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "no domains");
    /* The connection is made anew. */
    fakeagent_set_lie(&f->fake, &(struct fakeagent_lie){.op = NULL});
    assert_done(memctx_agent_list(f->agent, &text, &f->err), &f->err);
    free(text);
}

static void
wait_for_what_is_not_ready(void **state)
{
    struct fixture *f = *state;
    fakeagent_set_state(&f->fake, "waiting", "no clue yet");
    assert_int_equal(memctx_agent_wait(f->agent, "web1", 0, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "waiting: no clue yet");
    assert_int_equal(memctx_agent_wait(f->agent, "web1", 20, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "0.020 s");
    assert_int_equal(
        memctx_reader_open(f->agent, "web1", 20, &f->reader, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "0.0");
    assert_null(f->reader);
    /* The answer that still comes is no answer to the next request. */
    char *text;
    fakeagent_set_state(&f->fake, "ready", NULL);
    assert_done(memctx_agent_list(f->agent, &text, &f->err), &f->err);
    free(text);
    assert_done(memctx_agent_wait(f->agent, "web1", -1, &f->err), &f->err);
}

static void
unsupported(void **state)
{
    struct fixture *f = *state;
    fakeagent_set_state(&f->fake, "unsupported", "encrypted");
    for (int timeout_ms = -1; timeout_ms <= 1; timeout_ms++) {
        assert_int_equal(memctx_reader_open(f->agent, "web1", timeout_ms * 9999,
                                            &f->reader, &f->err),
                         -1);
        assert_error(&f->err, MEMCTX_PERMANENT, "encrypted");
    }
}

static void *
become_ready(void *arg)
{
    fakeagent_set_state(arg, "ready", NULL);
    return NULL;
}

static void
open_waits(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    fakeagent_set_state(&f->fake, "waiting", "booting");
    pthread_create(&thread, NULL, become_ready, &f->fake);
    assert_done(
        memctx_reader_open(f->agent, "web1", 30000, &f->reader, &f->err),
        &f->err);
    pthread_join(thread, NULL);
}

/* ---- facts ---- */

static void
facts_by_path(void **state)
{
    struct fixture *f = *state;
    uint64_t n = 0;
    assert_string_equal(memctx_reader_uuid(f->reader), FAKEAGENT_UUID);
    assert_string_equal(memctx_reader_text(f->reader, "guest.os"), "linux");
    assert_string_equal(memctx_reader_text(f->reader, "paging"),
                        "x86_64-4level");
    assert_string_equal(memctx_reader_text(f->reader, "generation"), "1");
    assert_int_equal(memctx_reader_number(f->reader, "kcr3", &n), 0);
    assert_int_equal(n, f->kernel.root_gpa);
    assert_int_equal(memctx_reader_number(f->reader, "generation", &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(memctx_reader_number(f->reader, "linux.phys_base", &n), 0);
    assert_true(n == (uint64_t)f->kernel.phys_base);
    assert_int_equal(memctx_reader_number(f->reader, "guest.os", &n), -1);
    const char *const unknown[] = {"",          "guest",  "guest.",
                                   "guest.nil", "kcr3.x", "ram.extents",
                                   ".",         "kcr3."};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(unknown); i++)
        assert_null(memctx_reader_text(f->reader, unknown[i]));
    assert_non_null(strstr(memctx_reader_json(f->reader), "\"kcr3\":\"0x"));
}

static void
extents_and_descriptors(void **state)
{
    struct fixture *f = *state;
    size_t n;
    const struct memctx_extent *e = memctx_reader_extents(f->reader, &n);
    assert_int_equal(n, 2);
    assert_true(e[1].gpa == HIGH_GPA && e[1].size == HIGH &&
                e[1].offset == LOW && e[1].backend == 0);
    int fd = memctx_reader_fd(f->reader, 0);
    unsigned char byte;
    assert_int_equal(pread(fd, &byte, 1, 0), 1);
    assert_int_equal(pwrite(fd, &byte, 1, 0), -1);
    assert_int_equal(memctx_reader_fd(f->reader, 1), -1);
}

static void
vmcoreinfo_text(void **state)
{
    struct fixture *f = *state;
    char *text;
    size_t len;
    assert_done(memctx_reader_vmcoreinfo(f->reader, &text, &len, &f->err),
                &f->err);
    assert_int_equal(len, f->kernel.text_len);
    assert_memory_equal(text, f->kernel.text, len);
    assert_int_equal(text[len], '\0');
    free(text);
}

/* ---- reading ---- */

static void
assert_pattern(const unsigned char *bytes, uint64_t from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != pattern(from + i))
            fail_msg("byte %zu of those from %#llx on is wrong", i,
                     (unsigned long long)from);
    }
}

static void
virtual_memory(void **state)
{
    struct fixture *f = *state;
    static unsigned char buf[PATTERN_SIZE];
    const struct {
        uint64_t at;
        size_t len;
    } parts[] = {{0, PATTERN_SIZE}, {5, 1},       {4095, 2},
                 {4000, 300000},    {8192, 4096}, {PATTERN_SIZE - 1, 1}};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(parts); i++) {
        memset(buf, 0, sizeof(buf));
        assert_done(memctx_reader_read_gva(f->reader, PATTERN_GVA + parts[i].at,
                                           buf, parts[i].len, &f->err),
                    &f->err);
        assert_pattern(buf, parts[i].at, parts[i].len);
    }
    assert_done(memctx_reader_read_gva(f->reader, 0, buf, 0, &f->err), &f->err);
}

static void
virtual_memory_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    unsigned char buf[4096];
    struct memctx_error *err = &f->err;
    struct memctx_reader *r = f->reader;
    assert_int_equal(
        memctx_reader_read_gva(r, PATTERN_GVA + PATTERN_SIZE - 1, buf, 2, err),
        -1);
    assert_error(err, MEMCTX_RETRY, "not mapped");
    assert_int_equal(memctx_reader_read_gva(r, UINT64_C(1) << 60, buf, 1, err),
                     -1);
    assert_error(err, MEMCTX_RETRY, "canonical");
    assert_int_equal(memctx_reader_read_gva(r, UINT64_MAX, buf, 2, err), -1);
    assert_error(err, MEMCTX_RETRY, "beyond the last gva");
    /* A root that is no RAM */
    assert_int_equal(
        memctx_reader_read_root(r, UINT64_C(0xfffff000), 0, buf, 1, err), -1);
    assert_error(err, MEMCTX_RETRY, "is not RAM");
    assert_int_equal(memctx_reader_read_gva(r, PATTERN_GVA - 1, buf, 2, NULL),
                     -1);
}

static void
root_with_flags(void **state)
{
    struct fixture *f = *state;
    unsigned char buf[16];
    assert_done(memctx_reader_read_root(
                    f->reader, f->kernel.root_gpa | 0x802 | UINT64_C(1) << 63,
                    PATTERN_GVA, buf, sizeof(buf), &f->err),
                &f->err);
    assert_pattern(buf, 0, sizeof(buf));
}

static void
translations(void **state)
{
    struct fixture *f = *state;
    uint64_t gpa = 0;
    uint64_t size = 0;
    assert_done(memctx_reader_translate(f->reader, PATTERN_GVA + 4097, &gpa,
                                        &size, &f->err),
                &f->err);
    assert_true(gpa == HIGH_GPA + PATTERN_SIZE - 8192 + 1 && size == 4096);
    assert_done(memctx_reader_translate(f->reader, f->kernel.text_gva, &gpa,
                                        NULL, &f->err),
                &f->err);
    assert_true(gpa == f->kernel.text_gpa);
    assert_int_equal(
        memctx_reader_translate(f->reader, PATTERN_GVA - 1, &gpa, NULL, NULL),
        -1);
}

static void
physical_memory(void **state)
{
    struct fixture *f = *state;
    unsigned char *buf = malloc(HIGH);
    struct memctx_error *err = &f->err;
    assert_done(memctx_reader_read_gpa(f->reader, HIGH_GPA, buf, HIGH, err),
                err);
    assert_pattern(buf, PATTERN_SIZE - 4096, 4096);
    assert_pattern(buf + PATTERN_SIZE - 4096, 0, 4096);
    for (size_t i = PATTERN_SIZE; i < HIGH; i++)
        assert_int_equal(buf[i], 0);
    assert_int_equal(memctx_reader_read_gpa(f->reader, LOW - 1, buf, 2, err),
                     -1);
    assert_error(err, MEMCTX_RETRY, "is not RAM");
    assert_int_equal(memctx_reader_read_gpa(f->reader, UINT64_MAX, buf, 2, err),
                     -1);
    assert_error(err, MEMCTX_RETRY, "is not RAM");
    free(buf);
}

static void
data_and_holes(void **state)
{
    struct fixture *f = *state;
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t blocks = guestimg_blocks(&f->img);
    int found = memctx_reader_next_data(f->reader, HIGH_GPA - 1, UINT64_MAX,
                                        &start, &end, &f->err);
    assert_int_equal(found, 1);
    assert_true(start == HIGH_GPA && end > start &&
                end <= HIGH_GPA + PATTERN_SIZE);
    assert_int_equal(memctx_reader_next_data(f->reader, HIGH_GPA + PATTERN_SIZE,
                                             UINT64_MAX, &start, &end, &f->err),
                     0);
    assert_true(start == HIGH_GPA);
    assert_int_equal(guestimg_blocks(&f->img), blocks);
}

/* ---- the kernel changes ---- */

static void
assert_all_fails(struct fixture *f, enum memctx_error_kind kind,
                 const char *words)
{
    unsigned char buf[16];
    uint64_t a;
    uint64_t b;
    char *text;
    size_t len;
    struct memctx_reader *r = f->reader;
    const int results[] = {
        memctx_reader_check(r, &f->err),
        memctx_reader_read_gva(r, PATTERN_GVA, buf, sizeof(buf), NULL),
        memctx_reader_read_gva(r, PATTERN_GVA, buf, 0, NULL),
        memctx_reader_read_gpa(r, 0, buf, 0, NULL),
        memctx_reader_translate(r, PATTERN_GVA, &a, &b, NULL),
        memctx_reader_next_data(r, 0, LOW, &a, &b, NULL),
        memctx_reader_vmcoreinfo(r, &text, &len, NULL),
        memctx_reader_read_gpa(r, 0, buf, sizeof(buf), &f->err),
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(results); i++)
        assert_int_equal(results[i], -1);
    assert_error(&f->err, kind, words);
}

static void
epochs(void **state)
{
    struct fixture *f = *state;
    assert_done(memctx_reader_check(f->reader, &f->err), &f->err);
    fakeagent_set_page(&f->fake, STATEPAGE_UNKNOWN);
    assert_all_fails(f, MEMCTX_RETRY, "being checked");
    fakeagent_set_page(&f->fake, 7);
    assert_done(memctx_reader_check(f->reader, &f->err), &f->err);
    fakeagent_set_epoch(&f->fake, 8);
    assert_all_fails(f, MEMCTX_STALE, "renew");
    assert_done(memctx_reader_renew(f->reader, 0, &f->err), &f->err);
    assert_done(memctx_reader_check(f->reader, &f->err), &f->err);
    fakeagent_set_page(&f->fake, STATEPAGE_OVER);
    assert_all_fails(f, MEMCTX_GONE, "stopped");
}

static void
renew_fails(void **state)
{
    struct fixture *f = *state;
    fakeagent_set_epoch(&f->fake, 8);
    fakeagent_set_state(&f->fake, "stale", "being checked");
    assert_int_equal(memctx_reader_renew(f->reader, 10, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no kernel was seen to run");
    assert_all_fails(f, MEMCTX_STALE, "renew");
    assert_string_equal(memctx_reader_uuid(f->reader), FAKEAGENT_UUID);
}

/* It changes between the answer and the first look at the page. */
static void
epoch_changes_while_opening(void **state)
{
    struct fixture *f = *state;
    fakeagent_set_page(&f->fake, 8);
    assert_int_equal(
        memctx_reader_open(f->agent, "web1", 0, &f->reader, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "runs no more");
    assert_int_equal(
        memctx_reader_open(f->agent, "web1", 50, &f->reader, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "");
}

static void
agent_leaves_and_comes_again(void **state)
{
    struct fixture *f = *state;
    char dir[64];
    strcpy(dir, f->fake.dir);
    fakeagent_stop(&f->fake);
    /* The page is as it was; a look at the connection is due each ms. */
    struct timespec ms = {.tv_nsec = 1100000};
    nanosleep(&ms, NULL);
    assert_all_fails(f, MEMCTX_GONE, "memctxd left");
    assert_int_equal(memctx_reader_renew(f->reader, 0, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "cannot reach");
    assert_int_equal(mkdir(dir, 0700), 0);
    fakeagent_start(&f->fake, &f->img, dir);
    assert_done(memctx_reader_renew(f->reader, 0, &f->err), &f->err);
    assert_done(memctx_reader_check(f->reader, &f->err), &f->err);
    char *text;
    assert_done(memctx_agent_list(f->agent, &text, &f->err), &f->err);
    free(text);
}

static void
reader_outlives_agent(void **state)
{
    struct fixture *f = *state;
    unsigned char buf[16];
    memctx_agent_disconnect(f->agent);
    f->agent = NULL;
    assert_done(memctx_reader_read_gva(f->reader, PATTERN_GVA, buf, sizeof(buf),
                                       &f->err),
                &f->err);
    assert_done(memctx_reader_renew(f->reader, 0, &f->err), &f->err);
}

/* ---- a kernel that stands still ---- */

static void
assert_all_done(struct fixture *f)
{
    unsigned char buf[16];
    uint64_t gpa;
    assert_done(memctx_reader_check(f->reader, &f->err), &f->err);
    assert_done(memctx_reader_read_gva(f->reader, PATTERN_GVA, buf, sizeof(buf),
                                       &f->err),
                &f->err);
    assert_pattern(buf, 0, sizeof(buf));
    assert_done(
        memctx_reader_translate(f->reader, PATTERN_GVA, &gpa, NULL, &f->err),
        &f->err);
}

/* Who has not asked for such a kernel is told that it is one. */
static void
silent_domain_is_refused(void **state)
{
    struct fixture *f = *state;
    fakeagent_set_silent(&f->fake, true, "it panicked");
    assert_int_equal(
        memctx_reader_open(f->agent, "web1", 0, &f->reader, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "silent: it panicked");
    assert_int_equal(
        memctx_reader_open_flags(f->agent, "web1", 0, 0, &f->reader, &f->err),
        -1);
    assert_error(&f->err, MEMCTX_RETRY, "silent: it panicked");
    assert_int_equal(
        memctx_reader_open(f->agent, "web1", 20, &f->reader, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "seen to run in 0.0");
    assert_int_equal(memctx_agent_wait(f->agent, "web1", 20, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "seen to run in 0.020 s");
}

static void
silent_domain_is_opened_for_who_asks(void **state)
{
    struct fixture *f = *state;
    fakeagent_set_silent(&f->fake, true, "it panicked");
    for (int timeout_ms = -1; timeout_ms <= 1; timeout_ms++) {
        assert_done(
            memctx_reader_open_flags(f->agent, "web1", 30000 * timeout_ms,
                                     MEMCTX_OPEN_SILENT, &f->reader, &f->err),
            &f->err);
        assert_string_equal(memctx_reader_text(f->reader, "live"), "no");
        assert_int_equal(memctx_reader_live(f->reader), 0);
        assert_all_done(f);
        memctx_reader_close(memctx_steal_ptr(&f->reader));
    }
}

/* A silent kernel that nobody ever saw run has no datum. */
static void
silent_domain_without_a_datum(void **state)
{
    struct fixture *f = *state;
    fakeagent_set_lie(
        &f->fake,
        &(struct fakeagent_lie){
            .op = "show",
            .text = "{\"domain\":{\"name\":\"web1\",\"state\":\"silent\","
                    "\"reason\":\"paused\"}}"});
    assert_int_equal(memctx_reader_open_flags(f->agent, "web1", 0,
                                              MEMCTX_OPEN_SILENT, &f->reader,
                                              &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "silent: paused");
}

/* Opened while it ran: reads go on for who has asked for it, and the reader
 * sees by the page alone what is the case. */
static void
kernel_stops_and_moves_again(void **state)
{
    struct fixture *f = *state;
    assert_done(memctx_reader_open_flags(f->agent, "web1", 0,
                                         MEMCTX_OPEN_SILENT, &f->reader,
                                         &f->err),
                &f->err);
    assert_null(memctx_reader_text(f->reader, "live"));
    assert_int_equal(memctx_reader_live(f->reader), 1);
    fakeagent_set_page(&f->fake, STATEPAGE_UNKNOWN);
    assert_all_fails(f, MEMCTX_RETRY, "being checked");
    fakeagent_set_silent(&f->fake, true, "it hangs");
    assert_all_done(f);
    assert_int_equal(memctx_reader_live(f->reader), 0);
    fakeagent_set_silent(&f->fake, false, NULL);
    assert_all_done(f);
    assert_int_equal(memctx_reader_live(f->reader), 1);
    /* Another kernel, and that one stands still: it is not this reader's. */
    fakeagent_set_epoch(&f->fake, 8);
    fakeagent_set_silent(&f->fake, true, "it panicked");
    assert_all_fails(f, MEMCTX_STALE, "epoch 0x8, opened at 0x7");
    assert_done(memctx_reader_renew(f->reader, 0, &f->err), &f->err);
    assert_string_equal(memctx_reader_text(f->reader, "live"), "no");
    assert_all_done(f);
}

/* The page shows 0 to it, as to readers of before. */
static void
kernel_stops_under_a_reader_that_wants_it_to_run(void **state)
{
    struct fixture *f = *state;
    fakeagent_set_silent(&f->fake, true, "it panicked");
    assert_int_equal(f->fake.page->epoch, STATEPAGE_UNKNOWN);
    assert_all_fails(f, MEMCTX_RETRY, "the kernel is silent");
    fakeagent_set_silent(&f->fake, false, NULL);
    assert_all_done(f);
}

static void
flags_that_are_not_known(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        memctx_reader_open_flags(f->agent, "web1", 0, 0x6, &f->reader, &f->err),
        -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "does not know the flags 0x6");
}

/* Each request to read says that a silent kernel will do. */
static void
silent_memory_without_descriptor(void **state)
{
    struct fixture *f = *state;
    memctx_reader_close(memctx_steal_ptr(&f->reader));
    fakeagent_set_silent(&f->fake, true, "it panicked");
    assert_done(memctx_reader_open_flags(f->agent, "web1", 0,
                                         MEMCTX_OPEN_SILENT, &f->reader,
                                         &f->err),
                &f->err);
    assert_int_equal(memctx_reader_fd(f->reader, 1), -1);
    assert_all_done(f);
    assert_true(fakeagent_take_reads(&f->fake) > 0);
}

/* ---- read by the agent ---- */

static void
memory_without_descriptor(void **state)
{
    struct fixture *f = *state;
    unsigned char *buf = malloc(HIGH);
    assert_int_equal(memctx_reader_fd(f->reader, 1), -1);
    assert_true(memctx_reader_fd(f->reader, 0) >= 0);
    virtual_memory(state);
    assert_true(fakeagent_take_reads(&f->fake) > 16);
    assert_done(memctx_reader_read_gpa(f->reader, HIGH_GPA, buf, HIGH, &f->err),
                &f->err);
    assert_pattern(buf, PATTERN_SIZE - 4096, 4096);
    /* Holes cost no bytes on the wire. */
    assert_in_range(fakeagent_take_reads(&f->fake), 16, 48);
    for (size_t i = PATTERN_SIZE; i < HIGH; i++)
        assert_int_equal(buf[i], 0);
    data_and_holes(state);
    free(buf);
}

/* Four tables are read, and then the bytes; as many again for a neighbour,
 * unless that comes within the life of what was kept. */
static void
a_walk_takes_a_request_a_level(void **state)
{
    struct fixture *f = *state;
    unsigned char page[MEMCTX_PAGE_SIZE];
    assert_int_equal(memctx_reader_fd(f->reader, 0), -1);
    fakeagent_take_reads(&f->fake);
    assert_done(
        memctx_reader_read_gva(f->reader, ROW_GVA, page, sizeof(page), &f->err),
        &f->err);
    assert_int_equal(fakeagent_take_reads(&f->fake), 5);
    assert_int_equal(memctx_le64(page), 1);
}

/* 1 MiB in pages that follow one another: no request for each page. */
static void
pages_in_a_row_take_few_requests(void **state)
{
    struct fixture *f = *state;
    unsigned char *buf = malloc(ROW_SIZE);
    fakeagent_take_reads(&f->fake);
    assert_done(
        memctx_reader_read_gva(f->reader, ROW_GVA, buf, ROW_SIZE, &f->err),
        &f->err);
    /* Two pieces, each of 4 requests for bytes, 2 for the last tables and at
     * most 3 for those above. */
    assert_in_range(fakeagent_take_reads(&f->fake), 8 + 4 + 3, 2 * (4 + 2 + 3));
    for (uint64_t at = 0; at < ROW_SIZE; at += MEMCTX_PAGE_SIZE)
        assert_int_equal(memctx_le64(buf + at), at / MEMCTX_PAGE_SIZE + 1);
    free(buf);
}

static void
kernel_changes_in_the_middle(void **state)
{
    struct fixture *f = *state;
    unsigned char *buf = malloc(HIGH);
    const struct {
        uint64_t to;
        enum memctx_error_kind kind;
    } turns[] = {{8, MEMCTX_STALE},
                 {STATEPAGE_UNKNOWN, MEMCTX_RETRY},
                 {STATEPAGE_OVER, MEMCTX_GONE}};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(turns); i++) {
        fakeagent_flip(&f->fake, 10, turns[i].to);
        assert_int_equal(
            memctx_reader_read_gpa(f->reader, HIGH_GPA, buf, HIGH, &f->err),
            -1);
        assert_error(&f->err, turns[i].kind, "");
        fakeagent_set_page(&f->fake, 7);
    }
    free(buf);
}

/* No piece follows that would look at the page anyhow. */
static void
kernel_changes_in_the_only_piece(void **state)
{
    struct fixture *f = *state;
    static unsigned char buf[256 * MEMCTX_KIB];
    uint64_t a;
    uint64_t b;
    for (unsigned i = 0; i < 4; i++) {
        int result;
        fakeagent_flip(&f->fake, 1, 8);
        if (i == 0)
            result = memctx_reader_read_gpa(f->reader, HIGH_GPA, buf,
                                            sizeof(buf), &f->err);
        else if (i == 1)
            result = memctx_reader_read_gva(f->reader, PATTERN_GVA, buf,
                                            sizeof(buf), &f->err);
        else if (i == 2)
            result = memctx_reader_next_data(f->reader, HIGH_GPA, UINT64_MAX,
                                             &a, &b, &f->err);
        else
            result = memctx_reader_read_root(f->reader, HIGH_GPA, PATTERN_GVA,
                                             buf, 1, &f->err);
        assert_int_equal(result, -1);
        assert_error(&f->err, MEMCTX_STALE, "renew");
        fakeagent_set_page(&f->fake, 7);
    }
}

static void
bad_answers_to_read(void **state)
{
    struct fixture *f = *state;
    unsigned char buf[64];
    const struct {
        const char *text;
        enum memctx_error_kind kind;
        const char *words;
    } lies[] = {
        {"{}", MEMCTX_GONE, "has 0 bytes"},
        {"{\"size\":\"0x41\"}\n", MEMCTX_GONE, "has 0 bytes"},
        {"{\"size\":\"0x2\"}\nabc", MEMCTX_GONE, "has 3 bytes"},
        {"{\"size\":\"0x0\"}\n", MEMCTX_GONE, "has 0 bytes"},
        {"{\"hole\":\"0x0\"}", MEMCTX_GONE, "has 0 bytes"},
        {"{\"error\":\"no\",\"kind\":\"stale\"}", MEMCTX_STALE, "no"},
        {"{\"error\":\"no\",\"kind\":\"denied\"}", MEMCTX_PERMANENT, "no"},
        {"{\"error\":\"no\",\"kind\":\"gone\"}", MEMCTX_GONE, "no"},
        {"{\"error\":\"no\",\"kind\":\"retry\"}", MEMCTX_RETRY, "no"},
        {"{\"error\":\"no\",\"kind\":\"bug\"}", MEMCTX_BUG, "no"},
        {"{\"error\":\"no\",\"kind\":\"exhausted\"}", MEMCTX_EXHAUSTED, "no"},
        {"{\"error\":\"no\",\"kind\":\"new\"}", MEMCTX_PERMANENT, "no"},
        {"nonsense", MEMCTX_GONE, "no JSON"},
        {"[]", MEMCTX_GONE, "no JSON"},
        {NULL, MEMCTX_GONE, "left"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lies); i++) {
        fakeagent_set_lie(&f->fake, &(struct fakeagent_lie){
                                        .op = "read", .text = lies[i].text});
        assert_int_equal(memctx_reader_read_gpa(f->reader, HIGH_GPA, buf,
                                                sizeof(buf), &f->err),
                         -1);
        assert_error(&f->err, lies[i].kind, lies[i].words);
    }
}

/* What comes later is no answer to what is asked then. */
static void
late_answer_is_not_taken_for_another(void **state)
{
    struct fixture *f = *state;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet packet = {.n_fds = 0};
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask("list", NULL);
    assert_done(client_create(f->fake.dir, &client, &f->err), &f->err);
    fakeagent_set_lie(&f->fake,
                      &(struct fakeagent_lie){.op = "list", .text = ""});
    assert_int_equal(client_call_within(client, request, 50, &packet, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_GONE, "not answered for 0.050 s");
    fakeagent_set_lie(&f->fake, &(struct fakeagent_lie){.op = NULL});
    assert_int_equal(client_call(client, request, &packet, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "left");
    assert_true(client_is_left(client));
}

static void
long_hole_fills_no_more_than_asked(void **state)
{
    struct fixture *f = *state;
    unsigned char buf[64];
    memset(buf, 1, sizeof(buf));
    fakeagent_set_lie(
        &f->fake, &(struct fakeagent_lie){
                      .op = "read", .text = "{\"hole\":\"0xffffffffffff\"}"});
    assert_done(memctx_reader_read_gpa(f->reader, HIGH_GPA, buf, 32, &f->err),
                &f->err);
    assert_int_equal(buf[31], 0);
    assert_int_equal(buf[32], 1);
    uint64_t start;
    uint64_t end;
    assert_int_equal(memctx_reader_next_data(f->reader, HIGH_GPA, UINT64_MAX,
                                             &start, &end, &f->err),
                     0);
}

/* ---- answers to open ---- */

#define HEAD                                                            \
    "{\"domain\":{\"uuid\":\"u\",\"state\":\"ready\"},\"datum\":\""     \
    "<memctx><kcr3>0x1000</kcr3><low>0x1000</low><paging>x86_64-4level" \
    "</paging><guest os='linux' version='1'/><ram size='0x1000'>"       \
    "<extent gpa='0x0' size='0x1000' backend='r' offset='0x0'/></ram>"  \
    "</memctx>\",\"epoch\":\"0x7\","
#define ONE "{\"name\":\"r\",\"size\":\"0x1000\",\"fd\":1}"
#define ALL \
    "{\"gpa\":\"0x0\",\"size\":\"0x1000\",\"offset\":\"0x0\",\"backend\":0}"
#define RAM(backends, extents) \
    "\"ram\":{\"backends\":[" backends "],\"extents\":[" extents "]}"

static const struct {
    const char *words; /* of the error; NULL: it is fine */
    const char *text;
    unsigned n_fds;
    const char *next;
    enum memctx_error_kind kind; /* 0: GONE */
} opens[] = {
    {NULL, HEAD RAM(ONE, ALL) "}", 2, NULL, 0},
    {NULL, HEAD RAM(ONE, ALL) ",\"new\":{}}", 9, NULL, 0},
    {NULL, HEAD RAM(ONE, ALL) ",\"more\":true}", 2,
     "{\"ram\":{\"backends\":[{\"name\":\"s\",\"size\":1,\"fd\":0}]}}", 0},
    {"goes on without", HEAD RAM(ONE, ALL) ",\"more\":true}", 2,
     "{\"ram\":{\"backends\":[]},\"more\":true}", 0},
    {"no backends", HEAD RAM(ONE, ALL) ",\"more\":true}", 2, "{}", 0},
    {"no UUID", "{}", 0, NULL, 0},
    {"no UUID", "{\"domain\":{\"uuid\":7}}", 2, NULL, 0},
    {"no epoch", "{\"domain\":{\"uuid\":\"u\"}}", 2, NULL, 0},
    {"no epoch", "{\"domain\":{\"uuid\":\"u\"},\"epoch\":\"0x0\"}", 2, NULL, 0},
    {"no state page", HEAD RAM(ONE, ALL) "}", 0, NULL, 0},
    {"no datum", "{\"domain\":{\"uuid\":\"u\"},\"epoch\":7}", 2, NULL, 0},
    {"domain 'web1'",
     "{\"domain\":{\"uuid\":\"u\"},\"epoch\":7,\"datum\":\"<\"}", 2, NULL,
     MEMCTX_PERMANENT},
    {"no backends", HEAD "\"ram\":[]}", 2, NULL, 0},
    {"no extents", HEAD "\"ram\":{\"backends\":[" ONE "]}}", 2, NULL, 0},
    {"no extents", HEAD RAM(ONE, "") "}", 2, NULL, 0},
    {"something is missing", HEAD RAM(ONE, "{}") "}", 2, NULL, 0},
    {"something is missing", HEAD RAM(ONE, "7,8") "}", 2, NULL, 0},
    {"something is missing",
     HEAD RAM(ONE, "{\"gpa\":0,\"size\":1,\"offset\":0,\"backend\":1}") "}", 2,
     NULL, 0},
    {"wants offset",
     HEAD RAM(ONE, "{\"gpa\":0,\"size\":\"0xfffffffff000\",\"offset\":0,"
                   "\"backend\":0}") "}",
     2, NULL, MEMCTX_PERMANENT},
    {"wants offset",
     HEAD RAM(ONE, "{\"gpa\":0,\"size\":1,\"offset\":\"0xffffffffffffffff\","
                   "\"backend\":0}") "}",
     2, NULL, MEMCTX_PERMANENT},
    {"beyond 2^64",
     HEAD RAM(ONE, "{\"gpa\":\"0xfffffffffffff000\",\"size\":4096,"
                   "\"offset\":0,\"backend\":0}") "}",
     2, NULL, MEMCTX_PERMANENT},
    {"overlap", HEAD RAM(ONE, ALL "," ALL) "}", 2, NULL, MEMCTX_PERMANENT},
    {"did not come", HEAD RAM(ONE, ALL) "}", 1, NULL, 0},
    {"did not come", HEAD RAM(ONE "," ONE, ALL) "}", 2, NULL, 0},
    {"did not come", HEAD RAM("{\"name\":\"r\",\"size\":1,\"fd\":0}", ALL) "}",
     2, NULL, 0},
    {"without name", HEAD RAM("{}", ALL) "}", 2, NULL, 0},
    {"without name", HEAD RAM("1", ALL) "}", 2, NULL, 0},
    {"truncated",
     HEAD RAM("{\"name\":\"r\",\"size\":\"0x100000000000\",\"fd\":1}", ALL) "}",
     2, NULL, 0},
    {"no JSON", "{\"domain\":", 2, NULL, 0},
    {"no JSON", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 200, NULL,
     0},
    {"closed", NULL, 0, NULL, 0},
    {"may not", "{\"error\":\"you may not\",\"kind\":\"denied\"}", 0, NULL,
     MEMCTX_PERMANENT},
};

static void
answers_to_open(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(opens); i++) {
        struct memctx_reader *reader;
        fakeagent_set_lie(&f->fake,
                          &(struct fakeagent_lie){.op = "open",
                                                  .text = opens[i].text,
                                                  .n_fds = opens[i].n_fds,
                                                  .next = opens[i].next});
        int result = memctx_reader_open(f->agent, "web1", 0, &reader, &f->err);
        if (opens[i].words == NULL) {
            assert_done(result, &f->err);
            memctx_reader_close(reader);
            continue;
        }
        assert_int_equal(result, -1);
        assert_error(&f->err,
                     opens[i].kind != MEMCTX_OK ? opens[i].kind : MEMCTX_GONE,
                     opens[i].words);
    }
}

/* Longer than any answer may be. */
static void
huge_answer(void **state)
{
    struct fixture *f = *state;
    char *text = malloc(CONTROL_REPLY_MAX + 1);
    memset(text, ' ', CONTROL_REPLY_MAX + 1);
    fakeagent_set_lie(&f->fake,
                      &(struct fakeagent_lie){.op = "list",
                                              .text = text,
                                              .len = CONTROL_REPLY_MAX + 1});
    char *list;
    assert_int_equal(memctx_agent_list(f->agent, &list, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "longer than");
    /* The agent's thread may still be sending it. */
    fakeagent_set_lie(&f->fake, &(struct fakeagent_lie){.op = NULL});
    free(text);
}

/* ---- no mixed bytes ---- */

#define TURNS 200u
#define MIXED_SIZE (6 * MEMCTX_MIB)

/* Kernel n fills memory with byte n; the page says so as an agent would that
 * hears of a reset at once. */
static void *
reboot_again_and_again(void *arg)
{
    struct fixture *f = arg;
    unsigned char *bytes = malloc(MIXED_SIZE);
    for (unsigned n = 8; n < 8 + TURNS; n++) {
        fakeagent_set_page(&f->fake, STATEPAGE_UNKNOWN);
        memset(bytes, (int)n, MIXED_SIZE);
        guestimg_write(&f->img, HIGH_GPA + PATTERN_SIZE, bytes, MIXED_SIZE);
        unsigned before = atomic_load(&f->good);
        fakeagent_set_epoch(&f->fake, n);
        /* Now and then a kernel lives long enough to be read; a minute, on a
         * machine that stands still. */
        for (unsigned i = 0; n % 8 == 0 && i < 60000; i++) {
            if (atomic_load(&f->good) != before)
                break;
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    }
    fakeagent_set_page(&f->fake, STATEPAGE_OVER);
    free(bytes);
    return NULL;
}

static void
bytes_of_two_kernels_are_never_mixed(void **state)
{
    struct fixture *f = *state;
    unsigned char *buf = malloc(MIXED_SIZE);
    pthread_t thread;
    pthread_create(&thread, NULL, reboot_again_and_again, f);
    for (;;) {
        if (memctx_reader_read_gpa(f->reader, HIGH_GPA + PATTERN_SIZE, buf,
                                   MIXED_SIZE, &f->err) == 0) {
            for (size_t i = 1; i < MIXED_SIZE; i++)
                assert_int_equal(buf[i], buf[0]);
            atomic_fetch_add(&f->good, 1);
        } else if (f->err.kind == MEMCTX_STALE)
            memctx_reader_renew(f->reader, 0, NULL);
        else if (f->err.kind == MEMCTX_GONE)
            break;
    }
    pthread_join(thread, NULL);
    assert_true(atomic_load(&f->good) >= TURNS / 16);
    free(buf);
}

/* ---- what is kept of page tables ---- */

static void
tables_are_kept_half_a_millisecond(void **state)
{
    struct fixture *f = *state;
    struct memctx_error failure = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map = guestimg_rammap(&f->img, NULL);
    struct tables *tables;
    unsigned char raw[8];
    assert_done(tables_create(map, &failure, &tables, &f->err), &f->err);
    guestimg_write_le64(&f->img, HIGH_GPA, 1);
    const uint64_t at[] = {1000, 1500, 1501};
    for (unsigned i = 0; i < MEMCTX_ARRAY_LEN(at); i++) {
        tables_set_time(tables, at[i]);
        assert_done(
            memctx_rammap_read(tables_map(tables), HIGH_GPA, raw, 8, &f->err),
            &f->err);
        assert_int_equal(memctx_le64(raw), i < 2 ? 1 : 2);
        guestimg_write_le64(&f->img, HIGH_GPA, 2);
    }
    tables_destroy(tables);
    memctx_rammap_destroy(map);
}

/* RAM that ends in the middle of a line, and is cut. */
static void
tables_at_the_end_of_ram(void **state)
{
    struct fixture *f = *state;
    struct memctx_error failure = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map;
    struct tables *tables;
    unsigned backend;
    unsigned char raw[200];
    assert_done(memctx_rammap_create(&map, &f->err), &f->err);
    assert_done(memctx_rammap_add_backend(map, "ram", guestimg_open(&f->img),
                                          NULL, &backend, &f->err),
                &f->err);
    const struct memctx_extent odd = {.gpa = 100, .size = 200};
    assert_done(memctx_rammap_add_extent(map, &odd, &f->err), &f->err);
    assert_done(tables_create(map, &failure, &tables, &f->err), &f->err);
    assert_done(memctx_rammap_read(tables_map(tables), 100, raw, 200, &f->err),
                &f->err);
    assert_int_equal(
        memctx_rammap_read(tables_map(tables), 101, raw, 200, &f->err), -1);
    guestimg_truncate(&f->img, 150);
    tables_set_time(tables, 100000);
    assert_int_equal(
        memctx_rammap_read(tables_map(tables), 100, raw, 200, &f->err), -1);
    assert_error(&failure, MEMCTX_GONE, "truncated");
    guestimg_truncate(&f->img, LOW + HIGH);
    tables_destroy(tables);
    memctx_rammap_destroy(map);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_there),
        cmocka_unit_test_setup_teardown(another_protocol, set_up, tear_down),
        cmocka_unit_test_setup_teardown(agent_of_version_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(agent_older_than_hello, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(agent_that_turns_us_away, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(list_of_two_packets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(list_without_domains, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wait_for_what_is_not_ready, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unsupported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(open_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(facts_by_path, set_up_reader,
                                        tear_down),
        cmocka_unit_test_setup_teardown(extents_and_descriptors, set_up_reader,
                                        tear_down),
        cmocka_unit_test_setup_teardown(vmcoreinfo_text, set_up_reader,
                                        tear_down),
        cmocka_unit_test_setup_teardown(virtual_memory, set_up_reader,
                                        tear_down),
        cmocka_unit_test_setup_teardown(virtual_memory_that_is_not_there,
                                        set_up_reader, tear_down),
        cmocka_unit_test_setup_teardown(root_with_flags, set_up_reader,
                                        tear_down),
        cmocka_unit_test_setup_teardown(translations, set_up_reader, tear_down),
        cmocka_unit_test_setup_teardown(physical_memory, set_up_reader,
                                        tear_down),
        cmocka_unit_test_setup_teardown(data_and_holes, set_up_reader,
                                        tear_down),
        cmocka_unit_test_setup_teardown(epochs, set_up_reader, tear_down),
        cmocka_unit_test_setup_teardown(renew_fails, set_up_reader, tear_down),
        cmocka_unit_test_setup_teardown(epoch_changes_while_opening, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(agent_leaves_and_comes_again,
                                        set_up_reader, tear_down),
        cmocka_unit_test_setup_teardown(reader_outlives_agent, set_up_reader,
                                        tear_down),
        cmocka_unit_test_setup_teardown(silent_domain_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(silent_domain_is_opened_for_who_asks,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(silent_domain_without_a_datum, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(kernel_stops_and_moves_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            kernel_stops_under_a_reader_that_wants_it_to_run, set_up_reader,
            tear_down),
        cmocka_unit_test_setup_teardown(flags_that_are_not_known, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(silent_memory_without_descriptor,
                                        set_up_by_agent, tear_down),
        cmocka_unit_test_setup_teardown(memory_without_descriptor,
                                        set_up_by_agent, tear_down),
        cmocka_unit_test_setup_teardown(a_walk_takes_a_request_a_level,
                                        set_up_without_file, tear_down),
        cmocka_unit_test_setup_teardown(pages_in_a_row_take_few_requests,
                                        set_up_without_file, tear_down),
        cmocka_unit_test_setup_teardown(kernel_changes_in_the_middle,
                                        set_up_by_agent, tear_down),
        cmocka_unit_test_setup_teardown(kernel_changes_in_the_only_piece,
                                        set_up_by_agent, tear_down),
        cmocka_unit_test_setup_teardown(bad_answers_to_read, set_up_by_agent,
                                        tear_down),
        cmocka_unit_test_setup_teardown(late_answer_is_not_taken_for_another,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_hole_fills_no_more_than_asked,
                                        set_up_by_agent, tear_down),
        cmocka_unit_test_setup_teardown(answers_to_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(huge_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_of_two_kernels_are_never_mixed,
                                        set_up_reader, tear_down),
        cmocka_unit_test_setup_teardown(tables_are_kept_half_a_millisecond,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(tables_at_the_end_of_ram, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
