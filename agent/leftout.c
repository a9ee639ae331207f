/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An array: there are as many as domains of one host. */
#include "leftout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
leftout_deinit(struct leftout *l)
{
    free(l->uuids);
    *l = (struct leftout){.n = 0};
}

static size_t
find(const struct leftout *l, const char *uuid)
{
    size_t i = 0;
    while (i < l->n && strcmp(l->uuids[i], uuid) != 0)
        i++;
    return i;
}

bool
leftout_has(const struct leftout *l, const char *uuid)
{
    return find(l, uuid) < l->n;
}

void
leftout_add(struct leftout *l, const char *uuid)
{
    if (leftout_has(l, uuid))
        return;
    void *more = realloc(l->uuids, (l->n + 1) * sizeof(l->uuids[0]));
    if (more == NULL)
        return;
    l->uuids = more;
    snprintf(l->uuids[l->n++], sizeof(l->uuids[0]), "%s", uuid);
}

bool
leftout_remove(struct leftout *l, const char *uuid)
{
    size_t i = find(l, uuid);
    if (i == l->n)
        return false;
    l->n--;
    memmove(l->uuids[i], l->uuids[l->n], sizeof(l->uuids[0]));
    return true;
}
