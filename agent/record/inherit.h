/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a record takes over from an earlier agent: the note about the run, and
 * the datum that was in the metadata. Loop thread. */
#ifndef MEMCTXD_INHERIT_H
#define MEMCTXD_INHERIT_H

#include "record/state.h"

/* RAM was opened, or the metadata were read, with this result. Takes what it
 * needs out of *result. */
void inherit(struct record *record, struct adapter_result *result);

#endif
