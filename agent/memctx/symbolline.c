/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes symbols, each of them without printf(): there are some hundred
 * thousand. */
#include "memctx/symbolline.h"

#include <string.h>

#include "base/number.h"
#include "explain/symboltext.h"
#include "paging/format.h"

unsigned
symbolline_digits(const struct memctx_kernel *kernel)
{
    return 2 * memctx_paging_format(kernel->paging)->arch->pointer_bytes;
}

static void
add_kallsyms(struct memctx_text *text, const struct memctx_kernel *kernel,
             const struct memctx_symbol *symbol)
{
    memctx_symboltext_add(text, symbol, symbolline_digits(kernel));
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
    struct memctx_symbol linked = *symbol;
    if (symbol->module[0] != '\0')
        return;
    if (moved)
        linked.address -= facts->kaslr_offset;
    memctx_symboltext_add(text, &linked, symbolline_digits(kernel));
}

const struct symbolline_format symbolline_formats[] = {
    {"kallsyms", add_kallsyms, true},
    {"system-map", add_system_map, false},
    {NULL, NULL, false},
};

const struct symbolline_format *
symbolline_find(const char *name)
{
    const struct symbolline_format *format = symbolline_formats;
    while (format->name != NULL && strcmp(format->name, name) != 0)
        format++;
    return format->name != NULL ? format : NULL;
}

static void
add_text(struct memctx_text *text, const char *bytes)
{
    memctx_text_add_bytes(text, bytes, strlen(bytes));
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
