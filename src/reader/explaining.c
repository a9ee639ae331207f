/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What of a guest src/explain tells at once: lists, symbols and figures.
 * Nothing is returned unless the kernel was the same before and after it. */
#include "reader/explaining.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/explain.h"
#include "explain/symbols.h"
#include "guest/linux/note.h"

void
explaining_destroy(struct explaining *explaining)
{
    if (explaining == NULL)
        return;
    memctx_rammap_destroy(explaining->map);
    free(explaining->note);
    free(explaining);
}

void
explaining_cleanup(struct explaining **explaining)
{
    explaining_destroy(*explaining);
}

int
explaining_create(struct memctx_reader *reader, struct explaining **ret,
                  struct memctx_error *err)
{
    MEMCTX_CLEANUP(explaining_cleanup)
    struct explaining *explaining = calloc(1, sizeof(*explaining));
    const struct memctx_kernel *kernel = &reader->lease->datum.kernel;
    size_t len = 0;
    if (explaining == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    explaining->reader = reader;
    explaining->renewals = reader->renewals;
    if (memctx_rammap_create_charged(reader->lease->map, &explaining->work,
                                     &explaining->map, err) < 0 ||
        (memctx_linux_has_note(kernel) &&
         memctx_reader_vmcoreinfo(reader, &explaining->note, &len, err) < 0))
        return -1;
    memctx_target_init(&explaining->target, explaining->map, kernel,
                       explaining->note, len);
    *ret = memctx_steal_ptr(&explaining);
    return 0;
}

int
explaining_check_linux(const struct explaining *explaining,
                       struct memctx_error *err)
{
    const struct memctx_kernel *kernel = explaining->target.kernel;
    return kernel->os == MEMCTX_OS_LINUX
               ? 0
               : memctx_error_set(err, MEMCTX_PERMANENT,
                                  "only a Linux tells that, and this is %s",
                                  kernel->version);
}

int
explaining_begin(struct explaining *explaining, uint64_t steps,
                 struct memctx_error *err)
{
    if (explaining->renewals != explaining->reader->renewals)
        return memctx_error_set(err, MEMCTX_STALE,
                                "the reader was renewed since then");
    memctx_work_begin(&explaining->work, steps, NULL, NULL);
    memctx_target_refresh(&explaining->target);
    return lease_begin(explaining->reader->lease, err);
}

int
explaining_end(const struct explaining *explaining, int result,
               const struct memctx_error *why, struct memctx_error *err)
{
    return lease_end(explaining->reader->lease, result, why, err);
}

/* ---- what is told at once ------------------------------------------------ */

/* Create, and begin. */
static int
open_once(struct memctx_reader *reader, bool of_linux, struct explaining **ret,
          struct memctx_error *err)
{
    MEMCTX_CLEANUP(explaining_cleanup) struct explaining *explaining = NULL;
    if (explaining_create(reader, &explaining, err) < 0 ||
        (of_linux && explaining_check_linux(explaining, err) < 0) ||
        explaining_begin(explaining, MEMCTX_EXPLAIN_STEPS, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&explaining);
    return 0;
}

int
memctx_reader_processes(struct memctx_reader *reader,
                        struct memctx_process_list **ret,
                        struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(explaining_cleanup) struct explaining *explaining = NULL;
    MEMCTX_CLEANUP(memctx_process_list_cleanup)
    struct memctx_process_list *list = NULL;
    if (open_once(reader, false, &explaining, err) < 0)
        return -1;
    int result = memctx_explain_processes(&explaining->target, &list, &why);
    if (explaining_end(explaining, result, &why, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&list);
    return 0;
}

int
memctx_reader_modules(struct memctx_reader *reader,
                      struct memctx_module_list **ret, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(explaining_cleanup) struct explaining *explaining = NULL;
    MEMCTX_CLEANUP(memctx_module_list_cleanup)
    struct memctx_module_list *list = NULL;
    if (open_once(reader, true, &explaining, err) < 0)
        return -1;
    int result = memctx_explain_modules(&explaining->target, &list, &why);
    if (explaining_end(explaining, result, &why, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&list);
    return 0;
}

int
memctx_reader_stat(struct memctx_reader *reader, struct memctx_stat **ret,
                   struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(explaining_cleanup) struct explaining *explaining = NULL;
    MEMCTX_CLEANUP(memctx_stat_cleanup) struct memctx_stat *stat = NULL;
    if (open_once(reader, true, &explaining, err) < 0)
        return -1;
    int result = memctx_explain_stat(&explaining->target, &stat, &why);
    if (explaining_end(explaining, result, &why, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&stat);
    return 0;
}

int
memctx_reader_symbols(struct memctx_reader *reader, struct memctx_symbols **ret,
                      struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(explaining_cleanup) struct explaining *explaining = NULL;
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *symbols = NULL;
    if (open_once(reader, true, &explaining, err) < 0)
        return -1;
    int result = memctx_explain_symbols(&explaining->target, &symbols, &why);
    if (explaining_end(explaining, result, &why, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&symbols);
    return 0;
}
