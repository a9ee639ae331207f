/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A backend whose bytes are memory of a process: RAM that has no file, or that
 * is mapped private, so that its file lacks what the guest wrote.
 *
 * The kernel says which pages are there (proc(5), /proc/PID/pagemap), and only
 * those are read from /proc/PID/mem: reading another would put a zero page and
 * page tables into the process. A page that is not there reads as what is in
 * the file below a private mapping, or as zeros. */
#ifndef MEMCTX_PROCMEM_H
#define MEMCTX_PROCMEM_H

#include "ram/source.h"

/* For a source with fd /proc/PID/mem, pagemap_fd and start, a multiple of the
 * page size. When the process has ended, reads are at the end (0 bytes). */
extern const struct memctx_backend_io memctx_procmem_io;

/* The same by nothing but pread(2), for a process that may make no other call.
 * It reads inside [start, start + size) of fd and the entries of these pages of
 * pagemap_fd, where size is the backend's. To pass over a hole takes it longer:
 * the page map has 2 MiB for each GiB. Pages that are there and were never
 * written to (the zero page) are data to it. */
extern const struct memctx_backend_io memctx_procmem_pread_io;

#endif
