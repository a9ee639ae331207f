/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens each backend of a guest's RAM. What /proc/PID/maps says decides, not
 * the XML: through a private mapping the guest's writes never reach the file,
 * and it reads as zeros. */
#include "backing/backing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "backing/gather.h"
#include "backing/holdings.h"
#include "qemu/layout.h"
#include "qemu/match.h"
#include "ram/procmem.h"
#include "wire/clocks.h"

/* A domain on its way to its RAM. */
struct opening {
    const struct process *process;
    struct memctx_layout *layout;
    struct memctx_layout *other; /* NULL, or what it may be as well; of the same
                                    backends */
    char doubt[64];              /* as in struct ram */
    struct holdings holdings;
    struct memctx_match matches[MEMCTX_BACKENDS_MAX];
};

static void
cleanup_opening(struct opening **o)
{
    if (*o == NULL)
        return;
    holdings_deinit(&(*o)->holdings);
    free((*o)->layout);
    free((*o)->other);
    free(*o);
}

int
backing_check_guest(const struct memctx_domxml *facts,
                    const struct memctx_qemuargs *args,
                    struct memctx_error *err)
{
    if (facts->encrypted[0] != '\0' || (args != NULL && args->confidential))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guest RAM is encrypted (launchSecurity %s): "
                                "the host cannot read it",
                                facts->encrypted[0] != '\0' ? facts->encrypted
                                                            : "unknown");
    /* 32-bit ARM has the same machines, but page tables of its own. */
    if (memctx_memconf_arch(facts->arch) != MEMCTX_ARCH_X86 &&
        strcmp(facts->arch, "aarch64") != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guests of architecture '%s' are not "
                                "supported yet; x86_64, i686 and aarch64 are",
                                facts->arch);
    return 0;
}

/* So soon after its start a process may have yet to map RAM, or to start
 * QEMU; later than that, none has been seen to do so. */
#define STARTING_MS 5000
#define STARTED_MS 30000

/* QEMU has mapped all boot RAM, whether pages are there or not. */
static bool
is_wrapper(const struct holdings *h, const struct memctx_layout *layout)
{
    uint64_t mapped = 0;
    uint64_t ram = 0;
    for (size_t i = 0; i < h->list.n_mappings; i++)
        mapped += h->mappings[i].end - h->mappings[i].start;
    for (size_t i = 0; i < layout->n_backends; i++)
        ram += layout->backends[i].is_device ? 0 : layout->backends[i].size;
    return mapped < ram;
}

/* *err says which backend is not mapped. */
static int
explain_missing(const struct process *process,
                const struct memctx_layout *layout,
                const struct holdings *holdings, struct memctx_error *err)
{
    char name[32];
    uint64_t age_ms = process_age_ms(process);
    if (age_ms < STARTING_MS)
        return memctx_error_prefix(err, "QEMU has just started");
    if (!is_wrapper(holdings, layout))
        return memctx_error_prefix(err, "%" PRIu64 " s after its start",
                                   age_ms / 1000);
    process_read_name(process, name, sizeof(name));
    return memctx_error_set(
        err, age_ms < STARTED_MS ? MEMCTX_RETRY : MEMCTX_PERMANENT,
        "the emulator that libvirt started, process %d (%s), is a wrapper, and "
        "no child of it is QEMU for this domain; let it exec QEMU, or start it "
        "with libvirt's arguments and wait for it",
        (int)process->pid, name);
}

int
backing_match(const struct process *process, const struct memctx_layout *layout,
              const struct holdings *holdings, struct memctx_match *ret,
              struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (memctx_match_backends(layout, process->args, &holdings->list, ret,
                              &why) == 0)
        return 0;
    if (why.kind == MEMCTX_RETRY)
        explain_missing(process, layout, holdings, &why);
    return memctx_error_pass(err, &why);
}

/* Where the layout is doubtful there are two, but for what cannot be: devices
 * whose place is known would overlap other RAM. */
static int
find_layouts(struct opening *o, const struct memctx_memconf *conf,
             struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    int failed =
        memctx_layout_compute(conf, MEMCTX_LAYOUT_LIKELIEST, o->layout, &why);
    bool other =
        memctx_layout_compute(conf, MEMCTX_LAYOUT_OTHER, o->other, NULL) == 0 &&
        o->other->doubtful;
    if (failed < 0 && !other) {
        *err = why;
        return -1;
    }
    if (failed < 0)
        *o->layout = *o->other;
    if (failed < 0 || !other) {
        free(o->other);
        o->other = NULL;
    }
    return 0;
}

