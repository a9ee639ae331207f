/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Logs of kernels that have ended, as memctxd has kept them. They are files: no
 * agent and no domain need be there. */
#ifndef MEMCTX_KEPTLOGS_H
#define MEMCTX_KEPTLOGS_H

#include <limits.h>

#include "boots/bootlog.h"
#include "memctx/invocation.h"

struct keptlog {
    char name[BOOTLOG_NAME_SIZE];
    struct bootlog head;
    int boot; /* -1: the last one of its domain, -2: the one before, ... */
};

/* Initialise with KEPTLOGS_INIT. */
struct keptlogs {
    char path[PATH_MAX];
    int dirfd;
    struct keptlog *logs; /* owned; the newest first */
    size_t n;
};

#define KEPTLOGS_INIT \
    {                 \
        .dirfd = -1   \
    }

void keptlogs_deinit(struct keptlogs *logs);

/* All of this domain, by its name or UUID; NULL: of all domains. 0, also if
 * there are none; -1 with PERMANENT: they cannot be read; EXHAUSTED. */
int keptlogs_open(const struct common_options *common, const char *domain,
                  struct keptlogs *ret, struct memctx_error *err);

/* What to print of a log. */
struct keptlogs_wanted {
    const char *domain;
    const char *boot; /* as it was typed: "-1" */
    unsigned levels;  /* a bit each */
    int64_t since_ms; /* of the guest; -1: from its beginning */
    bool raw;
    bool json;
};

/* Print a kept log, as memctx dmesg prints one that is in RAM. It is parsed in
 * a sandbox. */
enum exit_code keptlogs_print(const struct invocation *in,
                              const struct keptlogs_wanted *wanted);

#endif
