/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What reading a guest through libmemctx costs beside pread(2) of the same
 * bytes, in turns. Uses memctx.h alone, so that it runs with any libmemctx.
 *
 *   reader AGENT DOMAIN RAM OFFSET ROUNDS WORK...
 *
 * AGENT: the agent's directory. RAM and OFFSET: the file in which guest RAM is,
 * and where in it. WORK: NAME:gpa|gva:START:SIZE:CALL:inorder|random: read that
 * much in calls of so many bytes. Prints for each round of each work
 * "NAME<tab>library|pread<tab>MS<tab>OF_CPU". Fails when the bytes are not the
 * same. */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "memctx.h"

#define CALL_MAX (1u << 20)

struct work {
    const char *name;
    bool by_gva;
    bool random;
    uint64_t start;
    uint64_t size;
    uint64_t call;
    uint64_t n;    /* calls */
    uint64_t *at;  /* the address of each, in the order of the calls */
    uint64_t *gpa; /* and where that is */
};

struct bench {
    struct memctx_reader *reader;
    int ram;
    uint64_t ram_offset;
    unsigned char buf[CALL_MAX];
    unsigned char other[CALL_MAX];
};

static double
clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
check(int result, const struct memctx_error *error)
{
    if (result < 0)
        errx(1, "%s", error->message);
}

static void
by_library(struct bench *b, const struct work *w, uint64_t i)
{
    struct memctx_error error = MEMCTX_ERROR_INIT;
    if (w->by_gva)
        check(memctx_reader_read_gva(b->reader, w->at[i], b->buf, w->call,
                                     &error),
              &error);
    else
        check(memctx_reader_read_gpa(b->reader, w->at[i], b->buf, w->call,
                                     &error),
              &error);
}

static void
by_pread(struct bench *b, const struct work *w, uint64_t i)
{
    if (pread(b->ram, b->other, w->call, (off_t)(b->ram_offset + w->gpa[i])) !=
        (ssize_t)w->call)
        err(1, "pread at %#" PRIx64, w->gpa[i]);
}

static void
measure(struct bench *b, const struct work *w, const char *who,
        void (*call)(struct bench *, const struct work *, uint64_t))
{
    double start = clock_ms(CLOCK_MONOTONIC);
    double cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < w->n; i++)
        call(b, w, i);
    printf("%s\t%s\t%.3f\t%.3f\n", w->name, who,
           clock_ms(CLOCK_MONOTONIC) - start,
           clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

static void
parse(char *word, struct work *ret)
{
    const char *part[6] = {NULL};
    for (unsigned i = 0; i < 6; i++) {
        part[i] = strsep(&word, ":");
        if (part[i] == NULL)
            errx(2, "a work has six parts with colons between");
    }
    ret->name = part[0];
    ret->by_gva = strcmp(part[1], "gva") == 0;
    ret->start = strtoull(part[2], NULL, 0);
    ret->size = strtoull(part[3], NULL, 0);
    ret->call = strtoull(part[4], NULL, 0);
    ret->random = strcmp(part[5], "random") == 0;
    if (ret->call == 0 || ret->call > CALL_MAX || ret->size < ret->call)
        errx(2, "%s: not so many bytes", ret->name);
}

/* The same order in each run. */
static void
shuffle(uint64_t *list, uint64_t n)
{
    uint64_t seed = 1;
    for (uint64_t i = n - 1; i > 0; i--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t j = (seed >> 33) % (i + 1);
        uint64_t other = list[i];
        list[i] = list[j];
        list[j] = other;
    }
}

/* pread() is told beforehand where the bytes are. A run of calls may not be in
 * one piece of guest memory, but each call must. */
static void
plan(struct bench *b, struct work *w)
{
    struct memctx_error error = MEMCTX_ERROR_INIT;
    w->n = w->size / w->call;
    w->at = calloc(w->n, sizeof(*w->at));
    w->gpa = calloc(w->n, sizeof(*w->gpa));
    if (w->at == NULL || w->gpa == NULL)
        err(1, "calloc");
    for (uint64_t i = 0; i < w->n; i++)
        w->at[i] = w->start + i * w->call;
    if (w->random)
        shuffle(w->at, w->n);
    for (uint64_t i = 0; i < w->n; i++) {
        uint64_t page_size;
        w->gpa[i] = w->at[i];
        if (w->by_gva)
            check(memctx_reader_translate(b->reader, w->at[i], &w->gpa[i],
                                          &page_size, &error),
                  &error);
    }
}

/* A guest that runs may write between two reads: one call of ten may differ. */
static void
compare(struct bench *b, const struct work *w)
{
    uint64_t differ = 0;
    for (uint64_t i = 0; i < w->n; i++) {
        by_library(b, w, i);
        by_pread(b, w, i);
        differ += memcmp(b->buf, b->other, w->call) != 0;
    }
    if (differ > w->n / 10)
        errx(1, "%s: %" PRIu64 " of %" PRIu64 " calls read other bytes",
             w->name, differ, w->n);
}

static void
run(struct bench *b, char *word, int rounds)
{
    struct work w = {0};
    parse(word, &w);
    plan(b, &w);
    compare(b, &w);
    for (int i = 0; i < rounds; i++) {
        measure(b, &w, "library", by_library);
        measure(b, &w, "pread", by_pread);
    }
    free(w.at);
    free(w.gpa);
}

int
main(int argc, char **argv)
{
    struct memctx_error error = MEMCTX_ERROR_INIT;
    struct memctx_agent *agent;
    struct bench *b = calloc(1, sizeof(*b));
    if (argc < 7 || b == NULL) {
        fprintf(stderr,
                "usage: reader AGENT DOMAIN RAM OFFSET ROUNDS WORK...\n");
        return 2;
    }
    b->ram = open(argv[3], O_RDONLY | O_CLOEXEC);
    b->ram_offset = strtoull(argv[4], NULL, 0);
    if (b->ram < 0)
        err(1, "%s", argv[3]);
    check(memctx_agent_connect(argv[1], &agent, &error), &error);
    check(memctx_reader_open(agent, argv[2], 20000, &b->reader, &error),
          &error);
    for (int i = 6; i < argc; i++)
        run(b, argv[i], atoi(argv[5]));
    memctx_reader_close(b->reader);
    memctx_agent_disconnect(agent);
    free(b);
    return 0;
}
