/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Volatility 3: a configuration for its option -c. Its keys are relative to the
 * plugin, whose requirement of a kernel is named "kernel" in all of today. */
#include "export/export.h"
#include "export/format.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "paging/format.h"
#include "text/jsonguard.h"

#define VOL "volatility3.framework."
#define KERNEL "kernel."
#define LAYER KERNEL "layer_name."
#define MEMORY LAYER "memory_layer."

/* Classes of its layers.intel; for a Windows with that word before them. */
const memctx_export_words memctx_export_volatility3_words = {
    [MEMCTX_PAGING_X86_64_4LEVEL] = "Intel32e",
    [MEMCTX_PAGING_X86_PAE] = "IntelPAE",
    [MEMCTX_PAGING_X86_2LEVEL] = "Intel",
};

static void
add_string(json_object *to, const char *key, const char *value)
{
    json_object_object_add(to, key, json_object_new_string(value));
}

static void
add_number(json_object *to, const char *key, uint64_t value)
{
    json_object_object_add(to, key, json_object_new_uint64(value));
}

/* A file by its URL. */
static int
add_file(json_object *to, const char *key, const char *path,
         struct memctx_error *err)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *url = NULL;
    memctx_text_add(&text, "file://");
    memctx_text_add_url(&text, path);
    if (memctx_text_take(&text, &url, err) < 0)
        return -1;
    add_string(to, key, url);
    return 0;
}

/* What our layer class takes: "file:gpa:offset:size,..." */
static int
add_runs(json_object *to, const struct memctx_export_subject *subject,
         struct memctx_error *err)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *runs = NULL;
    for (size_t i = 0; i < subject->n_extents; i++) {
        const struct memctx_extent *e = &subject->extents[i];
        memctx_text_add(&text, "%s%u:" MEMCTX_HEX ":" MEMCTX_HEX ":" MEMCTX_HEX,
                        i > 0 ? "," : "", e->backend, e->gpa, e->offset,
                        e->size);
    }
    if (memctx_text_take(&text, &runs, err) < 0)
        return -1;
    add_string(to, MEMORY "runs", runs);
    return 0;
}

/* Files by their URLs, which have no blanks. */
static int
add_files(json_object *to, const struct memctx_export_subject *subject,
          struct memctx_error *err)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *files = NULL;
    for (size_t i = 0; i < subject->n_backends; i++) {
        memctx_text_add(&text, i > 0 ? " " : "");
        memctx_text_add_url(&text, subject->paths[i]);
    }
    if (memctx_text_take(&text, &files, err) < 0)
        return -1;
    add_string(to, MEMORY "files", files);
    return 0;
}

/* Its own FileLayer knows files in which every offset is the address; for
 * others there is a class of ours, src/export/volatility3/memctx_layer.py. */
static int
add_memory(json_object *to, const struct memctx_export_subject *subject,
           struct memctx_error *err)
{
    if (memctx_export_is_flat(subject)) {
        add_string(to, MEMORY "class", VOL "layers.physical.FileLayer");
        return add_file(to, MEMORY "location",
                        subject->paths[subject->extents[0].backend], err);
    }
    add_string(to, MEMORY "class",
               "volatility3.plugins.memctx_layer.MemctxLayer");
    return add_runs(to, subject, err) < 0 ? -1 : add_files(to, subject, err);
}

/* How the kernel's page tables are read. */
static void
add_layer(json_object *to, const struct memctx_kernel *kernel)
{
    char class[80];
    snprintf(class, sizeof(class), VOL "layers.intel.%s%s",
             kernel->os == MEMCTX_OS_WINDOWS ? "Windows" : "",
             memctx_export_volatility3_words[kernel->paging]);
    add_string(to, KERNEL "layer_name.class", class);
    add_number(to, LAYER "page_map_offset", kernel->kcr3);
}

/* The kernel's place: on Windows the image's base without the bits that make
 * an address canonical, on Linux how far it was moved. */
static int
place_of(const struct memctx_kernel *kernel, uint64_t *ret,
         struct memctx_error *err)
{
    unsigned bits = memctx_paging_format(kernel->paging)->va_bits;
    if (kernel->os == MEMCTX_OS_WINDOWS) {
        *ret = kernel->base_gva & ((UINT64_C(1) << bits) - 1);
        return 0;
    }
    if (!kernel->linux_facts.has_kaslr_offset)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "Volatility 3 wants the distance by which the "
                                "kernel was moved, which is not known: let it "
                                "look for the kernel in a memctx core");
    *ret = kernel->linux_facts.kaslr_offset;
    return 0;
}

/* Its finder of symbols takes a kernel of Linux for the one whose banner this
 * is, to the NUL behind it, and need not scan all RAM; up to 2.11 that scan
 * takes wrong addresses from it (automagic/symbol_finder.py). It wants a text
 * whose characters are the bytes. */
static int
add_banner(json_object *to, const struct memctx_banner *banner,
           struct memctx_error *err)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *utf8 = NULL;
    for (const char *c = banner->text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        const char two[2] = {(char)(0xc0 | byte >> 6),
                             (char)(0x80 | (byte & 0x3f))};
        memctx_text_add_bytes(&text, byte < 0x80 ? c : two,
                              byte < 0x80 ? 1 : 2);
    }
    size_t len = text.len_bytes;
    if (memctx_text_take(&text, &utf8, err) < 0)
        return -1;
    json_object_object_add(to, LAYER "kernel_banner",
                           json_object_new_string_len(utf8, (int)len + 1));
    return 0;
}

/* Keys that no plugin asks for, which are passed over: JSON has no comments. */
static void
add_comments(json_object *to, const struct memctx_export_subject *subject)
{
    enum memctx_datum_live live = subject->datum->live;
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    char words[MEMCTX_EXPORT_KERNEL_MAX];
    memctx_export_kernel_words(kernel, words, sizeof(words));
    add_string(to, "memctx.kernel", words);
    add_string(to, "memctx.needed",
               kernel->os == MEMCTX_OS_WINDOWS
                   ? "a symbol table of this PDB"
                   : "a symbol table of this kernel: memctx export --format "
                     "isf");
    if (subject->domain != NULL && live != MEMCTX_LIVE_RUNS)
        add_string(to, "memctx.live",
                   live == MEMCTX_LIVE_NO ? "no" : "unknown");
}

int
memctx_export_volatility3(const struct memctx_export_subject *subject,
                          struct memctx_text *text, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    uint64_t place;
    if (place_of(kernel, &place, err) < 0)
        return -1;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *root = json_object_new_object();
    if (root == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    add_comments(root, subject);
    add_string(root, KERNEL "class", VOL "contexts.Module");
    add_number(root, KERNEL "offset", place);
    add_layer(root, kernel);
    add_number(root, LAYER "kernel_virtual_offset", place);
    if (subject->banner != NULL && kernel->os == MEMCTX_OS_LINUX &&
        add_banner(root, subject->banner, err) < 0)
        return -1;
    if (add_memory(root, subject, err) < 0)
        return -1;
    const char *json = json_object_to_json_string_ext(
        root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
    if (json == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    memctx_text_add(text, "%s\n", json);
    return 0;
}
