/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What is logged goes into a pipe, for the test to read. What does not fit is
 * lost: the thread that logs does not wait. */
#ifndef MEMCTX_TESTS_LOGPIPE_H
#define MEMCTX_TESTS_LOGPIPE_H

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

struct logpipe {
    int fds[2];
    int saved_stderr;
};

static inline void
logpipe_init(struct logpipe *log)
{
    assert_int_equal(pipe2(log->fds, O_CLOEXEC | O_NONBLOCK), 0);
    log->saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(log->fds[1], STDERR_FILENO) >= 0);
}

static inline void
logpipe_deinit(struct logpipe *log)
{
    dup2(log->saved_stderr, STDERR_FILENO);
    close(log->saved_stderr);
    close(log->fds[0]);
    close(log->fds[1]);
}

/* Lines since the last call that contain `words`. */
static inline unsigned
logpipe_count(struct logpipe *log, const char *words)
{
    char text[16384];
    ssize_t n = read(log->fds[0], text, sizeof(text) - 1);
    unsigned count = 0;
    text[n > 0 ? n : 0] = '\0';
    char *rest = text;
    char *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        count += strstr(line, words) != NULL;
    return count;
}

#endif
