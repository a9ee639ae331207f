/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The formats that are no tool's: the datum itself, as variables of a shell,
 * and the text of VMCOREINFO. */
#include "export/export.h"

#include "base/cleanup.h"
#include "base/number.h"
#include "datum/facts.h"
#include "export/format.h"

int
memctx_export_json(const struct memctx_export_subject *subject,
                   struct memctx_text *text, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *json = NULL;
    if (memctx_datum_to_json(subject->datum, &json, err) < 0)
        return -1;
    memctx_text_add(text, "%s\n", json);
    return 0;
}

int
memctx_export_xml(const struct memctx_export_subject *subject,
                  struct memctx_text *text, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *xml = NULL;
    if (memctx_datum_to_xml(subject->datum, MEMCTX_PRIVATE, &xml, err) < 0)
        return -1;
    memctx_text_add(text, "%s\n", xml);
    return 0;
}

/* As it stands in RAM; the kernel ends it with a newline, a guest need not. One
 * could write there what a terminal obeys, a kernel writes ASCII in lines. */
int
memctx_export_vmcoreinfo(const struct memctx_export_subject *subject,
                         struct memctx_text *text, struct memctx_error *err)
{
    size_t len = subject->vmcoreinfo_len;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)subject->vmcoreinfo[i];
        if (c != '\n' && (c < ' ' || c > '~'))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "VMCOREINFO has the byte %#04x at %zu, "
                                    "which is no text: memctx read shows it",
                                    c, i);
    }
    bool ends = len > 0 && subject->vmcoreinfo[len - 1] == '\n';
    memctx_text_add(text, "%.*s%s", (int)len, subject->vmcoreinfo,
                    ends ? "" : "\n");
    return 0;
}

/* A variable that is not known is unset: a shell may still have that of
 * another guest. */
static void
add_variable(struct memctx_text *text, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        memctx_text_add(text, "unset %s\n", name);
        return;
    }
    memctx_text_add(text, "%s=", name);
    memctx_text_add_shell(text, value);
    memctx_text_add(text, "\n");
}

void
memctx_export_add_extents(const struct memctx_extent *extents, size_t n,
                          struct memctx_text *text)
{
    for (size_t i = 0; i < n; i++) {
        const struct memctx_extent *e = &extents[i];
        memctx_text_add(text, "%s" MEMCTX_HEX ":" MEMCTX_HEX ":%u:" MEMCTX_HEX,
                        i > 0 ? " " : "", e->gpa, e->size, e->backend,
                        e->offset);
    }
}

/* The extents of the datum name their backends; a program wants to know which
 * descriptor or path it is. */
static void
add_extents(const struct memctx_export_subject *subject, const char *name,
            struct memctx_text *text)
{
    memctx_text_add(text, "%s='", name);
    memctx_export_add_extents(subject->extents, subject->n_extents, text);
    memctx_text_add(text, "'\n");
}

int
memctx_export_shell(const struct memctx_export_subject *subject,
                    struct memctx_text *text, struct memctx_error *err)
{
    (void)err;
    add_variable(text, "MEMCTX_DOMAIN", subject->domain);
    add_variable(text, "MEMCTX_UUID", subject->uuid);
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        char value[MEMCTX_FACT_MAX];
        if (f->variable == NULL)
            continue;
        if (f->type == MEMCTX_FACT_LIST)
            add_extents(subject, f->variable, text);
        else
            add_variable(text, f->variable,
                         memctx_fact_text(f, subject->datum, value));
    }
    return 0;
}
