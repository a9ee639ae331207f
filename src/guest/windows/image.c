/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses PE images as the loader laid them out, believing no offset in them.
 * Source: Microsoft, "PE Format"; the RSDS record is what PDB tools agree on.
 */
#include "guest/windows/image.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DOS_LFANEW 0x3cu
#define LFANEW_MAX 0x1000u
#define IMAGE_MAX (256 * MEMCTX_MIB)
#define NAMES_MAX 16384u
#define DEBUG_ENTRIES_MAX 32u
#define DEBUG_ENTRY 28u
#define DEBUG_CODEVIEW 2u
#define RSDS_LEN 24u
#define KERNEL_NAME "ntoskrnl.exe"
#define BUILT_AS "ntkr" /* ntkrnlmp, ntkrnlpa, ntkrpamp, ntkrla57 */
#define FUNCTIONS_MAX 65536u

/* Offsets in the file header, from "PE\0\0" on, and in the optional header. */
#define PE_MACHINE 4u
#define PE_SECTIONS 6u
#define PE_OPTIONAL_SIZE 20u
#define PE_OPTIONAL 24u
#define OPTIONAL_SIZE_OF_IMAGE 56u

/* What differs between the images of processors. */
struct flavour {
    uint16_t elf_machine; /* of the processor, see paging/format.h */
    uint16_t machine;     /* the same in a PE header */
    uint16_t magic;
    unsigned count_at; /* NumberOfRvaAndSizes, in the optional header */
};

static const struct flavour flavours[] = {
    {EM_386, 0x014c, 0x010b, 92},
    {EM_X86_64, 0x8664, 0x020b, 108},
    {EM_AARCH64, 0xaa64, 0x020b, 108},
};

static const struct flavour *
flavour_of(const struct memctx_view *view)
{
    uint16_t machine = memctx_paging_format(view->paging)->arch->elf_machine;
    size_t i = 0;
    while (flavours[i].elf_machine != machine)
        i++;
    return &flavours[i];
}

#define SECTION 40u
#define SECTIONS_MAX 96u

enum directory {
    EXPORTS = 0,
    DEBUG = 6
};

struct parser {
    struct memctx_view *view;
    struct memctx_windows_image *image;
    const struct flavour *flavour;
    uint64_t optional_gva;
};

static const char *const export_names[] = {
    [MEMCTX_WINDOWS_SYSTEM_PROCESS] = "PsInitialSystemProcess",
    [MEMCTX_WINDOWS_BUILD_NUMBER] = "NtBuildNumber",
    [MEMCTX_WINDOWS_GET_PID] = "PsGetProcessId",
    [MEMCTX_WINDOWS_GET_IMAGE_NAME] = "PsGetProcessImageFileName",
    [MEMCTX_WINDOWS_GET_CREATE_TIME] = "PsGetProcessCreateTimeQuadPart",
};
_Static_assert(MEMCTX_ARRAY_LEN(export_names) == MEMCTX_WINDOWS_EXPORTS,
               "every export has a name");

/* Where [rva, rva + len) of the image is; false when it is not in the image. */
static bool
locate(const struct parser *p, uint64_t rva, uint64_t len, uint64_t *gva)
{
    return memctx_range_in(rva, len, 0, p->image->size) &&
           memctx_add(p->image->base_gva, rva, gva);
}

static int
read_at(const struct parser *p, uint64_t rva, void *buf, size_t len,
        const char *what, struct memctx_error *err)
{
    uint64_t gva;
    if (!locate(p, rva, len, &gva))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%s at rva %#" PRIx64 " is outside the image",
                                what, rva);
    if (memctx_view_read(p->view, gva, buf, len, err) < 0) {
        p->image->is_incomplete = true;
        return memctx_error_prefix(err, "%s", what);
    }
    return 0;
}

static int
read_headers(struct parser *p, struct memctx_error *err)
{
    uint64_t base = p->image->base_gva;
    uint32_t signature;
    uint32_t lfanew;
    uint16_t mz;
    uint16_t machine;
    uint16_t magic;
    if (memctx_view_le16(p->view, base, &mz, err) < 0 ||
        memctx_view_le32(p->view, base + DOS_LFANEW, &lfanew, err) < 0)
        return -1;
    if (mz != 0x5a4d || lfanew > LFANEW_MAX)
        return memctx_error_set(err, MEMCTX_RETRY, "no DOS header");
    uint64_t pe = base + lfanew;
    p->optional_gva = pe + PE_OPTIONAL;
    if (memctx_view_le32(p->view, pe, &signature, err) < 0 ||
        memctx_view_le16(p->view, pe + PE_MACHINE, &machine, err) < 0 ||
        memctx_view_le16(p->view, p->optional_gva, &magic, err) < 0 ||
        memctx_view_le32(p->view, p->optional_gva + OPTIONAL_SIZE_OF_IMAGE,
                         &p->image->size, err) < 0)
        return -1;
    if (signature != 0x4550 || machine != p->flavour->machine ||
        magic != p->flavour->magic)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no PE header of this machine");
    if (p->image->size < MEMCTX_PAGE_SIZE || p->image->size > IMAGE_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "image of %#" PRIx32 " bytes", p->image->size);
    return 0;
}

