/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One message of the control socket as a JSON object, and its members. What
 * comes from a client is hostile input: bounded in length, depth and kind. */
#ifndef MEMCTXD_MESSAGE_H
#define MEMCTXD_MESSAGE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/connection.h"
#include "control/refusal.h"

/* Parse a packet: one JSON object, at most 8 deep, nothing behind it. NULL: it
 * is none. The caller puts it. */
json_object *message_parse(const struct packet *packet);

/* A member that is a text; NULL: there is none, or it is something else. */
const char *message_text(json_object *message, const char *key);

/* A member that is an address or a size: "0x..." or a JSON number. 1 and *ret;
 * 0: there is none; -1 and *refusal: it is something else. */
int message_number(json_object *message, const char *key, uint64_t *ret,
                   struct refusal *refusal);

/* A member that is true. */
bool message_flag(json_object *message, const char *key);

/* A packet from an object, which is put. NULL: out of memory. */
struct packet *message_packet(json_object *object);

#endif
