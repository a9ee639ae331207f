/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads VMCOREINFO out of guest RAM; proves nothing of what it says. */
#include "guest/linux/note.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"

/* One page of text for every kernel so far; read no more than this. */
#define TEXT_MAX (4 * MEMCTX_PAGE_SIZE)

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

/* Read all that may be text into `text`, of TEXT_MAX bytes, and parse it. */
static int
read_text(const struct memctx_rammap *map, uint64_t clue_gpa, char *text,
          size_t *len, struct memctx_vmcoreinfo *info, bool *is_note,
          struct memctx_error *err)
{
    uint64_t text_gpa;
    if (locate_text(map, clue_gpa, &text_gpa, len, is_note, err) < 0 ||
        memctx_rammap_read(map, text_gpa, text, *len, err) < 0 ||
        memctx_vmcoreinfo_parse(text, *len, info, err) < 0)
        return -1;
    *len = strnlen(text, *len);
    return 0;
}

int
memctx_linux_note_read(const struct memctx_rammap *map, uint64_t clue_gpa,
                       struct memctx_vmcoreinfo *info, bool *is_note,
                       size_t *size, struct memctx_error *err)
{
    char text[TEXT_MAX];
    return read_text(map, clue_gpa, text, size, info, is_note, err);
}

int
memctx_linux_note_text(const struct memctx_rammap *map, uint64_t clue_gpa,
                       char **ret, size_t *len, struct memctx_error *err)
{
    char text[TEXT_MAX];
    size_t text_len;
    struct memctx_vmcoreinfo info;
    bool is_note;
    if (read_text(map, clue_gpa, text, &text_len, &info, &is_note, err) < 0)
        return -1;
    char *copy = strndup(text, text_len);
    if (copy == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    *ret = copy;
    *len = text_len;
    return 0;
}
