/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What libFuzzer calls. An input that takes too much CPU time is a finding,
 * like one that crashes; how busy the machine is does not count. */
#include "fuzz.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#define CPU_S 2 /* seconds; inputs take some ms with the sanitizers */

static void
give_up(int signal)
{
    static const char words[] = "this input takes too much CPU time\n";
    ssize_t n = write(STDERR_FILENO, words, sizeof(words) - 1);
    (void)signal;
    (void)n;
    abort();
}

static void
set_limit(long seconds)
{
    const struct itimerval timer = {.it_value = {.tv_sec = seconds}};
    FUZZ_MUST(setitimer(ITIMER_PROF, &timer, NULL) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const struct sigaction action = {.sa_handler = give_up};
    (void)argc;
    (void)argv;
    FUZZ_MUST(sigaction(SIGPROF, &action, NULL) == 0);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_limit(CPU_S);
    fuzz_one(data, size);
    set_limit(0);
    return 0;
}
