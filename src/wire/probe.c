/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Checks messages by a table of their fields. */
#include "wire/probe.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "paging/paging.h"

/* No image of a kernel is larger; Linux maps at most 1 GiB for it. */
#define IMAGE_MAX (UINT64_C(1) << 32)

/* Numbers are compared as they lie in memory, before any of them is taken for a
 * bool or an enum, which may have a few values only. */
enum kind {
    NUMBER,  /* of 1, 2, 4 or 8 bytes, up to `most` */
    ADDRESS, /* of RAM, or 0 */
    TEXT,    /* printable ASCII, ended by a NUL */
};

struct field {
    const char *name;
    enum kind kind;
    size_t offset;
    size_t size;   /* of one item, bytes */
    uint64_t most; /* NUMBER */
    size_t items;  /* of an array of structs; 0: it is none */
    size_t stride; /* from one of these items to the next */
};

#define ANY UINT64_MAX
#define YES_NO 1
#define SIZE_OF(type, member) sizeof(((const type *)NULL)->member)
#define AT(kind, type, member) \
#member, kind, offsetof(type, member), SIZE_OF(type, member)
#define IN_ARRAY(kind, type, array, member, most)           \
    {                                                       \
        AT(kind, type, array[0].member), most,              \
            SIZE_OF(type, array) / SIZE_OF(type, array[0]), \
            SIZE_OF(type, array[0])                         \
    }

#define KERNEL(kind, member, most)                         \
    {                                                      \
        AT(kind, struct memctx_kernel, member), most, 0, 0 \
    }

static const struct field kernel_fields[] = {
    KERNEL(NUMBER, os, MEMCTX_OSES - 1),
    KERNEL(NUMBER, paging, MEMCTX_PAGINGS - 1),
    KERNEL(ADDRESS, kcr3, 0),
    KERNEL(TEXT, version, 0),
    KERNEL(TEXT, identity, 0),
    KERNEL(NUMBER, base_gva, ANY),
    KERNEL(NUMBER, size_bytes, IMAGE_MAX),
    KERNEL(NUMBER, first_process_gva, ANY),
    KERNEL(ADDRESS, wall_clock.page_gpa, 0),
    KERNEL(NUMBER, wall_clock.time, ANY),
    KERNEL(NUMBER, wall_clock.booted, ANY),
    KERNEL(ADDRESS, clue_gpa, 0),
    KERNEL(NUMBER, clue_rank, UINT8_MAX),
    KERNEL(TEXT, found, 0),
    KERNEL(TEXT, checks, 0),
    KERNEL(NUMBER, linux_facts.has_kaslr_offset, YES_NO),
    KERNEL(NUMBER, linux_facts.kaslr_offset, ANY),
    KERNEL(NUMBER, linux_facts.has_phys_base, YES_NO),
    KERNEL(NUMBER, linux_facts.phys_base, ANY),
    KERNEL(NUMBER, linux_facts.has_kimage_voffset, YES_NO),
    KERNEL(NUMBER, linux_facts.kimage_voffset, ANY),
    KERNEL(ADDRESS, linux_facts.vmcoreinfo_gpa, 0),
    KERNEL(NUMBER, linux_facts.vmcoreinfo_size, MEMCTX_PAGE_SIZE),
    KERNEL(NUMBER, windows_facts.system_pointer_gva, ANY),
    KERNEL(NUMBER, windows_facts.offsets.dtb, UINT16_MAX),
    KERNEL(NUMBER, windows_facts.offsets.pid, UINT16_MAX),
    KERNEL(NUMBER, windows_facts.offsets.links, UINT16_MAX),
    KERNEL(NUMBER, windows_facts.offsets.image_name, UINT16_MAX),
    KERNEL(NUMBER, windows_facts.offsets.user_dtb, UINT16_MAX),
};
static_assert(sizeof(struct memctx_kernel) == 496,
              "a new member has a row here, and is counted");

#define REQUEST(kind, member, most)                               \
    {                                                             \
        AT(kind, struct memctx_probe_request, member), most, 0, 0 \
    }

static const struct field request_fields[] = {
    REQUEST(NUMBER, serial, ANY),
    REQUEST(NUMBER, task, MEMCTX_PROBE_TASKS - 1),
    REQUEST(NUMBER, cpu_us, ANY),
    REQUEST(NUMBER, budget_bytes, ANY),
    REQUEST(NUMBER, wait_us, ANY),
    REQUEST(NUMBER, cold, YES_NO),
    REQUEST(NUMBER, paused, YES_NO),
    REQUEST(NUMBER, new_boot, YES_NO),
    REQUEST(NUMBER, has_kernel, YES_NO),
    REQUEST(NUMBER, believed, YES_NO),
    REQUEST(NUMBER, layout, MEMCTX_LAYOUTS_MAX - 1),
    REQUEST(NUMBER, paging, MEMCTX_PAGINGS - 1),
    REQUEST(ADDRESS, root_gpa, 0),
    REQUEST(NUMBER, gva, ANY),
    REQUEST(NUMBER, size, MEMCTX_PROBE_TRANSLATE_MAX),
};

