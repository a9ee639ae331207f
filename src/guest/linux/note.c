/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads VMCOREINFO out of guest RAM; proves nothing of what it says. */
#include "guest/linux/note.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"

/* One page of text for every kernel so far; read no more than this. */
#define TEXT_MAX (4 * MEMCTX_PAGE_SIZE)

bool
memctx_linux_note_begins(const struct memctx_rammap *map, uint64_t gpa)
{
    unsigned char head[MEMCTX_VMCOREINFO_NOTE_HEADER];
    return memctx_rammap_read(map, gpa, head, sizeof(head), NULL) == 0 &&
           memctx_vmcoreinfo_begins(head);
}

/* Find out where the text at clue_gpa begins and how long it is at most. */
static int
locate_text(const struct memctx_rammap *map, uint64_t clue_gpa,
            uint64_t *text_gpa, size_t *text_len, bool *is_note,
            struct memctx_error *err)
{
    unsigned char head[MEMCTX_VMCOREINFO_NOTE_HEADER];
    if (memctx_rammap_read(map, clue_gpa, head, sizeof(head), err) < 0)
        return -1;
    *is_note = memctx_vmcoreinfo_is_note(head, text_len);
    if (!*is_note && !memctx_vmcoreinfo_is_text(head))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no VMCOREINFO at gpa %#" PRIx64 " any more",
                                clue_gpa);
    *text_gpa = clue_gpa + (*is_note ? sizeof(head) : 0);
    if (!*is_note)
        *text_len = TEXT_MAX;
    if (*text_len > TEXT_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "VMCOREINFO note of %zu bytes, at most %u read",
                                *text_len, TEXT_MAX);
    /* A bare text may lie on the last page of RAM. */
    if (!*is_note && !memctx_rammap_contains(map, *text_gpa, *text_len))
        *text_len = MEMCTX_PAGE_SIZE - *text_gpa % MEMCTX_PAGE_SIZE;
    return 0;
}

int
memctx_linux_note_read(const struct memctx_rammap *map, uint64_t clue_gpa,
                       struct memctx_vmcoreinfo *info, bool *is_note,
                       size_t *size, struct memctx_error *err)
{
    char text[TEXT_MAX];
    uint64_t text_gpa;
    size_t len;
    if (locate_text(map, clue_gpa, &text_gpa, &len, is_note, err) < 0 ||
        memctx_rammap_read(map, text_gpa, text, len, err) < 0 ||
        memctx_vmcoreinfo_parse(text, len, info, err) < 0)
        return -1;
    *size = strnlen(text, len);
    return 0;
}

bool
memctx_linux_has_note(const struct memctx_kernel *kernel)
{
    return kernel->linux_facts.vmcoreinfo_size != 0;
}

/* Where the text is, and its length: behind the header of its ELF note, or
 * bare. */
static int
find_text(const struct memctx_kernel *kernel, memctx_linux_read_fn *read,
          void *arg, uint64_t *gpa, size_t *len, struct memctx_error *err)
{
    const struct memctx_linux_facts *facts = &kernel->linux_facts;
    unsigned char head[MEMCTX_VMCOREINFO_NOTE_HEADER];
    if (!memctx_linux_has_note(kernel))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "this kernel has no VMCOREINFO");
    if (read(arg, facts->vmcoreinfo_gpa, head, sizeof(head), err) < 0)
        return -1;
    if (memctx_vmcoreinfo_is_note(head, len)) {
        *gpa = facts->vmcoreinfo_gpa + sizeof(head);
        return 0;
    }
    if (!memctx_vmcoreinfo_is_text(head))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no VMCOREINFO stands at gpa %#" PRIx64
                                " any more",
                                facts->vmcoreinfo_gpa);
    *gpa = facts->vmcoreinfo_gpa;
    *len = (size_t)memctx_min(facts->vmcoreinfo_size, MEMCTX_VMCOREINFO_MAX);
    return 0;
}

int
memctx_linux_note_text(const struct memctx_kernel *kernel,
                       memctx_linux_read_fn *read, void *arg, char **ret,
                       size_t *len, struct memctx_error *err)
{
    uint64_t gpa;
    size_t size;
    if (find_text(kernel, read, arg, &gpa, &size, err) < 0)
        return -1;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = malloc(size + 1);
    if (text == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (read(arg, gpa, text, size, err) < 0)
        return -1;
    text[size] = '\0';
    *len = strlen(text);
    *ret = memctx_steal_ptr(&text);
    return 0;
}
