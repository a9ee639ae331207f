/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How the agent starts a thread. */
#ifndef MEMCTXD_THREAD_H
#define MEMCTXD_THREAD_H

#include <pthread.h>

/* pthread_create() with all signals blocked in the new thread: they are for the
 * main thread, which turns them into events. 0 or an errno value. Any thread.
 */
int thread_start(pthread_t *ret, void *(*run)(void *), void *arg);

#endif
