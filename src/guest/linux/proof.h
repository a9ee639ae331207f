/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The checks that a kernel with VMCOREINFO has to pass. */
#ifndef MEMCTX_LINUX_PROOF_H
#define MEMCTX_LINUX_PROOF_H

#include "base/error.h"
#include "guest/guest.h"
#include "guest/linux/vmcoreinfo.h"

/* Prove that `info` is true of a kernel in RAM: every root that it may mean is
 * walked to the root itself, to code and to the release that the kernel tells
 * its users; session->passed says how many checks the best one passed. 0 and
 * *ret, but for its clue; or -1 with RETRY and the check that failed, or GONE.
 * Some 60 reads a root. Any thread. */
int memctx_linux_prove(struct memctx_session *session,
                       const struct memctx_vmcoreinfo *info,
                       struct memctx_kernel *ret, struct memctx_error *err);

#endif
