/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Walks the list of processes, whose links a guest may have set as it likes. */
#include "guest/windows/process.h"

#include <inttypes.h>
#include <string.h>

#include "paging/view.h"
#include "guest/windows/system.h"
#include "guest/windows/transition.h"

#define LISTED_A_STEP 256u /* comparisons */
#define NAME_LEN 15u       /* bytes of ImageFileName, of which 14 are used */

/* A walk through the list. */
struct list {
    struct memctx_view view;
    const struct memctx_kernel *kernel;
};

static int
read_process(struct list *list, uint64_t eprocess, struct memctx_process *ret,
             struct memctx_error *err)
{
    const struct memctx_windows_offsets *offsets =
        &list->kernel->windows_facts.offsets;
    struct memctx_view *view = &list->view;
    struct memctx_process process = {.gva = eprocess};
    uint64_t dtb;
    if (memctx_view_pointer(view, eprocess + offsets->pid, &process.pid, err) <
            0 ||
        memctx_view_pointer(view, eprocess + offsets->dtb, &dtb, err) < 0)
        return -1;
    process.root_gpa = memctx_windows_dtb_gpa(view, dtb);
    if (offsets->image_name != 0 &&
        memctx_view_read(view, eprocess + offsets->image_name, process.name,
                         NAME_LEN, err) < 0)
        return -1;
    for (size_t i = 0; i < NAME_LEN && process.name[i] != '\0'; i++) {
        if (process.name[i] < ' ' || process.name[i] > '~')
            process.name[i] = '?';
    }
    memset(process.name + strlen(process.name), 0,
           sizeof(process.name) - strlen(process.name));
    *ret = process;
    return 0;
}

/* PsActiveProcessHead, in the kernel's own image, is the one node of the list
 * that is in no process. */
static bool
is_head(struct list *list, uint64_t link)
{
    const struct memctx_kernel *kernel = list->kernel;
    uint64_t size = kernel->size_bytes;
    return size != 0
               ? memctx_range_in(link, 1, kernel->base_gva, size)
               : !memctx_windows_is_process(
                     &list->view, link - kernel->windows_facts.offsets.links);
}

static bool
is_listed(const struct memctx_process *list, size_t n, uint64_t eprocess)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].gva == eprocess)
            return true;
    }
    return false;
}

/* A walk under way. */
struct found {
    struct memctx_process *processes;
    size_t max;
    size_t n;
};

static int
add_process(struct list *list, uint64_t link, struct found *found,
            struct memctx_error *err)
{
    uint64_t eprocess = link - list->kernel->windows_facts.offsets.links;
    if (!memctx_work_charge(memctx_rammap_work(list->view.map),
                            found->n / LISTED_A_STEP))
        return memctx_error_set(err, MEMCTX_RETRY, "gave up at process %zu",
                                found->n + 1);
    if (is_listed(found->processes, found->n, eprocess))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "process list runs in a circle behind process "
                                "%zu: link %#" PRIx64,
                                found->n, link);
    if (found->n == found->max)
        return memctx_error_set(err, MEMCTX_RETRY, "more than %zu processes",
                                found->max);
    if (read_process(list, eprocess, &found->processes[found->n], err) < 0)
        return memctx_error_prefix(err, "process %zu", found->n + 1);
    found->n++;
    return 0;
}

/* On to the next link of the list. */
static int
follow_link(struct list *list, const struct found *found, uint64_t *link,
            struct memctx_error *err)
{
    if (memctx_view_pointer(&list->view, *link, link, err) < 0)
        return memctx_error_prefix(err, "link behind process %zu", found->n);
    if (!memctx_windows_is_kernel_gva(&list->view, *link))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "process list is broken behind process "
                                "%zu: link %#" PRIx64,
                                found->n, *link);
    return 0;
}

static int
walk_list(struct list *list, struct found *found, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = list->kernel;
    uint64_t first =
        kernel->first_process_gva + kernel->windows_facts.offsets.links;
    uint64_t link = first;
    bool passed_head = false;
    /* Bounded: each turn but one adds a process that was not listed yet. */
    do {
        bool at_head = is_head(list, link);
        if (at_head && passed_head)
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "process list runs in a circle behind "
                                    "process %zu: link %#" PRIx64,
                                    found->n, link);
        if (at_head)
            passed_head = true;
        else if (add_process(list, link, found, err) < 0)
            return -1;
        if (follow_link(list, found, &link, err) < 0)
            return -1;
    } while (link != first);
    return 0;
}

int
memctx_windows_processes(const struct memctx_rammap *map,
                         const struct memctx_kernel *kernel,
                         struct memctx_process *ret, size_t max, size_t *n,
                         struct memctx_error *err)
{
    const struct memctx_windows_offsets *offsets =
        &kernel->windows_facts.offsets;
    *n = 0;
    if (kernel->os != MEMCTX_OS_WINDOWS || offsets->links == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "where this kernel links its processes is not "
                                "known");
    struct list list = {.kernel = kernel};
    memctx_windows_view_init(&list.view, map, kernel->paging, kernel->kcr3);
    struct found found = {ret, max, 0};
    int failed = walk_list(&list, &found, err);
    *n = found.n;
    return failed;
}
