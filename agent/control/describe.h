/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Domains as the control socket speaks of them. Loop thread. */
#ifndef MEMCTXD_DESCRIBE_H
#define MEMCTXD_DESCRIBE_H

#include <json-c/json.h>

#include "record/state.h"

/* {"name","uuid","id","state","reason","generation","live","still"}. The caller
 * puts it. */
json_object *describe_domain(const struct record *record);

/* {"domain":D,"datum":"<memctx ..."}, the latter when it is ready, or silent
 * and the client takes such a one. The caller puts it. */
json_object *describe_with_datum(const struct record *record,
                                 bool takes_silent);

#endif
