/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx probe: one cold bootstrap on a raw RAM file, without libvirt and
 * without the agent. */
#include "memctx/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "backing/ram.h"
#include "search/guests.h"
#include "search/search.h"

#define PROCESSES_MAX 16384

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
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    for (size_t i = 0; i < result->n_kernels; i++) {
        if (i != chosen)
            datum->others[datum->n_others++] = result->kernels[i];
    }
    datum->chosen = datum->kernel.wall_clock.time != 0 ? "latest-system-time"
                                                       : "first-found";
    return 0;
}

/* A list that is broken is shown as far as it goes: a dump is taken at any
 * moment. */
static int
add_processes(struct memctx_datum *datum, const struct ram *ram,
              struct memctx_error *err)
{
    datum->processes = calloc(PROCESSES_MAX, sizeof(datum->processes[0]));
    if (datum->processes == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    if (memctx_guests[datum->kernel.os]->processes(
            ram->map, &datum->kernel, datum->processes, PROCESSES_MAX,
            &datum->n_processes, err) < 0)
        fprintf(stderr, "warning: the process list is not complete: %s\n",
                err->message);
    return 0;
}

static enum exit_code
make_datum(const struct options *options, const struct ram *ram,
           const struct memctx_search_result *result, struct memctx_datum *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    size_t chosen = memctx_search_latest(result);
    const struct memctx_kernel *kernel = &result->kernels[chosen];
    if (options->processes && memctx_guests[kernel->os]->processes == NULL)
        return cmd_fail(EXIT_ERROR,
                        "%s: --processes lists those of Windows, and this is "
                        "%s %s",
                        options->ram, memctx_os_name(kernel->os),
                        kernel->version);
    if (memctx_datum_init(&datum, kernel, ram->map, ram->low, &err) < 0 ||
        add_others(&datum, result, chosen, &err) < 0 ||
        (options->processes && add_processes(&datum, ram, &err) < 0))
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    datum.live = "unknown";
    datum.candidates = (unsigned)result->n_kernels;
    *ret = datum;
    datum = (struct memctx_datum){.low = 0};
    return EXIT_DONE;
}

static enum exit_code
not_found(const struct options *options,
          const struct memctx_search_result *result,
          const struct memctx_error *err)
{
    if (err->kind != MEMCTX_RETRY)
        return cmd_fail(EXIT_ERROR, "%s: %s", options->ram, err->message);
    return cmd_fail(EXIT_NOT_THERE,
                    "%s: no kernel found in %" PRIu64 " MiB: %s", options->ram,
                    (result->bytes_read + MEMCTX_MIB - 1) / MEMCTX_MIB,
                    err->message);
}

static int
look(const struct ram *ram, struct memctx_search_result *result,
     struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_search) struct memctx_search *search = NULL;
    const struct memctx_search_request request = {.all = true};
    if (memctx_search_create(&search, err) < 0)
        return -1;
    return memctx_search_try(search, ram->map, &request, result, err);
}

/* A raw file does not say where its RAM begins. It is taken to be at 0 unless a
 * kernel for another machine is seen there. */
static bool
begins_elsewhere(const struct ram *ram,
                 const struct memctx_search_result *result)
{
    return result->ram_gpa != 0 && ram->low == memctx_rammap_size(ram->map);
}

enum exit_code
cmd_probe_file(const struct options *options, struct ram *ram,
               struct memctx_datum *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (ram_from_path(options->ram, "ram", options->low, ram, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s: %s", options->ram, err.message);
    struct memctx_search_result result = {.n_kernels = 0};
    int failed = look(ram, &result, &err);
    if (failed < 0 && err.kind == MEMCTX_RETRY &&
        begins_elsewhere(ram, &result)) {
        ram_deinit(ram);
        if (ram_from_path_at(options->ram, "ram", result.ram_gpa, ram, &err) <
            0)
            return cmd_fail(EXIT_ERROR, "%s: %s", options->ram, err.message);
        failed = look(ram, &result, &err);
    }
    if (failed < 0)
        return not_found(options, &result, &err);
    return make_datum(options, ram, &result, ret);
}

enum exit_code
cmd_probe(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    (void)words;
    MEMCTX_CLEANUP(ram_deinit) struct ram ram = {.map = NULL};
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    if (options->ram == NULL)
        return cmd_fail(EXIT_USAGE, "probe wants --ram FILE");
    if (options->export != NULL)
        return cmd_export_file(options);
    enum exit_code code = cmd_probe_file(options, &ram, &datum);
    return code != EXIT_DONE ? code : cmd_print_datum(options, &datum);
}
