/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of facts. Knows nothing of how any of them is spelled. */
#include "datum/facts.h"

#define MEMBER(type, member)          \
    .offset = offsetof(type, member), \
    .size_bytes = sizeof(((type *)NULL)->member)
#define HAS(member) .has = offsetof(struct memctx_datum, member)

#define DATUM(member) MEMBER(struct memctx_datum, member)
#define KERNEL(member) DATUM(kernel.member)
#define PRIVATE .is_private = true
#define OF_LINUX PRIVATE, .os = MEMCTX_OS_LINUX
#define OF_WINDOWS PRIVATE, .os = MEMCTX_OS_WINDOWS
#define LINUX(member) OF_LINUX, KERNEL(linux_facts.member)
#define WINDOWS(member) OF_WINDOWS, KERNEL(windows_facts.member)
#define EXTENT(member) MEMBER(struct memctx_datum_extent, member)
#define PROCESS(member) MEMBER(struct memctx_process, member)
#define OTHER(member) MEMBER(struct memctx_kernel, member)
#define VARIABLE(name) .variable = "MEMCTX_" name
#define FACT(where, what, how) \
    .path = (where), .type = MEMCTX_FACT_##what, .duty = MEMCTX_FACT_##how
#define GROUP(where) FACT(where, GROUP, ALWAYS)

static const char *const lives[] = {
    [MEMCTX_LIVE_NO] = "no",
    [MEMCTX_LIVE_UNKNOWN] = "unknown",
    NULL,
};
static const char *const sights[] = {
    [MEMCTX_SEEN_RUNNING] = "running",
    NULL,
};
static const char *const layouts[] = {
    [MEMCTX_LAYOUT_PROVEN] = "proven",
    [MEMCTX_LAYOUT_ASSUMED] = "assumed",
    NULL,
};
static const char *const choices[] = {
    [MEMCTX_CHOICE_LATEST_TIME] = "latest-system-time",
    [MEMCTX_CHOICE_FIRST] = "first-found",
    NULL,
};

/* clang-format off */
static const struct memctx_fact extent_facts[] = {
    {FACT("@gpa", HEX, REQUIRED), EXTENT(gpa)},
    {FACT("@size", HEX, REQUIRED), EXTENT(size)},
    {FACT("@backend", TEXT, ALWAYS), EXTENT(backend)},
    {FACT("@offset", HEX, REQUIRED), EXTENT(offset)},
    {.path = NULL}
};

static const struct memctx_fact process_facts[] = {
    {FACT("@pid", COUNT, ALWAYS), PROCESS(pid)},
    {FACT("@name", TEXT, ALWAYS), PROCESS(name)},
    {FACT("@dtb", HEX, ALWAYS), PROCESS(root_gpa)},
    {FACT("@eprocess", HEX, ALWAYS), PROCESS(gva)},
    {.path = NULL}
};

static const struct memctx_fact other_facts[] = {
    {FACT("@kcr3", HEX, ALWAYS), OTHER(kcr3)},
    {FACT("@paging", PAGING, ALWAYS), OTHER(paging)},
    {FACT("@os", OS, ALWAYS), OTHER(os)},
    {FACT("@version", TEXT, ALWAYS), OTHER(version)},
    {FACT("@identity", TEXT, OPTIONAL), OTHER(identity)},
    {FACT("@system_time", TIME, OPTIONAL), OTHER(wall_clock.time)},
    {FACT("@found", TEXT, ALWAYS), OTHER(found)},
    {.path = NULL}
};

static const struct memctx_fact_list extents = {
    "extents", extent_facts, sizeof(struct memctx_datum_extent),
    offsetof(struct memctx_datum, n_extents), MEMCTX_EXTENTS_MAX};
static const struct memctx_fact_list processes = {
    "processes", process_facts, sizeof(struct memctx_process),
    offsetof(struct memctx_datum, n_processes), 0};
static const struct memctx_fact_list others = {
    "others", other_facts, sizeof(struct memctx_kernel),
    offsetof(struct memctx_datum, n_others), 0};

