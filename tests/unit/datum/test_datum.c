/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum and its spellings. Every XML that is produced here is validated
 * against src/memctx.rng. */
#include "unit.h"

#include <libxml/relaxng.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "datum/datum.h"
#include "guestimg.h"

#define BUILD_ID "b0d2a7c9e1f3450617283940a1b2c3d4e5f60718"

#define EXTENTS                                                                \
    "  <ram size=\"0x200000000\">\n"                                           \
    "    <extent gpa=\"0x0\" size=\"0x80000000\" backend=\"pc.ram\" "          \
    "offset=\"0x0\"/>\n"                                                       \
    "    <extent gpa=\"0x100000000\" size=\"0x180000000\" backend=\"pc.ram\" " \
    "offset=\"0x80000000\"/>\n"                                                \
    "  </ram>\n"

static const char public_xml[] =
    "<memctx generation=\"2\" published=\"2026-11-22T13:40:00Z\">\n"
    "  <kcr3>0x6800000</kcr3>\n"
    "  <low>0x80000000</low>\n"
    "  <paging>x86_64-4level</paging>\n"
    "  <guest os=\"linux\" version=\"6.1.0-13-amd64\" identity=\"" BUILD_ID
    "\"/>\n" EXTENTS
    "  <evidence found=\"vmcoreinfo-note\" checks=\"self-map,uts\" "
    "attempts=\"7\" seen=\"running\" candidates=\"1\"/>\n"
    "</memctx>";

static const char private_xml[] =
    "<memctx generation=\"2\" published=\"2026-11-22T13:40:00Z\">\n"
    "  <kcr3>0x6800000</kcr3>\n"
    "  <low>0x80000000</low>\n"
    "  <paging>x86_64-4level</paging>\n"
    "  <guest os=\"linux\" version=\"6.1.0-13-amd64\" identity=\"" BUILD_ID
    "\"/>\n" EXTENTS
    "  <kernel base=\"0xffffffff99a00000\" size=\"0xc00000\"/>\n"
    "  <linux kaslr_offset=\"0x18a00000\" phys_base=\"-0x27200000\">\n"
    "    <vmcoreinfo gpa=\"0x39424000\" size=\"2921\"/>\n"
    "  </linux>\n"
    "  <evidence found=\"vmcoreinfo-note\" checks=\"self-map,uts\" "
    "attempts=\"7\" seen=\"running\" candidates=\"1\"/>\n"
    "</memctx>";

static const char json[] =
    "{\"generation\":2,\"published\":\"2026-11-22T13:40:00Z\","
    "\"kcr3\":\"0x6800000\",\"low\":\"0x80000000\","
    "\"paging\":\"x86_64-4level\","
    "\"guest\":{\"os\":\"linux\",\"version\":\"6.1.0-13-amd64\","
    "\"identity\":\"" BUILD_ID "\"},"
    "\"ram\":{\"size\":\"0x200000000\",\"extents\":["
    "{\"gpa\":\"0x0\",\"size\":\"0x80000000\",\"backend\":\"pc.ram\","
    "\"offset\":\"0x0\"},"
    "{\"gpa\":\"0x100000000\",\"size\":\"0x180000000\","
    "\"backend\":\"pc.ram\",\"offset\":\"0x80000000\"}]},"
    "\"kernel\":{\"base\":\"0xffffffff99a00000\",\"size\":\"0xc00000\"},"
    "\"linux\":{\"kaslr_offset\":\"0x18a00000\","
    "\"phys_base\":\"-0x27200000\","
    "\"vmcoreinfo\":{\"gpa\":\"0x39424000\",\"size\":2921}},"
    "\"evidence\":{\"found\":\"vmcoreinfo-note\","
    "\"checks\":[\"self-map\",\"uts\"],\"attempts\":7,\"seen\":\"running\","
    "\"candidates\":1}}";

