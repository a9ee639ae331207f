/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The worker's way from a UUID to guest RAM. Everything that libvirt may let
 * us wait for happens here, never on the loop. */
#include "attach.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "backing.h"
#include "cleanup.h"
#include "domxml.h"
#include "process.h"

struct target {
    struct watch *watch;
    char uuid[37];
    int id;
    bool stub;
};

/* A domain that is gone ends the run; everything else may pass. */
static int
libvirt_failed(const char *what, struct memctx_error *err)
{
    bool gone = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
    return memctx_error_set(err, gone ? MEMCTX_GONE : MEMCTX_RETRY, "%s: %s",
                            what, watch_last_error());
}

static int
fetch_facts(virConnectPtr connection, const struct target *target,
            struct memctx_domxml *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(watch_cleanup_domain)
    virDomainPtr domain = virDomainLookupByUUIDString(connection, target->uuid);
    if (domain == NULL)
        return libvirt_failed("looking up the domain", err);
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *xml = virDomainGetXMLDesc(domain, 0);
    if (xml == NULL)
        return libvirt_failed("reading the domain's XML", err);
    if (memctx_domxml_parse(xml, strlen(xml), ret, err) < 0)
        return -1;
    if (ret->id == target->id)
        return 0;
    memctx_domxml_deinit(ret);
    return memctx_error_set(err, MEMCTX_GONE, "this run of the domain is over");
}

static int
open_process(virConnectPtr connection, const struct target *target,
             const struct memctx_domxml *facts, struct ram *ret,
             struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *uri = virConnectGetURI(connection);
    MEMCTX_CLEANUP(process_deinit) struct process process = PROCESS_INIT;
    if (uri == NULL)
        return libvirt_failed("reading the connection's URI", err);
    if (process_find(uri, facts->name, target->uuid, &process, err) < 0)
        return -1;
    return backing_open(&process, facts, ret, err);
}

static int
open_target(void *arg, struct ram *ret, struct memctx_error *err)
{
    const struct target *target = arg;
    MEMCTX_CLEANUP(watch_cleanup_connection)
    virConnectPtr connection = watch_connection(target->watch);
    MEMCTX_CLEANUP(memctx_domxml_deinit)
    struct memctx_domxml facts = {.id = -1};
    if (connection == NULL)
        return memctx_error_set(err, MEMCTX_RETRY, "libvirt is away");
    if (fetch_facts(connection, target, &facts, err) < 0)
        return -1;
    struct ram ram = {.map = NULL};
    int failed = target->stub
                     ? ram_from_stub(target->uuid, &ram, err)
                     : open_process(connection, target, &facts, &ram, err);
    /* Also when it failed: a datum that nobody can check must not stand. */
    ram.has_inherited = facts.has_datum;
    ram.inherited = facts.datum;
    facts.has_datum = false;
    *ret = ram;
    return failed;
}

int
attach_configure(struct watch *watch, const char *uuid, int id, bool stub,
                 struct adapter_config *ret, struct memctx_error *err)
{
    struct target *target = calloc(1, sizeof(*target));
    if (target == NULL || strlen(uuid) >= sizeof(target->uuid)) {
        free(target);
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    }
    target->watch = watch;
    memcpy(target->uuid, uuid, strlen(uuid) + 1);
    target->id = id;
    target->stub = stub;
    ret->open = open_target;
    ret->open_arg = target;
    ret->open_free = free;
    return 0;
}
