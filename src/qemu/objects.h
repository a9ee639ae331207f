/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What QEMU's arguments say of memory backends, of the NUMA cells and the
 * memory devices that use them. */
#ifndef MEMCTX_OBJECTS_H
#define MEMCTX_OBJECTS_H

#include "qemu/argument.h"

/* -object, -numa and -device. */
memctx_argument_fn memctx_objects_take_object;
memctx_argument_fn memctx_objects_take_cell;
memctx_argument_fn memctx_objects_take_device;

/* Does this property of a device decide where its RAM is, or which that is? */
bool memctx_objects_places(const char *driver, const char *property);

/* All arguments were taken: let cells and devices know the size of their
 * backends, which may stand behind them. -1 with PERMANENT: -m and the boot
 * backend differ. */
int memctx_objects_resolve(struct memctx_qemuargs *args,
                           struct memctx_error *err);

#endif
