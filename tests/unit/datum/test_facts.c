/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of facts, row by row: each is written, read back, has its place in
 * the schema, and fits the member that it names. */
#include "unit.h"

#include <json-c/json.h>
#include <libxml/parser.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "datum/facts.h"
#include "text/xml.h"

static bool
is_text(const struct memctx_fact *fact)
{
    return fact->type == MEMCTX_FACT_TEXT || fact->type == MEMCTX_FACT_NAMES;
}

/* A group or a list is no fact. */
static bool
is_fact(const struct memctx_fact *fact)
{
    return fact->type != MEMCTX_FACT_GROUP && fact->type != MEMCTX_FACT_LIST;
}

/* Give a fact another value than any other fact of this size has. */
static void
fill(const struct memctx_fact *fact, void *to, unsigned n)
{
    static const uint64_t windows_time = UINT64_C(133500000000000000);
    uint64_t number = UINT64_C(0x9123456789abcd00) + n;
    char *member = (char *)to + fact->offset;
    if (fact->type == MEMCTX_FACT_TIME)
        number = windows_time + n * UINT64_C(10000000);
    if (fact->type == MEMCTX_FACT_OS || fact->type == MEMCTX_FACT_PAGING)
        number = 1;
    if (fact->type == MEMCTX_FACT_WORD)
        number = fact->words[2] != NULL ? 2 : 1;
    if (is_text(fact))
        snprintf(member, fact->size_bytes, "text,%u", n);
    else
        memcpy(member, &number, fact->size_bytes);
    if (fact->has != 0)
        *(bool *)((char *)to + fact->has) = true;
}

/* A datum of which every fact is known that one of this system can have; every
 * list has two items. */
static struct memctx_datum
full_datum(enum memctx_os os)
{
    struct memctx_datum datum = {.generation = 0};
    unsigned n = 0;
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        if (f->os != MEMCTX_OS_UNKNOWN && f->os != os)
            continue;
        if (is_fact(f))
            fill(f, &datum, ++n);
        if (f->type != MEMCTX_FACT_LIST)
            continue;
        char *item = memctx_fact_make_items(f, &datum, 2);
        for (unsigned i = 0; i < 2; i++, item += f->list->item_bytes) {
            for (const struct memctx_fact *g = f->list->facts; g->path != NULL;
                 g++)
                fill(g, item, ++n);
        }
    }
    datum.kernel.os = os;
    return datum;
}

static const char *
text_of(const struct memctx_fact *fact, const struct memctx_datum *datum,
        char text[MEMCTX_FACT_MAX])
{
    if (memctx_fact_text(fact, datum, text) == NULL)
        fail_msg("%s is not told", fact->path);
    return text;
}

/* ---- the table ---------------------------------------------------------- */

/* What a member of this type takes; 0: any size. */
static bool
is_size_right(const struct memctx_fact *fact)
{
    size_t size = fact->size_bytes;
    switch (fact->type) {
    case MEMCTX_FACT_GROUP:
        return size == 0;
    case MEMCTX_FACT_LIST:
        return size == sizeof(void *);
    case MEMCTX_FACT_HEX:
        return size == 2 || size == 4 || size == 8;
    case MEMCTX_FACT_COUNT:
        return size == 4 || size == 8;
    case MEMCTX_FACT_SIGNED:
    case MEMCTX_FACT_TIME:
        return size == 8;
    case MEMCTX_FACT_WORD:
    case MEMCTX_FACT_OS:
    case MEMCTX_FACT_PAGING:
        return size == sizeof(enum memctx_os);
    case MEMCTX_FACT_TEXT:
    case MEMCTX_FACT_NAMES:
        return size > 8 && size <= MEMCTX_FACT_MAX;
    case MEMCTX_FACT_TYPES:
        break;
    }
    return false;
}

