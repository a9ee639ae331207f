/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses VMCOREINFO text; knows nothing of RAM or page tables. */
#include "guest/linux/vmcoreinfo.h"

#include <string.h>

#include "base/bytes.h"
#include "base/number.h"

enum value_format {
    HEX,
    DECIMAL,
    SIGNED
};

struct key_row {
    const char *name;
    enum memctx_vmcoreinfo_key key;
    enum value_format format;
};

/* The root has several names. swapper_pg_dir is that of all architectures
 * (kernel/crash_core.c); x86-64 adds init_top_pgt, formerly init_level4_pgt
 * (arch/x86/kernel/machine_kexec_64.c). The first one in the text counts. */
static const struct key_row keys[] = {
    {"SYMBOL(swapper_pg_dir)", MEMCTX_VMCI_SWAPPER, HEX},
    {"SYMBOL(init_top_pgt)", MEMCTX_VMCI_SWAPPER, HEX},
    {"SYMBOL(init_level4_pgt)", MEMCTX_VMCI_SWAPPER, HEX},
    {"SYMBOL(_stext)", MEMCTX_VMCI_STEXT, HEX},
    {"SYMBOL(init_uts_ns)", MEMCTX_VMCI_UTS, HEX},
    {"OFFSET(uts_namespace.name)", MEMCTX_VMCI_UTS_NAME, DECIMAL},
    {"KERNELOFFSET", MEMCTX_VMCI_KERNELOFFSET, HEX},
    {"NUMBER(phys_base)", MEMCTX_VMCI_PHYS_BASE, SIGNED},
    {"NUMBER(pgtable_l5_enabled)", MEMCTX_VMCI_L5, SIGNED},
    {"PAGESIZE", MEMCTX_VMCI_PAGESIZE, DECIMAL},
    {"NUMBER(kimage_voffset)", MEMCTX_VMCI_KIMAGE_VOFFSET, SIGNED},
    {"NUMBER(PHYS_OFFSET)", MEMCTX_VMCI_PHYS_OFFSET, SIGNED},
    {"NUMBER(VA_BITS)", MEMCTX_VMCI_VA_BITS, SIGNED},
    {"NUMBER(TCR_EL1_T1SZ)", MEMCTX_VMCI_T1SZ, SIGNED},
    {"NUMBER(tcr_el1_t1sz)", MEMCTX_VMCI_T1SZ, SIGNED},
    {"CRASHTIME", MEMCTX_VMCI_CRASHTIME, DECIMAL},
    {"SYMBOL(kallsyms_names)", MEMCTX_VMCI_KALLSYMS_NAMES, HEX},
    {"SYMBOL(kallsyms_num_syms)", MEMCTX_VMCI_KALLSYMS_NUM_SYMS, HEX},
    {"SYMBOL(kallsyms_token_table)", MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE, HEX},
    {"SYMBOL(kallsyms_token_index)", MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX, HEX},
    {"SYMBOL(kallsyms_offsets)", MEMCTX_VMCI_KALLSYMS_OFFSETS, HEX},
    {"SYMBOL(kallsyms_relative_base)", MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE, HEX},
};

/* One line, without its newline. */
struct line {
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
};

static bool
is_key(const struct line *line, const char *name)
{
    return strlen(name) == line->key_len &&
           memcmp(line->key, name, line->key_len) == 0;
}

/* NUMBER() is "%d" or "%ld", or "0x%lx" for masks. */
static bool
take_signed(const char **at, uint64_t *ret)
{
    uint64_t value;
    if (strncmp(*at, "0x", 2) == 0) {
        *at += 2;
        return memctx_number_take(at, 16, UINT64_MAX, ret);
    }
    bool negative = **at == '-';
    *at += negative;
    if (!memctx_number_take(at, 10, INT64_MAX, &value))
        return false;
    *ret = negative ? -value : value;
    return true;
}

/* A newline, which is no digit, ends the value. */
static bool
parse_value(const struct line *line, enum value_format format, uint64_t *ret)
{
    const char *at = line->value;
    bool is_number =
        format == SIGNED
            ? take_signed(&at, ret)
            : memctx_number_take(&at, format == HEX ? 16 : 10, UINT64_MAX, ret);
    return is_number && at == line->value + line->value_len;
}

/* Copy a word of printable ASCII; false when it is empty, too long or not. */
static bool
copy_word(const struct line *line, char *to, size_t size)
{
    if (line->value_len == 0 || line->value_len >= size)
        return false;
    for (size_t i = 0; i < line->value_len; i++) {
        if (line->value[i] <= ' ' || line->value[i] > '~')
            return false;
    }
    memcpy(to, line->value, line->value_len);
    to[line->value_len] = '\0';
    return true;
}