static const struct memctx_kernel sample_kernel = {
    .os = MEMCTX_OS_LINUX,
    .paging = MEMCTX_PAGING_X86_64_4LEVEL,
    .kcr3 = 0x6800000,
    .version = "6.1.0-13-amd64",
    .identity = BUILD_ID,
    .base_gva = UINT64_C(0xffffffff99a00000),
    .size_bytes = 0xc00000,
    .clue_gpa = 0x39424000,
    .found = "vmcoreinfo-note",
    .checks = "self-map,uts",
    .linux_facts = {.has_kaslr_offset = true,
                    .kaslr_offset = 0x18a00000,
                    .has_phys_base = true,
                    .phys_base = -0x27200000,
                    .vmcoreinfo_gpa = 0x39424000,
                    .vmcoreinfo_size = 2921},
};

/* The datum of the texts above, from a RAM map. */
static struct memctx_datum
sample(void)
{
    struct memctx_datum datum;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map;
    struct guestimg img;
    unsigned index;
    guestimg_init(&img, 8 * MEMCTX_GIB, 2 * MEMCTX_GIB);
    assert_done(memctx_rammap_create(&map, &err), &err);
    assert_done(memctx_rammap_add_backend(map, "pc.ram", guestimg_open(&img),
                                          NULL, &index, &err),
                &err);
    struct memctx_extent low = {0, 2 * MEMCTX_GIB, 0, 0};
    struct memctx_extent high = {4 * MEMCTX_GIB, 6 * MEMCTX_GIB, img.low, 0};
    assert_done(memctx_rammap_add_extent(map, &high, &err), &err);
    assert_done(memctx_rammap_add_extent(map, &low, &err), &err);
    assert_done(memctx_datum_init(&datum, &sample_kernel, map, img.low, &err),
                &err);
    memctx_rammap_destroy(map);
    guestimg_deinit(&img);
    datum.generation = 2;
    datum.attempts = 7;
    datum.candidates = 1;
    datum.seen = MEMCTX_SEEN_RUNNING;
    memctx_datum_stamp(&datum, 1795354800);
    return datum;
}

/* What is not valid is shown by who asked. */
static void
ignore_error(void *data, xmlErrorPtr error)
{
    (void)data;
    (void)error;
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
    if (schema == NULL)
        fail_msg("%s is no schema; is MEMCTX_SRCDIR set?", path);
    xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema);
    xmlRelaxNGSetValidStructuredErrors(context, ignore_error, NULL);
    xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, 0);
    assert_non_null(doc);
    bool valid = xmlRelaxNGValidateDoc(context, doc) == 0;
    xmlFreeDoc(doc);
    xmlRelaxNGFreeValidCtxt(context);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
    return valid;
}

/* Encode, validate; the caller frees. */
static char *
encode(const struct memctx_datum *datum, enum memctx_audience audience)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *xml;
    assert_done(memctx_datum_to_xml(datum, audience, &xml, &err), &err);
    if (!is_valid(xml))
        fail_msg("not valid:\n%s", xml);
    return xml;
}

static struct memctx_datum
decode(const char *xml)
{
    struct memctx_datum datum;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_datum_from_xml(xml, strlen(xml), &datum, &err), &err);
    return datum;
}

