/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prints the metrics of agent/control/measures.c, one a line: name of the
 * samples, type, labels and help with tabs between, for tests/test_docs.sh to
 * look for in the manual. */
#include <stdio.h>

#include "control/measures.h"

int
main(void)
{
    static const char *const types[] = {"gauge", "counter", "info"};
    static const char *const suffixes[] = {"", "_total", "_info"};
    const struct exposition_family *f;
    for (size_t i = 0; (f = measures_family(i)) != NULL; i++)
        printf("%s%s\t%s\t%s\t%s\n", f->name, suffixes[f->type], types[f->type],
               measures_labels(i), f->help);
    return 0;
}
