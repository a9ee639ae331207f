/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Calls libvirt through dlopen(). Loading the library takes as long as probing
 * a guest, and most commands of memctx do not need it. */
#include "memctx/livexml.h"

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "wire/uri.h"

/* The functions used, by the types in libvirt's own headers. */
struct libvirt {
    void *library;
    __typeof__(virConnectOpenReadOnly) *open_read_only;
    __typeof__(virConnectOpen) *open;
    __typeof__(virConnectClose) *close;
    __typeof__(virConnectGetURI) *get_uri;
    __typeof__(virDomainLookupByID) *by_id;
    __typeof__(virDomainLookupByUUIDString) *by_uuid;
    __typeof__(virDomainLookupByName) *by_name;
    __typeof__(virDomainFree) *free_domain;
    __typeof__(virDomainGetXMLDesc) *get_xml;
    __typeof__(virConnectListAllDomains) *list_all;
    __typeof__(virGetLastErrorMessage) *last_error;
    __typeof__(virSetErrorFunc) *set_error_func;
    virConnectPtr connection;
    virDomainPtr domain;
};

static void
libvirt_deinit(struct libvirt *v)
{
    if (v->domain != NULL)
        v->free_domain(v->domain);
    if (v->connection != NULL)
        v->close(v->connection);
    if (v->library != NULL)
        dlclose(v->library);
}

static int
load(struct libvirt *v, struct memctx_error *err)
{
    const struct {
        const char *name;
        void **to;
    } symbols[] = {
        {"virConnectOpenReadOnly", (void **)&v->open_read_only},
        {"virConnectOpen", (void **)&v->open},
        {"virConnectClose", (void **)&v->close},
        {"virConnectGetURI", (void **)&v->get_uri},
        {"virDomainLookupByID", (void **)&v->by_id},
        {"virDomainLookupByUUIDString", (void **)&v->by_uuid},
        {"virDomainLookupByName", (void **)&v->by_name},
        {"virDomainFree", (void **)&v->free_domain},
        {"virDomainGetXMLDesc", (void **)&v->get_xml},
        {"virConnectListAllDomains", (void **)&v->list_all},
        {"virGetLastErrorMessage", (void **)&v->last_error},
        {"virSetErrorFunc", (void **)&v->set_error_func},
    };
    v->library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
    if (v->library == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot load libvirt: %s", dlerror());
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(symbols); i++) {
        *symbols[i].to = dlsym(v->library, symbols[i].name);
        if (*symbols[i].to == NULL)
            return memctx_error_set(err, MEMCTX_PERMANENT, "libvirt has no %s",
                                    symbols[i].name);
    }
    return 0;
}

static void
say_nothing(void *arg, virErrorPtr error)
{
    (void)arg;
    (void)error;
}

static int
connect_to(struct libvirt *v, const char *uri, bool write,
           struct memctx_error *err)
{
    if (load(v, err) < 0)
        return -1;
    v->set_error_func(NULL, say_nothing);
    v->connection = write ? v->open(uri) : v->open_read_only(uri);
    if (v->connection == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot connect to libvirt%s: %s",
                                write ? " for writing" : "", v->last_error());
    return 0;
}

int
livexml_try_write(const char *uri, struct memctx_error *err)
{
    MEMCTX_CLEANUP(libvirt_deinit) struct libvirt v = {.library = NULL};
    return connect_to(&v, uri, true, err);
}

static virDomainPtr
look_up(const struct libvirt *v, const char *name)
{
    uint64_t id;
    virDomainPtr domain = NULL;
    if (memctx_number_parse_decimal(name, INT_MAX, &id))
        domain = v->by_id(v->connection, (int)id);
    if (domain == NULL)
        domain = v->by_uuid(v->connection, name);
    return domain != NULL ? domain : v->by_name(v->connection, name);
}

int
livexml_fetch(const char *uri, const char *domain, char **xml,
              char **canonical_uri, struct memctx_error *err)
{
    MEMCTX_CLEANUP(libvirt_deinit) struct libvirt v = {.library = NULL};
    struct uri parsed;
    if (uri_parse(uri, &parsed, err) < 0 || connect_to(&v, uri, false, err) < 0)
        return -1;
    v.domain = look_up(&v, domain);
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = v.domain != NULL ? v.get_xml(v.domain, 0) : NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *name = text != NULL ? v.get_uri(v.connection) : NULL;
    if (name == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT, "%s", v.last_error());
    *xml = memctx_steal_ptr(&text);
    *canonical_uri = memctx_steal_ptr(&name);
    return 0;
}

void
livexml_all_deinit(struct livexml_all *all)
{
    for (size_t i = 0; i < all->n; i++)
        free(all->xml[i]);
    free(all->xml);
    free(all->canonical_uri);
    *all = (struct livexml_all){.n = 0};
}

/* Ask for the XML of each, and free the domains. One that was undefined
 * meanwhile has none. */
static void
take_all(const struct libvirt *v, virDomainPtr *domains, size_t n,
         struct livexml_all *ret)
{
    for (size_t i = 0; i < n; i++) {
        char *xml = ret->xml != NULL ? v->get_xml(domains[i], 0) : NULL;
        if (xml != NULL)
            ret->xml[ret->n++] = xml;
        v->free_domain(domains[i]);
    }
    free(domains);
}

int
livexml_fetch_all(const char *uri, struct livexml_all *ret,
                  struct memctx_error *err)
{
    MEMCTX_CLEANUP(libvirt_deinit) struct libvirt v = {.library = NULL};
    struct uri parsed;
    virDomainPtr *domains = NULL;
    *ret = (struct livexml_all){.n = 0};
    if (uri_parse(uri, &parsed, err) < 0 || connect_to(&v, uri, false, err) < 0)
        return -1;
    int n = v.list_all(v.connection, &domains, 0);
    if (n < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "%s", v.last_error());
    ret->xml = calloc((size_t)n + 1, sizeof(ret->xml[0]));
    take_all(&v, domains, (size_t)n, ret);
    ret->canonical_uri = v.get_uri(v.connection);
    return ret->xml != NULL && ret->canonical_uri != NULL
               ? 0
               : memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
}
