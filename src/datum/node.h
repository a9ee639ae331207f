/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Decodes a datum that stands inside a larger XML tree. */
#ifndef MEMCTX_DATUM_NODE_H
#define MEMCTX_DATUM_NODE_H

#include <libxml/tree.h>

#include "datum/datum.h"

/* As memctx_datum_from_xml(), from the element itself. */
int memctx_datum_from_node(const xmlNode *node, struct memctx_datum *ret,
                           struct memctx_error *err);

#endif
