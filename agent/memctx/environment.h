/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest as a program finds it that memctx starts: descriptors of its RAM, and
 * the rest in the environment. */
#ifndef MEMCTX_ENVIRONMENT_H
#define MEMCTX_ENVIRONMENT_H

#include "base/error.h"
#include "memctx.h"

/* Let the descriptors of a domain's RAM be inherited, and set the variables of
 * memctx(1), ENVIRONMENT; `domain` as the user named it. Those of an outer
 * memctx exec that are not known here are taken away. 0, or -1 with PERMANENT:
 * the environment cannot be set. */
int environment_put(const struct memctx_reader *reader, const char *domain,
                    struct memctx_error *err);

#endif
