/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What --help prints, made of the table of commands. */
#ifndef MEMCTX_HELP_H
#define MEMCTX_HELP_H

#include "memctx/command.h"

/* Print the help of one command; NULL: of memctx. Returns EXIT_DONE. */
enum exit_code help_print(const struct command *command);

#endif
