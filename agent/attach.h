/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens the RAM of a libvirt domain: domain XML, QEMU process, backing. */
#ifndef MEMCTXD_ATTACH_H
#define MEMCTXD_ATTACH_H

#include <stdbool.h>

#include "adapter.h"
#include "watch.h"

/* Fill the parts of an adapter's configuration that let it open the RAM of
 * the run `id` of domain `uuid`; with `stub` synthetic RAM instead. -1 with
 * BUG: out of memory. `watch` must outlive the adapter's tries. */
int attach_configure(struct watch *watch, const char *uuid, int id, bool stub,
                     struct adapter_config *ret, struct memctx_error *err);

#endif
