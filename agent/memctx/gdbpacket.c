/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A state for each part of a packet. */
#include "memctx/gdbpacket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum gdbpacket_event
end_packet(struct gdbpacket *p, char byte)
{
    const char sum[] = {p->digit, byte, '\0'};
    char *end;
    p->state = GDBPACKET_BETWEEN;
    p->text[p->len] = '\0';
    bool right = strtoul(sum, &end, 16) == p->sum && *end == '\0';
    return right ? GDBPACKET_WHOLE : GDBPACKET_BROKEN;
}

static enum gdbpacket_event
add_byte(struct gdbpacket *p, char byte)
{
    if (p->len == GDBPACKET_MAX) {
        p->state = GDBPACKET_BETWEEN;
        return GDBPACKET_BROKEN;
    }
    p->text[p->len++] = byte;
    p->sum = (unsigned char)(p->sum + (unsigned char)byte);
    return GDBPACKET_NONE;
}

/* A '$' begins a packet also where one has not ended. */
enum gdbpacket_event
gdbpacket_feed(struct gdbpacket *p, char byte)
{
    if (byte == '$') {
        p->state = GDBPACKET_TEXT;
        p->len = 0;
        p->sum = 0;
        return GDBPACKET_NONE;
    }
    switch (p->state) {
    case GDBPACKET_BETWEEN:
        break;
    case GDBPACKET_TEXT:
        if (byte != '#')
            return add_byte(p, byte);
        p->state = GDBPACKET_SUM;
        break;
    case GDBPACKET_SUM:
        p->digit = byte;
        p->state = GDBPACKET_SUM_END;
        break;
    case GDBPACKET_SUM_END:
        return end_packet(p, byte);
    }
    return GDBPACKET_NONE;
}

/* These four bytes have a meaning of their own. */
static bool
is_special(char byte)
{
    return byte == '$' || byte == '#' || byte == '}' || byte == '*';
}

void
gdbpacket_add(struct memctx_text *out, const char *text, size_t len)
{
    unsigned char sum = 0;
    memctx_text_add_bytes(out, "$", 1);
    for (size_t i = 0; i < len; i++) {
        const char escaped[] = {'}', (char)(text[i] ^ 0x20)};
        size_t n = is_special(text[i]) ? 2 : 1;
        const char *bytes = n == 2 ? escaped : &text[i];
        for (size_t j = 0; j < n; j++)
            sum = (unsigned char)(sum + (unsigned char)bytes[j]);
        memctx_text_add_bytes(out, bytes, n);
    }
    memctx_text_add(out, "#%02x", sum);
}
