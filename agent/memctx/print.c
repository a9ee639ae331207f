/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prints data and domains. */
#include "memctx/print.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "memctx/command.h"

void
print_json(json_object *object)
{
    puts(json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void
print_member(json_object *object)
{
    fputs(json_object_to_json_string_ext(
              object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
          stdout);
}

enum exit_code
print_datum(const struct memctx_datum *datum, bool as_json)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    int failed = as_json
                     ? memctx_datum_to_json(datum, &text, &err)
                     : memctx_datum_to_xml(datum, MEMCTX_PRIVATE, &text, &err);
    if (failed < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    puts(text);
    return EXIT_DONE;
}
