/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where RAM lies, against what QEMU itself did (layout_cases.h): from its
 * command line, with options spelled as people do and as libvirt does, and
 * from the live domain XML that libvirt 9 would print. */
#include "unit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "domain/domxml.h"
#include "qemu/layout.h"
#include "layout_cases.h"
#include "qemu/machine.h"
#include "qemu/cmdline.h"

#define M MEMCTX_MIB
#define G MEMCTX_GIB

/* A text that grows: arguments, each with its NUL, or XML. */
struct text {
    char bytes[16384];
    size_t len;
};

static void __attribute__((format(printf, 2, 3)))
say(struct text *t, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n =
        vsnprintf(t->bytes + t->len, sizeof(t->bytes) - t->len, format, list);
    va_end(list);
    assert_true(n >= 0 && (size_t)n < sizeof(t->bytes) - t->len);
    t->len += (size_t)n;
}

static void
end_arg(struct text *t)
{
    t->len++;
    assert_true(t->len < sizeof(t->bytes));
    t->bytes[t->len] = '\0';
}

static void
say_arg(struct text *t, const char *option, const char *value)
{
    say(t, "%s", option);
    end_arg(t);
    say(t, "%s", value);
    end_arg(t);
}

/* A memory device of a case. */
struct device {
    char driver[32];
    char id[16];
    unsigned mib;
    uint64_t gpa; /* 0: QEMU chose */
};

static size_t
devices_of(const struct layout_case *c, struct device *ret, size_t max)
{
    size_t n = 0;
    const char *at = c->devices;
    int used;
    while (n < max && sscanf(at, " %31[^:]:%15[^:]:%u%n", ret[n].driver,
                             ret[n].id, &ret[n].mib, &used) == 3) {
        at += used;
        ret[n].gpa = *at == ':' ? strtoull(at + 1, (char **)&at, 16) : 0;
        n++;
    }
    return n;
}

/* One object or device, in either spelling. `first` is its type. */
static void
say_object(struct text *t, bool json, const char *id, uint64_t bytes)
{
    say(t, "-object");
    end_arg(t);
    if (json)
        say(t,
            "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"%s\",\"share\":"
            "true,\"size\":%" PRIu64 "}",
            id, bytes);
    else
        say(t, "memory-backend-memfd,id=%s,size=%" PRIu64 "M", id, bytes / M);
    end_arg(t);
}

static void
say_device(struct text *t, bool json, const struct device *d)
{
    const char *address =
        strncmp(d->driver, "virtio", 6) == 0 ? "memaddr" : "addr";
    char id[32];
    snprintf(id, sizeof(id), "mem%s", d->id);
    say_object(t, json, id, d->mib * M);
    say(t, "-device");
    end_arg(t);
    say(t,
        json ? "{\"driver\":\"%s\",\"id\":\"%s\",\"memdev\":\"mem%s\""
             : "%s,id=%s,memdev=mem%s",
        d->driver, d->id, d->id);
    if (d->gpa != 0)
        say(t, json ? ",\"%s\":%" PRIu64 : ",%s=%" PRIu64, address, d->gpa);
    say(t, "%s", json ? "}" : "");
    end_arg(t);
}

/* Cells are told from the last to the first: their ids count. */
static void
say_cells(struct text *t, bool json, const char *cells)
{
    unsigned mib[MEMCTX_CELLS_MAX];
    unsigned n = 0;
    char *end;
    for (const char *at = cells; *at != '\0'; at = *end == ',' ? end + 1 : end)
        mib[n++] = (unsigned)strtoul(at, &end, 10);
    for (unsigned i = n; i-- > 0;) {
        char id[32];
        char numa[64];
        snprintf(id, sizeof(id), "ram-node%u", i);
        snprintf(numa, sizeof(numa), "node,memdev=%s,nodeid=%u", id, i);
        say_object(t, json, id, mib[i] * M);
        say_arg(t, "-numa", numa);
    }
}

