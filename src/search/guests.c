/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The only place that names every operating system's ops. */
#include "search/guests.h"

#include "guest/linux/linux.h"
#include "guest/windows/windows.h"

const struct memctx_guest_ops *const memctx_guests[MEMCTX_GUESTS] = {
    &memctx_linux_ops,
    &memctx_windows_ops,
};

const struct memctx_guest_ops *
memctx_guests_find(enum memctx_os os)
{
    for (size_t i = 0; i < MEMCTX_GUESTS; i++) {
        if (memctx_guests[i]->os == os)
            return memctx_guests[i];
    }
    return NULL;
}
