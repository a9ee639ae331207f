/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A file of its own: programs that call it alone need no libseccomp. */
#include "sandbox/sandbox.h"

#include <sys/prctl.h>

void
sandbox_hide_memory(void)
{
#ifndef INSTRUMENTED
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
