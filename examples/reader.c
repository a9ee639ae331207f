/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A reader: fetches the datum of a domain from libvirt and prints it. Shows
 * what a reader owes the contract in memctx-datum(7): names without namespace,
 * what is unknown passed over, each number checked, a kernel that does not run
 * told from one that does, "no datum" no error.
 *
 *   cc -o reader reader.c $(pkg-config --cflags --libs libvirt libxml-2.0)
 *   ./reader [-c URI] DOMAIN      exits with 3 when there is no datum (yet)
 */
#include <errno.h>
#include <inttypes.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first element called `name` at or behind `node`. */
static xmlNode *
element(xmlNode *node, const char *name)
{
    while (node != NULL && (node->type != XML_ELEMENT_NODE ||
                            strcmp((const char *)node->name, name) != 0))
        node = node->next;
    return node;
}

static xmlNode *
child(xmlNode *node, const char *name)
{
    return node != NULL ? element(node->children, name) : NULL;
}

/* Where it is absent the kernel runs. */
static void
warn_unless_live(xmlNode *root)
{
    xmlChar *live = xmlGetNoNsProp(root, (const xmlChar *)"live");
    if (live != NULL)
        fprintf(stderr, "warning: live is %s: this kernel %s\n", (char *)live,
                strcmp((char *)live, "no") == 0 ? "stands still"
                                                : "may stand still");
    xmlFree(live);
}

/* Numbers are "0x" and hex digits. Takes the text. */
static int
number(xmlChar *text, uint64_t *ret)
{
    char *end = NULL;
    errno = 0;
    if (text != NULL && strncmp((char *)text, "0x", 2) == 0)
        *ret = strtoull((char *)text, &end, 16);
    int good = end != NULL && end > (char *)text + 2 && *end == '\0';
    xmlFree(text);
    return good && errno == 0 ? 0 : -1;
}

static int
attribute(xmlNode *node, const char *name, uint64_t *ret)
{
    return number(xmlGetNoNsProp(node, (const xmlChar *)name), ret);
}

static void
print_text(const char *label, xmlChar *text)
{
    printf("%s %s\n", label, text != NULL ? (char *)text : "?");
    xmlFree(text);
}

static int
print_extents(xmlNode *ram)
{
    for (xmlNode *e = child(ram, "extent"); e != NULL;
         e = element(e->next, "extent")) {
        uint64_t gpa, size, offset;
        if (attribute(e, "gpa", &gpa) < 0 || attribute(e, "size", &size) < 0 ||
            attribute(e, "offset", &offset) < 0 || gpa > UINT64_MAX - size)
            return -1;
        printf("extent gpa 0x%" PRIx64 " size 0x%" PRIx64 " from 0x%" PRIx64,
               gpa, size, offset);
        print_text(" of", xmlGetNoNsProp(e, (const xmlChar *)"backend"));
    }
    return 0;
}

static int
print_datum(const char *text)
{
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR);
    xmlNode *root =
        doc != NULL ? element(xmlDocGetRootElement(doc), "memctx") : NULL;
    uint64_t kcr3;
    int failed = root == NULL ||
                 number(xmlNodeGetContent(child(root, "kcr3")), &kcr3) < 0;
    if (!failed) {
        xmlNode *guest = child(root, "guest");
        warn_unless_live(root);
        printf("kcr3 %#" PRIx64 "\n", kcr3);
        print_text("paging", xmlNodeGetContent(child(root, "paging")));
        print_text("guest", xmlGetNoNsProp(guest, (const xmlChar *)"os"));
        print_text("version",
                   xmlGetNoNsProp(guest, (const xmlChar *)"version"));
        failed = print_extents(child(root, "ram")) < 0;
    }
    xmlFreeDoc(doc);
    if (failed)
        fputs("error: the datum is not what memctx-datum(7) says\n", stderr);
    return failed ? 1 : 0;
}

static int
read_domain(virConnectPtr connection, const char *name)
{
    virDomainPtr domain = virDomainLookupByName(connection, name);
    if (domain == NULL)
        return 1; /* libvirt has printed why */
    char *text = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                      "urn:memctx:1", VIR_DOMAIN_AFFECT_LIVE);
    int why = virGetLastErrorCode();
    int code = 1;
    if (text != NULL)
        code = print_datum(text);
    else if (why == VIR_ERR_NO_DOMAIN_METADATA ||
             why == VIR_ERR_OPERATION_INVALID) /* it does not run */
        code = 3;
    free(text);
    virDomainFree(domain);
    return code;
}

int
main(int argc, char **argv)
{
    int has_uri = argc == 4 && strcmp(argv[1], "-c") == 0;
    if (argc != 2 && !has_uri) {
        fputs("usage: reader [-c URI] DOMAIN\n", stderr);
        return 2;
    }
    virConnectPtr connection = virConnectOpenReadOnly(has_uri ? argv[2] : NULL);
    if (connection == NULL)
        return 1;
    int code = read_domain(connection, argv[argc - 1]);
    virConnectClose(connection);
    return code;
}
