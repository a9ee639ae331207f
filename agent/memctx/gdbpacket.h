/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Packets of gdb's remote protocol ("$TEXT#CHECKSUM", Appendix E of its
 * manual): taken out of what gdb sends, and made for it. Pure. */
#ifndef MEMCTX_GDBPACKET_H
#define MEMCTX_GDBPACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "text/text.h"

/* Text of a packet, in either direction. gdb is told. */
#define GDBPACKET_MAX 16384u

/* What has been received of the next packet. Initialise with zeros. */
struct gdbpacket {
    char text[GDBPACKET_MAX + 1];
    size_t len;
    unsigned char sum; /* of the text */
    char digit;        /* the first one of the checksum */
    enum {
        GDBPACKET_BETWEEN, /* two packets: acknowledgements stand there */
        GDBPACKET_TEXT,
        GDBPACKET_SUM,
        GDBPACKET_SUM_END,
    } state;
};

enum gdbpacket_event {
    GDBPACKET_NONE,
    GDBPACKET_WHOLE, /* ->text is one, which a NUL ends; one that would write
                        has any bytes in it */
    GDBPACKET_BROKEN /* its checksum is wrong, or it is too long */
};

/* Take one byte more. */
enum gdbpacket_event gdbpacket_feed(struct gdbpacket *packet, char byte);

/* Add a packet with this text to what is to be sent. */
void gdbpacket_add(struct memctx_text *out, const char *text, size_t len);

#endif
