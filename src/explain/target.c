/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads a kernel's memory and the numbers of its VMCOREINFO. */
#include "explain/target.h"

#include <inttypes.h>

#include "guest/linux/vmcoreinfo.h"
#include "paging/paging.h"

void
memctx_target_init(struct memctx_target *target,
                   const struct memctx_rammap *map,
                   const struct memctx_kernel *kernel, const char *note,
                   size_t note_len)
{
    memctx_view_init(&target->view, map, kernel->paging, kernel->kcr3);
    target->kernel = kernel;
    target->note = note != NULL ? note : "";
    target->note_len = note != NULL ? note_len : 0;
}

void
memctx_target_refresh(struct memctx_target *target)
{
    memctx_view_init(&target->view, target->view.map, target->view.paging,
                     target->view.root_gpa);
}

int
memctx_target_read(const struct memctx_target *target, uint64_t gva, void *buf,
                   size_t len_bytes, struct memctx_error *err)
{
    return memctx_paging_read(target->view.map, target->view.paging,
                              target->view.root_gpa, gva, buf, len_bytes, err);
}

int
memctx_target_number(const struct memctx_target *target, const char *key,
                     uint64_t *ret, struct memctx_error *err)
{
    if (memctx_vmcoreinfo_find(target->note, target->note_len, key, ret))
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "VMCOREINFO of this kernel has no %s", key);
}

int
memctx_target_bounded(const struct memctx_target *target, const char *key,
                      uint64_t max, uint64_t *ret, struct memctx_error *err)
{
    uint64_t number;
    if (memctx_target_number(target, key, &number, err) < 0)
        return -1;
    if (number > max)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "VMCOREINFO: %s is %" PRIu64
                                ", at most %" PRIu64 " is sane",
                                key, number, max);
    *ret = number;
    return 0;
}

bool
memctx_target_has(const struct memctx_target *target, const char *key)
{
    uint64_t ignored;
    return memctx_vmcoreinfo_find(target->note, target->note_len, key,
                                  &ignored);
}

unsigned
memctx_target_word_size(const struct memctx_target *target)
{
    return memctx_view_pointer_size(&target->view);
}

uint64_t
memctx_target_word(const struct memctx_target *target,
                   const unsigned char *from)
{
    return memctx_target_word_size(target) == 8 ? memctx_le64(from)
                                                : memctx_le32(from);
}
