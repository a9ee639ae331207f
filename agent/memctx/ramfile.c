/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One cold bootstrap on a file with RAM. */
#include "memctx/ramfile.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "memctx/command.h"
#include "search/layouts.h"
#include "search/search.h"

static void
cleanup_map(struct memctx_rammap **map)
{
    memctx_rammap_destroy(*map);
}

static void
cleanup_search(struct memctx_search **search)
{
    memctx_search_destroy(*search);
}

/* Keep the kernels that are not the answer, and say why this one is. */
static int
add_others(struct memctx_datum *datum,
           const struct memctx_search_result *result, size_t chosen,
           struct memctx_error *err)
{
    if (result->n_kernels < 2)
        return 0;
    datum->others = calloc(result->n_kernels, sizeof(datum->others[0]));
    if (datum->others == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (size_t i = 0; i < result->n_kernels; i++) {
        if (i != chosen)
            datum->others[datum->n_others++] = result->kernels[i];
    }
    datum->chosen = datum->kernel.wall_clock.time != 0
                        ? MEMCTX_CHOICE_LATEST_TIME
                        : MEMCTX_CHOICE_FIRST;
    return 0;
}

static enum exit_code
make_datum(const struct ram *ram, const struct memctx_search_result *result,
           struct memctx_datum *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    size_t chosen = memctx_search_latest(result);
    const struct memctx_kernel *kernel = &result->kernels[chosen];
    if (memctx_datum_init(&datum, kernel, ram->map, ram->low, &err) < 0 ||
        add_others(&datum, result, chosen, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    datum.seen = MEMCTX_SEEN_UNKNOWN;
    datum.candidates = (unsigned)result->n_kernels;
    *ret = datum;
    datum = (struct memctx_datum){.low = 0};
    return EXIT_DONE;
}

static enum exit_code
not_found(const char *path, const struct memctx_search_result *result,
          const struct memctx_error *err)
{
    if (err->kind != MEMCTX_RETRY)
        return command_fail(EXIT_ERROR, "%s: %s", path, err->message);
    return command_fail(
        EXIT_NOT_THERE, "%s: no kernel found in %" PRIu64 " MiB: %s", path,
        (result->bytes_read + MEMCTX_MIB - 1) / MEMCTX_MIB, err->message);
}

static int
look(const struct ram *ram, struct memctx_search_result *result,
     struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_search) struct memctx_search *search = NULL;
    MEMCTX_CLEANUP(cleanup_map) struct memctx_rammap *charged = NULL;
    const struct memctx_search_request request = {.all = true};
    struct memctx_work work;
    memctx_work_begin(&work,
                      memctx_layouts_steps(memctx_rammap_size(ram->map), true),
                      NULL, NULL);
    if (memctx_search_create(&search, err) < 0 ||
        memctx_rammap_create_charged(ram->map, &work, &charged, err) < 0)
        return -1;
    return memctx_search_try(search, charged, &request, result, err);
}

/* A raw file does not say where its RAM begins. It is taken to be at 0 unless a
 * kernel for another machine is seen there. */
static bool
begins_elsewhere(const struct ram *ram,
                 const struct memctx_search_result *result)
{
    return result->ram_gpa != 0 && ram->other != NULL;
}

/* Look once more with the RAM where the kernel that was seen has it. */
static int
look_there(struct ram *ram, struct memctx_search_result *result,
           struct memctx_error *err)
{
    const struct memctx_extent all = {
        .gpa = result->ram_gpa,
        .size = memctx_rammap_size(ram->map),
    };
    struct memctx_rammap *map = ram->other;
    if (memctx_rammap_add_extent(map, &all, err) < 0)
        return -1;
    ram->other = ram->map;
    ram->map = map;
    return look(ram, result, err);
}

/* RAM in one piece may be found to begin elsewhere. Then nothing can be opened
 * any more, so a map for that is made now. */
static int
open_ram(const char *path, uint64_t low, struct ram *ret,
         struct memctx_error *err)
{
    if (ram_from_path(path, "ram", low, ret, err) < 0)
        return -1;
    if (ret->low != memctx_rammap_size(ret->map))
        return 0;
    return memctx_rammap_create_beside(ret->map, &ret->other, err);
}

enum exit_code
ramfile_open(const char *path, uint64_t low, struct ram *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (open_ram(path, low, ret, &err) < 0)
        return command_fail(EXIT_ERROR, "%s: %s", path, err.message);
    return EXIT_DONE;
}

enum exit_code
ramfile_probe(const char *path, struct ram *ram, struct memctx_datum *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_search_result result = {.n_kernels = 0};
    int failed = look(ram, &result, &err);
    if (failed < 0 && err.kind == MEMCTX_RETRY &&
        begins_elsewhere(ram, &result))
        failed = look_there(ram, &result, &err);
    if (failed < 0)
        return not_found(path, &result, &err);
    return make_datum(ram, &result, ret);
}
