/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What was found is looked up here, and found in cmdline.c. */
#include "qemu/args.h"

#include <string.h>

#include "base/bytes.h"

const struct memctx_backend_arg *
memctx_qemuargs_backend(const struct memctx_qemuargs *args, const char *id)
{
    size_t n = memctx_min(args->n_backends, MEMCTX_BACKEND_ARGS_MAX);
    for (size_t i = 0; i < n && id[0] != '\0'; i++) {
        if (strcmp(args->backends[i].id, id) == 0)
            return &args->backends[i];
    }
    return NULL;
}
