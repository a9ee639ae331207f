/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum as a value; how it is spelled stands elsewhere. */
#include "datum/datum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int
memctx_datum_init(struct memctx_datum *ret, const struct memctx_kernel *kernel,
                  const struct memctx_rammap *map, uint64_t low,
                  struct memctx_error *err)
{
    size_t n;
    const struct memctx_extent *from = memctx_rammap_extents(map, &n);
    struct memctx_datum datum = {
        .low = low, .kernel = *kernel, .ram_size = memctx_rammap_size(map)};
    datum.extents = calloc(n, sizeof(datum.extents[0]));
    if (datum.extents == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct memctx_datum_extent *to = &datum.extents[i];
        to->gpa = from[i].gpa;
        to->size = from[i].size;
        to->offset = from[i].offset;
        snprintf(to->backend, sizeof(to->backend), "%s",
                 memctx_rammap_backend_name(map, from[i].backend));
    }
    datum.n_extents = n;
    *ret = datum;
    return 0;
}

/* A copy of n elements; NULL for none, and when there is no memory. */
static void *
copy_array(const void *from, size_t n, size_t size)
{
    void *to = n > 0 ? calloc(n, size) : NULL;
    if (to != NULL)
        memcpy(to, from, n * size);
    return to;
}

int
memctx_datum_copy(struct memctx_datum *ret, const struct memctx_datum *from,
                  struct memctx_error *err)
{
    struct memctx_datum datum = *from;
    datum.extents =
        copy_array(from->extents, from->n_extents, sizeof(*from->extents));
    datum.processes = copy_array(from->processes, from->n_processes,
                                 sizeof(*from->processes));
    datum.others =
        copy_array(from->others, from->n_others, sizeof(*from->others));
    if ((datum.extents == NULL && from->n_extents > 0) ||
        (datum.processes == NULL && from->n_processes > 0) ||
        (datum.others == NULL && from->n_others > 0)) {
        memctx_datum_deinit(&datum);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    *ret = datum;
    return 0;
}

void
memctx_datum_deinit(struct memctx_datum *datum)
{
    free(datum->extents);
    free(datum->processes);
    free(datum->others);
    datum->extents = NULL;
    datum->n_extents = 0;
    datum->processes = NULL;
    datum->n_processes = 0;
    datum->others = NULL;
    datum->n_others = 0;
}

bool
memctx_datum_is_same_kernel(const struct memctx_datum *a,
                            const struct memctx_datum *b)
{
    const struct memctx_kernel *ka = &a->kernel;
    const struct memctx_kernel *kb = &b->kernel;
    return ka->kcr3 == kb->kcr3 && ka->paging == kb->paging &&
           ka->os == kb->os && strcmp(ka->version, kb->version) == 0 &&
           strcmp(ka->identity, kb->identity) == 0;
}

static bool
is_same_extent(const struct memctx_datum_extent *a,
               const struct memctx_datum_extent *b)
{
    return a->gpa == b->gpa && a->size == b->size && a->offset == b->offset &&
           strcmp(a->backend, b->backend) == 0;
}

bool
memctx_datum_is_equal(const struct memctx_datum *a,
                      const struct memctx_datum *b)
{
    if (!memctx_datum_is_same_kernel(a, b) || a->low != b->low ||
        a->ram_size != b->ram_size || a->n_extents != b->n_extents ||
        a->live != b->live)
        return false;
    for (size_t i = 0; i < a->n_extents; i++) {
        if (!is_same_extent(&a->extents[i], &b->extents[i]))
            return false;
    }
    return true;
}

/* A year of five digits does not fit, and leaves anything behind. */
static bool
print_time(int64_t seconds, char text[MEMCTX_DATUM_TIME_MAX])
{
    time_t time = (time_t)seconds;
    struct tm utc;
    return gmtime_r(&time, &utc) != NULL &&
           strftime(text, MEMCTX_DATUM_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) !=
               0;
}

void
memctx_datum_stamp(struct memctx_datum *datum, int64_t seconds)
{
    if (!print_time(seconds, datum->published))
        datum->published[0] = '\0';
}

bool
memctx_datum_windows_time(uint64_t time, char text[MEMCTX_DATUM_TIME_MAX])
{
    const int64_t from_1601_to_1970 = INT64_C(11644473600);
    return time != 0 &&
           print_time((int64_t)(time / 10000000) - from_1601_to_1970, text);
}
