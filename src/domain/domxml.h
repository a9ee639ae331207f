/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the facts memctxd needs from live domain XML. The XML comes from
 * libvirt, but users write most of it: it is parsed as hostile input, without
 * network, entities or unbounded size. */
#ifndef MEMCTX_DOMXML_H
#define MEMCTX_DOMXML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "datum/datum.h"
#include "base/error.h"
#include "qemu/memconf.h"

#define MEMCTX_DOMXML_MAX (4u * 1024 * 1024) /* libvirt's own limit for RPC */
#define MEMCTX_DOMAIN_NAME_MAX 256

struct memctx_domxml {
    char name[MEMCTX_DOMAIN_NAME_MAX]; /* UTF-8, not empty */
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    int id;             /* -1: not running */
    char arch[32];      /* os/type/@arch */
    char encrypted[32]; /* launchSecurity/@type; "" without, "unknown" */
    struct memctx_memconf memory; /* what decides the layout of RAM */
    bool has_datum;               /* there is a memctx element */
    struct memctx_datum datum;    /* valid only then; generation 0 and nothing
                                     else when it does not decode */
};

/* Parse len_bytes of live domain XML. 0, or -1 with PERMANENT: not XML, no
 * <domain>, no name or UUID, a size that is none, too long. *ret is untouched
 * on failure; on success the caller calls memctx_domxml_deinit(). A memctx
 * metadata element that does not decode counts as one of no kernel. Any thread.
 */
int memctx_domxml_parse(const char *xml, size_t len_bytes,
                        struct memctx_domxml *ret, struct memctx_error *err);

/* The same for XML of a domain that need not be defined yet: without a UUID,
 * ret->uuid is "". */
int memctx_domxml_parse_draft(const char *xml, size_t len_bytes,
                              struct memctx_domxml *ret,
                              struct memctx_error *err);

void memctx_domxml_deinit(struct memctx_domxml *facts);

#endif
