/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Each use checks what its readers rely on. */
#include "uses.h"

#include <json-c/json.h>
#include <string.h>

#include "base/bytes.h"
#include "datum/datum.h"
#include "export/elfcore.h"
#include "export/export.h"
#include "fuzz.h"
#include "guest/linux/image.h"
#include "guest/linux/note.h"
#include "search/guests.h"

#define PROCESSES_MAX 64

static bool
is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

static void
check_kernel(const struct memctx_rammap *map,
             const struct memctx_kernel *kernel)
{
    uint64_t size = memctx_paging_root_size(kernel->paging);
    FUZZ_MUST(kernel->kcr3 % size == 0);
    FUZZ_MUST(memctx_rammap_contains(map, kernel->kcr3, size));
    FUZZ_MUST(memctx_rammap_contains(map, kernel->clue_gpa, 1));
    FUZZ_MUST(kernel->version[0] != '\0' && is_printable(kernel->version));
    FUZZ_MUST(is_printable(kernel->identity));
    FUZZ_MUST(strchr(kernel->checks, ',') != NULL);
}

static void
use_processes(const struct memctx_rammap *map,
              const struct memctx_kernel *kernel)
{
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    struct memctx_process processes[PROCESSES_MAX];
    struct memctx_error err = MEMCTX_ERROR_INIT;
    size_t n;
    if (guest->processes == NULL)
        return;
    if (guest->processes(map, kernel, processes, PROCESSES_MAX, &n, &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
    FUZZ_MUST(n <= PROCESSES_MAX);
    for (size_t i = 0; i < n; i++)
        FUZZ_MUST(is_printable(processes[i].name));
}

/* A public one tells no guest-virtual address. */
static void
use_xml(const struct memctx_datum *datum, enum memctx_audience audience)
{
    struct memctx_datum again;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *xml;
    FUZZ_MUST(memctx_datum_to_xml(datum, audience, &xml, &err) == 0);
    FUZZ_MUST(audience == MEMCTX_PRIVATE || strstr(xml, "<kernel") == NULL);
    FUZZ_MUST(memctx_datum_from_xml(xml, strlen(xml), &again, &err) == 0);
    FUZZ_MUST(memctx_datum_is_equal(datum, &again));
    memctx_datum_deinit(&again);
    free(xml);
}

static void
use_json(const struct memctx_datum *datum)
{
    char *text;
    FUZZ_MUST(memctx_datum_to_json(datum, &text, NULL) == 0);
    json_object *object = json_tokener_parse(text);
    FUZZ_MUST(object != NULL && json_object_is_type(object, json_type_object));
    json_object_put(object);
    free(text);
}

static void
export_as(const char *name, const struct memctx_export_subject *subject)
{
    const struct memctx_export_format *format = memctx_export_find(name);
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *text;
    size_t len;
    FUZZ_MUST(format != NULL);
    if (memctx_export(format, subject, &text, &len, &err) < 0) {
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT && err.message[0] != '\0');
        return;
    }
    FUZZ_MUST(strlen(text) == len && len > 0 && text[len - 1] == '\n');
    free(text);
}

static void
use_exports(const struct memctx_export_subject *subject)
{
    char names[512];
    char *rest = names;
    memctx_export_names(names, sizeof(names));
    for (char *name = strsep(&rest, ","); name != NULL;
         name = strsep(&rest, ","))
        export_as(name + strspn(name, " "), subject);
}

static void
use_core(const struct memctx_rammap *map,
         const struct memctx_export_subject *subject)
{
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    const struct memctx_elfcore_facts facts = {
        .kernel = kernel,
        .extents = subject->extents,
        .n_extents = subject->n_extents,
        .image_bytes = memctx_linux_image_bytes(map, kernel),
        .vmcoreinfo = subject->vmcoreinfo,
        .vmcoreinfo_len = subject->vmcoreinfo_len};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_elfcore *core;
    size_t len;
    size_t n;
    uint64_t bytes = 0;
    if (memctx_elfcore_create(&facts, &core, &err) < 0) {
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT && err.message[0] != '\0');
        return;
    }
    const struct memctx_elfcore_piece *p = memctx_elfcore_pieces(core, &n);
    memctx_elfcore_header(core, &len);
    FUZZ_MUST(len % MEMCTX_PAGE_SIZE == 0 && n > 0);
    for (size_t i = 0; i < n; i++) {
        FUZZ_MUST(p[i].offset == len + bytes && p[i].size > 0);
        FUZZ_MUST(i == 0 || p[i - 1].gpa + p[i - 1].size <= p[i].gpa);
        bytes += p[i].size;
    }
    FUZZ_MUST(memctx_elfcore_size(core) == len + bytes);
    memctx_elfcore_destroy(core);
}

static int
read_map(void *arg, uint64_t gpa, void *buf, size_t len,
         struct memctx_error *err)
{
    return memctx_rammap_read(arg, gpa, buf, len, err);
}

/* All that is known of it, as a reader of RAM in one file knows it. */
static void
use_subject(const struct memctx_rammap *map, const struct memctx_datum *datum)
{
    static const char *const paths[] = {"/dev/shm/it's \"ram\""};
    struct memctx_export_subject subject = {
        .datum = datum, .domain = "web 1", .paths = paths, .n_backends = 1};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *text = NULL;
    subject.extents = memctx_rammap_extents(map, &subject.n_extents);
    if (memctx_linux_note_text(&datum->kernel, read_map, (void *)map, &text,
                               &subject.vmcoreinfo_len, &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT || err.kind == MEMCTX_RETRY);
    subject.vmcoreinfo = text;
    use_exports(&subject);
    use_core(map, &subject);
    subject.paths = NULL;
    subject.domain = NULL;
    use_exports(&subject);
    free(text);
}

void
fuzz_use(const struct memctx_rammap *map, uint64_t low,
         const struct memctx_kernel *kernel)
{
    struct memctx_datum datum;
    check_kernel(map, kernel);
    use_processes(map, kernel);
    FUZZ_MUST(memctx_datum_init(&datum, kernel, map, low, NULL) == 0);
    datum.generation = 1;
    memctx_datum_stamp(&datum, 1700000000);
    use_xml(&datum, MEMCTX_PUBLIC);
    use_xml(&datum, MEMCTX_PRIVATE);
    use_json(&datum);
    use_subject(map, &datum);
    memctx_datum_deinit(&datum);
}
