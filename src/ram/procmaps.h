/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses one line of /proc/PID/maps (proc(5)). Opens nothing. */
#ifndef MEMCTX_PROCMAPS_H
#define MEMCTX_PROCMAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct memctx_mapping {
    uint64_t start; /* virtual address in that process, bytes */
    uint64_t end;
    uint64_t offset;
    bool shared; /* 's' and not 'p' */
    bool readable;
    bool writable;
    bool executable;
    unsigned major; /* of the file's device; 0:0 and inode 0 is anonymous */
    unsigned minor;
    uint64_t inode;
};

/* Parse a NUL-terminated line, with or without newline; the path is passed
 * over. 0, or -1 with PERMANENT: not such a line. *ret is untouched then. */
int memctx_procmaps_parse(const char *line, struct memctx_mapping *ret,
                          struct memctx_error *err);

#endif