static int
read_directory(const struct parser *p, enum directory which, uint32_t *rva,
               uint32_t *size, struct memctx_error *err)
{
    uint64_t count_gva = p->optional_gva + p->flavour->count_at;
    uint64_t gva = count_gva + 4 + (uint64_t)which * 8;
    uint32_t count;
    if (memctx_view_le32(p->view, count_gva, &count, err) < 0 ||
        memctx_view_le32(p->view, gva, rva, err) < 0 ||
        memctx_view_le32(p->view, gva + 4, size, err) < 0)
        return -1;
    if ((count != 0 && count <= (uint32_t)which) || *rva == 0)
        return memctx_error_set(err, MEMCTX_RETRY, "no data directory %d",
                                (int)which);
    return 0;
}

/* The parts of an IMAGE_EXPORT_DIRECTORY. */
struct export_directory {
    uint32_t name;
    uint32_t n_functions;
    uint32_t n_names;
    uint32_t functions;
    uint32_t names;
    uint32_t ordinals;
};

static struct export_directory
parse_export_directory(const unsigned char *raw)
{
    return (struct export_directory){
        .name = memctx_le32(raw + 12),
        .n_functions = memctx_le32(raw + 20),
        .n_names = memctx_le32(raw + 24),
        .functions = memctx_le32(raw + 28),
        .names = memctx_le32(raw + 32),
        .ordinals = memctx_le32(raw + 36),
    };
}

static int
read_export_directory(const struct parser *p, struct export_directory *ret,
                      struct memctx_error *err)
{
    unsigned char raw[MEMCTX_WINDOWS_EXPORT_DIRECTORY];
    uint32_t rva;
    uint32_t size;
    if (read_directory(p, EXPORTS, &rva, &size, err) < 0 ||
        read_at(p, rva, raw, sizeof(raw), "export directory", err) < 0)
        return -1;
    *ret = parse_export_directory(raw);
    return 0;
}

/* A kernel exports under one name, whatever its file is called. Should one with
 * 5 levels (ntkrla57.exe) not do so, it has the name that it was built under.
 */
static bool
is_kernel_name(const char *name)
{
    return strcasecmp(name, KERNEL_NAME) == 0 ||
           (strlen(name) == strlen(KERNEL_NAME) &&
            strncasecmp(name, BUILT_AS, strlen(BUILT_AS)) == 0);
}

static int
check_name(const struct parser *p, const struct export_directory *exports,
           struct memctx_error *err)
{
    char name[sizeof(KERNEL_NAME)] = "";
    if (read_at(p, exports->name, name, sizeof(name), "export name", err) < 0)
        return -1;
    if (name[sizeof(name) - 1] != '\0' || !is_kernel_name(name))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "image exports as '%.12s', not " KERNEL_NAME,
                                name);
    return 0;
}

/* Where the function of the n-th name is; 0 when that cannot be said. */
static uint64_t
function_gva(const struct parser *p, const struct export_directory *exports,
             uint32_t n)
{
    unsigned char raw[4] = {0};
    uint64_t gva;
    if (read_at(p, exports->ordinals + (uint64_t)n * 2, raw, 2, "ordinal",
                NULL) < 0)
        return 0;
    uint32_t ordinal = memctx_le32(raw);
    if (ordinal >= exports->n_functions ||
        read_at(p, exports->functions + (uint64_t)ordinal * 4, raw, 4,
                "function", NULL) < 0)
        return 0;
    uint32_t rva = memctx_le32(raw);
    return rva != 0 && locate(p, rva, 1, &gva) ? gva : 0;
}