static void
say_arguments(struct text *t, const struct layout_case *c, bool json)
{
    char machine[256];
    char memory[64];
    bool cells = c->cells[0] != '\0';
    bool unnamed = strstr(c->extents, "pc.ram") != NULL;
    struct device devices[8];
    snprintf(machine, sizeof(machine), "%s%s%s%s", c->machine,
             c->options[0] != '\0' ? "," : "", c->options,
             cells || unnamed ? "" : ",memory-backend=ram");
    snprintf(memory, sizeof(memory), "%uM%s%s", c->mib,
             c->memory[0] != '\0' ? "," : "", c->memory);
    say(t, "/usr/bin/qemu-system-%s", c->arch);
    end_arg(t);
    say_arg(t, "-machine", machine);
    say_arg(t, "-m", memory);
    if (c->cpu[0] != '\0')
        say_arg(t, "-cpu", c->cpu);
    if (!cells && !unnamed)
        say_object(t, json, "ram", c->mib * M);
    say_cells(t, json, c->cells);
    size_t n = c->plugged ? 0 : devices_of(c, devices, 8);
    for (size_t i = 0; i < n; i++)
        say_device(t, json, &devices[i]);
}

/* GPA of the backend's first byte, as QEMU told libvirt. */
static uint64_t
base_of(const struct layout_case *c, const char *id)
{
    char words[32];
    snprintf(words, sizeof(words), "=mem%s@0", id);
    const char *at = strstr(c->extents, words);
    assert_non_null(at);
    while (at > c->extents && at[-1] != ' ')
        at--;
    return strtoull(at, NULL, 16);
}

static const char *
model_of(const char *driver)
{
    static const char *const models[][2] = {{"pc-dimm", "dimm"},
                                            {"nvdimm", "nvdimm"},
                                            {"virtio-mem-pci", "virtio-mem"},
                                            {"virtio-pmem-pci", "virtio-pmem"}};
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(driver, models[i][0]) == 0)
            return models[i][1];
    }
    fail_msg("no model for %s", driver);
    return "";
}

/* libvirt 9.0 prints no base of virtio-mem and virtio-pmem. */
static void
say_memory_device(struct text *t, const struct layout_case *c,
                  const struct device *d)
{
    const char *model = model_of(d->driver);
    say(t,
        "<memory model='%s'><target><size unit='KiB'>%u</size></target>"
        "<alias name='%s'/>",
        model, d->mib * 1024, d->id);
    if (strstr(model, "dimm") != NULL)
        say(t, "<address type='dimm' slot='0' base='0x%" PRIx64 "'/>",
            base_of(c, d->id));
    else
        say(t, "<address type='pci' domain='0x0000' bus='0x01'/>");
    say(t, "</memory>");
}

static void
say_cpu(struct text *t, const struct layout_case *c)
{
    char model[64];
    char *end;
    unsigned id = 0;
    snprintf(model, sizeof(model), "%.*s", (int)strcspn(c->cpu, ","), c->cpu);
    if (strcmp(model, "max") == 0)
        say(t, "<cpu mode='maximum'>");
    else
        say(t, "<cpu mode='custom' match='exact'><model>%s</model>",
            model[0] != '\0' ? model : "qemu64");
    say(t, "%s", c->cells[0] != '\0' ? "<numa>" : "");
    for (const char *at = c->cells; *at != '\0';
         at = *end == ',' ? end + 1 : end)
        say(t, "<cell id='%u' memory='%lu' unit='KiB'/>", id++,
            strtoul(at, &end, 10) * 1024);
    say(t, "%s</cpu>", c->cells[0] != '\0' ? "</numa>" : "");
}

