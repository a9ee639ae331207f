/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Descriptors of guest RAM for readers, which stay read-only in their hands.
 *
 * The inode of a memfd has mode 0777: whoever gets a descriptor of it, of
 * whatever uid, may open it for writing through /proc/self/fd, and QEMU's own
 * seals (F_SEAL_SEAL) forbid to add one against that. So its mode is made 0444
 * first, which neither QEMU nor libvirt mind: they have it open (measured with
 * QEMU 7.2 and libvirt 9.0). What cannot be made safe is not handed out. */
#ifndef MEMCTXD_READONLY_H
#define MEMCTXD_READONLY_H

#include <sys/types.h>

#include "base/error.h"
#include "ram/rammap.h"

/* Open the file of `fd` anew for reading, close-on-exec: another open file
 * description, which shares no offset and no flags with ours. -1 with errno. */
int readonly_reopen(int fd);

/* Open a backend anew for a peer with this uid. 0 and a descriptor, which the
 * caller closes; -1 with PERMANENT: why it cannot be handed out, and what would
 * cure it. Any thread. */
int readonly_open(const struct memctx_source *source, uid_t peer, int *ret,
                  struct memctx_error *err);

#endif
