/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a process in a sandbox can still do, and how it looks from outside.
 * What it cannot do is in test_refused.c. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "confined.h"
#include "guestimg.h"
#include "search/revalidate.h"
#include "search/search.h"

#define PAGE CONFINED_PAGE

/* In a child, where cmocka has no say. */
#define CHECK(condition)                                            \
    do {                                                            \
        if (!(condition)) {                                         \
            fprintf(stderr, "line %d: " #condition "\n", __LINE__); \
            _exit(CONFINED_FAILED);                                 \
        }                                                           \
    } while (0)

static void
expect_all_done(struct confined *c, void (*run)(const struct confined *))
{
    int status = confined_run(c, run);
    if (WIFSIGNALED(status))
        fail_msg("ended by signal %d", WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
}

/* A child in a sandbox of its own making. Returns how it ended. */
static int
status_in(const struct sandbox *sandbox, void (*run)(void))
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        if (sandbox_enter(sandbox, &err) < 0) {
            fprintf(stderr, "%s\n", err.message);
            _exit(CONFINED_FAILED);
        }
        run();
        _exit(CONFINED_CAME_THROUGH);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* The class and the words with which a child is not let in. */
static void
expect_refused(const struct sandbox *sandbox, enum memctx_error_kind class,
               const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    int status;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        CHECK(sandbox_enter(sandbox, &err) == -1);
        CHECK(write(fds[1], &err, sizeof(err)) == (ssize_t)sizeof(err));
        _exit(CONFINED_CAME_THROUGH);
    }
    assert_int_equal(read(fds[0], &err, sizeof(err)), sizeof(err));
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_error(&err, class, words);
}

static void
read_ram(const struct confined *c)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    unsigned char bytes[3 * PAGE];
    uint64_t start;
    uint64_t end;
    CHECK(memctx_rammap_read(c->map, 0, bytes, sizeof(bytes), &err) == 0);
    CHECK(bytes[0] == 'r' && bytes[sizeof(bytes) - 1] == 'r');
    CHECK(memctx_rammap_read(c->map, CONFINED_RAM_SIZE - 1, bytes, 1, &err) ==
          0);
    CHECK(memctx_rammap_next_data(c->map, 1, UINT64_MAX, &start, &end) == 1);
    CHECK(start == 1 && end == CONFINED_RAM_SIZE);
    CHECK(memctx_rammap_check(c->map, &err) == 0);
}

static void
test_ram_of_a_process_is_read(void **state)
{
    expect_all_done(*state, read_ram);
}

static void
read_file(const struct confined *c)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    unsigned char bytes[2];
    uint64_t start;
    uint64_t end;
    CHECK(memctx_rammap_read(c->other, 5 * PAGE - 1, bytes, 2, &err) == 0);
    CHECK(bytes[0] == 0 && bytes[1] == 'f');
    CHECK(memctx_rammap_next_data(c->other, 0, UINT64_MAX, &start, &end) == 1);
    CHECK(start == 5 * PAGE && end == 6 * PAGE);
}

static void
test_ram_that_is_a_file_is_read(void **state)
{
    struct confined *c = *state;
    unsigned char page[PAGE];
    memset(page, 'f', sizeof(page));
    assert_int_equal(pwrite(c->file, page, PAGE, 5 * PAGE), PAGE);
    expect_all_done(c, read_file);
}

static void
allocate(const struct confined *c)
{
    (void)c;
    for (size_t size = 1; size <= 4 * MEMCTX_MIB; size *= 4) {
        char *small = malloc(size);
        CHECK(small != NULL);
        memset(small, 1, size);
        char *large = realloc(small, 2 * size);
        CHECK(large != NULL && large[size - 1] == 1);
        free(large);
    }
}

static void
test_memory_is_allocated(void **state)
{
    expect_all_done(*state, allocate);
}

static void
allocate_too_much(const struct confined *c)
{
    (void)c;
    char *volatile much = malloc(17 * MEMCTX_MIB);
    CHECK(much == NULL);
}

static void
test_memory_is_limited(void **state)
{
    if (!confined_holds_filter())
        skip();
    expect_all_done(*state, allocate_too_much);
}

static void
talk(const struct confined *c)
{
    char bytes[8] = "";
    struct pollfd fd = {.fd = c->sockets[1], .events = POLLIN};
    CHECK(poll(&fd, 1, -1) == 1);
    CHECK(recv(c->sockets[1], bytes, sizeof(bytes), 0) == 2);
    CHECK(send(c->sockets[1], bytes, 2, MSG_NOSIGNAL) == 2);
    CHECK(poll(&fd, 1, 0) == 0);
    CHECK(poll(NULL, 0, 1) == 0);
}

