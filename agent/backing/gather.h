/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where the facts about a guest's RAM come from: domain XML, QEMU's arguments
 * and the host's CPU, joined. */
#ifndef MEMCTXD_GATHER_H
#define MEMCTXD_GATHER_H

#include "domain/domxml.h"
#include "qemu/memconf.h"
#include "qemu/args.h"

/* Join the two into *ret; either may be NULL, not both. `here`: the domain
 * runs on this host, so that KVM gives its vCPUs the vendor of our CPU. */
void gather_memconf(const struct memctx_domxml *facts,
                    const struct memctx_qemuargs *args, bool here,
                    struct memctx_memconf *ret);

#endif
