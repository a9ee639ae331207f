/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The facts of the datum, one a row. XML, JSON, the variables of a shell and
 * of memctx exec are written and read by going through this table.
 *
 * To add a fact:
 *   1. its member in struct memctx_datum, or in what that holds;
 *   2. its row in facts.c: the order there is the order of every output;
 *   3. its line in the schema (src/memctx.rng) and in man/memctx-datum.pod;
 *      if it has a variable, in the ENVIRONMENT of man/memctx.pod, too.
 * tests/unit/datum/test_facts.c and tests/test_docs.sh find what was left
 * out. */
#ifndef MEMCTX_FACTS_H
#define MEMCTX_FACTS_H

#include "datum/fact.h"

/* All of them; the last has no path. */
extern const struct memctx_fact memctx_facts[];

#endif
