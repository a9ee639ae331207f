/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The text form of a UUID, as libvirt writes it. */
#ifndef MEMCTX_UUID_H
#define MEMCTX_UUID_H

#define MEMCTX_UUID_TEXT_LEN 36 /* 8-4-4-4-12 hex digits */
#define MEMCTX_UUID_TEXT_SIZE (MEMCTX_UUID_TEXT_LEN + 1) /* with the NUL */

#endif
