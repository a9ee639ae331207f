/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What every unit test needs: cmocka, and assertions on error values. */
#ifndef MEMCTX_TESTS_UNIT_H
#define MEMCTX_TESTS_UNIT_H

#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"

/* It takes some twenty times as long there, knows not all that the kernel does
 * (a signal that ends a close, RLIMIT_NOFILE), and runs one thread at a time.
 */
static inline bool
is_under_valgrind(void)
{
    const char *set = getenv("MEMCTX_VALGRIND");
    return set != NULL && strcmp(set, "1") == 0;
}

/* Wait for what another thread brings about. A minute is for a machine that
 * stands still, not for the test. */
#define wait_until(condition)                             \
    do {                                                  \
        for (unsigned i_ = 0; !(condition); i_++) {       \
            if (i_ == 60000)                              \
                fail_msg("not in a minute: " #condition); \
            usleep(1000);                                 \
        }                                                 \
    } while (0)

/* Descriptors that this process has open, and a constant more. */
static inline unsigned
count_fds(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static inline void
assert_error_at(const struct memctx_error *err, enum memctx_error_kind kind,
                const char *words, const char *file, int line)
{
    if (err->kind == kind && strstr(err->message, words) != NULL)
        return;
    print_error("wanted kind %s and \"%s\", found %s and \"%s\"\n",
                memctx_error_kind_name(kind), words,
                memctx_error_kind_name(err->kind), err->message);
    _fail(file, line);
}

/* `err` has this kind, and its message contains these words. */
#define assert_error(err, kind, words) \
    assert_error_at((err), (kind), (words), __FILE__, __LINE__)

static inline void
assert_done_at(int result, const struct memctx_error *err, const char *file,
               int line)
{
    if (result == 0)
        return;
    print_error("%s: %s\n", memctx_error_kind_name(err->kind), err->message);
    _fail(file, line);
}

/* The call returned 0; else its error is printed. */
#define assert_done(call, err) assert_done_at((call), (err), __FILE__, __LINE__)

#endif
