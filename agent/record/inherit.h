/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a record takes over from those before it: the run that an agent has
 * written down, and the datum that stood in the metadata. Loop thread. */
#ifndef MEMCTXD_INHERIT_H
#define MEMCTXD_INHERIT_H

#include "record/state.h"

/* RAM was opened, or the metadata were read, with this result. Takes what it
 * needs out of it. */
void inherit(struct record *record, struct adapter_result *result);

#endif