#define ANSWER(kind, member, most)                               \
    {                                                            \
        AT(kind, struct memctx_probe_answer, member), most, 0, 0 \
    }

static const struct field answer_fields[] = {
    ANSWER(NUMBER, serial, ANY),
    ANSWER(NUMBER, verdict, MEMCTX_PROBE_VERDICTS - 1),
    ANSWER(NUMBER, why.kind, MEMCTX_ERROR_KINDS - 1),
    ANSWER(TEXT, why.message, 0),
    ANSWER(NUMBER, bytes_read, ANY),
    ANSWER(NUMBER, candidates, UINT16_MAX),
    ANSWER(NUMBER, has_kernel, YES_NO),
    ANSWER(NUMBER, alive, YES_NO),
    ANSWER(NUMBER, layout, MEMCTX_LAYOUTS_MAX - 1),
    ANSWER(NUMBER, proof, MEMCTX_LAYOUT_PROOFS - 1),
    ANSWER(NUMBER, n_words, MEMCTX_PROBE_WORDS_MAX),
    ANSWER(NUMBER, per_second, ANY),
    ANSWER(NUMBER, least, ANY),
    ANSWER(ADDRESS, panic_gpa, 0),
    ANSWER(ADDRESS, log_gpa, 0),
    ANSWER(NUMBER, log_bytes, 8),
    ANSWER(NUMBER, panicked, YES_NO),
    ANSWER(NUMBER, records, UINT32_MAX),
    ANSWER(NUMBER, cut, YES_NO),
    IN_ARRAY(NUMBER, struct memctx_probe_answer, words, gpa, ANY),
    IN_ARRAY(NUMBER, struct memctx_probe_answer, words, value, ANY),
    ANSWER(NUMBER, n_parts, MEMCTX_PROBE_PARTS_MAX),
    IN_ARRAY(NUMBER, struct memctx_probe_answer, parts, gpa, ANY),
    IN_ARRAY(NUMBER, struct memctx_probe_answer, parts, size,
             MEMCTX_PROBE_TRANSLATE_MAX),
    IN_ARRAY(NUMBER, struct memctx_probe_answer, parts, writable, YES_NO),
};

/* A message on its way into the struct that it is. */
struct copying {
    const unsigned char *from;
    unsigned char *to;
    const struct memctx_rammap *map;
};

static uint64_t
load(const unsigned char *from, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, from, size);
    return value;
}

/* The bytes behind the end of a text are not copied. */
static bool
copy_text(const unsigned char *from, unsigned char *to, size_t size)
{
    size_t len = strnlen((const char *)from, size);
    for (size_t i = 0; i < len; i++) {
        if (from[i] < ' ' || from[i] > '~')
            return false;
    }
    if (len == size)
        return false;
    memcpy(to, from, len + 1);
    return true;
}

static bool
copy_item(const struct copying *c, const struct field *f, size_t at)
{
    if (f->kind == TEXT)
        return copy_text(c->from + at, c->to + at, f->size);
    uint64_t value = load(c->from + at, f->size);
    bool good = f->kind == NUMBER
                    ? value <= f->most
                    : value == 0 || memctx_rammap_contains(c->map, value, 1);
    if (good)
        memcpy(c->to + at, c->from + at, f->size);
    return good;
}

static int
copy_fields(const struct copying *c, const struct field *fields, size_t n,
            struct memctx_error *err)
{
    for (const struct field *f = fields; f < fields + n; f++) {
        size_t items = f->items == 0 ? 1 : f->items;
        for (size_t i = 0; i < items; i++) {
            if (!copy_item(c, f, f->offset + i * f->stride))
                return memctx_error_set(err, MEMCTX_RETRY, "%s is wrong",
                                        f->name);
        }
    }
    return 0;
}

/* The kernel that stands in a message `offset` bytes from its beginning. */
static int
copy_kernel(const struct copying *message, size_t offset,
            struct memctx_error *err)
{
    const struct copying c = {message->from + offset, message->to + offset,
                              message->map};
    return copy_fields(&c, kernel_fields, MEMCTX_ARRAY_LEN(kernel_fields), err);
}

