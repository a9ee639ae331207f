/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A prober that its guest has taken over: what it does stands at the beginning
 * of the guest's RAM, as a word and a number. It is not confined. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/clocks.h"
#include "wire/probe.h"
#include "wire/start.h"

#define SOCKET 3

struct fake {
    char word[16];
    unsigned number;
    unsigned asked; /* so often */
    struct memctx_probe_request request;
};

/* "Not yet", and how often it was asked. */
static struct memctx_probe_answer
not_yet(const struct fake *fake)
{
    struct memctx_probe_answer answer = {
        .serial = fake->request.serial,
        .verdict = MEMCTX_PROBE_FAILED,
        .candidates = fake->asked,
    };
    memctx_error_set(&answer.why, MEMCTX_RETRY, "fake");
    return answer;
}

static void
say(const struct fake *fake)
{
    struct memctx_probe_answer answer = not_yet(fake);
    if (send(SOCKET, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
        exit(0);
}

static void
work(unsigned ms)
{
    uint64_t until_us =
        clocks_us(CLOCK_PROCESS_CPUTIME_ID) + UINT64_C(1000) * ms;
    while (clocks_us(CLOCK_PROCESS_CPUTIME_ID) < until_us)
        ;
}

static void
be_good(const struct fake *fake)
{
    say(fake);
}

static void
work_first(const struct fake *fake)
{
    work(fake->number);
    say(fake);
}

/* AddressSanitizer would catch the signal, and exit instead. */
static void
crash(const struct fake *fake)
{
    (void)fake;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void
leave(const struct fake *fake)
{
    exit((int)fake->number);
}

static void
spin(const struct fake *fake)
{
    (void)fake;
    for (;;)
        ;
}

static void
hang(const struct fake *fake)
{
    (void)fake;
    for (;;)
        pause();
}

static void
hang_up(const struct fake *fake)
{
    close(SOCKET);
    hang(fake);
}

static void
flood(const struct fake *fake)
{
    for (unsigned i = 0; i < fake->number; i++)
        say(fake);
}

static void
spin_at_rest(const struct fake *fake)
{
    say(fake);
    spin(fake);
}

/* Wrong in a few bytes, which differ from one prober to the next. */
static void
lie(const struct fake *fake)
{
    struct memctx_probe_answer answer = not_yet(fake);
    unsigned char *bytes = (unsigned char *)&answer;
    srandom(fake->number + (unsigned)getpid());
    for (unsigned i = 0; i < 8; i++)
        bytes[(size_t)random() % sizeof(answer)] = (unsigned char)random();
    send(SOCKET, bytes, sizeof(answer), MSG_NOSIGNAL);
}

static void
answer_another(const struct fake *fake)
{
    struct memctx_probe_answer answer = not_yet(fake);
    answer.serial++;
    send(SOCKET, &answer, sizeof(answer), MSG_NOSIGNAL);
}

static void
say_nonsense(const struct fake *fake)
{
    char bytes[8000] = "nonsense";
    send(SOCKET, bytes, fake->number, MSG_NOSIGNAL);
}

/* All bytes that were asked for lie at this address, or all but one. */
static void
send_part(const struct fake *fake, uint32_t size)
{
    const struct memctx_probe_answer answer = {
        .serial = fake->request.serial,
        .n_parts = 1,
        .parts = {{fake->number, size, true}},
    };
    send(SOCKET, &answer, sizeof(answer), MSG_NOSIGNAL);
}

static void
say_where(const struct fake *fake)
{
    send_part(fake, fake->request.size);
}

static void
say_too_little(const struct fake *fake)
{
    send_part(fake, fake->request.size - 1);
}

static const struct {
    const char *word;
    void (*act)(const struct fake *fake);
} acts[] = {
    {"good", be_good},
    {"work", work_first},
    {"crash", crash},
    {"leave", leave},
    {"spin", spin},
    {"hang", hang},
    {"close", hang_up},
    {"flood", flood},
    {"rest", spin_at_rest},
    {"lie", lie},
    {"other", answer_another},
    {"nonsense", say_nonsense},
    {"where", say_where},
    {"little", say_too_little},
};

static void
act(const struct fake *fake)
{
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (strcmp(fake->word, acts[i].word) == 0)
            acts[i].act(fake);
    }
}

/* The word may change from one request to the next. */
static void
read_word(const struct memctx_rammap *map, struct fake *fake)
{
    char text[32] = "";
    memctx_rammap_read(map, 0, text, sizeof(text) - 1, NULL);
    sscanf(text, "%15s %u", fake->word, &fake->number);
}

int
main(void)
{
    struct memctx_start start;
    struct fake fake = {.asked = 0};
    if (memctx_start_receive(SOCKET, &start, NULL) < 0)
        return 1;
    while (recv(SOCKET, &fake.request, sizeof(fake.request), 0) ==
           (ssize_t)sizeof(fake.request)) {
        fake.asked++;
        read_word(start.maps[0], &fake);
        act(&fake);
    }
    memctx_start_deinit(&start);
    return 0;
}
