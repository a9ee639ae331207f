/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A parser for lines of /proc/PID/maps; the kernel wrote them, but a test or a
 * fuzzer may have, too. */
#include "ram/procmaps.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One number in `base`, followed by `stop`, which is passed too. */
static bool
take_number(const char **at, int base, char stop, uint64_t *ret)
{
    char *end;
    /* strtoull() would take "0x" itself. */
    if (!isxdigit((unsigned char)**at) || (*at)[1] == 'x')
        return false;
    errno = 0;
    *ret = strtoull(*at, &end, base);
    if (errno != 0 || *end != stop)
        return false;
    *at = end + 1;
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
    char *end;
    if (!isdigit((unsigned char)*at))
        return false;
    errno = 0;
    *ret = strtoull(at, &end, 10);
    return errno == 0 && (*end == '\0' || *end == ' ' || *end == '\n');
}

int
memctx_procmaps_parse(const char *line, struct memctx_mapping *ret,
                      struct memctx_error *err)
{
    struct memctx_mapping mapping;
    uint64_t major;
    uint64_t minor;
    const char *at = line;
    if (!take_number(&at, 16, '-', &mapping.start) ||
        !take_number(&at, 16, ' ', &mapping.end) ||
        mapping.start >= mapping.end || !take_rights(&at, &mapping) ||
        !take_number(&at, 16, ' ', &mapping.offset) ||
        !take_number(&at, 16, ':', &major) ||
        !take_number(&at, 16, ' ', &minor) || major > UINT_MAX ||
        minor > UINT_MAX || !take_inode(at, &mapping.inode))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "not a line of /proc/PID/maps: '%.60s'", line);
    mapping.major = (unsigned)major;
    mapping.minor = (unsigned)minor;
    *ret = mapping;
    return 0;
}
