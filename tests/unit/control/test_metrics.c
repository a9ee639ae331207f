/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Metrics: how they are spelled, who gets which, and whether they count. */
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "control/exposition.h"
#include "ctlclient.h"

#define NOBODY 65534u

static const struct exposition_family counter = {
    "memctx_things_seconds", EXPOSITION_COUNTER, "seconds", "Things."};
static const struct exposition_family info = {"memctx_thing", EXPOSITION_INFO,
                                              NULL, "A thing."};

static char *
spell(enum exposition_spelling spelling, const char *label)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct exposition e = {&text, spelling};
    const struct exposition_label labels[] = {{"a", label}, {"b", "2"}};
    char *ret;
    exposition_begin(&e, &counter);
    exposition_add(&e, &counter, NULL, 0, 1.5);
    exposition_begin(&e, &info);
    exposition_add(&e, &info, labels, MEMCTX_ARRAY_LEN(labels), 1);
    exposition_end(&e);
    assert_done(memctx_text_take(&text, &ret, &err), &err);
    return ret;
}

static void
test_openmetrics(void **state)
{
    (void)state;
    char *text = spell(EXPOSITION_OPENMETRICS, "x");
    assert_string_equal(text, "# TYPE memctx_things_seconds counter\n"
                              "# UNIT memctx_things_seconds seconds\n"
                              "# HELP memctx_things_seconds Things.\n"
                              "memctx_things_seconds_total 1.5\n"
                              "# TYPE memctx_thing info\n"
                              "# HELP memctx_thing A thing.\n"
                              "memctx_thing_info{a=\"x\",b=\"2\"} 1\n"
                              "# EOF\n");
    free(text);
}

static void
test_prometheus(void **state)
{
    (void)state;
    char *text = spell(EXPOSITION_PROMETHEUS, "x");
    assert_string_equal(text, "# TYPE memctx_things_seconds_total counter\n"
                              "# HELP memctx_things_seconds_total Things.\n"
                              "memctx_things_seconds_total 1.5\n"
                              "# TYPE memctx_thing_info gauge\n"
                              "# HELP memctx_thing_info A thing.\n"
                              "memctx_thing_info{a=\"x\",b=\"2\"} 1\n");
    free(text);
}

