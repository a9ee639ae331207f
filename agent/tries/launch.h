/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Starts probers, if need be before there is RAM for them: to find and open it
 * takes about as long. A prober without RAM waits for it, and has seen no byte
 * of a guest. Under the lock of the tries. */
#ifndef MEMCTXD_LAUNCH_H
#define MEMCTXD_LAUNCH_H

#include "tries/client.h"

/* Start the prober of a client that has none. 0 and client->live, or -1 as
 * prober_launch(). Any thread. */
int launch_prober(struct tries_client *client, struct memctx_error *err);

/* The same, if the client will need one soon and no more probers wait for RAM
 * than searches may run. It is no loss if not. Any thread. */
void launch_ahead(struct tries_client *client);

/* Give its prober the client's RAM, if it has none yet. 0, or -1 as
 * prober_equip(). */
int launch_equip(struct tries_client *client, struct memctx_error *err);

#endif
