/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What whoever took over a process in a sandbox would like to do. Each attempt
 * is a process of its own, and the kernel must have ended it. */
#include "unit.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "confined.h"

/* Opening and making descriptors. */

static void
try_open(const struct confined *c)
{
    (void)c;
    open("/dev/null", O_RDONLY);
}

static void
try_old_open(const struct confined *c)
{
    (void)c;
#ifdef SYS_open
    syscall(SYS_open, "/dev/null", O_RDONLY);
#else
    try_open(c);
#endif
}

static void
try_openat2(const struct confined *c)
{
    (void)c;
    syscall(437, AT_FDCWD, "/dev/null", NULL, 0);
}

static void
try_stat(const struct confined *c)
{
    (void)c;
    struct stat st;
    stat("/", &st);
}

static void
try_socket(const struct confined *c)
{
    (void)c;
    socket(AF_UNIX, SOCK_STREAM, 0);
}

static void
try_socketpair(const struct confined *c)
{
    (void)c;
    int fds[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static void
try_pipe(const struct confined *c)
{
    (void)c;
    int fds[2];
    if (pipe(fds) < 0)
        return;
}

static void
try_memfd_create(const struct confined *c)
{
    (void)c;
    memfd_create("x", 0);
}

static void
try_userfaultfd(const struct confined *c)
{
    (void)c;
    syscall(SYS_userfaultfd, 0);
}

static void
try_bpf(const struct confined *c)
{
    (void)c;
    syscall(SYS_bpf, 0, NULL, 0);
}

static void
try_perf_event_open(const struct confined *c)
{
    (void)c;
    syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0);
}

/* Other processes. */

static void
try_ptrace(const struct confined *c)
{
    ptrace(PTRACE_SEIZE, c->qemu, NULL, NULL);
}

static void
try_kill(const struct confined *c)
{
    kill(c->qemu, 0);
}

static void
try_kill_itself(const struct confined *c)
{
    (void)c;
    raise(SIGUSR1);
}

static void
try_execve(const struct confined *c)
{
    (void)c;
    char *const none[] = {NULL};
    execve("/bin/true", none, none);
}

static void
try_fork(const struct confined *c)
{
    (void)c;
    if (fork() == 0)
        _exit(0);
}

static void
try_clone3(const struct confined *c)
{
    (void)c;
    syscall(435, NULL, 0);
}

static void *
do_nothing(void *arg)
{
    return arg;
}

static void
try_thread(const struct confined *c)
{
    (void)c;
    pthread_t thread;
    pthread_create(&thread, NULL, do_nothing, NULL);
}

static void
try_process_vm_readv(const struct confined *c)
{
    unsigned char byte;
    struct iovec to = {&byte, 1};
    struct iovec from = {c->secret, 1};
    process_vm_readv(c->qemu, &to, 1, &from, 1, 0);
}

static void
try_pidfd_open(const struct confined *c)
{
    syscall(SYS_pidfd_open, c->qemu, 0);
}

static void
try_pidfd_getfd(const struct confined *c)
{
    (void)c;
    syscall(438, 0, 0, 0);
}

static void
try_prlimit(const struct confined *c)
{
    struct rlimit now;
    prlimit(c->qemu, RLIMIT_CORE, NULL, &now);
}

static void
try_clock_of_another(const struct confined *c)
{
    struct timespec t;
    clockid_t id = (clockid_t)(~(unsigned)c->qemu << 3 | 2);
    clock_gettime(id, &t);
}

/* Undoing what was done. */

static void
try_dumpable(const struct confined *c)
{
    (void)c;
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void
try_no_parent(const struct confined *c)
{
    (void)c;
    prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

static void
try_seccomp(const struct confined *c)
{
    (void)c;
    syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL);
}

static void
try_setrlimit(const struct confined *c)
{
    (void)c;
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

static void
try_capset(const struct confined *c)
{
    (void)c;
    syscall(SYS_capset, NULL, NULL);
}

static void
try_unshare(const struct confined *c)
{
    (void)c;
    unshare(CLONE_NEWUSER);
}

/* Code. */

static void
try_map_code(const struct confined *c)
{
    (void)c;
    mmap(NULL, CONFINED_PAGE, PROT_READ | PROT_EXEC,
         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
try_make_code(const struct confined *c)
{
    mprotect(c->ram, CONFINED_PAGE, PROT_READ | PROT_EXEC);
}

/* Allocates holes of the guest's memory, when it is touched. */
static void
try_map_ram(const struct confined *c)
{
    mmap(NULL, CONFINED_PAGE, PROT_READ, MAP_SHARED, confined_file(c), 0);
}

static void
try_map_over(const struct confined *c)
{
    mmap(c->ram, CONFINED_PAGE, PROT_READ,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* Other ways to read a descriptor of all of QEMU. */

static void
try_read(const struct confined *c)
{
    unsigned char byte;
    lseek(confined_mem(c), (off_t)(uintptr_t)c->secret, SEEK_SET);
    if (read(confined_mem(c), &byte, 1) < 0)
        return;
}

static void
try_readv(const struct confined *c)
{
    unsigned char byte;
    struct iovec to = {&byte, 1};
    if (readv(confined_mem(c), &to, 1) < 0)
        return;
}

static void
try_preadv(const struct confined *c)
{
    unsigned char byte;
    struct iovec to = {&byte, 1};
    if (preadv(confined_mem(c), &to, 1, (off_t)(uintptr_t)c->secret) < 0)
        return;
}

static void
try_preadv2(const struct confined *c)
{
    unsigned char byte;
    struct iovec to = {&byte, 1};
    if (preadv2(confined_mem(c), &to, 1, (off_t)(uintptr_t)c->secret, 0) < 0)
        return;
}

static void
try_sendfile(const struct confined *c)
{
    off_t at = (off_t)(uintptr_t)c->secret;
    sendfile(c->sockets[1], confined_mem(c), &at, 1);
}

static void
try_splice(const struct confined *c)
{
    off_t at = (off_t)(uintptr_t)c->secret;
    splice(confined_mem(c), &at, STDERR_FILENO, NULL, 1, 0);
}

static void
try_copy_file_range(const struct confined *c)
{
    off_t at = (off_t)(uintptr_t)c->secret;
    copy_file_range(confined_mem(c), &at, STDERR_FILENO, NULL, 1, 0);
}

static void
try_io_uring_setup(const struct confined *c)
{
    (void)c;
    syscall(425, 1, NULL);
}

static void
try_io_setup(const struct confined *c)
{
    (void)c;
    unsigned long context = 0;
    syscall(SYS_io_setup, 1, &context);
}

static void
try_pagemap_scan(const struct confined *c)
{
    syscall(SYS_ioctl, confined_pagemap(c), 0xc0606610, NULL);
}

/* The same descriptor by another number. */

static void
read_secret(const struct confined *c, int fd)
{
    unsigned char byte;
    if (pread(fd, &byte, 1, (off_t)(uintptr_t)c->secret) < 0)
        return;
}

static void
try_dup(const struct confined *c)
{
    read_secret(c, dup(confined_mem(c)));
}

static void
try_dup2(const struct confined *c)
{
    read_secret(c, dup2(confined_mem(c), 50));
}

static void
try_dup3(const struct confined *c)
{
    read_secret(c, dup3(confined_mem(c), 50, 0));
}

static void
try_fcntl_dup(const struct confined *c)
{
    read_secret(c, fcntl(confined_mem(c), F_DUPFD, 50));
}

static struct msghdr
message_with(const int *fd, struct iovec *iov,
             char control[CMSG_SPACE(sizeof(*fd))])
{
    struct msghdr message = {.msg_iov = iov,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = CMSG_SPACE(sizeof(*fd))};
    struct cmsghdr *header = (struct cmsghdr *)control;
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(*fd));
    memcpy(CMSG_DATA(header), fd, sizeof(*fd));
    return message;
}

static void
try_to_send_a_descriptor(const struct confined *c)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {(char *)"x", 1};
    int fd = confined_mem(c);
    struct msghdr message = message_with(&fd, &iov, control);
    sendmsg(c->sockets[1], &message, 0);
}

static void
try_to_send_descriptors(const struct confined *c)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {(char *)"x", 1};
    int fd = confined_mem(c);
    struct mmsghdr message = {.msg_hdr = message_with(&fd, &iov, control)};
    sendmmsg(c->sockets[1], &message, 1, 0);
}

static void
try_to_receive_a_descriptor(const struct confined *c)
{
    struct msghdr message = {.msg_iov = NULL};
    recvmsg(c->sockets[1], &message, MSG_DONTWAIT);
}

static void
try_to_send_to_another(const struct confined *c)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX};
    sendto(c->sockets[1], "x", 1, 0, (const struct sockaddr *)&address,
           sizeof(address));
}

/* Descriptors that are for something else. */

static void
try_to_write_ram(const struct confined *c)
{
    if (pwrite(confined_file(c), "x", 1, 0) < 0)
        return;
}

static void
try_to_write_a_descriptor_to_read(const struct confined *c)
{
    if (write(confined_file(c), "x", 1) < 0)
        return;
}

static void
try_to_talk_to_standard_error(const struct confined *c)
{
    (void)c;
    send(STDERR_FILENO, "x", 1, 0);
}

static void
try_ioctl(const struct confined *c)
{
    (void)c;
    isatty(STDERR_FILENO);
}

/* Outside the windows. What the kernel would say does not matter. */

static void
try_heap(const struct confined *c)
{
    read_secret(c, confined_mem(c));
}

static void
try_before_ram(const struct confined *c)
{
    unsigned char byte;
    if (pread(confined_mem(c), &byte, 1, (off_t)(uintptr_t)c->ram - 1) < 0)
        return;
}

static void
try_across_the_end_of_ram(const struct confined *c)
{
    unsigned char bytes[2];
    if (pread(confined_mem(c), bytes, 2,
              (off_t)(uintptr_t)c->ram + CONFINED_RAM_SIZE - 1) < 0)
        return;
}

static void
try_more_than_ram(const struct confined *c)
{
    if (pread(confined_mem(c), c->ram, 3 * CONFINED_RAM_SIZE,
              (off_t)(uintptr_t)c->ram) < 0)
        return;
}

static void
try_number_with_a_high_word(const struct confined *c)
{
    unsigned char byte;
    syscall(SYS_pread64, (long)confined_mem(c) | 1L << 32, &byte, 1L,
            (off_t)(uintptr_t)c->secret);
}

static void
try_count_that_wraps(const struct confined *c)
{
    unsigned char byte;
    syscall(SYS_pread64, (long)confined_mem(c), &byte, -1L,
            (off_t)(uintptr_t)c->ram + 1);
}

static void
try_pagemap_of_the_heap(const struct confined *c)
{
    uint64_t entry;
    if (pread(confined_pagemap(c), &entry, 8,
              (off_t)((uintptr_t)c->secret / CONFINED_PAGE * 8)) < 0)
        return;
}

static void
try_pagemap_one_entry_more(const struct confined *c)
{
    uint64_t entries[CONFINED_RAM_SIZE / CONFINED_PAGE + 1];
    if (pread(confined_pagemap(c), entries, sizeof(entries),
              (off_t)((uintptr_t)c->ram / CONFINED_PAGE * 8)) < 0)
        return;
}

#ifdef __x86_64__
static void
try_x32(const struct confined *c)
{
    unsigned char byte;
    syscall(0x40000000 | SYS_pread64, (long)confined_mem(c), &byte, 1L,
            (off_t)(uintptr_t)c->secret);
}

/* getpid() of i386, whose number is writev's; a signal of another kind tells
 * that the kernel has no such calls. */
static void
try_i386(const struct confined *c)
{
    int result = 20;
    (void)c;
    signal(SIGSEGV, SIG_DFL);
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
}
#endif

struct attempt {
    const char *name;
    void (*run)(const struct confined *c);
};

#define ATTEMPT(name) \
    {                 \
#name, name   \
    }

struct test {
    const struct attempt *attempt;
    struct confined *confined;
};

static const struct attempt attempts[] = {
    ATTEMPT(try_open),
    ATTEMPT(try_old_open),
    ATTEMPT(try_openat2),
    ATTEMPT(try_stat),
    ATTEMPT(try_socket),
    ATTEMPT(try_socketpair),
    ATTEMPT(try_pipe),
    ATTEMPT(try_memfd_create),
    ATTEMPT(try_userfaultfd),
    ATTEMPT(try_bpf),
    ATTEMPT(try_perf_event_open),
    ATTEMPT(try_ptrace),
    ATTEMPT(try_kill),
    ATTEMPT(try_kill_itself),
    ATTEMPT(try_execve),
    ATTEMPT(try_fork),
    ATTEMPT(try_clone3),
    ATTEMPT(try_thread),
    ATTEMPT(try_process_vm_readv),
    ATTEMPT(try_pidfd_open),
    ATTEMPT(try_pidfd_getfd),
    ATTEMPT(try_prlimit),
    ATTEMPT(try_clock_of_another),
    ATTEMPT(try_dumpable),
    ATTEMPT(try_no_parent),
    ATTEMPT(try_seccomp),
    ATTEMPT(try_setrlimit),
    ATTEMPT(try_capset),
    ATTEMPT(try_unshare),
    ATTEMPT(try_map_code),
    ATTEMPT(try_make_code),
    ATTEMPT(try_map_ram),
    ATTEMPT(try_map_over),
    ATTEMPT(try_read),
    ATTEMPT(try_readv),
    ATTEMPT(try_preadv),
    ATTEMPT(try_preadv2),
    ATTEMPT(try_sendfile),
    ATTEMPT(try_splice),
    ATTEMPT(try_copy_file_range),
    ATTEMPT(try_io_uring_setup),
    ATTEMPT(try_io_setup),
    ATTEMPT(try_pagemap_scan),
    ATTEMPT(try_dup),
    ATTEMPT(try_dup2),
    ATTEMPT(try_dup3),
    ATTEMPT(try_fcntl_dup),
    ATTEMPT(try_to_send_a_descriptor),
    ATTEMPT(try_to_send_descriptors),
    ATTEMPT(try_to_receive_a_descriptor),
    ATTEMPT(try_to_send_to_another),
    ATTEMPT(try_to_write_ram),
    ATTEMPT(try_to_write_a_descriptor_to_read),
    ATTEMPT(try_to_talk_to_standard_error),
    ATTEMPT(try_ioctl),
    ATTEMPT(try_heap),
    ATTEMPT(try_before_ram),
    ATTEMPT(try_across_the_end_of_ram),
    ATTEMPT(try_more_than_ram),
    ATTEMPT(try_number_with_a_high_word),
    ATTEMPT(try_count_that_wraps),
    ATTEMPT(try_pagemap_of_the_heap),
    ATTEMPT(try_pagemap_one_entry_more),
#ifdef __x86_64__
    ATTEMPT(try_x32),
    ATTEMPT(try_i386),
#endif
};

/* The attempt is cmocka's initial state of the test. */
static int
set_up(void **state)
{
    struct test *test = calloc(1, sizeof(*test));
    test->attempt = *state;
    *state = test;
    return confined_set_up((void **)&test->confined);
}

static int
tear_down(void **state)
{
    struct test *test = *state;
    confined_tear_down((void **)&test->confined);
    free(test);
    return 0;
}

static void
test_attempt(void **state)
{
    struct test *test = *state;
    if (!confined_holds_filter())
        skip();
    int status = confined_run(test->confined, test->attempt->run);
    if (WIFEXITED(status))
        fail_msg("came through: status %d", WEXITSTATUS(status));
    /* A kernel without i386's calls has another way to say no. */
    if (strcmp(test->attempt->name, "try_i386") != 0)
        assert_int_equal(WTERMSIG(status), SIGSYS);
}

int
main(void)
{
    struct CMUnitTest tests[MEMCTX_ARRAY_LEN(attempts)];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(attempts); i++)
        tests[i] = (struct CMUnitTest){
            .name = attempts[i].name,
            .test_func = test_attempt,
            .setup_func = set_up,
            .teardown_func = tear_down,
            .initial_state = (void *)&attempts[i],
        };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
