/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The control socket from outside: each operation, each right, each refusal.
 * The agent runs in a thread, on libvirt's test driver and stub RAM. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ctlclient.h"
#include "fakeprober.h"
#include "fusefile.h"
#include "guestimg.h"
#include "linger.h"
#include "version1.h"
#include "wire/statepage.h"

#define NOBODY 65534u
#define STUB_UTS "0xffffffff80103000"
#define STUB_UTS_ABOVE_ROOT 0x3000

static int
set_up(void **state)
{
    struct ctlagent *a = malloc(sizeof(*a));
    assert_non_null(a);
    ctlagent_init(a);
    *state = a;
    return 0;
}

static int
tear_down(void **state)
{
    ctlagent_deinit(*state);
    free(*state);
    return 0;
}

static void
grant(struct ctlagent *a, const char *rule)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(access_add(&a->settings.access, rule, &err), &err);
}

/* Start the agent with one rule (NULL: none), and connect. */
static int
start(struct ctlagent *a, const char *rule, uid_t uid)
{
    if (rule != NULL)
        grant(a, rule);
    ctlagent_start(a);
    int fd = ctl_connect(a, uid, NULL, 0);
    assert_true(fd >= 0);
    return fd;
}

static void
assert_kind(int fd, const char *request, const char *kind, const char *words)
{
    const struct ctlreply *reply = ctl_ask(fd, request);
    if (strcmp(ctl_text(reply, "kind"), kind) == 0 &&
        strstr(ctl_text(reply, "error"), words) != NULL)
        return;
    fail_msg("%s: wanted %s with \"%s\", got %s", request, kind, words,
             json_object_to_json_string(reply->object));
}

static void
wait_ready(int fd, const char *name)
{
    char text[128];
    snprintf(text, sizeof(text), "{\"op\":\"wait\",\"domain\":\"%s\"}", name);
    assert_string_equal(ctl_text(ctl_ask(fd, text), "domain.state"), "ready");
}

static void
test_hello_tells_the_protocol(void **state)
{
    int fd = start(*state, NULL, (uid_t)-1);
    const struct ctlreply *reply = ctl_ask(fd, "{\"op\":\"hello\"}");
    assert_string_equal(ctl_text(reply, "memctx"), "2");
    assert_string_equal(ctl_text(reply, "version"), PACKAGE_VERSION);
    close(fd);
}

static void
test_what_is_no_request(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "{",
        "{}",
        "{\"op\":1}",
        "{\"op\":\"list\"}x",
        "{\"op\":\"shew\"}",
        "null",
        "{\"op\":\"\\u0000list\"}",
        "[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]",
    };
    int fd = start(*state, NULL, (uid_t)-1);
    for (size_t i = 1; i < MEMCTX_ARRAY_LEN(bad); i++)
        assert_kind(fd, bad[i], "usage", "");
    char *longest = malloc(5000);
    memset(longest, ' ', 4999);
    longest[4999] = '\0';
    assert_kind(fd, longest, "usage", "longer than 4096");
    free(longest);
    assert_kind(fd, "{\"op\":\"show\"}", "usage", "\"domain\" wants");
    assert_kind(fd, "{\"op\":\"show\",\"domain\":\"\"}", "usage", "domain");
    assert_kind(fd, "{\"op\":\"show\",\"domain\":5}", "usage", "domain");
    assert_kind(fd, "{\"op\":\"show\",\"domain\":\"no\"}", "gone", "'no'");
    close(fd);
}

static void
test_show_by_name_uuid_and_id(void **state)
{
    int fd = start(*state, NULL, (uid_t)-1);
    wait_ready(fd, "test");
    char text[128];
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"show\",\"domain\":\"test\"}");
    assert_non_null(strstr(ctl_text(reply, "datum"), "<kernel base=\"0xf"));
    snprintf(text, sizeof(text), "{\"op\":\"show\",\"domain\":\"%s\"}",
             ctl_text(reply, "domain.uuid"));
    assert_string_equal(ctl_text(ctl_ask(fd, text), "domain.name"), "test");
    assert_string_equal(
        ctl_text(ctl_ask(fd, "{\"op\":\"show\",\"domain\":\"1\"}"),
                 "domain.name"),
        "test");
    close(fd);
}

/* Descriptor 0 is the page, 1 the RAM: read-only, of another description. */
static void
test_open_hands_out_page_and_ram(void **state)
{
    int fd = start(*state, NULL, (uid_t)-1);
    wait_ready(fd, "test");
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"test\"}");
    assert_int_equal(reply->n_fds, 2);
    for (unsigned i = 0; i < 2; i++) {
        struct stat st;
        assert_int_equal(fstat(reply->fds[i], &st), 0);
        assert_int_equal(st.st_mode & 0777, 0444);
        assert_int_equal(fcntl(reply->fds[i], F_GETFL) & O_ACCMODE, O_RDONLY);
        assert_true(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, reply->fds[i],
                         0) == MAP_FAILED);
    }
    const struct statepage *page =
        mmap(NULL, STATEPAGE_SIZE, PROT_READ, MAP_SHARED, reply->fds[0], 0);
    assert_true(page != MAP_FAILED);
    assert_memory_equal(page->magic, STATEPAGE_MAGIC, 8);
    assert_int_equal(page->epoch, strtoull(ctl_text(reply, "epoch"), NULL, 16));
    json_object *ram;
    assert_true(json_object_object_get_ex(reply->object, "ram", &ram));
    assert_non_null(strstr(json_object_to_json_string(ram), "\"fd\": 1"));
    assert_non_null(strstr(json_object_to_json_string(ram), "\"gpa\""));
    munmap((void *)page, STATEPAGE_SIZE);
    close(fd);
}

/* 0 at once after a reset, another number for the kernel after it, all ones
 * when the domain has gone. */
static void
test_page_follows_the_kernel(void **state)
{
    struct ctlagent *a = *state;
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "paged");
    wait_ready(fd, "paged");
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"paged\"}");
    const struct statepage *page =
        mmap(NULL, STATEPAGE_SIZE, PROT_READ, MAP_SHARED, reply->fds[0], 0);
    uint64_t first = page->epoch;
    assert_true(first != 0 && first != UINT64_MAX);
    char stale[160];
    snprintf(stale, sizeof(stale),
             "{\"op\":\"read\",\"domain\":\"paged\",\"gpa\":0,\"size\":1,"
             "\"epoch\":\"%#" PRIx64 "\"}",
             first);
    ctlagent_push(a, domain, MEMCTX_EVENT_RESET);
    wait_until(page->epoch != first && page->epoch != 0);
    reply = ctl_ask_ready(fd, stale);
    assert_string_equal(ctl_text(reply, "kind"), "stale");
    ctlagent_destroy_domain(domain);
    wait_until(page->epoch == STATEPAGE_OVER);
    munmap((void *)page, STATEPAGE_SIZE);
    close(fd);
}

