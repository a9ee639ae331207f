/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The log that a Linux kernel keeps in its memory, which dmesg(1) prints, while
 * the guest goes on writing it.
 *
 * Since 5.10 it is a ring of descriptors, a ring of texts and an array beside
 * the descriptors (kernel/printk/printk_ringbuffer.c); before that one buffer
 * of records (log_buf, kernel/printk/printk.c). VMCOREINFO names both, and
 * where the members of their structs are. */
#ifndef MEMCTX_PRINTK_H
#define MEMCTX_PRINTK_H

#include <stdint.h>

#include "base/error.h"
#include "explain/record.h"
#include "explain/target.h"

/* The steps of work that no log takes more of. */
#define MEMCTX_PRINTK_STEPS (UINT64_C(1) << 20)

struct memctx_printk;

/* Find the log, and begin with the oldest record. 0, or -1 with PERMANENT: this
 * kernel does not say where its log is, or what it says is not sane; RETRY: it
 * cannot be read; EXHAUSTED. The target must outlive *ret, which the caller
 * closes. Takes about 1 MiB of memory; 32 MiB for a log of before 5.10 that is
 * as large as can be. */
int memctx_printk_open(const struct memctx_target *target,
                       struct memctx_printk **ret, struct memctx_error *err);
void memctx_printk_close(struct memctx_printk *log); /* NULL is fine */
void memctx_printk_cleanup(struct memctx_printk **log);

/* The next record: 1 and *ret; 0: there is none yet, and a later call looks
 * anew; or -1 with RETRY (it cannot be read, or no work is left).
 *
 * A record is given whole or not at all: only if it was finished before its
 * text was read, and still the same after that. One that the guest has begun
 * and not finished is passed over; where the log grows, it is an end like any
 * other the first time that it is met. */
int memctx_printk_next(struct memctx_printk *log,
                       enum memctx_printk_reach reach,
                       struct memctx_printk_record *ret,
                       struct memctx_error *err);

/* Go on with the last n records that there are now; a log of before 5.10 stays
 * where it is. Errors as above. */
int memctx_printk_seek_last(struct memctx_printk *log, uint64_t n,
                            struct memctx_error *err);

/* Where in RAM the kernel counts its messages: a word of 4 or 8 bytes, aligned,
 * that each of them changes. 0, or -1 with PERMANENT or RETRY as
 * memctx_printk_open(). The word is another one once the kernel has moved its
 * log, which it does before its clock ticks (setup_log_buf()). Any thread. */
int memctx_printk_head(const struct memctx_target *target, uint64_t *gpa,
                       unsigned *bytes, struct memctx_error *err);

#endif