static void
check_rows(const struct memctx_fact *table, size_t struct_bytes)
{
    for (const struct memctx_fact *f = table; f->path != NULL; f++) {
        if (!is_size_right(f))
            fail_msg("%s: %zu bytes are none of its type", f->path,
                     f->size_bytes);
        if (f->offset + f->size_bytes > struct_bytes)
            fail_msg("%s lies outside", f->path);
        if ((f->words != NULL) != (f->type == MEMCTX_FACT_WORD) ||
            (f->list != NULL) != (f->type == MEMCTX_FACT_LIST))
            fail_msg("%s: words and lists belong to their types", f->path);
        for (const struct memctx_fact *g = table; g != f; g++) {
            if (strcmp(f->path, g->path) == 0)
                fail_msg("%s stands there twice", f->path);
            if (f->offset == g->offset && is_fact(f) && is_fact(g))
                fail_msg("%s and %s are one member", f->path, g->path);
            if (f->has != 0 && f->has == g->has)
                fail_msg("%s and %s are known by one", f->path, g->path);
            if (f->variable != NULL && g->variable != NULL &&
                strcmp(f->variable, g->variable) == 0)
                fail_msg("%s stands there twice", f->variable);
        }
        if (f->type == MEMCTX_FACT_LIST)
            check_rows(f->list->facts, f->list->item_bytes);
    }
}

static void
rows_fit_the_members_that_they_name(void **state)
{
    (void)state;
    check_rows(memctx_facts, sizeof(struct memctx_datum));
}

/* A private fact in a public group would have its element there. */
static void
what_is_of_one_system_is_private(void **state)
{
    (void)state;
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        bool linux_path = strncmp(f->path, "linux", 5) == 0;
        bool windows_path = strncmp(f->path, "windows", 7) == 0;
        enum memctx_os os = linux_path     ? MEMCTX_OS_LINUX
                            : windows_path ? MEMCTX_OS_WINDOWS
                                           : MEMCTX_OS_UNKNOWN;
        if (f->os != os || (os != MEMCTX_OS_UNKNOWN && !f->is_private))
            fail_msg("%s is of another system, or public", f->path);
    }
}

/* ---- round trips -------------------------------------------------------- */

/* What is read back spells every fact as it was, but for what nobody reads. */
static void
compare_facts(const struct memctx_datum *datum,
              const struct memctx_datum *again)
{
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        char wanted[MEMCTX_FACT_MAX];
        char found[MEMCTX_FACT_MAX];
        if (!is_fact(f) || !memctx_fact_applies(f, datum, MEMCTX_PRIVATE))
            continue;
        text_of(f, datum, wanted);
        if (f->is_one_way)
            assert_null(memctx_fact_text(f, again, found));
        else
            assert_string_equal(text_of(f, again, found), wanted);
    }
}

static void
check_round_trip(enum memctx_os os)
{
    struct memctx_datum datum = full_datum(os);
    struct memctx_datum again;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *xml;
    assert_done(memctx_datum_to_xml(&datum, MEMCTX_PRIVATE, &xml, &err), &err);
    assert_done(memctx_datum_from_xml(xml, strlen(xml), &again, &err), &err);
    compare_facts(&datum, &again);
    assert_true(memctx_datum_is_equal(&datum, &again));
    free(xml);
    memctx_datum_deinit(&again);
    memctx_datum_deinit(&datum);
}

static void
xml_gives_back_every_fact(void **state)
{
    (void)state;
    for (enum memctx_os os = 1; os < MEMCTX_OSES; os++)
        check_round_trip(os);
}

/* Public XML has what is public, and nothing else. */
static void
public_xml_gives_back_public_facts_only(void **state)
{
    struct memctx_datum datum = full_datum(MEMCTX_OS_LINUX);
    struct memctx_datum again;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *xml;
    (void)state;
    assert_done(memctx_datum_to_xml(&datum, MEMCTX_PUBLIC, &xml, &err), &err);
    assert_done(memctx_datum_from_xml(xml, strlen(xml), &again, &err), &err);
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        char text[MEMCTX_FACT_MAX];
        if (!is_fact(f) || f->is_one_way || f->os == MEMCTX_OS_WINDOWS)
            continue;
        if (f->is_private == memctx_fact_print(f, &again, text))
            fail_msg("%s is %s", f->path, f->is_private ? "told" : "missing");
    }
    free(xml);
    memctx_datum_deinit(&again);
    memctx_datum_deinit(&datum);
}

/* What a datum must have, and no more. */
static void
what_is_required_is_enough(void **state)
{
    static const char xml[] =
        "<memctx><kcr3>0x1000</kcr3><low>0x2000</low><paging>x86-pae</paging>"
        "<guest os='linux'/><ram size='0x3000'>"
        "<extent gpa='0x0' size='0x3000' offset='0x0'/></ram></memctx>";
    struct memctx_datum datum;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    (void)state;
    assert_done(memctx_datum_from_xml(xml, strlen(xml), &datum, &err), &err);
    assert_int_equal(datum.kernel.kcr3, 0x1000);
    assert_int_equal(datum.kernel.paging, MEMCTX_PAGING_X86_PAE);
    assert_int_equal(datum.n_extents, 1);
    assert_string_equal(datum.kernel.version, "");
    memctx_datum_deinit(&datum);
}

