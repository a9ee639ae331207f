/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Deals out QEMU's mappings to its memory backends, each at most once. */
#include "qemu/match.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"

enum kind {
    KIND_ANY, /* plugged later: the arguments do not tell */
    KIND_ANONYMOUS,
    KIND_MEMFD,
    KIND_FILE,
};

/* The dealing under way. */
struct dealer {
    const struct memctx_layout *layout;
    const struct memctx_qemuargs *args;
    const struct memctx_match_input *have;
    struct memctx_match *matches; /* of the layout's backends */
    bool *taken;                  /* of mappings */
};

static bool
is_of_file(const struct memctx_mapping *m, const struct memctx_ram_file *f)
{
    return m->inode == f->inode && m->major == f->major &&
           m->minor == f->minor && m->inode != 0;
}

/* Bytes from mapping `at` on that are mapped without a gap and with one offset
 * behind the other: a mapping may be cut in pieces. */
static uint64_t
length_from(const struct dealer *d, size_t at)
{
    const struct memctx_mapping *m = &d->have->mappings[at];
    uint64_t end = m->end;
    for (size_t i = at + 1; i < d->have->n_mappings && m->inode != 0; i++) {
        const struct memctx_mapping *next = &d->have->mappings[i];
        if (next->start != end || next->inode != m->inode ||
            next->major != m->major || next->minor != m->minor ||
            next->shared != m->shared || next->offset != end - m->start)
            break;
        end = next->end;
    }
    return end - m->start;
}

/* Is that the length of a mapping of `size` bytes? Files on hugetlbfs are
 * mapped in whole pages, of 1 GiB at most. */
static bool
fits(uint64_t length, uint64_t size, bool file)
{
    if (length == size)
        return true;
    return file && length > size && length - size < MEMCTX_GIB &&
           length % (2 * MEMCTX_MIB) == 0;
}

/* The untaken mapping of a file that fits; n_mappings: there is none. */
static size_t
mapping_of_file(const struct dealer *d, const struct memctx_ram_file *file,
                uint64_t size)
{
    size_t i = 0;
    while (i < d->have->n_mappings &&
           (d->taken[i] || d->have->mappings[i].offset != 0 ||
            !d->have->mappings[i].readable ||
            !is_of_file(&d->have->mappings[i], file) ||
            !fits(length_from(d, i), size, true)))
        i++;
    return i;
}

static bool
take(struct dealer *d, size_t mapping, const struct memctx_ram_file *file,
     struct memctx_match *match)
{
    if (mapping == d->have->n_mappings)
        return false;
    d->taken[mapping] = true;
    match->mapping = &d->have->mappings[mapping];
    match->file = file;
    return true;
}

/* Does `rest` begin with `prefix`? It is moved behind it then. */
static bool
skip(const char **rest, const char *prefix)
{
    size_t len = strlen(prefix);
    if (strncmp(*rest, prefix, len) != 0)
        return false;
    *rest += len;
    return true;
}

/* Is this the file of backend `id`? QEMU's names on hugetlbfs are
 * qemu_back_mem.ID.XXXXXX or qemu_back_mem._objects_ID.XXXXXX; libvirt calls a
 * file as the backend, or as the device's alias (without "mem"). */
static bool
is_named(const struct memctx_ram_file *file, const char *id)
{
    const char *name = file->name;
    size_t len = strlen(id);
    if (skip(&name, "qemu_back_mem.")) {
        skip(&name, "_objects_");
        return strncmp(name, id, len) == 0 && name[len] == '.';
    }
    return strcmp(name, id) == 0 ||
           (strncmp(id, "mem", 3) == 0 && strcmp(name, id + 3) == 0);
}

static bool
is_memfd(const struct memctx_ram_file *file)
{
    return strncmp(file->name, "memfd:memory-backend", 20) == 0;
}

static bool
take_named(struct dealer *d, const char *id, uint64_t size,
           struct memctx_match *match)
{
    for (size_t i = 0; i < d->have->n_files; i++) {
        const struct memctx_ram_file *file = &d->have->files[i];
        if (is_named(file, id) &&
            take(d, mapping_of_file(d, file, size), file, match))
            return true;
    }
    return false;
}

/* The oldest file that fits. */
static bool
take_first_file(struct dealer *d, enum kind kind, uint64_t size,
                struct memctx_match *match)
{
    for (size_t i = 0; i < d->have->n_files; i++) {
        const struct memctx_ram_file *file = &d->have->files[i];
        if (kind != KIND_ANY && (kind == KIND_MEMFD) != is_memfd(file))
            continue;
        if (take(d, mapping_of_file(d, file, size), file, match))
            return true;
    }
    return false;
}

/* Private memory without a file, with a guard behind it. */
static bool
is_ram_like(const struct dealer *d, size_t at)
{
    const struct memctx_mapping *m = &d->have->mappings[at];
    const struct memctx_mapping *next = m + 1;
    return m->inode == 0 && !m->shared && m->readable && m->writable &&
           !m->executable && at + 1 < d->have->n_mappings &&
           next->start == m->end && !next->readable && !next->writable;
}

