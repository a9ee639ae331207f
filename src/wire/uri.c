/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks nobody: a URI alone tells whose domains it means. */
#include "wire/uri.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/uri.h>

#include "base/bytes.h"
#include "base/cleanup.h"

static void
cleanup_uri(xmlURIPtr *uri)
{
    xmlFreeURI(*uri);
}

static void
cleanup_xml_text(char **text)
{
    xmlFree(*text);
}

/* Cut "driver+transport" at its '+'. False: the driver's name is too long. */
static bool
take_driver(const char *scheme, struct uri *ret, const char **transport)
{
    size_t len = strcspn(scheme, "+");
    if (len >= sizeof(ret->driver))
        return false;
    for (size_t i = 0; i < len; i++)
        ret->driver[i] = (char)tolower((unsigned char)scheme[i]);
    ret->driver[len] = '\0';
    *transport = scheme[len] == '+' ? scheme + len + 1 : NULL;
    return true;
}

/* The value of `key` in "key=value&key=value"; libvirt takes ';' for '&'. NULL:
 * it is not there, or empty. The caller frees it with xmlFree(). */
static char *
take_parameter(const char *query, const char *key)
{
    size_t key_len = strlen(key);
    for (; query != NULL && *query != '\0'; query += strspn(query, "&;")) {
        size_t len = strcspn(query, "&;");
        if (len > key_len + 1 && query[key_len] == '=' &&
            strncmp(query, key, key_len) == 0)
            return xmlURIUnescapeString(query + key_len + 1,
                                        (int)(len - key_len - 1), NULL);
        query += len;
    }
    return NULL;
}

static int
take_root(const char *query, struct uri *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_xml_text) char *root = take_parameter(query, "root");
    if (root == NULL || root[0] != '/' || strlen(root) >= sizeof(ret->root))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "an embed URI names its directory: ?root=/...");
    snprintf(ret->root, sizeof(ret->root), "%s", root);
    return 0;
}

static enum uri_scope
scope_of(const char *path)
{
    static const struct {
        const char *path;
        enum uri_scope scope;
    } scopes[] = {
        {"/system", URI_SYSTEM},
        {"/session", URI_SESSION},
        {"/embed", URI_EMBED},
    };
    for (size_t i = 0; path != NULL && i < MEMCTX_ARRAY_LEN(scopes); i++) {
        if (strcmp(path, scopes[i].path) == 0)
            return scopes[i].scope;
    }
    return URI_OTHER;
}

/* libvirt picks tls where a server is named without a transport. */
static int
check_host(const char *text, const char *transport, const char *server,
           struct memctx_error *err)
{
    bool by_socket = transport == NULL || strcasecmp(transport, "unix") == 0;
    if (by_socket && (server == NULL || server[0] == '\0'))
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "'%.200s' is of another host, and memctxd serves "
                            "the domains of its own: ask there",
                            text);
}

static int
parse(const char *text, struct uri *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_uri) xmlURIPtr xml = xmlParseURI(text);
    const char *transport;
    if (xml == NULL || xml->scheme == NULL || strstr(text, "://") == NULL ||
        !take_driver(xml->scheme, ret, &transport))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "'%.200s' is no libvirt URI, as qemu:///system "
                                "is one; aliases are not known here",
                                text);
    if (check_host(text, transport, xml->server, err) < 0)
        return -1;
    ret->scope = scope_of(xml->path);
    return ret->scope == URI_EMBED ? take_root(xml->query_raw, ret, err) : 0;
}

int
uri_parse(const char *text, struct uri *ret, struct memctx_error *err)
{
    struct uri uri = {.scope = URI_DEFAULT};
    if (text == NULL || text[0] == '\0')
        text = getenv("LIBVIRT_DEFAULT_URI");
    if (text != NULL && text[0] != '\0' && parse(text, &uri, err) < 0)
        return -1;
    *ret = uri;
    return 0;
}
