/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The log of a kernel that has ended, as it is kept: a head that memctxd
 * writes, in lines that begin with "#", and the lines of the log, which a
 * prober wrote and whose guest may have chosen every byte. Pure; any thread. */
#ifndef MEMCTXD_BOOTLOG_H
#define MEMCTXD_BOOTLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "text/text.h"

/* The longest head, and the longest text in it, with its NUL. */
#define BOOTLOG_HEAD_MAX 4096u
#define BOOTLOG_TEXT_MAX 512u

/* UUID.RUN.GENERATION.log, with its NUL. */
#define BOOTLOG_NAME_SIZE 80u

/* How a kernel came to its end, as far as is known when its log is taken. */
enum bootlog_end {
    BOOTLOG_STOOD,    /* it does not run; another one may */
    BOOTLOG_SILENT,   /* it hangs, for all that is known */
    BOOTLOG_PANIC,    /* whatever came of it then */
    BOOTLOG_RESET,    /* by its guest or by the host */
    BOOTLOG_REPLACED, /* another kernel took its place, by kexec say */
    BOOTLOG_STOPPED,  /* its QEMU has ended, or the guest has left it */
    BOOTLOG_ENDS
};

/* Texts are printable ASCII, quoted where they were not. */
struct bootlog {
    char domain[BOOTLOG_TEXT_MAX]; /* its name */
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    uint64_t run; /* of its QEMU, as in struct statefile_run */
    uint64_t generation;
    char kernel[BOOTLOG_TEXT_MAX];  /* system and release */
    char ended[24];                 /* 2026-11-22T13:40:00Z */
    char end[16];                   /* bootlog_end_name() */
    uint64_t records;               /* that were read */
    char missing[BOOTLOG_TEXT_MAX]; /* what is not there, and why; "": all is */
};

/* The end in a word: "reset". */
const char *bootlog_end_name(enum bootlog_end end);

/* The name of its file: one for each kernel of each run. */
void bootlog_name(const struct bootlog *log, char name[BOOTLOG_NAME_SIZE]);

/* Is this the name of such a file? */
bool bootlog_is_name(const char *name);

/* Add its head. */
void bootlog_add_head(struct memctx_text *text, const struct bootlog *log);

/* Take the head off the beginning of a file. 0, *ret, and how many bytes it
 * has; or -1 with PERMANENT: it is none. */
int bootlog_parse(const char *bytes, size_t len_bytes, struct bootlog *ret,
                  size_t *head_bytes, struct memctx_error *err);

#endif
