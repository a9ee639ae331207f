/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* "ffffffff91000010 T name", and behind that "\t[module]" (kernel/kallsyms.c,
 * s_show()). There are some hundred thousand, which printf() would take longer
 * for than it takes to read them from the guest. */
#include "explain/symboltext.h"

#include <string.h>

#include "base/bytes.h"
#include "base/number.h"

#define DIGITS_MAX 16u

/* The longest line of a symbol of the kernel's own, and more. */
#define LINE_MAX_BYTES (DIGITS_MAX + 3 + MEMCTX_SYMBOLS_NAME_MAX)

/* ---- writing ------------------------------------------------------------- */

static void
put_address(char *to, uint64_t address, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--, address >>= 4)
        to[i - 1] = "0123456789abcdef"[address & 15];
}

static void
add_module(struct memctx_text *text, const char *module)
{
    memctx_text_add_bytes(text, "\t[", 2);
    memctx_text_add_bytes(text, module, strlen(module));
    memctx_text_add_bytes(text, "]\n", 2);
}

void
memctx_symboltext_add(struct memctx_text *text,
                      const struct memctx_symbol *symbol, unsigned digits)
{
    char line[LINE_MAX_BYTES + 1];
    size_t len = strnlen(symbol->name, MEMCTX_SYMBOLS_NAME_MAX - 1);
    put_address(line, symbol->address, digits);
    char *to = line + digits;
    *to++ = ' ';
    *to++ = symbol->type;
    *to++ = ' ';
    memcpy(to, symbol->name, len);
    to += len;
    if (symbol->module[0] == '\0')
        *to++ = '\n';
    memctx_text_add_bytes(text, line, (size_t)(to - line));
    if (symbol->module[0] != '\0')
        add_module(text, symbol->module);
}

void
memctx_symboltext_add_all(struct memctx_text *text,
                          const struct memctx_symbols *symbols, unsigned digits)
{
    for (size_t i = 0; i < memctx_symbols_count(symbols); i++) {
        const struct memctx_symbol symbol = memctx_symbols_at(symbols, i);
        memctx_symboltext_add(text, &symbol, digits);
    }
}

/* ---- reading ------------------------------------------------------------- */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of each of 8 bytes that is neither printable ASCII nor a newline,
 * and of no other unless there is one. The sums carry nothing into the next
 * byte, but for bytes whose top bit is set. */
static uint64_t
find_odd(uint64_t bytes)
{
    uint64_t not_newline = (bytes ^ EACH('\n')) + EACH(0x7f);
    uint64_t not_low = bytes + EACH(0x80 - ' ');
    uint64_t del = bytes + EACH(1);
    return (bytes | del | (not_newline & ~not_low)) & EACH(0x80);
}

static uint64_t
word_at(const char *from, size_t len)
{
    uint64_t bytes = EACH(' ');
    memcpy(&bytes, from, len);
    return bytes;
}

bool
memctx_symboltext_is_plain(const char *text, size_t len_bytes)
{
    size_t whole = len_bytes - len_bytes % sizeof(uint64_t);
    uint64_t odd = find_odd(word_at(text + whole, len_bytes - whole));
    /* Without a way out, which would take longer than what it saves. */
    for (size_t at = 0; at < whole; at += sizeof(uint64_t))
        odd |= find_odd(word_at(text + at, sizeof(uint64_t)));
    return odd == 0 && len_bytes > 0 && text[len_bytes - 1] == '\n';
}

/* The digits before the blank at `end`. */
static bool
take_address(const char *from, const char *end, uint64_t *ret)
{
    size_t digits = (size_t)(end - from);
    return (digits == DIGITS_MAX || digits == DIGITS_MAX / 2) &&
           memctx_number_take(&from, 16, UINT64_MAX, ret) && from == end;
}

/* The address, the type and where the name begins. */
static bool
take_head(const char *line, const char *end, struct memctx_symbol *ret,
          const char **name)
{
    const char *blank = memchr(line, ' ', (size_t)(end - line));
    if (blank == NULL || end - blank < 3 || blank[2] != ' ' ||
        !take_address(line, blank, &ret->address))
        return false;
    ret->type = blank[1];
    *name = blank + 3;
    return true;
}

bool
memctx_symboltext_next(const char **at, const char *end,
                       char name[MEMCTX_SYMBOLS_NAME_MAX],
                       struct memctx_symbol *ret)
{
    const char *from;
    const char *newline =
        *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (newline == NULL || !take_head(*at, newline, ret, &from) ||
        newline - from >= MEMCTX_SYMBOLS_NAME_MAX)
        return false;
    memcpy(name, from, (size_t)(newline - from));
    name[newline - from] = '\0';
    ret->name = name;
    ret->module = "";
    *at = newline + 1;
    return true;
}

bool
memctx_symboltext_find(const char *text, size_t len_bytes, const char *name,
                       uint64_t *ret)
{
    char wanted[MEMCTX_SYMBOLS_NAME_MAX + 2];
    const char *end = text + len_bytes;
    size_t len = strlen(name);
    if (len == 0 || len >= MEMCTX_SYMBOLS_NAME_MAX)
        return false;
    wanted[0] = ' ';
    memcpy(wanted + 1, name, len);
    wanted[1 + len] = '\n';
    const char *hit;
    /* Bounded: each turn begins behind what the one before found. */
    for (const char *from = text;
         (hit = memmem(from, (size_t)(end - from), wanted, len + 2)) != NULL;
         from = hit + 1) {
        const char *newline = memrchr(text, '\n', (size_t)(hit - text));
        const char *line = newline != NULL ? newline + 1 : text;
        const char *found;
        struct memctx_symbol symbol;
        if (take_head(line, hit + 1 + len, &symbol, &found) &&
            found == hit + 1) {
            *ret = symbol.address;
            return true;
        }
    }
    return false;
}
