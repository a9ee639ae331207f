/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A thread that destroys what may take its time: closing a descriptor may free
 * gigabytes, and what others have put into a socket's queue may be made to wait
 * for as long as they like (a TCP socket that lingers, SO_LINGER in socket(7)).
 * The kernel does that within close(2) of whoever closes last. */
#ifndef MEMCTXD_DISPOSER_H
#define MEMCTXD_DISPOSER_H

#include "base/error.h"

struct disposer;

/* -1 with EXHAUSTED: no thread. Takes SIGUSR2 (SIGALRM is for the end of
 * memctxd). Loop thread. */
int disposer_create(struct disposer **ret, struct memctx_error *err);

/* Wait until all is destroyed. NULL is fine. Loop thread. */
void disposer_destroy(struct disposer *disposer);

/* Have `destroy` called with `what`, which is not the caller's any more. One
 * that waits is interrupted after 10 ms. When there is no memory, or too much
 * waits already, it is called at once. Loop thread. */
void disposer_take(struct disposer *disposer, void (*destroy)(void *what),
                   void *what);

#endif
