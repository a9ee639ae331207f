/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The formats that are no tool's: the datum itself, as variables of a shell,
 * and the text of VMCOREINFO. */
#include "export/export.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/cleanup.h"
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

/* As it stands in RAM; the kernel ends it with a newline. A guest could write
 * there what a terminal obeys, a kernel writes ASCII in lines. */
int
memctx_export_vmcoreinfo(const struct memctx_export_subject *subject,
                         struct memctx_text *text, struct memctx_error *err)
{
    for (size_t i = 0; i < subject->vmcoreinfo_len; i++) {
        unsigned char c = (unsigned char)subject->vmcoreinfo[i];
        if (c != '\n' && (c < ' ' || c > '~'))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "VMCOREINFO has the byte %#04x at %zu, "
                                    "which is no text: memctx read shows it",
                                    c, i);
    }
    memctx_text_add(text, "%.*s", (int)subject->vmcoreinfo_len,
                    subject->vmcoreinfo);
    return 0;
}

/* A variable that is not known is unset: a shell may still have that of
 * another guest. */
static void
add_word(struct memctx_text *text, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        memctx_text_add(text, "unset MEMCTX_%s\n", name);
        return;
    }
    memctx_text_add(text, "MEMCTX_%s=", name);
    memctx_text_add_shell(text, value);
    memctx_text_add(text, "\n");
}

static void
add_hex(struct memctx_text *text, const char *name, bool known, uint64_t value)
{
    char hex[24];
    snprintf(hex, sizeof(hex), "0x%" PRIx64, value);
    add_word(text, name, known ? hex : NULL);
}

static void
add_count(struct memctx_text *text, const char *name, unsigned value)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%u", value);
    add_word(text, name, value != 0 ? digits : NULL);
}

static void
add_phys_base(struct memctx_text *text, const struct memctx_linux_facts *facts)
{
    char hex[24];
    bool negative = facts->phys_base < 0;
    snprintf(hex, sizeof(hex), "%s0x%" PRIx64, negative ? "-" : "",
             negative ? -(uint64_t)facts->phys_base
                      : (uint64_t)facts->phys_base);
    add_word(text, "PHYS_BASE", facts->has_phys_base ? hex : NULL);
}

void
memctx_export_add_extents(const struct memctx_export_subject *subject,
                          struct memctx_text *text)
{
    for (size_t i = 0; i < subject->n_extents; i++) {
        const struct memctx_extent *e = &subject->extents[i];
        memctx_text_add(text, "%s0x%" PRIx64 ":0x%" PRIx64 ":%u:0x%" PRIx64,
                        i > 0 ? " " : "", e->gpa, e->size, e->backend,
                        e->offset);
    }
}

int
memctx_export_shell(const struct memctx_export_subject *subject,
                    struct memctx_text *text, struct memctx_error *err)
{
    (void)err;
    const struct memctx_datum *datum = subject->datum;
    const struct memctx_kernel *kernel = &datum->kernel;
    const struct memctx_linux_facts *linux_facts = &kernel->linux_facts;
    uint64_t eprocess = kernel->first_process_gva;
    bool has_note = linux_facts->vmcoreinfo_size != 0;
    add_word(text, "DOMAIN", subject->domain);
    add_word(text, "UUID", subject->uuid);
    add_count(text, "GENERATION", datum->generation);
    add_hex(text, "KCR3", true, kernel->kcr3);
    add_hex(text, "LOW", true, datum->low);
    add_word(text, "PAGING", memctx_paging_name(kernel->paging));
    add_word(text, "OS", memctx_os_name(kernel->os));
    add_word(text, "VERSION", kernel->version);
    add_word(text, "IDENTITY", kernel->identity);
    add_hex(text, "RAM_SIZE", true, datum->ram_size);
    memctx_text_add(text, "MEMCTX_EXTENTS='");
    memctx_export_add_extents(subject, text);
    memctx_text_add(text, "'\n");
    add_hex(text, "KERNEL_BASE", kernel->base_gva != 0, kernel->base_gva);
    add_hex(text, "KERNEL_SIZE", kernel->size_bytes != 0, kernel->size_bytes);
    add_hex(text, "KASLR_OFFSET", linux_facts->has_kaslr_offset,
            linux_facts->kaslr_offset);
    add_phys_base(text, linux_facts);
    add_hex(text, "KIMAGE_VOFFSET", linux_facts->has_kimage_voffset,
            linux_facts->kimage_voffset);
    add_hex(text, "VMCOREINFO_GPA", has_note, linux_facts->vmcoreinfo_gpa);
    add_count(text, "VMCOREINFO_SIZE", linux_facts->vmcoreinfo_size);
    add_hex(text, "SYSTEM_EPROCESS", eprocess != 0, eprocess);
    return 0;
}