/* The same kernel in the same RAM, found again: the same number. */
static void
test_page_comes_back_after_a_pause(void **state)
{
    struct ctlagent *a = *state;
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "paused");
    wait_ready(fd, "paused");
    char first[32];
    snprintf(first, sizeof(first), "%s",
             ctl_text(ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"paused\"}"),
                      "epoch"));
    assert_true(first[0] == '0');
    ctlagent_push(a, domain, MEMCTX_EVENT_SUSPEND);
    ctlagent_push(a, domain, MEMCTX_EVENT_RESUME);
    ctl_let_turn(fd);
    wait_ready(fd, "paused");
    const struct ctlreply *reply =
        ctl_ask_ready(fd, "{\"op\":\"open\",\"domain\":\"paused\"}");
    assert_string_equal(ctl_text(reply, "epoch"), first);
    ctlagent_destroy_domain(domain);
    close(fd);
}

/* The guest panics: its memory stays where it is. */
static virDomainPtr
let_die(struct ctlagent *a, int fd, const char *name)
{
    virDomainPtr domain = ctlagent_create_domain(a, name);
    wait_ready(fd, name);
    ctlagent_push(a, domain, MEMCTX_EVENT_DIED);
    ctl_let_turn(fd);
    return domain;
}

/* What clients sent before there were silent domains, byte by byte: for them it
 * is one that is not ready. They are told why, and what to ask with. */
static void
test_silent_domain_is_not_ready_for_clients_of_before(void **state)
{
    struct ctlagent *a = *state;
    char rule[64];
    snprintf(rule, sizeof(rule), "user:%u write dead", (unsigned)getuid());
    int fd = start(a, rule, (uid_t)-1);
    virDomainPtr domain = let_die(a, fd, "dead");
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"show\",\"domain\":\"dead\"}");
    assert_string_equal(ctl_text(reply, "domain.state"), "silent");
    assert_string_equal(ctl_text(reply, "domain.live"), "no");
    assert_string_equal(ctl_text(reply, "datum"), "");
    assert_kind(fd, "{\"op\":\"open\",\"domain\":\"dead\"}", "retry",
                "is silent: the guest panicked; its memory is served to who "
                "asks with \"silent\":true");
    assert_kind(fd,
                "{\"op\":\"read\",\"domain\":\"dead\",\"gpa\":\"0x0\","
                "\"size\":\"0x10\"}",
                "retry", "asks with \"silent\":true");
    assert_kind(fd, "{\"op\":\"open\",\"domain\":\"dead\",\"silent\":0}",
                "retry", "is silent");
    /* Nothing is written to a kernel that does not run. */
    assert_kind(fd,
                "{\"op\":\"write\",\"domain\":\"dead\",\"silent\":true,"
                "\"gva\":\"" STUB_UTS "\",\"hex\":\"00\"}",
                "retry", "is silent: the guest panicked");
    ctlagent_destroy_domain(domain);
    close(fd);
}

static void
test_silent_domain_is_served_to_who_asks(void **state)
{
    struct ctlagent *a = *state;
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = let_die(a, fd, "dead");
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"show\",\"domain\":\"dead\",\"silent\":true}");
    assert_non_null(strstr(ctl_text(reply, "datum"), " live=\"no\""));
    assert_string_equal(ctl_text(reply, "domain.generation"), "1");
    /* It ends a wait, too. */
    reply =
        ctl_ask(fd, "{\"op\":\"wait\",\"domain\":\"dead\",\"silent\":true}");
    assert_string_equal(ctl_text(reply, "domain.state"), "silent");
    assert_non_null(strstr(ctl_text(reply, "datum"), " live=\"no\""));
    reply =
        ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"dead\",\"silent\":true}");
    assert_int_equal(reply->n_fds, 2);
    assert_string_equal(ctl_text(reply, "domain.live"), "no");
    assert_non_null(strstr(ctl_text(reply, "datum"), " live=\"no\""));
    reply = ctl_ask(fd, "{\"op\":\"read\",\"domain\":\"dead\",\"silent\":true,"
                        "\"gpa\":0,\"size\":16}");
    assert_true(ctl_text(reply, "hole")[0] != '\0' || reply->len_bytes == 16);
    ctlagent_destroy_domain(domain);
    close(fd);
}

/* Readers of before see a 0, others which kernel it is; and both of another
 * kernel, as soon as there is one. */
static void
test_page_tells_of_a_silent_kernel(void **state)
{
    struct ctlagent *a = *state;
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "dies");
    wait_ready(fd, "dies");
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"dies\"}");
    const struct statepage *page =
        mmap(NULL, STATEPAGE_SIZE, PROT_READ, MAP_SHARED, reply->fds[0], 0);
    uint64_t epoch = page->epoch;
    assert_true(epoch != STATEPAGE_UNKNOWN);
    assert_int_equal(page->silent, STATEPAGE_UNKNOWN);
    ctlagent_push(a, domain, MEMCTX_EVENT_DIED);
    wait_until(page->silent == epoch);
    assert_int_equal(page->epoch, STATEPAGE_UNKNOWN);
    reply =
        ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"dies\",\"silent\":true}");
    assert_int_equal(strtoull(ctl_text(reply, "epoch"), NULL, 16), epoch);
    /* A page that is mapped only now shows the same. */
    const struct statepage *late =
        mmap(NULL, STATEPAGE_SIZE, PROT_READ, MAP_SHARED, reply->fds[0], 0);
    assert_int_equal(late->silent, epoch);
    munmap((void *)late, STATEPAGE_SIZE);
    ctlagent_push(a, domain, MEMCTX_EVENT_RESET);
    wait_until(page->silent == STATEPAGE_UNKNOWN);
    wait_ready(fd, "dies");
    assert_true(page->epoch != epoch && page->epoch != STATEPAGE_UNKNOWN);
    assert_int_equal(page->silent, STATEPAGE_UNKNOWN);
    munmap((void *)page, STATEPAGE_SIZE);
    ctlagent_destroy_domain(domain);
    close(fd);
}

static void
test_read_by_gpa(void **state)
{
    int fd = start(*state, NULL, (uid_t)-1);
    wait_ready(fd, "test");
    const struct ctlreply *reply =
        ctl_ask(fd, ctl_read_request(fd, "test", STUB_UTS_ABOVE_ROOT, 9));
    assert_string_equal(ctl_text(reply, "size"), "0x9");
    assert_int_equal(reply->len_bytes, 9);
    assert_memory_equal(reply->bytes + 4, "Linux", 5);
    reply =
        ctl_ask(fd, ctl_read_request(fd, "test", STUB_UTS_ABOVE_ROOT, 131072));
    assert_int_equal(reply->len_bytes, 131072);
    assert_memory_equal(reply->bytes + 4, "Linux", 5);
    close(fd);
}

/* `now` has all that `then` had, of the same types. */
static void
assert_has_members(json_object *now, json_object *then)
{
    assert_non_null(now);
    json_object_object_foreach(then, name, value)
    {
        json_object *same = json_object_object_get(now, name);
        assert_int_equal(json_object_get_type(same),
                         json_object_get_type(value));
    }
}

static json_object *
first_domain(json_object *list)
{
    json_object *domains = json_object_object_get(list, "domains");
    assert_non_null(domains);
    return json_object_array_get_idx(domains, 0);
}

/* A client of version 1 compares the number in the answer to hello, and tells
 * both versions. One that compares nothing, and asks on, is answered as it was
 * in version 1. */
