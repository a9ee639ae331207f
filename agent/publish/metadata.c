/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks libvirt to write, and judges what it answers. */
#include "publish/metadata.h"

#include <libvirt/virterror.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "datum/datum.h"
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

/* A removal of nothing would be an event for every listener. */
static bool
has_nothing(virDomainPtr domain)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                      MEMCTX_URI, VIR_DOMAIN_AFFECT_LIVE);
    return text == NULL && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA;
}

int
metadata_write(struct watch *watch, const char *uuid, int id, const char *text,
               struct memctx_error *err)
{
    MEMCTX_CLEANUP(vir_cleanup_connection)
    virConnectPtr connection = watch_connection(watch);
    if (connection == NULL)
        return memctx_error_set(err, MEMCTX_GONE, "libvirt is away");
    MEMCTX_CLEANUP(vir_cleanup_domain)
    virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);
    if (is_gone(domain, id))
        return 0;
    if (domain == NULL)
        return memctx_error_set(err, MEMCTX_GONE, "%s", vir_last_error());
    if (text == NULL && has_nothing(domain))
        return 0;
    if (set_metadata(domain, text) < 0)
        return memctx_error_set(err,
                                is_hopeless(virGetLastErrorCode())
                                    ? MEMCTX_PERMANENT
                                    : MEMCTX_RETRY,
                                "%s", vir_last_error());
    if (text != NULL)
        take_back_from_next_run(connection, uuid, id);
    return 0;
}
