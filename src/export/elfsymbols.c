/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The symbols of the very kernel that runs as an ELF file without code, at the
 * addresses where they are: for gdb, and for whatever else reads a vmlinux. Its
 * build ID and banner are there, by which tools know a kernel. */
#include <elf.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "export/format.h"
#include "paging/format.h"

#define BUILD_ID_MAX 64u

enum section {
    NONE,
    CODE, /* what of the kernel is code, and */
    DATA, /* what is not: no bytes of either are in the file */
    ID,
    BANNER,
    SYMBOLS,
    STRINGS,
    NAMES,
    SECTIONS
};

struct range {
    uint64_t start;
    uint64_t end;
};

struct file {
    const struct memctx_export_subject *subject;
    unsigned word; /* bytes of an address */
    uint16_t machine;
    struct range code;
    struct range data;
    struct memctx_text id; /* the note */
    struct memctx_text symbols;
    struct memctx_text strings;
    uint32_t n_local; /* symbols before the first global one */
};

static void
file_deinit(struct file *f)
{
    memctx_text_deinit(&f->id);
    memctx_text_deinit(&f->symbols);
    memctx_text_deinit(&f->strings);
}

/* ---- numbers ------------------------------------------------------------- */

/* A struct of ELF on its way out; none is larger. */
struct item {
    unsigned char bytes[64];
    size_t len;
};

static void
put(struct item *item, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        item->bytes[item->len++] = (unsigned char)(value >> 8 * i);
}

static void
flush(struct memctx_text *text, const struct item *item)
{
    memctx_text_add_bytes(text, item->bytes, item->len);
}

/* ---- symbols ------------------------------------------------------------- */

static bool
is_in(const struct range *range, uint64_t address)
{
    return address >= range->start && address < range->end;
}

/* What lies elsewhere is a number: of a CPU's own variables their place among
 * those, for example. */
static uint16_t
section_of(const struct file *f, uint64_t address)
{
    return is_in(&f->code, address)   ? CODE
           : is_in(&f->data, address) ? DATA
                                      : SHN_ABS;
}

/* nm(1) has the letters: those of code are t and w, and capital ones are
 * global. */
static bool
is_global(char type)
{
    return type >= 'A' && type <= 'Z';
}

static void
add_symbol(struct file *f, const struct memctx_symbol *symbol)
{
    struct item item = {.len = 0};
    bool is_code = strchr("tTwW", symbol->type) != NULL;
    unsigned char info = (unsigned char)ELF64_ST_INFO(
        is_global(symbol->type) ? STB_GLOBAL : STB_LOCAL,
        is_code ? STT_FUNC : STT_OBJECT);
    put(&item, f->strings.len_bytes, 4);
    if (f->word == 4) {
        put(&item, symbol->address, 4);
        put(&item, 0, 4);
    }
    put(&item, info, 1);
    put(&item, STV_DEFAULT, 1);
    put(&item, section_of(f, symbol->address), 2);
    if (f->word == 8) {
        put(&item, symbol->address, 8);
        put(&item, 0, 8);
    }
    flush(&f->symbols, &item);
    memctx_text_add_bytes(&f->strings, symbol->name, strlen(symbol->name) + 1);
}

/* The first of a table is none; then local ones, then global ones. */
static void
add_symbols(struct file *f)
{
    const struct memctx_symbols *symbols = f->subject->symbols;
    const struct item none = {.len = f->word == 8 ? 24 : 16};
    size_t n = memctx_symbols_count(symbols);
    flush(&f->symbols, &none);
    memctx_text_add_bytes(&f->strings, "", 1);
    f->n_local = 1;
    for (unsigned global = 0; global < 2; global++) {
        for (size_t i = 0; i < n; i++) {
            const struct memctx_symbol symbol = memctx_symbols_at(symbols, i);
            if (is_global(symbol.type) != (global != 0))
                continue;
            add_symbol(f, &symbol);
            f->n_local += global == 0;
        }
    }
}

