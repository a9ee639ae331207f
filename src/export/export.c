/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of formats, and what a tool can take. */
#include "export/export.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "export/format.h"

#define LINUX (1u << MEMCTX_OS_LINUX)
#define WINDOWS (1u << MEMCTX_OS_WINDOWS)

struct memctx_export_format {
    const char *name;
    memctx_export_fn *add;
    unsigned systems;    /* 1 << enum memctx_os */
    const char *pagings; /* beginnings of names, by blanks; "": all */
    bool wants_ram;      /* where it is, or bytes of it */
    bool wants_paths;
    bool wants_vmcoreinfo;
};

static const struct memctx_export_format formats[] = {
    {"json", memctx_export_json, LINUX | WINDOWS, "", false, false, false},
    {"shell", memctx_export_shell, LINUX | WINDOWS, "", true, false, false},
    {"xml", memctx_export_xml, LINUX | WINDOWS, "", false, false, false},
    {"vmcoreinfo", memctx_export_vmcoreinfo, LINUX, "", true, false, true},
    {"drgn", memctx_export_drgn, LINUX, "x86_64- aarch64-", true, false, true},
    {"crash", memctx_export_crash, LINUX, "x86_64- aarch64-", true, true,
     false},
    {"volatility3", memctx_export_volatility3, LINUX | WINDOWS,
     "x86_64-4level x86-", true, true, false},
    {"memprocfs", memctx_export_memprocfs, LINUX | WINDOWS,
     "x86_64-4level x86-", true, true, false},
    {"memflow", memctx_export_memflow, WINDOWS, "x86_64-4level x86-", true,
     true, false},
    {"libvmi", memctx_export_libvmi, LINUX | WINDOWS,
     "x86_64-4level x86- aarch64-4k-48", false, false, false},
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

bool
memctx_export_wants_ram(const struct memctx_export_format *format)
{
    return format->wants_ram;
}

/* Does the name begin with one of these words? */
static bool
begins_with_one(const char *name, const char *words)
{
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        if (strncmp(name, words, len) == 0)
            return true;
        words += len + (words[len] == ' ');
    }
    return false;
}

static bool
takes_kernel(const struct memctx_export_format *format,
             const struct memctx_kernel *kernel)
{
    const char *paging = memctx_paging_name(kernel->paging);
    return (format->systems >> kernel->os & 1) != 0 &&
           (format->pagings[0] == '\0' ||
            (paging != NULL && begins_with_one(paging, format->pagings)));
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

static int
check(const struct memctx_export_format *format,
      const struct memctx_export_subject *subject, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    if (!takes_kernel(format, kernel)) {
        char others[160];
        list_names(kernel, others, sizeof(others));
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "%s takes no %s with %s paging; what does: %s, and memctx core",
            format->name, memctx_os_name(kernel->os),
            memctx_paging_name(kernel->paging), others);
    }
    if (format->wants_vmcoreinfo && subject->vmcoreinfo == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s wants VMCOREINFO, and this kernel keeps "
                                "none in its RAM",
                                format->name);
    if (format->wants_paths && subject->paths == NULL)
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "%s wants a file with the RAM, and the path of a running guest's "
            "is not told: run this below memctx exec (unless RAM is QEMU's "
            "own memory), give --ram FILE, or use memctx core",
            format->name);
    return 0;
}

int
memctx_export(const struct memctx_export_format *format,
              const struct memctx_export_subject *subject, char **ret,
              size_t *len, struct memctx_error *err)
{
    if (check(format, subject, err) < 0)
        return -1;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    if (format->add(subject, &text, err) < 0) {
        memctx_text_deinit(&text);
        return -1;
    }
    size_t bytes = text.len_bytes;
    if (memctx_text_take(&text, ret, err) < 0)
        return -1;
    *len = bytes;
    return 0;
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

const char *
memctx_export_paging_word(const struct memctx_export_subject *subject,
                          const struct memctx_export_word *words)
{
    const char *paging = memctx_paging_name(subject->datum->kernel.paging);
    for (; paging != NULL && words->prefix != NULL; words++) {
        if (strncmp(paging, words->prefix, strlen(words->prefix)) == 0)
            return words->word;
    }
    return NULL;
}