static void
refuse(const char *xml, const char *words)
{
    struct memctx_datum datum = {.generation = 77};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(memctx_datum_from_xml(xml, strlen(xml), &datum, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(datum.generation, 77);
}

/* A copy of private_xml with `from` replaced by `to`; the caller frees. */
static char *
replaced(const char *from, const char *to)
{
    const char *at = strstr(private_xml, from);
    assert_non_null(at);
    char *text = test_malloc(sizeof(private_xml) + strlen(to));
    sprintf(text, "%.*s%s%s", (int)(at - private_xml), private_xml, to,
            at + strlen(from));
    return text;
}

static void
refuse_replaced(const char *from, const char *to, const char *words)
{
    char *text = replaced(from, to);
    refuse(text, words);
    test_free(text);
}

static struct memctx_datum
decode_replaced(const char *from, const char *to)
{
    char *text = replaced(from, to);
    struct memctx_datum datum = decode(text);
    test_free(text);
    return datum;
}

static void
test_public_xml(void **state)
{
    struct memctx_datum datum = sample();
    char *xml = encode(&datum, MEMCTX_PUBLIC);
    (void)state;
    assert_string_equal(xml, public_xml);
    free(xml);
    memctx_datum_deinit(&datum);
}

static void
test_private_xml(void **state)
{
    struct memctx_datum datum = sample();
    char *xml = encode(&datum, MEMCTX_PRIVATE);
    (void)state;
    assert_string_equal(xml, private_xml);
    free(xml);
    memctx_datum_deinit(&datum);
}

/* Every local user reads domain metadata: a kernel address would give away
 * the guest's KASLR, and so would phys_base. */
static void
test_public_xml_holds_no_virtual_address(void **state)
{
    static const char *const secrets[] = {"ffffffff", "18a00000", "27200000",
                                          "39424000", "kernel",   "kaslr",
                                          "phys_base"};
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(secrets); i++) {
        assert_null(strstr(public_xml, secrets[i]));
        assert_non_null(strstr(private_xml, secrets[i]));
    }
}

static void
test_json(void **state)
{
    struct memctx_datum datum = sample();
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *text;
    (void)state;
    assert_done(memctx_datum_to_json(&datum, &text, &err), &err);
    assert_string_equal(text, json);
    free(text);
    memctx_datum_deinit(&datum);
}

static void
test_private_xml_decodes_to_the_same(void **state)
{
    struct memctx_datum datum = decode(private_xml);
    char *xml = encode(&datum, MEMCTX_PRIVATE);
    (void)state;
    assert_string_equal(xml, private_xml);
    assert_int_equal(datum.kernel.linux_facts.phys_base, -0x27200000);
    assert_true(datum.kernel.base_gva == sample_kernel.base_gva);
    free(xml);
    memctx_datum_deinit(&datum);
}

static void
test_public_xml_decodes_to_the_same(void **state)
{
    struct memctx_datum wanted = sample();
    struct memctx_datum datum = decode(public_xml);
    char *xml = encode(&datum, MEMCTX_PUBLIC);
    (void)state;
    assert_string_equal(xml, public_xml);
    assert_true(memctx_datum_is_equal(&datum, &wanted));
    free(xml);
    memctx_datum_deinit(&datum);
    memctx_datum_deinit(&wanted);
}

/* A thing not known is absent, never zero. */
static void
test_what_the_public_xml_left_out_stays_absent(void **state)
{
    struct memctx_datum datum = decode(public_xml);
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *xml;
    char *text;
    (void)state;
    assert_done(memctx_datum_to_json(&datum, &text, &err), &err);
    assert_null(strstr(text, "\"kernel\""));
    assert_null(strstr(text, "\"linux\":"));
    free(text);
    assert_done(memctx_datum_to_xml(&datum, MEMCTX_PRIVATE, &xml, &err), &err);
    assert_string_equal(xml, public_xml);
    free(xml);
    memctx_datum_deinit(&datum);
}

/* As in dumpxml: libvirt adds the namespace. */
static void
test_xml_in_the_namespace(void **state)
{
    struct memctx_datum wanted = sample();
    char *xml = replaced("<memctx ", "<memctx xmlns=\"urn:memctx:1\" ");
    struct memctx_datum datum = decode(xml);
    (void)state;
    assert_true(is_valid(xml));
    assert_true(memctx_datum_is_equal(&datum, &wanted));
    test_free(xml);
    memctx_datum_deinit(&datum);
    memctx_datum_deinit(&wanted);
}

/* Written only where there was a doubt; both words come back. */
static void
test_layout_that_was_doubtful(void **state)
{
    static const struct {
        enum memctx_layout_proof proof;
        const char *xml;
        const char *json;
    } rows[] = {
        {MEMCTX_LAYOUT_PROVEN, "layout=\"proven\"", "\"layout\":\"proven\""},
        {MEMCTX_LAYOUT_ASSUMED, "layout=\"assumed\"", "\"layout\":\"assumed\""},
    };
    struct memctx_datum datum = sample();
    struct memctx_error err = MEMCTX_ERROR_INIT;
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        char *text;
        datum.layout = rows[i].proof;
        char *xml = encode(&datum, MEMCTX_PUBLIC);
        struct memctx_datum again = decode(xml);
        assert_int_equal(again.layout, rows[i].proof);
        assert_non_null(strstr(xml, rows[i].xml));
        assert_done(memctx_datum_to_json(&datum, &text, &err), &err);
        assert_non_null(strstr(text, rows[i].json));
        memctx_datum_deinit(&again);
        free(text);
        free(xml);
    }
    memctx_datum_deinit(&datum);
    datum = decode_replaced("seen=\"running\"", "layout=\"guessed\"");
    assert_int_equal(datum.layout, MEMCTX_LAYOUT_CERTAIN);
    memctx_datum_deinit(&datum);
}