/* <memory> includes the devices. */
static void
say_xml(struct text *t, const struct layout_case *c)
{
    struct device devices[8];
    size_t n = devices_of(c, devices, 8);
    unsigned total = c->mib;
    unsigned long max;
    unsigned slots;
    char unit;
    for (size_t i = 0; i < n; i++)
        total += devices[i].mib;
    say(t, "<domain type='qemu' id='3'><name>a</name>"
           "<uuid>5a1b6f0e-2c3d-4e5f-8a9b-0c1d2e3f4a5b</uuid>");
    if (sscanf(c->memory, "maxmem=%lu%c,slots=%u", &max, &unit, &slots) == 3)
        say(t, "<maxMemory slots='%u' unit='KiB'>%" PRIu64 "</maxMemory>",
            slots, max * (unit == 'T' ? 1024 * G : G) / 1024);
    say(t,
        "<memory unit='KiB'>%" PRIu64 "</memory><os><type arch='%s' "
        "machine='%s'>hvm</type></os>",
        total * UINT64_C(1024), c->arch, c->machine);
    say_cpu(t, c);
    say(t, "<devices>");
    for (size_t i = 0; i < n; i++)
        say_memory_device(t, c, &devices[i]);
    say(t, "</devices>");
    if (c->options[0] != '\0')
        say(t,
            "<qemu:commandline xmlns:qemu='urn:q'><qemu:arg value='-machine'/>"
            "<qemu:arg value='%s'/></qemu:commandline>",
            c->options);
    say(t, "</domain>");
}

/* The layout as in a case. Boot RAM that XML cannot name is "ram" there. */
static void
print_extents(const struct memctx_layout *l, bool from_xml, struct text *t)
{
    for (size_t i = 0; i < l->n_extents; i++) {
        const struct memctx_extent *e = &l->extents[i];
        const char *id = l->backends[e->backend].id;
        bool boot = strchr(id, '.') != NULL;
        say(t, "%s%" PRIx64 "+%" PRIx64 "=%s@%" PRIx64, i > 0 ? " " : "",
            e->gpa, e->size, from_xml && boot ? "ram" : id, e->offset);
    }
}

static void
check_layout(const struct layout_case *c, const struct memctx_memconf *conf,
             const char *source, bool from_xml)
{
    struct memctx_layout *layout = test_malloc(sizeof(*layout));
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct text found = {.len = 0};
    char wanted[4096];
    snprintf(wanted, sizeof(wanted), "%s", c->extents);
    for (char *at; from_xml && (at = strstr(wanted, "pc.ram")) != NULL;)
        memmove(at, at + 3, strlen(at + 3) + 1);
    if (memctx_layout_compute(conf, MEMCTX_LAYOUT_LIKELIEST, layout, &err) < 0)
        fail_msg("%s %u MiB by %s: %s", c->machine, c->mib, source,
                 err.message);
    print_extents(layout, from_xml, &found);
    if (strcmp(found.bytes, wanted) != 0 || layout->low != c->low ||
        layout->doubtful)
        fail_msg("%s,%s %u MiB by %s: low %" PRIx64 " %s\nwanted low %" PRIx64
                 " %s",
                 c->machine, c->options, c->mib, source, layout->low,
                 found.bytes, c->low, wanted);
    test_free(layout);
}

static struct memctx_qemuargs *
parse_args(const struct text *t)
{
    struct memctx_qemuargs *args = test_malloc(sizeof(*args));
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_cmdline_parse(t->bytes, t->len, args, &err), &err);
    return args;
}

static void
by_arguments(bool json)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(layout_cases); i++) {
        const struct layout_case *c = &layout_cases[i];
        struct text text = {.len = 0};
        if (c->plugged)
            continue;
        say_arguments(&text, c, json);
        struct memctx_qemuargs *args = parse_args(&text);
        check_layout(c, &args->memory, json ? "JSON" : "arguments", false);
        test_free(args);
    }
}

static void
test_layouts_by_arguments(void **state)
{
    (void)state;
    by_arguments(false);
}

static void
test_layouts_by_arguments_in_json(void **state)
{
    (void)state;
    by_arguments(true);
}

static void
parse_xml(const struct text *text, struct memctx_domxml *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_domxml_parse(text->bytes, text->len, ret, &err), &err);
}

static void
test_layouts_by_xml(void **state)
{
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(layout_cases); i++) {
        struct memctx_domxml facts;
        struct text text = {.len = 0};
        say_xml(&text, &layout_cases[i]);
        parse_xml(&text, &facts);
        check_layout(&layout_cases[i], &facts.memory, "XML", true);
        memctx_domxml_deinit(&facts);
    }
}

