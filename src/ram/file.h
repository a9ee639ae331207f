/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A backend that is a file, on whatever file system: RAM that is shared, or a
 * dump of it. */
#ifndef MEMCTX_RAM_FILE_H
#define MEMCTX_RAM_FILE_H

#include "ram/source.h"

/* For a source with fd alone. */
extern const struct memctx_backend_io memctx_file_io;

#endif
