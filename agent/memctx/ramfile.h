/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel in a file that holds the RAM of a guest. Needs neither libvirt nor
 * the agent. */
#ifndef MEMCTX_RAMFILE_H
#define MEMCTX_RAMFILE_H

#include "backing/ram.h"
#include "common/exitcode.h"
#include "datum/datum.h"

/* Both return an exit code; if it is not EXIT_DONE, the reason has been
 * printed. */

/* Open the file, of which the first `low` bytes are RAM from 0 on and the rest
 * RAM from 4 GiB on (low 0: in one piece). No byte of it is read. *ret is the
 * caller's to deinit. */
enum exit_code ramfile_open(const char *path, uint64_t low, struct ram *ret);

/* Look for a kernel in all of the RAM, which came from this file; if it begins
 * elsewhere than at 0, *ram is changed accordingly. To be called in a sandbox:
 * nothing is opened. *ret is the caller's to deinit. */
enum exit_code ramfile_probe(const char *path, struct ram *ram,
                             struct memctx_datum *ret);

#endif
