/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads guest memory for a reader: in pieces, and no piece is believed unless
 * the kernel was the same before and after it. */
#include "reader/reader.h"

#include <inttypes.h>

#include "base/bytes.h"
#include "paging/paging.h"
#include "guest/linux/note.h"

/* Of physical memory; of virtual, what is read in less than half a millisecond:
 * the time for which a translation may be kept beside it. */
#define PIECE (4 * MEMCTX_MIB)
#define VIRTUAL_PIECE (512 * MEMCTX_KIB)

int
memctx_reader_read_gpa(struct memctx_reader *reader, uint64_t gpa, void *buf,
                       size_t len, struct memctx_error *err)
{
    struct lease *lease = reader->lease;
    unsigned char *to = buf;
    /* Bounded: each turn but the first reads a piece. */
    do {
        struct memctx_error why; /* not cleared: that takes time */
        size_t part = (size_t)memctx_min(len, PIECE);
        if (lease_begin(lease, err) < 0)
            return -1;
        int result = memctx_rammap_read(lease->map, gpa, to, part, &why);
        if (lease_end(lease, result, &why, err) < 0)
            return -1;
        to += part;
        gpa += part;
        len -= part;
    } while (len > 0);
    return 0;
}

/* Bits of a CR3 that are no part of the address: PCID or cache control below,
 * LAM and "no flush" above (Intel SDM vol. 3A, 4.5.2, table 4-12). */
static uint64_t
root_of(const struct lease *lease, uint64_t root)
{
    uint64_t size = memctx_paging_root_size(lease->datum.kernel.paging);
    return root & ~(size - 1) & (MEMCTX_PTE_FRAME | UINT64_C(0xfff));
}

int
memctx_reader_read_root(struct memctx_reader *reader, uint64_t root_gpa,
                        uint64_t gva, void *buf, size_t len,
                        struct memctx_error *err)
{
    struct lease *lease = reader->lease;
    uint64_t root = root_of(lease, root_gpa);
    unsigned char *to = buf;
    if (len > 0 && gva > UINT64_MAX - (len - 1))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%zu bytes at gva %#" PRIx64
                                " reach beyond the last gva",
                                len, gva);
    /* Bounded: each turn but the first reads a piece. */
    do {
        struct memctx_error why; /* not cleared: that takes time */
        size_t part = (size_t)memctx_min(len, VIRTUAL_PIECE);
        if (lease_begin(lease, err) < 0)
            return -1;
        int result = memctx_paging_read_by(
            tables_map(lease->tables), lease->map, lease->datum.kernel.paging,
            root, gva, to, part, &why);
        if (lease_end(lease, result, &why, err) < 0)
            return -1;
        to += part;
        gva += part;
        len -= part;
    } while (len > 0);
    return 0;
}

int
memctx_reader_read_gva(struct memctx_reader *reader, uint64_t gva, void *buf,
                       size_t len, struct memctx_error *err)
{
    return memctx_reader_read_root(reader, reader->lease->datum.kernel.kcr3,
                                   gva, buf, len, err);
}

int
memctx_reader_translate(struct memctx_reader *reader, uint64_t gva,
                        uint64_t *gpa, uint64_t *page_size,
                        struct memctx_error *err)
{
    struct lease *lease = reader->lease;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct memctx_walk walk;
    if (lease_begin(lease, err) < 0)
        return -1;
    int result = memctx_paging_walk(tables_map(lease->tables),
                                    lease->datum.kernel.paging,
                                    lease->datum.kernel.kcr3, gva, &walk, &why);
    if (lease_end(lease, result, &why, err) < 0)
        return -1;
    *gpa = walk.gpa;
    if (page_size != NULL)
        *page_size = walk.page_size;
    return 0;
}

int
memctx_reader_next_data(struct memctx_reader *reader, uint64_t gpa,
                        uint64_t limit, uint64_t *start, uint64_t *end_gpa,
                        struct memctx_error *err)
{
    struct lease *lease = reader->lease;
    uint64_t from;
    uint64_t to;
    if (lease_begin(lease, err) < 0)
        return -1;
    int found = memctx_rammap_next_data(lease->map, gpa, limit, &from, &to);
    /* The map takes a backend that cannot tell for one that is all data. */
    if (lease->failure.kind != MEMCTX_OK)
        found = -1;
    if (lease_end(lease, found, &lease->failure, err) < 0)
        return -1;
    if (found == 1) {
        *start = from;
        *end_gpa = to;
    }
    return found;
}

static int
read_gpa(void *reader, uint64_t gpa, void *buf, size_t len,
         struct memctx_error *err)
{
    return memctx_reader_read_gpa(reader, gpa, buf, len, err);
}

int
memctx_reader_vmcoreinfo(struct memctx_reader *reader, char **ret, size_t *len,
                         struct memctx_error *err)
{
    return memctx_linux_note_text(&reader->lease->datum.kernel, read_gpa,
                                  reader, ret, len, err);
}
