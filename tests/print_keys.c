/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prints the configuration keys of agent/config/settings.c, one a line: name,
 * minimum, maximum (both "-" but for a number), default and help, with tabs
 * between; tests/test_docs.sh compares them with what is written. */
#include <inttypes.h>
#include <stdio.h>

#include "config/settings.h"

int
main(void)
{
    size_t count;
    const struct settings_key *keys = settings_keys(&count);
    for (size_t i = 0; i < count; i++) {
        const struct settings_key *key = &keys[i];
        if (key->type == SETTINGS_NUMBER)
            printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s\n", key->name,
                   key->min, key->max, key->default_value, key->help);
        else
            printf("%s\t-\t-\t%s\t%s\n", key->name, key->default_value,
                   key->help);
    }
    return 0;
}