static void
test_socket_is_talked_through(void **state)
{
    struct confined *c = *state;
    char bytes[8] = "";
    assert_int_equal(send(c->sockets[0], "ab", 2, 0), 2);
    expect_all_done(c, talk);
    assert_int_equal(recv(c->sockets[0], bytes, sizeof(bytes), MSG_DONTWAIT),
                     2);
    assert_string_equal(bytes, "ab");
}

static void
tell_clocks(const struct confined *c)
{
    struct timespec t;
    (void)c;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
}

static void
test_clocks_are_told(void **state)
{
    expect_all_done(*state, tell_clocks);
}

/* All that a prober does with a guest, in one go. */
static struct memctx_rammap *
make_guest(struct guestimg *img, uint64_t *root_gpa)
{
    struct guestimg_kernel kernel = guestimg_kernel();
    guestimg_init(img, 128 * MEMCTX_MIB, 128 * MEMCTX_MIB);
    guestimg_add_kernel(img, &kernel);
    *root_gpa = kernel.root_gpa;
    return guestimg_rammap(img, NULL);
}

static void
search(const struct memctx_rammap *map, uint64_t root_gpa)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_search *search = NULL;
    struct memctx_search_result result;
    const struct memctx_search_request request = {.all = true};
    CHECK(memctx_search_create(&search, &err) == 0);
    CHECK(memctx_search_try(search, map, &request, &result, &err) == 0);
    CHECK(result.kernels[0].kcr3 == root_gpa);
    CHECK(memctx_revalidate(map, &result.kernels[0], &err) == 0);
    memctx_search_destroy(search);
}

static void
test_kernel_is_found(void **state)
{
    struct confined *c = *state;
    struct guestimg img;
    uint64_t root_gpa;
    struct memctx_rammap *map = make_guest(&img, &root_gpa);
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        memctx_rammap_destroy(c->other);
        c->other = map;
        confined_enter(c);
        search(map, root_gpa);
        _exit(CONFINED_CAME_THROUGH);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    memctx_rammap_destroy(map);
    guestimg_deinit(&img);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
}

static void
write_much(void)
{
    char bytes[200] = "";
    CHECK(write(3, bytes, sizeof(bytes)) == 100);
    CHECK(write(3, bytes, sizeof(bytes)) < 0 && errno == EFBIG);
}

static void
test_file_is_written_up_to_its_limit(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(memfd_create("words", 0), 3);
        const struct sandbox_fd fd = {3, SANDBOX_WRITE};
        const struct sandbox sandbox = {.fds = &fd,
                                        .n_fds = 1,
                                        .memory_bytes = MEMCTX_MIB,
                                        .file_bytes = 100};
        _exit(WEXITSTATUS(status_in(&sandbox, write_much)));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
}

static void
spin(void)
{
    for (volatile unsigned long i = 0;; i++)
        ;
}

static void
test_cpu_time_is_limited(void **state)
{
    (void)state;
    const struct sandbox sandbox = {.memory_bytes = MEMCTX_MIB, .cpu_s = 1};
    int status = status_in(&sandbox, spin);
    assert_true(WIFSIGNALED(status));
    assert_true(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU);
}

/* Children that wait in a sandbox, and are looked at meanwhile. */

static void
wait_to_be_told(const struct confined *c)
{
    char byte = 0;
    struct pollfd fd = {.fd = c->sockets[1], .events = POLLIN};
    CHECK(send(c->sockets[1], &byte, 1, MSG_NOSIGNAL) == 1);
    CHECK(poll(&fd, 1, 60000) == 1);
    CHECK(recv(c->sockets[1], &byte, 1, 0) == 1);
}

static pid_t
start_waiting(struct confined *c)
{
    char byte;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        confined_enter(c);
        wait_to_be_told(c);
        _exit(CONFINED_CAME_THROUGH);
    }
    assert_int_equal(recv(c->sockets[0], &byte, 1, 0), 1);
    return pid;
}