static void
test_recorded_client_of_version_1(void **state)
{
    int fd = start(*state, NULL, (uid_t)-1);
    wait_ready(fd, "test");
    assert_string_equal(ctl_text(ctl_ask(fd, VERSION1_HELLO), "memctx"), "2");
    json_object *then = json_tokener_parse(VERSION1_LIST_ANSWER);
    assert_has_members(first_domain(ctl_ask(fd, VERSION1_LIST)->object),
                       first_domain(then));
    json_object_put(then);
    static const char *const data[] = {VERSION1_SHOW, VERSION1_WAIT,
                                       VERSION1_OPEN};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(data); i++) {
        const struct ctlreply *reply = ctl_ask(fd, data[i]);
        assert_string_equal(ctl_text(reply, "domain.state"), "ready");
        assert_non_null(strstr(ctl_text(reply, "datum"), "<kcr3>"));
        /* The state page and the RAM */
        assert_int_equal(reply->n_fds, i == 2 ? 2 : 0);
    }
    close(fd);
}

/* Reads by virtual address were what ended with version 1. */
static void
test_reads_of_version_1_are_told(void **state)
{
    int fd = start(*state, NULL, (uid_t)-1);
    wait_ready(fd, "test");
    assert_kind(fd,
                "{\"op\":\"read\",\"domain\":\"test\",\"gva\":"
                "\"" STUB_UTS "\",\"size\":9}",
                "usage",
                "\"gva\" of read ended with version 2 of the protocol");
    assert_kind(fd,
                "{\"op\":\"read\",\"domain\":\"test\",\"epoch\":\"0x1\","
                "\"gva\":\"" STUB_UTS "\",\"root\":\"0x1000\",\"size\":9}",
                "usage", "as libmemctx does");
    close(fd);
}

static void
test_read_of_a_hole_sends_nothing(void **state)
{
    int fd = start(*state, NULL, (uid_t)-1);
    wait_ready(fd, "test");
    const struct ctlreply *reply = ctl_ask(
        fd, "{\"op\":\"read\",\"domain\":\"test\",\"gpa\":\"0x0\",\"size\":1}");
    assert_int_equal(reply->len_bytes, 0);
    uint64_t hole = strtoull(ctl_text(reply, "hole"), NULL, 16);
    assert_true(hole >= 0x1000 && hole < 0x4000000);
    close(fd);
}

static void
test_reads_that_are_refused(void **state)
{
    int fd = start(*state, NULL, (uid_t)-1);
    wait_ready(fd, "test");
    static const struct {
        const char *rest;
        const char *kind;
        const char *words;
    } bad[] = {
        {"\"gpa\":0", "usage", "\"size\" wants"},
        {"\"gpa\":0,\"size\":0", "usage", "\"size\" wants"},
        {"\"gpa\":0,\"size\":131073", "usage", "\"size\" wants"},
        {"\"gpa\":0,\"size\":-1", "usage", "\"size\" wants a number"},
        {"\"gpa\":0,\"size\":\"12\"", "usage", "\"size\" wants a number"},
        {"\"gpa\":0,\"size\":1.5", "usage", "\"size\" wants a number"},
        {"\"gpa\":\"0x\",\"size\":1", "usage", "\"gpa\" wants a number"},
        {"\"gpa\":\"0x10000000000000000\",\"size\":1", "usage", "\"gpa\""},
        {"\"gpa\":\"0xffffffffffffffff\",\"size\":2", "usage", "beyond"},
        {"\"gpa\":99999999999999999999,\"size\":1", "usage", "\"gpa\""},
        {"\"gpa\":\"0x0\\u0000x\",\"size\":1", "usage", "\"gpa\""},
        {"\"size\":2", "usage", "read wants \"gpa\""},
        {"\"gpa\":0,\"gva\":0,\"size\":2", "usage", "by \"gpa\""},
        {"\"gpa\":0,\"root\":0,\"size\":2", "usage", "\"root\" of read ended"},
        {"\"gva\":null,\"size\":2", "usage", "\"gva\" of read ended"},
        {"\"gpa\":\"0x4000000\",\"size\":1", "retry", "not RAM"},
        {"\"gpa\":\"0x3ffffff\",\"size\":2", "retry", "not RAM"},
        {"\"gpa\":0,\"size\":1,\"epoch\":7", "stale", "runs no more"},
        {"\"gpa\":0,\"size\":1,\"epoch\":{}", "usage", "\"epoch\""},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(bad); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"op\":\"read\",\"domain\":\"test\",%s}",
                 bad[i].rest);
        assert_kind(fd, text, bad[i].kind, bad[i].words);
    }
    close(fd);
}

/* Descriptors of this process, which the agent is part of, for a file. */
static unsigned
count_descriptors_of(const struct stat *wanted)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct stat st;
        count += fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
                 st.st_ino == wanted->st_ino && st.st_dev == wanted->st_dev;
    }
    closedir(dir);
    return count;
}

/* A descriptor that anybody holds keeps a dead guest's RAM allocated. */
static void
test_served_ram_is_let_go_with_the_domain(void **state)
{
    struct ctlagent *a = *state;
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "served");
    wait_ready(fd, "served");
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"served\"}");
    struct stat page;
    struct stat ram;
    assert_int_equal(fstat(reply->fds[0], &page), 0);
    assert_int_equal(fstat(reply->fds[1], &ram), 0);
    /* Closes what came. */
    ctl_ask(fd, ctl_read_request(fd, "served", STUB_UTS_ABOVE_ROOT, 9));
    wait_until(count_descriptors_of(&ram) == 1);
    wait_until(count_descriptors_of(&page) == 1);
    ctlagent_destroy_domain(domain);
    wait_until(count_descriptors_of(&ram) == 0);
    wait_until(count_descriptors_of(&page) == 0);
    close(fd);
}

static void
test_wait_for_a_domain_yet_to_start(void **state)
{
    struct ctlagent *a = *state;
    static struct ctlreply reply;
    int fd = start(a, NULL, (uid_t)-1);
    static const char wait[] = "{\"op\":\"wait\",\"domain\":\"later\"}";
    assert_int_equal(ctl_send(fd, wait, sizeof(wait) - 1, NULL, 0), 0);
    /* What is asked later is answered before it. */
    assert_string_equal(ctl_text(ctl_ask(fd, "{\"op\":\"hello\"}"), "memctx"),
                        "2");
    virDomainPtr domain = ctlagent_create_domain(a, "later");
    assert_int_equal(ctl_receive(fd, &reply), 0);
    assert_string_equal(ctl_text(&reply, "domain.state"), "ready");
    assert_true(ctl_text(&reply, "datum")[0] == '<');
    ctlreply_deinit(&reply);
    ctlagent_destroy_domain(domain);
    close(fd);
}

/* Take replies until one has this state; how many came. */
static unsigned
follow_until(int fd, const char *name, const char *wanted)
{
    static struct ctlreply reply;
    for (unsigned n = 1; n < 100; n++) {
        assert_int_equal(ctl_receive(fd, &reply), 0);
        if (strcmp(ctl_text(&reply, "domain.name"), name) == 0 &&
            strcmp(ctl_text(&reply, "domain.state"), wanted) == 0) {
            ctlreply_deinit(&reply);
            return n;
        }
    }
    fail_msg("%s is never told to be %s", name, wanted);
    return 0;
}

