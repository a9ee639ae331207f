/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes symbols. There are some hundred thousand, which printf() would take
 * longer for than it takes to read them. */
#include "memctx/symbolline.h"

#include <string.h>

#include "base/number.h"
#include "paging/format.h"

/* As many digits as the kernel writes of a pointer: 8 or 16. */
static void
add_address(struct memctx_text *text, const struct memctx_kernel *kernel,
            uint64_t address)
{
    unsigned n = 2 * memctx_paging_format(kernel->paging)->arch->pointer_bytes;
    char digits[16];
    for (unsigned i = n; i > 0; i--, address >>= 4)
        digits[i - 1] = "0123456789abcdef"[address & 15];
    memctx_text_add_bytes(text, digits, n);
}

static void
add_text(struct memctx_text *text, const char *bytes)
{
    memctx_text_add_bytes(text, bytes, strlen(bytes));
}

static void
add_type_and_name(struct memctx_text *text, const struct memctx_symbol *symbol)
{
    const char type[3] = {' ', symbol->type, ' '};
    memctx_text_add_bytes(text, type, sizeof(type));
    add_text(text, symbol->name);
}

/* As /proc/kallsyms (kernel/kallsyms.c, s_show()). */
static void
add_kallsyms(struct memctx_text *text, const struct memctx_kernel *kernel,
             const struct memctx_symbol *symbol)
{
    add_address(text, kernel, symbol->address);
    add_type_and_name(text, symbol);
    if (symbol->module[0] != '\0') {
        add_text(text, "\t[");
        add_text(text, symbol->module);
        add_text(text, "]");
    }
    add_text(text, "\n");
}

/* As the file of that name, which was made when the kernel was linked: of the
 * kernel alone, and at the addresses that KASLR has not moved yet. What lies
 * below the kernel is no address of its image. */
static void
add_system_map(struct memctx_text *text, const struct memctx_kernel *kernel,
               const struct memctx_symbol *symbol)
{
    const struct memctx_linux_facts *facts = &kernel->linux_facts;
    bool moved = facts->has_kaslr_offset && symbol->address >= kernel->base_gva;
    if (symbol->module[0] != '\0')
        return;
    add_address(text, kernel,
                symbol->address - (moved ? facts->kaslr_offset : 0));
    add_type_and_name(text, symbol);
    add_text(text, "\n");
}

const struct symbolline_format symbolline_formats[] = {
    {"kallsyms", add_kallsyms},
    {"system-map", add_system_map},
    {NULL, NULL},
};

const struct symbolline_format *
symbolline_find(const char *name)
{
    const struct symbolline_format *format = symbolline_formats;
    while (format->name != NULL && strcmp(format->name, name) != 0)
        format++;
    return format->name != NULL ? format : NULL;
}

/* Names are printable ASCII. */
static void
add_quoted(struct memctx_text *text, const char *bytes)
{
    add_text(text, "\"");
    for (; *bytes != '\0'; bytes++) {
        if (*bytes == '"' || *bytes == '\\')
            add_text(text, "\\");
        memctx_text_add_bytes(text, bytes, 1);
    }
    add_text(text, "\"");
}

void
symbolline_add_json(struct memctx_text *text,
                    const struct memctx_symbol *symbol)
{
    const char type[2] = {symbol->type, '\0'};
    char address[MEMCTX_NUMBER_MAX];
    memctx_number_print_hex(symbol->address, address);
    add_text(text, "{\"address\":");
    add_quoted(text, address);
    add_text(text, ",\"type\":");
    add_quoted(text, type);
    add_text(text, ",\"name\":");
    add_quoted(text, symbol->name);
    if (symbol->module[0] != '\0') {
        add_text(text, ",\"module\":");
        add_quoted(text, symbol->module);
    }
    add_text(text, "}");
}
