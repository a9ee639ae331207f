/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx layout: where QEMU put a guest's RAM, from a running domain or from
 * files. Opens no RAM. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backing/emulator.h"
#include "backing/gather.h"
#include "base/cleanup.h"
#include "domain/domxml.h"
#include "memctx/inputfile.h"
#include "memctx/invocation.h"
#include "memctx/livexml.h"
#include "memctx/print.h"
#include "qemu/cmdline.h"
#include "qemu/layout.h"
#include "text/jsonguard.h"

struct layout_options {
    const char *xml;
    const char *cmdline;
    bool json;
};

static const struct option_row option_table[] = {
    {"xml", 0, OPTION_TEXT, "FILE", offsetof(struct layout_options, xml),
     "take domain XML from FILE (virsh dumpxml)"},
    {"cmdline", 0, OPTION_TEXT, "FILE",
     offsetof(struct layout_options, cmdline),
     "take QEMU's arguments from FILE (/proc/PID/cmdline)"},
    COMMAND_OPTION_JSON(struct layout_options),
    OPTIONS_END,
};

/* What there is to work with; either may be missing. */
struct sources {
    struct memctx_domxml xml;
    struct memctx_qemuargs args;
    bool has_xml;
    bool has_args;
    bool here; /* it runs on this host */
};

static void
cleanup_sources(struct sources **sources)
{
    if (*sources != NULL)
        memctx_domxml_deinit(&(*sources)->xml);
    free(*sources);
}

static int
from_xml_file(const char *path, struct sources *s, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    size_t len;
    if (inputfile_read(path, MEMCTX_DOMXML_MAX, &text, &len, err) < 0)
        return -1;
    if (memctx_domxml_parse_draft(text, len, &s->xml, err) < 0)
        return memctx_error_prefix(err, "%s", path);
    s->has_xml = true;
    return 0;
}

static int
from_cmdline_file(const char *path, struct sources *s, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    size_t len;
    if (inputfile_read(path, MEMCTX_CMDLINE_MAX, &text, &len, err) < 0)
        return -1;
    if (memctx_cmdline_parse(text, len, &s->args, err) < 0)
        return memctx_error_prefix(err, "%s", path);
    s->has_args = true;
    return 0;
}

/* libvirt's XML, and QEMU's arguments, which count where the two disagree. The
 * arguments are missing where we may not look at the process. */
static int
from_domain(const char *given_uri, const char *name, struct sources *s,
            struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *uri = NULL;
    MEMCTX_CLEANUP(process_deinit) struct process process = PROCESS_INIT;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (livexml_fetch(given_uri, name, &text, &uri, err) < 0 ||
        memctx_domxml_parse(text, strlen(text), &s->xml, err) < 0)
        return -1;
    s->has_xml = true;
    s->here = true;
    if (s->xml.id < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the domain does not run");
    if (emulator_find(uri, s->xml.name, s->xml.uuid, &process, &why) < 0) {
        fprintf(stderr, "warning: from domain XML only: %s\n", why.message);
        return 0;
    }
    s->args = *process.args;
    s->has_args = true;
    return 0;
}

static int
from_files(const struct layout_options *options, struct sources *s,
           struct memctx_error *err)
{
    if (options->xml != NULL && from_xml_file(options->xml, s, err) < 0)
        return -1;
    if (options->cmdline != NULL &&
        from_cmdline_file(options->cmdline, s, err) < 0)
        return -1;
    return 0;
}

static uint64_t
size_of(const struct memctx_layout *layout)
{
    uint64_t size = 0;
    for (size_t i = 0; i < layout->n_extents; i++)
        size += layout->extents[i].size;
    return size;
}

static void
print_as_json(const struct memctx_layout *layout)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *root = json_object_new_object();
    json_object *ram = json_object_new_object();
    json_object *extents = json_object_new_array();
    for (size_t i = 0; i < layout->n_extents; i++) {
        const struct memctx_extent *e = &layout->extents[i];
        json_object *extent = json_object_new_object();
        json_object_object_add(extent, "gpa", memctx_json_hex(e->gpa));
        json_object_object_add(extent, "size", memctx_json_hex(e->size));
        json_object_object_add(
            extent, "backend",
            json_object_new_string(layout->backends[e->backend].id));
        json_object_object_add(extent, "offset", memctx_json_hex(e->offset));
        json_object_array_add(extents, extent);
    }
    json_object_object_add(root, "low", memctx_json_hex(layout->low));
    json_object_object_add(ram, "size", memctx_json_hex(size_of(layout)));
    json_object_object_add(ram, "extents", extents);
    json_object_object_add(root, "ram", ram);
    print_json(root);
}

static void
print_table(const struct memctx_layout *layout)
{
    printf("low " MEMCTX_HEX "\nram " MEMCTX_HEX "\n", layout->low,
           size_of(layout));
    for (size_t i = 0; i < layout->n_extents; i++) {
        const struct memctx_extent *e = &layout->extents[i];
        printf("extent gpa " MEMCTX_HEX " size " MEMCTX_HEX
               " backend %s offset " MEMCTX_HEX "\n",
               e->gpa, e->size, layout->backends[e->backend].id, e->offset);
    }
}

static enum exit_code
print_layout(const struct sources *s, bool as_json)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_memconf *conf = calloc(1, sizeof(*conf));
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_layout *layout = calloc(1, sizeof(*layout));
    if (conf == NULL || layout == NULL)
        return command_fail(EXIT_ERROR, "out of memory");
    gather_memconf(s->has_xml ? &s->xml : NULL, s->has_args ? &s->args : NULL,
                   s->here, conf);
    if (memctx_layout_compute(conf, MEMCTX_LAYOUT_LIKELIEST, layout, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (layout->doubtful)
        fputs("warning: whether RAM goes on at 4 GiB or at 1 TiB depends on "
              "the vendor of the vCPUs or the age of the machine type, which "
              "is not known here\n",
              stderr);
    if (conf->doubt[0] != '\0')
        fprintf(stderr, "warning: '%s' may move RAM, and cannot be read here\n",
                conf->doubt);
    if (as_json)
        print_as_json(layout);
    else
        print_table(layout);
    return EXIT_DONE;
}

static enum exit_code
run(const struct invocation *in)
{
    const struct layout_options *options = in->options;
    const char *domain = in->words[0]; /* NULL: none was given */
    struct memctx_error err = MEMCTX_ERROR_INIT;
    bool has_files = options->xml != NULL || options->cmdline != NULL;
    if (has_files == (domain != NULL))
        return command_misused(in->command, "either DOMAIN or --xml FILE, "
                                            "--cmdline FILE are wanted");
    MEMCTX_CLEANUP(cleanup_sources)
    struct sources *sources = calloc(1, sizeof(*sources));
    if (sources == NULL)
        return command_fail(EXIT_ERROR, "out of memory");
    int failed = has_files ? from_files(options, sources, &err)
                           : from_domain(in->common.uri, domain, sources, &err);
    if (failed < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    return print_layout(sources, options->json);
}

const struct command command_layout = {
    .name = "layout",
    .group = COMMAND_ALONE,
    .summary = "print where QEMU has put the RAM of a guest",
    .usage = "layout DOMAIN [--json]\n"
             "layout [--xml FILE] [--cmdline FILE] [--json]",
    .description =
        "Print the size of the RAM below 4 GiB, the size of all RAM, and "
        "for each piece of it where the guest sees it and where QEMU keeps "
        "it. No RAM is opened. A domain is asked of libvirt; instead, files "
        "can be given." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct layout_options),
    .run = run,
};
