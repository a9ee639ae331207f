/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What children of the spawner have and lack. The child is this program again,
 * which tells of itself on descriptor 3. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
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

#include "ambient.h"
#include "base/cleanup.h"
#include "fusefile.h"
#include "sandbox/capabilities.h"
#include "sandbox/spawner.h"

#define SOCKET 3
#define TEXT_MAX 8192

/* The child: each mode is a way to end. */

static void
tell_descriptors(FILE *to)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    fputs("fds", to);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(dir))
            fprintf(to, " %d", fd);
    }
    fputs("\n", to);
    if (dir != NULL)
        closedir(dir);
}

static void
tell_standard_descriptors(FILE *to)
{
    struct stat null;
    stat("/dev/null", &null);
    for (int fd = 0; fd < 3; fd++) {
        struct stat st;
        char byte = '-';
        bool is_null = fstat(fd, &st) == 0 && st.st_rdev == null.st_rdev;
        if (!is_null && pread(fd, &byte, 1, 0) < 0)
            byte = '?';
        fprintf(to, "%d is %c\n", fd, is_null ? '0' : byte);
    }
}

static int
report(void)
{
    extern char **environ;
    char text[4096];
    FILE *to = fdopen(dup(SOCKET), "w");
    FILE *status = fopen("/proc/self/status", "re");
    if (to == NULL || status == NULL)
        return 1;
    setvbuf(to, NULL, _IOFBF, TEXT_MAX);
    text[fread(text, 1, sizeof(text) - 1, status)] = '\0';
    fclose(status);
    fputs(text, to);
    tell_standard_descriptors(to);
    for (char **variable = environ; *variable != NULL; variable++)
        fprintf(to, "variable %s\n", *variable);
    fprintf(to, "directory %s\n", getcwd(text, sizeof(text)));
    fprintf(to, "group is %s\n", getpgrp() == getpid() ? "own" : "given");
    fcntl(fileno(to), F_SETFD, 0);
    tell_descriptors(to);
    return fclose(to);
}

/* Ends with the thread that started it, or when it is told to. */
static int
linger(void)
{
    char byte = 'x';
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || write(SOCKET, &byte, 1) != 1)
        return 1;
    return read(SOCKET, &byte, 1) == 1 ? 5 : 1;
}

struct fixture {
    struct spawner *spawner;
    struct spawner_request request;
    char path[256];
    char *argv[3];
    char *envp[2];
    int sockets[2]; /* [1] is the child's */
    bool refused;   /* unshare(2) */
    char text[TEXT_MAX];
    struct memctx_error err;
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_true(readlink("/proc/self/exe", f->path, sizeof(f->path) - 1) > 0);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->sockets), 0);
    f->argv[0] = f->path;
    f->argv[1] = (char *)"report";
    f->request = (struct spawner_request){.path = f->path,
                                          .argv = f->argv,
                                          .envp = f->envp,
                                          .fds = {-1, -1, 2, f->sockets[1]}};
    assert_done(spawner_create(&f->spawner, &f->err), &f->err);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    close(f->sockets[0]);
    memctx_cleanup_fd(&f->sockets[1]);
    free(f);
    return 0;
}

static void
start(struct fixture *f)
{
    spawner_start(f->spawner, &f->request);
    if (f->request.failed != 0)
        fail_msg("not started: %s", strerror(f->request.failed));
    close(memctx_steal_fd(&f->sockets[1]));
}

/* Waits for the child; how it ended. */
static int
end(struct fixture *f)
{
    int status = -1;
    struct pollfd fd = {.fd = f->request.pidfd, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 60000), 1);
    assert_true(spawner_reap(f->request.pid, &status));
    close(f->request.pidfd);
    return status;
}

/* What the child tells of itself. */
static const char *
run(struct fixture *f)
{
    size_t used = 0;
    ssize_t n;
    start(f);
    while ((n = read(f->sockets[0], f->text + used, TEXT_MAX - 1 - used)) > 0)
        used += (size_t)n;
    f->text[used] = '\0';
    assert_int_equal(end(f), 0);
    return f->text;
}

static void
expect_line(struct fixture *f, const char *line)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (strstr(f->text, whole) == NULL)
        fail_msg("no line '%s' in:\n%s", line, f->text);
}

