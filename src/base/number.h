/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads and writes numbers as text. There are several ways to read one, each a
 * function named after what it accepts, and one way to write one.
 *
 * Every text ends with a NUL. No number has more than 23 digits, leading zeros
 * included, and none wraps. A function that returns false has set nothing. Any
 * thread. */
#ifndef MEMCTX_NUMBER_H
#define MEMCTX_NUMBER_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address or a size in a format of printf. */
#define MEMCTX_HEX "0x%" PRIx64

/* Bytes of the longest number, with sign, "0x" and NUL. */
#define MEMCTX_NUMBER_MAX 24

/* Take the digits that *at begins with, of base 8, 10 or 16 (either case, no
 * 0x), and move *at behind them. False: there is none, or the number is larger
 * than max. */
bool memctx_number_take(const char **at, unsigned base, uint64_t max,
                        uint64_t *ret);

/* The whole text is decimal, from 0 to max: no sign, no blank. */
bool memctx_number_parse_decimal(const char *text, uint64_t max, uint64_t *ret);

/* The whole text is 0x and hexadecimal digits. */
bool memctx_number_parse_hex(const char *text, uint64_t *ret);

/* Either of the two: an address or a count as the datum has it. */
bool memctx_number_parse(const char *text, uint64_t max, uint64_t *ret);

/* The same, and a '-' before it makes it its two's complement. */
bool memctx_number_parse_signed(const char *text, uint64_t *ret);

/* As strtoull() of C with base 0, which takes all that libvirt writes into its
 * XML: decimal, 0x or 0X hexadecimal, or octal after a 0; a '+' and white space
 * around it. */
bool memctx_number_parse_c(const char *text, uint64_t *ret);

/* A size as QEMU reads it (qemu_strtosz() of its util/cutils.c): decimal (it
 * knows no octal), where it is not in bytes also with a fraction (0.125G), or
 * 0x or 0X hexadecimal, with an optional suffix b, k, m, g, t, p, e (either
 * case). Without suffix it is in `unit` bytes. Part of a byte is dropped. */
bool memctx_number_parse_size(const char *text, uint64_t unit, uint64_t *ret);

/* Seconds as strtod() reads them, from 0 to 1e9, in milliseconds. */
bool memctx_number_parse_seconds(const char *text, int64_t *ret_ms);

/* Bytes, two hexadecimal digits each and nothing between: 1 to max into
 * `bytes`, their number into *n. `bytes` may be written to where false is
 * returned. */
bool memctx_number_parse_bytes(const char *text, unsigned char *bytes,
                               size_t max, size_t *n);

/* "0x1ad000": an address or a size, as everywhere. */
void memctx_number_print_hex(uint64_t number, char ret[MEMCTX_NUMBER_MAX]);

/* The same of a number that may be negative: "-0x27200000". */
void memctx_number_print_signed(int64_t number, char ret[MEMCTX_NUMBER_MAX]);

#endif