static void
test_follow_one_domain(void **state)
{
    struct ctlagent *a = *state;
    int fd = start(a, NULL, (uid_t)-1);
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"wait\",\"domain\":\"led\",\"follow\":true}");
    assert_string_equal(ctl_text(reply, "domain.state"), "gone");
    assert_string_equal(ctl_text(reply, "domain.name"), "led");
    virDomainPtr domain = ctlagent_create_domain(a, "led");
    follow_until(fd, "led", "ready");
    ctlagent_push(a, domain, MEMCTX_EVENT_RESET);
    follow_until(fd, "led", "waiting");
    follow_until(fd, "led", "ready");
    ctlagent_destroy_domain(domain);
    follow_until(fd, "led", "gone");
    assert_kind(fd, "{\"op\":\"hello\"}", "usage", "follows");
    close(fd);
}

static void
test_follow_all_domains(void **state)
{
    struct ctlagent *a = *state;
    int fd = start(a, NULL, (uid_t)-1);
    assert_kind(fd, "{\"op\":\"wait\"}", "usage", "wants a \"domain\"");
    wait_ready(fd, "test");
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"wait\",\"follow\":true}");
    assert_string_equal(ctl_text(reply, "domain.name"), "test");
    virDomainPtr domain = ctlagent_create_domain(a, "more");
    follow_until(fd, "more", "ready");
    ctlagent_destroy_domain(domain);
    follow_until(fd, "more", "gone");
    close(fd);
}

/* Nothing that did not change is told. */
static void
test_follower_is_not_told_what_it_knows(void **state)
{
    struct ctlagent *a = *state;
    unsigned events = 0;
    ctlagent_keep_log(a);
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "same");
    wait_ready(fd, "same");
    ctl_ask(fd, "{\"op\":\"wait\",\"domain\":\"same\",\"follow\":true}");
    for (unsigned i = 0; i < 5; i++)
        ctlagent_push(a, domain, MEMCTX_EVENT_START);
    wait_until((events += logpipe_count(&a->logpipe, "ready->ready")) >= 5);
    /* The first that it is told is the answer to this. */
    assert_kind(fd, "{\"op\":\"hello\"}", "usage", "follows");
    close(fd);
    ctlagent_destroy_domain(domain);
}

static void
test_descriptors_that_nobody_wants_are_closed(void **state)
{
    struct ctlagent *a = *state;
    static struct ctlreply reply;
    int fd = start(a, NULL, (uid_t)-1);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    int many[CTL_FDS_MAX];
    for (unsigned i = 0; i < CTL_FDS_MAX; i++)
        many[i] = pipes[1];
    static const char hello[] = "{\"op\":\"hello\"}";
    for (unsigned n = 1; n <= CTL_FDS_MAX; n += 126) {
        assert_int_equal(ctl_send(fd, hello, sizeof(hello) - 1, many, n), 0);
        assert_int_equal(ctl_receive(fd, &reply), 0);
        assert_string_equal(ctl_text(&reply, "kind"), "usage");
    }
    ctlreply_deinit(&reply);
    /* Ours was the last writing end. */
    close(pipes[1]);
    char byte;
    assert_int_equal(read(pipes[0], &byte, 1), 0);
    close(pipes[0]);
    close(fd);
}

/* Descriptors of others may wait when they are closed, for as long as others
 * like, an hour here: with a request of who may hand in none, of who is no
 * client at all, and where the client leaves before they were looked at. */
static void
test_descriptors_that_wait_hold_nobody_up(void **state)
{
    static const char follow[] = "{\"op\":\"wait\",\"follow\":true}";
    struct ctlagent *a = *state;
    struct linger_socket lingers[3];
    static struct ctlreply reply;
    if (geteuid() != 0 || is_under_valgrind())
        skip();
    grant(a, "user:1001 wait *");
    int fd = start(a, NULL, (uid_t)-1);
    for (unsigned i = 0; i < 3; i++) {
        linger_init(&lingers[i], 3600);
        int hostile = ctl_connect(a, i == 1 ? 1002 : 1001, NULL, 0);
        assert_true(hostile >= 0);
        if (i == 2)
            ctl_send(hostile, follow, sizeof(follow) - 1, NULL, 0);
        /* Who is no client may have been sent away already. */
        assert_true(linger_send(&lingers[i], hostile, "{\"op\":\"hello\"}") ||
                    i == 1);
        if (i == 2)
            close(hostile);
        ctl_let_turn(fd);
        if (i != 2) {
            while (ctl_receive(hostile, &reply) == 0)
                ;
            close(hostile);
        }
    }
    for (unsigned i = 0; i < 3; i++)
        linger_deinit(&lingers[i]);
    ctlreply_deinit(&reply);
    close(fd);
}

/* ---- attach ------------------------------------------------------------- */

static const struct ctlreply *
hand_in(int fd, const char *rest, const int *fds, unsigned n_fds)
{
    static struct ctlreply reply;
    char text[1024];
    snprintf(text, sizeof(text), "{\"op\":\"attach\",\"domain\":\"handed\"%s}",
             rest);
    assert_int_equal(ctl_send(fd, text, strlen(text), fds, n_fds), 0);
    assert_int_equal(ctl_receive(fd, &reply), 0);
    return &reply;
}

/* Descriptors of a file that are open in this process, the agent's and ours.
 * It may have answered before it closes its own. */
static void
assert_descriptors_settle(const struct stat *file, unsigned count)
{
    wait_until(count_descriptors_of(file) == count);
}

/* A guest with a kernel; paused, so that nobody wants to see it run. */
/* Its kernel runs: jiffies_64 goes on until that is seen. */
static void
wait_ready_ticking(int fd, const char *name, struct guestimg *img,
                   const struct guestimg_kernel *kernel)
{
    uint64_t gpa = kernel->root_gpa + 0x10cc0;
    char text[128];
    const char *state = "";
    snprintf(text, sizeof(text), "{\"op\":\"show\",\"domain\":\"%s\"}", name);
    for (unsigned i = 0; i < 50000 && strcmp(state, "ready") != 0; i++) {
        guestimg_write_le64(img, gpa, UINT64_C(0xfffedb08) + i);
        state = ctl_text(ctl_ask(fd, text), "domain.state");
        poll(NULL, 0, 1);
    }
    assert_string_equal(state, "ready");
}

static void
test_attached_ram_is_searched_and_let_go(void **state)
{
    struct ctlagent *a = *state;
    struct guestimg img;
    struct guestimg_kernel kernel = guestimg_kernel();
    guestimg_init(&img, 256 * MEMCTX_MIB, 128 * MEMCTX_MIB);
    guestimg_add_kernel(&img, &kernel);
    struct stat file;
    assert_int_equal(fstat(img.fd, &file), 0);
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "handed");
    wait_ready(fd, "handed");
    int ram = guestimg_open(&img);
    const struct ctlreply *reply =
        hand_in(fd, ",\"low\":\"0x8000000\"", &ram, 1);
    assert_string_equal(ctl_text(reply, "domain.name"), "handed");
    assert_string_equal(ctl_text(reply, "domain.state"), "waiting");
    close(ram);
    wait_ready_ticking(fd, "handed", &img, &kernel);
    reply = ctl_ask(fd, "{\"op\":\"show\",\"domain\":\"handed\"}");
    assert_non_null(strstr(ctl_text(reply, "datum"), "<low>0x8000000</low>"));
    assert_non_null(strstr(ctl_text(reply, "datum"), "generation=\"2\""));
    assert_non_null(strstr(ctl_text(reply, "datum"), kernel.release));
    reply = ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"handed\"}");
    assert_int_equal(reply->n_fds, 2);
    ctl_ask(fd, "{\"op\":\"hello\"}");
    assert_int_equal(count_descriptors_of(&file), 2); /* ours, the agent's */
    ctlagent_destroy_domain(domain);
    assert_descriptors_settle(&file, 1);
    guestimg_deinit(&img);
    close(fd);
}

