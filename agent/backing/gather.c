/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Joins what is told about RAM, and asks the host's CPU for its vendor. */
#include "backing/gather.h"

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

static enum memctx_vendor
vendor_of_host(void)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;
    /* Leaf 0: the vendor's name in EBX, EDX, ECX. */
    if (__get_cpuid(0, &a, &b, &c, &d) != 0)
        return b == signature_AMD_ebx && d == signature_AMD_edx &&
                       c == signature_AMD_ecx
                   ? MEMCTX_VENDOR_AMD
                   : MEMCTX_VENDOR_OTHER;
#endif
    return MEMCTX_VENDOR_UNKNOWN;
}

void
gather_memconf(const struct memctx_domxml *facts,
               const struct memctx_qemuargs *args, bool here,
               struct memctx_memconf *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (facts != NULL)
        *ret = facts->memory;
    if (args != NULL)
        memctx_memconf_overlay(ret, &args->memory, true);
    ret->host = here ? vendor_of_host() : MEMCTX_VENDOR_UNKNOWN;
}