static int
find_layout(struct opening *o, const struct memctx_domxml *facts,
            struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_memconf *conf = malloc(sizeof(*conf));
    o->layout = calloc(1, sizeof(*o->layout));
    o->other = calloc(1, sizeof(*o->other));
    if (conf == NULL || o->layout == NULL || o->other == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    gather_memconf(facts, o->process->args, true, conf);
    memcpy(o->doubt, conf->doubt, sizeof(o->doubt));
    return find_layouts(o, conf, err);
}

/* QEMU's memory is opened once: the map has the descriptors then, and further
 * backends the same ones. */
static int
open_memory(const struct opening *o, const struct memctx_rammap *map,
            struct memctx_source *ret, struct memctx_error *err)
{
    for (unsigned i = 0; i < memctx_rammap_backends(map); i++) {
        const struct memctx_source *other = memctx_rammap_source(map, i);
        if (other->pagemap_fd < 0)
            continue;
        ret->fd = other->fd;
        ret->pagemap_fd = other->pagemap_fd;
        return 0;
    }
    MEMCTX_CLEANUP(memctx_cleanup_fd) int mem = -1;
    if (holdings_open_memory(o->process, "mem", &mem, err) < 0 ||
        holdings_open_memory(o->process, "pagemap", &ret->pagemap_fd, err) < 0)
        return -1;
    ret->fd = memctx_steal_fd(&mem);
    return 0;
}

/* RAM in memory of QEMU's own. */
static int
add_memory(const struct opening *o, const struct memctx_match *match,
           const char *id, uint64_t size, struct memctx_rammap *map,
           struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int file = -1;
    struct memctx_source source = {-1, -1, -1, match->mapping->start, NULL};
    unsigned index;
    /* Pages of a private mapping that were never written are the file's. */
    if (match->file != NULL && !match->mapping->shared &&
        holdings_open_file(o->process, match->file, &file, err) < 0)
        return -1;
    if (open_memory(o, map, &source, err) < 0)
        return -1;
    source.file_fd = memctx_steal_fd(&file);
    return memctx_rammap_add_source(map, id, &source, size, &memctx_procmem_io,
                                    &index, err);
}

static int
add_backend(const struct opening *o, size_t i, struct memctx_rammap *map,
            struct memctx_error *err)
{
    const struct memctx_match *match = &o->matches[i];
    const struct memctx_layout_backend *backend = &o->layout->backends[i];
    if (match->file == NULL || !match->mapping->shared)
        return add_memory(o, match, backend->id, backend->size, map, err);
    int fd;
    unsigned index;
    if (holdings_open_file(o->process, match->file, &fd, err) < 0)
        return -1;
    return memctx_rammap_add_backend(map, backend->id, fd, NULL, &index, err);
}

static int
add_extents(const struct memctx_layout *layout, struct memctx_rammap *map,
            struct memctx_error *err)
{
    for (size_t i = 0; i < layout->n_extents; i++) {
        if (memctx_rammap_add_extent(map, &layout->extents[i], err) < 0)
            return -1;
    }
    return 0;
}

/* A file may be known under its path to the next QEMU, and what a dead guest
 * left in it is a kernel like any other. One that was made since this QEMU runs
 * is new; a second is for clocks that are not read at once. One from the future
 * tells that the clock was set. */
static bool
is_new_file(const struct memctx_ram_file *file, uint64_t started_ns)
{
    uint64_t now_ns = clocks_us(CLOCK_REALTIME) * 1000;
    return file->born_ns >= started_ns + 1000000000 && file->born_ns <= now_ns;
}

static bool
is_fresh(const struct opening *o)
{
    uint64_t started_ns = process_started_ns(o->process);
    for (size_t i = 0; i < o->layout->n_backends; i++) {
        const struct memctx_ram_file *file = o->matches[i].file;
        if (file != NULL && !file->of_process && !is_new_file(file, started_ns))
            return false;
    }
    return true;
}

static int
open_all(const struct opening *o, struct ram *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(ram_deinit) struct ram ram = {.map = NULL};
    const struct memctx_layout *layout = o->layout;
    if (memctx_rammap_create(&ram.map, err) < 0)
        return -1;
    memcpy(ram.doubt, o->doubt, sizeof(ram.doubt));
    if (ram.doubt[0] != '\0')
        memctx_rammap_doubt(ram.map);
    for (size_t i = 0; i < layout->n_backends; i++) {
        if (add_backend(o, i, ram.map, err) < 0)
            return -1;
    }
    if (add_extents(layout, ram.map, err) < 0)
        return -1;
    if (o->other != NULL &&
        (memctx_rammap_create_beside(ram.map, &ram.other, err) < 0 ||
         add_extents(o->other, ram.other, err) < 0))
        return -1;
    /* QEMU may have ended, and its number been given away, while we looked;
     * procfd would then have led nowhere. */
    if (process_check(o->process, err) < 0)
        return -1;
    /* Where they cannot be counted the heartbeat waits for longer. */
    vcpus_create(o->process->procfd, &ram.vcpus, NULL);
    ram.low = layout->low;
    ram.fresh = is_fresh(o);
    *ret = ram;
    ram.map = NULL;
    ram.other = NULL;
    ram.vcpus = NULL;
    return 0;
}

int
backing_open(const struct process *process, const struct memctx_domxml *facts,
             struct ram *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_opening)
    struct opening *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    o->process = process;
    /* What can never work is said before anything is opened. */
    if (backing_check_guest(facts, process->args, err) < 0 ||
        find_layout(o, facts, err) < 0 ||
        holdings_read(process, &o->holdings, err) < 0 ||
        backing_match(process, o->layout, &o->holdings, o->matches, err) < 0)
        return -1;
    return open_all(o, ret, err);
}
