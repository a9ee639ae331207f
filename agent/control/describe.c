/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Makes JSON of records. */
#include "control/describe.h"

#include "base/cleanup.h"

json_object *
describe_domain(const struct record *record)
{
    json_object *d = json_object_new_object();
    json_object_object_add(d, "name", json_object_new_string(record->name));
    json_object_object_add(d, "uuid", json_object_new_string(record->uuid));
    json_object_object_add(d, "id", json_object_new_int(record->id));
    json_object_object_add(
        d, "state",
        json_object_new_string(memctx_state_name(record_state(record))));
    if (record_reason(record)[0] != '\0')
        json_object_object_add(d, "reason",
                               json_object_new_string(record_reason(record)));
    if (record->has_datum)
        json_object_object_add(
            d, "generation",
            json_object_new_int((int)record->datum.generation));
    return d;
}

static bool
has_shown(const struct record *record, bool takes_silent)
{
    enum memctx_state state = record_state(record);
    return record->has_datum &&
           (state == MEMCTX_STATE_READY ||
            (takes_silent && state == MEMCTX_STATE_SILENT));
}

json_object *
describe_with_datum(const struct record *record, bool takes_silent)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *xml = NULL;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "domain", describe_domain(record));
    if (has_shown(record, takes_silent) &&
        memctx_datum_to_xml(&record->datum, MEMCTX_PRIVATE, &xml, NULL) == 0)
        json_object_object_add(object, "datum", json_object_new_string(xml));
    return object;
}
