/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the System process' EPROCESS. The one offset it knows by heart is that
 * of DirectoryTableBase, which is the same in every build from 7600 on; it is
 * proved by its value. */
#include "guest/windows/system.h"

#include <inttypes.h>
#include <string.h>

#include "paging/format.h"
#include "guest/windows/code.h"
#include "guest/windows/roots.h"

#define SYSTEM_PID 4u
#define SYSTEM_NAME "System"

/* Where the fields of an EPROCESS are looked for; the largest public one is
 * 0x850 bytes up to ImageFileName's end, the fields are above 0xa0. */
#define FIELDS_FROM 0x80u
#define FIELDS_TO 0x800u
#define TIMES_FROM 0x40u

/* Bit 63 of a new CR3 keeps what the processor knows of the PCID; bits 62 and
 * 61 switch linear address masking on (SDM volume 3A, 4.5 and 4.10.4.1). */
#define CR3_FLAGS MEMCTX_PTE_BITS(63, 61)

/* Pointers that are followed in search of the System process. */
#define POINTERS_MAX 8192u

static uint16_t
dtb_offset(const struct memctx_view *view)
{
    return memctx_view_pointer_size(view) == 8 ? 0x28 : 0x18;
}

uint64_t
memctx_windows_dtb_gpa(const struct memctx_view *view, uint64_t dtb)
{
    const struct memctx_paging_format *format =
        memctx_paging_format(view->paging);
    return format->above == MEMCTX_ABOVE_ONES
               ? memctx_paging_table(format, dtb)
               : dtb & MEMCTX_PTE_BITS(51, 0) &
                     ~(memctx_paging_root_size(view->paging) - 1);
}

bool
memctx_windows_is_kernel_gva(const struct memctx_view *view, uint64_t gva)
{
    const struct memctx_paging_format *format =
        memctx_paging_format(view->paging);
    switch (format->above) {
    case MEMCTX_ABOVE_ZEROS:
        return gva >= UINT64_C(0x80000000) && gva <= UINT32_MAX;
    case MEMCTX_ABOVE_SIGN:
        return gva >= UINT64_MAX << (format->va_bits - 1);
    case MEMCTX_ABOVE_ONES:
        return gva >= UINT64_MAX << format->va_bits;
    }
    return false;
}

/* Is there a LIST_ENTRY at gva whose neighbours point back to it? */
static bool
is_linked(struct memctx_view *view, uint64_t gva)
{
    unsigned word = memctx_view_pointer_size(view);
    uint64_t next;
    uint64_t before;
    uint64_t back;
    uint64_t forth;
    return memctx_view_pointer(view, gva, &next, NULL) == 0 &&
           memctx_view_pointer(view, gva + word, &before, NULL) == 0 &&
           memctx_windows_is_kernel_gva(view, next) &&
           memctx_windows_is_kernel_gva(view, before) &&
           next <= UINT64_MAX - word &&
           memctx_view_pointer(view, next + word, &back, NULL) == 0 &&
           memctx_view_pointer(view, before, &forth, NULL) == 0 &&
           back == gva && forth == gva;
}

static bool
is_system_name(struct memctx_view *view, uint64_t gva)
{
    char name[sizeof(SYSTEM_NAME)];
    return memctx_view_read(view, gva, name, sizeof(name), NULL) == 0 &&
           memcmp(name, SYSTEM_NAME, sizeof(name)) == 0;
}

static bool
is_system_pid(struct memctx_view *view, uint64_t gva)
{
    uint64_t pid;
    return memctx_view_pointer(view, gva, &pid, NULL) == 0 && pid == SYSTEM_PID;
}

/* A pid 4 that is followed by links: what UniqueProcessId is in every build. */
static bool
is_system_pid_and_links(struct memctx_view *view, uint64_t gva)
{
    return is_system_pid(view, gva) &&
           is_linked(view, gva + memctx_view_pointer_size(view));
}

/* Does any field of the EPROCESS look so? For kernels without getters. */
static bool
has_field(struct memctx_view *view, uint64_t eprocess,
          bool (*looks)(struct memctx_view *view, uint64_t gva))
{
    for (uint64_t at = FIELDS_FROM; at < FIELDS_TO; at += 4) {
        if (looks(view, eprocess + at))
            return true;
    }
    return false;
}

/* Check one field at the offset that its getter tells. Where the getter is of
 * no help the field is looked for, and *offset becomes 0: a proof, but not one
 * of where the field is. */
static int
check_field(struct memctx_view *view, uint64_t eprocess, uint16_t *offset,
            bool (*is)(struct memctx_view *view, uint64_t gva),
            bool (*looks)(struct memctx_view *view, uint64_t gva),
            const char *what, struct memctx_error *err)
{
    if (*offset != 0 && is(view, eprocess + *offset))
        return 0;
    *offset = 0;
    if (!has_field(view, eprocess, looks))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "EPROCESS %#" PRIx64 " has no %s", eprocess,
                                what);
    return 0;
}

