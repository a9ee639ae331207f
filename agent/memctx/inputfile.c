/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads files through stdio, with a bound. */
#include "memctx/inputfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int
inputfile_read(const char *path, size_t max_bytes, char **ret,
               size_t *len_bytes, struct memctx_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    MEMCTX_CLEANUP(memctx_cleanup_file)
    FILE *file = fopen(is_stdin ? "/dev/stdin" : path, "re");
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = malloc(max_bytes + 1);
    if (file == NULL || text == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT, "%s: %s", path,
                                strerror(errno));
    size_t n = fread(text, 1, max_bytes + 1, file);
    if (ferror(file))
        return memctx_error_set(err, MEMCTX_PERMANENT, "%s: %s", path,
                                strerror(errno));
    if (n > max_bytes)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s: more than %zu bytes", path, max_bytes);
    *ret = memctx_steal_ptr(&text);
    *len_bytes = n;
    return 0;
}
