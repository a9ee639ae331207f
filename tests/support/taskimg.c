/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The credentials of a task are behind it. */
#include "taskimg.h"

#include <stdio.h>
#include <string.h>

#define CRED (TASKIMG_SIZE - 16)
#define UID 8 /* in struct cred */

static uint32_t
add_cred(struct btfimg *img, uint32_t number)
{
    const struct btfimg_member val[] = {{"val", number, 0}};
    uint32_t kuid = btfimg_struct(img, MEMCTX_BTF_STRUCT, "", 4, val, 1);
    kuid = btfimg_add(img, "kuid_t", MEMCTX_BTF_TYPEDEF, 0, kuid, NULL, 0);
    const struct btfimg_member members[] = {{"usage", number, 0},
                                            {"uid", kuid, UID}};
    return btfimg_struct(img, MEMCTX_BTF_STRUCT, "cred", 16, members, 2);
}

static uint32_t
add_list_head(struct btfimg *img)
{
    uint32_t own = img->n + 1;
    uint32_t pointer = btfimg_pointer(img, own);
    const struct btfimg_member members[] = {{"next", pointer, 0},
                                            {"prev", pointer, 8}};
    return btfimg_struct(img, MEMCTX_BTF_STRUCT, "list_head", 16, members, 2);
}

static uint32_t
add_mm(struct btfimg *img, uint32_t u64)
{
    const struct btfimg_member members[] = {{"mm_count", u64, 0},
                                            {"pgd", u64, TASKIMG_PGD}};
    return btfimg_struct(img, MEMCTX_BTF_STRUCT, "mm_struct", 32, members, 2);
}

void
taskimg_types(struct btfimg *img)
{
    uint32_t number = btfimg_int(img, "unsigned int", 4);
    uint32_t letter = btfimg_int(img, "char", 1);
    uint32_t u64 = btfimg_int(img, "u64", 8);
    uint32_t name = btfimg_array(img, letter, 16);
    uint32_t list = add_list_head(img);
    uint32_t cred = btfimg_pointer(img, add_cred(img, number));
    uint32_t mm = btfimg_pointer(img, add_mm(img, u64));
    uint32_t parent = btfimg_pointer(img, img->n + 1);
    const struct btfimg_member members[] = {
        {"flags", number, TASKIMG_FLAGS},
        {"__state", number, TASKIMG_STATE},
        {"exit_state", number, TASKIMG_EXIT_STATE},
        {"tasks", list, TASKIMG_TASKS},
        {"pid", number, TASKIMG_PID},
        {"tgid", number, TASKIMG_TGID},
        {"real_parent", parent, TASKIMG_PARENT},
        {"real_cred", cred, TASKIMG_CRED},
        {"comm", name, TASKIMG_COMM},
        {"start_boottime", u64, TASKIMG_START},
        {"mm", mm, TASKIMG_MM}};
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "task_struct", TASKIMG_SIZE, members,
                  11);
}

uint64_t
taskimg_gva(const struct explimg *x, unsigned index)
{
    return x->room_gva + (uint64_t)index * TASKIMG_SIZE;
}

static void
write_task(const struct explimg *x, unsigned index, uint32_t pid,
           const char *name)
{
    uint64_t gva = taskimg_gva(x, index);
    char comm[16] = "";
    memcpy(comm, name, strnlen(name, sizeof(comm)));
    explimg_le32(x, gva + TASKIMG_STATE, 1);
    explimg_le32(x, gva + TASKIMG_PID, pid);
    explimg_le32(x, gva + TASKIMG_TGID, pid);
    explimg_le64(x, gva + TASKIMG_PARENT, taskimg_gva(x, 0));
    explimg_le64(x, gva + TASKIMG_CRED, gva + CRED);
    explimg_write(x, gva + TASKIMG_COMM, comm, sizeof(comm));
    explimg_le64(x, gva + TASKIMG_START, UINT64_C(1000000000) * pid);
    explimg_le32(x, gva + CRED + UID, 1000);
}

void
taskimg_init(const struct explimg *x)
{
    write_task(x, 0, 0, "swapper/0");
    explimg_list_init(x, taskimg_gva(x, 0) + TASKIMG_TASKS);
}

void
taskimg_add(const struct explimg *x, unsigned index, uint32_t pid,
            const char *name)
{
    write_task(x, index, pid, name);
    explimg_list_add(x, taskimg_gva(x, 0) + TASKIMG_TASKS,
                     taskimg_gva(x, index) + TASKIMG_TASKS);
}

void
taskimg_add_many(const struct explimg *x, unsigned n)
{
    char name[16];
    for (unsigned i = 1; i <= n; i++) {
        snprintf(name, sizeof(name), "task%u", i);
        taskimg_add(x, i, i, name);
    }
}