static void
end_waiting(struct confined *c, pid_t pid)
{
    int status;
    assert_int_equal(send(c->sockets[0], "x", 1, 0), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        fail_msg("ended by signal %d", WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
}

/* /proc/PID/name, of which anybody may read status, limits and oom_score_adj.
 */
static const char *
read_proc(pid_t pid, const char *name, char text[4096])
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, 4095);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static bool
are_capable(unsigned capability)
{
    char text[4096];
    const char *line = strstr(read_proc(getpid(), "status", text), "\nCapEff:");
    assert_non_null(line);
    return (strtoull(line + 8, NULL, 16) >> capability & 1) != 0;
}

static void
test_no_powers_in_proc(void **state)
{
    struct confined *c = *state;
    char text[4096];
    pid_t pid = start_waiting(c);
    read_proc(pid, "status", text);
    assert_non_null(strstr(text, "\nCapInh:\t0000000000000000\n"));
    assert_non_null(strstr(text, "\nCapPrm:\t0000000000000000\n"));
    assert_non_null(strstr(text, "\nCapEff:\t0000000000000000\n"));
    assert_non_null(strstr(text, "\nCapAmb:\t0000000000000000\n"));
    assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
    /* Not with what the unit of systemd leaves. */
    if (are_capable(CAP_SETPCAP))
        assert_non_null(strstr(text, "\nCapBnd:\t0000000000000000\n"));
    if (confined_holds_filter())
        assert_non_null(strstr(text, "\nSeccomp:\t2\n"));
    assert_string_equal(read_proc(pid, "oom_score_adj", text), "1000\n");
    end_waiting(c, pid);
}

static rlim_t
limit_of(const char *limits, const char *name)
{
    const char *line = strstr(limits, name);
    assert_non_null(line);
    return strtoull(line + 26, NULL, 10);
}

static void
test_limits_in_proc(void **state)
{
    struct confined *c = *state;
    char text[4096];
    pid_t pid = start_waiting(c);
    read_proc(pid, "limits", text);
    assert_int_equal(limit_of(text, "Max file size"), 0);
    assert_int_equal(limit_of(text, "Max core file size"), 0);
    assert_int_equal(limit_of(text, "Max cpu time"), 60);
    if (confined_holds_filter()) {
        assert_int_equal(limit_of(text, "Max open files"), 1);
        assert_int_equal(limit_of(text, "Max processes"), 0);
        assert_true(limit_of(text, "Max address space") > 16 * MEMCTX_MIB);
        assert_true(limit_of(text, "Max address space") < MEMCTX_GIB);
    }
    end_waiting(c, pid);
}

/* Few may look, since the process is not dumpable. */
static void
test_only_given_descriptors_are_open(void **state)
{
    struct confined *c = *state;
    char path[64];
    unsigned n = 0;
    struct dirent *entry;
    if (is_under_valgrind())
        skip(); /* has some of its own */
    pid_t pid = start_waiting(c);
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    if (!are_capable(CAP_SYS_PTRACE) && confined_holds_filter())
        assert_null(dir);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        assert_true(fd <= 2 || fd == c->sockets[1] || fd == confined_mem(c) ||
                    fd == confined_pagemap(c) || fd == confined_file(c));
        n++;
    }
    if (dir != NULL) {
        assert_int_equal(n, 7);
        closedir(dir);
    }
    end_waiting(c, pid);
}

/* A poll that was interrupted goes on by a call of its own. */
static void
test_stopped_and_continued(void **state)
{
    struct confined *c = *state;
    int status;
    pid_t pid = start_waiting(c);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(kill(pid, SIGSTOP), 0);
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
        assert_int_equal(kill(pid, SIGCONT), 0);
    }
    end_waiting(c, pid);
}

/* The socket's other end closes with the last process that has it. */
static void
test_dies_with_its_parent(void **state)
{
    struct confined *c = *state;
    char byte;
    int status;
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        start_waiting(c);
        _exit(CONFINED_CAME_THROUGH);
    }
    close(memctx_steal_fd(&c->sockets[1]));
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
    assert_int_equal(recv(c->sockets[0], &byte, 1, 0), 0);
}

static void
test_parent_that_is_gone(void **state)
{
    (void)state;
    const struct sandbox sandbox = {.parent = getppid(),
                                    .memory_bytes = MEMCTX_MIB};
    expect_refused(&sandbox, MEMCTX_GONE, "the parent has ended");
}

static void
test_descriptor_that_is_not_open(void **state)
{
    (void)state;
    const struct sandbox_fd fd = {1000, SANDBOX_TALK};
    const struct sandbox sandbox = {
        .fds = &fd, .n_fds = 1, .memory_bytes = MEMCTX_MIB};
    expect_refused(&sandbox, MEMCTX_BUG, "descriptor 1000 is to be kept");
}

/* As RAM without windows it could be read everywhere. */
static void
test_descriptor_of_proc_without_windows(void **state)
{
    struct confined *c = *state;
    unsigned index;
    struct memctx_rammap *map;
    const struct memctx_source source = {
        .fd = dup(c->mem), .pagemap_fd = -1, .file_fd = -1};
    assert_done(memctx_rammap_create(&map, &c->err), &c->err);
    assert_done(memctx_rammap_add_source(map, "ram", &source, PAGE, NULL,
                                         &index, &c->err),
                &c->err);
    const struct sandbox sandbox = {.maps = {map}, .memory_bytes = MEMCTX_MIB};
    expect_refused(&sandbox, MEMCTX_BUG, "is a file of /proc");
    memctx_rammap_destroy(map);
}

static void *
wait_for_ever(void *arg)
{
    pause();
    return arg;
}

