/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The pidfiles that libvirt keeps of what it started. */
#ifndef MEMCTXD_PIDFILE_H
#define MEMCTXD_PIDFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* The directory in which libvirt keeps pidfiles for `uri`, in `to`. -1 with
 * PERMANENT for a driver without. */
int pidfile_dir(const char *uri, char *to, size_t size,
                struct memctx_error *err);

/* The pid in a pidfile, if that very process holds it locked: libvirt has it
 * locked by the process that becomes the emulator, which keeps the lock as long
 * as it runs (measured with 9.0 and 11.3). -1 with RETRY: there is no such
 * file, or nothing in it, or no lock on it; PERMANENT: no right to open it. */
int pidfile_read(const char *path, pid_t *ret, struct memctx_error *err);

/* Call visit() with the path of each pidfile in `dir`, in no order, until it
 * returns false. At most PIDFILES_MAX are looked at. -1 with RETRY: there is no
 * such directory; PERMANENT: no right to look into it. */
#define PIDFILES_MAX 65536
typedef bool pidfile_fn(const char *path, void *arg);
int pidfile_visit(const char *dir, pidfile_fn *visit, void *arg,
                  struct memctx_error *err);

#endif
