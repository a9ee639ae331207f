/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What went wrong, as a value: a kind for the machine, a sentence for a
 * person. It allocates nothing, so reporting an error cannot fail. */
#ifndef MEMCTX_ERROR_H
#define MEMCTX_ERROR_H

#include "memctx.h"

/* Fill *err (NULL: nobody wants to know) with a kind and a printf-style
 * message, cut at MEMCTX_MESSAGE_MAX - 1 bytes; bytes that are not printable
 * ASCII become '?', since a guest or a domain's name may have chosen them.
 * The value is -1, so that it can be a whole failure path; it is a macro so
 * that the compiler sees that. Any thread. */
#define memctx_error_set(err, kind, ...)               \
    ({                                                 \
        memctx_error_fill((err), (kind), __VA_ARGS__); \
        -1;                                            \
    })

/* Put "prefix: " (printf-style) in front of the message of *err, once, where
 * context is gained. Keeps the kind. The value is -1. Any thread. */
#define memctx_error_prefix(err, ...)                \
    ({                                               \
        memctx_error_put_before((err), __VA_ARGS__); \
        -1;                                          \
    })

/* Pass on what a callee said, which the caller has kept in *why: *err (NULL:
 * nobody wants to know) becomes that. The value is -1. Any thread. */
#define memctx_error_pass(err, why)      \
    ({                                   \
        memctx_error_copy((err), (why)); \
        -1;                              \
    })

/* What the macros call; not meant to be called directly. */
void memctx_error_copy(struct memctx_error *err,
                       const struct memctx_error *why);
void memctx_error_fill(struct memctx_error *err, enum memctx_error_kind kind,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void memctx_error_put_before(struct memctx_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Make every byte of a text that is not printable ASCII a '?'. Any thread. */
void memctx_error_make_printable(char *text);

/* The kind in a word ("retry", "permanent", ...), for logs. */
const char *memctx_error_kind_name(enum memctx_error_kind kind);

#endif
