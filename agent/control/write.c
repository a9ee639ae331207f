/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation write: what it takes; executor.c does it. */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "control/errand.h"
#include "control/ramwrite.h"
#include "control/operations.h"

static int
work(struct errand *e, struct memctx_error *err)
{
    char text[40];
    if (ramwrite(e, err) < 0)
        return -1;
    int n = snprintf(text, sizeof(text), "{\"size\":\"0x%zx\"}", e->len_bytes);
    struct packet *packet = packet_create((size_t)n);
    if (packet == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    memcpy(packet->bytes, text, (size_t)n);
    errand_add(e, packet);
    return 0;
}

/* Two digits a byte, nothing between. */
static int
parse_hex(struct errand *e, const char *hex, struct refusal *refusal)
{
    if (hex == NULL || !memctx_number_parse_bytes(
                           hex, e->bytes, sizeof(e->bytes), &e->len_bytes))
        return refuse(refusal, REFUSAL_USAGE,
                      "\"hex\" wants 1 to %d bytes, two digits each",
                      CONTROL_WRITE_MAX);
    return 0;
}

static int
parse_address(struct errand *e, json_object *request, struct refusal *refusal)
{
    int has = message_number(request, "gva", &e->address, refusal);
    if (has == 0)
        return refuse(refusal, REFUSAL_USAGE, "write wants a \"gva\"");
    return has < 0 ? -1 : 0;
}

int
operation_write(struct session *session, json_object *request,
                struct packet *packet, struct refusal *refusal)
{
    (void)packet;
    const struct record *record = session_find(
        session, message_text(request, "domain"), ACCESS_WRITE, refusal);
    if (record == NULL)
        return -1;
    struct errand *e = errand_create(session, record, request, work, refusal);
    if (e == NULL)
        return -1;
    e->settled = true;
    if (parse_address(e, request, refusal) < 0 ||
        parse_hex(e, message_text(request, "hex"), refusal) < 0) {
        errand_destroy(e);
        return -1;
    }
    errand_submit(e);
    return 0;
}
