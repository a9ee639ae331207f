/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The page by which a Toy is known. */
#ifndef MEMCTX_TOY_H
#define MEMCTX_TOY_H

#define TOY_MAGIC "A Toy's page..." /* 16 bytes with the NUL */
#define TOY_ROOT 16u                /* its root table: gpa */
#define TOY_SELF 24u                /* the page itself: gva */
#define TOY_TICKS 32u               /* grows while it runs */
#define TOY_VERSION 40u             /* 16 bytes of text */
#define TOY_LEN 56u

#endif
