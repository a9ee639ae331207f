/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum of a Windows guest: both spellings, what only probe prints, and
 * the schema. */
#include "unit.h"

#include <libxml/relaxng.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "datum/datum.h"
#include "guestimg.h"

static const char private_xml[] =
    "<memctx live=\"unknown\">\n"
    "  <kcr3>0x1ad000</kcr3>\n"
    "  <low>0x1000000</low>\n"
    "  <paging>x86_64-4level</paging>\n"
    "  <guest os=\"windows\" version=\"10.0.19045\" "
    "identity=\"ntkrnlmp.pdb/8B11040A5928757B11390AC78F6B6925/1\"/>\n"
    "  <ram size=\"0x1000000\">\n"
    "    <extent gpa=\"0x0\" size=\"0x1000000\" backend=\"ram\" "
    "offset=\"0x0\"/>\n"
    "  </ram>\n"
    "  <kernel base=\"0xfffff80312400000\" size=\"0x1046000\"/>\n"
    "  <windows system_eprocess=\"0xffffce849b2f1040\" "
    "system_time=\"2024-01-17T21:20:00Z\">\n"
    "    <offsets dtb=\"0x28\" pid=\"0x440\" links=\"0x448\"/>\n"
    "    <process pid=\"4\" name=\"System\" dtb=\"0x1ad000\" "
    "eprocess=\"0xffffce849b2f1040\"/>\n"
    "    <process pid=\"18446744073709551615\" name=\"a &lt;b&gt; c\" "
    "dtb=\"0x2ad000\" eprocess=\"0xffffce849b2f2040\"/>\n"
    "  </windows>\n"
    "  <evidence found=\"low-stub\" checks=\"kuser,system-process\" "
    "candidates=\"2\" chosen=\"latest-system-time\">\n"
    "    <other kcr3=\"0x1aa000\" paging=\"x86_64-4level\" os=\"windows\" "
    "version=\"10.0.19045\" "
    "identity=\"ntkrnlmp.pdb/8B11040A5928757B11390AC78F6B6925/1\" "
    "found=\"self-map\"/>\n"
    "  </evidence>\n"
    "</memctx>";

static const char json[] =
    "{\"live\":\"unknown\",\"kcr3\":\"0x1ad000\",\"low\":\"0x1000000\","
    "\"paging\":\"x86_64-4level\",\"guest\":{\"os\":\"windows\","
    "\"version\":\"10.0.19045\","
    "\"identity\":\"ntkrnlmp.pdb/8B11040A5928757B11390AC78F6B6925/1\"},"
    "\"ram\":{\"size\":\"0x1000000\",\"extents\":[{\"gpa\":\"0x0\","
    "\"size\":\"0x1000000\",\"backend\":\"ram\",\"offset\":\"0x0\"}]},"
    "\"kernel\":{\"base\":\"0xfffff80312400000\",\"size\":\"0x1046000\"},"
    "\"windows\":{\"system_eprocess\":\"0xffffce849b2f1040\","
    "\"system_time\":\"2024-01-17T21:20:00Z\","
    "\"offsets\":{\"dtb\":\"0x28\",\"pid\":\"0x440\",\"links\":\"0x448\"},"
    "\"processes\":[{\"pid\":4,\"name\":\"System\",\"dtb\":\"0x1ad000\","
    "\"eprocess\":\"0xffffce849b2f1040\"},"
    "{\"pid\":18446744073709551615,\"name\":\"a <b> c\","
    "\"dtb\":\"0x2ad000\",\"eprocess\":\"0xffffce849b2f2040\"}]},"
    "\"evidence\":{\"found\":\"low-stub\","
    "\"checks\":[\"kuser\",\"system-process\"],"
    "\"candidates\":2,\"chosen\":\"latest-system-time\",\"others\":["
    "{\"kcr3\":\"0x1aa000\",\"paging\":\"x86_64-4level\",\"os\":\"windows\","
    "\"version\":\"10.0.19045\","
    "\"identity\":\"ntkrnlmp.pdb/8B11040A5928757B11390AC78F6B6925/1\","
    "\"found\":\"self-map\"}]}}";

static const struct memctx_kernel sample_kernel = {
    .os = MEMCTX_OS_WINDOWS,
    .paging = MEMCTX_PAGING_X86_64_4LEVEL,
    .kcr3 = 0x1ad000,
    .version = "10.0.19045",
    .identity = "ntkrnlmp.pdb/8B11040A5928757B11390AC78F6B6925/1",
    .base_gva = UINT64_C(0xfffff80312400000),
    .size_bytes = 0x1046000,
    .found = "low-stub",
    .checks = "kuser,system-process",
    .first_process_gva = UINT64_C(0xffffce849b2f1040),
    .wall_clock = {.time = UINT64_C(133500000000000000)},
    .windows_facts = {.offsets = {.dtb = 0x28, .pid = 0x440, .links = 0x448}},
};

static const struct memctx_process processes[] = {
    {4, UINT64_C(0xffffce849b2f1040), 0x1ad000, "System"},
    {UINT64_MAX, UINT64_C(0xffffce849b2f2040), 0x2ad000, "a <b> c"},
};

