/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a prober answers, asked over its socket as memctxd asks it. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guestimg.h"
#include "logimg.h"
#include "prober/tasks.h"

#define RAM (128 * MEMCTX_MIB)
#define BOOT (UINT64_C(0x100000000) - 300 * 250)
#define CLOCK_BEHIND_ROOT 0x10cc0

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_probe_ram ram;
    int output[2];  /* a pipe: ours, its */
    int sockets[2]; /* ours, its */
    pthread_t thread;
    int ended; /* what tasks_run() returned */
    struct memctx_probe_request request;
    struct memctx_probe_answer answer;
    struct memctx_error err;
};

static void *
run(void *arg)
{
    struct fixture *f = arg;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct tasks_means means = {f->sockets[1], &f->ram, f->output[1]};
    f->ended = tasks_run(&means, &err);
    close(f->sockets[1]);
    return NULL;
}

static void
start(struct fixture *f)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, f->sockets), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
}

static int
stop(struct fixture *f)
{
    shutdown(f->sockets[0], SHUT_WR);
    pthread_join(f->thread, NULL);
    close(f->sockets[0]);
    return f->ended;
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->map = guestimg_rammap(&f->img, NULL);
    f->ram = (struct memctx_probe_ram){{f->map}, 1};
    assert_int_equal(pipe2(f->output, O_CLOEXEC), 0);
    start(f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    close(f->output[0]);
    close(f->output[1]);
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static struct guestimg_kernel
add_kernel(struct fixture *f)
{
    struct guestimg_kernel kernel = guestimg_kernel();
    guestimg_add_kernel(&f->img, &kernel);
    guestimg_write_le64(&f->img, kernel.root_gpa + CLOCK_BEHIND_ROOT, BOOT);
    return kernel;
}

static void
tick(struct fixture *f, const struct guestimg_kernel *kernel)
{
    uint64_t gpa = kernel->root_gpa + CLOCK_BEHIND_ROOT;
    guestimg_write_le64(&f->img, gpa, guestimg_read_le64(&f->img, gpa) + 1);
}

static void
send_request(struct fixture *f)
{
    f->request.serial++;
    assert_int_equal(
        send(f->sockets[0], &f->request, sizeof(f->request), MSG_NOSIGNAL),
        sizeof(f->request));
}

static void
receive_answer(struct fixture *f)
{
    unsigned char bytes[4096];
    ssize_t n = recv(f->sockets[0], bytes, sizeof(bytes), 0);
    assert_true(n > 0);
    assert_done(memctx_probe_answer_decode(bytes, (size_t)n, &f->request,
                                           &f->ram, &f->answer, &f->err),
                &f->err);
}

static enum memctx_probe_verdict
ask(struct fixture *f, enum memctx_probe_task task)
{
    f->request.task = task;
    send_request(f);
    receive_answer(f);
    return f->answer.verdict;
}

static void
test_empty_ram_is_not_yet(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_FAILED);
    assert_error(&f->answer.why, MEMCTX_RETRY, "no VMCOREINFO");
    assert_int_equal(ask(f, MEMCTX_PROBE_WATCH), MEMCTX_PROBE_FAILED);
    assert_error(&f->answer.why, MEMCTX_RETRY, "no kernel is pending");
    assert_int_equal(ask(f, MEMCTX_PROBE_VERIFY), MEMCTX_PROBE_FAILED);
    assert_error(&f->answer.why, MEMCTX_RETRY, "no kernel has been found");
    assert_int_equal(stop(f), 0);
}

static void
test_kernel_after_a_cold_start(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f);
    f->request.cold = true;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_DONE);
    assert_int_equal(f->answer.kernel.kcr3, kernel.root_gpa);
    assert_false(f->answer.alive);
    assert_int_equal(f->answer.n_words, 0);
    assert_int_equal(f->answer.proof, MEMCTX_LAYOUT_CERTAIN);
    assert_true(f->answer.bytes_read > 0);
    assert_int_equal(stop(f), 0);
}

