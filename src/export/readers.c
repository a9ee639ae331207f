/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of tools that read an ELF core, in the order of the manual. */
#include "export/readers.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "export/format.h"

#define LINUX (1u << MEMCTX_OS_LINUX)
#define WINDOWS (1u << MEMCTX_OS_WINDOWS)

/* gdb reads virtual addresses, and only this image has them in a core
 * (elfcore.h). */
static const memctx_export_words image_words = {
    [MEMCTX_PAGING_X86_64_4LEVEL] = "",
    [MEMCTX_PAGING_X86_64_5LEVEL] = "",
};

static const struct {
    const char *name;
    unsigned systems; /* 1 << enum memctx_os */
    const memctx_export_words *words;
} readers[] = {
    {"drgn", LINUX, &memctx_export_drgn_words},
    {"crash", LINUX, &memctx_export_crash_words},
    {"gdb", LINUX, &image_words},
    {"makedumpfile", LINUX, &memctx_export_crash_words},
    {"volatility3", LINUX | WINDOWS, &memctx_export_volatility3_words},
    {"memprocfs", LINUX | WINDOWS, &memctx_export_memprocfs_words},
};

static bool
takes(size_t i, const struct memctx_kernel *kernel)
{
    return (readers[i].systems >> kernel->os & 1) != 0 &&
           (*readers[i].words)[kernel->paging] != NULL;
}

bool
memctx_readers_take(const char *tool, const struct memctx_kernel *kernel)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(readers); i++) {
        if (strcmp(readers[i].name, tool) == 0)
            return takes(i, kernel);
    }
    return false;
}

void
memctx_readers_names(const struct memctx_kernel *kernel, char *ret, size_t size)
{
    size_t len = 0;
    ret[0] = '\0';
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(readers); i++) {
        if (!takes(i, kernel))
            continue;
        int n = snprintf(ret + len, size - len, "%s%s", len > 0 ? ", " : "",
                         readers[i].name);
        len = (size_t)memctx_min(len + (size_t)n, size - 1);
    }
}
