/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Whether a kernel's last messages say that it has panicked. */
#ifndef MEMCTX_LASTWORDS_H
#define MEMCTX_LASTWORDS_H

#include <stdbool.h>

#include "base/error.h"
#include "explain/target.h"

/* *panicked: the log of this boot ends with a panic, by messages that only the
 * kernel itself can have written. 0, or -1 as memctx_printk_open() and
 * memctx_printk_next(); *panicked is untouched then. Reads the last 512
 * records; before 5.10, the whole log. All of it is charged to the work of the
 * target's map. Any thread. */
int memctx_lastwords_read(const struct memctx_target *target, bool *panicked,
                          struct memctx_error *err);

#endif
