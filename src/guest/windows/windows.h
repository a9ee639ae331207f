/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The Windows bootstrap: from a page that may be a root to the proof that it is
 * the System process'. */
#ifndef MEMCTX_WINDOWS_H
#define MEMCTX_WINDOWS_H

#include "guest/guest.h"

extern const struct memctx_guest_ops memctx_windows_ops;

#endif
