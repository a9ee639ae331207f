/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where bytes go that are too many to be kept in memory. */
#ifndef MEMCTX_SINK_H
#define MEMCTX_SINK_H

#include <stddef.h>

#include "base/error.h"

struct memctx_sink {
    /* Take len_bytes. 0, or -1 and an error: no more are wanted. */
    int (*write)(void *arg, const void *bytes, size_t len_bytes,
                 struct memctx_error *err);
    void *arg;
};

#endif
