/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The agent's configuration file: libvirt's own form, key = value, strings in
 * double quotes, lists of them in brackets over several lines, # comments.
 * Documented in man/memctxd.conf.pod. */
#ifndef MEMCTXD_SETTINGS_H
#define MEMCTXD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/access.h"
#include "config/patterns.h"
#include "domain/backoff.h"
#include "base/error.h"
#include "common/log.h"

#define SETTINGS_TEXT_MAX 256

/* What the agent runs by; command-line options have been put on top. */
struct settings {
    char uri[SETTINGS_TEXT_MAX];         /* "": libvirt's default */
    char runtime_dir[SETTINGS_TEXT_MAX]; /* "": from the URI */
    struct patterns domains;             /* that are watched */
    char log_level[SETTINGS_TEXT_MAX];
    /* Not in the file: the program that parses guest bytes, and how many times
     * longer than usual one may take to answer. Tests on busy machines are
     * patient. */
    const char *prober;
    unsigned patience;
    uint64_t workers;            /* threads that open RAM */
    uint64_t writers;            /* threads that write metadata, at most */
    uint64_t keepalive_interval; /* seconds; 0: none */
    uint64_t keepalive_count;
    uint64_t retry_first_ms;
    uint64_t retry_cap_ms;
    uint64_t retry_growth_percent;
    uint64_t retry_cost_factor;
    uint64_t retry_credit_ms;
    uint64_t revalidate_ms; /* from one look at a ready domain to the next; 0:
                               none */
    char hooks_dir[SETTINGS_TEXT_MAX]; /* "": from the URI */
    uint64_t hook_timeout_ms;
    uint64_t keep_logs;                   /* of kernels of each domain that
                                             have ended; 0: none */
    uint64_t keep_logs_mib;               /* they take in all, at most */
    char metrics_file[SETTINGS_TEXT_MAX]; /* "": none */
    uint64_t metrics_kernel;              /* 1: with releases of kernels */
    struct access access;     /* rules; those of repeated keys add up */
    uint64_t stub_fail_boots; /* --stub: the first tries that fail */
};

enum settings_type {
    SETTINGS_TEXT,    /* char[SETTINGS_TEXT_MAX], in double quotes */
    SETTINGS_LEVEL,   /* the same, and a level of the log */
    SETTINGS_NUMBER,  /* uint64_t, decimal */
    SETTINGS_RULES,   /* struct access, a list of texts */
    SETTINGS_PATTERNS /* struct patterns, a list of texts */
};

/* One key of the file. */
struct settings_key {
    const char *name;
    enum settings_type type;
    size_t offset;             /* of its member in struct settings */
    uint64_t min;              /* of a number */
    uint64_t max;              /* of a number */
    bool reloads;              /* may change while the agent runs */
    const char *default_value; /* its default, as it would stand in the file */
    const char *help;          /* one sentence */
};

/* All keys, in the order of the sample file. */
const struct settings_key *settings_keys(size_t *count);

/* The defaults. */
void settings_init(struct settings *settings);

/* Read a configuration file on top of *settings. -1 with PERMANENT: it cannot
 * be read, or which line is wrong and what was expected there; *settings is
 * undefined then. */
int settings_read(const char *path, struct settings *settings,
                  struct memctx_error *err);

/* Parse text as if it were a file called `name`. */
int settings_parse(const char *text, const char *name,
                   struct settings *settings, struct memctx_error *err);

/* Take those members of *from into *to that may change while the agent runs.
 * `fixed` gets the names of keys that differ and may not, with commas between;
 * "": none does. Loop thread: it alone looks at those that change. */
void settings_reload(struct settings *to, const struct settings *from,
                     char *fixed, size_t size);

struct memctx_backoff_limits settings_backoff(const struct settings *settings);

#endif
