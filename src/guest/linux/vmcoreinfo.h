/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the VMCOREINFO text that a Linux kernel keeps in its RAM for crash
 * dumps. Only parses: what it says is proved by whoever uses it.
 *
 * The kernel writes the text twice (kernel/vmcore_info.c; before 6.9
 * kernel/crash_core.c, before 4.12 kernel/kexec_core.c): bare, on a page of
 * its own, and as an ELF note, on another. Before 4.13 both were static
 * arrays, which need not be page aligned. Lines are KEY=VALUE; SYMBOL() is
 * hexadecimal without 0x, OFFSET() and SIZE() decimal, NUMBER() signed decimal
 * or 0x hexadecimal. */
#ifndef MEMCTX_VMCOREINFO_H
#define MEMCTX_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The text fits the kernel's VMCOREINFO_BYTES: one page up to 6.x, more where
 * the kernel allocates by order. Longer is refused. */
#define MEMCTX_VMCOREINFO_MAX (64u * 1024)

/* ELF note header (12 bytes) and the name "VMCOREINFO", padded to 4. */
#define MEMCTX_VMCOREINFO_NOTE_HEADER 24u

/* Every value has its bit in `has`; what has none was not in the text. */
enum memctx_vmcoreinfo_key {
    MEMCTX_VMCI_SWAPPER,      /* SYMBOL(swapper_pg_dir), older kernels also
                                 init_top_pgt or init_level4_pgt: gva */
    MEMCTX_VMCI_STEXT,        /* SYMBOL(_stext): gva */
    MEMCTX_VMCI_UTS,          /* SYMBOL(init_uts_ns): gva */
    MEMCTX_VMCI_UTS_NAME,     /* OFFSET(uts_namespace.name): bytes; 5.11+ */
    MEMCTX_VMCI_KERNELOFFSET, /* KERNELOFFSET: KASLR slide in bytes */
    MEMCTX_VMCI_PHYS_BASE,    /* NUMBER(phys_base): signed, two's complement */
    MEMCTX_VMCI_L5,           /* NUMBER(pgtable_l5_enabled): 0 or 1; 4.17+ */
    MEMCTX_VMCI_PAGESIZE,     /* PAGESIZE: bytes */
    /* aarch64 only (arch/arm64/kernel/vmcore_info.c) */
    MEMCTX_VMCI_KIMAGE_VOFFSET, /* NUMBER(kimage_voffset): gva - gpa of the
                                   image; 4.12+ */
    MEMCTX_VMCI_PHYS_OFFSET,    /* NUMBER(PHYS_OFFSET): gpa where the direct
                                   map begins, of any sign; 4.12+ */
    MEMCTX_VMCI_VA_BITS,        /* NUMBER(VA_BITS): of the configuration */
    MEMCTX_VMCI_T1SZ,           /* NUMBER(TCR_EL1_T1SZ): 64 - the bits in use;
                                   5.9+, in some releases in lower case */
    MEMCTX_VMCI_CRASHTIME,      /* CRASHTIME: the kernel has panicked */
    /* Tables of all symbols, gva; 6.0+, the last one not in the newest. */
    MEMCTX_VMCI_KALLSYMS_NAMES,
    MEMCTX_VMCI_KALLSYMS_NUM_SYMS,
    MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE,
    MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX,
    MEMCTX_VMCI_KALLSYMS_OFFSETS,
    MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE,
    MEMCTX_VMCI_KEYS
};

struct memctx_vmcoreinfo {
    char release[65];  /* OSRELEASE, as uname -r; printable, not empty */
    char build_id[65]; /* BUILD-ID, lower-case hex, 5.9+; "" when absent */
    uint64_t has;      /* bit (1 << key) for every key that was there */
    uint64_t value[MEMCTX_VMCI_KEYS];
};

static inline bool
memctx_vmcoreinfo_has(const struct memctx_vmcoreinfo *info,
                      enum memctx_vmcoreinfo_key key)
{
    return (info->has >> key & 1) != 0;
}

/* Parse len_bytes of text, which may end at a NUL before that. Unknown keys
 * and a last line without newline (the kernel is still writing it) are passed
 * over; of a key that comes twice the first counts. 0, or -1 with RETRY: no
 * OSRELEASE line first, a value that is no number or does not fit, text too
 * long. *ret is untouched on failure. Any thread. */
int memctx_vmcoreinfo_parse(const char *text, size_t len_bytes,
                            struct memctx_vmcoreinfo *ret,
                            struct memctx_error *err);

/* The number of one line, whose key stands as in the text: "SIZE(printk_info)".
 * Numbers of SYMBOL() are hexadecimal, all others decimal, of any sign, or 0x.
 * False: there is no such line, or it has no number. For keys that few need;
 * goes through the text each time. Any thread. */
bool memctx_vmcoreinfo_find(const char *text, size_t len_bytes, const char *key,
                            uint64_t *ret);

/* Does an ELF note header of a VMCOREINFO note stand at the first
 * MEMCTX_VMCOREINFO_NOTE_HEADER bytes? If so *text_len is the length of the
 * text that follows it, between 1 and MEMCTX_VMCOREINFO_MAX. */
bool memctx_vmcoreinfo_is_note(const unsigned char *bytes, size_t *text_len);

/* Does the bare text begin here? Looks at 10 bytes. */
bool memctx_vmcoreinfo_is_text(const unsigned char *bytes);

/* Does one of the two begin here? As many bytes as for a note. */
static inline bool
memctx_vmcoreinfo_begins(const unsigned char *bytes)
{
    size_t len;
    return memctx_vmcoreinfo_is_text(bytes) ||
           memctx_vmcoreinfo_is_note(bytes, &len);
}

#endif
