/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Records of a kernel's log as lines, in the words of dmesg(1). */
#ifndef MEMCTX_EXPLAIN_LOGTEXT_H
#define MEMCTX_EXPLAIN_LOGTEXT_H

#include "explain/record.h"
#include "text/text.h"

/* Ways to write a record; each writes a line for each line of its text. */
enum memctx_logtext {
    MEMCTX_LOGTEXT_PLAIN,     /* "[    1.234567] text", quoted for a terminal */
    MEMCTX_LOGTEXT_RAW,       /* "<6>[    1.234567] text", as it is */
    MEMCTX_LOGTEXT_RAW_QUOTED /* the same, quoted */
};

/* Add the lines of one record. Any thread. */
void memctx_logtext_add(struct memctx_text *text,
                        const struct memctx_printk_record *record,
                        enum memctx_logtext format);

#endif
