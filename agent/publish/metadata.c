/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks libvirt to write, and judges what it answers. */
#include "publish/metadata.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "base/cleanup.h"
#include "datum/datum.h"
#include "text/xml.h"
#include "watch/vir.h"

/* A domain that is gone, or is another run by now, needs nothing written. */
static bool
is_gone(virDomainPtr domain, int id)
{
    int code = virGetLastErrorCode();
    return domain == NULL ? code == VIR_ERR_NO_DOMAIN
                          : (int)virDomainGetID(domain) != id;
}

/* LIVE only: what is written to the configuration would be wrong at the next
 * boot. */
static int
set_metadata(virDomainPtr domain, const char *text)
{
    return virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, text,
                                MEMCTX_KEY, MEMCTX_URI, VIR_DOMAIN_AFFECT_LIVE);
}

/* libvirt finds a domain by its UUID only after it has waited for other jobs:
 * if it was restarted meanwhile, the datum went to the next run. */
static void
take_back_from_next_run(virConnectPtr connection, const char *uuid, int id)
{
    MEMCTX_CLEANUP(vir_cleanup_domain)
    virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);
    if (domain != NULL && is_gone(domain, id))
        set_metadata(domain, NULL);
}

/* What trying again cannot cure. */
static bool
is_hopeless(int code)
{
    return code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_OPERATION_INVALID ||
           code == VIR_ERR_NO_DOMAIN_METADATA ||
           code == VIR_ERR_OPERATION_DENIED || code == VIR_ERR_ACCESS_DENIED;
}

/* libvirt stores what it parsed, and prints that in its own way: texts say
 * nothing, elements do. All of the element counts: what a reader of ours would
 * skip, another one might believe. */
#define ELEMENT_MAX (2 * MEMCTX_DATUM_MAX) /* with libvirt's blanks */

static bool
is_same_element(const char *a, const char *b)
{
    MEMCTX_CLEANUP(memctx_cleanup_xml_doc) xmlDoc *x = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_xml_doc) xmlDoc *y = NULL;
    return memctx_xml_parse(a, strlen(a), ELEMENT_MAX, &x, NULL) == 0 &&
           memctx_xml_parse(b, strlen(b), ELEMENT_MAX, &y, NULL) == 0 &&
           memctx_xml_is_same(xmlDocGetRootElement(x), xmlDocGetRootElement(y));
}

/* Does it stand there already? What cannot be read is written. */
static bool
stands(virDomainPtr domain, const char *text)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *found = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                       MEMCTX_URI, VIR_DOMAIN_AFFECT_LIVE);
    if (found == NULL)
        return text == NULL &&
               virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA;
    return text != NULL && is_same_element(found, text);
}

int
metadata_write(struct watch *watch, const char *uuid, int id, const char *text,
               bool *written, struct memctx_error *err)
{
    MEMCTX_CLEANUP(vir_cleanup_connection)
    virConnectPtr connection = watch_connection(watch);
    if (connection == NULL)
        return memctx_error_set(err, MEMCTX_GONE, "libvirt is away");
    MEMCTX_CLEANUP(vir_cleanup_domain)
    virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);
    bool over = is_gone(domain, id);
    if (domain == NULL && !over)
        return memctx_error_set(err, MEMCTX_GONE, "%s", vir_last_error());
    if (over || stands(domain, text)) {
        *written = false;
        return 0;
    }
    if (set_metadata(domain, text) < 0)
        return memctx_error_set(err,
                                is_hopeless(virGetLastErrorCode())
                                    ? MEMCTX_PERMANENT
                                    : MEMCTX_RETRY,
                                "%s", vir_last_error());
    if (text != NULL)
        take_back_from_next_run(connection, uuid, id);
    *written = true;
    return 0;
}