/* Both audiences are told, before anything else that they could act on. */
static void
test_a_kernel_that_does_not_run(void **state)
{
    static const struct {
        enum memctx_datum_live live;
        const char *xml;
        const char *json;
    } rows[] = {
        {MEMCTX_LIVE_NO, " live=\"no\">\n  <kcr3>",
         ",\"live\":\"no\",\"kcr3\":"},
        {MEMCTX_LIVE_UNKNOWN, " live=\"unknown\">\n  <kcr3>",
         ",\"live\":\"unknown\",\"kcr3\":"},
    };
    struct memctx_datum datum = sample();
    struct memctx_error err = MEMCTX_ERROR_INIT;
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        datum.live = rows[i].live;
        for (int audience = MEMCTX_PUBLIC; audience <= MEMCTX_PRIVATE;
             audience++) {
            char *xml = encode(&datum, (enum memctx_audience)audience);
            struct memctx_datum again = decode(xml);
            assert_int_equal(again.live, rows[i].live);
            assert_non_null(strstr(xml, rows[i].xml));
            memctx_datum_deinit(&again);
            free(xml);
        }
        char *text;
        assert_done(memctx_datum_to_json(&datum, &text, &err), &err);
        assert_non_null(strstr(text, rows[i].json));
        free(text);
    }
    memctx_datum_deinit(&datum);
}

/* A word of a later version says that something is the matter: what it is is
 * not known, but a kernel that runs needs no word. */
static void
test_another_word_for_live_is_unknown(void **state)
{
    (void)state;
    struct memctx_datum datum =
        decode_replaced("<memctx ", "<memctx live=\"frozen\" ");
    assert_int_equal(datum.live, MEMCTX_LIVE_UNKNOWN);
    memctx_datum_deinit(&datum);
    datum = decode_replaced("<memctx ", "<memctx live=\"\" ");
    assert_int_equal(datum.live, MEMCTX_LIVE_RUNS);
    memctx_datum_deinit(&datum);
}

static void
test_datum_of_no_domain(void **state)
{
    struct memctx_datum datum = sample();
    (void)state;
    datum.generation = datum.attempts = 0;
    datum.published[0] = '\0';
    datum.seen = MEMCTX_SEEN_UNASKED;
    datum.candidates = 0;
    datum.kernel.identity[0] = '\0';
    datum.kernel.size_bytes = 0;
    datum.kernel.linux_facts.has_kaslr_offset = false;
    char *xml = encode(&datum, MEMCTX_PRIVATE);
    static const char *const absent[] = {
        "generation", "published",  "attempts", "live",
        "seen",       "candidates", "identity", "kaslr_offset"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(absent); i++)
        assert_null(strstr(xml, absent[i]));
    assert_non_null(strstr(xml, "<kernel base=\"0xffffffff99a00000\"/>"));
    struct memctx_datum again = decode(xml);
    assert_int_equal(again.generation, 0);
    assert_string_equal(again.published, "");
    assert_int_equal(again.seen, MEMCTX_SEEN_UNASKED);
    assert_false(again.kernel.linux_facts.has_kaslr_offset);
    free(xml);
    memctx_datum_deinit(&again);
    memctx_datum_deinit(&datum);
}

