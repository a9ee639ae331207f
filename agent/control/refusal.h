/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Why a request is refused, as the client is told. */
#ifndef MEMCTXD_REFUSAL_H
#define MEMCTXD_REFUSAL_H

#include "base/error.h"

/* The protocol's kinds of errors; memctx-control(7) explains them. */
enum refusal_kind {
    REFUSAL_RETRY,
    REFUSAL_PERMANENT,
    REFUSAL_GONE,
    REFUSAL_STALE,
    REFUSAL_DENIED,
    REFUSAL_USAGE,
    REFUSAL_BUG,
    REFUSAL_EXHAUSTED,
    REFUSAL_KINDS
};

/* A kind and a sentence. */
struct refusal {
    enum refusal_kind kind;
    char message[MEMCTX_MESSAGE_MAX];
};

/* Fill *refusal (printf-style). The value is -1, a whole failure path. */
#define refuse(refusal, kind, ...)                    \
    ({                                                \
        refusal_fill((refusal), (kind), __VA_ARGS__); \
        -1;                                           \
    })

/* What the macro calls. Bytes that are not printable become '?'. */
void refusal_fill(struct refusal *refusal, enum refusal_kind kind,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same from an error of the agent's own. The value is -1. */
int refuse_error(struct refusal *refusal, const struct memctx_error *err);

/* "retry", "denied", ... */
const char *refusal_kind_name(enum refusal_kind kind);

#endif
