/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Makes JSON of records. */
#include "control/describe.h"

#include "base/cleanup.h"

/* A kernel that nobody has seen running is counted by nobody. */
static void
describe_kernel(json_object *d, const struct record *record)
{
    const struct memctx_datum *datum = &record->datum;
    uint64_t still_s = adapter_age_us(record->adapter) / 1000000;
    static const char *const lives[] = {
        [MEMCTX_LIVE_NO] = "no",
        [MEMCTX_LIVE_UNKNOWN] = "unknown",
    };
    if (datum->generation != 0)
        json_object_object_add(d, "generation",
                               json_object_new_int((int)datum->generation));
    if (datum->live != MEMCTX_LIVE_RUNS)
        json_object_object_add(d, "live",
                               json_object_new_string(lives[datum->live]));
    if (still_s != 0)
        json_object_object_add(d, "still",
                               json_object_new_int64((int64_t)still_s));
}

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
        describe_kernel(d, record);
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
