/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* QEMU's arguments: any local user can start a process with any. A newline in
 * the input stands for the NUL between two, so that the corpus is text. */
#include "fuzz.h"

#include <string.h>

#include "qemuargs.h"

static void
check(const struct memctx_qemuargs *found)
{
    FUZZ_MUST(strlen(found->uuid) < sizeof(found->uuid));
    FUZZ_MUST(strlen(found->machine) < sizeof(found->machine));
    for (size_t i = 0; i < found->n_backends && i < MEMCTX_BACKEND_ARGS_MAX;
         i++)
        FUZZ_MUST(strlen(found->backends[i].id) < MEMCTX_BACKEND_NAME_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memctx_qemuargs found;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *args = malloc(size > 0 ? size : 1);
    FUZZ_MUST(args != NULL);
    for (size_t i = 0; i < size; i++)
        args[i] = data[i] == '\n' ? '\0' : (char)data[i];
    if (memctx_qemuargs_parse(args, size, &found, &err) == 0)
        check(&found);
    else
        FUZZ_MUST(err.class == MEMCTX_PERMANENT);
    free(args);
    return 0;
}