/* A task that has used its time is answered, and the next goes on. */
static void
test_task_that_has_used_its_time(void **state)
{
    struct fixture *f = *state;
    guestimg_touch(&f->img, 0, RAM);
    struct guestimg_kernel kernel = add_kernel(f);
    f->request.cold = true;
    f->request.cpu_us = 1;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_FAILED);
    assert_int_equal(f->answer.why.kind, MEMCTX_RETRY);
    assert_true(f->answer.bytes_read < RAM / 4);
    f->request.cpu_us = 0;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_DONE);
    assert_int_equal(f->answer.kernel.kcr3, kernel.root_gpa);
    assert_int_equal(stop(f), 0);
}

static void
test_kernel_that_ticks_shows_its_words(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f);
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_PENDING);
    assert_int_equal(f->answer.kernel.kcr3, kernel.root_gpa);
    assert_int_equal(ask(f, MEMCTX_PROBE_WATCH), MEMCTX_PROBE_PENDING);
    tick(f, &kernel);
    assert_int_equal(ask(f, MEMCTX_PROBE_WATCH), MEMCTX_PROBE_DONE);
    assert_true(f->answer.alive);
    assert_int_equal(f->answer.n_words, 1);
    assert_int_equal(f->answer.words[0].gpa,
                     kernel.root_gpa + CLOCK_BEHIND_ROOT);
    assert_int_equal(f->answer.per_second, 1000);
    assert_int_equal(stop(f), 0);
}

/* A kernel may have none: that is no failure. */
static void
test_words_that_do_not_tick_are_not_waited_for(void **state)
{
    struct fixture *f = *state;
    add_kernel(f);
    f->request.cold = true;
    ask(f, MEMCTX_PROBE_TRY);
    f->request.wait_us = 1000;
    assert_int_equal(ask(f, MEMCTX_PROBE_VERIFY), MEMCTX_PROBE_DONE);
    assert_int_equal(f->answer.n_words, 0);
    assert_int_equal(stop(f), 0);
}

static void
test_words_are_waited_for(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f);
    f->request.cold = true;
    ask(f, MEMCTX_PROBE_TRY);
    f->request.task = MEMCTX_PROBE_VERIFY;
    f->request.wait_us = UINT64_C(600) * 1000000;
    send_request(f);
    /* However late it notes them, they go on. */
    for (unsigned i = 0; i < 100; i++) {
        tick(f, &kernel);
        usleep(5000);
    }
    receive_answer(f);
    assert_int_equal(f->answer.n_words, 1);
    assert_int_equal(stop(f), 0);
}

/* Nobody waits for ten minutes until the next try is made. */
static void
test_waiting_ends_when_something_else_is_asked(void **state)
{
    struct fixture *f = *state;
    add_kernel(f);
    f->request.cold = true;
    ask(f, MEMCTX_PROBE_TRY);
    f->request.task = MEMCTX_PROBE_VERIFY;
    f->request.wait_us = UINT64_C(600) * 1000000;
    send_request(f);
    f->request.task = MEMCTX_PROBE_TRY;
    send_request(f);
    f->request.serial--;
    receive_answer(f);
    assert_int_equal(f->answer.verdict, MEMCTX_PROBE_DONE);
    f->request.serial++;
    receive_answer(f);
    assert_int_equal(stop(f), 0);
}

/* A kernel with a log of 2^11 records and 2^17 bytes of text, in its image
 * where nothing else is. */
static struct guestimg_kernel
add_kernel_with_log(struct fixture *f, struct logimg *log)
{
    struct guestimg_kernel kernel = guestimg_kernel();
    uint64_t room = UINT64_C(0x910000);
    *log =
        logimg(&f->img, kernel.text_gpa + room,
               UINT64_C(0xffffffff81000000) + kernel.slide + room, 8, 11, 17);
    kernel.more = strchr(log->note, '\n') + 1;
    guestimg_add_kernel(&f->img, &kernel);
    guestimg_write_le64(&f->img, kernel.root_gpa + CLOCK_BEHIND_ROOT, BOOT);
    return kernel;
}

