/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The files domains/<uuid>.xml: what libvirt hook scripts, which may not call
 * libvirt, read instead. Written by rename, mode 0640. */
#ifndef MEMCTXD_STATEFILE_H
#define MEMCTXD_STATEFILE_H

#include "error.h"

/* Make DIR and DIR/domains if need be (0755) and return a descriptor of the
 * latter, which the caller closes. -1 with PERMANENT, also when one of them is
 * a symlink, another user's, or writable by others. */
int statefile_open_dir(const char *dir, int *ret, struct memctx_error *err);

/* Remove what an agent that was killed left there. */
void statefile_clean(int dirfd);

/* Write or replace uuid's file. -1 with RETRY; the old file stands then. */
int statefile_write(int dirfd, const char *uuid, const char *text,
                    struct memctx_error *err);

/* Remove it, if it is there. */
void statefile_remove(int dirfd, const char *uuid);

#endif