/* "linux/vmcoreinfo/@size" is linux.vmcoreinfo.size. */
static json_object *
find_member(json_object *at, const char *path)
{
    char name[MEMCTX_FACT_NAME_MAX];
    for (const char *rest; (rest = memctx_fact_step(path, name)) != NULL;
         path = rest)
        at = json_object_object_get(at, name);
    return json_object_object_get(at, path + (path[0] == '@'));
}

static void
compare_names(json_object *array, const char *names)
{
    char joined[MEMCTX_FACT_MAX] = "";
    assert_true(json_object_is_type(array, json_type_array));
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        size_t len = strlen(joined);
        snprintf(joined + len, sizeof(joined) - len, "%s%s", i > 0 ? "," : "",
                 json_object_get_string(json_object_array_get_idx(array, i)));
    }
    assert_string_equal(joined, names);
}

static void
compare_member(json_object *member, const struct memctx_fact *fact,
               const void *from)
{
    char text[MEMCTX_FACT_MAX];
    bool known = memctx_fact_print(fact, from, text);
    if (known != (member != NULL))
        fail_msg("%s is missing, or too much", fact->path);
    if (!known)
        return;
    if (fact->type == MEMCTX_FACT_NAMES) {
        compare_names(member, text);
        return;
    }
    assert_true(json_object_is_type(member, fact->type == MEMCTX_FACT_COUNT
                                                ? json_type_int
                                                : json_type_string));
    assert_string_equal(json_object_get_string(member), text);
}

static void
compare_items(json_object *root, const struct memctx_fact *fact,
              const struct memctx_datum *datum)
{
    size_t n;
    char path[64];
    const char *item = memctx_fact_items(fact, datum, &n);
    snprintf(path, sizeof(path), "%.*s/%s", (int)strcspn(fact->path, "/"),
             fact->path, fact->list->plural);
    json_object *array = find_member(root, path);
    assert_int_equal(n, 2);
    assert_int_equal(json_object_array_length(array), n);
    for (size_t i = 0; i < n; i++, item += fact->list->item_bytes) {
        json_object *object = json_object_array_get_idx(array, i);
        for (const struct memctx_fact *f = fact->list->facts; f->path != NULL;
             f++)
            compare_member(find_member(object, f->path), f, item);
    }
}

static void
check_json(enum memctx_os os)
{
    struct memctx_datum datum = full_datum(os);
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *text;
    assert_done(memctx_datum_to_json(&datum, &text, &err), &err);
    json_object *root = json_tokener_parse(text);
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        if (!memctx_fact_applies(f, &datum, MEMCTX_PRIVATE))
            assert_null(find_member(root, f->path));
        else if (f->type == MEMCTX_FACT_LIST)
            compare_items(root, f, &datum);
        else if (f->type != MEMCTX_FACT_GROUP)
            compare_member(find_member(root, f->path), f, &datum);
    }
    json_object_put(root);
    free(text);
    memctx_datum_deinit(&datum);
}

static void
json_has_every_fact_where_its_path_says(void **state)
{
    (void)state;
    for (enum memctx_os os = 1; os < MEMCTX_OSES; os++)
        check_json(os);
}

/* ---- single facts ------------------------------------------------------- */

static const struct memctx_fact *
find_fact(const char *path)
{
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        if (strcmp(f->path, path) == 0)
            return f;
    }
    fail_msg("no fact %s", path);
    return NULL;
}

static void
what_is_not_known_is_not_told(void **state)
{
    struct memctx_datum datum = {.kernel = {.base_gva = 1}};
    char text[MEMCTX_FACT_MAX];
    (void)state;
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        bool told = is_fact(f) && memctx_fact_print(f, &datum, text);
        bool wanted = is_fact(f) && (f->duty != MEMCTX_FACT_OPTIONAL ||
                                     strcmp(f->path, "kernel/@base") == 0);
        if (told != wanted)
            fail_msg("%s", f->path);
    }
}

