/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What several commands print on standard output. */
#ifndef MEMCTX_PRINT_H
#define MEMCTX_PRINT_H

#include <json-c/json.h>

#include "common/exitcode.h"
#include "datum/datum.h"

/* An object on one line. */
void print_json(json_object *object);

/* One of many objects, of a list that is printed as it goes: no newline. */
void print_member(json_object *object);

/* A datum with what only authorised readers get, as JSON or as XML. An exit
 * code; if it is not EXIT_DONE, the reason has been printed. */
enum exit_code print_datum(const struct memctx_datum *datum, bool as_json);

#endif
