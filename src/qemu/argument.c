/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Numbers and names that are not as they should be end the parsing: a layout
 * that rests on a guess is worse than none. */
#include "qemu/argument.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

int
memctx_argument_size(const struct memctx_argument *a, const char *key,
                     uint64_t unit, uint64_t *ret, struct memctx_error *err)
{
    char text[32];
    if (!memctx_qemuopt_get(a->opt, key, text, sizeof(text)))
        return 0;
    if (!memctx_number_parse_size(text, unit, ret))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's %s is no size: '%.40s'",
                                key[0] != '\0' ? key : "-m", text);
    return 0;
}

int
memctx_argument_name(const struct memctx_argument *a, const char *key,
                     char to[MEMCTX_BACKEND_NAME_MAX], struct memctx_error *err)
{
    char text[512];
    text[0] = '\0';
    memctx_qemuopt_get(a->opt, key, text, sizeof(text));
    if (strlen(text) >= MEMCTX_BACKEND_NAME_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's %s is longer than %d bytes: '%.40s...'",
                                key, MEMCTX_BACKEND_NAME_MAX - 1, text);
    if (text[0] != '\0')
        memcpy(to, text, strlen(text) + 1);
    return 0;
}

void
memctx_argument_doubt(const struct memctx_argument *a, const char *option)
{
    char *doubt = a->args->memory.doubt;
    snprintf(doubt, sizeof(a->args->memory.doubt), "%s %.40s", option, a->text);
}
