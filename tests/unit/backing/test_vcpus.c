/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The CPU time of threads with the names that QEMU gives its CPUs. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backing/vcpus.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "wire/clocks.h"

/* A thread of this process that uses CPU time when it is told to. */
struct worker {
    pthread_t thread;
    const char *name;
    sem_t go;
    sem_t done;
    bool end;
};

/* The kernel counts in steps of 10 ms. */
#define BURN_US 100000u

static void
burn(void)
{
    uint64_t from_us = clocks_us(CLOCK_THREAD_CPUTIME_ID);
    while (clocks_us(CLOCK_THREAD_CPUTIME_ID) - from_us < BURN_US)
        ;
}

static void *
run(void *arg)
{
    struct worker *w = arg;
    pthread_setname_np(pthread_self(), w->name);
    sem_post(&w->done);
    while (sem_wait(&w->go) == 0 && !w->end) {
        burn();
        sem_post(&w->done);
    }
    return NULL;
}

static void
worker_start(struct worker *w, const char *name)
{
    *w = (struct worker){.name = name};
    sem_init(&w->go, 0, 0);
    sem_init(&w->done, 0, 0);
    assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
    sem_wait(&w->done);
}

static void
worker_burn(struct worker *w)
{
    sem_post(&w->go);
    sem_wait(&w->done);
}

static void
worker_end(struct worker *w)
{
    w->end = true;
    sem_post(&w->go);
    pthread_join(w->thread, NULL);
}

static struct vcpus *
vcpus_of(pid_t pid)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct vcpus *vcpus;
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_done(vcpus_create(fd, &vcpus, &err), &err);
    return vcpus;
}

static uint64_t
used(struct vcpus *vcpus)
{
    uint64_t us;
    assert_true(vcpus_read(vcpus, true, &us));
    return us;
}

static void
test_only_cpus_count(void **state)
{
    static const char *const others[] = {"IO mon_iothread", "CPU 0", "worker",
                                         "vnc_worker/KVM"};
    struct vcpus *vcpus = vcpus_of(getpid());
    struct worker cpu;
    uint64_t us;
    (void)state;
    assert_false(vcpus_read(vcpus, true, &us));
    worker_start(&cpu, "CPU 0/KVM");
    uint64_t before = used(vcpus);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(others); i++) {
        struct worker other;
        worker_start(&other, others[i]);
        worker_burn(&other);
        worker_end(&other);
    }
    assert_int_equal(used(vcpus), before);
    worker_burn(&cpu);
    assert_true(used(vcpus) >= before + BURN_US / 2);
    worker_end(&cpu);
    vcpus_drop(vcpus);
}

static void
test_all_cpus_count(void **state)
{
    static const char *const names[] = {"CPU 0/TCG", "CPU 17/TCG",
                                        "ALL CPUs/TCG"};
    struct worker cpus[MEMCTX_ARRAY_LEN(names)];
    struct vcpus *vcpus = vcpus_of(getpid());
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++)
        worker_start(&cpus[i], names[i]);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++) {
        uint64_t before = used(vcpus);
        worker_burn(&cpus[i]);
        assert_true(used(vcpus) >= before + BURN_US / 2);
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++)
        worker_end(&cpus[i]);
    vcpus_drop(vcpus);
}

/* A number that was given away again is another process's. */
static void
test_process_that_has_ended(void **state)
{
    pid_t child = fork();
    uint64_t us;
    (void)state;
    if (child == 0) {
        pthread_setname_np(pthread_self(), "CPU 0/KVM");
        pause();
        _exit(0);
    }
    struct vcpus *vcpus = vcpus_of(child);
    for (unsigned i = 0; i < 60000 && !vcpus_read(vcpus, true, &us); i++)
        usleep(1000);
    assert_true(vcpus_read(vcpus, false, &us));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_false(vcpus_read(vcpus, false, &us));
    assert_false(vcpus_read(vcpus, true, &us));
    vcpus_drop(vcpus);
}

static void
test_nobody_knows_them(void **state)
{
    uint64_t us;
    (void)state;
    assert_false(vcpus_read(NULL, true, &us));
    assert_null(vcpus_share(NULL));
    vcpus_drop(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_cpus_count),
        cmocka_unit_test(test_all_cpus_count),
        cmocka_unit_test(test_process_that_has_ended),
        cmocka_unit_test(test_nobody_knows_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