static void
test_process_with_two_threads(void **state)
{
    (void)state;
    pthread_t thread;
    const struct sandbox sandbox = {.memory_bytes = MEMCTX_MIB};
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
        CHECK(sandbox_enter(&sandbox, &err) == -1);
        CHECK(strstr(err.message, "a process of 2 threads") != NULL);
        _exit(CONFINED_CAME_THROUGH);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
}

/* As under a unit of systemd that does not name seccomp(2), which is in none of
 * its sets. */
static void
test_seccomp_that_is_refused(void **state)
{
    (void)state;
    const struct sandbox sandbox = {.memory_bytes = MEMCTX_MIB};
    int status;
    if (!confined_holds_filter())
        skip();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        struct sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                     offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog outer = {MEMCTX_ARRAY_LEN(code), code};
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &outer, 0, 0) == 0);
        CHECK(sandbox_enter(&sandbox, &err) == -1);
        CHECK(strstr(err.message, "seccomp(2) is refused") != NULL);
        _exit(CONFINED_CAME_THROUGH);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
}

/* Descriptor 0 must be taken, or there would be a number for a new one. */
static void
test_standard_descriptors_that_were_closed(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        const struct sandbox_fd fd = {STDOUT_FILENO, SANDBOX_WRITE};
        const struct sandbox sandbox = {.fds = &fd,
                                        .n_fds = 1,
                                        .memory_bytes = MEMCTX_MIB,
                                        .file_bytes = RLIM_INFINITY};
        close(0);
        close(1);
        CHECK(sandbox_enter(&sandbox, &err) == 0);
        _exit(write(STDOUT_FILENO, "x", 1) == 1 ? CONFINED_CAME_THROUGH
                                                : CONFINED_FAILED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
}

/* Where a filter cannot hold, one line says so; where it does, nothing. */
static void
test_missing_filter_is_told_once(void **state)
{
    (void)state;
    char text[4096] = "";
    int fds[2];
    int status;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        const struct sandbox sandbox = {.memory_bytes = MEMCTX_MIB};
        dup2(fds[1], STDERR_FILENO);
        _exit(sandbox_enter(&sandbox, &err) == 0 ? CONFINED_CAME_THROUGH
                                                 : CONFINED_FAILED);
    }
    close(fds[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
    ssize_t n = read(fds[0], text, sizeof(text) - 1);
    close(fds[0]);
    assert_true(n >= 0);
    if (confined_holds_filter())
        assert_string_equal(text, "");
    else
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void
test_hidden_memory_is_not_dumped(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sandbox_hide_memory();
        _exit(prctl(PR_GET_DUMPABLE));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
#ifdef INSTRUMENTED
    assert_int_equal(WEXITSTATUS(status), 1);
#else
    assert_int_equal(WEXITSTATUS(status), 0);
#endif
}

/* As an agent of a user's own does with RAM that it hands out. It is another
 * user, for whom files of root in /proc are closed; what is its own it opens.
 */
static void
test_hidden_process_opens_its_own_descriptors(void **state)
{
    struct confined *c = *state;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char path[64];
        char text[4096];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", c->file);
        CHECK(geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
        sandbox_hide_memory();
        CHECK(open(path, O_RDONLY | O_CLOEXEC) >= 0);
        DIR *dir = opendir("/proc/self/fd");
        CHECK(dir != NULL && closedir(dir) == 0);
        CHECK(read_proc(getpid(), "status", text)[0] != '\0');
        if (confined_holds_filter())
            CHECK(open("/proc/self/environ", O_RDONLY) < 0);
        _exit(CONFINED_CAME_THROUGH);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), CONFINED_CAME_THROUGH);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, confined_set_up, confined_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ram_of_a_process_is_read),
        TEST(test_ram_that_is_a_file_is_read),
        TEST(test_kernel_is_found),
        TEST(test_memory_is_allocated),
        TEST(test_memory_is_limited),
        TEST(test_socket_is_talked_through),
        TEST(test_clocks_are_told),
        TEST(test_file_is_written_up_to_its_limit),
        TEST(test_cpu_time_is_limited),
        TEST(test_no_powers_in_proc),
        TEST(test_limits_in_proc),
        TEST(test_only_given_descriptors_are_open),
        TEST(test_stopped_and_continued),
        TEST(test_dies_with_its_parent),
        TEST(test_parent_that_is_gone),
        TEST(test_descriptor_that_is_not_open),
        TEST(test_descriptor_of_proc_without_windows),
        TEST(test_process_with_two_threads),
        TEST(test_seccomp_that_is_refused),
        TEST(test_standard_descriptors_that_were_closed),
        TEST(test_missing_filter_is_told_once),
        TEST(test_hidden_memory_is_not_dumped),
        TEST(test_hidden_process_opens_its_own_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
