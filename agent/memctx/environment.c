/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Says what is known of a guest in variables. */
#include "memctx/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "datum/facts.h"
#include "export/export.h"
#include "reader/reader.h"

/* Linux takes no longer text in an environment (MAX_ARG_STRLEN). */
#define TEXT_MAX (128u * 1024 - 64)

/* Set a variable; NULL: take away what an outer memctx exec has left. */
static int
put(const char *variable, const char *value)
{
    return value != NULL ? setenv(variable, value, 1) : unsetenv(variable);
}

static unsigned
count_backends(const struct memctx_extent *e, size_t n)
{
    unsigned count = 0;
    for (size_t i = 0; i < n; i++)
        count = e[i].backend >= count ? e[i].backend + 1 : count;
    return count;
}

/* "3 - 4": the descriptors in order of backends, which are inherited from now
 * on; the first of them that is one in *first. */
static int
put_fds(const struct memctx_reader *reader, FILE *list, int *first)
{
    size_t n;
    const struct memctx_extent *e = memctx_reader_extents(reader, &n);
    unsigned backends = count_backends(e, n);
    for (unsigned i = 0; i < backends; i++) {
        int fd = memctx_reader_fd(reader, i);
        if (fd >= 0 && fcntl(fd, F_SETFD, 0) < 0)
            return -1;
        if (i == 0)
            *first = fd;
        fprintf(list, fd >= 0 ? "%s%d" : "%s-", i > 0 ? " " : "", fd);
    }
    return 0;
}

static int
put_ram(const struct memctx_reader *reader)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *fds = NULL;
    size_t len;
    int first = -1;
    char number[16];
    FILE *list = open_memstream(&fds, &len);
    if (list == NULL)
        return -1;
    int failed = put_fds(reader, list, &first);
    if (fclose(list) != 0 || failed < 0)
        return -1;
    snprintf(number, sizeof(number), "%d", first);
    if (put("MEMCTX_FD", first >= 0 ? number : NULL) < 0)
        return -1;
    return put("MEMCTX_FDS", fds);
}

static int
put_extents(const struct memctx_reader *reader, const char *variable)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *extents = NULL;
    size_t n;
    const struct memctx_extent *e = memctx_reader_extents(reader, &n);
    memctx_export_add_extents(e, n, &text);
    if (memctx_text_take(&text, &extents, NULL) < 0)
        return -1;
    return put(variable, extents);
}

/* What the environment tells of the datum, where it is known. */
static int
put_facts(const struct memctx_reader *reader)
{
    const struct memctx_datum *datum = memctx_reader_datum(reader);
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        char text[MEMCTX_FACT_MAX];
        int done = 0;
        if (f->variable != NULL && f->type == MEMCTX_FACT_LIST)
            done = put_extents(reader, f->variable);
        else if (f->variable != NULL)
            done = put(f->variable, memctx_fact_text(f, datum, text));
        if (done < 0)
            return -1;
    }
    return 0;
}

int
environment_put(const struct memctx_reader *reader, const char *domain,
                struct memctx_error *err)
{
    const char *json = memctx_reader_json(reader);
    if (put_facts(reader) < 0 || put("MEMCTX_DOMAIN", domain) < 0 ||
        put("MEMCTX_UUID", memctx_reader_uuid(reader)) < 0 ||
        put("MEMCTX_JSON", strlen(json) < TEXT_MAX ? json : NULL) < 0 ||
        put_ram(reader) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot set the environment: %s",
                                strerror(errno));
    return 0;
}
