/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From a domain to its QEMU process. It is the process that libvirt started,
 * which a pidfile names, or a child of it where libvirt was told to start a
 * wrapper (<emulator> is a script, strace, or the like). */
#ifndef MEMCTXD_EMULATOR_H
#define MEMCTXD_EMULATOR_H

#include "backing/process.h"

/* Find the QEMU of the domain with `uuid` on the libvirt connection with
 * canonical URI `uri` (qemu:///system, qemu:///session, qemu:///embed?root=R).
 * `name` only says which pidfile to look into first: libvirt's name of it is
 * not always the domain's (it has &amp; for &). The pidfile must be locked by
 * the process it names, and the process must carry the uuid as libvirt wrote it
 * on its command line. 0 and *ret, which the caller gives to process_deinit();
 * -1 with RETRY: no such process yet; PERMANENT: no right to look, a URI of
 * another driver, or arguments that cannot be read; GONE: it ended meanwhile.
 * Any thread. */
int emulator_find(const char *uri, const char *name, const char *uuid,
                  struct process *ret, struct memctx_error *err);

#endif
