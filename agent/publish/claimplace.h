/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where agents speak to each other: one running domain's live metadata. Calls
 * may wait for as long as another job on the domain takes: never on the loop
 * thread. */
#ifndef MEMCTXD_CLAIMPLACE_H
#define MEMCTXD_CLAIMPLACE_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "publish/claimword.h"
#include "watch/watch.h"

/* Both NULL: libvirt is away, or the domain is gone. */
struct claimplace {
    virConnectPtr connection;
    virDomainPtr domain;
};

/* False: it is not there. To be left in either case. */
bool claimplace_enter(struct watch *watch, const char *uuid,
                      struct claimplace *place);

void claimplace_leave(struct claimplace *place);

/* Can nobody but this process reach it? */
bool claimplace_is_private(const struct claimplace *place);

/* Does a datum stand here, of whomever? */
bool claimplace_has_datum(const struct claimplace *place);

/* What was said here last. */
struct claim_word claimplace_read(const struct claimplace *place);

/* Say it in the place of that. False: libvirt did not do it. */
bool claimplace_say(const struct claimplace *place, enum claim_said said,
                    const char *token);

/* Take it away, whatever it is. */
void claimplace_clear(const struct claimplace *place);

#endif
