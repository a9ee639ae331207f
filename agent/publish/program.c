/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Has a program started, reads what it prints, waits, kills. Knows nothing of
 * hooks. */
#include "publish/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "wire/clocks.h"

#define LINE_MAX_BYTES 512

/* One program under way. */
struct run {
    const struct program *program;
    pid_t pid;
    int pidfd;
    int output;
    uint64_t deadline_ms;
    char line[LINE_MAX_BYTES];
    size_t len;
};

/* A file rather than a pipe: a program that does not read holds up nobody. */
static int
open_input(const char *text)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = memfd_create("memctx-hook", MFD_CLOEXEC);
    size_t len = strlen(text);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len ||
        lseek(fd, 0, SEEK_SET) < 0)
        return -1;
    return memctx_steal_fd(&fd);
}

/* In a group of its own, without a capability. 0 or an errno value. */
static int
spawn(struct spawner *spawner, const struct program *program, int input,
      int output, struct run *run)
{
    struct spawner_request request = {
        .path = program->path,
        .argv = program->argv,
        .envp = program->envp,
        .fds = {input, output, output, -1},
        .leads_group = true,
    };
    spawner_start(spawner, &request);
    run->pid = request.pid;
    run->pidfd = request.pidfd;
    return request.failed;
}

static void
end_line(struct run *run)
{
    run->line[run->len] = '\0';
    if (run->len > 0 && run->program->line != NULL)
        run->program->line(run->line, run->program->line_arg);
    run->len = 0;
}

static void
take_output(struct run *run, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' || run->len == sizeof(run->line) - 1)
            end_line(run);
        if (bytes[i] != '\n')
            run->line[run->len++] = bytes[i];
    }
}

/* What has been printed so far. False: there will be no more. */
static bool
read_output(struct run *run)
{
    char bytes[4096];
    ssize_t n = read(run->output, bytes, sizeof(bytes));
    if (n > 0)
        take_output(run, bytes, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Leaves it to be waited for. */
static bool
has_ended(const struct run *run)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid == run->pid;
}

/* Until the program ends or its time is over. True: it ended. */
static bool
watch(struct run *run)
{
    struct pollfd fds[] = {{.fd = run->pidfd, .events = POLLIN},
                           {.fd = run->output, .events = POLLIN}};
    for (;;) {
        uint64_t now = clocks_now_ms();
        if (now >= run->deadline_ms)
            return false;
        if (poll(fds, 2, (int)(run->deadline_ms - now)) < 0 && errno != EINTR)
            return false;
        if (fds[1].revents != 0 && !read_output(run))
            fds[1].fd = -1;
        if (has_ended(run))
            return true;
    }
}

static int
finish(struct run *run, bool ended, struct memctx_error *err)
{
    int status = 0;
    if (!ended)
        kill(-run->pid, SIGKILL);
    while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
        ;
    /* What it printed last; bounded by what the pipe holds. */
    for (unsigned i = 0; i < 64 && read_output(run); i++) {
        struct pollfd more = {.fd = run->output, .events = POLLIN};
        if (poll(&more, 1, 0) <= 0)
            break;
    }
    end_line(run);
    if (!ended)
        return memctx_error_set(err, MEMCTX_RETRY, "killed after %llu ms",
                                (unsigned long long)run->program->timeout_ms);
    if (WIFSIGNALED(status))
        return memctx_error_set(err, MEMCTX_RETRY, "ended by signal %d",
                                WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return memctx_error_set(err, MEMCTX_RETRY, "ended with status %d",
                                WEXITSTATUS(status));
    return 0;
}

int
program_run(struct spawner *spawner, const struct program *program,
            struct memctx_error *err)
{
    int pipe_fds[2];
    MEMCTX_CLEANUP(memctx_cleanup_fd) int input = open_input(program->input);
    if (input < 0 || pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "cannot be started: %s",
                                strerror(errno));
    MEMCTX_CLEANUP(memctx_cleanup_fd) int output = pipe_fds[0];
    MEMCTX_CLEANUP(memctx_cleanup_fd) int write_end = pipe_fds[1];
    struct run run = {.program = program, .output = output};
    /* The program's end must block as programs expect it. */
    fcntl(write_end, F_SETFL, 0);
    int failed = spawn(spawner, program, input, write_end, &run);
    close(memctx_steal_fd(&write_end));
    if (failed != 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "cannot be started: %s",
                                strerror(failed));
    run.deadline_ms = clocks_now_ms() + program->timeout_ms;
    bool ended = watch(&run);
    int status = finish(&run, ended, err);
    memctx_close_fd(&run.pidfd);
    return status;
}
