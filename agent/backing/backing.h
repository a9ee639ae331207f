/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From a QEMU process to its guest's RAM: each backend as a file, where the
 * guest's writes reach it, or as memory of the process. */
#ifndef MEMCTXD_BACKING_H
#define MEMCTXD_BACKING_H

#include "domain/domxml.h"
#include "backing/holdings.h"
#include "backing/process.h"
#include "backing/ram.h"

/* Can a guest like this be read at all, whoever asks? `args` may be NULL. 0, or
 * -1 with PERMANENT: its RAM is encrypted, or of a foreign architecture. */
int backing_check_guest(const struct memctx_domxml *facts,
                        const struct memctx_qemuargs *args,
                        struct memctx_error *err);

/* Find the mapping of each of the layout's backends among what the process has.
 * 0 and ret[i] for each, or -1 with RETRY: it has not all of them. Of a process
 * that runs for some seconds by then *err says what it is; PERMANENT: it is a
 * wrapper, and no child of it is the domain's QEMU. */
int backing_match(const struct process *process,
                  const struct memctx_layout *layout,
                  const struct holdings *holdings, struct memctx_match *ret,
                  struct memctx_error *err);

/* Open the RAM of a domain read-only. 0 and *ret (without an inherited
 * datum), or -1: PERMANENT with the cure, when the RAM is encrypted, of a
 * foreign architecture or a machine type whose layout is not known, or not ours
 * to read; RETRY while QEMU has not mapped it yet; GONE when QEMU ended. */
int backing_open(const struct process *process,
                 const struct memctx_domxml *facts, struct ram *ret,
                 struct memctx_error *err);

#endif
