/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A parser for lines of /proc/PID/maps; the kernel wrote them, but a test or a
 * fuzzer may have, too. */
#include "ram/procmaps.h"

#include <limits.h>
#include <string.h>

#include "base/number.h"

/* A number in hexadecimal, followed by `stop`, which is passed too. */
static bool
take_hex(const char **at, char stop, uint64_t max, uint64_t *ret)
{
    if (!memctx_number_take(at, 16, max, ret) || **at != stop)
        return false;
    (*at)++;
    return true;
}

/* "rw-s " */
static bool
take_rights(const char **at, struct memctx_mapping *mapping)
{
    const char *rights = *at;
    static const char *const allowed[] = {"r-", "w-", "x-", "sp", " "};
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (rights[i] == '\0' || strchr(allowed[i], rights[i]) == NULL)
            return false;
    }
    mapping->readable = rights[0] == 'r';
    mapping->writable = rights[1] == 'w';
    mapping->executable = rights[2] == 'x';
    mapping->shared = rights[3] == 's';
    *at += 5;
    return true;
}

/* The inode is the last number, followed by blanks and a path, or the end. */
static bool
take_inode(const char *at, uint64_t *ret)
{
    return memctx_number_take(&at, 10, UINT64_MAX, ret) &&
           (*at == '\0' || *at == ' ' || *at == '\n');
}

int
memctx_procmaps_parse(const char *line, struct memctx_mapping *ret,
                      struct memctx_error *err)
{
    struct memctx_mapping mapping;
    uint64_t major;
    uint64_t minor;
    const char *at = line;
    if (!take_hex(&at, '-', UINT64_MAX, &mapping.start) ||
        !take_hex(&at, ' ', UINT64_MAX, &mapping.end) ||
        mapping.start >= mapping.end || !take_rights(&at, &mapping) ||
        !take_hex(&at, ' ', UINT64_MAX, &mapping.offset) ||
        !take_hex(&at, ':', UINT_MAX, &major) ||
        !take_hex(&at, ' ', UINT_MAX, &minor) ||
        !take_inode(at, &mapping.inode))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "not a line of /proc/PID/maps: '%.60s'", line);
    mapping.major = (unsigned)major;
    mapping.minor = (unsigned)minor;
    *ret = mapping;
    return 0;
}
