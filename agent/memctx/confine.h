/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Commands that read guest memory do so in a sandbox: whatever a guest has put
 * there can make them lie about this guest, and no more. */
#ifndef MEMCTX_CONFINE_H
#define MEMCTX_CONFINE_H

#include "common/exitcode.h"
#include "memctx.h"
#include "memctx/ramfile.h"
#include "sandbox/rules.h"

/* Each enters a sandbox (sandbox.h), before the first guest byte is read, in
 * which the RAM can be read and standard output and error be written; `result`
 * is one descriptor more, for what is made (NULL: none). An exit code; if it is
 * not EXIT_DONE, the reason has been printed. */

/* RAM of a file, in whatever layouts and form it has. */
enum exit_code confine_to_file(const struct ramfile *file,
                               const struct sandbox_fd *result);

/* RAM of a domain, by its descriptors or by asking the agent. */
enum exit_code confine_to_reader(const struct memctx_reader *reader,
                                 const struct sandbox_fd *result);

/* No RAM: what is to be parsed was read. */
enum exit_code confine_alone(void);

#endif