static uint64_t
address_of(const struct file *f, const char *name, uint64_t otherwise)
{
    struct memctx_symbol symbol;
    return memctx_symbols_find(f->subject->symbols, name, &symbol) == 0
               ? symbol.address
               : otherwise;
}

/* Where the kernel says that its code ends; all of it may be. */
static void
find_ranges(struct file *f)
{
    const struct memctx_kernel *kernel = &f->subject->datum->kernel;
    uint64_t end = kernel->base_gva + kernel->size_bytes;
    f->code.start = address_of(f, "_stext", kernel->base_gva);
    f->code.end = address_of(f, "_etext", end);
    f->data.start = f->code.end;
    f->data.end = address_of(f, "_end", end);
}

/* Each section begins at a multiple of it. */
#define ALIGNMENT 8u

static size_t
padded(size_t len)
{
    return (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- the file ------------------------------------------------------------ */

/* A note of type NT_GNU_BUILD_ID, if the kernel has one. */
static void
add_id(struct file *f)
{
    unsigned char id[BUILD_ID_MAX];
    struct item head = {.len = 0};
    size_t n;
    if (!memctx_number_parse_bytes(f->subject->datum->kernel.identity, id,
                                   sizeof(id), &n))
        return;
    put(&head, sizeof(ELF_NOTE_GNU), 4);
    put(&head, n, 4);
    put(&head, NT_GNU_BUILD_ID, 4);
    flush(&f->id, &head);
    memctx_text_add_bytes(&f->id, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU));
    memctx_text_add_bytes(&f->id, id, n);
}

static const char names[] =
    "\0.text\0.data\0.note.gnu.build-id\0.banner\0.symtab\0.strtab\0.shstrtab";

/* A section with bytes in the file, which begin at *at. */
struct placed {
    uint32_t type;
    uint32_t flags;
    struct range where; /* in memory */
    size_t len;         /* in the file */
    uint32_t link;
    uint32_t info;
    uint32_t entry_bytes;
};

static void
describe(const struct file *f, struct placed ret[SECTIONS])
{
    memset(ret, 0, SECTIONS * sizeof(ret[0]));
    ret[CODE] = (struct placed){.type = SHT_NOBITS,
                                .flags = SHF_ALLOC | SHF_EXECINSTR,
                                .where = f->code};
    ret[DATA] = (struct placed){
        .type = SHT_NOBITS, .flags = SHF_ALLOC | SHF_WRITE, .where = f->data};
    ret[ID] = (struct placed){.type = SHT_NOTE, .len = f->id.len_bytes};
    ret[BANNER] = (struct placed){.type = SHT_PROGBITS,
                                  .len = strlen(f->subject->banner->text) + 1};
    ret[SYMBOLS] = (struct placed){.type = SHT_SYMTAB,
                                   .len = f->symbols.len_bytes,
                                   .link = STRINGS,
                                   .info = f->n_local,
                                   .entry_bytes = f->word == 8 ? 24 : 16};
    ret[STRINGS] =
        (struct placed){.type = SHT_STRTAB, .len = f->strings.len_bytes};
    ret[NAMES] = (struct placed){.type = SHT_STRTAB, .len = sizeof(names)};
}

#define HEAD_BYTES(word) ((word) == 8 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr))
#define ROW_BYTES(word) ((word) == 8 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr))

static void
add_head(const struct file *f, uint64_t rows_offset, struct memctx_text *out)
{
    struct item item = {.len = 0};
    const unsigned char ident[EI_NIDENT] = {ELFMAG0,
                                            ELFMAG1,
                                            ELFMAG2,
                                            ELFMAG3,
                                            f->word == 8 ? ELFCLASS64
                                                         : ELFCLASS32,
                                            ELFDATA2LSB,
                                            EV_CURRENT,
                                            ELFOSABI_NONE};
    memcpy(item.bytes, ident, sizeof(ident));
    item.len = sizeof(ident);
    put(&item, ET_EXEC, 2);
    put(&item, f->machine, 2);
    put(&item, EV_CURRENT, 4);
    put(&item, f->code.start, f->word);
    put(&item, 0, f->word);
    put(&item, rows_offset, f->word);
    put(&item, 0, 4);
    put(&item, HEAD_BYTES(f->word), 2);
    put(&item, 0, 4); /* no program headers, */
    put(&item, ROW_BYTES(f->word), 2);
    put(&item, SECTIONS, 2);
    put(&item, NAMES, 2);
    flush(out, &item);
}

static void
add_row(const struct file *f, const struct placed *p, uint32_t name,
        uint64_t offset, struct memctx_text *out)
{
    struct item item = {.len = 0};
    uint64_t size =
        p->type == SHT_NOBITS ? p->where.end - p->where.start : p->len;
    put(&item, name, 4);
    put(&item, p->type, 4);
    put(&item, p->flags, f->word);
    put(&item, p->where.start, f->word);
    put(&item, p->type == SHT_NULL ? 0 : offset, f->word);
    put(&item, size, f->word);
    put(&item, p->link, 4);
    put(&item, p->info, 4);
    put(&item, p->type == SHT_NULL ? 0 : ALIGNMENT, f->word);
    put(&item, p->entry_bytes, f->word);
    flush(out, &item);
}

/* The name of each section begins behind that of the one before. */
static void
add_rows(const struct file *f, const struct placed placed[SECTIONS],
         struct memctx_text *out)
{
    uint32_t name = 0;
    uint64_t offset = padded(HEAD_BYTES(f->word));
    for (unsigned i = 0; i < SECTIONS; i++) {
        add_row(f, &placed[i], name, offset, out);
        name += (uint32_t)strlen(names + name) + 1;
        offset += padded(placed[i].len);
    }
}

/* Bytes, and zeros up to where the next ones may begin. */
static int
write_part(const struct memctx_sink *sink, const void *bytes, size_t len,
           struct memctx_error *err)
{
    static const char zeros[ALIGNMENT] = "";
    if (len > 0 && sink->write(sink->arg, bytes, len, err) < 0)
        return -1;
    size_t more = padded(len) - len;
    return more == 0 ? 0 : sink->write(sink->arg, zeros, more, err);
}

static int
write_text(const struct memctx_sink *sink, const struct memctx_text *text,
           struct memctx_error *err)
{
    if (text->failed)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return write_part(sink, text->bytes, text->len_bytes, err);
}

/* In the order of the sections. */
static int
write_file(const struct file *f, const struct memctx_sink *sink,
           struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text head = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text rows = MEMCTX_TEXT_INIT;
    const char *banner = f->subject->banner->text;
    struct placed placed[SECTIONS];
    uint64_t offset = padded(HEAD_BYTES(f->word));
    describe(f, placed);
    for (unsigned i = 0; i < SECTIONS; i++)
        offset += padded(placed[i].len);
    add_head(f, offset, &head);
    add_rows(f, placed, &rows);
    if (write_text(sink, &head, err) < 0 || write_text(sink, &f->id, err) < 0 ||
        write_part(sink, banner, strlen(banner) + 1, err) < 0 ||
        write_text(sink, &f->symbols, err) < 0 ||
        write_text(sink, &f->strings, err) < 0 ||
        write_part(sink, names, sizeof(names), err) < 0)
        return -1;
    return write_text(sink, &rows, err);
}

int
memctx_export_elf(const struct memctx_export_subject *subject,
                  const struct memctx_sink *sink, struct memctx_error *err)
{
    const struct memctx_paging_arch *arch =
        memctx_paging_format(subject->datum->kernel.paging)->arch;
    MEMCTX_CLEANUP(file_deinit)
    struct file f = {.subject = subject,
                     .word = arch->pointer_bytes,
                     .machine = arch->elf_machine};
    find_ranges(&f);
    add_id(&f);
    add_symbols(&f);
    return write_file(&f, sink, err);
}
