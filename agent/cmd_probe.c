/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx probe: one cold bootstrap on a raw RAM file, without libvirt and
 * without the agent. */
#include "cmd.h"

#include <inttypes.h>

#include "bytes.h"
#include "cleanup.h"
#include "ram.h"
#include "search.h"

static void
cleanup_search(struct memctx_search **search)
{
    memctx_search_destroy(*search);
}

static enum exit_code
print_kernel(const struct options *options, const struct ram *ram,
             const struct memctx_search_result *result)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    if (memctx_datum_init(&datum, &result->kernels[0], ram->map, ram->low,
                          &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    datum.live = "unknown";
    datum.candidates = (unsigned)result->n_kernels;
    return cmd_print_datum(options, &datum);
}

static enum exit_code
not_found(const struct options *options,
          const struct memctx_search_result *result,
          const struct memctx_error *err)
{
    return cmd_fail(
        err->class == MEMCTX_RETRY ? EXIT_NOT_THERE : EXIT_ERROR,
        "%s: no kernel found: read %" PRIu64 " MiB in search of a "
        "Linux kernel's VMCOREINFO and a page table that it names: %s",
        options->ram, (result->bytes_read + MEMCTX_MIB - 1) / MEMCTX_MIB,
        err->message);
}

enum exit_code
cmd_probe(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    (void)words;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(ram_deinit) struct ram ram = {.map = NULL};
    MEMCTX_CLEANUP(cleanup_search) struct memctx_search *search = NULL;
    if (options->ram == NULL)
        return cmd_fail(EXIT_USAGE, "probe wants --ram FILE");
    if (ram_from_path(options->ram, "ram", options->low, &ram, &err) < 0 ||
        memctx_search_create(&search, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s: %s", options->ram, err.message);
    const struct memctx_search_request request = {.all = true};
    struct memctx_search_result result;
    if (memctx_search_try(search, ram.map, &request, &result, &err) < 0)
        return not_found(options, &result, &err);
    return print_kernel(options, &ram, &result);
}