/* A guest says what its release is called, and a user what a domain is. */
static void
test_label_stays_inside_its_quotes(void **state)
{
    static const struct {
        const char *value, *spelled;
    } cases[] = {
        {"a\"} 1\nmemctx_libvirt_up 0\n",
         "a\\\"} 1\\\\x0amemctx_libvirt_up 0\\\\x0a"},
        {"\\", "\\\\"},
        {"\\\"", "\\\\\\\""},
        {"B\xc3\xbcro", "B\xc3\xbcro"},
        {"\xff\xc0", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\033[2J\x7f\r", "\\\\x1b[2J\\\\x7f\\\\x0d"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(cases); i++) {
        char wanted[128];
        char *text = spell(EXPOSITION_PROMETHEUS, cases[i].value);
        snprintf(wanted, sizeof(wanted),
                 "\nmemctx_thing_info{a=\"%s\",b=\"2\"} 1\n", cases[i].spelled);
        assert_non_null(strstr(text, wanted));
        free(text);
    }
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

/* What the agent answers, which must be sealed and as long as it says. */
static const char *
ask_metrics(int fd, const char *format)
{
    static char text[65536];
    char request[80];
    snprintf(request, sizeof(request), "{\"op\":\"metrics\",\"format\":\"%s\"}",
             format);
    const struct ctlreply *reply = ctl_ask(fd, request);
    assert_int_equal(reply->n_fds, 1);
    assert_true((fcntl(reply->fds[0], F_GET_SEALS) & F_SEAL_WRITE) != 0);
    ssize_t n = pread(reply->fds[0], text, sizeof(text) - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_int_equal(strtoull(ctl_text(reply, "size"), NULL, 16), n);
    return text;
}

static void
wait_ready(int fd, const char *name)
{
    char text[128];
    snprintf(text, sizeof(text), "{\"op\":\"wait\",\"domain\":\"%s\"}", name);
    assert_string_equal(ctl_text(ctl_ask(fd, text), "domain.state"), "ready");
}

/* The value of the sample of a domain; -1: it has none. */
static double
value_of(const char *text, const char *metric, const char *domain)
{
    char start[200];
    snprintf(start, sizeof(start), "\n%s{domain=\"%s\",", metric, domain);
    const char *at = strstr(text, start);
    return at == NULL ? -1 : strtod(strchr(at, '}') + 1, NULL);
}

static void
test_domain_is_counted(void **state)
{
    struct ctlagent *a = *state;
    ctlagent_start(a);
    int fd = ctl_connect(a, (uid_t)-1, NULL, 0);
    virDomainPtr domain = ctlagent_create_domain(a, "counted");
    wait_ready(fd, "counted");
    const char *text = ask_metrics(fd, "prometheus");
    assert_true(value_of(text, "memctx_domain_generation", "counted") == 1);
    assert_true(value_of(text, "memctx_domain_tries_total", "counted") >= 1);
    assert_true(value_of(text, "memctx_domain_prober_cpu_seconds_total",
                         "counted") > 0);
    assert_true(
        value_of(text, "memctx_domain_kernels_replaced_total", "counted") == 0);
    assert_non_null(strstr(text, "release=\"0.0.0-memctx-stub\""));
    assert_non_null(strstr(text, "memctx_domains{state=\"ready\"}"));
    ctlagent_push(a, domain, MEMCTX_EVENT_RESET);
    ctl_let_turn(fd);
    wait_ready(fd, "counted");
    text = ask_metrics(fd, "prometheus");
    assert_true(value_of(text, "memctx_domain_generation", "counted") == 2);
    assert_true(value_of(text, "memctx_domain_datum_delay_seconds", "counted") >
                0);
    /* A reset is not what somebody must be told of. */
    assert_true(
        value_of(text, "memctx_domain_kernels_replaced_total", "counted") == 0);
    ctlagent_push(a, domain, MEMCTX_EVENT_REPLACED);
    ctl_let_turn(fd);
    wait_ready(fd, "counted");
    text = ask_metrics(fd, "prometheus");
    assert_true(value_of(text, "memctx_domain_generation", "counted") == 3);
    assert_true(
        value_of(text, "memctx_domain_kernels_replaced_total", "counted") == 1);
    ctlagent_destroy_domain(domain);
    close(fd);
}

static void
test_kernel_can_be_left_out(void **state)
{
    struct ctlagent *a = *state;
    a->settings.metrics_kernel = 0;
    ctlagent_start(a);
    int fd = ctl_connect(a, (uid_t)-1, NULL, 0);
    wait_ready(fd, "test");
    const char *text = ask_metrics(fd, "openmetrics");
    assert_null(strstr(text, "memctx-stub"));
    assert_non_null(strstr(text, "domain=\"test\""));
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    close(fd);
}

/* Others see what they may list, and are counted when they ask for more. */
static void
test_metrics_tell_of_no_other_domain(void **state)
{
    struct ctlagent *a = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (geteuid() != 0)
        skip();
    assert_done(access_add(&a->settings.access, "user:65534 list web-*", &err),
                &err);
    ctlagent_start(a);
    int root = ctl_connect(a, (uid_t)-1, NULL, 0);
    int fd = ctl_connect(a, NOBODY, NULL, 0);
    virDomainPtr domain = ctlagent_create_domain(a, "web-1");
    wait_ready(root, "web-1");
    wait_ready(root, "test");
    const char *text = ask_metrics(fd, "openmetrics");
    assert_non_null(strstr(text, "domain=\"web-1\""));
    assert_null(strstr(text, "domain=\"test\""));
    assert_non_null(strstr(text, "memctx_domains{state=\"ready\"} 1\n"));
    assert_non_null(strstr(text, "memctx_requests_refused_total 0\n"));
    ctl_ask(fd, "{\"op\":\"show\",\"domain\":\"web-1\"}");
    text = ask_metrics(fd, "openmetrics");
    assert_non_null(strstr(text, "memctx_requests_refused_total 1\n"));
    const struct ctlreply *reply =
        ctl_ask(fd, "{\"op\":\"metrics\",\"format\":\"graphite\"}");
    assert_string_equal(ctl_text(reply, "kind"), "usage");
    ctlagent_destroy_domain(domain);
    close(fd);
    close(root);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openmetrics),
        cmocka_unit_test(test_prometheus),
        cmocka_unit_test(test_label_stays_inside_its_quotes),
        cmocka_unit_test_setup_teardown(test_domain_is_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_kernel_can_be_left_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_metrics_tell_of_no_other_domain,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
