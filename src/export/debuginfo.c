/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A table of distributions, by how they name their kernels. */
#include "export/debuginfo.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* The name of a release ("6.1.0-57-cloud-amd64") stands between `before` and
 * `after` in names of packages and paths. */
struct name {
    const char *before; /* NULL: there is none */
    const char *after;
};

struct distribution {
    const char *name;
    const char *mark; /* in the name of a release, */
    bool is_at_end;   /* at its end */
    const char *debuginfod;
    const char *install; /* NULL: by debuginfod only */
    struct name package;
    struct name file;
};

#define RPM_FILE                                  \
    {                                             \
        "/usr/lib/debug/lib/modules/", "/vmlinux" \
    }
#define BOOT_FILE                          \
    {                                      \
        "/usr/lib/debug/boot/vmlinux-", "" \
    }
#define DEBIAN(mark)                                                           \
    {                                                                          \
        "Debian", mark, true, "https://debuginfod.debian.net/", "apt install", \
            {"linux-image-", "-dbg"}, BOOT_FILE                                \
    }
#define UBUNTU(mark)                                         \
    {                                                        \
        "Ubuntu (ddebs.ubuntu.com)", mark, true,             \
            "https://debuginfod.ubuntu.com/", "apt install", \
            {"linux-image-unsigned-", "-dbgsym"}, BOOT_FILE  \
    }

static const struct distribution distributions[] = {
    {"Fedora",
     ".fc",
     false,
     "https://debuginfod.fedoraproject.org/",
     "dnf --enablerepo='*debug*' install",
     {"kernel-debuginfo-", ""},
     RPM_FILE},
    {"Red Hat and its relatives",
     ".el",
     false,
     NULL,
     "dnf --enablerepo='*debug*' install",
     {"kernel-debuginfo-", ""},
     RPM_FILE},
    {"openSUSE",
     "-default",
     true,
     "https://debuginfod.opensuse.org/",
     "zypper install --plus-content debug kernel-default-debuginfo",
     {NULL, NULL},
     {"/usr/lib/debug/boot/vmlinux-", ".debug"}},
    {"Arch Linux",
     "-arch",
     false,
     "https://debuginfod.archlinux.org/",
     NULL,
     {NULL, NULL},
     {NULL, NULL}},
    UBUNTU("-generic"),
    UBUNTU("-lowlatency"),
    UBUNTU("-kvm"),
    UBUNTU("-aws"),
    UBUNTU("-azure"),
    UBUNTU("-gcp"),
    UBUNTU("-oracle"),
    DEBIAN("-amd64"),
    DEBIAN("-arm64"),
    DEBIAN("-686"),
    DEBIAN("-686-pae"),
    DEBIAN("-armmp"),
    DEBIAN("-riscv64"),
};

static bool
ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static const struct distribution *
find_distribution(const char *release)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(distributions); i++) {
        const struct distribution *d = &distributions[i];
        if (d->is_at_end ? ends_with(release, d->mark)
                         : strstr(release, d->mark) != NULL)
            return d;
    }
    return NULL;
}

/* A word that means nothing to a shell needs no quotes. */
static void
add_word(struct memctx_text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+:/";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0')
        memctx_text_add(text, "%s", word);
    else
        memctx_text_add_shell(text, word);
}

/* Take the text as the command. False: out of memory. */
static bool
take_command(struct memctx_text *text, struct memctx_debuginfo *ret)
{
    return memctx_text_take(text, &ret->command, NULL) == 0;
}

static bool
by_debuginfod(const struct memctx_kernel *kernel,
              const struct distribution *distribution,
              struct memctx_debuginfo *ret)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    *ret = (struct memctx_debuginfo){.from = "debuginfod"};
    if (distribution != NULL && distribution->debuginfod != NULL)
        memctx_text_add(&text, "DEBUGINFOD_URLS=%s ", distribution->debuginfod);
    memctx_text_add(&text, "debuginfod-find debuginfo ");
    add_word(&text, kernel->identity);
    return take_command(&text, ret);
}

static void
fill_in(const struct name *name, const char *release, char *ret, size_t size)
{
    if (name->before != NULL)
        snprintf(ret, size, "%s%s%s", name->before, release, name->after);
}

static bool
by_package(const struct memctx_kernel *kernel, const struct distribution *d,
           struct memctx_debuginfo *ret)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    char package[MEMCTX_VERSION_MAX + 64] = "";
    *ret = (struct memctx_debuginfo){.command = NULL};
    snprintf(ret->from, sizeof(ret->from), "%s", d->name);
    fill_in(&d->package, kernel->version, package, sizeof(package));
    fill_in(&d->file, kernel->version, ret->file, sizeof(ret->file));
    memctx_text_add(&text, "%s", d->install);
    if (package[0] != '\0') {
        memctx_text_add(&text, " ");
        add_word(&text, package);
    }
    return take_command(&text, ret);
}

static size_t
find_linux(const struct memctx_kernel *kernel, struct memctx_debuginfo *ret)
{
    const struct distribution *d = find_distribution(kernel->version);
    size_t n = 0;
    if (d != NULL && d->install != NULL)
        n += by_package(kernel, d, &ret[n]);
    if (kernel->identity[0] != '\0')
        n += by_debuginfod(kernel, d, &ret[n]);
    return n;
}

/* A symbol server is asked for NAME/GUID and age/NAME; the identity is
 * NAME/GUID/age. Source: "SymStore folder structure" in Microsoft's
 * documentation of debuggers. */
static size_t
find_windows(const struct memctx_kernel *kernel, struct memctx_debuginfo *ret)
{
    const char *guid = strchr(kernel->identity, '/');
    const char *age = guid != NULL ? strchr(guid + 1, '/') : NULL;
    struct memctx_text url = MEMCTX_TEXT_INIT;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    if (age == NULL)
        return 0;
    int name_len = (int)(guid - kernel->identity);
    *ret = (struct memctx_debuginfo){.from = "Microsoft"};
    memctx_text_add(
        &url, "https://msdl.microsoft.com/download/symbols/%.*s%.*s%s/%.*s",
        name_len, kernel->identity, (int)(age - guid), guid, age + 1, name_len,
        kernel->identity);
    memctx_text_add(&text, "curl -fLO ");
    if (!url.failed)
        add_word(&text, url.bytes);
    text.failed = text.failed || url.failed;
    memctx_text_deinit(&url);
    snprintf(ret->file, sizeof(ret->file), "%.*s", name_len, kernel->identity);
    return take_command(&text, ret);
}

size_t
memctx_debuginfo_find(const struct memctx_kernel *kernel,
                      struct memctx_debuginfo *ret)
{
    if (kernel->os == MEMCTX_OS_LINUX)
        return find_linux(kernel, ret);
    return kernel->os == MEMCTX_OS_WINDOWS ? find_windows(kernel, ret) : 0;
}

void
memctx_debuginfo_deinit(struct memctx_debuginfo *debuginfo)
{
    free(debuginfo->command);
    debuginfo->command = NULL;
}