/* Devices that were plugged later are in the XML only. */
static void
test_layouts_by_xml_and_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(layout_cases); i++) {
        struct memctx_domxml facts;
        struct text xml = {.len = 0};
        struct text line = {.len = 0};
        say_xml(&xml, &layout_cases[i]);
        say_arguments(&line, &layout_cases[i], true);
        parse_xml(&xml, &facts);
        struct memctx_qemuargs *args = parse_args(&line);
        memctx_memconf_overlay(&facts.memory, &args->memory, true);
        check_layout(&layout_cases[i], &facts.memory, "both", false);
        test_free(args);
        memctx_domxml_deinit(&facts);
    }
}

/* Not measured: names that distributions give to their own machine types, and
 * types that QEMU has dropped. From the sources. */
static void
test_splits_of_other_names(void **state)
{
    (void)state;
    static const struct {
        const char *machine;
        uint64_t ram;
        uint64_t low;
    } rows[] = {
        {"pc-i440fx-jammy", 4 * G, 3 * G},
        {"pc-i440fx-rhel7.6.0", 3584 * M, 3 * G},
        {"pc-q35-rhel9.4.0", 4 * G, 2 * G},
        {"pc+pve0", 4 * G, 3 * G},
        {"q35+pve1", 4 * G, 2 * G},
        {"pc-q35-9.0+pve0", 4 * G, 2 * G},
        {"pc-q35-noble-hpb", 2815 * M, 2815 * M},
        {"pc-i440fx-11.0", 4 * G, 3 * G},
        {"pc-1.3", 4 * G, 3584 * M},
        {"pc-0.15", 4 * G, 3584 * M},
        {"pc-i440fx-1.7", 3 * G, 3 * G},
        {"pc-i440fx-1.7", 4 * G, 3584 * M},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct memctx_machine machine;
        assert_true(
            memctx_machine_find(MEMCTX_ARCH_X86, rows[i].machine, &machine));
        assert_int_equal(machine.low(rows[i].ram, 0), rows[i].low);
    }
}

static struct memctx_layout
compute(const struct memctx_memconf *conf, enum memctx_layout_choice choice)
{
    struct memctx_layout layout;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_layout_compute(conf, choice, &layout, &err), &err);
    return layout;
}

