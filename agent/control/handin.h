/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the operation attach asks of the agent. */
#ifndef MEMCTXD_CONTROL_HANDIN_H
#define MEMCTXD_CONTROL_HANDIN_H

#include "base/error.h"

struct handed;
struct record;

/* RAM of a domain is handed in, which is owned from the call on: *ret is the
 * record that has it, in place of `record`, which is no more. -1 with RETRY:
 * libvirt is away; or EXHAUSTED. */
typedef int control_attach_fn(void *arg, struct record *record,
                              struct handed *handed, struct record **ret,
                              struct memctx_error *err);

#endif
