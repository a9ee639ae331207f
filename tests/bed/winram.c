/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Fills a RAM file as a booting Windows would (tests/support/winimg.c); the
 * file may be the RAM of a guest that sits in cli; hlt.
 *
 *   winram FILE LOW [KEY=VALUE...] COMMAND...
 *
 * LOW: bytes below the split; with paging=aarch64-4k-47 RAM is in one piece,
 * from 1 GiB on. Keys: build=N paging=NAME root=GPA tables=GPA
 * image=GPA base=GVA stub=GPA (0: none) large=0|1 self=INDEX shadow=0|1
 * user=0|1 time=N processes=N. They hold for the commands behind them.
 * Commands: loader, kernel, ready: write this stage, print the time on
 * CLOCK_MONOTONIC; tick=SECONDS: let the clocks run, every 15.6 ms;
 * wait=SECONDS; touch: write to every page, so that it is no hole. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "winimg.h"

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
pause_for(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec =
                             (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

static void
set_key(struct winimg *w, const char *key, const char *text)
{
    uint64_t value = strtoull(text, NULL, 0);
    struct winimg fresh;
    if (strcmp(key, "build") == 0 || strcmp(key, "paging") == 0) {
        enum memctx_paging paging = w->paging;
        unsigned build = w->build->build;
        if (key[0] == 'p')
            paging = memctx_paging_from_name(text);
        else
            build = (unsigned)value;
        fresh = winimg(build, paging);
        if (fresh.build == NULL)
            fresh = winimg(7601, paging);
        *w = fresh;
        return;
    }
    const struct {
        const char *key;
        uint64_t *value;
    } numbers[] = {
        {"root", &w->root_gpa},   {"tables", &w->tables_gpa},
        {"image", &w->image_gpa}, {"base", &w->base_gva},
        {"stub", &w->stub_gpa},   {"time", &w->time},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(numbers); i++) {
        if (strcmp(key, numbers[i].key) == 0)
            *numbers[i].value = value;
    }
    if (strcmp(key, "large") == 0)
        w->large_pages = value != 0;
    if (strcmp(key, "shadow") == 0)
        w->kva_shadow = value != 0;
    if (strcmp(key, "user") == 0)
        w->user_half = value != 0;
    if (strcmp(key, "self") == 0)
        w->self_index = (unsigned)value;
    if (strcmp(key, "processes") == 0)
        w->n_processes = (unsigned)value;
}

static void
tick(const struct guestimg *img, struct winimg *w, double seconds)
{
    for (double end = now() + seconds; now() < end; pause_for(0.0156))
        winimg_tick(img, w, 156250);
}

/* Every page of RAM becomes data, without a change to what is there. */
static void
touch(const struct guestimg *img)
{
    for (uint64_t at = 0; at < img->size; at += MEMCTX_PAGE_SIZE) {
        char byte;
        if (pread(img->fd, &byte, 1, (off_t)at + 8) != 1 ||
            pwrite(img->fd, &byte, 1, (off_t)at + 8) != 1)
            abort();
    }
}

static int
run(struct guestimg *img, struct winimg *w, const char *word)
{
    static const char *const stages[WINIMG_STAGES] = {"firmware", "loader",
                                                      "kernel", "ready"};
    const char *value = strchr(word, '=');
    for (unsigned i = 0; i < WINIMG_STAGES; i++) {
        if (strcmp(word, stages[i]) != 0)
            continue;
        w->stage = (enum winimg_stage)i;
        winimg_write(img, w);
        printf("%s %.3f\n", word, now());
        fflush(stdout);
        return 0;
    }
    if (strncmp(word, "tick=", 5) == 0)
        tick(img, w, atof(value + 1));
    else if (strncmp(word, "wait=", 5) == 0)
        pause_for(atof(value + 1));
    else if (strcmp(word, "touch") == 0)
        touch(img);
    else if (value != NULL) {
        char key[32] = "";
        snprintf(key, sizeof(key), "%.*s", (int)(value - word), word);
        set_key(w, key, value + 1);
        img->base_gpa =
            w->paging == MEMCTX_PAGING_AARCH64_4K_47 ? MEMCTX_GIB : 0;
    } else
        return -1;
    return 0;
}

int
main(int argc, char **argv)
{
    struct guestimg img = {.free_gpa = MEMCTX_MIB};
    struct winimg w = winimg(19045, MEMCTX_PAGING_X86_64_4LEVEL);
    struct stat st;
    img.fd = argc >= 4 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    if (img.fd < 0 || fstat(img.fd, &st) < 0) {
        fprintf(stderr, "usage: winram FILE LOW [KEY=VALUE...] COMMAND...\n");
        return 2;
    }
    img.size = (uint64_t)st.st_size;
    img.low = memctx_min(strtoull(argv[2], NULL, 0), img.size);
    if (img.low == 0)
        img.low = img.size;
    for (int i = 3; i < argc; i++) {
        if (run(&img, &w, argv[i]) < 0) {
            fprintf(stderr, "winram: unknown word '%s'\n", argv[i]);
            return 2;
        }
    }
    return 0;
}