static int
check_fields(struct memctx_view *view, uint64_t eprocess,
             struct memctx_windows_offsets *offsets, struct memctx_error *err)
{
    if (check_field(view, eprocess, &offsets->pid, is_system_pid,
                    is_system_pid_and_links, "pid 4", err) < 0)
        return -1;
    return check_field(view, eprocess, &offsets->image_name, is_system_name,
                       is_system_name, "name System", err);
}

static int
read_root(struct memctx_view *view, uint64_t eprocess, uint64_t *ret_gpa,
          struct memctx_error *err)
{
    uint64_t dtb;
    if (memctx_view_pointer(view, eprocess + dtb_offset(view), &dtb, err) < 0)
        return memctx_error_prefix(err, "EPROCESS %#" PRIx64, eprocess);
    *ret_gpa = memctx_windows_dtb_gpa(view, dtb) +
               memctx_windows_root_offset(view->paging);
    return 0;
}

static uint16_t
getter_offset(struct memctx_view *view,
              const struct memctx_windows_image *image,
              enum memctx_windows_export which,
              enum memctx_windows_getter getter)
{
    uint64_t gva = image->exports_gva[which];
    uint16_t offset;
    return gva != 0 && memctx_windows_code_offset(view, gva, getter, &offset)
               ? offset
               : 0;
}

/* PsInitialSystemProcess is a pointer to the EPROCESS. */
static int
read_eprocess(struct memctx_view *view, uint64_t pointer_gva, uint64_t *ret,
              struct memctx_error *err)
{
    if (memctx_view_pointer(view, pointer_gva, ret, err) < 0)
        return memctx_error_prefix(err, "PsInitialSystemProcess");
    if (*ret == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "PsInitialSystemProcess is 0: there is no "
                                "System process yet");
    if (!memctx_windows_is_kernel_gva(view, *ret) ||
        *ret > UINT64_MAX - FIELDS_TO)
        return memctx_error_set(
            err, MEMCTX_RETRY,
            "PsInitialSystemProcess is %#" PRIx64 ", no kernel address", *ret);
    return 0;
}

/* Does the page at gpa refer to itself, and has nothing for user space? */
static bool
is_shadow_root(const struct memctx_view *view, uint64_t gpa)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    bool self = false;
    if (gpa == 0 || gpa == view->root_gpa ||
        memctx_rammap_read(view->map, gpa, page, sizeof(page), NULL) < 0)
        return false;
    for (unsigned i = 0; i < 512; i++) {
        uint64_t entry = memctx_le64(page + 8 * i);
        if (i < 256 && entry != 0)
            return false;
        self = self || ((entry & MEMCTX_PTE_PRESENT) != 0 &&
                        (entry & MEMCTX_PTE_FRAME) == gpa);
    }
    return self;
}

/* The value of CR3 that is to be for user space: without the bits that tell the
 * processor how to load it. 0: it is no such value. */
static uint64_t
cr3_gpa(uint64_t value)
{
    return (value & ~CR3_FLAGS) >> 52 == 0 ? value & MEMCTX_PTE_FRAME : 0;
}

/* UserDirectoryTableBase has no getter; its value gives it away: of all that a
 * KPROCESS holds it is the only root beside DirectoryTableBase. 0 when there is
 * none, or more than one. */
static uint16_t
find_user_dtb(struct memctx_view *view,
              const struct memctx_windows_system *system)
{
    uint16_t found = 0;
    if (memctx_view_pointer_size(view) != 8 || system->offsets.pid == 0 ||
        memctx_windows_root_offset(view->paging) != 0)
        return 0;
    for (uint16_t at = system->offsets.dtb + 8; at < system->offsets.pid;
         at += 8) {
        uint64_t value;
        if (memctx_view_le64(view, system->eprocess_gva + at, &value, NULL) < 0)
            return 0;
        if (!is_shadow_root(view, cr3_gpa(value)))
            continue;
        if (found != 0)
            return 0;
        found = at;
    }
    return found;
}

/* A DISPATCHER_HEADER begins with type 3 for a process; its third byte is a
 * size, 0 since build 19041, and the fourth is 0. */
bool
memctx_windows_is_process(struct memctx_view *view, uint64_t gva)
{
    uint32_t header;
    return memctx_view_le32(view, gva, &header, NULL) == 0 &&
           (header & UINT32_C(0xff00ffff)) == 3;
}

static bool
is_system(struct memctx_view *view, uint64_t gva)
{
    return memctx_windows_is_kernel_gva(view, gva) && gva % 8 == 0 &&
           gva <= UINT64_MAX - FIELDS_TO &&
           memctx_windows_is_process(view, gva) &&
           has_field(view, gva, is_system_name) &&
           has_field(view, gva, is_system_pid_and_links);
}

