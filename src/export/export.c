/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of formats, and what a tool can take. */
#include "export/export.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "export/format.h"

#define LINUX (1u << MEMCTX_OS_LINUX)
#define WINDOWS (1u << MEMCTX_OS_WINDOWS)
#define EVERY (~0u)

struct memctx_export_format {
    const char *name;
    memctx_export_fn *add;
    unsigned systems;                 /* 1 << enum memctx_os */
    const memctx_export_words *words; /* NULL: it takes every paging */
    unsigned needs;                   /* of enum memctx_export_want */
    unsigned uses;                    /* the same, where it is known */
    memctx_export_stream_fn *stream;  /* in place of add */
};

static const struct memctx_export_format formats[] = {
    {.name = "json", .add = memctx_export_json, .systems = EVERY},
    {.name = "shell",
     .add = memctx_export_shell,
     .systems = EVERY,
     .needs = MEMCTX_EXPORT_RAM},
    {.name = "xml", .add = memctx_export_xml, .systems = EVERY},
    {.name = "vmcoreinfo",
     .add = memctx_export_vmcoreinfo,
     .systems = LINUX,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_VMCOREINFO},
    {.name = "drgn",
     .add = memctx_export_drgn,
     .systems = LINUX,
     .words = &memctx_export_drgn_words,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_VMCOREINFO},
    {.name = "crash",
     .add = memctx_export_crash,
     .systems = LINUX,
     .words = &memctx_export_crash_words,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_PATHS,
     .uses = MEMCTX_EXPORT_VMCOREINFO},
    {.name = "volatility3",
     .add = memctx_export_volatility3,
     .systems = LINUX | WINDOWS,
     .words = &memctx_export_volatility3_words,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_PATHS,
     .uses = MEMCTX_EXPORT_BANNER},
    {.name = "memprocfs",
     .add = memctx_export_memprocfs,
     .systems = LINUX | WINDOWS,
     .words = &memctx_export_memprocfs_words,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_PATHS},
    {.name = "memflow",
     .add = memctx_export_memflow,
     .systems = WINDOWS,
     .words = &memctx_export_memflow_words,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_PATHS},
    {.name = "libvmi",
     .add = memctx_export_libvmi,
     .systems = LINUX | WINDOWS,
     .words = &memctx_export_libvmi_words,
     .needs = MEMCTX_EXPORT_RAM,
     .uses = MEMCTX_EXPORT_TASKFIELDS | MEMCTX_EXPORT_BASE},
    {.name = "btf",
     .systems = LINUX,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_TYPES,
     .stream = memctx_export_btf},
    {.name = "elf",
     .systems = LINUX,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_SYMBOLS | MEMCTX_EXPORT_BANNER,
     .stream = memctx_export_elf},
    {.name = "isf",
     .systems = LINUX,
     .needs = MEMCTX_EXPORT_RAM | MEMCTX_EXPORT_TYPES | MEMCTX_EXPORT_SYMBOLS |
              MEMCTX_EXPORT_BANNER,
     .stream = memctx_export_isf},
};

const struct memctx_export_format *
memctx_export_find(const char *name)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(formats); i++) {
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    }
    return NULL;
}

unsigned
memctx_export_needs(const struct memctx_export_format *format)
{
    return format->needs;
}

unsigned
memctx_export_wants(const struct memctx_export_format *format)
{
    return format->needs | format->uses;
}

static bool
takes_kernel(const struct memctx_export_format *format,
             const struct memctx_kernel *kernel)
{
    return (format->systems >> kernel->os & 1) != 0 &&
           (format->words == NULL || (*format->words)[kernel->paging] != NULL);
}

/* The names of those that take this kernel (NULL: of all). */
static void
list_names(const struct memctx_kernel *kernel, char *ret, size_t size)
{
    size_t len = 0;
    ret[0] = '\0';
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(formats); i++) {
        if (kernel != NULL && !takes_kernel(&formats[i], kernel))
            continue;
        int n = snprintf(ret + len, size - len, "%s%s", len > 0 ? ", " : "",
                         formats[i].name);
        len = (size_t)memctx_min(len + (size_t)n, size - 1);
    }
}

void
memctx_export_names(char *ret, size_t size)
{
    list_names(NULL, ret, size);
}

int
memctx_export_check_kernel(const struct memctx_export_format *format,
                           const struct memctx_kernel *kernel,
                           struct memctx_error *err)
{
    char others[160];
    if (takes_kernel(format, kernel))
        return 0;
    list_names(kernel, others, sizeof(others));
    return memctx_error_set(
        err, MEMCTX_PERMANENT,
        "%s takes no %s with %s paging; what does: %s, and memctx core",
        format->name, memctx_os_name(kernel->os),
        memctx_paging_name(kernel->paging), others);
}