static void
refuse(const struct memctx_memconf *conf, const char *words)
{
    struct memctx_layout layout = {.low = 77};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(
        memctx_layout_compute(conf, MEMCTX_LAYOUT_LIKELIEST, &layout, &err),
        -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(layout.low, 77);
}

static struct memctx_memconf
q35(uint64_t ram)
{
    return (struct memctx_memconf){.arch = MEMCTX_ARCH_X86,
                                   .machine = "pc-q35-7.2",
                                   .accel = MEMCTX_ACCEL_TCG,
                                   .ram_bytes = ram};
}

static void
test_machine_that_is_not_known(void **state)
{
    (void)state;
    static const struct {
        enum memctx_arch arch;
        const char *name;
    } rows[] = {
        {MEMCTX_ARCH_X86, "virt"},      {MEMCTX_ARCH_X86, "virt-7.2"},
        {MEMCTX_ARCH_X86, "none"},      {MEMCTX_ARCH_X86, "x-remote"},
        {MEMCTX_ARCH_X86, "xenfv"},     {MEMCTX_ARCH_X86, "pc-q35"},
        {MEMCTX_ARCH_X86, "q35-7.2"},   {MEMCTX_ARCH_X86, "PC"},
        {MEMCTX_ARCH_X86, "pcx"},       {MEMCTX_ARCH_X86, "pc-"},
        {MEMCTX_ARCH_X86, "pc-i440fx"}, {MEMCTX_ARCH_X86, "rhel6.6.0"},
        {MEMCTX_ARCH_ARM, "q35"},       {MEMCTX_ARCH_ARM, "sbsa-ref"},
        {MEMCTX_ARCH_ARM, ""},          {MEMCTX_ARCH_RISCV, "spike"},
        {MEMCTX_ARCH_OTHER, "pseries"}, {MEMCTX_ARCH_OTHER, "pc"},
        {MEMCTX_ARCH_UNKNOWN, ""},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct memctx_memconf conf = q35(G);
        conf.arch = rows[i].arch;
        strcpy(conf.machine, rows[i].name);
        refuse(&conf, "is not known; pc, q35");
    }
}

static void
test_ram_that_no_guest_has(void **state)
{
    (void)state;
    struct memctx_memconf none = q35(0);
    struct memctx_memconf large = q35(UINT64_MAX);
    refuse(&none, "size is not known");
    strcpy(none.doubt, "-readconfig qemu.conf");
    refuse(&none, "it may be in '-readconfig qemu.conf'");
    refuse(&large, "more than a guest can have");
}

static void
test_cells_that_are_not_all_ram(void **state)
{
    (void)state;
    struct memctx_memconf conf = q35(2 * G);
    conf.n_cells = 2;
    conf.cells[0] = (struct memctx_cell){1, "b", G};
    conf.cells[1] = (struct memctx_cell){0, "a", G - M};
    refuse(&conf, "cells have 0x7ff00000 bytes");
    conf.cells[1].size = G;
    assert_string_equal(compute(&conf, 0).backends[0].id, "a");
    conf.cells[1].node = 1;
    refuse(&conf, "two NUMA cells have id 1");
    conf.cells[1].node = 0;
    strcpy(conf.cells[1].backend, "b");
    refuse(&conf, "'b' is used twice");
    conf.cells[1].size = 0;
    refuse(&conf, "size of memory backend 'b' is not known");
}

static struct memctx_memdev
dimm(const char *name, uint64_t size, uint64_t gpa)
{
    struct memctx_memdev device = {.model = MEMCTX_MEMDEV_DIMM,
                                   .size = size,
                                   .gpa = gpa,
                                   .has_gpa = gpa != 0};
    strcpy(device.id, name);
    snprintf(device.backend, sizeof(device.backend), "mem%s", name);
    return device;
}

static void
test_devices_that_overlap_or_wrap(void **state)
{
    (void)state;
    struct memctx_memconf conf = q35(4 * G);
    conf.n_memdevs = 1;
    conf.memdevs[0] = dimm("d0", G, 5 * G);
    refuse(&conf, "overlaps other RAM");
    conf.memdevs[0] = dimm("d0", G, 3 * G + 1);
    refuse(&conf, "overlaps other RAM");
    conf.memdevs[0] = dimm("d0", G, UINT64_MAX - M);
    refuse(&conf, "beyond what a guest can address");
    conf.memdevs[0] = dimm("d0", UINT64_MAX, 8 * G);
    refuse(&conf, "more RAM than a guest can have");
    conf.memdevs[0] = dimm("d0", 0, 8 * G);
    refuse(&conf, "size of memory backend 'memd0' is not known");
    conf.memdevs[0] = dimm("d0", G, 8 * G);
    assert_int_equal(compute(&conf, 0).extents[2].gpa, 8 * G);
    strcpy(conf.machine, "microvm");
    conf.memdevs[0] = dimm("d0", G, 0);
    refuse(&conf, "is not known");
}

/* virtio-mem of libvirt 9 has no address: it lies where the DIMM, which came
 * later and has one, does not. */
static void
test_place_is_found_between_known_ones(void **state)
{
    (void)state;
    struct memctx_memconf conf = q35(4 * G);
    conf.n_memdevs = 3;
    conf.memdevs[0] = dimm("v0", 2 * G, 0);
    conf.memdevs[1] = dimm("d0", G, 6 * G);
    conf.memdevs[2] = dimm("d1", G, 8 * G);
    struct memctx_layout layout = compute(&conf, 0);
    assert_int_equal(layout.n_extents, 5);
    assert_int_equal(layout.extents[4].gpa, 9 * G);
    assert_string_equal(layout.backends[layout.extents[4].backend].id, "memv0");
    assert_true(layout.backends[layout.extents[4].backend].is_device);
    assert_false(layout.backends[0].is_device);
}

/* info mtree of 7.2: 512 MiB in a memfd (4 KiB pages) with a label of 128 KiB,
 * 65 MiB of anonymous memory (2 MiB). */
static void
test_nvdimm_without_its_label(void **state)
{
    (void)state;
    struct memctx_memconf conf = q35(4 * G);
    conf.n_memdevs = 2;
    conf.memdevs[0] = dimm("n0", 512 * M, 0);
    conf.memdevs[0].model = MEMCTX_MEMDEV_NVDIMM;
    conf.memdevs[0].align = 4096;
    conf.memdevs[0].label_size = 128 * 1024;
    conf.memdevs[1] = dimm("n1", 65 * M, 0);
    conf.memdevs[1].model = MEMCTX_MEMDEV_NVDIMM;
    conf.memdevs[1].align = 2 * M;
    struct memctx_layout layout = compute(&conf, 0);
    assert_int_equal(layout.extents[2].size, 512 * M - 128 * 1024);
    assert_int_equal(layout.extents[3].gpa, 6 * G + 512 * M);
    assert_int_equal(layout.extents[3].size, 64 * M);
}

/* Where the vendor of the vCPU is not known, both layouts can be had. */
static void
test_doubt_about_1_tib(void **state)
{
    (void)state;
    struct memctx_memconf conf = q35(1011 * G);
    conf.accel = MEMCTX_ACCEL_HOST;
    strcpy(conf.cpu_model, "host");
    struct memctx_layout layout = compute(&conf, MEMCTX_LAYOUT_LIKELIEST);
    assert_true(layout.doubtful);
    assert_int_equal(layout.above, 4 * G);
    assert_int_equal(compute(&conf, MEMCTX_LAYOUT_OTHER).above, 1024 * G);
    conf.host = MEMCTX_VENDOR_AMD;
    layout = compute(&conf, MEMCTX_LAYOUT_OTHER);
    assert_false(layout.doubtful);
    assert_int_equal(layout.above, 1024 * G);
    conf.host = MEMCTX_VENDOR_OTHER;
    assert_int_equal(compute(&conf, MEMCTX_LAYOUT_OTHER).above, 4 * G);
    /* A distribution's name does not tell whether it is as new as 7.1. */
    conf.host = MEMCTX_VENDOR_AMD;
    strcpy(conf.machine, "pc-q35-rhel9.0.0");
    assert_true(compute(&conf, MEMCTX_LAYOUT_LIKELIEST).doubtful);
    assert_int_equal(compute(&conf, MEMCTX_LAYOUT_OTHER).above, 4 * G);
    /* Nobody doubts where RAM is far from the hole. */
    conf.ram_bytes = 64 * G;
    assert_false(compute(&conf, MEMCTX_LAYOUT_OTHER).doubtful);
}

static void
test_pci_hole_moves_ram(void **state)
{
    (void)state;
    struct memctx_memconf conf = q35(4 * G);
    conf.has_pci_hole64 = true;
    conf.pci_hole64_bytes = 1012 * G - 6 * G;
    assert_int_equal(compute(&conf, 0).above, 4 * G);
    conf.pci_hole64_bytes++;
    assert_int_equal(compute(&conf, 0).above, 1024 * G);
    conf.pci_hole64_bytes = UINT64_MAX;
    assert_int_equal(compute(&conf, 0).above, 1024 * G);
    strcpy(conf.machine, "pc-q35-7.0");
    assert_int_equal(compute(&conf, 0).above, 4 * G);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_layouts_by_arguments),
        T(test_layouts_by_arguments_in_json),
        T(test_layouts_by_xml),
        T(test_layouts_by_xml_and_arguments),
        T(test_splits_of_other_names),
        T(test_machine_that_is_not_known),
        T(test_ram_that_no_guest_has),
        T(test_cells_that_are_not_all_ram),
        T(test_devices_that_overlap_or_wrap),
        T(test_place_is_found_between_known_ones),
        T(test_nvdimm_without_its_label),
        T(test_doubt_about_1_tib),
        T(test_pci_hole_moves_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
