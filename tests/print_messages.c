/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prints the kinds of lines of agent/common/logkind.c, one a line: id and
 * help with a tab between, for tests/test_docs.sh to look for in the manual. */
#include <stdio.h>

#include "common/logkind.h"

int
main(void)
{
    for (unsigned i = LOG_NO_KIND + 1; i < LOG_KINDS; i++) {
        const struct log_kind_row *row = log_kind_row((enum log_kind)i);
        if (row == NULL)
            return 1;
        printf("%s\t%s\n", row->id, row->help);
    }
    return 0;
}
