/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a prober reads of the messages that a kernel has logged. */
#ifndef MEMCTXD_MESSAGES_H
#define MEMCTXD_MESSAGES_H

#include <stdbool.h>

#include "guest/kernel.h"
#include "guest/words.h"
#include "ram/rammap.h"

/* A kernel in its RAM, and who may end the reading (ram/work.h). */
struct messages_subject {
    const struct memctx_rammap *map;
    const struct memctx_kernel *kernel;
    bool (*is_over)(void *arg);
    void *arg;
};

/* Where the kernel counts its messages, into *words; nothing, if that cannot be
 * told. For one that does not name its panic word. */
void messages_find_head(const struct messages_subject *subject,
                        struct memctx_words *words);

/* Do the last ones say that it has panicked? 0, or -1 as
 * memctx_lastwords_read(), or with PERMANENT: it has no log that could be
 * read. */
int messages_tell_panic(const struct messages_subject *subject, bool *ret,
                        struct memctx_error *err);

struct messages_kept {
    uint32_t records; /* that were found */
    bool cut;         /* not all of their lines are written */
};

/* Write the kernel's log to fd, from the oldest record that it still has: lines
 * as "memctx dmesg --raw" prints them to a terminal, the last most_bytes of
 * them. *ret is set in any case. 0, or -1 as above, or with RETRY: from some
 * record on nothing can be read, and what was read before that is written.
 * Takes 16 MiB of memory at most for most_bytes of 1 MiB. */
int messages_keep(const struct messages_subject *subject, int fd,
                  uint64_t most_bytes, struct messages_kept *ret,
                  struct memctx_error *err);

#endif
