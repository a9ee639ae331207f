/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The formats of memctx export and memctx probe --export. */
#ifndef MEMCTX_EXPORTFORMAT_H
#define MEMCTX_EXPORTFORMAT_H

#include "export/export.h"
#include "memctx/command.h"
#include "memctx/explained.h"

/* The format that the user of `command` has named; NULL: there is none, and
 * which there are has been printed. */
const struct memctx_export_format *exportformat_find(
    const struct command *command, const char *name);

/* Print what is known of a guest. An exit code; if it is not EXIT_DONE, the
 * reason has been printed. */
enum exit_code exportformat_print(const struct memctx_export_format *format,
                                  const struct memctx_export_subject *subject);

/* The same of a guest that explained_enter() has entered: what the format takes
 * of its memory is read first. */
enum exit_code exportformat_explain(const struct memctx_export_format *format,
                                    struct explained *explained);

#endif
