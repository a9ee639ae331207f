/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The forms as a table, and what is done with the pieces that they name. */
#include "dump/dump.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "dump/forms.h"
#include "text/text.h"

static const struct {
    const char *name;
    memctx_dump_read_fn *read; /* NULL: others do that */
} forms[] = {
    [MEMCTX_DUMP_RAW] = {"raw", NULL},
    [MEMCTX_DUMP_ELF] = {"elf", memctx_dump_read_elf},
    [MEMCTX_DUMP_LIME] = {"lime", memctx_dump_read_lime},
    [MEMCTX_DUMP_WINDOWS] = {"windows", memctx_dump_read_windows},
    [MEMCTX_DUMP_KDUMP] = {"kdump", NULL},
    [MEMCTX_DUMP_FLAT] = {"flat", NULL},
};
_Static_assert(MEMCTX_ARRAY_LEN(forms) == MEMCTX_DUMP_FORMS,
               "every form has a name");

const char *
memctx_dump_form_name(enum memctx_dump_form form)
{
    return form < MEMCTX_DUMP_FORMS ? forms[form].name : "?";
}

int
memctx_dump_form_parse(const char *name, enum memctx_dump_form *ret,
                       struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *names = NULL;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    for (unsigned i = 0; i < MEMCTX_DUMP_FORMS; i++) {
        if (strcmp(name, forms[i].name) == 0) {
            *ret = i;
            return 0;
        }
    }
    for (unsigned i = 0; i < MEMCTX_DUMP_FORMS; i++)
        memctx_text_add(&text, "%s%s", i > 0 ? ", " : "", forms[i].name);
    if (memctx_text_take(&text, &names, err) < 0)
        return -1;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "no form of a file with RAM is called '%s'; "
                            "expected one of %s",
                            name, names);
}

int
memctx_dump_add_piece(struct memctx_dump_pieces *pieces, uint64_t gpa,
                      uint64_t size, uint64_t file_offset, uint64_t file_size,
                      struct memctx_error *err)
{
    const uint64_t end_of_memory = UINT64_C(1) << 52; /* of x86-64 and ARM */
    struct memctx_extent *last =
        pieces->n > 0 ? &pieces->piece[pieces->n - 1] : NULL;
    if (size == 0)
        return 0;
    if (!memctx_range_in(file_offset, size, 0, file_size))
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "truncated: memory at %#" PRIx64 " takes %#" PRIx64
            " bytes from offset %#" PRIx64 " on, and the file has %#" PRIx64,
            gpa, size, file_offset, file_size);
    if (!memctx_range_in(gpa, size, 0, end_of_memory))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memory at %#" PRIx64 " of %#" PRIx64
                                " bytes: no machine has any there",
                                gpa, size);
    if (last != NULL && last->gpa + last->size == gpa &&
        last->offset + last->size == file_offset) {
        last->size += size;
        return 0;
    }
    if (pieces->n == MEMCTX_EXTENTS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "more than %d pieces of memory",
                                MEMCTX_EXTENTS_MAX);
    pieces->piece[pieces->n++] =
        (struct memctx_extent){gpa, size, file_offset, 0};
    return 0;
}

static int
compare(const void *a, const void *b)
{
    const struct memctx_extent *x = a;
    const struct memctx_extent *y = b;
    return x->gpa != y->gpa ? (x->gpa > y->gpa) - (x->gpa < y->gpa)
                            : (x->offset > y->offset) - (x->offset < y->offset);
}

/* Of memory that is there twice the first is kept: /proc/vmcore has the image
 * of the kernel once more. */
static int
add_extents(struct memctx_dump_pieces *pieces, struct memctx_rammap *map,
            struct memctx_error *err)
{
    uint64_t done_gpa = 0;
    qsort(pieces->piece, pieces->n, sizeof(pieces->piece[0]), compare);
    for (size_t i = 0; i < pieces->n; i++) {
        struct memctx_extent e = pieces->piece[i];
        uint64_t end_gpa = e.gpa + e.size;
        uint64_t skip = memctx_max(done_gpa, e.gpa) - e.gpa;
        if (end_gpa <= done_gpa)
            continue;
        e.gpa += skip;
        e.offset += skip;
        e.size -= skip;
        if (memctx_rammap_add_extent(map, &e, err) < 0)
            return -1;
        done_gpa = end_gpa;
    }
    return 0;
}

int
memctx_dump_lay_out(enum memctx_dump_form form,
                    const struct memctx_rammap *file, struct memctx_rammap *map,
                    struct memctx_error *err)
{
    if (forms[form].read == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "form '%s' is read elsewhere",
                                forms[form].name);
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_dump_pieces *pieces = calloc(1, sizeof(*pieces));
    if (pieces == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (forms[form].read(file, pieces, err) < 0)
        return -1;
    if (pieces->n == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "holds no memory");
    return add_extents(pieces, map, err);
}

uint64_t
memctx_dump_low(const struct memctx_rammap *map)
{
    size_t n;
    const struct memctx_extent *e = memctx_rammap_extents(map, &n);
    uint64_t low = 0;
    for (size_t i = 0; i < n && e[i].gpa < 4 * MEMCTX_GIB; i++) {
        if (e[i].gpa - low > MEMCTX_MIB)
            break;
        low = e[i].gpa + e[i].size;
    }
    return low > 0 ? low : memctx_rammap_size(map);
}