/* What stands for the panic of a kernel whose symbols do not name it. */
static void
test_kernel_that_ticks_shows_its_log(void **state)
{
    struct fixture *f = *state;
    struct logimg log;
    struct guestimg_kernel kernel = add_kernel_with_log(f, &log);
    ask(f, MEMCTX_PROBE_TRY);
    assert_int_equal(f->answer.log_gpa, 0);
    tick(f, &kernel);
    assert_int_equal(ask(f, MEMCTX_PROBE_WATCH), MEMCTX_PROBE_DONE);
    assert_int_equal(f->answer.log_bytes, 8);
    uint64_t before = guestimg_read_le64(&f->img, f->answer.log_gpa);
    logimg_add(&log, 6, 1, "a message");
    assert_int_equal(guestimg_read_le64(&f->img, f->answer.log_gpa),
                     before + 1);
    assert_int_equal(stop(f), 0);
}

static void
test_last_words_of_a_kernel(void **state)
{
    struct fixture *f = *state;
    struct logimg log;
    add_kernel_with_log(f, &log);
    f->request.cold = true;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_DONE);
    f->request.has_kernel = true;
    f->request.kernel = f->answer.kernel;
    logimg_add(&log, 6, 1, "a message");
    assert_int_equal(ask(f, MEMCTX_PROBE_LAST_WORDS), MEMCTX_PROBE_DONE);
    assert_false(f->answer.panicked);
    logimg_add(&log, 0, 1, "Kernel panic - not syncing: it did not work");
    assert_int_equal(ask(f, MEMCTX_PROBE_LAST_WORDS), MEMCTX_PROBE_DONE);
    assert_true(f->answer.panicked);
    assert_int_equal(stop(f), 0);
}

/* What it has written since this was called last. */
static const char *
written(struct fixture *f, char *text, size_t size)
{
    struct pollfd fd = {.fd = f->output[0], .events = POLLIN};
    ssize_t n = poll(&fd, 1, 0) == 1 ? read(f->output[0], text, size - 1) : 0;
    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

static void
test_log_is_kept(void **state)
{
    struct fixture *f = *state;
    struct logimg log;
    char text[4096];
    add_kernel_with_log(f, &log);
    f->request.cold = true;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_DONE);
    f->request.has_kernel = true;
    f->request.kernel = f->answer.kernel;
    f->request.budget_bytes = 4096;
    assert_int_equal(ask(f, MEMCTX_PROBE_KEEP_LOG), MEMCTX_PROBE_DONE);
    written(f, text, sizeof(text));
    uint32_t before = f->answer.records;
    logimg_add(&log, 4, 1, "one\x1b");
    logimg_add(&log, 6, 1, "two");
    assert_int_equal(ask(f, MEMCTX_PROBE_KEEP_LOG), MEMCTX_PROBE_DONE);
    assert_int_equal(f->answer.records, before + 2);
    assert_false(f->answer.cut);
    assert_non_null(strstr(written(f, text, sizeof(text)), "one\\x1b\n<6>["));
    assert_string_equal(text + strlen(text) - 4, "two\n");
    assert_false(f->answer.panicked);
    /* What was said last stays, and no line in part. */
    f->request.budget_bytes = 40;
    assert_int_equal(ask(f, MEMCTX_PROBE_KEEP_LOG), MEMCTX_PROBE_DONE);
    assert_true(f->answer.cut);
    assert_true(strlen(written(f, text, sizeof(text))) <= 40);
    assert_memory_equal(text, "<6>[", 4);
    assert_string_equal(text + strlen(text) - 4, "two\n");
    logimg_add(&log, 0, 1, "Kernel panic - not syncing: it did not work");
    assert_int_equal(ask(f, MEMCTX_PROBE_KEEP_LOG), MEMCTX_PROBE_DONE);
    assert_true(f->answer.panicked);
    assert_int_equal(stop(f), 0);
}

