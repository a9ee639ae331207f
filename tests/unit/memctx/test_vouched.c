/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What stands in metadata beside what an agent answers: every way in which the
 * two can differ is told. */
#include "unit.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "memctx/vouched.h"

#define DATUM(generation, kcr3, live)                                   \
    "<memctx generation='" generation "'" live "><kcr3>" kcr3 "</kcr3>" \
    "<low>0x1000</low><paging>x86_64-4level</paging>"                   \
    "<guest os='linux' version='6.1'/><ram size='0x1000'>"              \
    "<extent gpa='0x0' size='0x1000' backend='ram' offset='0x0'/></ram></memctx>"
#define ONE DATUM("1", "0x1000", "")

/* Compare a datum in metadata with an answer. 0, and what is said; or -1. */
static int
compare(const char *metadata, const char *state, const char *datum, char *said,
        size_t size, struct memctx_error *err)
{
    struct memctx_domxml *facts = calloc(1, sizeof(*facts));
    json_object *answer = json_object_new_object();
    json_object *domain = json_object_new_object();
    facts->has_datum = metadata != NULL;
    if (metadata != NULL)
        assert_done(memctx_datum_from_xml(metadata, strlen(metadata),
                                          &facts->datum, err),
                    err);
    json_object_object_add(domain, "state", json_object_new_string(state));
    json_object_object_add(answer, "domain", domain);
    if (datum != NULL)
        json_object_object_add(answer, "datum", json_object_new_string(datum));
    int result = vouched_compare(facts, answer, said, size, err);
    json_object_put(answer);
    memctx_domxml_deinit(facts);
    free(facts);
    return result;
}

struct row {
    const char *metadata;
    const char *state;
    const char *datum; /* of the agent */
    const char *words;
};

static void
what_agrees_is_told(void **state)
{
    static const struct row rows[] = {
        {ONE, "ready", ONE, "generation 1, for which"},
        {NULL, "waiting", NULL, "there is none, and the domain is waiting"},
        {DATUM("3", "0x1000", " live='no'"), "silent",
         DATUM("3", "0x1000", " live='no'"), "generation 3"},
        /* A silent kernel that nobody saw run is counted by nobody. */
        {NULL, "silent", DATUM("0", "0x1000", " live='unknown'"),
         "there is none, and the domain is silent"},
        {ONE, "stale", NULL, "not compared: memctxd calls the domain stale"},
        {ONE, "unknown", NULL, "not compared"},
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        char said[256] = "";
        assert_done(compare(rows[i].metadata, rows[i].state, rows[i].datum,
                            said, sizeof(said), &err),
                    &err);
        if (strstr(said, rows[i].words) == NULL)
            fail_msg("row %zu: '%s' has no '%s'", i, said, rows[i].words);
    }
}

static void
what_differs_is_told(void **state)
{
    static const struct row rows[] = {
        {NULL, "ready", ONE, "generation 1, and the metadata have no datum; "},
        {ONE, "waiting", NULL, "have a datum of generation 1, and memctxd"},
        {DATUM("7", "0x1000", ""), "ready", ONE,
         "have generation 7, and memctxd vouches for 1; find out who"},
        {DATUM("1", "0x2000", ""), "ready", ONE, "is another than memctxd's"},
        /* Somebody took the attribute away. */
        {ONE, "silent", DATUM("1", "0x1000", " live='no'"),
         "is another than memctxd's"},
        {ONE, "silent", DATUM("0", "0x1000", " live='unknown'"),
         "memctxd vouches for none"},
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        char said[256] = "";
        if (compare(rows[i].metadata, rows[i].state, rows[i].datum, said,
                    sizeof(said), &err) == 0)
            fail_msg("row %zu agrees: %s", i, said);
        assert_error(&err, MEMCTX_PERMANENT, rows[i].words);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_agrees_is_told),
        cmocka_unit_test(what_differs_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
