/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel that explains itself (explimg.h), for targets that change its bytes:
 * the first pages of its room, and the tables that map them. */
#ifndef MEMCTX_TESTS_EXPLGUEST_H
#define MEMCTX_TESTS_EXPLGUEST_H

#include "changes.h"
#include "explimg.h"

#define EXPLGUEST_PAGES 36u /* of the room */

struct explguest {
    struct fuzz_guest guest;
    struct explimg x; /* of it only what says where things are */
};

/* The guest as build() writes it, which is called once; *kept is zeros at
 * first. Its image is the room and no more: less to be looked through. */
void explguest_rewind(struct explguest *kept,
                      void (*build)(const struct explimg *x));

#endif