static struct memctx_datum
sample(void)
{
    struct memctx_datum datum;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct guestimg img;
    guestimg_init(&img, 16 * MEMCTX_MIB, 16 * MEMCTX_MIB);
    struct memctx_rammap *map = guestimg_rammap(&img, NULL);
    assert_done(memctx_datum_init(&datum, &sample_kernel, map, img.low, &err),
                &err);
    memctx_rammap_destroy(map);
    guestimg_deinit(&img);
    datum.live = MEMCTX_LIVE_UNKNOWN;
    datum.candidates = 2;
    datum.chosen = MEMCTX_CHOICE_LATEST_TIME;
    datum.processes = malloc(sizeof(processes));
    memcpy(datum.processes, processes, sizeof(processes));
    datum.n_processes = MEMCTX_ARRAY_LEN(processes);
    datum.others = malloc(sizeof(datum.others[0]));
    datum.others[0] = sample_kernel;
    datum.others[0].kcr3 = 0x1aa000;
    datum.others[0].wall_clock.time = 0;
    strcpy(datum.others[0].found, "self-map");
    datum.n_others = 1;
    return datum;
}

static bool
is_valid(const char *xml)
{
    const char *srcdir = getenv("MEMCTX_SRCDIR");
    char path[512];
    snprintf(path, sizeof(path), "%s/src/memctx.rng",
             srcdir != NULL ? srcdir : ".");
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(path);
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    assert_non_null(schema);
    xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema);
    xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, 0);
    bool valid = xmlRelaxNGValidateDoc(context, doc) == 0;
    xmlFreeDoc(doc);
    xmlRelaxNGFreeValidCtxt(context);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
    return valid;
}

static void
test_private_xml(void **state)
{
    struct memctx_datum datum = sample();
    char *xml;
    (void)state;
    assert_done(memctx_datum_to_xml(&datum, MEMCTX_PRIVATE, &xml, NULL), NULL);
    assert_string_equal(xml, private_xml);
    assert_true(is_valid(xml));
    free(xml);
    memctx_datum_deinit(&datum);
}

static void
test_public_xml_holds_no_virtual_address(void **state)
{
    struct memctx_datum datum = sample();
    char *xml;
    (void)state;
    assert_done(memctx_datum_to_xml(&datum, MEMCTX_PUBLIC, &xml, NULL), NULL);
    assert_true(is_valid(xml));
    assert_null(strstr(xml, "0xffff"));
    assert_null(strstr(xml, "<windows"));
    assert_non_null(strstr(xml, "identity=\"ntkrnlmp.pdb/"));
    free(xml);
    memctx_datum_deinit(&datum);
}

static void
test_json(void **state)
{
    struct memctx_datum datum = sample();
    char *text;
    (void)state;
    assert_done(memctx_datum_to_json(&datum, &text, NULL), NULL);
    assert_string_equal(text, json);
    free(text);
    memctx_datum_deinit(&datum);
}

static void
test_facts_are_read_back(void **state)
{
    struct memctx_datum datum;
    (void)state;
    assert_done(memctx_datum_from_xml(private_xml, sizeof(private_xml) - 1,
                                      &datum, NULL),
                NULL);
    const struct memctx_windows_facts *facts = &datum.kernel.windows_facts;
    assert_int_equal(datum.kernel.os, MEMCTX_OS_WINDOWS);
    assert_true(datum.kernel.first_process_gva == UINT64_C(0xffffce849b2f1040));
    assert_int_equal(facts->offsets.dtb, 0x28);
    assert_int_equal(facts->offsets.pid, 0x440);
    assert_int_equal(facts->offsets.links, 0x448);
    assert_int_equal(facts->offsets.image_name, 0);
    memctx_datum_deinit(&datum);
}

static void
test_copy_is_a_copy(void **state)
{
    struct memctx_datum datum = sample();
    struct memctx_datum copy;
    char *xml;
    (void)state;
    assert_done(memctx_datum_copy(&copy, &datum, NULL), NULL);
    memset(datum.processes, 0, sizeof(processes));
    datum.others[0].kcr3 = 7;
    memctx_datum_deinit(&datum);
    assert_done(memctx_datum_to_xml(&copy, MEMCTX_PRIVATE, &xml, NULL), NULL);
    assert_string_equal(xml, private_xml);
    free(xml);
    memctx_datum_deinit(&copy);
}

static void
test_times_of_windows(void **state)
{
    char text[MEMCTX_DATUM_TIME_MAX];
    (void)state;
    assert_true(memctx_datum_windows_time(UINT64_C(116444736000000000), text));
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    assert_false(memctx_datum_windows_time(0, text));
    assert_false(memctx_datum_windows_time(UINT64_MAX, text));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private_xml),
        cmocka_unit_test(test_public_xml_holds_no_virtual_address),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_facts_are_read_back),
        cmocka_unit_test(test_copy_is_a_copy),
        cmocka_unit_test(test_times_of_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
