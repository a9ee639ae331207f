/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One prober process, as memctxd holds it: started, asked, heard, measured and
 * ended. It has no opinion on what a prober may do; limits.h has. Nothing here
 * waits. One thread at a time may use a prober. */
#ifndef MEMCTXD_PROBER_H
#define MEMCTXD_PROBER_H

#include <stdbool.h>

#include "sandbox/spawner.h"
#include "wire/probe.h"
#include "wire/start.h"

struct prober;

/* Have the program started at the other end of a socket; it waits there for
 * what it is to work on. `launched` is called on the spawner's thread when it
 * has been started, or has not: see prober_has_started(). Until then the prober
 * must stay. 0, or -1 with RETRY: no descriptors; EXHAUSTED: no memory. */
int prober_launch(struct spawner *spawner, const char *program,
                  void (*launched)(void *arg), void *arg, struct prober **ret,
                  struct memctx_error *err);

/* Send it RAM and limits: once, and before it is asked. It may not have been
 * started yet. 0, or -1 as memctx_start_send(). */
int prober_equip(struct prober *prober, const struct memctx_start *start,
                 struct memctx_error *err);

/* After `launched`: 0, or -1 with RETRY: it cannot be started, and why. */
int prober_has_started(const struct prober *prober, struct memctx_error *err);

/* After `launched`, and when it has ended or was never started. NULL is fine.
 */
void prober_destroy(struct prober *prober);

/* Descriptors to poll: the socket for reading; after `launched`, one that is
 * readable when the process has ended, or -1. */
int prober_socket(const struct prober *prober);
int prober_pidfd(const struct prober *prober);

/* It may not have been started yet. That it cannot be started is no error here:
 * prober_has_started() tells it. 0, or -1 with RETRY: it does not listen. */
int prober_ask(struct prober *prober,
               const struct memctx_probe_request *request,
               struct memctx_error *err);

enum prober_heard {
    PROBER_NOTHING, /* yet */
    PROBER_ANSWER,
    PROBER_CLOSED, /* it will say no more */
};

/* Up to `size` bytes of the next message; *len is how long it is, which may be
 * more. It is not decoded. */
enum prober_heard prober_hear(struct prober *prober, void *bytes, size_t size,
                              size_t *len);

/* CPU time it has used, with all it did before it was asked anything, in us;
 * 0 before `launched`. */
uint64_t prober_cpu_us(const struct prober *prober);

/* End it, whatever it does. It may take as long as the kernel does not let go
 * of it. After `launched`. */
void prober_kill(struct prober *prober);

/* Has it ended? Then true, once, and why in words: "ended by signal 11 (...)".
 */
bool prober_reap(struct prober *prober, char *why, size_t size);

#endif
