/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The VMCOREINFO of a Linux kernel, in its RAM. */
#ifndef MEMCTX_LINUX_NOTE_H
#define MEMCTX_LINUX_NOTE_H

#include <stdbool.h>

#include "ram/rammap.h"
#include "guest/linux/vmcoreinfo.h"

/* Read and parse the ELF note or the bare text at clue_gpa. *is_note tells
 * which it is, *size is the length of the text in bytes. -1 with RETRY: there
 * is none, or it does not parse; GONE. Reads at most 16 KiB. Any thread. */
int memctx_linux_note_read(const struct memctx_rammap *map, uint64_t clue_gpa,
                           struct memctx_vmcoreinfo *info, bool *is_note,
                           size_t *size, struct memctx_error *err);

/* The text of the ELF note or the bare text at clue_gpa, as it stands in RAM,
 * NUL behind it; *ret is the caller's to free(), *len its bytes. Errors as
 * above; BUG: out of memory. */
int memctx_linux_note_text(const struct memctx_rammap *map, uint64_t clue_gpa,
                           char **ret, size_t *len, struct memctx_error *err);

#endif