/* The text of the n-th name, cut; false when there is none. */
static bool
read_name(const struct parser *p, const struct export_directory *exports,
          uint32_t n, char *name, size_t size)
{
    unsigned char raw[4];
    uint64_t gva;
    if (read_at(p, exports->names + (uint64_t)n * 4, raw, 4, "name", NULL) < 0)
        return false;
    if (!locate(p, memctx_le32(raw), 1, &gva))
        return false;
    memset(name, 0, size);
    /* All that we look for begins so. */
    if (memctx_view_read(p->view, gva, name, 2, NULL) < 0) {
        p->image->is_incomplete = true;
        return false;
    }
    if (memcmp(name, "Ps", 2) != 0 && memcmp(name, "Nt", 2) != 0)
        return false;
    return memctx_view_text(p->view, gva, name, size, NULL) == 0;
}

/* Names should be in order, but one pass over all costs little and believes
 * less. A name that cannot be read (its page is out) is passed over. */
static void
find_exports(const struct parser *p, const struct export_directory *exports)
{
    uint32_t n_names = (uint32_t)memctx_min(exports->n_names, NAMES_MAX);
    for (uint32_t n = 0; n < n_names; n++) {
        char name[32];
        if (!read_name(p, exports, n, name, sizeof(name)))
            continue;
        for (size_t i = 0; i < MEMCTX_WINDOWS_EXPORTS; i++) {
            if (p->image->exports_gva[i] == 0 &&
                strcmp(name, export_names[i]) == 0)
                p->image->exports_gva[i] = function_gva(p, exports, n);
        }
    }
}

/* "ntkrnlmp.pdb/<GUID>/<age>", as a symbol server is asked for it. */
static bool
read_rsds(const struct parser *p, uint64_t rva)
{
    unsigned char raw[RSDS_LEN];
    char pdb[64] = "";
    uint64_t gva;
    if (read_at(p, rva, raw, sizeof(raw), "RSDS", NULL) < 0 ||
        memcmp(raw, "RSDS", 4) != 0 || !locate(p, rva + sizeof(raw), 1, &gva) ||
        memctx_view_text(p->view, gva, pdb, sizeof(pdb), NULL) < 0)
        return false;
    const char *slash = strrchr(pdb, '\\');
    const char *name = slash != NULL ? slash + 1 : pdb;
    if (name[0] == '\0' || strpbrk(name, " /?") != NULL)
        return false;
    const unsigned char *tail = raw + 12;
    snprintf(p->image->identity, sizeof(p->image->identity),
             "%s/%08" PRIX32
             "%04X%04X%02X%02X%02X%02X%02X%02X%02X%02X/%" PRIx32,
             name, memctx_le32(raw + 4), memctx_le16(raw + 8),
             memctx_le16(raw + 10), tail[0], tail[1], tail[2], tail[3], tail[4],
             tail[5], tail[6], tail[7], memctx_le32(raw + 20));
    return true;
}

/* The first debug entry of type CodeView that holds an RSDS record. An image
 * may be without: its pages may be out, or a symbol server has none. */
static void
find_identity(const struct parser *p)
{
    uint32_t rva;
    uint32_t size;
    if (read_directory(p, DEBUG, &rva, &size, NULL) < 0)
        return;
    uint32_t n = (uint32_t)memctx_min(size / DEBUG_ENTRY, DEBUG_ENTRIES_MAX);
    for (uint32_t i = 0; i < n; i++) {
        unsigned char raw[DEBUG_ENTRY];
        if (read_at(p, rva + (uint64_t)i * DEBUG_ENTRY, raw, sizeof(raw),
                    "debug entry", NULL) < 0)
            return;
        if (memctx_le32(raw + 12) == DEBUG_CODEVIEW &&
            read_rsds(p, memctx_le32(raw + 20)))
            return;
    }
}

/* NtBuildNumber is 0xf0000000 | build, 0xc0000000 | build when checked. */
static uint32_t
read_build(const struct parser *p)
{
    uint64_t gva = p->image->exports_gva[MEMCTX_WINDOWS_BUILD_NUMBER];
    uint32_t number;
    if (gva == 0 || memctx_view_le32(p->view, gva, &number, NULL) < 0 ||
        (number & UINT32_C(0x3fff0000)) != (number & UINT32_C(0x30000000)))
        return 0;
    return number & UINT16_MAX;
}

/* ---- without exports ----------------------------------------------------- */

static bool
is_named(const unsigned char *section, const char *name)
{
    return strncmp((const char *)section, name, 8) == 0;
}

/* Where a kernel keeps PsInitialSystemProcess: in the data that are written
 * only while it starts, or among all others. */
static bool
is_resident(const unsigned char *section)
{
    static const char *const names[] = {"ALMOSTRO", ".data", "CACHEALI"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++) {
        if (is_named(section, names[i]))
            return true;
    }
    return false;
}

