/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The worker's way from a UUID to guest RAM. Everything that libvirt may let
 * us wait for happens here, never on the loop. */
#include "record/opener.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "backing/backing.h"
#include "backing/emulator.h"
#include "base/cleanup.h"
#include "base/uuid.h"
#include "domain/domxml.h"
#include "publish/statefile.h"
#include "watch/vir.h"

struct target {
    struct opener_target wanted; /* its uuid is the copy below */
    char uuid[MEMCTX_UUID_TEXT_SIZE];
};

/* A domain that is gone ends the run; everything else may pass. */
static int
libvirt_failed(const char *what, struct memctx_error *err)
{
    bool gone = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
    return memctx_error_set(err, gone ? MEMCTX_GONE : MEMCTX_RETRY, "%s: %s",
                            what, vir_last_error());
}

static int
fetch_facts(virConnectPtr connection, const struct target *target,
            struct memctx_domxml *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(vir_cleanup_domain)
    virDomainPtr domain = virDomainLookupByUUIDString(connection, target->uuid);
    if (domain == NULL)
        return libvirt_failed("looking up the domain", err);
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *xml = virDomainGetXMLDesc(domain, 0);
    if (xml == NULL)
        return libvirt_failed("reading the domain's XML", err);
    if (memctx_domxml_parse(xml, strlen(xml), ret, err) < 0)
        return -1;
    if (ret->id == target->wanted.id)
        return 0;
    memctx_domxml_deinit(ret);
    return memctx_error_set(err, MEMCTX_GONE, "this run of the domain is over");
}

/* What the datum says of its layout then depends on the kernel. */
static void
tell_doubt(const struct target *target, const struct ram *ram)
{
    if (ram->doubt[0] != '\0')
        log_about(
            target->wanted.log, LOG_LEVEL_WARNING,
            &(struct log_subject){.kind = LOG_KIND_LAYOUT,
                                  .uuid = target->uuid},
            "uuid=%s where RAM is may depend on '%s', which memctxd cannot "
            "read: unless the guest's kernel proves it, the datum says "
            "layout=\"assumed\"; give QEMU max-ram-below-4g and the like "
            "as -machine and -device",
            target->uuid, ram->doubt);
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
    if (emulator_find(uri, facts->name, target->uuid, &process, err) < 0)
        return -1;
    int failed = backing_open(&process, facts, ret, err);
    if (failed == 0)
        tell_doubt(target, ret);
    ret->run.instance = process.instance;
    return failed;
}

/* Synthetic RAM is of no QEMU; the ids of one libvirt must do. */
static int
open_stub(const struct target *target, struct ram *ret,
          struct memctx_error *err)
{
    if (ram_from_stub(target->uuid, ret, err) < 0)
        return -1;
    ret->run.instance = (uint64_t)target->wanted.id + 1;
    return 0;
}

static int
open_target(void *arg, struct ram *ret, struct memctx_error *err)
{
    const struct target *target = arg;
    MEMCTX_CLEANUP(vir_cleanup_connection)
    virConnectPtr connection = watch_connection(target->wanted.watch);
    MEMCTX_CLEANUP(memctx_domxml_deinit)
    struct memctx_domxml facts = {.id = -1};
    if (connection == NULL)
        return memctx_error_set(err, MEMCTX_RETRY, "libvirt is away");
    if (fetch_facts(connection, target, &facts, err) < 0)
        return -1;
    struct ram ram = {.map = NULL};
    int failed = target->wanted.stub
                     ? open_stub(target, &ram, err)
                     : open_process(connection, target, &facts, &ram, err);
    ram.run =
        statefile_counted(target->wanted.dirfd, target->uuid, ram.run.instance);
    /* Also when it failed: a datum that nobody can check must not stand. */
    ram.has_inherited = facts.has_datum;
    ram.inherited = facts.datum;
    facts.has_datum = false;
    *ret = ram;
    return failed;
}

int
opener_configure(const struct opener_target *target, struct ramopen_config *ret,
                 struct memctx_error *err)
{
    struct target *copy = calloc(1, sizeof(*copy));
    if (copy == NULL || strlen(target->uuid) >= sizeof(copy->uuid)) {
        free(copy);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    copy->wanted = *target;
    memcpy(copy->uuid, target->uuid, strlen(target->uuid) + 1);
    copy->wanted.uuid = copy->uuid;
    ret->open = open_target;
    ret->open_arg = copy;
    ret->open_free = free;
    return 0;
}
