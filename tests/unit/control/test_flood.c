/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Hostile clients of the control socket: 10 000 requests that were valid before
 * somebody changed them, with and without descriptors; 200 that say nothing;
 * one that reads nothing. Meanwhile another is answered for little work, and
 * afterwards nothing is left of all that. MEMCTX_SEED repeats a run. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire/clocks.h"
#include "ctlclient.h"

#define HOSTILE 10000
#define SILENT 200
#define ASK_EACH 20 /* hostile requests */

/* CPU time of this process, agent included, from a question to its answer: it
 * does not grow with what else the machine does. The median is some 0.1 ms,
 * under valgrind 6 ms. */
#define ANSWER_CPU_MAX_US 50000u

static const char *const valid[] = {
    "{\"op\":\"hello\"}",
    "{\"op\":\"list\"}",
    "{\"op\":\"show\",\"domain\":\"test\"}",
    "{\"op\":\"wait\",\"domain\":\"test\"}",
    "{\"op\":\"wait\",\"domain\":\"nobody\"}",
    "{\"op\":\"wait\",\"domain\":\"test\",\"follow\":true}",
    "{\"op\":\"wait\",\"follow\":true}",
    "{\"op\":\"open\",\"domain\":\"test\"}",
    "{\"op\":\"read\",\"domain\":\"test\",\"gpa\":\"0x1000\",\"size\":\"0x1000\"}",
    "{\"op\":\"read\",\"domain\":\"test\",\"gpa\":\"0x200000\","
    "\"size\":131072,\"epoch\":\"0x7\"}",
    "{\"op\":\"read\",\"domain\":\"1\",\"gva\":\"0xffffffff80100000\","
    "\"root\":\"0x1000\",\"size\":16}",
    "{\"op\":\"write\",\"domain\":\"test\",\"gva\":\"0xffffffff80103000\","
    "\"hex\":\"00ff\"}",
    "{\"op\":\"attach\",\"domain\":\"test\",\"low\":\"0x80000000\"}",
};

/* Change some bytes, cut, repeat, or put two together. Returns the length. */
static size_t
mutate(unsigned *seed, char *text, size_t size)
{
    const char *base = valid[(unsigned)rand_r(seed) % MEMCTX_ARRAY_LEN(valid)];
    size_t len = strlen(base);
    memcpy(text, base, len);
    for (unsigned n = (unsigned)rand_r(seed) % 4; n > 0; n--) {
        size_t at = (size_t)rand_r(seed) % (len + 1);
        switch (rand_r(seed) % 5) {
        case 0:
            if (len > 1)
                len = at > 0 ? at : 1;
            break;
        case 1:
            if (at < len)
                text[at] = (char)rand_r(seed);
            break;
        case 2: { /* repeat what is behind `at` */
            size_t more = memctx_min(len - at, size - len);
            memmove(text + len, text + at, more);
            len += more;
            break;
        }
        case 3:
            if (at < len)
                text[at] = "{}[]\",:0x\\u-"[rand_r(seed) % 12];
            break;
        default: { /* a long run of one byte */
            size_t more = (size_t)rand_r(seed) % (size - len + 1);
            memset(text + len, "{[ 9\"\0"[rand_r(seed) % 6], more);
            len += more;
        }
        }
    }
    return len;
}

/* The least of some counts: what is on its way through the agent comes and
 * goes. */
static unsigned
count_settled_fds(void)
{
    unsigned least = count_fds();
    for (unsigned i = 0; i < 20; i++) {
        usleep(5000);
        least = (unsigned)memctx_min(least, count_fds());
    }
    return least;
}

/* One hostile client after the other, each for some 50 requests. */
struct hostile {
    const struct ctlagent *agent;
    unsigned seed;
    unsigned sent;
    int fd;
    int given; /* sent along */
};

static void
drain(int fd)
{
    static struct ctlreply reply;
    while (ctl_take(fd, &reply) == 0)
        ;
    ctlreply_deinit(&reply);
}

