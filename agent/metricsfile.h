/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Keeps a file with metrics up to date, for the textfile collector of
 * node_exporter. It looks at the agent, which knows nothing of it. The text is
 * made on the loop and written on a thread: a disk may stand still. Loop
 * thread. */
#ifndef MEMCTXD_METRICSFILE_H
#define MEMCTXD_METRICSFILE_H

#include "agent.h"

struct metricsfile;

/* On libvirt's event loop. All are borrowed. `path` "": there is no file, and
 * nothing is done. -1 with PERMANENT: the path is not absolute; EXHAUSTED. */
int metricsfile_create(const char *path, const struct agent *agent,
                       const struct log *log, struct metricsfile **ret,
                       struct memctx_error *err);

/* Remove the file: nobody vouches for it any more. NULL is fine. */
void metricsfile_destroy(struct metricsfile *file);

/* A turn of the loop is over: have the file written soon if something has
 * changed. */
void metricsfile_look(struct metricsfile *file);

#endif
