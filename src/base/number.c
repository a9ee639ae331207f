/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads and writes numbers. All but seconds are read by one function, so that
 * what does not fit is refused in one place. */
#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* The largest number has 22 in octal, and C's 0 before them. */
#define DIGITS_MAX 23

static int
digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool
is_digit(char c, unsigned base)
{
    return digit_of(c) >= 0 && digit_of(c) < (int)base;
}

bool
memctx_number_take(const char **at, unsigned base, uint64_t max, uint64_t *ret)
{
    const char *digits = *at;
    uint64_t number = 0;
    size_t n;
    for (n = 0; n < DIGITS_MAX && is_digit(digits[n], base); n++) {
        if (!memctx_mul(number, base, &number) ||
            !memctx_add(number, (uint64_t)digit_of(digits[n]), &number))
            return false;
    }
    if (n == 0 || is_digit(digits[n], base) || number > max)
        return false;
    *at = digits + n;
    *ret = number;
    return true;
}

/* The whole text. */
static bool
parse_digits(const char *text, unsigned base, uint64_t max, uint64_t *ret)
{
    uint64_t number;
    if (!memctx_number_take(&text, base, max, &number) || *text != '\0')
        return false;
    *ret = number;
    return true;
}

bool
memctx_number_parse_decimal(const char *text, uint64_t max, uint64_t *ret)
{
    return parse_digits(text, 10, max, ret);
}

bool
memctx_number_parse_hex(const char *text, uint64_t *ret)
{
    return strncmp(text, "0x", 2) == 0 &&
           parse_digits(text + 2, 16, UINT64_MAX, ret);
}

bool
memctx_number_parse(const char *text, uint64_t max, uint64_t *ret)
{
    bool hex = strncmp(text, "0x", 2) == 0;
    return parse_digits(hex ? text + 2 : text, hex ? 16 : 10, max, ret);
}

bool
memctx_number_parse_signed(const char *text, uint64_t *ret)
{
    bool negative = text[0] == '-';
    uint64_t number;
    if (!memctx_number_parse(text + negative, UINT64_MAX, &number))
        return false;
    *ret = negative ? -number : number;
    return true;
}

/* Either case of the x, as C and QEMU have it. */
static bool
is_hex(const char *text)
{
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

bool
memctx_number_parse_c(const char *text, uint64_t *ret)
{
    static const char blanks[] = " \t\n\r";
    uint64_t number;
    text += strspn(text, blanks);
    text += *text == '+';
    unsigned base = is_hex(text) ? 16 : *text == '0' ? 8 : 10;
    text += base == 16 ? 2 : 0;
    if (!memctx_number_take(&text, base, UINT64_MAX, &number) ||
        text[strspn(text, blanks)] != '\0')
        return false;
    *ret = number;
    return true;
}

/* The digits behind a point, if there is one, as a part of 1. */
static double
take_fraction(const char **at)
{
    double fraction = 0;
    double weight = 1;
    if (**at == '.')
        (*at)++;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        fraction += (**at - '0') * (weight /= 10);
    return fraction;
}

/* What a suffix stands for; 0: it is none. */
static uint64_t
unit_of(const char *suffix)
{
    static const char suffixes[] = "bBkKmMgGtTpPeE";
    const char *at = strchr(suffixes, *suffix);
    if (at == NULL || suffix[1] != '\0')
        return 0;
    return UINT64_C(1) << 10 * ((at - suffixes) / 2);
}

bool
memctx_number_parse_size(const char *text, uint64_t unit, uint64_t *ret)
{
    uint64_t number = 0;
    uint64_t size;
    bool hex = is_hex(text);
    text += hex ? 2 : 0;
    bool whole = memctx_number_take(&text, hex ? 16 : 10, UINT64_MAX, &number);
    bool point = *text == '.' && !hex;
    if (!whole && (!point || text[1] < '0' || text[1] > '9'))
        return false;
    double fraction = point ? take_fraction(&text) : 0;
    if (*text != '\0')
        unit = unit_of(text);
    if (unit == 0 || (point && unit == 1) || !memctx_mul(number, unit, &size))
        return false;
    return memctx_add(size, (uint64_t)(fraction * (double)unit), ret);
}

bool
memctx_number_parse_seconds(const char *text, int64_t *ret_ms)
{
    char *end;
    errno = 0;
    double seconds = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !isfinite(seconds) ||
        seconds < 0 || seconds > 1e9)
        return false;
    *ret_ms = (int64_t)(seconds * 1000);
    return true;
}

bool
memctx_number_parse_bytes(const char *text, unsigned char *bytes, size_t max,
                          size_t *n)
{
    size_t len = strlen(text);
    if (len == 0 || len % 2 != 0 || len / 2 > max)
        return false;
    for (size_t i = 0; i < len; i += 2) {
        if (!is_digit(text[i], 16) || !is_digit(text[i + 1], 16))
            return false;
        bytes[i / 2] =
            (unsigned char)(digit_of(text[i]) << 4 | digit_of(text[i + 1]));
    }
    *n = len / 2;
    return true;
}

void
memctx_number_print_hex(uint64_t number, char ret[MEMCTX_NUMBER_MAX])
{
    snprintf(ret, MEMCTX_NUMBER_MAX, MEMCTX_HEX, number);
}

void
memctx_number_print_signed(int64_t number, char ret[MEMCTX_NUMBER_MAX])
{
    bool negative = number < 0;
    uint64_t size = negative ? -(uint64_t)number : (uint64_t)number;
    snprintf(ret, MEMCTX_NUMBER_MAX, "%s" MEMCTX_HEX, negative ? "-" : "",
             size);
}
