/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prints the table of facts, "PATH public|private VARIABLE|-" of each, for
 * tests/test_docs.sh to look for in the manual. Groups are no facts. */
#include <stdio.h>

#include "datum/facts.h"

static void
print_row(const char *list, const struct memctx_fact *fact, bool is_private)
{
    printf("%s%s%s %s %s\n", list, list[0] != '\0' ? "/" : "", fact->path,
           is_private ? "private" : "public",
           fact->variable != NULL ? fact->variable : "-");
}

int
main(void)
{
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        if (f->type == MEMCTX_FACT_GROUP)
            continue;
        print_row("", f, f->is_private);
        if (f->type != MEMCTX_FACT_LIST)
            continue;
        for (const struct memctx_fact *g = f->list->facts; g->path != NULL; g++)
            print_row(f->path, g, f->is_private);
    }
    return 0;
}