#define ATTACH_HANDED "{\"op\":\"attach\",\"domain\":\"handed\"}"

/* A file on a disk is RAM like any other. */
static void
test_a_file_on_a_disk_is_attached(void **state)
{
    struct ctlagent *a = *state;
    char path[] = "/tmp/memctx-ram-XXXXXX";
    int writable = mkstemp(path);
    assert_int_equal(ftruncate(writable, 8 * MEMCTX_MIB), 0);
    int ram = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    struct statfs fs;
    assert_int_equal(fstat(ram, &file), 0);
    assert_int_equal(fstatfs(ram, &fs), 0);
    unlink(path);
    const char *answer = "domain.state";
    if (fs.f_type == OVERLAYFS_SUPER_MAGIC) {
        print_message("/tmp is an overlay, of which nothing is taken\n");
        answer = "kind";
    }
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "handed");
    wait_ready(fd, "handed");
    assert_string_equal(ctl_text(hand_in(fd, "", &writable, 1), "kind"),
                        "permanent");
    assert_descriptors_settle(&file, 2);
    assert_string_equal(ctl_text(hand_in(fd, "", &ram, 1), answer),
                        strcmp(answer, "kind") == 0 ? "permanent" : "waiting");
    close(ram);
    close(writable);
    ctlagent_destroy_domain(domain);
    assert_descriptors_settle(&file, 0);
    close(fd);
}

/* Under valgrind a thread that waits for a file system stops all others. */
static void
start_fuse(struct fusefile *fuse)
{
    if (geteuid() != 0 || is_under_valgrind() || !fusefile_start(fuse)) {
        print_message("needs root and FUSE, and no valgrind\n");
        skip();
    }
}

/* A client that hands in a file whose file system has fallen asleep, as RAM of
 * "handed", and waits. */
static int
hand_in_asleep(struct ctlagent *a, struct fusefile *fuse)
{
    fusefile_sleep(fuse);
    int client = ctl_connect(a, (uid_t)-1, NULL, 0);
    assert_int_equal(
        ctl_send(client, ATTACH_HANDED, strlen(ATTACH_HANDED), &fuse->fd, 1),
        0);
    wait_until(atomic_load(&fuse->shared->asked) > 0);
    return client;
}

/* Hand it in, again and again, beside a request that wants none. What the
 * answer is in the end. */
static const char *
waste_descriptors(struct ctlagent *a, int file)
{
    static struct ctlreply reply;
    static const char hello[] = "{\"op\":\"hello\"}";
    const char *kind = "usage";
    for (unsigned i = 0; i < 1000 && strcmp(kind, "usage") == 0; i++) {
        int client = ctl_connect(a, (uid_t)-1, NULL, 0);
        ctl_send(client, hello, sizeof(hello) - 1, &file, 1);
        /* Where a request was left unread, that it broke off comes first. */
        assert_true(ctl_receive(client, &reply) == 0 ||
                    ctl_receive(client, &reply) == 0);
        kind = ctl_text(&reply, "kind");
        close(client);
    }
    return kind;
}

/* A client whose files answer nothing: as RAM, beside a request that wants
 * none, and when it leaves. A prober starts meanwhile. */
static void
test_file_system_that_sleeps_holds_nobody_up(void **state)
{
    struct ctlagent *a = *state;
    struct guestimg img;
    struct fusefile fuse;
    start_fuse(&fuse);
    guestimg_init(&img, 8 * MEMCTX_MIB, 8 * MEMCTX_MIB);
    int ram = guestimg_open(&img);
    grant(a, "user:1001 attach *");
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "handed");
    wait_ready(fd, "handed");
    int hostile = hand_in_asleep(a, &fuse);
    /* The loop turns. */
    ctl_let_turn(fd);
    /* What nobody wants is closed by the thread that is asleep, and at some
     * point no more is taken. */
    assert_string_equal(waste_descriptors(a, fuse.fd), "retry");
    /* Another user has a thread of its own. */
    int another = ctl_connect(a, 1001, NULL, 0);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_string_equal(ctl_text(hand_in(another, "", &null, 1), "kind"),
                        "permanent");
    assert_string_equal(ctl_text(hand_in(another, "", &ram, 1), "domain.state"),
                        "waiting");
    virDomainPtr later = ctlagent_create_domain(a, "later");
    wait_ready(fd, "later");
    close(hostile);
    ctl_let_turn(fd);
    fusefile_stop(&fuse);
    ctlagent_destroy_domain(later);
    ctlagent_destroy_domain(domain);
    close(null);
    close(another);
    close(ram);
    guestimg_deinit(&img);
    close(fd);
}

/* RAM waits to be looked at behind a file that is asleep. The domain stops
 * meanwhile, and one client leaves: nothing is attached, and all is closed. */
static void
test_domain_stops_while_its_ram_is_looked_at(void **state)
{
    struct ctlagent *a = *state;
    struct guestimg img;
    struct fusefile fuse;
    struct stat file;
    static struct ctlreply reply;
    start_fuse(&fuse);
    guestimg_init(&img, 8 * MEMCTX_MIB, 8 * MEMCTX_MIB);
    int ram = guestimg_open(&img);
    assert_int_equal(fstat(ram, &file), 0);
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "handed");
    wait_ready(fd, "handed");
    int hostile = hand_in_asleep(a, &fuse);
    int clients[2];
    for (unsigned i = 0; i < 2; i++) {
        clients[i] = ctl_connect(a, (uid_t)-1, NULL, 0);
        ctl_send(clients[i], ATTACH_HANDED, strlen(ATTACH_HANDED), &ram, 1);
    }
    ctl_let_turn(fd);
    close(clients[1]);
    ctlagent_destroy_domain(domain);
    ctl_let_turn(fd);
    fusefile_stop(&fuse);
    assert_int_equal(ctl_receive(hostile, &reply), 0);
    assert_string_equal(ctl_text(&reply, "kind"), "permanent");
    assert_int_equal(ctl_receive(clients[0], &reply), 0);
    assert_string_equal(ctl_text(&reply, "kind"), "gone");
    assert_descriptors_settle(&file, 2);
    ctlreply_deinit(&reply);
    close(clients[0]);
    close(hostile);
    close(ram);
    guestimg_deinit(&img);
    close(fd);
}

/* The domain is started anew while the RAM that it had is looked at. */
static void
test_ram_of_the_run_before_is_not_attached(void **state)
{
    struct ctlagent *a = *state;
    struct guestimg img;
    struct fusefile fuse;
    static struct ctlreply reply;
    start_fuse(&fuse);
    guestimg_init(&img, 8 * MEMCTX_MIB, 8 * MEMCTX_MIB);
    int ram = guestimg_open(&img);
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "handed");
    wait_ready(fd, "handed");
    int hostile = hand_in_asleep(a, &fuse);
    int client = ctl_connect(a, (uid_t)-1, NULL, 0);
    ctl_send(client, ATTACH_HANDED, strlen(ATTACH_HANDED), &ram, 1);
    ctl_let_turn(fd);
    ctlagent_push(a, domain, MEMCTX_EVENT_STOP);
    ctlagent_push(a, domain, MEMCTX_EVENT_START);
    ctl_let_turn(fd);
    fusefile_stop(&fuse);
    assert_int_equal(ctl_receive(client, &reply), 0);
    assert_string_equal(ctl_text(&reply, "kind"), "gone");
    ctlreply_deinit(&reply);
    ctlagent_destroy_domain(domain);
    close(client);
    close(hostile);
    close(ram);
    guestimg_deinit(&img);
    close(fd);
}