static void
add_resident(struct memctx_windows_image *image, const unsigned char *section)
{
    const struct memctx_windows_resident part = {memctx_le32(section + 12),
                                                 memctx_le32(section + 8)};
    if (image->n_resident < MEMCTX_WINDOWS_RESIDENT_MAX &&
        memctx_range_in(part.rva, part.size, 0, image->size))
        image->resident[image->n_resident++] = part;
}

/* Note the parts that stay in RAM. Are the sections those of a kernel? No
 * driver has both of these. */
static bool
read_sections(const struct parser *p)
{
    uint64_t pe = p->optional_gva - PE_OPTIONAL;
    uint16_t n;
    uint16_t size;
    bool pools = false;
    bool read_only = false;
    if (memctx_view_le16(p->view, pe + PE_SECTIONS, &n, NULL) < 0 ||
        memctx_view_le16(p->view, pe + PE_OPTIONAL_SIZE, &size, NULL) < 0)
        return false;
    for (unsigned i = 0; i < memctx_min(n, SECTIONS_MAX); i++) {
        unsigned char raw[SECTION];
        uint64_t gva = p->optional_gva + size + (uint64_t)i * SECTION;
        if (memctx_view_read(p->view, gva, raw, sizeof(raw), NULL) < 0)
            break;
        pools = pools || is_named(raw, "POOLCODE");
        read_only = read_only || is_named(raw, "ALMOSTRO");
        if (is_resident(raw))
            add_resident(p->image, raw);
    }
    return pools && read_only;
}

/* Symbols of every kernel: ntoskrnl, ntkrnlmp, ntkrnlpa, ntkrpamp, ntkrla57. */
static bool
has_pdb_of_kernel(const struct memctx_windows_image *image)
{
    return strncasecmp(image->identity, "ntoskrnl.pdb/", 13) == 0 ||
           strncasecmp(image->identity, BUILT_AS, strlen(BUILT_AS)) == 0;
}

/* Its export directory is out: is it a kernel all the same? */
static bool
is_kernel_without_exports(const struct parser *p)
{
    if (!p->image->is_incomplete)
        return false;
    bool sections = read_sections(p);
    find_identity(p);
    p->image->by_sections = sections || has_pdb_of_kernel(p->image);
    return p->image->by_sections;
}

int
memctx_windows_image_read(struct memctx_view *view, uint64_t gva,
                          struct memctx_windows_image *ret,
                          struct memctx_error *err)
{
    struct memctx_windows_image image = {.base_gva = gva};
    struct parser p = {.view = view, .image = &image};
    struct export_directory exports;
    p.flavour = flavour_of(view);
    if (read_headers(&p, err) < 0 ||
        read_export_directory(&p, &exports, err) < 0 ||
        check_name(&p, &exports, err) < 0) {
        memctx_error_prefix(err, "gva %#" PRIx64, gva);
        bool found = is_kernel_without_exports(&p);
        *ret = image;
        return found ? 0 : -1;
    }
    find_exports(&p, &exports);
    if (image.is_incomplete)
        read_sections(&p);
    find_identity(&p);
    image.build = read_build(&p);
    *ret = image;
    return 0;
}

/* Where the directory is in the image, going by its own tables, which linkers
 * put behind it: one of them begins in its page. 0: it is no directory. */
static uint32_t
rva_of_directory(const struct export_directory *exports)
{
    uint32_t first =
        (uint32_t)memctx_min(memctx_min(exports->name, exports->functions),
                             memctx_min(exports->names, exports->ordinals));
    bool counts = exports->n_functions > 0 &&
                  exports->n_functions <= FUNCTIONS_MAX &&
                  exports->n_names <= exports->n_functions;
    return counts ? first - first % MEMCTX_PAGE_SIZE : 0;
}

bool
memctx_windows_image_by_exports(
    struct memctx_view *view, uint64_t gva,
    const unsigned char head[MEMCTX_WINDOWS_EXPORT_DIRECTORY],
    struct memctx_windows_image *ret)
{
    struct export_directory exports = parse_export_directory(head);
    uint32_t rva = rva_of_directory(&exports);
    struct memctx_windows_image image = {.size = IMAGE_MAX, .by_exports = true};
    struct parser p = {.view = view, .image = &image};
    /* Its first member, Characteristics, is not in use. */
    if (memctx_le32(head) != 0 || rva == 0 || rva > gva)
        return false;
    image.base_gva = gva - rva;
    if (check_name(&p, &exports, NULL) < 0)
        return false;
    find_exports(&p, &exports);
    image.build = read_build(&p);
    image.size = 0;
    *ret = image;
    return true;
}
