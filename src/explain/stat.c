/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The figures of a guest by their keys. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/btfread.h"
#include "explain/explain.h"
#include "explain/tasks.h"

struct memctx_stat {
    struct memctx_figures figures;
    char kernel[MEMCTX_VERSION_MAX];
    bool has_processes;
    size_t n_processes;
    struct memctx_error untyped; /* why there are no types */
};

void
memctx_stat_free(struct memctx_stat *stat)
{
    free(stat);
}

void
memctx_stat_cleanup(struct memctx_stat **stat)
{
    memctx_stat_free(*stat);
}

const char *
memctx_stat_broken(const struct memctx_stat *stat)
{
    return stat->untyped.kind == MEMCTX_OK ? NULL : stat->untyped.message;
}

const struct memctx_figures *
memctx_stat_figures(const struct memctx_stat *stat)
{
    return &stat->figures;
}

bool
memctx_stat_processes(const struct memctx_stat *stat, size_t *n)
{
    *n = stat->n_processes;
    return stat->has_processes;
}

int
memctx_explain_stat(struct memctx_target *target, struct memctx_stat **ret,
                    struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_tasks_deinit)
    struct memctx_tasks tasks = MEMCTX_TASKS_INIT;
    struct memctx_stat *stat = calloc(1, sizeof(*stat));
    struct memctx_landmarks landmarks;
    struct memctx_btf *btf = NULL;
    if (stat == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    memcpy(stat->kernel, target->kernel->version, sizeof(stat->kernel));
    memctx_landmarks_read(target, &landmarks, NULL);
    if (memctx_btf_take(target, &landmarks, &btf, &stat->untyped) == 0)
        stat->has_processes =
            memctx_tasks_list(target, btf, &landmarks, &tasks, NULL) == 0;
    stat->n_processes = tasks.n;
    memctx_figures_read(target, btf, &landmarks, &tasks, &stat->figures);
    memctx_btf_destroy(btf);
    *ret = stat;
    return 0;
}

/* ---- keys ---------------------------------------------------------------- */

const char *
memctx_stat_text(const struct memctx_stat *stat, const char *key)
{
    const struct {
        const char *key;
        const char *text;
    } texts[] = {
        {"hostname", stat->figures.hostname},
        {"kernel", stat->kernel},
        {"command_line", stat->figures.command_line},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(texts); i++) {
        if (strcmp(key, texts[i].key) == 0)
            return texts[i].text[0] != '\0' ? texts[i].text : NULL;
    }
    return NULL;
}

/* What is no figure. */
static int
find_other(const struct memctx_stat *stat, const char *key, uint64_t *ret)
{
    const struct memctx_figures *figures = &stat->figures;
    const struct {
        const char *key;
        bool known;
        uint64_t value;
    } others[] = {
        {"panicked", figures->has_panicked, figures->panicked},
        {"oopsed", memctx_figures_has(figures, MEMCTX_FIGURE_TAINTED),
         figures->oopsed},
        {"processes", stat->has_processes, stat->n_processes},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(others); i++) {
        if (strcmp(key, others[i].key) != 0 || !others[i].known)
            continue;
        *ret = others[i].value;
        return 0;
    }
    return -1;
}

int
memctx_stat_number(const struct memctx_stat *stat, const char *key,
                   uint64_t *ret)
{
    for (unsigned i = 0; i < MEMCTX_FIGURES; i++) {
        if (!memctx_figures_has(&stat->figures, i) ||
            strcmp(key, memctx_figure_key(i)) != 0)
            continue;
        *ret = stat->figures.value[i];
        return 0;
    }
    return find_other(stat, key, ret);
}