/* Which of the things that are wanted the subject has. */
static unsigned
known_of(const struct memctx_export_subject *subject)
{
    unsigned known = ~0u;
    if (subject->paths == NULL)
        known &= ~(unsigned)MEMCTX_EXPORT_PATHS;
    if (subject->vmcoreinfo == NULL)
        known &= ~(unsigned)MEMCTX_EXPORT_VMCOREINFO;
    if (subject->btf == NULL)
        known &= ~(unsigned)MEMCTX_EXPORT_TYPES;
    if (subject->symbols == NULL)
        known &= ~(unsigned)MEMCTX_EXPORT_SYMBOLS;
    if (subject->banner == NULL)
        known &= ~(unsigned)MEMCTX_EXPORT_BANNER;
    return known;
}

static int
refuse_without_paths(const struct memctx_export_format *format,
                     const struct memctx_export_subject *subject,
                     struct memctx_error *err)
{
    if (subject->has_own_memory)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s wants a file with the RAM, and some of "
                                "this RAM is QEMU's own memory: use memctx "
                                "core",
                                format->name);
    return memctx_error_set(
        err, MEMCTX_PERMANENT,
        "%s wants a file with the RAM, and the path of a running guest's is "
        "not told: run this below memctx exec, give --ram FILE, or use memctx "
        "core",
        format->name);
}

static int
check(const struct memctx_export_format *format,
      const struct memctx_export_subject *subject, struct memctx_error *err)
{
    unsigned missing = format->needs & ~known_of(subject);
    if (memctx_export_check_kernel(format, &subject->datum->kernel, err) < 0)
        return -1;
    if ((missing & MEMCTX_EXPORT_VMCOREINFO) != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s wants VMCOREINFO, and this kernel keeps "
                                "none in its RAM",
                                format->name);
    if ((missing & MEMCTX_EXPORT_PATHS) != 0)
        return refuse_without_paths(format, subject, err);
    if (missing != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s wants what the kernel says of itself, and "
                                "that is not known",
                                format->name);
    return 0;
}

/* A format that is one text. */
static int
write_text(const struct memctx_export_format *format,
           const struct memctx_export_subject *subject,
           const struct memctx_sink *sink, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text text = MEMCTX_TEXT_INIT;
    if (format->add(subject, &text, err) < 0)
        return -1;
    if (text.failed)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return sink->write(sink->arg, text.bytes, text.len_bytes, err);
}

int
memctx_export_to(const struct memctx_export_format *format,
                 const struct memctx_export_subject *subject,
                 const struct memctx_sink *sink, struct memctx_error *err)
{
    if (check(format, subject, err) < 0)
        return -1;
    return format->stream != NULL ? format->stream(subject, sink, err)
                                  : write_text(format, subject, sink, err);
}

static int
collect(void *text, const void *bytes, size_t len_bytes,
        struct memctx_error *err)
{
    (void)err; /* memctx_text_take() tells */
    memctx_text_add_bytes(text, bytes, len_bytes);
    return 0;
}

int
memctx_export(const struct memctx_export_format *format,
              const struct memctx_export_subject *subject, char **ret,
              size_t *len, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text text = MEMCTX_TEXT_INIT;
    const struct memctx_sink sink = {collect, &text};
    if (memctx_export_to(format, subject, &sink, err) < 0)
        return -1;
    size_t bytes = text.len_bytes;
    if (memctx_text_take(&text, ret, err) < 0)
        return -1;
    *len = bytes;
    return 0;
}

void
memctx_export_kernel_words(const struct memctx_kernel *kernel, char *ret,
                           size_t size)
{
    bool windows = kernel->os == MEMCTX_OS_WINDOWS;
    bool has = kernel->identity[0] != '\0';
    snprintf(ret, size, "%s %s%s%s%s", windows ? "Windows" : "Linux",
             kernel->version, has ? ", " : "",
             has && !windows ? "build ID " : "", kernel->identity);
}

/* Who made a file with RAM knows that nothing runs in it. */
static void
add_live(const struct memctx_export_subject *subject, struct memctx_text *text)
{
    enum memctx_datum_live live = subject->datum->live;
    if (subject->domain == NULL || live == MEMCTX_LIVE_RUNS)
        return;
    memctx_text_add(
        text, "# live=%s: %s\n", live == MEMCTX_LIVE_NO ? "no" : "unknown",
        live == MEMCTX_LIVE_NO ? "this kernel stands still"
                               : "it is not known whether this kernel runs");
}

void
memctx_export_add_head(const struct memctx_export_subject *subject,
                       const char *needs, struct memctx_text *text)
{
    char kernel[MEMCTX_EXPORT_KERNEL_MAX];
    memctx_export_kernel_words(&subject->datum->kernel, kernel, sizeof(kernel));
    memctx_text_add(text, "# %s; still needed: %s\n", kernel, needs);
    add_live(subject, text);
}

bool
memctx_export_is_one_file(const struct memctx_export_subject *subject)
{
    for (size_t i = 0; i < subject->n_extents; i++) {
        if (subject->extents[i].backend != subject->extents[0].backend)
            return false;
    }
    return true;
}

bool
memctx_export_is_flat(const struct memctx_export_subject *subject)
{
    for (size_t i = 0; i < subject->n_extents; i++) {
        if (subject->extents[i].offset != subject->extents[i].gpa)
            return false;
    }
    return memctx_export_is_one_file(subject);
}
