/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The way to a lease of a domain's RAM. */
#ifndef MEMCTX_OPEN_H
#define MEMCTX_OPEN_H

#include <stdbool.h>

#include "base/error.h"
#include "reader/lease.h"

/* Connect to the agent in `dir`, wait for the domain to be ready, or silent
 * where that is taken, and open its RAM; times and errors as of
 * memctx_reader_open(). The caller closes the lease. */
int open_lease(const char *dir, const char *domain, int timeout_ms,
               bool takes_silent, struct lease **ret, struct memctx_error *err);

#endif
