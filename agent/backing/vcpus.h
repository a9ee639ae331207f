/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How much CPU time the CPUs of a guest use: what the kernel counts for the
 * threads of QEMU that run them. It takes no byte of the guest, and no command
 * of QEMU's monitor. */
#ifndef MEMCTXD_VCPUS_H
#define MEMCTXD_VCPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct vcpus;

/* `procfd`, /proc/PID as a directory, stays the caller's. -1 with EXHAUSTED. */
int vcpus_create(int procfd, struct vcpus **ret, struct memctx_error *err);

/* One more reference; NULL is fine. Any thread. */
struct vcpus *vcpus_share(struct vcpus *vcpus);

/* Let go of one reference. NULL is fine. Any thread. */
void vcpus_drop(struct vcpus *vcpus);

/* CPU time of all of them, in us, in steps of 10 ms; it is less than before
 * when one is gone. `anew`: look which there are. False: nobody can tell, since
 * no thread has such a name, or the process has ended. NULL is fine. One thread
 * at a time. */
bool vcpus_read(struct vcpus *vcpus, bool anew, uint64_t *ret_us);

#endif
