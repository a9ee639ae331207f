/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One request of the control socket as a JSON object, and its members. What
 * comes from a client is hostile input: bounded in length, depth and kind. */
#ifndef MEMCTXD_REQUEST_H
#define MEMCTXD_REQUEST_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "control/connection.h"

/* What becomes of a request; the words are in memctx-control(7). */
enum verdict {
    VERDICT_RETRY,
    VERDICT_PERMANENT,
    VERDICT_GONE,
    VERDICT_STALE,
    VERDICT_DENIED,
    VERDICT_USAGE,
    VERDICT_BUG,
    VERDICT_EXHAUSTED,
    VERDICTS
};

/* Why a request is refused: a kind and a sentence. */
struct refusal {
    enum verdict verdict;
    char message[MEMCTX_MESSAGE_MAX];
};

/* Fill *refusal (printf-style). The value is -1, a whole failure path. */
#define refuse(refusal, verdict, ...)                    \
    ({                                                   \
        refusal_fill((refusal), (verdict), __VA_ARGS__); \
        -1;                                              \
    })

void refusal_fill(struct refusal *refusal, enum verdict verdict,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same from an error of the agent's own. The value is -1. */
int refuse_error(struct refusal *refusal, const struct memctx_error *err);

/* "retry", "denied", ... */
const char *verdict_name(enum verdict verdict);

/* Parse a packet: one JSON object, at most 8 deep, nothing behind it. NULL: it
 * is none. The caller puts it. */
json_object *request_parse(const struct packet *packet);

/* A member that is a text; NULL: there is none, or it is something else. */
const char *request_text(json_object *request, const char *key);

/* A member that is an address or a size: "0x..." or a JSON number. 1 and *ret;
 * 0: there is none; -1 and *refusal: it is something else. */
int request_number(json_object *request, const char *key, uint64_t *ret,
                   struct refusal *refusal);

/* A member that is true. */
bool request_flag(json_object *request, const char *key);

#endif
