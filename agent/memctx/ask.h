/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks the agent for the datum of a domain. That takes no right to open the
 * domain's RAM, only to show it, or to wait for it. */
#ifndef MEMCTX_ASK_H
#define MEMCTX_ASK_H

#include "datum/datum.h"
#include "memctx/invocation.h"

/* The datum of a domain as it is now. Of one that is silent standard error is
 * told. *ret is the caller's to deinit, and
 * *name (NULL: of no interest) to free(): the domain's name, NULL if out of
 * memory. An exit code; if it is not EXIT_DONE, the reason has been printed. */
enum exit_code ask_datum(const struct common_options *common,
                         const char *domain, struct memctx_datum *ret,
                         char **name);

/* The same, but wait until the domain is ready, silent where that is taken, or
 * can never be ready, at most timeout_ms (0: not at all; -1: for ever). */
enum exit_code ask_datum_within(const struct common_options *common,
                                const char *domain, int64_t timeout_ms,
                                bool takes_silent, struct memctx_datum *ret,
                                char **name);

#endif
