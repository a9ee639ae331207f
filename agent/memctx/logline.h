/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Records of a guest's log as lines, in the words of dmesg(1). */
#ifndef MEMCTX_LOGLINE_H
#define MEMCTX_LOGLINE_H

#include "base/error.h"
#include "explain/record.h"
#include "text/text.h"

/* Ways to write a record; each writes a line for each line of its text. */
enum logline_format {
    LOGLINE_PLAIN,     /* "[    1.234567] text", quoted for a terminal */
    LOGLINE_RAW,       /* "<6>[    1.234567] text", as it is */
    LOGLINE_RAW_QUOTED /* the same, quoted */
};

void logline_add(struct memctx_text *text,
                 const struct memctx_printk_record *record,
                 enum logline_format format);

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