/* The first pointer to a System process in memory that is never paged out; 0:
 * there is none. Each step reads, and is charged to the map's work. */
static uint64_t
find_pointer(struct memctx_view *view, const struct memctx_windows_image *image)
{
    unsigned word = memctx_view_pointer_size(view);
    unsigned looks = 0;
    for (size_t i = 0; i < image->n_resident; i++) {
        uint64_t gva = image->base_gva + image->resident[i].rva;
        uint64_t end = gva + image->resident[i].size;
        for (; gva + word <= end && looks < POINTERS_MAX; gva += word) {
            uint64_t pointer;
            if (memctx_view_pointer(view, gva, &pointer, NULL) < 0) {
                gva |= MEMCTX_PAGE_SIZE - word;
                continue;
            }
            if (!memctx_windows_is_kernel_gva(view, pointer))
                continue;
            looks++;
            if (is_system(view, pointer))
                return gva;
        }
    }
    return 0;
}

int
memctx_windows_system_read(struct memctx_view *view,
                           const struct memctx_windows_image *image,
                           struct memctx_windows_system *ret,
                           struct memctx_error *err)
{
    struct memctx_windows_system system = {.offsets = {.dtb = 0}};
    struct memctx_windows_offsets *offsets = &system.offsets;
    system.pointer_gva = image->exports_gva[MEMCTX_WINDOWS_SYSTEM_PROCESS];
    if (system.pointer_gva == 0 && image->is_incomplete)
        system.pointer_gva = find_pointer(view, image);
    if (system.pointer_gva == 0 && image->is_incomplete)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "exports of ntoskrnl.exe at %#" PRIx64
                                " are paged out, and nothing in its data leads "
                                "to the System process",
                                image->base_gva);
    if (system.pointer_gva == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "ntoskrnl.exe at %#" PRIx64
                                " exports no PsInitialSystemProcess",
                                image->base_gva);
    if (read_eprocess(view, system.pointer_gva, &system.eprocess_gva, err) < 0)
        return -1;
    uint64_t eprocess = system.eprocess_gva;
    offsets->dtb = dtb_offset(view);
    offsets->pid = getter_offset(view, image, MEMCTX_WINDOWS_GET_PID,
                                 MEMCTX_WINDOWS_GETS_VALUE);
    offsets->image_name =
        getter_offset(view, image, MEMCTX_WINDOWS_GET_IMAGE_NAME,
                      MEMCTX_WINDOWS_GETS_ADDRESS);
    if (read_root(view, eprocess, &system.root_gpa, err) < 0 ||
        check_fields(view, eprocess, offsets, err) < 0)
        return -1;
    /* ActiveProcessLinks follows UniqueProcessId in every build; it must be a
     * list, too. */
    unsigned word = memctx_view_pointer_size(view);
    if (offsets->pid != 0 && is_linked(view, eprocess + offsets->pid + word))
        offsets->links = (uint16_t)(offsets->pid + word);
    offsets->user_dtb = find_user_dtb(view, &system);
    uint16_t at = getter_offset(view, image, MEMCTX_WINDOWS_GET_CREATE_TIME,
                                MEMCTX_WINDOWS_GETS_VALUE);
    if (at == 0 ||
        memctx_view_le64(view, eprocess + at, &system.create_time, NULL) < 0)
        system.create_time = 0;
    *ret = system;
    return 0;
}

int
memctx_windows_system_stands(struct memctx_view *view, uint64_t pointer_gva,
                             uint64_t eprocess_gva,
                             const struct memctx_windows_offsets *offsets,
                             struct memctx_error *err)
{
    struct memctx_windows_offsets known = *offsets;
    uint64_t eprocess = eprocess_gva;
    uint64_t root_gpa;
    if (pointer_gva != 0 &&
        read_eprocess(view, pointer_gva, &eprocess, err) < 0)
        return -1;
    if (eprocess != eprocess_gva ||
        !memctx_windows_is_kernel_gva(view, eprocess) ||
        eprocess > UINT64_MAX - FIELDS_TO)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "PsInitialSystemProcess is %#" PRIx64
                                ", and was %#" PRIx64,
                                eprocess, eprocess_gva);
    if (read_root(view, eprocess, &root_gpa, err) < 0)
        return -1;
    if (root_gpa != view->root_gpa)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "DirectoryTableBase of System is %#" PRIx64,
                                root_gpa);
    return check_fields(view, eprocess, &known, err);
}

uint64_t
memctx_windows_system_began(struct memctx_view *view, uint64_t eprocess_gva,
                            const struct memctx_windows_kuser *kuser)
{
    for (unsigned at = TIMES_FROM; at < FIELDS_TO; at += 8) {
        uint64_t time;
        if (memctx_view_le64(view, eprocess_gva + at, &time, NULL) < 0)
            return 0;
        if (memctx_windows_is_start(kuser, time))
            return time;
    }
    return 0;
}
