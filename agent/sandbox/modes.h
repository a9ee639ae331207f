/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes from CAP_FOWNER what would make it root's.
 *
 * The agent needs this capability for one call: QEMU's memory file has mode
 * 0777 and another owner, and is made 0444 before it is handed out. But who has
 * it beside CAP_SYS_PTRACE reaches the files of the host by /proc/1/root,
 * whatever the agent's own mounts say, gives a file of root's the mode 0666,
 * and writes to it. systemd's list of system calls cannot tell one mode from
 * another. This filter can. */
#ifndef MEMCTXD_MODES_H
#define MEMCTXD_MODES_H

#include "base/error.h"

/* If the calling thread has CAP_FOWNER and not CAP_DAC_OVERRIDE: it, and every
 * thread that it starts from now on, changes modes by fchmod(2) alone, and only
 * to such as let nobody but the owner write and have no set-id and no sticky
 * bit. Everything else that CAP_FOWNER allows with a file of others (chmod,
 * fchmodat, access control lists) fails with EPERM. no_new_privs is set. Any
 * other thread stays as it is: without the former there is nothing to bound,
 * and with the latter it may write to all files anyway. So does one in a
 * program built with sanitizers or for coverage.
 *
 * Threads that were there before keep their system calls. They must have no
 * CAP_FOWNER. -1 with PERMANENT: the kernel has no seccomp filters. */
int modes_guard(struct memctx_error *err);

#endif