const struct memctx_fact memctx_facts[] = {
    {FACT("@generation", COUNT, OPTIONAL), DATUM(generation),
     VARIABLE("GENERATION")},
    {FACT("@published", TEXT, OPTIONAL), DATUM(published)},
    {FACT("@live", WORD, OPTIONAL), DATUM(live), .words = lives,
     .otherwise = MEMCTX_LIVE_UNKNOWN, VARIABLE("LIVE")},
    {FACT("kcr3", HEX, REQUIRED), KERNEL(kcr3), VARIABLE("KCR3")},
    {FACT("low", HEX, REQUIRED), DATUM(low), VARIABLE("LOW")},
    {FACT("paging", PAGING, REQUIRED), KERNEL(paging), VARIABLE("PAGING")},

    {FACT("guest/@os", OS, REQUIRED), KERNEL(os), VARIABLE("OS")},
    {FACT("guest/@version", TEXT, ALWAYS), KERNEL(version),
     VARIABLE("VERSION")},
    {FACT("guest/@identity", TEXT, OPTIONAL), KERNEL(identity),
     VARIABLE("IDENTITY")},

    {FACT("ram/@size", HEX, REQUIRED), DATUM(ram_size), VARIABLE("RAM_SIZE")},
    {FACT("ram/extent", LIST, REQUIRED), DATUM(extents), .list = &extents,
     VARIABLE("EXTENTS")},

    {FACT("kernel/@base", HEX, OPTIONAL), KERNEL(base_gva), PRIVATE,
     VARIABLE("KERNEL_BASE")},
    {FACT("kernel/@size", HEX, OPTIONAL), KERNEL(size_bytes), PRIVATE,
     VARIABLE("KERNEL_SIZE")},

    {GROUP("linux"), OF_LINUX},
    {FACT("linux/@kaslr_offset", HEX, OPTIONAL), LINUX(kaslr_offset),
     HAS(kernel.linux_facts.has_kaslr_offset), VARIABLE("KASLR_OFFSET")},
    {FACT("linux/@phys_base", SIGNED, OPTIONAL), LINUX(phys_base),
     HAS(kernel.linux_facts.has_phys_base), VARIABLE("PHYS_BASE")},
    {FACT("linux/@kimage_voffset", HEX, OPTIONAL), LINUX(kimage_voffset),
     HAS(kernel.linux_facts.has_kimage_voffset), VARIABLE("KIMAGE_VOFFSET")},
    {FACT("linux/vmcoreinfo/@gpa", HEX, OPTIONAL), LINUX(vmcoreinfo_gpa),
     VARIABLE("VMCOREINFO_GPA")},
    {FACT("linux/vmcoreinfo/@size", COUNT, OPTIONAL), LINUX(vmcoreinfo_size),
     VARIABLE("VMCOREINFO_SIZE")},

    {GROUP("windows"), OF_WINDOWS},
    {FACT("windows/@system_eprocess", HEX, ALWAYS), OF_WINDOWS,
     KERNEL(first_process_gva), VARIABLE("SYSTEM_EPROCESS")},
    {FACT("windows/@system_time", TIME, OPTIONAL), OF_WINDOWS,
     KERNEL(wall_clock.time), .is_one_way = true},
    {GROUP("windows/offsets"), OF_WINDOWS},
    {FACT("windows/offsets/@dtb", HEX, OPTIONAL), WINDOWS(offsets.dtb)},
    {FACT("windows/offsets/@pid", HEX, OPTIONAL), WINDOWS(offsets.pid)},
    {FACT("windows/offsets/@links", HEX, OPTIONAL), WINDOWS(offsets.links)},
    {FACT("windows/offsets/@image_name", HEX, OPTIONAL),
     WINDOWS(offsets.image_name)},
    {FACT("windows/offsets/@user_dtb", HEX, OPTIONAL),
     WINDOWS(offsets.user_dtb)},
    {FACT("windows/process", LIST, OPTIONAL), DATUM(processes),
     .list = &processes, OF_WINDOWS, .is_one_way = true},

    {GROUP("evidence")},
    {FACT("evidence/@found", TEXT, ALWAYS), KERNEL(found)},
    {FACT("evidence/@checks", NAMES, ALWAYS), KERNEL(checks)},
    {FACT("evidence/@attempts", COUNT, OPTIONAL), DATUM(attempts)},
    {FACT("evidence/@seen", WORD, OPTIONAL), DATUM(seen), .words = sights},
    {FACT("evidence/@layout", WORD, OPTIONAL), DATUM(layout), .words = layouts},
    {FACT("evidence/@candidates", COUNT, OPTIONAL), DATUM(candidates)},
    {FACT("evidence/@chosen", WORD, OPTIONAL), DATUM(chosen), .words = choices,
     .is_one_way = true},
    {FACT("evidence/other", LIST, OPTIONAL), DATUM(others), .list = &others,
     .is_one_way = true},
    {.path = NULL}
};
/* clang-format on */
