/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum: what decodes must encode to something that decodes to the same,
 * and to JSON that is JSON. */
#include "fuzz.h"

#include <json-c/json.h>
#include <string.h>

#include "datum/datum.h"

static void
check_json(const struct memctx_datum *datum)
{
    char *text;
    FUZZ_MUST(memctx_datum_to_json(datum, &text, NULL) == 0);
    json_object *object = json_tokener_parse(text);
    FUZZ_MUST(object != NULL && json_object_is_type(object, json_type_object));
    json_object_put(object);
    free(text);
}

static void
check_round_trip(const struct memctx_datum *datum,
                 enum memctx_audience audience)
{
    struct memctx_datum again;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *xml;
    char *xml_again;
    FUZZ_MUST(memctx_datum_to_xml(datum, audience, &xml, &err) == 0);
    FUZZ_MUST(memctx_datum_from_xml(xml, strlen(xml), &again, &err) == 0);
    FUZZ_MUST(memctx_datum_is_equal(datum, &again));
    FUZZ_MUST(memctx_datum_to_xml(&again, audience, &xml_again, &err) == 0);
    FUZZ_MUST(strcmp(xml, xml_again) == 0);
    memctx_datum_deinit(&again);
    free(xml_again);
    free(xml);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct memctx_datum datum;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (memctx_datum_from_xml((const char *)data, size, &datum, &err) < 0) {
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT && err.message[0] != '\0');
        return;
    }
    check_round_trip(&datum, MEMCTX_PUBLIC);
    check_round_trip(&datum, MEMCTX_PRIVATE);
    check_json(&datum);
    memctx_datum_deinit(&datum);
}