static void
test_numbers_at_their_limits(void **state)
{
    struct memctx_datum datum = sample();
    struct memctx_linux_facts *facts = &datum.kernel.linux_facts;
    static const int64_t phys_bases[] = {0, 1, -1, INT64_MAX, INT64_MIN};
    (void)state;
    datum.kernel.kcr3 = datum.low = datum.ram_size = UINT64_MAX;
    datum.kernel.paging = MEMCTX_PAGING_X86_64_5LEVEL;
    datum.generation = datum.attempts = datum.candidates = UINT32_MAX;
    facts->vmcoreinfo_size = UINT32_MAX;
    facts->kaslr_offset = 0;
    facts->has_kimage_voffset = true;
    facts->kimage_voffset = UINT64_C(0xffffaa847d200000);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(phys_bases); i++) {
        facts->phys_base = phys_bases[i];
        char *xml = encode(&datum, MEMCTX_PRIVATE);
        struct memctx_datum again = decode(xml);
        assert_true(memctx_datum_is_equal(&again, &datum));
        assert_true(again.kernel.linux_facts.phys_base == phys_bases[i]);
        assert_true(again.kernel.linux_facts.has_kaslr_offset);
        assert_true(again.kernel.linux_facts.has_kimage_voffset);
        assert_true(again.kernel.linux_facts.kimage_voffset ==
                    UINT64_C(0xffffaa847d200000));
        assert_true(again.generation == UINT32_MAX);
        assert_true(again.kernel.linux_facts.vmcoreinfo_size == UINT32_MAX);
        free(xml);
        memctx_datum_deinit(&again);
    }
    memctx_datum_deinit(&datum);
}

static void
test_datum_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(public_xml) < 1024);
    assert_true(sizeof(private_xml) < 2048);
}

static void
test_as_many_extents_as_there_may_be(void **state)
{
    struct memctx_datum datum = sample();
    (void)state;
    memctx_datum_deinit(&datum);
    datum.extents = calloc(MEMCTX_EXTENTS_MAX, sizeof(datum.extents[0]));
    datum.n_extents = MEMCTX_EXTENTS_MAX;
    for (uint64_t i = 0; i < datum.n_extents; i++) {
        struct memctx_datum_extent *e = &datum.extents[i];
        e->gpa = UINT64_MAX - 2 * (i + 1) * MEMCTX_GIB + 1;
        e->size = MEMCTX_GIB;
        e->offset = e->gpa - 1;
        strcpy(e->backend, "0123456789012345678901234567890");
    }
    char *xml = encode(&datum, MEMCTX_PRIVATE);
    assert_true(strlen(xml) < MEMCTX_DATUM_MAX);
    struct memctx_datum again = decode(xml);
    assert_true(memctx_datum_is_equal(&again, &datum));
    free(xml);
    memctx_datum_deinit(&again);
    memctx_datum_deinit(&datum);
}

/* Backend names are QEMU's, where a user may have chosen them. */
static void
test_names_that_look_like_xml(void **state)
{
    struct memctx_datum datum = sample();
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *text;
    (void)state;
    strcpy(datum.extents[0].backend, "<a b=\"&amp;'/>]]>");
    char *xml = encode(&datum, MEMCTX_PUBLIC);
    struct memctx_datum again = decode(xml);
    assert_true(memctx_datum_is_equal(&again, &datum));
    assert_done(memctx_datum_to_json(&datum, &text, &err), &err);
    assert_non_null(strstr(text, "\"<a b=\\\"&amp;'/>]]>\""));
    free(text);
    free(xml);
    memctx_datum_deinit(&again);
    memctx_datum_deinit(&datum);
}

static void
test_unknown_things_are_passed_over(void **state)
{
    struct memctx_datum wanted = sample();
    (void)state;
    struct memctx_datum datum =
        decode_replaced("<kcr3>", "<!-- new --><future x='1'><kcr3>0x1</kcr3>"
                                  "</future>text<kcr3 unit='bytes'>");
    assert_true(memctx_datum_is_equal(&datum, &wanted));
    memctx_datum_deinit(&datum);
    datum = decode_replaced("seen=\"running\"", "seen=\"maybe\"");
    assert_int_equal(datum.seen, MEMCTX_SEEN_UNASKED);
    memctx_datum_deinit(&datum);
    memctx_datum_deinit(&wanted);
}