/* 0 is a distance like any other where it is known. */
static void
zero_is_told_where_it_is_known(void **state)
{
    static const char *const paths[] = {
        "linux/@kaslr_offset", "linux/@phys_base", "linux/@kimage_voffset"};
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(paths); i++) {
        const struct memctx_fact *fact = find_fact(paths[i]);
        struct memctx_datum datum = {
            .kernel = {.os = MEMCTX_OS_LINUX, .base_gva = 1}};
        char text[MEMCTX_FACT_MAX];
        assert_null(memctx_fact_text(fact, &datum, text));
        assert_false(memctx_fact_parse(fact, "no number", &datum));
        assert_null(memctx_fact_text(fact, &datum, text));
        assert_true(memctx_fact_parse(fact, "0x0", &datum));
        assert_string_equal(text_of(fact, &datum, text), "0x0");
    }
}

static void
what_does_not_fit_is_not_taken(void **state)
{
    static const struct {
        const char *path;
        const char *last; /* that fits */
        const char *text; /* that does not */
    } rows[] = {
        {"@generation", "4294967295", "4294967296"},
        {"windows/offsets/@dtb", "0xffff", "0x10000"},
        {"linux/@phys_base", "-0x8000000000000000", "-0x10000000000000000"},
        {"@published", "2026-11-22T13:40:00Z", "2026-11-22T13:40:00ZZ"},
        {"evidence/@seen", "running", "maybe"},
        {"paging", "aarch64-64k-52", "aarch64-64k"},
        {"guest/@os", "windows", "beos"},
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        const struct memctx_fact *fact = find_fact(rows[i].path);
        struct memctx_datum datum = {.generation = 0};
        char text[MEMCTX_FACT_MAX];
        assert_true(memctx_fact_parse(fact, rows[i].last, &datum));
        if (memctx_fact_parse(fact, rows[i].text, &datum))
            fail_msg("%s takes '%s'", fact->path, rows[i].text);
        assert_true(memctx_fact_print(fact, &datum, text));
        assert_string_equal(text, rows[i].last);
    }
}

static void
a_shorter_text_leaves_nothing_of_a_longer_one(void **state)
{
    const struct memctx_fact *fact = find_fact("guest/@version");
    struct memctx_datum datum = {.generation = 0};
    char text[MEMCTX_FACT_MAX];
    (void)state;
    assert_true(memctx_fact_parse(fact, "10.0.19045", &datum));
    assert_true(memctx_fact_parse(fact, "6.1", &datum));
    assert_true(memctx_fact_print(fact, &datum, text));
    assert_string_equal(text, "6.1");
}

/* ---- the schema --------------------------------------------------------- */

#define PATHS_MAX 128
#define PATH_MAX_BYTES 96

struct paths {
    char path[PATHS_MAX][PATH_MAX_BYTES];
    bool is_optional[PATHS_MAX];
    size_t n;
};

/* parent/kind name, where parent may be "" and kind "@". */
static const char *
add_path(struct paths *paths, const char *parent, const char *kind,
         const char *name, bool is_optional)
{
    assert_true(paths->n < PATHS_MAX);
    paths->is_optional[paths->n] = is_optional;
    char *path = paths->path[paths->n++];
    snprintf(path, PATH_MAX_BYTES, "%s%s%s%s", parent,
             parent[0] != '\0' ? "/" : "", kind, name);
    return path;
}

/* The name of an element of RELAX NG: <name> within, or within a <choice>. */
static void
name_of(const xmlNode *element, char name[MEMCTX_FACT_NAME_MAX])
{
    const xmlNode *choice = memctx_xml_child(element, "choice");
    assert_true(memctx_xml_text(memctx_xml_child(choice, "name"), name,
                                MEMCTX_FACT_NAME_MAX));
}

static const xmlNode *
definition(const xmlNode *node)
{
    char wanted[32];
    char name[32];
    memctx_xml_attr(node, "name", wanted, sizeof(wanted));
    xmlNode *root = xmlDocGetRootElement(node->doc);
    for (const xmlNode *d = memctx_xml_child(root, "define"); d != NULL;
         d = memctx_xml_next(d)) {
        if (memctx_xml_attr(d, "name", name, sizeof(name)) &&
            strcmp(name, wanted) == 0)
            return d;
    }
    fail_msg("no definition of %s", wanted);
    return NULL;
}

static bool
is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE &&
           strcmp((const char *)node->name, name) == 0;
}

/* May what stands in such a node of the schema be absent? */
static bool
is_optional_node(const xmlNode *node)
{
    return is_named(node, "optional") || is_named(node, "zeroOrMore") ||
           is_named(node, "choice");
}

/* An element of a group is there where its system is, one of a list for each
 * item: then it is no choice what stands in it. */