static void
test_child_has_no_capability(void **state)
{
    struct fixture *f = *state;
    bool raised = raise_ambient();
    int before = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    assert_done(spawner_create(&f->spawner, &f->err), &f->err);
    run(f);
    expect_line(f, "CapInh:\t0000000000000000");
    expect_line(f, "CapPrm:\t0000000000000000");
    expect_line(f, "CapEff:\t0000000000000000");
    expect_line(f, "CapAmb:\t0000000000000000");
    expect_line(f, "NoNewPrivs:\t1");
    /* This thread keeps its own. */
    assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), before);
    assert_int_equal(
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_DAC_OVERRIDE, 0, 0),
        raised);
    capabilities_clear_ambient();
    assert_int_equal(
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_DAC_OVERRIDE, 0, 0),
        0);
}

/* A descriptor that somebody forgot to close on exec; under valgrind, its own
 * are among them. */
static void
test_child_has_its_descriptors_and_no_other(void **state)
{
    struct fixture *f = *state;
    int forgotten = fcntl(f->sockets[0], F_DUPFD, 20);
    assert_true(forgotten >= 20);
    run(f);
    close(forgotten);
    /* 4 is what it tells by. */
    if (!is_under_valgrind())
        assert_non_null(strstr(f->text, "\nfds 0 1 2 3 4\n"));
    expect_line(f, "0 is 0");
    expect_line(f, "1 is 0");
}

static int
file_with(char byte)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_int_equal(write(fd, &byte, 1), 1);
    return fd;
}

/* Each is where another is to go. */
static void
test_descriptors_change_places(void **state)
{
    struct fixture *f = *state;
    int saved[3];
    for (int i = 0; i < 3; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 30);
        int file = file_with((char)('a' + i));
        dup2(file, i);
        close(file);
    }
    f->request.fds[0] = 1;
    f->request.fds[1] = 2;
    f->request.fds[2] = 0;
    run(f);
    for (int i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    expect_line(f, "0 is b");
    expect_line(f, "1 is c");
    expect_line(f, "2 is a");
}

static void
test_child_inherits_no_environment_nor_directory(void **state)
{
    struct fixture *f = *state;
    setenv("SECRET", "of the agent", 1);
    f->envp[0] = (char *)"GIVEN=yes";
    run(f);
    expect_line(f, "variable GIVEN=yes");
    expect_line(f, "directory /");
    assert_null(strstr(f->text, "SECRET"));
}

/* glibc ignores two in a child that are its own, 32 and 33. */
static uint64_t
ignored(const char *text)
{
    const char *line = strstr(text, "\nSigIgn:");
    assert_non_null(line);
    return strtoull(line + 8, NULL, 16) & ~(UINT64_C(3) << 31);
}

static void
test_child_has_default_signals(void **state)
{
    struct fixture *f = *state;
    sigset_t some;
    sigset_t old;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigprocmask(SIG_BLOCK, &some, &old);
    signal(SIGPIPE, SIG_IGN);
    run(f);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    expect_line(f, "SigBlk:\t0000000000000000");
    assert_int_equal(ignored(f->text), 0);
}

static void
test_group_of_its_own_if_asked_for(void **state)
{
    struct fixture *f = *state;
    f->request.leads_group = true;
    run(f);
    expect_line(f, "group is own");
}

static void
test_group_of_the_agent_if_not(void **state)
{
    struct fixture *f = *state;
    run(f);
    expect_line(f, "group is given");
}

/* Valgrind makes a fork of posix_spawn's vfork, whose child cannot report. */
static void
test_program_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    if (is_under_valgrind())
        skip();
    f->request.path = "/nonexistent/program";
    spawner_start(f->spawner, &f->request);
    assert_int_equal(f->request.failed, ENOENT);
    assert_int_equal(f->request.pid, -1);
    assert_int_equal(f->request.pidfd, -1);
}

static void
test_descriptor_that_is_not_open(void **state)
{
    struct fixture *f = *state;
    f->request.fds[0] = 1000;
    spawner_start(f->spawner, &f->request);
    assert_int_equal(f->request.failed, EBADF);
    f->request.fds[0] = -1;
    run(f);
}