static void
test_missing_parts_are_named(void **state)
{
    (void)state;
    refuse_replaced("kcr3>0x6800000</kcr3", "a/",
                    "kcr3 is '', expected a number");
    refuse_replaced("low>0x80000000</low", "a/", "low is ''");
    refuse_replaced("paging>x86_64-4level</paging", "a/", "paging is ''");
    refuse_replaced("<guest os=\"linux\"", "<guest", "guest/@os is ''");
    refuse_replaced("<guest ", "<ghost ", "guest/@os is ''");
    refuse_replaced("<ram size=\"0x200000000\"", "<ram", "ram/@size is ''");
    refuse_replaced("extent gpa=\"0x0\"", "extent",
                    "ram/extent: memctx datum: @gpa is ''");
    refuse_replaced("size=\"0x80000000\"", "", "@size is ''");
    refuse_replaced("offset=\"0x0\"", "", "@offset is ''");
}

static void
test_numbers_that_are_none(void **state)
{
    static const char *const bad[] = {
        "",
        " 0x1",
        "-1",
        "0x",
        "0x1 ",
        "0xg",
        "1x",
        "x1",
        "+1",
        "0x-1",
        "0x10000000000000000",
        "18446744073709551616",
        "0x00000000000000000000000000000001",
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(bad); i++) {
        char words[80];
        snprintf(words, sizeof(words), "kcr3 is '%.40s', expected a number",
                 bad[i]);
        refuse_replaced("0x6800000", bad[i], words);
        refuse_replaced("0x100000000", bad[i], words + strlen("kcr3 "));
    }
}

/* A count that does not fit is not another count. */
static void
test_counts_that_do_not_fit(void **state)
{
    (void)state;
    struct memctx_datum datum =
        decode_replaced("generation=\"2\"", "generation=\"4294967297\"");
    assert_int_equal(datum.generation, 0);
    memctx_datum_deinit(&datum);
    datum = decode_replaced("size=\"2921\"", "size=\"4294970217\"");
    assert_int_equal(datum.kernel.linux_facts.vmcoreinfo_size, 0);
    memctx_datum_deinit(&datum);
}

static void
test_words_that_are_not_known(void **state)
{
    (void)state;
    refuse_replaced("x86_64-4level", "x86_64-6level",
                    "paging is 'x86_64-6level', expected a paging that is "
                    "known");
    refuse_replaced("os=\"linux\"", "os=\"Linux\"", "guest/@os is 'Linux'");
    refuse_replaced("os=\"linux\"", "os=\"an unreasonably long name\"",
                    "guest/@os is 'an unreasonably long name'");
    refuse("<memctxd/>", "element is <memctxd>");
}

static void
test_no_extents_and_too_many(void **state)
{
    static const char extent[] =
        "<extent gpa='0x0' size='0x1' offset='0x0' backend='a'/>";
    (void)state;
    refuse("<memctx><kcr3>0x0</kcr3><low>0x0</low><paging>x86_64-4level"
           "</paging><guest os='linux'/><ram size='0x0'/></memctx>",
           "0 extents, expected 1 to 1024");
    size_t len = (MEMCTX_EXTENTS_MAX + 1) * (sizeof(extent) - 1);
    char *many = test_malloc(len + 8);
    for (size_t i = 0; i <= MEMCTX_EXTENTS_MAX; i++)
        strcpy(many + i * (sizeof(extent) - 1), extent);
    strcpy(many + len, "</ram>");
    refuse_replaced("</ram>", many, "1027 extents");
    test_free(many);
}

static void
test_text_that_is_no_xml(void **state)
{
    (void)state;
    refuse("", "not well-formed XML");
    refuse("memctx", "not well-formed XML");
    refuse("<memctx>", "not well-formed XML");
    refuse("<memctx></memctx><memctx/>", "not well-formed XML");
    refuse("<memctx>&bomb;</memctx>", "not well-formed XML");
}

