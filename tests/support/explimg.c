/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The image is mapped in one piece: a gva is as far from _text as a gpa. */
#include "explimg.h"

#include <endian.h>

void
explimg_init(struct explimg *x)
{
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    guestimg_init(&x->img, EXPLIMG_RAM, EXPLIMG_RAM);
    x->built = guestimg_kernel();
    guestimg_add_kernel(&x->img, &x->built);
    x->kernel = (struct memctx_kernel){.os = MEMCTX_OS_LINUX,
                                       .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                       .kcr3 = x->built.root_gpa,
                                       .base_gva = x->built.text_gva,
                                       .size_bytes = x->built.end_gpa -
                                                     x->built.text_gpa};
    x->room_gva = x->built.text_gva + EXPLIMG_ROOM;
}

void
explimg_deinit(struct explimg *x)
{
    guestimg_deinit(&x->img);
}

struct memctx_rammap *
explimg_rammap(const struct explimg *x)
{
    return guestimg_rammap(&x->img, &guestimg_faulty_io);
}

static uint64_t
gpa_of(const struct explimg *x, uint64_t gva)
{
    return gva - x->built.text_gva + x->built.text_gpa;
}

void
explimg_write(const struct explimg *x, uint64_t gva, const void *bytes,
              size_t len_bytes)
{
    guestimg_write(&x->img, gpa_of(x, gva), bytes, len_bytes);
}

void
explimg_le32(const struct explimg *x, uint64_t gva, uint32_t value)
{
    uint32_t raw = htole32(value);
    explimg_write(x, gva, &raw, sizeof(raw));
}

void
explimg_le64(const struct explimg *x, uint64_t gva, uint64_t value)
{
    guestimg_write_le64(&x->img, gpa_of(x, gva), value);
}

uint64_t
explimg_read_le64(const struct explimg *x, uint64_t gva)
{
    return guestimg_read_le64(&x->img, gpa_of(x, gva));
}

void
explimg_list_init(const struct explimg *x, uint64_t head_gva)
{
    explimg_le64(x, head_gva, head_gva);
    explimg_le64(x, head_gva + 8, head_gva);
}

void
explimg_list_add(const struct explimg *x, uint64_t head_gva, uint64_t link_gva)
{
    uint64_t last = explimg_read_le64(x, head_gva + 8);
    explimg_le64(x, link_gva, head_gva);
    explimg_le64(x, link_gva + 8, last);
    explimg_le64(x, last, link_gva);
    explimg_le64(x, head_gva + 8, link_gva);
}