/* What its fields say together. */
static int
check_kernel(const struct memctx_kernel *k, const struct memctx_rammap *map,
             struct memctx_error *err)
{
    const struct memctx_linux_facts *facts = &k->linux_facts;
    if (k->os == MEMCTX_OS_UNKNOWN || k->paging == MEMCTX_PAGING_UNKNOWN ||
        k->version[0] == '\0')
        return memctx_error_set(err, MEMCTX_RETRY, "a kernel of no system");
    uint64_t root_size = memctx_paging_root_size(k->paging);
    if (k->kcr3 == 0 || k->kcr3 % root_size != 0 ||
        !memctx_rammap_contains(map, k->kcr3, root_size))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a root at gpa %#" PRIx64 " cannot be one",
                                k->kcr3);
    if (!memctx_rammap_contains(map, facts->vmcoreinfo_gpa,
                                facts->vmcoreinfo_size))
        return memctx_error_set(err, MEMCTX_RETRY, "a note beyond RAM");
    return 0;
}

static int
check_words(const struct memctx_probe_answer *a,
            const struct memctx_rammap *map, struct memctx_error *err)
{
    for (uint32_t i = 0; i < a->n_words; i++) {
        if (!memctx_rammap_contains(map, a->words[i].gpa, 8))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "a clock word beyond RAM");
    }
    if (a->panic_gpa != 0 && !memctx_rammap_contains(map, a->panic_gpa, 4))
        return memctx_error_set(err, MEMCTX_RETRY, "a panic word beyond RAM");
    if (a->log_gpa != 0 &&
        ((a->log_bytes != 4 && a->log_bytes != 8) ||
         !memctx_rammap_contains(map, a->log_gpa, a->log_bytes)))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a head of the log that is no word of RAM");
    return 0;
}

/* In one page of RAM, and there where the address is in its own page. */
static bool
is_part(const struct memctx_probe_part *part, uint64_t gva,
        const struct memctx_rammap *map)
{
    uint64_t in_page = part->gpa % MEMCTX_PAGE_SIZE;
    return part->size > 0 && in_page == gva % MEMCTX_PAGE_SIZE &&
           in_page + part->size <= MEMCTX_PAGE_SIZE &&
           memctx_rammap_contains(map, part->gpa, part->size);
}

/* As many bytes as were asked for. */
static int
check_parts(const struct memctx_probe_answer *a,
            const struct memctx_probe_request *asked,
            const struct memctx_rammap *map, struct memctx_error *err)
{
    uint64_t size = 0;
    if (a->layout != asked->layout)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "bytes in a layout that was not asked for");
    for (uint32_t i = 0; i < a->n_parts; i++) {
        if (!is_part(&a->parts[i], asked->gva + size, map))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "bytes that are in no page of RAM");
        size += a->parts[i].size;
    }
    if (size != asked->size)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%" PRIu64 " bytes, %" PRIu32 " were asked for",
                                size, asked->size);
    return 0;
}

/* What the verdict needs beside it. */
static int
check_verdict(const struct memctx_probe_answer *a,
              const struct memctx_probe_request *asked,
              const struct memctx_rammap *map, struct memctx_error *err)
{
    bool searched =
        asked->task == MEMCTX_PROBE_TRY || asked->task == MEMCTX_PROBE_WATCH;
    bool translated = asked->task == MEMCTX_PROBE_TRANSLATE;
    bool keeps = asked->task == MEMCTX_PROBE_KEEP_LOG;
    if ((a->verdict == MEMCTX_PROBE_DONE) != (a->why.kind == MEMCTX_OK) ||
        a->why.kind == MEMCTX_STALE)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "an error that goes with no such verdict");
    if (searched && (a->verdict == MEMCTX_PROBE_FAILED) == a->has_kernel)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a verdict without its kernel");
    if (!searched && a->verdict == MEMCTX_PROBE_PENDING)
        return memctx_error_set(err, MEMCTX_RETRY, "nothing can be pending");
    if (translated && a->verdict == MEMCTX_PROBE_DONE)
        return check_parts(a, asked, map, err);
    if (a->panicked && !keeps &&
        (asked->task != MEMCTX_PROBE_LAST_WORDS ||
         a->verdict != MEMCTX_PROBE_DONE))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a panic that was not asked for");
    if ((a->records > 0 || a->cut) && !keeps)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "records that were not asked for");
    return 0;
}

