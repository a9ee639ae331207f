/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A file that holds the RAM of a guest, in one of the forms in which tools
 * write it, and where in it which memory is. It reads the file through a RAM
 * map of its bytes, as they stand; what it reads is hostile.
 *
 * To add a form: a file in this room with one function, which forms.h declares,
 * a name in dump.h, a row in dump.c, and --ram-format in memctx(1). */
#ifndef MEMCTX_DUMP_H
#define MEMCTX_DUMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ram/rammap.h"

enum memctx_dump_form {
    MEMCTX_DUMP_RAW,     /* the bytes of RAM, and nothing else */
    MEMCTX_DUMP_ELF,     /* a core with guest-physical addresses */
    MEMCTX_DUMP_LIME,    /* of the kernel module LiME */
    MEMCTX_DUMP_WINDOWS, /* a complete memory dump of Windows */
    MEMCTX_DUMP_KDUMP,   /* compressed, of makedumpfile or QEMU */
    MEMCTX_DUMP_FLAT,    /* the same, or a core, written for a pipe: its pieces
                            come in any order, each with its place */
    MEMCTX_DUMP_FORMS
};

/* So many bytes at the beginning of a file tell its form. */
#define MEMCTX_DUMP_HEAD_BYTES 64

/* "raw", "elf", ... */
const char *memctx_dump_form_name(enum memctx_dump_form form);

/* 0 and *ret; or -1 with PERMANENT: no form is called so; the message lists
 * them. Any thread. */
int memctx_dump_form_parse(const char *name, enum memctx_dump_form *ret,
                           struct memctx_error *err);

/* The form of a file that begins with these len_bytes, which are fewer than
 * MEMCTX_DUMP_HEAD_BYTES only if there are no more. RAM itself has no mark: it
 * is what begins with none. 0 and *ret; or -1 with PERMANENT: a form that
 * cannot be read here; the message names it, and what helps. Pure; any thread.
 */
int memctx_dump_recognise(const unsigned char *head, size_t len_bytes,
                          enum memctx_dump_form *ret, struct memctx_error *err);

/* Add to `map` an extent for each piece of RAM that the file holds. `file` maps
 * its bytes, from 0 on, as its backend 0, and `map` was created beside it. Up
 * to MEMCTX_EXTENTS_MAX pieces; where two hold the same memory the one that
 * begins first counts. 0; or -1 with PERMANENT: not what the form demands,
 * truncated, or without memory; RETRY or GONE: it cannot be read. What *map has
 * then is of no use. For ELF, LIME and WINDOWS. */
int memctx_dump_lay_out(enum memctx_dump_form form,
                        const struct memctx_rammap *file,
                        struct memctx_rammap *map, struct memctx_error *err);

/* How much of this RAM lies below the gap that machines have under 4 GiB: the
 * end of the memory that begins at 0 and has no gap of more than 1 MiB. All of
 * its size, if none lies at 0. */
uint64_t memctx_dump_low(const struct memctx_rammap *map);

#endif
