/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Could memctxd serve a domain if it ran with the rights of the user that runs
 * this? Needs no agent. */
#ifndef MEMCTX_CHECKS_H
#define MEMCTX_CHECKS_H

#include <json-c/json.h>
#include <stdbool.h>

#include "base/error.h"
#include "memctx/invocation.h"

struct checks_result {
    char *name;            /* of the domain; owned */
    json_object *findings; /* an array of objects with the members "check",
                              "ok", "text" and, if not ok, "cure"; owned */
    bool failed;           /* some check did */
    bool is_off;           /* so that its RAM was not tried */
    bool serves;           /* memctxd could serve it, as far as it was tried */
};

void checks_result_deinit(struct checks_result *result);

/* Which domain is meant: one of these is not NULL. */
struct checks_subject {
    const char *domain;   /* id, UUID or name */
    const char *xml_path; /* a file with XML, of a domain that need not be
                             defined */
    const char *xml;      /* what libvirt says of it at `uri` */
    const char *uri;
};

/* Try one thing after the other that memctxd needs. 0, also when checks fail;
 * or -1 with EXHAUSTED. *ret is the caller's to deinit in both cases. */
int checks_run(const struct common_options *common,
               const struct checks_subject *subject, struct checks_result *ret,
               struct memctx_error *err);

#endif
