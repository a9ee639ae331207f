/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Look-ups in XML; what the parser refuses is tested with those who call it. */
#include "unit.h"

#include <libxml/parser.h>

#include "text/xml.h"

static xmlDoc *
parse(const char *xml)
{
    xmlDoc *doc = NULL;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_xml_parse(xml, strlen(xml), 4096, &doc, &err), &err);
    return doc;
}

static void
test_text_at_its_longest(void **state)
{
    xmlDoc *doc = parse("<a/>");
    struct memctx_error err = MEMCTX_ERROR_INIT;
    (void)state;
    xmlFreeDoc(doc);
    assert_done(memctx_xml_parse("<a/>", 4, 4, &doc, &err), &err);
    xmlFreeDoc(doc);
    doc = NULL;
    assert_int_equal(memctx_xml_parse("<a/>", 4, 3, &doc, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "XML of 4 bytes, at most 3 are read");
    assert_null(doc);
}

static void
test_children_are_elements_of_that_name(void **state)
{
    xmlDoc *doc = parse("<r>b<!-- b --><?b b?><c><b/></c><b n='1'/>"
                        "<x:b xmlns:x='urn:x' n='2'/><bb/></r>");
    const xmlNode *root = xmlDocGetRootElement(doc);
    char text[8];
    (void)state;
    xmlNode *b = memctx_xml_child(root, "b");
    assert_true(memctx_xml_attr(b, "n", text, sizeof(text)));
    assert_string_equal(text, "1");
    b = memctx_xml_next(b);
    assert_true(memctx_xml_attr(b, "n", text, sizeof(text)));
    assert_string_equal(text, "2");
    assert_null(memctx_xml_next(b));
    assert_null(memctx_xml_child(root, "d"));
    xmlFreeDoc(doc);
}

static void
test_nothing_has_nothing(void **state)
{
    char text[8] = "before";
    (void)state;
    assert_null(memctx_xml_child(NULL, "a"));
    assert_false(memctx_xml_attr(NULL, "a", text, sizeof(text)));
    assert_string_equal(text, "");
    strcpy(text, "before");
    assert_false(memctx_xml_text(NULL, text, sizeof(text)));
    assert_string_equal(text, "");
}

static void
test_attribute_that_is_absent_or_long(void **state)
{
    xmlDoc *doc = parse("<r a='1234567' b='12345678' c='' "
                        "x:d='1' xmlns:x='urn:x'/>");
    const xmlNode *root = xmlDocGetRootElement(doc);
    char text[8] = "before";
    (void)state;
    assert_true(memctx_xml_attr(root, "a", text, sizeof(text)));
    assert_string_equal(text, "1234567");
    assert_false(memctx_xml_attr(root, "b", text, sizeof(text)));
    assert_string_equal(text, "");
    assert_true(memctx_xml_attr(root, "c", text, sizeof(text)));
    assert_string_equal(text, "");
    /* Of a namespace that is not ours. */
    assert_false(memctx_xml_attr(root, "d", text, sizeof(text)));
    xmlFreeDoc(doc);
}

static void
test_text_of_an_element(void **state)
{
    xmlDoc *doc = parse("<r>a<b>&lt;</b><![CDATA[&]]></r>");
    char text[4];
    (void)state;
    assert_true(memctx_xml_text(xmlDocGetRootElement(doc), text, 4));
    assert_string_equal(text, "a<&");
    assert_false(memctx_xml_text(xmlDocGetRootElement(doc), text, 3));
    assert_string_equal(text, "");
    xmlFreeDoc(doc);
}

static bool
are_same(const char *a, const char *b)
{
    xmlDoc *x = parse(a);
    xmlDoc *y = parse(b);
    bool same =
        memctx_xml_is_same(xmlDocGetRootElement(x), xmlDocGetRootElement(y));
    assert_int_equal(
        memctx_xml_is_same(xmlDocGetRootElement(y), xmlDocGetRootElement(x)),
        same);
    xmlFreeDoc(x);
    xmlFreeDoc(y);
    return same;
}

static void
test_elements_spelled_in_two_ways_are_the_same(void **state)
{
    (void)state;
    assert_true(are_same("<a b='1' c='&lt;'><d></d><e>x</e></a>",
                         "<p:a xmlns:p='urn:x' b=\"1\" c=\"&#60;\">\n <p:d/>\n"
                         " <p:e>x</p:e>\n</p:a>\n"));
}

static void
test_elements_that_differ_anywhere_differ(void **state)
{
    static const char *const others[] = {
        "<b x='1'><c>t</c><d/></b>", "<a><c>t</c><d/></a>",
        "<a x='2'><c>t</c><d/></a>", "<a x='1' y='1'><c>t</c><d/></a>",
        "<a x='1'><c>u</c><d/></a>", "<a x='1'><c>t</c></a>",
        "<a x='1'><c>t<d/></c></a>", "<a x='1'><c>t</c><d/><e/></a>",
        "<a x='1'><d/><c>t</c></a>", "<a x='1'><c>t</c><d/><!-- e --></a>",
        "<a x='1'><c/><d/></a>",     "<a x='1'><c>t</c><d>t</d></a>",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(are_same("<a x='1'><c>t</c><d/></a>", others[i]));
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_text_at_its_longest),
        T(test_children_are_elements_of_that_name),
        T(test_nothing_has_nothing),
        T(test_attribute_that_is_absent_or_long),
        T(test_text_of_an_element),
        T(test_elements_spelled_in_two_ways_are_the_same),
        T(test_elements_that_differ_anywhere_differ),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    xmlCleanupParser();
    return failed;
}
