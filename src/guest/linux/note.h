/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The VMCOREINFO of a Linux kernel, in its RAM. */
#ifndef MEMCTX_LINUX_NOTE_H
#define MEMCTX_LINUX_NOTE_H

#include <stdbool.h>

#include "guest/kernel.h"
#include "guest/linux/vmcoreinfo.h"
#include "ram/rammap.h"

/* Does one, as an ELF note or bare, begin at this address? One read of 24
 * bytes. Any thread. */
bool memctx_linux_note_begins(const struct memctx_rammap *map, uint64_t gpa);

/* Read and parse the ELF note or the bare text at clue_gpa. *is_note tells
 * which it is, *size is the length of the text in bytes. -1 with RETRY: there
 * is none, or it does not parse; GONE. Reads at most 16 KiB. Any thread. */
int memctx_linux_note_read(const struct memctx_rammap *map, uint64_t clue_gpa,
                           struct memctx_vmcoreinfo *info, bool *is_note,
                           size_t *size, struct memctx_error *err);

/* Does this kernel, of any system, keep one? */
bool memctx_linux_has_note(const struct memctx_kernel *kernel);

/* Reads guest-physical memory, as memctx_rammap_read(). */
typedef int memctx_linux_read_fn(void *arg, uint64_t gpa, void *buf, size_t len,
                                 struct memctx_error *err);

/* The VMCOREINFO of a kernel that was found, as it stands in RAM, NUL behind
 * it; *ret is the caller's to free(), *len its bytes. -1 with PERMANENT: this
 * kernel has none; RETRY: it stands there no more; EXHAUSTED: out of memory; or
 * as read(). Reads at most 64 KiB. Any thread. */
int memctx_linux_note_text(const struct memctx_kernel *kernel,
                           memctx_linux_read_fn *read, void *arg, char **ret,
                           size_t *len, struct memctx_error *err);

#endif