/* The thread's table takes no more. */
static void
test_no_descriptor_is_left(void **state)
{
    struct fixture *f = *state;
    struct rlimit all;
    if (is_under_valgrind())
        skip();
    getrlimit(RLIMIT_NOFILE, &all);
    const struct rlimit few = {3, all.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    spawner_start(f->spawner, &f->request);
    setrlimit(RLIMIT_NOFILE, &all);
    assert_int_equal(f->request.failed, EMFILE);
    assert_int_equal(f->request.pid, -1);
    assert_int_equal(f->request.pidfd, -1);
    run(f);
}

static void
test_end_is_seen_and_status_kept(void **state)
{
    struct fixture *f = *state;
    char byte;
    int status;
    f->argv[1] = (char *)"linger";
    start(f);
    assert_int_equal(read(f->sockets[0], &byte, 1), 1);
    struct pollfd fd = {.fd = f->request.pidfd, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 0);
    assert_false(spawner_reap(f->request.pid, &status));
    assert_int_equal(write(f->sockets[0], &byte, 1), 1);
    status = end(f);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5);
    assert_true(spawner_reap(f->request.pid, &status));
    assert_int_equal(status, -1);
}

static void *
start_and_end(void *arg)
{
    start(arg);
    return NULL;
}

static void
test_children_outlive_who_asked_for_them(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    char byte;
    f->argv[1] = (char *)"linger";
    assert_int_equal(pthread_create(&thread, NULL, start_and_end, f), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(read(f->sockets[0], &byte, 1), 1);
    assert_int_equal(write(f->sockets[0], &byte, 1), 1);
    assert_int_equal(WEXITSTATUS(end(f)), 5);
}

static void
test_children_do_not_outlive_the_spawner(void **state)
{
    struct fixture *f = *state;
    char byte;
    f->argv[1] = (char *)"linger";
    start(f);
    assert_int_equal(read(f->sockets[0], &byte, 1), 1);
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    f->spawner = NULL;
    assert_int_equal(WTERMSIG(end(f)), SIGKILL);
}

#define MANY 20

struct many {
    struct spawner_request requests[MANY];
    sem_t answers;
};

static void
count(struct spawner_request *request)
{
    struct many *many = request->arg;
    sem_post(&many->answers);
}

static void
test_many_at_once(void **state)
{
    struct fixture *f = *state;
    struct many many;
    int status;
    sem_init(&many.answers, 0, 0);
    f->argv[1] = (char *)"end";
    for (unsigned i = 0; i < MANY; i++) {
        many.requests[i] = f->request;
        many.requests[i].done = count;
        many.requests[i].arg = &many;
        spawner_submit(f->spawner, &many.requests[i]);
    }
    for (unsigned i = 0; i < MANY; i++)
        while (sem_wait(&many.answers) < 0)
            ;
    sem_destroy(&many.answers);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(many.requests[i].failed, 0);
        f->request = many.requests[i];
        status = end(f);
        assert_int_equal(WEXITSTATUS(status), 4);
    }
}

static void
test_queue_is_answered_before_the_end(void **state)
{
    struct fixture *f = *state;
    struct many many;
    sem_init(&many.answers, 0, 0);
    f->argv[1] = (char *)"end";
    f->request.done = count;
    f->request.arg = &many;
    spawner_submit(f->spawner, &f->request);
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    f->spawner = NULL;
    assert_int_equal(sem_trywait(&many.answers), 0);
    assert_int_equal(f->request.failed, 0);
    end(f);
    sem_destroy(&many.answers);
}

/* The spawner keeps no copy of what was open when it was created. */
static void
test_file_that_was_open_before_is_let_go(void **state)
{
    struct fixture *f = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    assert_done(spawner_create(&f->spawner, &f->err), &f->err);
    close(fds[1]);
    struct pollfd end_of_file = {.fd = fds[0], .events = POLLIN};
    assert_int_equal(poll(&end_of_file, 1, 0), 1);
    assert_true(end_of_file.revents & POLLHUP);
    close(fds[0]);
}

/* Under valgrind a thread that waits for a file system stops all others. */
static void
start_fuse(struct fusefile *fuse)
{
    if (geteuid() != 0 || is_under_valgrind() || !fusefile_start(fuse)) {
        print_message("needs root and FUSE, and no valgrind\n");
        skip();
    }
    fusefile_sleep(fuse);
}

