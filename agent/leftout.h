/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The running domains that the key domains leaves out, by UUID: nothing is done
 * with them, but what was counted in their runs stays, in case they are taken
 * in again. Loop thread. */
#ifndef MEMCTXD_LEFTOUT_H
#define MEMCTXD_LEFTOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/uuid.h"

/* All zero: none. */
struct leftout {
    char (*uuids)[MEMCTX_UUID_TEXT_SIZE]; /* owned */
    size_t n;
};

void leftout_deinit(struct leftout *leftout);

/* Twice is as once. Without memory it is not taken down: its count may go. */
void leftout_add(struct leftout *leftout, const char *uuid);

/* True: it was there. */
bool leftout_remove(struct leftout *leftout, const char *uuid);

bool leftout_has(const struct leftout *leftout, const char *uuid);

#endif
