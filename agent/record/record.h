/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes the events of one run of a domain, looks up what follows in the table
 * of src/domain/domain.h, and performs it. Loop thread only. It knows nothing
 * about libvirt: it publishes through struct record_ops. */
#ifndef MEMCTXD_RECORD_H
#define MEMCTXD_RECORD_H

#include "record/state.h"

/* A record in phase NEW, with an adapter that is owned from the call on. -1
 * with EXHAUSTED: out of memory. */
int record_create(const char *uuid, const char *name, int id,
                  struct adapter *adapter, const struct record_ops *ops,
                  const struct log *log, struct record **ret,
                  struct memctx_error *err);

/* Close the RAM and free the record. A published datum stays. NULL is fine. */
void record_destroy(struct record *record);

/* Handle an event from libvirt or from the connection. (Events of tries and
 * timers come through record_dispatch().) True if the run is over: the caller
 * destroys the record. `cold` with START: the domain was booted just now. */
bool record_handle(struct record *record, enum memctx_event event, bool cold);

/* The descriptor of `cookie` fired. True as above. */
bool record_dispatch(struct record *record, enum adapter_cookie cookie);

#endif