/* Whatever is wrong, what was handed in is closed, and the domain is as it
 * was. */
static void
test_attach_that_is_refused_closes_all(void **state)
{
    struct ctlagent *a = *state;
    struct guestimg img;
    guestimg_init(&img, 8 * MEMCTX_MIB, 8 * MEMCTX_MIB);
    struct stat file;
    assert_int_equal(fstat(img.fd, &file), 0);
    int fd = start(a, NULL, (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "handed");
    wait_ready(fd, "handed");
    int fds[2] = {guestimg_open(&img), guestimg_open(&img)};
    static const struct {
        const char *rest;
        unsigned n_fds;
        const char *kind;
    } bad[] = {
        {"", 0, "usage"},
        {",\"low\":\"x\"", 1, "usage"},
        {",\"low\":\"0x1\"", 1, "permanent"},
        {"", 2, "permanent"},
        {",\"extents\":5", 1, "usage"},
        {",\"extents\":[5]", 1, "usage"},
        {",\"extents\":[{\"gpa\":0}]", 1, "usage"},
        {",\"extents\":[{\"gpa\":0,\"size\":4096,\"offset\":0,"
         "\"backend\":4294967296}]",
         1, "usage"},
        {",\"extents\":[{\"gpa\":0,\"size\":4096,\"offset\":0,"
         "\"backend\":1}]",
         1, "permanent"},
        {",\"extents\":[{\"gpa\":0,\"size\":\"0x900000\",\"offset\":0,"
         "\"backend\":0}]",
         1, "permanent"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(bad); i++) {
        const struct ctlreply *reply =
            hand_in(fd, bad[i].rest, fds, bad[i].n_fds);
        if (strcmp(ctl_text(reply, "kind"), bad[i].kind) != 0)
            fail_msg("%s: wanted %s, got %s", bad[i].rest, bad[i].kind,
                     json_object_to_json_string(reply->object));
        assert_descriptors_settle(&file, 3);
    }
    /* One through which we could write is not taken. */
    assert_string_equal(ctl_text(hand_in(fd, "", &img.fd, 1), "kind"),
                        "permanent");
    assert_descriptors_settle(&file, 3);
    assert_string_equal(
        ctl_text(ctl_ask(fd, "{\"op\":\"show\",\"domain\":\"handed\"}"),
                 "domain.state"),
        "ready");
    close(fds[0]);
    close(fds[1]);
    ctlagent_destroy_domain(domain);
    guestimg_deinit(&img);
    close(fd);
}

static bool
is_root(void)
{
    return geteuid() == 0;
}

/* Take what the agent said last. That it hung up on a request comes first. */
static bool
is_told(int fd, struct ctlreply *reply)
{
    return ctl_receive(fd, reply) == 0 || ctl_receive(fd, reply) == 0;
}

/* It is told that there is nothing for it here, and then the end. */
static void
assert_denied(int fd)
{
    static struct ctlreply reply;
    assert_true(fd >= 0);
    assert_true(is_told(fd, &reply));
    assert_string_equal(ctl_text(&reply, "kind"), "denied");
    assert_non_null(strstr(ctl_text(&reply, "error"), "uid 65534"));
    assert_int_equal(ctl_receive(fd, &reply), -1);
    ctlreply_deinit(&reply);
}

static void
test_socket_is_closed_to_others_without_rules(void **state)
{
    struct ctlagent *a = *state;
    char path[100];
    struct stat st;
    int fd = start(a, NULL, (uid_t)-1);
    snprintf(path, sizeof(path), "%s/control.sock", a->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    close(fd);
    if (!is_root())
        skip();
    assert_int_equal(ctl_connect(a, NOBODY, NULL, 0), -1);
    /* Also where somebody opened it. */
    chmod(path, 0666);
    fd = ctl_connect(a, NOBODY, NULL, 0);
    assert_denied(fd);
    close(fd);
}

#define OPEN "{\"op\":\"open\",\"domain\":\"test\"}"
#define READ "{\"op\":\"read\",\"domain\":\"test\",\"gpa\":0,\"size\":1}"
#define SHOW "{\"op\":\"show\",\"domain\":\"test\"}"
#define WAIT "{\"op\":\"wait\",\"domain\":\"test\"}"
#define ATTACH "{\"op\":\"attach\",\"domain\":\"test\"}"
#define LIST "{\"op\":\"list\"}"
#define WRITE                                                   \
    "{\"op\":\"write\",\"domain\":\"test\",\"gva\":\"" STUB_UTS \
    "\",\"hex\":\"00\"}"

/* Each right for itself: with one of them the others are refused. */
static void
test_each_right_counts_for_itself(void **state)
{
    struct ctlagent *a = *state;
    static const struct {
        const char *right;
        const char *request;
    } ops[] = {{"list", LIST},  {"show", SHOW}, {"wait", WAIT},
               {"open", OPEN},  {"read", READ}, {"attach", ATTACH},
               {"write", WRITE}};
    if (!is_root())
        skip();
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ops); i++) {
        char rule[64];
        snprintf(rule, sizeof(rule), "user:%u %s test", NOBODY, ops[i].right);
        a->settings.access.n_rules = 0;
        int fd = start(a, rule, NOBODY);
        int ours = ctl_connect(a, (uid_t)-1, NULL, 0);
        wait_ready(ours, "test");
        for (size_t j = 0; j < MEMCTX_ARRAY_LEN(ops); j++) {
            const struct ctlreply *reply = ctl_ask(fd, ops[j].request);
            bool denied = strcmp(ctl_text(reply, "kind"), "denied") == 0;
            if (denied != (i != j))
                fail_msg("with %s, %s: %s", ops[i].right, ops[j].right,
                         json_object_to_json_string(reply->object));
            if (denied)
                assert_non_null(strstr(ctl_text(reply, "error"), ops[j].right));
        }
        close(ours);
        close(fd);
        ctlagent_stop(a);
    }
}

/* What is said of a domain that one may not know of is what is said of one
 * that is not there. */
static void
test_hidden_domain_is_as_none(void **state)
{
    struct ctlagent *a = *state;
    if (!is_root())
        skip();
    int fd = start(a, "user:65534 all web-*", NOBODY);
    virDomainPtr web = ctlagent_create_domain(a, "web-1");
    virDomainPtr hidden = ctlagent_create_domain(a, "db-1");
    char uuid[37];
    virDomainGetUUIDString(hidden, uuid);
    const char *names[] = {"db-1", "db-2", uuid,
                           "00000000-0000-4000-8000-000000000000"};
    wait_ready(fd, "web-1");
    static const char *const ops[] = {"show", "wait", "open", "read", "write"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ops); i++) {
        char first[2][512] = {"", ""};
        for (size_t j = 0; j < MEMCTX_ARRAY_LEN(names); j++) {
            char text[128];
            snprintf(text, sizeof(text), "{\"op\":\"%s\",\"domain\":\"%s\"}",
                     ops[i], names[j]);
            const struct ctlreply *reply = ctl_ask(fd, text);
            assert_string_equal(ctl_text(reply, "kind"), "denied");
            /* The texts differ in the name alone. */
            snprintf(text, sizeof(text), "'%s'", names[j]);
            const char *error = ctl_text(reply, "error");
            assert_non_null(strstr(error, text));
            char masked[512];
            snprintf(masked, sizeof(masked), "%.*s%s",
                     (int)(strstr(error, text) - error), error,
                     strstr(error, text) + strlen(text));
            if (first[0][0] == '\0')
                strcpy(first[0], masked);
            assert_string_equal(masked, first[0]);
        }
    }
    const struct ctlreply *reply = ctl_ask(fd, LIST);
    json_object *domains;
    json_object_object_get_ex(reply->object, "domains", &domains);
    assert_int_equal(json_object_array_length(domains), 1);
    /* One that may be shown and is not there is gone. */
    assert_kind(fd, "{\"op\":\"show\",\"domain\":\"web-2\"}", "gone", "web-2");
    reply = ctl_ask(fd, "{\"op\":\"wait\",\"follow\":true}");
    assert_string_equal(ctl_text(reply, "domain.name"), "web-1");
    ctlagent_destroy_domain(hidden);
    ctlagent_destroy_domain(web);
    follow_until(fd, "web-1", "gone");
    close(fd);
}