static void
test_kernel_that_has_no_log(void **state)
{
    struct fixture *f = *state;
    add_kernel(f);
    f->request.cold = true;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_DONE);
    f->request.has_kernel = true;
    f->request.kernel = f->answer.kernel;
    assert_int_equal(ask(f, MEMCTX_PROBE_LAST_WORDS), MEMCTX_PROBE_FAILED);
    assert_int_equal(f->answer.why.kind, MEMCTX_PERMANENT);
    assert_int_equal(ask(f, MEMCTX_PROBE_KEEP_LOG), MEMCTX_PROBE_FAILED);
    assert_int_equal(f->answer.why.kind, MEMCTX_PERMANENT);
    assert_int_equal(f->answer.records, 0);
    assert_int_equal(stop(f), 0);
}

static void
test_end_of_the_socket_ends_it_while_it_waits(void **state)
{
    struct fixture *f = *state;
    add_kernel(f);
    f->request.cold = true;
    ask(f, MEMCTX_PROBE_TRY);
    f->request.task = MEMCTX_PROBE_VERIFY;
    f->request.wait_us = UINT64_C(600) * 1000000;
    send_request(f);
    assert_int_equal(stop(f), 0);
}

static void
test_new_boot_forgets_what_was_found(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f);
    f->request.cold = true;
    ask(f, MEMCTX_PROBE_TRY);
    f->request.cold = false;
    f->request.new_boot = true;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_PENDING);
    f->request.new_boot = false;
    tick(f, &kernel);
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_DONE);
    assert_int_equal(stop(f), 0);
}

/* What another prober has found is verified, believed if that is wanted, and
 * else must be seen running. */
static void
test_kernel_that_another_prober_found(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f);
    f->request.cold = true;
    ask(f, MEMCTX_PROBE_TRY);
    assert_int_equal(stop(f), 0);
    f->request.cold = false;
    f->request.has_kernel = true;
    f->request.kernel = f->answer.kernel;
    start(f);
    assert_int_equal(ask(f, MEMCTX_PROBE_VERIFY), MEMCTX_PROBE_DONE);
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_PENDING);
    f->request.believed = true;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRY), MEMCTX_PROBE_DONE);
    assert_int_equal(f->answer.kernel.kcr3, kernel.root_gpa);
    assert_int_equal(stop(f), 0);
}

static void
ask_where(struct fixture *f, const struct guestimg_space *space, uint64_t gva,
          uint32_t size)
{
    f->request.paging = MEMCTX_PAGING_X86_64_4LEVEL;
    f->request.root_gpa = space->root_gpa;
    f->request.gva = gva;
    f->request.size = size;
    ask(f, MEMCTX_PROBE_TRANSLATE);
}

static void
test_translation_over_two_pages(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f);
    const struct guestimg_space space = {kernel.root_gpa, kernel.levels};
    const uint64_t gva = UINT64_C(0xffffc90000000000);
    guestimg_map(&f->img, &space, gva, 0x5000, MEMCTX_PAGE_SIZE,
                 MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE);
    guestimg_map(&f->img, &space, gva + MEMCTX_PAGE_SIZE, 0x3000,
                 MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    ask_where(f, &space, gva + 0xff0, 48);
    assert_int_equal(f->answer.verdict, MEMCTX_PROBE_DONE);
    assert_int_equal(f->answer.n_parts, 2);
    assert_int_equal(f->answer.parts[0].gpa, 0x5ff0);
    assert_int_equal(f->answer.parts[0].size, 16);
    assert_true(f->answer.parts[0].writable);
    assert_int_equal(f->answer.parts[1].gpa, 0x3000);
    assert_int_equal(f->answer.parts[1].size, 32);
    assert_false(f->answer.parts[1].writable);
    f->request.gva += MEMCTX_PAGE_SIZE;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRANSLATE), MEMCTX_PROBE_FAILED);
    assert_error(&f->answer.why, MEMCTX_RETRY, "not mapped");
    f->request.gva = UINT64_MAX - 15;
    assert_int_equal(ask(f, MEMCTX_PROBE_TRANSLATE), MEMCTX_PROBE_FAILED);
    assert_int_equal(stop(f), 0);
}

