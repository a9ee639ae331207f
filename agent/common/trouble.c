/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A lock, a count, and repeats.h. */
#include "common/trouble.h"

#include <stdarg.h>
#include <stdio.h>

#include "wire/clocks.h"

#define LINE_MAX_BYTES 1000

#define FIRST_MS 10000
#define CAP_MS 3600000

void
trouble_init(struct trouble *t, enum log_kind kind, unsigned free)
{
    *t = (struct trouble){.kind = kind,
                          .rule = {free, FIRST_MS, CAP_MS, CAP_MS}};
    pthread_mutex_init(&t->lock, NULL);
}

void
trouble_deinit(struct trouble *t)
{
    pthread_mutex_destroy(&t->lock);
}

void
trouble_strike(struct trouble *t, const struct log *log, bool anew,
               const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    char words[REPEATS_WORDS_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    pthread_mutex_lock(&t->lock);
    t->struck += anew;
    bool due = repeats_happen(&t->repeats, &t->rule, clocks_now_ms(), words);
    t->told = t->told || due;
    pthread_mutex_unlock(&t->lock);
    if (due)
        log_say(log, LOG_LEVEL_WARNING, t->kind, "%s%s", line, words);
}

void
trouble_end(struct trouble *t, const struct log *log, const char *words)
{
    pthread_mutex_lock(&t->lock);
    t->struck--;
    bool over = t->struck == 0 && t->told;
    if (over)
        t->told = false;
    pthread_mutex_unlock(&t->lock);
    if (over)
        log_say(log, LOG_LEVEL_INFO, t->kind, "%s", words);
}