static void
test_entities_are_refused(void **state)
{
    (void)state;
    refuse("<!DOCTYPE memctx [<!ENTITY a '0x1'>]><memctx><kcr3>&a;</kcr3>"
           "</memctx>",
           "document type is refused");
    refuse("<!DOCTYPE memctx SYSTEM 'file:///etc/passwd'><memctx/>",
           "document type is refused");
}

static void
test_text_longer_than_sane(void **state)
{
    struct memctx_datum datum;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    size_t len = MEMCTX_DATUM_MAX + 1;
    char *text = test_malloc(len);
    (void)state;
    memset(text, ' ', len);
    assert_int_equal(memctx_datum_from_xml(text, len, &datum, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "at most 262144 are read");
    test_free(text);
}

static void
test_schema_refuses_what_is_not_written(void **state)
{
    static const char *const from_to[][2] = {
        {"0x6800000", "0x06800000"},
        {"0x6800000", "0x680000A"},
        {"0x6800000", "109051904"},
        {"x86_64-4level", "x86_64"},
        {"os=\"linux\"", "os=\"bsd\""},
        {"generation=\"2\"", "generation=\"0\""},
        {"13:40:00Z", "13:40:00"},
        {"backend=\"pc.ram\"", "backend=\"\""},
        {"seen=\"running\"", "seen=\"yes\""},
        {"seen=\"running\"", "live=\"no\""},
        {"<memctx ", "<memctx live=\"yes\" "},
        {"seen=\"running\"", "layout=\"certain\""},
        {"<low>", "<extra/><low>"},
        {"self-map,uts", "self-map,"},
        {"-0x27200000", "--0x27200000"},
        {"<memctx ", "<memctx xmlns=\"urn:memctx:2\" "},
        {"<memctx ", "<memctx pid=\"1\" "},
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(from_to); i++) {
        char *xml = replaced(from_to[i][0], from_to[i][1]);
        if (is_valid(xml))
            fail_msg("'%s' is valid", from_to[i][1]);
        test_free(xml);
    }
}

static void
test_another_kernel_is_not_the_same(void **state)
{
    struct memctx_datum a = sample();
    struct memctx_datum b = sample();
    (void)state;
    assert_true(memctx_datum_is_same_kernel(&a, &b));
    b.kernel.kcr3 += MEMCTX_PAGE_SIZE;
    assert_false(memctx_datum_is_same_kernel(&a, &b));
    b.kernel = a.kernel;
    b.kernel.paging = MEMCTX_PAGING_X86_64_5LEVEL;
    assert_false(memctx_datum_is_same_kernel(&a, &b));
    b.kernel = a.kernel;
    b.kernel.os = MEMCTX_OS_WINDOWS;
    assert_false(memctx_datum_is_same_kernel(&a, &b));
    b.kernel = a.kernel;
    b.kernel.version[0] = '5';
    assert_false(memctx_datum_is_same_kernel(&a, &b));
    b.kernel = a.kernel;
    b.kernel.identity[0] = 'a';
    assert_false(memctx_datum_is_same_kernel(&a, &b));
    assert_false(memctx_datum_is_equal(&a, &b));
    memctx_datum_deinit(&a);
    memctx_datum_deinit(&b);
}

static void
test_another_ram_is_not_equal(void **state)
{
    struct memctx_datum a = sample();
    struct memctx_datum b = sample();
    struct memctx_datum_extent first = b.extents[0];
    (void)state;
    b.low++;
    assert_false(memctx_datum_is_equal(&a, &b));
    b.low--;
    b.ram_size++;
    assert_false(memctx_datum_is_equal(&a, &b));
    b.ram_size--;
    b.n_extents--;
    assert_false(memctx_datum_is_equal(&a, &b));
    b.n_extents++;
    b.extents[0].gpa++;
    assert_false(memctx_datum_is_equal(&a, &b));
    b.extents[0] = first;
    b.extents[0].size++;
    assert_false(memctx_datum_is_equal(&a, &b));
    b.extents[0] = first;
    b.extents[0].offset++;
    assert_false(memctx_datum_is_equal(&a, &b));
    b.extents[0] = first;
    b.extents[0].backend[0] = 'x';
    assert_false(memctx_datum_is_equal(&a, &b));
    assert_true(memctx_datum_is_same_kernel(&a, &b));
    memctx_datum_deinit(&a);
    memctx_datum_deinit(&b);
}

/* Each write is an event for every listener: these alone are none. */
static void
test_how_it_was_found_does_not_count(void **state)
{
    struct memctx_datum a = sample();
    struct memctx_datum b = sample();
    (void)state;
    b.published[0] = '\0';
    b.attempts = b.candidates = 0;
    b.seen = MEMCTX_SEEN_UNASKED;
    strcpy(b.kernel.found, "vmcoreinfo-text");
    assert_true(memctx_datum_is_equal(&a, &b));
    memctx_datum_deinit(&a);
    memctx_datum_deinit(&b);
}

/* Readers act on it: a kernel that has stopped is another datum. */
static void
test_whether_it_runs_counts(void **state)
{
    struct memctx_datum a = sample();
    struct memctx_datum b = sample();
    (void)state;
    b.live = MEMCTX_LIVE_NO;
    assert_false(memctx_datum_is_equal(&a, &b));
    assert_true(memctx_datum_is_same_kernel(&a, &b));
    memctx_datum_deinit(&a);
    memctx_datum_deinit(&b);
}

static void
test_copy_is_a_copy(void **state)
{
    struct memctx_datum a = sample();
    struct memctx_datum b;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    (void)state;
    assert_done(memctx_datum_copy(&b, &a, &err), &err);
    assert_true(memctx_datum_is_equal(&a, &b));
    assert_ptr_not_equal(a.extents, b.extents);
    memctx_datum_deinit(&a);
    memctx_datum_deinit(&a);
    assert_int_equal(b.extents[1].gpa, 4 * MEMCTX_GIB);
    memctx_datum_deinit(&b);
}

static void
test_stamp(void **state)
{
    struct memctx_datum datum = {.generation = 0};
    (void)state;
    memctx_datum_stamp(&datum, 0);
    assert_string_equal(datum.published, "1970-01-01T00:00:00Z");
    memctx_datum_stamp(&datum, INT64_C(253402300799));
    assert_string_equal(datum.published, "9999-12-31T23:59:59Z");
}

static void
test_stamp_that_does_not_fit(void **state)
{
    struct memctx_datum datum = {.generation = 0};
    (void)state;
    memctx_datum_stamp(&datum, INT64_C(253402300800));
    assert_string_equal(datum.published, "");
    memctx_datum_stamp(&datum, INT64_MAX);
    assert_string_equal(datum.published, "");
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_public_xml),
        T(test_private_xml),
        T(test_public_xml_holds_no_virtual_address),
        T(test_json),
        T(test_private_xml_decodes_to_the_same),
        T(test_public_xml_decodes_to_the_same),
        T(test_what_the_public_xml_left_out_stays_absent),
        T(test_xml_in_the_namespace),
        T(test_layout_that_was_doubtful),
        T(test_a_kernel_that_does_not_run),
        T(test_another_word_for_live_is_unknown),
        T(test_datum_of_no_domain),
        T(test_numbers_at_their_limits),
        T(test_datum_is_small),
        T(test_as_many_extents_as_there_may_be),
        T(test_names_that_look_like_xml),
        T(test_unknown_things_are_passed_over),
        T(test_missing_parts_are_named),
        T(test_numbers_that_are_none),
        T(test_counts_that_do_not_fit),
        T(test_words_that_are_not_known),
        T(test_no_extents_and_too_many),
        T(test_text_that_is_no_xml),
        T(test_entities_are_refused),
        T(test_text_longer_than_sane),
        T(test_schema_refuses_what_is_not_written),
        T(test_another_kernel_is_not_the_same),
        T(test_another_ram_is_not_equal),
        T(test_how_it_was_found_does_not_count),
        T(test_whether_it_runs_counts),
        T(test_copy_is_a_copy),
        T(test_stamp),
        T(test_stamp_that_does_not_fit),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    xmlRelaxNGCleanupTypes();
    xmlCleanupParser();
    return failed;
}