/* The kernel prints it in lower-case hex, 20 bytes for SHA-1. */
static bool
is_build_id(const struct line *line)
{
    return line->value_len >= 16 && line->value_len % 2 == 0 &&
           strspn(line->value, "0123456789abcdef") == line->value_len;
}

static int
take_number(struct memctx_vmcoreinfo *info, const struct line *line,
            struct memctx_error *err)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(keys); i++) {
        const struct key_row *row = &keys[i];
        if (!is_key(line, row->name) || memctx_vmcoreinfo_has(info, row->key))
            continue;
        if (!parse_value(line, row->format, &info->value[row->key]))
            return memctx_error_set(
                err, MEMCTX_RETRY, "VMCOREINFO: %s is no number: '%.*s'",
                row->name, (int)memctx_min(line->value_len, 40), line->value);
        info->has |= UINT64_C(1) << row->key;
    }
    return 0;
}

static int
take_line(struct memctx_vmcoreinfo *info, const struct line *line,
          struct memctx_error *err)
{
    if (is_key(line, "OSRELEASE") && info->release[0] == '\0' &&
        !copy_word(line, info->release, sizeof(info->release)))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "VMCOREINFO: OSRELEASE is no release name");
    /* Some stable kernels print a build ID cut short; it is then no build ID
     * and the datum goes without. */
    if (is_key(line, "BUILD-ID") && info->build_id[0] == '\0' &&
        is_build_id(line))
        copy_word(line, info->build_id, sizeof(info->build_id));
    return take_number(info, line, err);
}

/* Cut the next whole line off [*text, end); false at the end. A line without
 * '=' has an empty key. */
static bool
next_line(const char **text, const char *end, struct line *line)
{
    const char *newline = memchr(*text, '\n', (size_t)(end - *text));
    if (newline == NULL)
        return false;
    const char *equals = memchr(*text, '=', (size_t)(newline - *text));
    line->key = *text;
    line->key_len = equals != NULL ? (size_t)(equals - *text) : 0;
    line->value = equals != NULL ? equals + 1 : newline;
    line->value_len = (size_t)(newline - line->value);
    *text = newline + 1;
    return true;
}

int
memctx_vmcoreinfo_parse(const char *text, size_t len_bytes,
                        struct memctx_vmcoreinfo *ret, struct memctx_error *err)
{
    if (len_bytes > MEMCTX_VMCOREINFO_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "VMCOREINFO: %zu bytes, at most %u are sane",
                                len_bytes, MEMCTX_VMCOREINFO_MAX);
    const char *end = text + strnlen(text, len_bytes);
    struct memctx_vmcoreinfo info = {.has = 0};
    struct line line;
    /* Bounded by the text: each turn cuts one line off. */
    while (next_line(&text, end, &line)) {
        if (take_line(&info, &line, err) < 0)
            return -1;
        /* Every kernel writes this line first: anything else is chance. */
        if (info.release[0] == '\0')
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "VMCOREINFO: first line is no OSRELEASE");
    }
    if (info.release[0] == '\0')
        return memctx_error_set(err, MEMCTX_RETRY, "VMCOREINFO: no whole line");
    *ret = info;
    return 0;
}

bool
memctx_vmcoreinfo_find(const char *text, size_t len_bytes, const char *key,
                       uint64_t *ret)
{
    bool is_symbol = strncmp(key, "SYMBOL(", strlen("SYMBOL(")) == 0;
    const char *end = text + strnlen(text, len_bytes);
    struct line line;
    /* Bounded by the text: each turn cuts one line off. */
    while (next_line(&text, end, &line)) {
        if (is_key(&line, key))
            return parse_value(&line, is_symbol ? HEX : SIGNED, ret);
    }
    return false;
}

bool
memctx_vmcoreinfo_is_note(const unsigned char *bytes, size_t *text_len)
{
    static const char name[12] = "VMCOREINFO";
    if (memctx_le32(bytes) != sizeof("VMCOREINFO") ||
        memctx_le32(bytes + 8) != 0 ||
        memcmp(bytes + 12, name, sizeof(name)) != 0)
        return false;
    uint32_t len = memctx_le32(bytes + 4);
    if (len == 0 || len > MEMCTX_VMCOREINFO_MAX)
        return false;
    *text_len = len;
    return true;
}

bool
memctx_vmcoreinfo_is_text(const unsigned char *bytes)
{
    return memcmp(bytes, "OSRELEASE=", 10) == 0;
}
