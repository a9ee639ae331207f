/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lines of the log on who opened, read or wrote a guest's RAM, or handed some
 * in, and who was refused that. A request like one of some seconds ago is
 * counted, and told with its count: nobody who may connect shall fill a
 * journal. Loop thread. */
#ifndef MEMCTXD_AUDIT_H
#define MEMCTXD_AUDIT_H

#include <stdbool.h>

#include "common/log.h"
#include "config/peer.h"

struct audit;

/* How long after the first row audit_flush() is to be called, and again while
 * there are rows. */
#define AUDIT_PERIOD_MS 10000

/* NULL: out of memory. `log` is borrowed. */
struct audit *audit_create(const struct log *log);

/* What is still to be told is told. NULL is fine. */
void audit_destroy(struct audit *audit);

/* One request. */
struct audit_request {
    const struct peer *peer;
    const char *operation; /* a constant */
    const char *domain;    /* its name, or what the client calls it; or NULL */
    const char *uuid;      /* NULL: not known, or not the client's business */
    const char *refused;   /* why; NULL: granted */
};

/* Tell of it, or count it. */
void audit_note(struct audit *audit, const struct audit_request *request);

/* Is there anything to be flushed? */
bool audit_has_rows(const struct audit *audit);

/* A period is over: tell the counts. */
void audit_flush(struct audit *audit);

#endif