/* Nor by its id, where a rule grants domains of such a name. */
static void
test_hidden_domain_is_not_told_by_its_id(void **state)
{
    struct ctlagent *a = *state;
    if (!is_root())
        skip();
    int fd = start(a, "user:65534 all [0-9]*", NOBODY);
    int ours = ctl_connect(a, (uid_t)-1, NULL, 0);
    wait_ready(ours, "1"); /* libvirt's "test" */
    assert_kind(fd, "{\"op\":\"show\",\"domain\":\"1\"}", "gone", "'1'");
    assert_kind(fd, "{\"op\":\"show\",\"domain\":\"999\"}", "gone", "'999'");
    close(ours);
    close(fd);
}

static void
test_group_of_the_peer_counts(void **state)
{
    struct ctlagent *a = *state;
    static const gid_t groups[] = {4711, 4712};
    if (!is_root())
        skip();
    int none = start(a, "group:4712 show *", NOBODY);
    int fd = ctl_connect(a, NOBODY, groups, 2);
    int ours = ctl_connect(a, (uid_t)-1, NULL, 0);
    wait_ready(ours, "test");
    assert_true(ctl_text(ctl_ask(fd, SHOW), "datum")[0] == '<');
    /* Without the group there is nothing for it here. */
    assert_denied(none);
    close(none);
    close(ours);
    close(fd);
}

static void
test_root_writes_only_by_a_rule(void **state)
{
    struct ctlagent *a = *state;
    int fd = start(a, "user:0 all *", (uid_t)-1);
    wait_ready(fd, "test");
    assert_kind(fd, WRITE, "denied", "may not write 'test'");
    close(fd);
}

#define WRITE_TO(domain, gva)                                          \
    "{\"op\":\"write\",\"domain\":\"" domain "\",\"gva\":\"" gva "\"," \
    "\"hex\":\"0011\"}"

/* A prober finds the page; stub RAM is sealed, so that the write fails there.
 */
static void
test_write_goes_where_a_prober_says(void **state)
{
    struct ctlagent *a = *state;
    if (!is_root())
        skip();
    int fd = start(a, "user:0 write test", (uid_t)-1);
    wait_ready(fd, "test");
    assert_kind(fd, WRITE_TO("test", STUB_UTS), "permanent",
                "writing at gpa 0x");
    assert_kind(fd, WRITE_TO("test", "0x1000"), "retry", "page tables: ");
    assert_kind(fd, WRITE_TO("test", "0xffffffffffffffff"), "usage",
                "beyond the last address");
    close(fd);
}

/* From now on other probers are started. */
static void
link_prober(const struct ctlagent *a, const char *program)
{
    char link[100];
    char other[100];
    snprintf(link, sizeof(link), "%s/prober", a->dir);
    snprintf(other, sizeof(other), "%s/other", a->dir);
    assert_int_equal(symlink(program, other), 0);
    assert_int_equal(rename(other, link), 0);
}

/* The prober that looks for the address says nothing: the client may leave
 * meanwhile, and the domain, which is let go at once. */
static void
test_domain_stops_while_an_address_is_looked_for(void **state)
{
    struct ctlagent *a = *state;
    static struct ctlreply reply;
    static const char request[] = WRITE_TO("w", STUB_UTS);
    char prober[100];
    char fake[FAKEPROBER_PATH_MAX];
    struct stat ram;
    if (!is_root())
        skip();
    snprintf(prober, sizeof(prober), "%s/prober", a->dir);
    fakeprober_path(fake);
    link_prober(a, a->settings.prober);
    a->settings.prober = prober;
    ctlagent_keep_log(a);
    int fd = start(a, "user:0 write w", (uid_t)-1);
    virDomainPtr domain = ctlagent_create_domain(a, "w");
    wait_ready(fd, "w");
    const struct ctlreply *opened =
        ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"w\"}");
    assert_int_equal(fstat(opened->fds[1], &ram), 0);
    link_prober(a, fake);
    int writer = ctl_connect(a, (uid_t)-1, NULL, 0);
    int leaver = ctl_connect(a, (uid_t)-1, NULL, 0);
    int behind = ctl_connect(a, (uid_t)-1, NULL, 0);
    const int all[] = {leaver, writer, behind};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(all); i++) {
        assert_int_equal(ctl_send(all[i], request, strlen(request), NULL, 0),
                         0);
        ctl_let_turn(fd);
    }
    close(leaver);
    ctl_let_turn(fd);
    assert_int_equal(ctl_take(writer, &reply), -1);
    ctlagent_destroy_domain(domain);
    for (size_t i = 1; i < MEMCTX_ARRAY_LEN(all); i++) {
        assert_int_equal(ctl_receive(all[i], &reply), 0);
        assert_string_equal(ctl_text(&reply, "kind"), "gone");
        assert_string_equal(ctl_text(&reply, "error"),
                            "the domain has stopped");
        close(all[i]);
    }
    wait_until(count_descriptors_of(&ram) == 0);
    /* Who left wrote nothing, and tried nothing. */
    assert_int_equal(logpipe_count(&a->logpipe, "audit: write:"), 2);
    ctlreply_deinit(&reply);
    close(fd);
}

static void
push_kind(struct ctlagent *a, enum event_kind kind)
{
    struct event *event = event_create(kind);
    assert_non_null(event);
    event_push(agent_queue(a->agent), event);
}

/* A list of the real libvirt's may still be on its way. */
static bool
is_refused_while_away(struct ctlagent *a, int fd, const char *text)
{
    push_kind(a, EVENT_LOST);
    ctl_let_turn(fd);
    const struct ctlreply *reply = ctl_ask(fd, text);
    return strcmp(ctl_text(reply, "kind"), "retry") == 0 &&
           strstr(ctl_text(reply, "error"), "not connected") != NULL;
}

