/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A line of /proc/PID/maps. */
#include "fuzz.h"

#include <string.h>

#include "ram/procmaps.h"

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct memctx_mapping mapping;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *line = malloc(size + 1);
    FUZZ_MUST(line != NULL);
    memcpy(line, data, size);
    line[size] = '\0';
    if (memctx_procmaps_parse(line, &mapping, &err) == 0)
        FUZZ_MUST(mapping.start < mapping.end);
    else
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT);
    free(line);
}
