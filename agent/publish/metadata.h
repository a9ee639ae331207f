/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum's element in a domain's live metadata. Each call may wait for as
 * long as another job on the domain takes. */
#ifndef MEMCTXD_METADATA_H
#define MEMCTXD_METADATA_H

#include <stdbool.h>

#include "base/error.h"
#include "watch/watch.h"

/* Make `text` the element of run `id` of domain `uuid`, or remove it (NULL).
 * Each write is an event for every listener, so the element is read first, and
 * written only if it differs. If the run is over, nothing is done. 0, and
 * *written says whether something else stood there; -1 with GONE: libvirt is
 * away; RETRY: it did not do it now; PERMANENT: it never will. Not on the loop
 * thread. */
int metadata_write(struct watch *watch, const char *uuid, int id,
                   const char *text, bool *written, struct memctx_error *err);

#endif
