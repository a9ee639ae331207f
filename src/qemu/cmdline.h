/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses the command line of a QEMU process. */
#ifndef MEMCTX_CMDLINE_H
#define MEMCTX_CMDLINE_H

#include <stddef.h>

#include "base/error.h"
#include "qemu/args.h"
#include "qemu/readconfig.h"

#define MEMCTX_CMDLINE_MAX (1024u * 1024) /* bytes of arguments read */

/* Parse len_bytes of NUL-separated arguments, as in /proc/PID/cmdline. Unknown
 * arguments are passed over; of repeated ones the last counts or they are
 * joined, as in QEMU. 0, or -1 with PERMANENT: a size of RAM that is no number,
 * an -object that is no valid JSON, RAM in a backend whose name has
 * MEMCTX_BACKEND_NAME_MAX bytes or more. *ret (large: keep it off small stacks)
 * is untouched on failure. Any thread. */
int memctx_cmdline_parse(const char *args, size_t len_bytes,
                         struct memctx_qemuargs *ret, struct memctx_error *err);

/* The same with files of -readconfig, which read_config() reads. Where it
 * fails, or is NULL, the layout is in doubt (struct memctx_memconf). */
int memctx_cmdline_parse_all(const char *args, size_t len_bytes,
                             memctx_config_fn *read_config, void *arg,
                             struct memctx_qemuargs *ret,
                             struct memctx_error *err);

/* The first -uuid among such arguments, which libvirt wrote; "": there is none.
 * A later one is the domain owner's, who may well want the guest to see another
 * in its SMBIOS tables. It also finds the uuid in the arguments of a wrapper
 * that was told to start QEMU. Any thread. */
void memctx_cmdline_uuid(const char *args, size_t len_bytes,
                         char ret[MEMCTX_UUID_TEXT_SIZE]);

#endif
