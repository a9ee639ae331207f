/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Says on standard error that a kernel does not run whose memory or datum a
 * command is about to print. */
#ifndef MEMCTX_SILENCE_H
#define MEMCTX_SILENCE_H

#include <json-c/json.h>
#include <stdbool.h>

/* Is a domain silent, as the agent describes it in an answer? */
bool silence_is(json_object *domain);

/* One line that begins with "warning: ", if it is; `tail` is its end. */
void silence_warn(json_object *domain, const char *tail);

#endif
