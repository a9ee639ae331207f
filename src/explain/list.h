/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The doubly linked lists of Linux (struct list_head: next, then prev), which
 * the guest changes while they are read. */
#ifndef MEMCTX_EXPLAIN_LIST_H
#define MEMCTX_EXPLAIN_LIST_H

#include "explain/target.h"

/* The link behind the one at gva. It is believed only if it leads back: one
 * that was taken out of its list leads on, but nothing leads back to it. 0, or
 * -1 with RETRY: it does not, or cannot be read. */
int memctx_list_next(struct memctx_target *target, uint64_t gva, uint64_t *ret,
                     struct memctx_error *err);

#endif