/* This process has a file open whose system does not answer; to close it would
 * take for ever. */
static void
test_file_system_that_sleeps_holds_no_child_up(void **state)
{
    struct fixture *f = *state;
    struct fusefile fuse;
    struct many many;
    struct timespec minute;
    start_fuse(&fuse);
    sem_init(&many.answers, 0, 0);
    f->argv[1] = (char *)"end";
    f->request.done = count;
    f->request.arg = &many;
    spawner_submit(f->spawner, &f->request);
    clock_gettime(CLOCK_REALTIME, &minute);
    minute.tv_sec += 60;
    int answered = sem_timedwait(&many.answers, &minute);
    unsigned asked = atomic_load(&fuse.shared->asked);
    fusefile_stop(&fuse);
    assert_int_equal(answered, 0);
    assert_int_equal(asked, 0);
    assert_int_equal(f->request.failed, 0);
    assert_int_equal(WEXITSTATUS(end(f)), 4);
    sem_destroy(&many.answers);
}

/* The program itself is such a file. */
static void
test_program_that_cannot_be_looked_at_does_not_hold_up_the_end(void **state)
{
    struct fixture *f = *state;
    struct fusefile fuse;
    struct many many;
    start_fuse(&fuse);
    sem_init(&many.answers, 0, 0);
    snprintf(f->path, sizeof(f->path), "%s/program", fuse.dir);
    f->request.done = count;
    f->request.arg = &many;
    spawner_submit(f->spawner, &f->request);
    wait_until(atomic_load(&fuse.shared->asked) > 0);
    assert_false(spawner_destroy(f->spawner, 10));
    assert_int_equal(sem_trywait(&many.answers), -1);
    fusefile_stop(&fuse);
    assert_true(spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT));
    f->spawner = NULL;
    assert_int_equal(sem_trywait(&many.answers), 0);
    assert_int_not_equal(f->request.failed, 0);
    sem_destroy(&many.answers);
}

/* What a container does to threads that are started from now on. */
static bool
refuse_unshare(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {4, program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 &&
           unshare(CLONE_FILES) < 0 && errno == EPERM;
}

static void *
create_without_unshare(void *arg)
{
    struct fixture *f = arg;
    f->refused = refuse_unshare();
    if (spawner_create(&f->spawner, &f->err) < 0)
        f->spawner = NULL;
    return NULL;
}

static void
test_container_may_refuse_unshare(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    if (is_under_valgrind() || close_range(~0u, ~0u, 0) < 0) {
        print_message("needs close_range(2), and no valgrind\n");
        skip();
    }
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    pthread_create(&thread, NULL, create_without_unshare, f);
    pthread_join(thread, NULL);
    assert_true(f->refused);
    assert_non_null(f->spawner);
    int forgotten = fcntl(f->sockets[0], F_DUPFD, 20);
    run(f);
    close(forgotten);
    assert_non_null(strstr(f->text, "\nfds 0 1 2 3 4\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_child_has_no_capability),
        TEST(test_child_has_its_descriptors_and_no_other),
        TEST(test_descriptors_change_places),
        TEST(test_child_inherits_no_environment_nor_directory),
        TEST(test_child_has_default_signals),
        TEST(test_group_of_its_own_if_asked_for),
        TEST(test_group_of_the_agent_if_not),
        TEST(test_program_that_is_not_there),
        TEST(test_descriptor_that_is_not_open),
        TEST(test_no_descriptor_is_left),
        TEST(test_end_is_seen_and_status_kept),
        TEST(test_children_outlive_who_asked_for_them),
        TEST(test_children_do_not_outlive_the_spawner),
        TEST(test_many_at_once),
        TEST(test_queue_is_answered_before_the_end),
        TEST(test_file_that_was_open_before_is_let_go),
        TEST(test_file_system_that_sleeps_holds_no_child_up),
        TEST(test_program_that_cannot_be_looked_at_does_not_hold_up_the_end),
        TEST(test_container_may_refuse_unshare),
    };
    if (argc > 1 && strcmp(argv[1], "report") == 0)
        return report();
    if (argc > 1 && strcmp(argv[1], "linger") == 0)
        return linger();
    if (argc > 1)
        return 4;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
