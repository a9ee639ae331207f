/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a QEMU process has mapped and open, read from /proc. Nothing of it is
 * opened for that: among its files are disk images, devices and FIFOs. */
#ifndef MEMCTXD_HOLDINGS_H
#define MEMCTXD_HOLDINGS_H

#include "qemu/match.h"
#include "backing/process.h"

struct holdings {
    struct memctx_match_input list;  /* of the two below */
    struct memctx_mapping *mappings; /* owned */
    struct memctx_ram_file *files;   /* owned */
};

/* 0 and *ret, which the caller gives to holdings_deinit(); -1 with PERMANENT:
 * no right to look; GONE: it ended; RETRY. */
int holdings_read(const struct process *process, struct holdings *ret,
                  struct memctx_error *err);
void holdings_deinit(struct holdings *holdings);

/* Open QEMU's descriptor `file` again, for reading only, if it still is that
 * file. 0 and *ret, or -1 as above. */
int holdings_open_file(const struct process *process,
                       const struct memctx_ram_file *file, int *ret,
                       struct memctx_error *err);

/* Open "mem" or "pagemap" of the process for reading. 0 and *ret, or -1 as
 * above. */
int holdings_open_memory(const struct process *process, const char *name,
                         int *ret, struct memctx_error *err);

#endif