static void
send_hostile(struct hostile *h)
{
    static char text[8192];
    int fds[CTL_FDS_MAX];
    if (h->fd >= 0 && rand_r(&h->seed) % 50 == 0) {
        close(h->fd);
        h->fd = -1;
    }
    if (h->fd < 0)
        h->fd = ctl_connect(h->agent, (uid_t)-1, NULL, 0);
    size_t len = mutate(&h->seed, text, sizeof(text));
    unsigned n_fds = rand_r(&h->seed) % 4 == 0
                         ? (unsigned)rand_r(&h->seed) % CTL_FDS_MAX
                         : 0;
    for (unsigned i = 0; i < n_fds; i++)
        fds[i] = h->given;
    struct pollfd poller = {.fd = h->fd, .events = POLLOUT};
    if (poll(&poller, 1, 1000) <= 0 ||
        ctl_send(h->fd, text, len, fds, n_fds) < 0) {
        close(h->fd);
        h->fd = -1;
    } else if (rand_r(&h->seed) % 3 != 0)
        drain(h->fd);
    h->sent++;
}

/* What it costs until the well-behaved client has its answers, us of CPU. */
static uint64_t
answer_cpu_us(int fd)
{
    uint64_t before_us = clocks_us(CLOCK_PROCESS_CPUTIME_ID);
    /* Which asks "show". */
    const char *text = ctl_read_request(fd, "test", 0x3000, 16);
    const struct ctlreply *reply = ctl_ask(fd, text);
    assert_int_equal(reply->len_bytes, 16);
    return clocks_us(CLOCK_PROCESS_CPUTIME_ID) - before_us;
}

static int
compare_costs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* One that asks for much and takes nothing. */
static int
start_deaf(const struct ctlagent *a)
{
    int fd = ctl_connect(a, (uid_t)-1, NULL, 0);
    const char *text = ctl_read_request(fd, "test", 0, 131072);
    while (send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
    return fd;
}

static void
flood(struct ctlagent *a, unsigned seed)
{
    int silent[SILENT];
    int good = ctl_connect(a, (uid_t)-1, NULL, 0);
    ctl_ask(good, "{\"op\":\"wait\",\"domain\":\"test\"}");
    for (unsigned i = 0; i < SILENT; i++)
        silent[i] = ctl_connect(a, (uid_t)-1, NULL, 0);
    int deaf = start_deaf(a);
    struct hostile h = {
        .agent = a, .seed = seed, .fd = -1, .given = eventfd(0, EFD_CLOEXEC)};
    uint64_t costs_us[HOSTILE / ASK_EACH];
    print_message("%u hostile requests, seed %u\n", HOSTILE, seed);
    while (h.sent < HOSTILE) {
        send_hostile(&h);
        if (h.sent % ASK_EACH == 0)
            costs_us[h.sent / ASK_EACH - 1] = answer_cpu_us(good);
    }
    qsort(costs_us, HOSTILE / ASK_EACH, sizeof(costs_us[0]), compare_costs);
    uint64_t median_us = costs_us[HOSTILE / ASK_EACH / 2];
    print_message("an answer costs %u us of CPU\n", (unsigned)median_us);
    assert_true(median_us <= ANSWER_CPU_MAX_US);
    if (h.fd >= 0)
        close(h.fd);
    close(h.given);
    close(deaf);
    for (unsigned i = 0; i < SILENT; i++)
        close(silent[i]);
    close(good);
}

static void
test_flood_hurts_nobody_and_leaves_nothing(void **state)
{
    struct ctlagent *a = *state;
    const char *again = getenv("MEMCTX_SEED");
    unsigned seed =
        again != NULL ? (unsigned)atoi(again) : (unsigned)time(NULL);
    struct memctx_error err = MEMCTX_ERROR_INIT;
    a->log.level = LOG_LEVELS; /* refusals are not what is tested */
    assert_done(access_add(&a->settings.access, "user:0 write test", &err),
                &err);
    ctlagent_start(a);
    int fd = ctl_connect(a, (uid_t)-1, NULL, 0);
    ctl_ask(fd, "{\"op\":\"wait\",\"domain\":\"test\"}");
    ctl_ask(fd, "{\"op\":\"open\",\"domain\":\"test\"}");
    ctl_ask(fd, "{\"op\":\"hello\"}"); /* closes what came */
    unsigned before = count_settled_fds();
    flood(a, seed);
    /* The agent sees the ends of its clients in its own time. */
    wait_until(count_fds() <= before);
    close(fd);
}

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_flood_hurts_nobody_and_leaves_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