static int
check_answer(const struct memctx_probe_answer *a,
             const struct memctx_probe_request *asked,
             const struct memctx_probe_ram *ram, struct memctx_error *err)
{
    const struct memctx_rammap *map = ram->maps[a->layout];
    if (a->serial != asked->serial)
        return memctx_error_set(err, MEMCTX_RETRY, "it was not asked for");
    /* Only its kernel can make a layout doubtful that is certain, and nothing
     * makes a doubtful one certain. */
    bool certain = ram->n == 1 && !memctx_rammap_is_doubted(map);
    if (a->has_kernel &&
        a->proof == (certain ? MEMCTX_LAYOUT_PROVEN : MEMCTX_LAYOUT_CERTAIN))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a layout that is proven otherwise");
    if (a->has_kernel && check_kernel(&a->kernel, map, err) < 0)
        return -1;
    return check_words(a, map, err) < 0 ? -1
                                        : check_verdict(a, asked, map, err);
}

/* Which map the addresses of a message are of. */
static int
choose_map(const unsigned char *layout, const struct memctx_probe_ram *ram,
           const struct memctx_rammap **ret, struct memctx_error *err)
{
    uint64_t number = load(layout, sizeof(uint32_t));
    if (number >= ram->n)
        return memctx_error_set(err, MEMCTX_RETRY, "layout is wrong");
    *ret = ram->maps[number];
    return 0;
}

static int
decode_answer(const unsigned char *bytes,
              const struct memctx_probe_request *asked,
              const struct memctx_probe_ram *ram,
              struct memctx_probe_answer *to, struct memctx_error *err)
{
    struct copying c = {bytes, (unsigned char *)to, NULL};
    size_t layout = offsetof(struct memctx_probe_answer, layout);
    size_t kernel = offsetof(struct memctx_probe_answer, kernel);
    if (choose_map(bytes + layout, ram, &c.map, err) < 0 ||
        copy_fields(&c, answer_fields, MEMCTX_ARRAY_LEN(answer_fields), err) <
            0)
        return -1;
    if (to->has_kernel && copy_kernel(&c, kernel, err) < 0)
        return memctx_error_prefix(err, "kernel");
    return check_answer(to, asked, ram, err);
}

int
memctx_probe_answer_decode(const void *bytes, size_t len_bytes,
                           const struct memctx_probe_request *asked,
                           const struct memctx_probe_ram *ram,
                           struct memctx_probe_answer *ret,
                           struct memctx_error *err)
{
    struct memctx_probe_answer answer;
    memset(&answer, 0, sizeof(answer));
    if (len_bytes != sizeof(answer))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "an answer of %zu bytes, expected %zu",
                                len_bytes, sizeof(answer));
    if (decode_answer(bytes, asked, ram, &answer, err) < 0)
        return memctx_error_prefix(err, "answer");
    *ret = answer;
    return 0;
}

static int
decode_request(const unsigned char *bytes, const struct memctx_probe_ram *ram,
               struct memctx_probe_request *to, struct memctx_error *err)
{
    struct copying c = {bytes, (unsigned char *)to, NULL};
    size_t layout = offsetof(struct memctx_probe_request, layout);
    size_t kernel = offsetof(struct memctx_probe_request, kernel);
    if (choose_map(bytes + layout, ram, &c.map, err) < 0 ||
        copy_fields(&c, request_fields, MEMCTX_ARRAY_LEN(request_fields), err) <
            0)
        return -1;
    if (to->has_kernel && (copy_kernel(&c, kernel, err) < 0 ||
                           check_kernel(&to->kernel, c.map, err) < 0))
        return memctx_error_prefix(err, "kernel");
    if (to->task == MEMCTX_PROBE_TRANSLATE &&
        (to->size == 0 || to->paging == MEMCTX_PAGING_UNKNOWN))
        return memctx_error_set(err, MEMCTX_RETRY, "nothing to translate");
    if ((to->task == MEMCTX_PROBE_LAST_WORDS ||
         to->task == MEMCTX_PROBE_KEEP_LOG) &&
        !to->has_kernel)
        return memctx_error_set(err, MEMCTX_RETRY, "the words of no kernel");
    return 0;
}

int
memctx_probe_request_decode(const void *bytes, size_t len_bytes,
                            const struct memctx_probe_ram *ram,
                            struct memctx_probe_request *ret,
                            struct memctx_error *err)
{
    struct memctx_probe_request request;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    memset(&request, 0, sizeof(request));
    if (len_bytes != sizeof(request))
        return memctx_error_set(err, MEMCTX_BUG,
                                "a request of %zu bytes, expected %zu",
                                len_bytes, sizeof(request));
    if (decode_request(bytes, ram, &request, &why) < 0)
        return memctx_error_set(err, MEMCTX_BUG, "request: %s", why.message);
    *ret = request;
    return 0;
}
