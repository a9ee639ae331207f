/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Files of QEMU's -readconfig: options in sections, "[GROUP "ID"]" and then
 * KEY = "VALUE" a line (qemu_config_foreach() in QEMU's util/qemu-config.c). */
#ifndef MEMCTX_READCONFIG_H
#define MEMCTX_READCONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of such a file, with a NUL. */
#define MEMCTX_CONFIG_MAX (64u * 1024)

/* Put the text of the file that -readconfig names, as QEMU read it and ended by
 * a NUL, into `to`. False: it cannot be had, is larger than size - 1 bytes, or
 * may have changed since. */
typedef bool memctx_config_fn(const char *path, char *to, size_t size,
                              void *arg);

/* One section, as the option "-GROUP" would have it: "id=ID,key=value,...".
 * -1 ends the visit. */
typedef int memctx_section_fn(const char *group, const char *option, void *arg);

/* Call visit() for each section of the NUL-terminated text, in their order. 0,
 * or -1: a line that is none of such a file, a section of more than 4095 bytes,
 * or visit() said so. Any thread. */
int memctx_readconfig_visit(const char *text, memctx_section_fn *visit,
                            void *arg);

#endif
