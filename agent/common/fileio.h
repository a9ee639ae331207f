/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Files, to the last byte. */
#ifndef MEMCTXD_FILEIO_H
#define MEMCTXD_FILEIO_H

#include <stddef.h>
#include <stdint.h>

/* Write all of it at this offset, in as many calls as that takes; a signal does
 * not end it. 0, or -1 with errno, and some of it may be written then. Any
 * thread. */
int fileio_pwrite_all(int fd, const void *bytes, size_t len_bytes,
                      uint64_t offset);

#endif
