/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The part of domxml.c that reads what decides the layout of RAM. */
#ifndef MEMCTX_DOMXML_MEMORY_H
#define MEMCTX_DOMXML_MEMORY_H

#include <libxml/tree.h>

#include "base/error.h"
#include "qemu/memconf.h"

/* Fill *ret from the element <domain>, and from the arguments that a
 * <qemu:commandline> appends. 0, or -1 with PERMANENT: a size or a number that
 * is none, more cells or devices than QEMU has. *ret is untouched then. */
int memctx_domxml_memory(const xmlNode *domain, struct memctx_memconf *ret,
                         struct memctx_error *err);

#endif
