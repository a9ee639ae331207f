/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Facts out of domain XML, most of which users wrote. */
#include "unit.h"

#include <libxml/parser.h>

#include "base/bytes.h"
#include "domain/domxml.h"

#define UUID "5a1b6f0e-2c3d-4e5f-8a9b-0c1d2e3f4a5b"
#define NAME "<name>deb12</name>"
#define ID NAME "<uuid>" UUID "</uuid>"
#define DATUM                                                         \
    "<kcr3>0x6800000</kcr3><low>0x8000000</low>"                      \
    "<paging>x86_64-4level</paging><guest os='linux' version='6.1'/>" \
    "<ram size='0x8000000'><extent gpa='0x0' size='0x8000000' "       \
    "backend='pc.ram' offset='0x0'/></ram>"

static struct memctx_domxml
parse(const char *xml)
{
    struct memctx_domxml facts;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_domxml_parse(xml, strlen(xml), &facts, &err), &err);
    return facts;
}

static void
refuse(const char *xml, const char *words)
{
    struct memctx_domxml facts = {.id = 77};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(memctx_domxml_parse(xml, strlen(xml), &facts, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_error(&err, MEMCTX_PERMANENT, "domain XML: ");
    assert_int_equal(facts.id, 77);
}

/* Whether a domain with this metadata has a datum. */
static bool
has_datum(const char *metadata)
{
    char xml[4096];
    snprintf(xml, sizeof(xml), "<domain>" ID "<metadata>%s</metadata></domain>",
             metadata);
    struct memctx_domxml facts = parse(xml);
    bool has = facts.has_datum;
    memctx_domxml_deinit(&facts);
    return has;
}

static void
test_running_domain(void **state)
{
    struct memctx_domxml facts =
        parse("<domain type='kvm' id='12'>" ID
              "<metadata><app xmlns='urn:app'/><m:memctx xmlns:m='urn:memctx:1'"
              " generation='3'>" DATUM "</m:memctx></metadata>"
              "<memory unit='KiB'>131072</memory>"
              "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
              "<devices><memory model='dimm'><target><size unit='KiB'>1024"
              "</size></target></memory><memory model='nvdimm'/>"
              "<disk><memory/></disk></devices></domain>");
    (void)state;
    assert_string_equal(facts.name, "deb12");
    assert_string_equal(facts.uuid, UUID);
    assert_int_equal(facts.id, 12);
    assert_string_equal(facts.arch, "x86_64");
    assert_string_equal(facts.encrypted, "");
    assert_int_equal(facts.memory.n_memdevs, 2);
    assert_int_equal(facts.memory.ram_bytes, 127 * MEMCTX_MIB);
    assert_int_equal(facts.memory.accel, MEMCTX_ACCEL_HOST);
    assert_string_equal(facts.memory.machine, "pc-q35-7.2");
    assert_true(facts.has_datum);
    assert_int_equal(facts.datum.generation, 3);
    assert_int_equal(facts.datum.kernel.kcr3, 0x6800000);
    memctx_domxml_deinit(&facts);
    assert_false(facts.has_datum);
    memctx_domxml_deinit(&facts);
}

static void
test_least_domain(void **state)
{
    struct memctx_domxml facts = parse("<domain>" ID "</domain>");
    (void)state;
    assert_int_equal(facts.id, -1);
    assert_string_equal(facts.arch, "");
    assert_int_equal(facts.memory.n_memdevs, 0);
    assert_int_equal(facts.memory.arch, MEMCTX_ARCH_UNKNOWN);
    assert_false(facts.has_datum);
    memctx_domxml_deinit(&facts);
}

static void
test_id_that_is_none(void **state)
{
    static const char *const ids[] = {
        "", "-1", "x", "1x", "2147483648", "99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ids); i++) {
        char xml[256];
        snprintf(xml, sizeof(xml), "<domain id='%s'>" ID "</domain>", ids[i]);
        assert_int_equal(parse(xml).id, -1);
    }
    assert_int_equal(parse("<domain id='0'>" ID "</domain>").id, 0);
    assert_int_equal(parse("<domain id='2147483647'>" ID "</domain>").id,
                     INT32_MAX);
}

static void
test_every_launch_security_is_encryption(void **state)
{
    (void)state;
#define SECURITY(text) parse("<domain>" ID text "</domain>").encrypted
    assert_string_equal(SECURITY("<launchSecurity type='sev'/>"), "sev");
    assert_string_equal(SECURITY("<launchSecurity type='sev-snp'>"
                                 "<policy>1</policy></launchSecurity>"),
                        "sev-snp");
    assert_string_equal(SECURITY("<launchSecurity/>"), "unknown");
    assert_string_equal(SECURITY("<launchSecurity type=''/>"), "unknown");
    assert_string_equal(SECURITY("<launchSecurity type='a-name-that-nobody-"
                                 "has-thought-of-yet'/>"),
                        "unknown");
#undef SECURITY
}

static void
test_document_that_is_no_domain(void **state)
{
    (void)state;
    refuse("", "not well-formed XML");
    refuse("<domain>", "not well-formed XML");
    refuse("<domain>" ID "</domain>x", "not well-formed XML");
    refuse("<network/>", "root element is <network>");
}

static void
test_document_type_is_refused(void **state)
{
    (void)state;
    refuse("<!DOCTYPE domain [<!ENTITY n SYSTEM 'file:///etc/passwd'>]>"
           "<domain><name>&n;</name><uuid>" UUID "</uuid></domain>",
           "document type is refused");
    refuse("<!DOCTYPE domain><domain>" ID "</domain>",
           "document type is refused");
}

static void
test_entities_do_not_explode(void **state)
{
    (void)state;
    refuse("<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'>"
           "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
           "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
           "<!ENTITY e '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"
           "<!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>]>"
           "<domain a='&f;'><name>&f;</name></domain>",
           "XML");
}

static void
test_deep_tree_is_refused(void **state)
{
    enum {
        DEPTH = 5000
    };
    char *xml = test_malloc(DEPTH * 7 + 1);
    (void)state;
    for (size_t i = 0; i < DEPTH; i++) {
        memcpy(xml + 3 * i, "<a>", 3);
        memcpy(xml + 3 * DEPTH + 4 * i, "</a>", 4);
    }
    xml[7 * DEPTH] = '\0';
    refuse(xml, "not well-formed XML");
    test_free(xml);
}

static void
test_document_longer_than_sane(void **state)
{
    struct memctx_domxml facts;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *xml = test_malloc(MEMCTX_DOMXML_MAX + 1);
    (void)state;
    memset(xml, ' ', MEMCTX_DOMXML_MAX + 1);
    memcpy(xml, "<domain>" ID "</domain>",
           sizeof("<domain>" ID "</domain>") - 1);
    assert_int_equal(
        memctx_domxml_parse(xml, MEMCTX_DOMXML_MAX + 1, &facts, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "at most 4194304 are read");
    assert_done(memctx_domxml_parse(xml, MEMCTX_DOMXML_MAX, &facts, &err),
                &err);
    test_free(xml);
}

static void
test_name_that_is_none(void **state)
{
    char xml[1024] = "<domain><name>";
    (void)state;
    refuse("<domain/>", "no usable <name>");
    refuse("<domain><name/></domain>", "no usable <name>");
    refuse("<domain><a><name>x</name></a></domain>", "no usable <name>");
    memset(xml + 14, 'n', MEMCTX_DOMAIN_NAME_MAX);
    strcpy(xml + 14 + MEMCTX_DOMAIN_NAME_MAX, "</name></domain>");
    refuse(xml, "no usable <name>");
    strcpy(xml + 13 + MEMCTX_DOMAIN_NAME_MAX,
           "</name><uuid>" UUID "</uuid></domain>");
    assert_int_equal(strlen(parse(xml).name), MEMCTX_DOMAIN_NAME_MAX - 1);
}

static void
test_name_is_utf8(void **state)
{
    (void)state;
    assert_string_equal(parse("<domain><name>g\xc3\xa4st&amp;&#x20ac;</name>"
                              "<uuid>" UUID "</uuid></domain>")
                            .name,
                        "g\xc3\xa4st&\xe2\x82\xac");
    refuse("<domain><name>g\xe4st</name></domain>", "not well-formed XML");
}

static void
test_uuid_of_another_length(void **state)
{
    (void)state;
    refuse("<domain>" NAME "</domain>", "no usable <uuid>");
    refuse("<domain>" NAME "<uuid/></domain>", "no usable <uuid>");
    refuse("<domain>" NAME "<uuid>5a1b6f0e</uuid></domain>",
           "no usable <uuid>");
    refuse("<domain>" NAME "<uuid>" UUID "0</uuid></domain>",
           "no usable <uuid>");
}

/* Who writes XML leaves the UUID to libvirt, but does not make up a wrong
 * one. */
static void
test_draft_needs_no_uuid(void **state)
{
    (void)state;
    struct memctx_domxml facts;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const char *draft = "<domain>" NAME "</domain>";
    const char *wrong = "<domain>" NAME "<uuid>5a1b6f0e</uuid></domain>";
    assert_done(memctx_domxml_parse_draft(draft, strlen(draft), &facts, &err),
                &err);
    assert_string_equal(facts.uuid, "");
    memctx_domxml_deinit(&facts);
    assert_int_equal(
        memctx_domxml_parse_draft(wrong, strlen(wrong), &facts, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "no usable <uuid>");
}

/* It becomes a file name in /run/memctxd. */
static void
test_uuid_that_is_a_path(void **state)
{
    (void)state;
    refuse("<domain>" NAME "<uuid>../../../../../../../../../etc/passwd"
           "</uuid></domain>",
           "no usable <uuid>");
    refuse("<domain>" NAME "<uuid>5a1b6f0e 2c3d 4e5f 8a9b 0c1d2e3f4a5b"
           "</uuid></domain>",
           "no usable <uuid>");
}

static void
test_metadata_of_others_is_not_ours(void **state)
{
    (void)state;
    assert_false(has_datum(""));
    assert_false(has_datum("<memctx>" DATUM "</memctx>"));
    assert_false(has_datum("<memctx xmlns='urn:memctx:2'>" DATUM "</memctx>"));
    assert_false(
        has_datum("<a xmlns='urn:memctx:1'><memctx>" DATUM "</memctx></a>"));
    assert_true(has_datum("<memctx xmlns='urn:memctx:1'>" DATUM "</memctx>"));
}

/* It stands there, and must be withdrawn like one that does. */
static void
test_datum_that_does_not_decode_is_one_of_no_kernel(void **state)
{
    (void)state;
    assert_true(has_datum("<memctx xmlns='urn:memctx:1'/>"));
    assert_true(has_datum("<memctx xmlns='urn:memctx:1'><kcr3>x</kcr3>" DATUM
                          "</memctx>"));
    struct memctx_domxml facts =
        parse("<domain>" ID "<metadata><memctx xmlns='urn:memctx:1' "
              "generation='9'/></metadata></domain>");
    assert_int_equal(facts.datum.generation, 0);
    assert_int_equal(facts.datum.kernel.kcr3, 0);
    memctx_domxml_deinit(&facts);
}

/* The first that decodes; a second one must not leak. */
static void
test_second_datum_is_passed_over(void **state)
{
    struct memctx_domxml facts =
        parse("<domain>" ID "<metadata><memctx xmlns='urn:memctx:1'/>"
              "<memctx xmlns='urn:memctx:1' generation='1'>" DATUM "</memctx>"
              "<memctx xmlns='urn:memctx:1' generation='2'>" DATUM "</memctx>"
              "</metadata></domain>");
    (void)state;
    assert_true(facts.has_datum);
    assert_int_equal(facts.datum.generation, 1);
    memctx_domxml_deinit(&facts);
}

static struct memctx_memconf
memory_of(const char *inside)
{
    char xml[4096];
    snprintf(xml, sizeof(xml), "<domain type='qemu'>" ID "%s</domain>", inside);
    struct memctx_domxml facts = parse(xml);
    memctx_domxml_deinit(&facts);
    return facts.memory;
}

static void
test_units_of_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        uint64_t bytes;
    } rows[] = {
        {"<memory>1024</memory>", MEMCTX_MIB},
        {"<memory unit='KiB'>1024</memory>", MEMCTX_MIB},
        {"<memory unit='b'>4096</memory>", 4096},
        {"<memory unit='MiB'> 3 </memory>", 3 * MEMCTX_MIB},
        {"<memory unit='GB'>1</memory>", 1000000000},
        {"<memory unit='T'>1</memory>", 1024 * MEMCTX_GIB},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++)
        assert_int_equal(memory_of(rows[i].xml).ram_bytes, rows[i].bytes);
    refuse("<domain>" ID "<memory>-1</memory></domain>", "<memory> is no size");
    refuse("<domain>" ID "<memory unit='x'>1</memory></domain>", "is no size");
    refuse("<domain>" ID "<memory>18014398509481984</memory></domain>",
           "<memory> is no size: '18014398509481984'");
}

static void
test_cells_are_all_ram(void **state)
{
    (void)state;
    struct memctx_memconf memory = memory_of(
        "<maxMemory slots='3' unit='MiB'>64</maxMemory><memory>999</memory>"
        "<cpu mode='host-passthrough'><numa><cell id='1' memory='1024'/>"
        "<cell id='0' memory='2' unit='MiB'/><cell id='2' memory='0'/></numa>"
        "</cpu>");
    assert_int_equal(memory.n_cells, 2);
    assert_int_equal(memory.ram_bytes, 3 * MEMCTX_MIB);
    assert_int_equal(memory.max_memory_bytes, 64 * MEMCTX_MIB);
    assert_int_equal(memory.slots, 3);
    assert_string_equal(memory.cells[0].backend, "ram-node1");
    assert_string_equal(memory.cpu_model, "host");
    refuse("<domain>" ID "<cpu><numa><cell id='x' memory='1'/></numa></cpu>"
           "</domain>",
           "id of <cell> is no number");
    refuse("<domain>" ID "<cpu><numa><cell id='128' memory='1'/></numa></cpu>"
           "</domain>",
           "more than 128 NUMA cells");
}

/* The base of virtio-mem stands in <target> from libvirt 11 on. */
static void
test_memory_devices(void **state)
{
    (void)state;
    struct memctx_memconf memory = memory_of(
        "<memory unit='MiB'>16</memory><devices>"
        "<memory model='dimm'><target><size unit='MiB'>1</size></target>"
        "<alias name='ua-x'/><address type='dimm' base='0x140000000'/></memory>"
        "<memory model='virtio-mem'><target><size unit='MiB'>4</size>"
        "<block unit='MiB'>2</block><address base='0x180000000'/></target>"
        "<alias name='virtiomem0'/><address type='pci' bus='0x01'/></memory>"
        "<memory model='nvdimm'><target><size unit='MiB'>1</size>"
        "<label><size unit='KiB'>128</size></label></target></memory>"
        "<memory model='sgx-epc'><target><size unit='MiB'>2</size></target>"
        "</memory></devices>");
    const struct memctx_memdev *d = memory.memdevs;
    assert_int_equal(memory.n_memdevs, 3);
    assert_int_equal(memory.ram_bytes, 8 * MEMCTX_MIB);
    assert_string_equal(d[0].id, "ua-x");
    assert_string_equal(d[0].backend, "memua-x");
    assert_int_equal(d[0].gpa, 5 * MEMCTX_GIB);
    assert_int_equal(d[1].align, 2 * MEMCTX_MIB);
    assert_int_equal(d[1].gpa, 6 * MEMCTX_GIB);
    assert_string_equal(d[2].backend, "memnvdimm0");
    assert_false(d[2].has_gpa);
    assert_int_equal(d[2].label_size, 128 * MEMCTX_KIB);
}

static void
test_arguments_that_were_appended(void **state)
{
    (void)state;
    struct memctx_memconf memory = memory_of(
        "<memory>1024</memory><os><type machine='pc'>hvm</type></os>"
        "<cpu><model>EPYC</model></cpu>"
        "<qemu:commandline xmlns:qemu='urn:q'><qemu:arg value='-machine'/>"
        "<qemu:arg value='max-ram-below-4g=1G'/><qemu:arg value='-object'/>"
        "<qemu:arg value='memory-backend-ram,id=m,size=1G'/>"
        "<qemu:arg value='-device'/><qemu:arg value='pc-dimm,memdev=m,id=d'/>"
        "</qemu:commandline>");
    assert_int_equal(memory.max_ram_below_4g, MEMCTX_GIB);
    assert_int_equal(memory.ram_bytes, MEMCTX_MIB);
    assert_string_equal(memory.machine, "pc");
    assert_string_equal(memory.cpu_model, "EPYC");
    assert_int_equal(memory.accel, MEMCTX_ACCEL_TCG);
    assert_int_equal(memory.n_memdevs, 1);
    assert_int_equal(memory.memdevs[0].size, MEMCTX_GIB);
    refuse("<domain>" ID "<commandline><arg value='-m'/><arg value='x'/>"
           "</commandline></domain>",
           "qemu:commandline: QEMU's -m is no size");
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_running_domain),
        T(test_least_domain),
        T(test_id_that_is_none),
        T(test_every_launch_security_is_encryption),
        T(test_document_that_is_no_domain),
        T(test_document_type_is_refused),
        T(test_entities_do_not_explode),
        T(test_deep_tree_is_refused),
        T(test_document_longer_than_sane),
        T(test_name_that_is_none),
        T(test_name_is_utf8),
        T(test_uuid_of_another_length),
        T(test_draft_needs_no_uuid),
        T(test_uuid_that_is_a_path),
        T(test_metadata_of_others_is_not_ours),
        T(test_datum_that_does_not_decode_is_one_of_no_kernel),
        T(test_second_datum_is_passed_over),
        T(test_units_of_sizes),
        T(test_cells_are_all_ram),
        T(test_memory_devices),
        T(test_arguments_that_were_appended),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    xmlCleanupParser();
    return failed;
}