/* Read-only three levels above the page. */
static void
test_table_that_is_read_only_counts(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f);
    const struct guestimg_space space = {kernel.root_gpa, kernel.levels};
    const uint64_t gva = UINT64_C(0xffffc90000000000);
    const uint64_t entry_gpa = kernel.root_gpa + (gva >> 39 & 511) * 8;
    guestimg_map(&f->img, &space, gva, 0x5000, MEMCTX_PAGE_SIZE,
                 MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE);
    ask_where(f, &space, gva, 8);
    assert_true(f->answer.parts[0].writable);
    guestimg_write_le64(&f->img, entry_gpa,
                        guestimg_read_le64(&f->img, entry_gpa) &
                            ~MEMCTX_PTE_WRITE);
    ask_where(f, &space, gva, 8);
    assert_int_equal(f->answer.verdict, MEMCTX_PROBE_DONE);
    assert_false(f->answer.parts[0].writable);
    assert_int_equal(stop(f), 0);
}

/* A guest maps its devices, and pages that go beyond its RAM. */
static void
test_address_that_is_not_ram(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f);
    const struct guestimg_space space = {kernel.root_gpa, kernel.levels};
    const uint64_t gva = UINT64_C(0xffffc90000000000);
    guestimg_map(&f->img, &space, gva, RAM - MEMCTX_PAGE_SIZE, MEMCTX_PAGE_SIZE,
                 MEMCTX_PTE_PRESENT);
    guestimg_map(&f->img, &space, gva + MEMCTX_PAGE_SIZE, 0xfee00000,
                 MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    ask_where(f, &space, gva + 0xff8, 8);
    assert_int_equal(f->answer.verdict, MEMCTX_PROBE_DONE);
    ask_where(f, &space, gva + 0xff8, 9);
    assert_int_equal(f->answer.verdict, MEMCTX_PROBE_FAILED);
    assert_error(&f->answer.why, MEMCTX_RETRY,
                 "gpa 0xfee00000, which is not RAM");
    assert_int_equal(stop(f), 0);
}

static void
test_nonsense_ends_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(send(f->sockets[0], "memctx", 6, 0), 6);
    assert_int_equal(stop(f), -1);
}

/* The sandbox could not be entered: no guest byte is looked at. */
static void
test_refusal_is_an_answer(void **state)
{
    struct fixture *f = *state;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    assert_int_equal(stop(f), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, f->sockets), 0);
    memctx_error_set(&why, MEMCTX_BUG, "no sandbox");
    send_request(f);
    assert_done(tasks_refuse(f->sockets[1], &f->ram, &why, &f->err), &f->err);
    receive_answer(f);
    assert_int_equal(f->answer.verdict, MEMCTX_PROBE_FAILED);
    assert_error(&f->answer.why, MEMCTX_BUG, "no sandbox");
    close(f->sockets[0]);
    close(f->sockets[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_empty_ram_is_not_yet),
        T(test_kernel_after_a_cold_start),
        T(test_task_that_has_used_its_time),
        T(test_kernel_that_ticks_shows_its_words),
        T(test_words_that_do_not_tick_are_not_waited_for),
        T(test_words_are_waited_for),
        T(test_waiting_ends_when_something_else_is_asked),
        T(test_end_of_the_socket_ends_it_while_it_waits),
        T(test_new_boot_forgets_what_was_found),
        T(test_kernel_that_another_prober_found),
        T(test_translation_over_two_pages),
        T(test_table_that_is_read_only_counts),
        T(test_address_that_is_not_ram),
        T(test_nonsense_ends_it),
        T(test_refusal_is_an_answer),
        T(test_kernel_that_ticks_shows_its_log),
        T(test_last_words_of_a_kernel),
        T(test_kernel_that_has_no_log),
        T(test_log_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
