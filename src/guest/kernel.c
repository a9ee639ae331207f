/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Names of systems, and when two kernels are one. */
#include "guest/kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME(os, name, ops) [MEMCTX_OS_##os] = (name),
static const char *const names[MEMCTX_OSES] = {MEMCTX_SYSTEMS(NAME)};

const char *
memctx_os_name(enum memctx_os os)
{
    return os < MEMCTX_OSES ? names[os] : NULL;
}

enum memctx_os
memctx_os_from_name(const char *name)
{
    for (unsigned i = 1; i < MEMCTX_OSES; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum memctx_os)i;
    }
    return MEMCTX_OS_UNKNOWN;
}

void
memctx_kernel_set_clue(struct memctx_kernel *kernel, unsigned rank,
                       const char *name)
{
    kernel->clue_rank = rank;
    snprintf(kernel->found, sizeof(kernel->found), "%s", name);
}

void
memctx_checks_add(char checks[MEMCTX_CHECKS_MAX], const char *name)
{
    size_t used = strlen(checks);
    snprintf(checks + used, MEMCTX_CHECKS_MAX - used, "%s%s",
             used > 0 ? "," : "", name);
}

bool
memctx_kernel_is_same(const struct memctx_kernel *a,
                      const struct memctx_kernel *b)
{
    return a->os == b->os && a->kcr3 == b->kcr3 && a->paging == b->paging &&
           a->base_gva == b->base_gva &&
           a->first_process_gva == b->first_process_gva &&
           strcmp(a->version, b->version) == 0;
}

void
memctx_kernel_words(const struct memctx_kernel *kernel,
                    char ret[MEMCTX_KERNEL_WORDS_MAX])
{
    snprintf(ret, MEMCTX_KERNEL_WORDS_MAX,
             "%s %s %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %s",
             memctx_os_name(kernel->os), memctx_paging_name(kernel->paging),
             kernel->kcr3, kernel->base_gva, kernel->first_process_gva,
             kernel->version);
}
