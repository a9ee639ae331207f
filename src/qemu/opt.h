/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The syntax of QEMU's option arguments: "word,key=value,..." or a JSON
 * object. Knows no option. */
#ifndef MEMCTX_QEMUOPT_H
#define MEMCTX_QEMUOPT_H

#include <stdbool.h>
#include <stddef.h>

/* One argument that is looked into several times. */
struct memctx_qemuopt;

/* Take the NUL-terminated text apart; it must outlive *ret. Text that begins
 * with '{' is JSON (libvirt 6.10 and later pass -object and -device so). NULL:
 * it is no JSON object, or out of memory. The caller closes it. */
struct memctx_qemuopt *memctx_qemuopt_open(const char *text);
void memctx_qemuopt_close(struct memctx_qemuopt *opt);

/* The value of `key`; of repeated keys the last counts, as in QEMU. "" as key
 * is the first word (never in JSON). A doubled comma stands for one. false,
 * and `to` is "": absent, longer than size - 1 bytes, or in JSON neither text,
 * number nor truth value. */
bool memctx_qemuopt_get(const struct memctx_qemuopt *opt, const char *key,
                        char *to, size_t size);

#endif
