/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* LibVMI: an entry of libvmi.conf. */
#include "export/format.h"

#include <string.h>

#include "base/bytes.h"
#include "base/number.h"

const memctx_export_words memctx_export_libvmi_words = {
    [MEMCTX_PAGING_X86_64_4LEVEL] = "VMI_PM_IA32E",
    [MEMCTX_PAGING_X86_PAE] = "VMI_PM_PAE",
    [MEMCTX_PAGING_X86_2LEVEL] = "VMI_PM_LEGACY",
    [MEMCTX_PAGING_AARCH64_4K_48] = "VMI_PM_AARCH64",
};

/* Words that its lexer (config/lexicon.l) takes for something else. */
static const char *const libvmi_keywords[] = {
    "kpgd",        "linux_tasks",     "linux_mm",        "linux_name",
    "linux_pid",   "linux_pgd",       "linux_addr",      "linux_init_task",
    "linux_kaslr", "win_ntoskrnl",    "win_ntoskrnl_va", "win_tasks",
    "win_pdbase",  "win_pid",         "win_pname",       "win_kdvb",
    "win_kdbg",    "win_kpcr",        "win_sysproc",     "freebsd_name",
    "freebsd_pid", "freebsd_vmspace", "freebsd_pmap",    "freebsd_pgd",
    "sysmap",      "rekall_profile",  "volatility_ist",  "ostype",
    "pagemode",
};

static bool
is_number(const char *name)
{
    bool hex = strncmp(name, "0x", 2) == 0 && name[2] != '\0';
    const char *digits = hex ? name + 2 : name;
    return digits[strspn(digits, hex ? "0123456789abcdefABCDEF"
                                     : "0123456789")] == '\0';
}

/* [a-zA-Z0-9][a-zA-Z0-9._-]+, and neither a number nor a keyword */
static bool
is_libvmi_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(libvmi_keywords); i++) {
        if (strcmp(name, libvmi_keywords[i]) == 0)
            return false;
    }
    return strlen(name) >= 2 && strchr("._-", name[0]) == NULL &&
           name[strspn(name, letters)] == '\0' && !is_number(name) &&
           strncmp(name, "aarch64_ttbr", 12) != 0;
}

static void
add_field(struct memctx_text *text, const char *name, uint64_t value)
{
    if (value != 0)
        memctx_text_add(text, "    %s = " MEMCTX_HEX ";\n", name, value);
}

/* Without the physical address, too, LibVMI searches for the kernel anew
 * (os/windows/core.c). */
static void
add_windows(struct memctx_text *text, const struct memctx_kernel *kernel,
            uint64_t base_gpa)
{
    const struct memctx_windows_facts *facts = &kernel->windows_facts;
    add_field(text, "win_ntoskrnl", base_gpa);
    add_field(text, "win_ntoskrnl_va", kernel->base_gva);
    add_field(text, "win_pdbase", facts->offsets.dtb);
    add_field(text, "win_pid", facts->offsets.pid);
    add_field(text, "win_tasks", facts->offsets.links);
    add_field(text, "win_pname", facts->offsets.image_name);
}

/* Without a domain the name is that of the file, as LibVMI's file mode has
 * it. */
/* LibVMI adds linux_kaslr to the symbols of a System.map only: init_task is
 * where it runs (os/linux/core.c). Without init_task it does not start. */
static void
add_linux(struct memctx_text *text, const struct memctx_kernel *kernel,
          const struct memctx_taskfields *tasks)
{
    if (kernel->linux_facts.has_kaslr_offset)
        add_field(text, "linux_kaslr", kernel->linux_facts.kaslr_offset);
    if (tasks == NULL)
        return;
    add_field(text, "linux_init_task", tasks->init_task_gva);
    add_field(text, "linux_tasks", tasks->tasks);
    add_field(text, "linux_mm", tasks->mm);
    add_field(text, "linux_pid", tasks->pid);
    add_field(text, "linux_name", tasks->comm);
    add_field(text, "linux_pgd", tasks->pgd);
}

/* What its symbols by name come from. */
static const char *
needs_of(const struct memctx_export_subject *subject)
{
    if (subject->datum->kernel.os == MEMCTX_OS_WINDOWS)
        return "a profile of this PDB (volatility_ist), for symbols by name";
    if (subject->tasks == NULL)
        return "sysmap, linux_tasks, linux_mm, linux_pid, linux_name and "
               "linux_pgd, which this kernel does not tell";
    return "sysmap (memctx symbols --format system-map), for symbols by name";
}

static const char *
name_of(const struct memctx_export_subject *subject)
{
    if (subject->domain != NULL)
        return subject->name != NULL ? subject->name : subject->domain;
    if (subject->paths == NULL)
        return "";
    const char *path = subject->paths[0];
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

int
memctx_export_libvmi(const struct memctx_export_subject *subject,
                     struct memctx_text *text, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    const char *name = name_of(subject);
    bool windows = kernel->os == MEMCTX_OS_WINDOWS;
    if (!is_libvmi_name(name))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "LibVMI's configuration takes a name of two or "
                                "more letters, digits, dots, _ and -, which is "
                                "no number and none of its keywords; this is "
                                "'%.64s'",
                                name);
    memctx_export_add_head(subject, needs_of(subject), text);
    memctx_text_add(text,
                    "%s {\n    ostype = \"%s\";\n    pagemode = \"%s\";\n",
                    name, windows ? "Windows" : "Linux",
                    memctx_export_libvmi_words[kernel->paging]);
    add_field(text, "kpgd", kernel->kcr3);
    if (windows)
        add_windows(text, kernel, subject->base_gpa);
    else
        add_linux(text, kernel, subject->tasks);
    memctx_text_add(text, "}\n");
    return 0;
}
