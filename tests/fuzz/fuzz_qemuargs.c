/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* QEMU's arguments: any local user can start a process with any. A newline in
 * the input stands for the NUL between two, so that the corpus is text. */
#include "fuzz.h"

#include <string.h>

#include "base/bytes.h"
#include "qemu/layout.h"
#include "qemu/cmdline.h"

/* A layout, or a reason why there is none; sorted, without overlap. */
static void
check_layout(const struct memctx_memconf *conf)
{
    static struct memctx_layout l;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (memctx_layout_compute(conf, MEMCTX_LAYOUT_LIKELIEST, &l, &err) < 0) {
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT);
        return;
    }
    for (size_t i = 0; i < l.n_extents; i++) {
        const struct memctx_extent *e = &l.extents[i];
        FUZZ_MUST(e->size > 0 && e->backend < l.n_backends);
        FUZZ_MUST(memctx_range_in(e->offset, e->size, 0,
                                  l.backends[e->backend].size));
        FUZZ_MUST(i == 0 || e[-1].gpa + e[-1].size <= e->gpa);
    }
}

static void
check(const struct memctx_qemuargs *found)
{
    FUZZ_MUST(strlen(found->uuid) < sizeof(found->uuid));
    FUZZ_MUST(strlen(found->memory.machine) < sizeof(found->memory.machine));
    for (size_t i = 0; i < found->n_backends && i < MEMCTX_BACKEND_ARGS_MAX;
         i++)
        FUZZ_MUST(strlen(found->backends[i].id) < MEMCTX_BACKEND_NAME_MAX);
}

/* Every file of options is what the arguments are. */
static bool
read_config(const char *path, char *to, size_t size, void *arg)
{
    const char *text = arg;
    (void)path;
    if (strlen(text) >= size)
        return false;
    strcpy(to, text);
    return true;
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static struct memctx_qemuargs found;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *args = malloc(size > 0 ? size : 1);
    char *text = calloc(1, size + 1);
    FUZZ_MUST(args != NULL && text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    for (size_t i = 0; i < size; i++)
        args[i] = data[i] == '\n' ? '\0' : (char)data[i];
    if (memctx_cmdline_parse_all(args, size, read_config, text, &found, &err) ==
        0) {
        check(&found);
        check_layout(&found.memory);
    } else
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT);
    free(text);
    free(args);
}
