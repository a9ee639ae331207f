/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What readers need of the agent they come from: each has a connection of its
 * own, so that it can be used while another request waits. */
#ifndef MEMCTX_READER_AGENT_H
#define MEMCTX_READER_AGENT_H

#include "memctx.h"

#define AGENT_DIR_MAX 256

/* Lives as long as the agent. */
const char *agent_dir(const struct memctx_agent *agent);

#endif
