/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Who may do what with which domains: the rules of the key access, see
 * memctxd.conf(5). Knows no socket and no domain. */
#ifndef MEMCTXD_ACCESS_H
#define MEMCTXD_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/peer.h"

/* A right is the name of the operation that takes it. */
enum access_right {
    ACCESS_LIST,
    ACCESS_SHOW,
    ACCESS_WAIT,
    ACCESS_OPEN,
    ACCESS_READ,
    ACCESS_ATTACH,
    ACCESS_WRITE,
    ACCESS_RIGHTS
};

#define ACCESS_RULES_MAX 64
#define ACCESS_DOMAINS_MAX 160 /* bytes of a pattern, with the NUL */

/* "WHO OPERATIONS DOMAINS" */
struct access_rule {
    bool is_group;
    uint32_t id;
    unsigned rights;                  /* 1 << enum access_right, or'ed */
    char domains[ACCESS_DOMAINS_MAX]; /* fnmatch(3) pattern over names */
};

/* A value, part of the settings. */
struct access {
    unsigned n_rules;
    struct access_rule rules[ACCESS_RULES_MAX];
};

/* Add the rule that this text is. Names of users and groups are looked up now.
 * -1 with PERMANENT: what is wrong with it, and *access is as before. */
int access_add(struct access *access, const char *text,
               struct memctx_error *err);

/* May this peer do that with a domain called `name`? Root and our own user may
 * do all but write without a rule. */
bool access_may(const struct access *access, const struct peer *peer,
                enum access_right right, const char *name);

/* May it do that with any domain at all? */
bool access_may_some(const struct access *access, const struct peer *peer,
                     enum access_right right);

/* "list", "show", ... */
const char *access_right_name(enum access_right right);

#endif
