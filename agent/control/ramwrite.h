/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes to guest memory: the only file that opens it for writing. Reached by
 * the operation write alone, which takes a rule in the configuration that names
 * the domain and the operation. */
#ifndef MEMCTXD_RAMWRITE_H
#define MEMCTXD_RAMWRITE_H

#include "control/errand.h"

/* Write errand->bytes to the guest-virtual address errand->address as the
 * kernel's page tables map it now: all bytes or none. One line of the log says
 * who wrote where and what came of it. 0, or -1 with nothing written: RETRY or
 * PERMANENT, not mapped, mapped read-only, no RAM, or not to be opened; STALE,
 * RETRY or GONE: another kernel, or nobody knows which. STALE is also said when
 * the kernel changed while it was written. On a thread of offload.h. */
errand_work_fn ramwrite;

#endif
