/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where the debugging information of a kernel is to be had, which most tools
 * need beside its memory: as commands for a shell. Pure. */
#ifndef MEMCTX_DEBUGINFO_H
#define MEMCTX_DEBUGINFO_H

#include "guest/kernel.h"
#include "text/text.h"

#define MEMCTX_DEBUGINFO_MAX 3

/* One way to it. */
struct memctx_debuginfo {
    char from[48];  /* who has it: "debuginfod", "Debian" */
    char file[160]; /* where the command puts it; "": it prints that */
    char *command;  /* owned */
};

/* The ways to that of this kernel, the likeliest first: up to
 * MEMCTX_DEBUGINFO_MAX of them into ret. Returns how many. Of a Linux they
 * follow from its build ID and from how its distribution calls its releases
 * (uname -r); of a Windows from the name and GUID of its PDB. What the guest
 * has written is quoted for a shell. */
size_t memctx_debuginfo_find(const struct memctx_kernel *kernel,
                             struct memctx_debuginfo *ret);

void memctx_debuginfo_deinit(struct memctx_debuginfo *debuginfo);

#endif
