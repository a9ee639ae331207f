/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Two spellings in one place. */
#include "control/exposition.h"

#include <string.h>

#include "base/cleanup.h"

static const char *
suffix_of(const struct exposition_family *family)
{
    switch (family->type) {
    case EXPOSITION_COUNTER:
        return "_total";
    case EXPOSITION_INFO:
        return "_info";
    case EXPOSITION_GAUGE:
        break;
    }
    return "";
}

static const char *
type_of(const struct exposition *e, const struct exposition_family *family)
{
    if (family->type == EXPOSITION_COUNTER)
        return "counter";
    return family->type == EXPOSITION_INFO &&
                   e->spelling == EXPOSITION_OPENMETRICS
               ? "info"
               : "gauge";
}

void
exposition_begin(const struct exposition *e,
                 const struct exposition_family *family)
{
    bool open = e->spelling == EXPOSITION_OPENMETRICS;
    const char *suffix = open ? "" : suffix_of(family);
    memctx_text_add(e->text, "# TYPE %s%s %s\n", family->name, suffix,
                    type_of(e, family));
    if (open && family->unit != NULL)
        memctx_text_add(e->text, "# UNIT %s %s\n", family->name, family->unit);
    memctx_text_add(e->text, "# HELP %s%s %s\n", family->name, suffix,
                    family->help);
}

static void
add(struct memctx_text *text, const char *bytes)
{
    memctx_text_add_bytes(text, bytes, strlen(bytes));
}

/* Printable ASCII that stands for itself between quotes. */
static bool
is_plain(const char *value)
{
    while (*value >= ' ' && *value <= '~' && *value != '"' && *value != '\\')
        value++;
    return *value == '\0';
}

/* Control bytes, though allowed, are nobody's name. The loop writes some ten
 * thousand values at a time, nearly all of them plain. */
static void
add_value(struct memctx_text *text, const char *value)
{
    if (is_plain(value)) {
        add(text, value);
        return;
    }
    struct memctx_text utf8 = MEMCTX_TEXT_INIT;
    memctx_text_add_utf8(&utf8, value, strlen(value));
    for (const char *c = utf8.bytes; c != NULL && *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            memctx_text_add(text, "\\%c", *c);
        else if ((unsigned char)*c < ' ' || *c == 0x7f)
            memctx_text_add(text, "\\\\x%02x", (unsigned char)*c);
        else
            memctx_text_add_bytes(text, c, 1);
    }
    text->failed = text->failed || utf8.failed;
    memctx_text_deinit(&utf8);
}

void
exposition_add(const struct exposition *e,
               const struct exposition_family *family,
               const struct exposition_label *labels, size_t n, double value)
{
    add(e->text, family->name);
    add(e->text, suffix_of(family));
    for (size_t i = 0; i < n; i++) {
        add(e->text, i == 0 ? "{" : ",");
        add(e->text, labels[i].name);
        add(e->text, "=\"");
        add_value(e->text, labels[i].value);
        add(e->text, "\"");
    }
    memctx_text_add(e->text, "%s %.15g\n", n > 0 ? "}" : "", value);
}

void
exposition_end(const struct exposition *e)
{
    if (e->spelling == EXPOSITION_OPENMETRICS)
        memctx_text_add(e->text, "# EOF\n");
}
