/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The checks that a root of Windows has to pass. */
#ifndef MEMCTX_WINDOWS_PROOF_H
#define MEMCTX_WINDOWS_PROOF_H

#include <stdint.h>

#include "guest/guest.h"
#include "paging/view.h"
#include "guest/windows/kuser.h"
#include "guest/windows/roots.h"

#define MEMCTX_WINDOWS_CHECKS 5

/* Run all checks on one root; session->passed says how many it passed. 0 and
 * *ret, but for its clue; or -1 with RETRY and the check that failed, or GONE,
 * and *lead_gpa is the root that the System process of the kernel it maps has,
 * 0: it maps none. Takes up to 131072 steps of the map's work. Uses 100 KiB of
 * stack. Any thread. */
int memctx_windows_prove(struct memctx_session *session,
                         const struct memctx_windows_root *root,
                         struct memctx_kernel *ret, uint64_t *lead_gpa,
                         struct memctx_error *err);

/* Run the checks that need nothing which Windows pages out: of the root, and of
 * the shared page, which *ret becomes. `view` is of this root. 0, or -1 with
 * RETRY and the check that failed, or GONE. Uses 100 KiB of stack. Any thread.
 */
int memctx_windows_resident(struct memctx_view *view,
                            const struct memctx_windows_root *root,
                            struct memctx_windows_kuser *ret,
                            struct memctx_error *err);

#endif