static bool
is_group_or_list(const char *path)
{
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        if (!is_fact(f) && strcmp(f->path, path) == 0)
            return true;
    }
    return false;
}

/* Collect the paths of what stands below `node` in the schema: of attributes,
 * and of elements. */
static void
collect(const xmlNode *node, const char *parent, bool is_optional,
        struct paths *paths)
{
    char name[MEMCTX_FACT_NAME_MAX];
    for (const xmlNode *n = node->children; n != NULL; n = n->next) {
        if (is_named(n, "attribute")) {
            memctx_xml_attr(n, "name", name, sizeof(name));
            add_path(paths, parent, "@", name, is_optional);
        } else if (is_named(n, "element")) {
            name_of(n, name);
            const char *path = add_path(paths, parent, "", name, is_optional);
            collect(n, path, is_optional && !is_group_or_list(path), paths);
        } else if (is_named(n, "ref")) {
            collect(definition(n), parent, is_optional, paths);
        } else if (n->type == XML_ELEMENT_NODE) {
            collect(n, parent, is_optional || is_optional_node(n), paths);
        }
    }
}

/* A path of the table; the elements that lead to it are none of it. */
static void
add_rows(const struct memctx_fact *table, const char *parent,
         struct paths *paths)
{
    for (const struct memctx_fact *f = table; f->path != NULL; f++) {
        add_path(paths, parent, "", f->path, f->duty == MEMCTX_FACT_OPTIONAL);
        if (f->type == MEMCTX_FACT_LIST)
            add_rows(f->list->facts, f->path, paths);
    }
}

/* The index of a path, or of one that it is a part of; -1: none. */
static int
find_path(const char *path, const struct paths *paths)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < paths->n; i++) {
        if (strncmp(paths->path[i], path, len) == 0 &&
            (paths->path[i][len] == '\0' || paths->path[i][len] == '/'))
            return (int)i;
    }
    return -1;
}

static xmlDoc *
read_schema(void)
{
    const char *srcdir = getenv("MEMCTX_SRCDIR");
    char path[512];
    snprintf(path, sizeof(path), "%s/src/memctx.rng",
             srcdir != NULL ? srcdir : ".");
    xmlDoc *doc = xmlReadFile(path, NULL, 0);
    if (doc == NULL)
        fail_msg("%s is no XML; is MEMCTX_SRCDIR set?", path);
    return doc;
}

static void
read_paths(struct paths *schema, struct paths *table)
{
    xmlDoc *doc = read_schema();
    const xmlNode *start = memctx_xml_child(xmlDocGetRootElement(doc), "start");
    collect(memctx_xml_child(start, "element"), "", false, schema);
    add_rows(memctx_facts, "", table);
    assert_true(table->n > 30);
    xmlFreeDoc(doc);
}

static void
table_and_schema_have_the_same_facts(void **state)
{
    static struct paths table;
    static struct paths schema;
    (void)state;
    read_paths(&schema, &table);
    for (size_t i = 0; i < table.n; i++) {
        if (find_path(table.path[i], &schema) < 0)
            fail_msg("%s is not in memctx.rng", table.path[i]);
    }
    for (size_t i = 0; i < schema.n; i++) {
        if (find_path(schema.path[i], &table) < 0)
            fail_msg("%s of memctx.rng is no fact", schema.path[i]);
    }
}

/* What the schema wants is always written, and nothing else. */
static void
what_the_schema_lets_be_absent_is_optional(void **state)
{
    static struct paths table;
    static struct paths schema;
    (void)state;
    read_paths(&schema, &table);
    for (size_t i = 0; i < table.n; i++) {
        int at = find_path(table.path[i], &schema);
        if (is_group_or_list(table.path[i]) || at < 0)
            continue;
        if (schema.is_optional[at] != table.is_optional[i])
            fail_msg("%s is %s by memctx.rng", table.path[i],
                     schema.is_optional[at] ? "optional" : "always there");
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(rows_fit_the_members_that_they_name),
        T(what_is_of_one_system_is_private),
        T(xml_gives_back_every_fact),
        T(public_xml_gives_back_public_facts_only),
        T(what_is_required_is_enough),
        T(json_has_every_fact_where_its_path_says),
        T(what_is_not_known_is_not_told),
        T(zero_is_told_where_it_is_known),
        T(what_does_not_fit_is_not_taken),
        T(a_shorter_text_leaves_nothing_of_a_longer_one),
        T(table_and_schema_have_the_same_facts),
        T(what_the_schema_lets_be_absent_is_optional),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