/* Shared memory that is no file of QEMU's: memory-backend-ram,share=on. */
static bool
is_shared_like(const struct dealer *d, size_t at)
{
    const struct memctx_mapping *m = &d->have->mappings[at];
    if (!m->shared || !m->readable || !m->writable || m->executable ||
        m->offset != 0)
        return false;
    for (size_t i = 0; i < d->have->n_files; i++) {
        if (is_of_file(m, &d->have->files[i]))
            return false;
    }
    return true;
}

/* The highest that fits. */
static bool
take_anonymous(struct dealer *d, uint64_t size, struct memctx_match *match)
{
    for (size_t i = d->have->n_mappings; i-- > 0;) {
        const struct memctx_mapping *m = &d->have->mappings[i];
        if (!d->taken[i] && fits(m->end - m->start, size, false) &&
            (is_ram_like(d, i) || is_shared_like(d, i)))
            return take(d, i, NULL, match);
    }
    return false;
}

static bool
take_kind(struct dealer *d, enum kind kind, uint64_t size,
          struct memctx_match *match)
{
    if (kind != KIND_ANONYMOUS && take_first_file(d, kind, size, match))
        return true;
    return (kind == KIND_ANONYMOUS || kind == KIND_ANY) &&
           take_anonymous(d, size, match);
}

/* The layout's backend of this name; n_backends: none. */
static size_t
index_in_layout(const struct dealer *d, const char *id)
{
    size_t i = 0;
    while (i < d->layout->n_backends &&
           strcmp(d->layout->backends[i].id, id) != 0)
        i++;
    return i;
}

/* Backends of the arguments that no memory device uses which is not in the
 * layout any more: such a one was unplugged. */
static bool
was_unplugged(const struct dealer *d, const char *id)
{
    const struct memctx_memconf *memory = &d->args->memory;
    for (size_t i = 0; i < memory->n_memdevs; i++) {
        if (strcmp(memory->memdevs[i].backend, id) == 0)
            return index_in_layout(d, id) == d->layout->n_backends;
    }
    return false;
}

static enum kind
kind_of(enum memctx_backend_kind kind)
{
    switch (kind) {
    case MEMCTX_BACKEND_ANONYMOUS:
        return KIND_ANONYMOUS;
    case MEMCTX_BACKEND_MEMFD:
        return KIND_MEMFD;
    case MEMCTX_BACKEND_FILE:
        return KIND_FILE;
    case MEMCTX_BACKEND_OTHER:
        break;
    }
    return KIND_ANY;
}

/* First by name, which cannot fail to be right. */
static void
deal_named(struct dealer *d)
{
    for (size_t i = 0; i < d->layout->n_backends; i++)
        take_named(d, d->layout->backends[i].id, d->layout->backends[i].size,
                   &d->matches[i]);
}

/* Then in the order in which QEMU made them, also those of other devices
 * (ivshmem), which take theirs. */
static void
deal_arguments(struct dealer *d)
{
    size_t n = memctx_min(d->args->n_backends, MEMCTX_BACKEND_ARGS_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct memctx_backend_arg *b = &d->args->backends[i];
        size_t at = index_in_layout(d, b->id);
        struct memctx_match other = {NULL, NULL};
        bool ours = at < d->layout->n_backends;
        uint64_t size = ours ? d->layout->backends[at].size : b->size;
        if (size == 0 || was_unplugged(d, b->id) ||
            (ours && d->matches[at].mapping != NULL) ||
            (!ours && take_named(d, b->id, size, &other)))
            continue;
        take_kind(d, kind_of(b->kind), size, ours ? &d->matches[at] : &other);
    }
}

/* Boot RAM that QEMU made by itself, and at last what was plugged. */
static void
deal_rest(struct dealer *d)
{
    for (int devices = 0; devices <= 1; devices++) {
        for (size_t i = 0; i < d->layout->n_backends; i++) {
            const struct memctx_layout_backend *b = &d->layout->backends[i];
            if (d->matches[i].mapping != NULL || b->is_device != devices ||
                memctx_qemuargs_backend(d->args, b->id) != NULL)
                continue;
            enum kind boot = d->args->mem_path ? KIND_FILE : KIND_ANONYMOUS;
            take_kind(d, devices ? KIND_ANY : boot, b->size, &d->matches[i]);
        }
    }
}

int
memctx_match_by_age(const void *file, const void *other)
{
    const struct memctx_ram_file *x = file;
    const struct memctx_ram_file *y = other;
    if (x->born_ns != y->born_ns)
        return x->born_ns < y->born_ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

int
memctx_match_backends(const struct memctx_layout *layout,
                      const struct memctx_qemuargs *args,
                      const struct memctx_match_input *holdings,
                      struct memctx_match *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    bool *taken = calloc(holdings->n_mappings + 1, sizeof(*taken));
    if (taken == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    memset(ret, 0, layout->n_backends * sizeof(*ret));
    struct dealer dealer = {layout, args, holdings, ret, taken};
    deal_named(&dealer);
    deal_arguments(&dealer);
    deal_rest(&dealer);
    for (size_t i = 0; i < layout->n_backends; i++) {
        if (ret[i].mapping == NULL)
            return memctx_error_set(
                err, MEMCTX_RETRY,
                "QEMU has not mapped memory backend '%s' of %#" PRIx64 " bytes",
                layout->backends[i].id, layout->backends[i].size);
    }
    return 0;
}
