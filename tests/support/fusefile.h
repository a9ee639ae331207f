/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A file of FUSE whose server can fall asleep: fstat(2) and close(2) of the
 * file wait from then on until the test ends. For root, where the kernel has
 * FUSE. */
#ifndef MEMCTX_TESTS_FUSEFILE_H
#define MEMCTX_TESTS_FUSEFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the server, a process of its own, and the test both see. */
struct fusefile_shared {
    atomic_bool sleeps;
    atomic_uint asked; /* requests that were left without an answer */
};

struct fusefile {
    int fd; /* of the file, open for reading */
    char dir[64];
    pid_t server;
    struct fusefile_shared *shared;
};

/* False: FUSE cannot be mounted here. The server is awake. */
bool fusefile_start(struct fusefile *ret);

/* Nothing is answered any more. */
void fusefile_sleep(struct fusefile *f);

/* End the file system: all that wait for it get an error. */
void fusefile_stop(struct fusefile *f);

#endif
