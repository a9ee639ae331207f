/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One argument of QEMU that is being taken apart, with what was found so far.
 */
#ifndef MEMCTX_ARGUMENT_H
#define MEMCTX_ARGUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "qemu/args.h"
#include "qemu/opt.h"
#include "qemu/readconfig.h"

struct memctx_argument {
    struct memctx_qemuargs *args; /* all that was found */
    const struct memctx_qemuopt *opt;
    const char *text;
    bool has_accel;                /* an -accel came before */
    memctx_config_fn *read_config; /* NULL: files are not read */
    void *read_arg;
};

/* Takes one option's argument. 0, or -1 with PERMANENT. */
typedef int memctx_argument_fn(struct memctx_argument *argument,
                               struct memctx_error *err);

/* Put the size that `key` has into *ret, in bytes; without suffix it counts
 * `unit` bytes. *ret is untouched when there is no such key. -1 with PERMANENT:
 * it is no size. */
int memctx_argument_size(const struct memctx_argument *argument,
                         const char *key, uint64_t unit, uint64_t *ret,
                         struct memctx_error *err);

/* The same for the name of a backend or device. -1 with PERMANENT: a name of
 * MEMCTX_BACKEND_NAME_MAX bytes or more; cut, it would be another's. */
int memctx_argument_name(const struct memctx_argument *argument,
                         const char *key, char to[MEMCTX_BACKEND_NAME_MAX],
                         struct memctx_error *err);

/* What this argument (beginning with `option`) does to RAM cannot be told. */
void memctx_argument_doubt(const struct memctx_argument *argument,
                           const char *option);

#endif
