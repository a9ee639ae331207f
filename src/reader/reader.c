/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* struct memctx_reader: its life, and what it knows without reading RAM. */
#include "reader/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "reader/open.h"
#include "wire/clocks.h"

static bool
takes_silent(const struct memctx_reader *reader)
{
    return (reader->flags & MEMCTX_OPEN_SILENT) != 0;
}

int
memctx_reader_open_flags(struct memctx_agent *agent, const char *domain,
                         int timeout_ms, unsigned flags,
                         struct memctx_reader **ret, struct memctx_error *err)
{
    if ((flags & ~MEMCTX_OPEN_SILENT) != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "this libmemctx does not know the flags %#x",
                                flags & ~MEMCTX_OPEN_SILENT);
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    snprintf(reader->dir, sizeof(reader->dir), "%s", agent_dir(agent));
    reader->flags = flags;
    if (open_lease(reader->dir, domain, timeout_ms, takes_silent(reader),
                   &reader->lease, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&reader);
    return 0;
}

int
memctx_reader_open(struct memctx_agent *agent, const char *domain,
                   int timeout_ms, struct memctx_reader **ret,
                   struct memctx_error *err)
{
    return memctx_reader_open_flags(agent, domain, timeout_ms, 0, ret, err);
}

void
memctx_reader_close(struct memctx_reader *reader)
{
    if (reader == NULL)
        return;
    lease_close(reader->lease);
    free(reader);
}

/* By its UUID: an id is another one after the domain was started again, and a
 * name may have been given to another. */
int
memctx_reader_renew(struct memctx_reader *reader, int timeout_ms,
                    struct memctx_error *err)
{
    struct lease *lease;
    if (open_lease(reader->dir, reader->lease->uuid, timeout_ms,
                   takes_silent(reader), &lease, err) < 0)
        return -1;
    lease_close(reader->lease);
    reader->lease = lease;
    reader->renewals++;
    return 0;
}

int
memctx_reader_check(struct memctx_reader *reader, struct memctx_error *err)
{
    return validity_check(&reader->lease->validity, clocks_us(CLOCK_MONOTONIC),
                          err);
}

int
memctx_reader_live(const struct memctx_reader *reader)
{
    return !validity_is_silent(&reader->lease->validity);
}

const char *
memctx_reader_uuid(const struct memctx_reader *reader)
{
    return reader->lease->uuid;
}

const char *
memctx_reader_json(const struct memctx_reader *reader)
{
    return reader->lease->json;
}

#define KEY_MAX 64

/* Bounded: each turn passes a part of the path. */
static json_object *
find(const struct memctx_reader *reader, const char *path)
{
    json_object *at = reader->lease->facts;
    while (at != NULL && path != NULL) {
        char key[KEY_MAX];
        size_t len = strcspn(path, ".");
        if (len >= sizeof(key) || !json_object_is_type(at, json_type_object))
            return NULL;
        memcpy(key, path, len);
        key[len] = '\0';
        at = json_object_object_get(at, key);
        path = path[len] == '.' ? path + len + 1 : NULL;
    }
    return at;
}

const char *
memctx_reader_text(const struct memctx_reader *reader, const char *path)
{
    json_object *fact = find(reader, path);
    bool is_one = json_object_is_type(fact, json_type_string) ||
                  json_object_is_type(fact, json_type_int);
    return is_one ? json_object_get_string(fact) : NULL;
}

int
memctx_reader_number(const struct memctx_reader *reader, const char *path,
                     uint64_t *ret)
{
    const char *text = memctx_reader_text(reader, path);
    return text != NULL && memctx_number_parse_signed(text, ret) ? 0 : -1;
}

const struct memctx_extent *
memctx_reader_extents(const struct memctx_reader *reader, size_t *count)
{
    return memctx_rammap_extents(reader->lease->map, count);
}

int
memctx_reader_fd(const struct memctx_reader *reader, unsigned backend)
{
    return backend < reader->lease->n_backends ? reader->lease->fds[backend]
                                               : -1;
}
