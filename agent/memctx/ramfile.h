/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel in a file that holds the RAM of a guest. Needs neither libvirt nor
 * the agent. */
#ifndef MEMCTX_RAMFILE_H
#define MEMCTX_RAMFILE_H

#include "backing/ram.h"
#include "common/exitcode.h"
#include "datum/datum.h"

/* Open the file, of which the first `low` bytes are RAM from 0 on and the rest
 * RAM from 4 GiB on (low 0: in one piece), and look for a kernel in all of it.
 * *ram and *ret are the caller's to deinit, *ram on failure, too. An exit code;
 * if it is not EXIT_DONE, the reason has been printed. */
enum exit_code ramfile_probe(const char *path, uint64_t low, struct ram *ram,
                             struct memctx_datum *ret);

#endif