/* A name that was mistyped, and libvirt that is away, are told apart. */
static void
test_nothing_is_known_while_libvirt_is_away(void **state)
{
    struct ctlagent *a = *state;
    static const char show[] = "{\"op\":\"show\",\"domain\":\"nobody\"}";
    static const char list[] = "{\"op\":\"list\"}";
    static const char wait[] =
        "{\"op\":\"wait\",\"domain\":\"nobody\",\"running\":true}";
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(patterns_add(&a->settings.domains, "nobody", &err), &err);
    ctlagent_start(a);
    int fd = ctl_connect(a, (uid_t)-1, NULL, 0);
    ctl_ask_ready(fd, list);
    assert_string_equal(ctl_text(ctl_ask(fd, wait), "kind"), "gone");
    const char *const all[] = {show, list, wait};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(all); i++)
        wait_until(is_refused_while_away(a, fd, all[i]));
    push_kind(a, EVENT_LISTED);
    ctl_let_turn(fd);
    assert_string_equal(ctl_text(ctl_ask(fd, list), "kind"), "");
    close(fd);
}

/* Each request for RAM is on record, with who sent it. */
static void
test_requests_for_ram_are_on_record(void **state)
{
    struct ctlagent *a = *state;
    ctlagent_keep_log(a);
    ctlagent_start(a);
    int fd = ctl_connect(a, (uid_t)-1, NULL, 0);
    char words[128];
    wait_ready(fd, "test");
    const char *text = ctl_read_request(fd, "test", 0, 16);
    logpipe_count(&a->logpipe, "");
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(ctl_ask(fd, text)->len_bytes, 16);
    snprintf(words, sizeof(words), "access: op=read uid=%u pid=%d program=\"",
             (unsigned)getuid(), (int)getpid());
    assert_int_equal(logpipe_count(&a->logpipe, words), 1);
    ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"a\\\" b=\\\"\"}");
    assert_int_equal(
        logpipe_count(&a->logpipe,
                      "domain=\"a\\\" b=\\\"\" outcome=\"refused\""),
        1);
    close(fd);
}

static void
test_one_user_gets_only_so_many_connections(void **state)
{
    struct ctlagent *a = *state;
    int fds[70];
    unsigned served = 0;
    unsigned refused = 0;
    if (!is_root())
        skip();
    int fd = start(a, "user:65534 list *", (uid_t)-1);
    for (unsigned i = 0; i < 70; i++)
        fds[i] = ctl_connect(a, NOBODY, NULL, 0);
    for (unsigned i = 0; i < 70; i++) {
        static struct ctlreply reply;
        ctl_send(fds[i], LIST, strlen(LIST), NULL, 0);
        assert_true(is_told(fds[i], &reply));
        served += json_object_object_get(reply.object, "domains") != NULL;
        refused += strcmp(ctl_text(&reply, "kind"), "retry") == 0;
        ctlreply_deinit(&reply);
    }
    assert_int_equal(served, 64);
    assert_int_equal(refused, 6);
    assert_string_equal(ctl_text(ctl_ask(fd, "{\"op\":\"hello\"}"), "memctx"),
                        "2");
    for (unsigned i = 0; i < 70; i++)
        close(fds[i]);
    close(fd);
}

/* Bytes of replies that nobody has taken. */
static int
queued_bytes(int fd)
{
    int bytes = 0;
    assert_int_equal(ioctl(fd, FIONREAD, &bytes), 0);
    return bytes;
}

/* Send one more request. False: its queue is full, and stays so while the agent
 * turns and answers others. */
static bool
may_send(int fd, int other, const char *text, size_t len)
{
    for (unsigned i = 0; i < 20; i++) {
        if (send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            return true;
        ctl_ask(other, READ);
    }
    return false;
}

/* While a reply is not taken no other request is read, and open hands out no
 * second set of descriptors. */
static void
test_replies_are_taken_before_more_is_done(void **state)
{
    struct ctlagent *a = *state;
    static struct ctlreply reply;
    int fd = start(a, NULL, (uid_t)-1);
    wait_ready(fd, "test");
    int other = ctl_connect(a, (uid_t)-1, NULL, 0);
    unsigned sent = 0;
    const char *text = ctl_read_request(fd, "test", 0, 131072);
    while (sent < 1000 && may_send(fd, other, text, strlen(text)))
        sent++;
    assert_true(sent < 1000); /* the queue is full: nobody reads it */
    for (unsigned i = 0; i < sent; i++) {
        assert_int_equal(ctl_receive(fd, &reply), 0);
        assert_string_equal(ctl_text(&reply, "size"), "0x20000");
        assert_int_equal(reply.len_bytes, 131072);
    }
    assert_int_equal(ctl_send(fd, OPEN, strlen(OPEN), NULL, 0), 0);
    wait_until(queued_bytes(fd) > 0);
    int first = queued_bytes(fd);
    assert_int_equal(ctl_send(fd, OPEN, strlen(OPEN), NULL, 0), 0);
    wait_until(queued_bytes(fd) > first);
    assert_int_equal(ctl_receive(fd, &reply), 0);
    assert_int_equal(reply.n_fds, 2);
    assert_int_equal(ctl_receive(fd, &reply), 0);
    assert_string_equal(ctl_text(&reply, "kind"), "retry");
    ctlreply_deinit(&reply);
    close(other);
    close(fd);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_hello_tells_the_protocol),
        T(test_what_is_no_request),
        T(test_show_by_name_uuid_and_id),
        T(test_open_hands_out_page_and_ram),
        T(test_page_follows_the_kernel),
        T(test_page_comes_back_after_a_pause),
        T(test_silent_domain_is_not_ready_for_clients_of_before),
        T(test_silent_domain_is_served_to_who_asks),
        T(test_page_tells_of_a_silent_kernel),
        T(test_read_by_gpa),
        T(test_recorded_client_of_version_1),
        T(test_reads_of_version_1_are_told),
        T(test_read_of_a_hole_sends_nothing),
        T(test_reads_that_are_refused),
        T(test_served_ram_is_let_go_with_the_domain),
        T(test_wait_for_a_domain_yet_to_start),
        T(test_follow_one_domain),
        T(test_follow_all_domains),
        T(test_follower_is_not_told_what_it_knows),
        T(test_descriptors_that_nobody_wants_are_closed),
        T(test_descriptors_that_wait_hold_nobody_up),
        T(test_attached_ram_is_searched_and_let_go),
        T(test_a_file_on_a_disk_is_attached),
        T(test_file_system_that_sleeps_holds_nobody_up),
        T(test_domain_stops_while_its_ram_is_looked_at),
        T(test_ram_of_the_run_before_is_not_attached),
        T(test_attach_that_is_refused_closes_all),
        T(test_socket_is_closed_to_others_without_rules),
        T(test_each_right_counts_for_itself),
        T(test_hidden_domain_is_as_none),
        T(test_hidden_domain_is_not_told_by_its_id),
        T(test_group_of_the_peer_counts),
        T(test_root_writes_only_by_a_rule),
        T(test_write_goes_where_a_prober_says),
        T(test_domain_stops_while_an_address_is_looked_for),
        T(test_nothing_is_known_while_libvirt_is_away),
        T(test_requests_for_ram_are_on_record),
        T(test_one_user_gets_only_so_many_connections),
        T(test_replies_are_taken_before_more_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
