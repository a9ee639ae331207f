/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A fork, and a wait for its end or for a signal. */
#include "memctx/apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void
apart_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGCHLD);
}

void
apart_hold_signals(void)
{
    sigset_t set;
    apart_signals(&set);
    /* Ignored by whoever started us, it would take a child's status away. */
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static _Noreturn void
run_child(apart_fn *run, void *arg, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit((int)EXIT_ERROR);
    enum exit_code code = run(arg);
    fflush(stdout);
    _exit((int)code);
}

/* Wait until the child has ended, and end it at a signal. Returns the signal
 * that came first; SIGCHLD: none did. */
static int
wait_for(pid_t pid, const sigset_t *set, int *status)
{
    int first = SIGCHLD;
    while (waitpid(pid, status, WNOHANG) == 0) {
        siginfo_t info;
        int number = sigwaitinfo(set, &info);
        if (number <= 0 || number == SIGCHLD)
            continue;
        kill(pid, SIGKILL);
        first = first == SIGCHLD ? number : first;
    }
    return first;
}

static int
judge(int number, int status, enum exit_code *ret, struct memctx_error *err)
{
    if (number == SIGCHLD && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
        number = SIGPIPE;
    if (number != SIGCHLD) {
        *ret = (enum exit_code)(EXIT_SIGNALLED + number);
        return 1;
    }
    if (WIFSIGNALED(status))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the process that reads the guest's memory "
                                "was ended: %s",
                                strsignal(WTERMSIG(status)));
    *ret = (enum exit_code)WEXITSTATUS(status);
    return 0;
}

int
apart_run(apart_fn *run, void *arg, enum exit_code *ret,
          struct memctx_error *err)
{
    sigset_t set;
    int status = 0;
    apart_signals(&set);
    apart_hold_signals();
    fflush(stdout);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot start a process: %s", strerror(errno));
    if (pid == 0)
        run_child(run, arg, parent);
    int number = wait_for(pid, &set, &status);
    return judge(number, status, ret, err);
}
