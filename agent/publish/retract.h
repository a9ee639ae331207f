/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctxd --retract: withdraws what an agent that is gone left published. */
#ifndef MEMCTXD_RETRACT_H
#define MEMCTXD_RETRACT_H

#include "base/error.h"
#include "common/log.h"
#include "config/settings.h"

/* Remove the datum from every running domain of the connection, and the files
 * in `dir` but for the counts in runs/. Does nothing while an agent runs in
 * `dir`: it vouches. Leaves the metadata alone while an agent of whatever
 * directory vouches for the domains of the connection.
 * virEventRegisterDefaultImpl() must have been called. -1 with PERMANENT or
 * RETRY: the directory cannot be used, libvirt does not answer, or a domain was
 * held by another job for too long. */
int retract(const struct settings *settings, const char *dir,
            const struct log *log, struct memctx_error *err);

#endif
