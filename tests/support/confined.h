/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Processes in a sandbox, beside one that stands for QEMU. */
#ifndef MEMCTX_TESTS_CONFINED_H
#define MEMCTX_TESTS_CONFINED_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "ram/rammap.h"
#include "sandbox/sandbox.h"

#define CONFINED_PAGE 4096u
#define CONFINED_RAM_SIZE (64 * CONFINED_PAGE)

/* Guest RAM in the memory of another process, with a secret beside it; and
 * guest RAM that is a file. */
struct confined {
    pid_t qemu;            /* a child that waits */
    unsigned char *ram;    /* CONFINED_RAM_SIZE bytes 'r', mapped here, too */
    unsigned char *secret; /* as many bytes 's', more than a page behind */
    int mem;               /* descriptors of the process' memory */
    int pagemap;
    int file;                    /* a writable memfd of CONFINED_RAM_SIZE */
    struct memctx_rammap *map;   /* of the process' RAM, by copies of these */
    struct memctx_rammap *other; /* of the file, read-only */
    int sockets[2];              /* [1] is the sandbox' */
    struct memctx_error err;
};

/* For cmocka: *state is a struct confined. */
int confined_set_up(void **state);
int confined_tear_down(void **state);

/* Descriptors of the maps, as they are in the sandbox. */
int confined_mem(const struct confined *c);
int confined_pagemap(const struct confined *c);
int confined_file(const struct confined *c);

/* False where the sandbox has no filter: under valgrind, with sanitizers. */
bool confined_holds_filter(void);

/* Enter a sandbox as a prober does, with both maps, the socket and standard
 * error; ends the process with CONFINED_FAILED if that fails. */
void confined_enter(const struct confined *c);

#define CONFINED_CAME_THROUGH 7 /* nothing ended it */
#define CONFINED_FAILED 8

/* How a child, as by waitpid(2), ends that enters a sandbox, calls run() and
 * exits with CONFINED_CAME_THROUGH. */
int confined_run(struct confined *c, void (*run)(const struct confined *c));

#endif
