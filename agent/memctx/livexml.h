/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Fetches a domain's live XML for memctx, which does not link libvirt: the
 * library is loaded when a command needs it. */
#ifndef MEMCTX_LIVEXML_H
#define MEMCTX_LIVEXML_H

#include <stddef.h>

#include "base/error.h"

/* Fetch the XML of `domain` (id, UUID or name, tried in this order), the live
 * one if it runs, by a read-only connection to `uri` (NULL: libvirt's default).
 * Returns 0, and *xml and the connection's own URI, both the caller's to
 * free(); or -1 with PERMANENT and libvirt's reason. */
int livexml_fetch(const char *uri, const char *domain, char **xml,
                  char **canonical_uri, struct memctx_error *err);

/* The XML of all domains of a connection, those that are off, too. */
struct livexml_all {
    char **xml; /* `n` of them */
    size_t n;
    char *canonical_uri;
};

/* 0, or -1 as above. *ret is the caller's to deinit in both cases. */
int livexml_fetch_all(const char *uri, struct livexml_all *ret,
                      struct memctx_error *err);
void livexml_all_deinit(struct livexml_all *all);

/* Would libvirt let us write metadata there? Returns 0, or -1 as above. */
int livexml_try_write(const char *uri, struct memctx_error *err);

#endif
