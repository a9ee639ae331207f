/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Records of a guest's log as JSON, and levels by the names of dmesg(1). */
#ifndef MEMCTX_LOGLINE_H
#define MEMCTX_LOGLINE_H

#include "base/error.h"
#include "explain/record.h"
#include "text/text.h"

/* The record as an object of JSON, without newline: "seq", "time_ns",
 * "facility", "level", "text"; and "lost", if some were lost before it. */
void logline_add_json(struct memctx_text *text,
                      const struct memctx_printk_record *record, uint64_t lost);

/* A set of levels, bit (1 << level) each, from names by comma: "err,warn". A
 * '+' behind a name adds the levels above it: "err+". -1 with PERMANENT: there
 * is no such level. */
int logline_parse_levels(const char *names, unsigned *ret,
                         struct memctx_error *err);

#endif
