/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where a kernel keeps its table of symbols, if VMCOREINFO does not say so:
 * before 6.0. */
#ifndef MEMCTX_EXPLAIN_KALLSYMSFIND_H
#define MEMCTX_EXPLAIN_KALLSYMSFIND_H

#include "base/error.h"
#include "explain/target.h"
#include "guest/linux/kallsyms.h"

/* Find the tables in the image of the kernel by what they hold. 0, or -1 with
 * RETRY: there are none, or no work is left; PERMANENT: VMCOREINFO has not even
 * _stext. Reads the image once. */
int memctx_kallsyms_locate(const struct memctx_target *target,
                           struct memctx_kallsyms_tables *ret,
                           struct memctx_error *err);

#endif
