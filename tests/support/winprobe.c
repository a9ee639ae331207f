/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
#include "winprobe.h"

#include "unit.h"

#include "base/bytes.h"
#include "guest/windows/process.h"

void
winprobe_begin(struct winprobe *p)
{
    p->map = guestimg_rammap(&p->img, NULL);
    assert_done(memctx_search_create(&p->search, &p->err), &p->err);
}

void
winprobe_end(struct winprobe *p)
{
    memctx_search_destroy(p->search);
    memctx_rammap_destroy(p->map);
    guestimg_deinit(&p->img);
}

int
winprobe_try(struct winprobe *p)
{
    struct memctx_search_request request = {.all = true};
    p->kernel = &p->result.kernels[0];
    return memctx_search_try(p->search, p->map, &request, &p->result, &p->err);
}

void
winprobe_assert_kernel(const struct winprobe *p,
                       const struct memctx_kernel *kernel)
{
    const struct winimg *w = &p->want;
    assert_int_equal(kernel->os, MEMCTX_OS_WINDOWS);
    assert_int_equal(kernel->kcr3, w->root_gpa);
    assert_int_equal(kernel->paging, w->paging);
    assert_int_equal(kernel->base_gva, w->base_gva);
    assert_int_equal(kernel->first_process_gva, w->eprocess_gva[0]);
}

void
winprobe_assert_found(struct winprobe *p)
{
    assert_done(winprobe_try(p), &p->err);
    assert_int_equal(p->result.n_kernels, 1);
    winprobe_assert_kernel(p, p->kernel);
}

void
winprobe_assert_offsets(const struct winprobe *p)
{
    const struct winimg_build *build = p->want.build;
    const struct memctx_windows_offsets *offsets =
        &p->kernel->windows_facts.offsets;
    assert_int_equal(offsets->dtb, build->dtb);
    assert_int_equal(offsets->pid, build->pid);
    assert_int_equal(offsets->links, build->links);
    assert_int_equal(offsets->image_name, build->image_name);
}

void
winprobe_assert_processes(struct winprobe *p)
{
    struct memctx_process list[8];
    size_t n;
    assert_done(memctx_windows_processes(p->map, p->kernel, list,
                                         MEMCTX_ARRAY_LEN(list), &n, &p->err),
                &p->err);
    assert_int_equal(n, p->want.n_processes);
    for (size_t i = 0; i < n; i++)
        assert_true(list[i].root_gpa == p->want.dtb_gpa[i]);
}
