/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx check: would memctxd, run as whoever runs this, be able to read a
 * domain? Each thing it needs is tried in turn, and a cure named. */
#include "memctx/cmd.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backing/backing.h"
#include "base/cleanup.h"
#include "backing/conf.h"
#include "backing/holdings.h"
#include "qemu/layout.h"
#include "memctx/livexml.h"
#include "qemu/match.h"

/* What is known of the domain so far, and what was found. */
struct check {
    const struct options *options;
    const char *name;
    char *xml;
    char *uri;
    struct memctx_domxml facts;
    struct process process;
    struct memctx_layout layout;
    struct holdings holdings;
    struct memctx_match matches[MEMCTX_BACKENDS_MAX];
    struct ram ram;
    json_object *findings;
    bool failed;
};

/* 0 and in `said` what was found, or -1 and the reason: what is wrong, and
 * behind "; " the cure. */
typedef int check_fn(struct check *c, char *said, size_t size,
                     struct memctx_error *err);

static void
cleanup_check(struct check **check)
{
    struct check *c = *check;
    if (c == NULL)
        return;
    memctx_domxml_deinit(&c->facts);
    process_deinit(&c->process);
    holdings_deinit(&c->holdings);
    ram_deinit(&c->ram);
    json_object_put(c->findings);
    free(c->xml);
    free(c->uri);
    free(c);
}

static int
check_libvirt(struct check *c, char *said, size_t size,
              struct memctx_error *err)
{
    if (livexml_fetch(c->options->uri, c->name, &c->xml, &c->uri, err) < 0 ||
        memctx_domxml_parse(c->xml, strlen(c->xml), &c->facts, err) < 0)
        return -1;
    snprintf(said, size, "%s", c->uri);
    return 0;
}

static int
check_guest(struct check *c, char *said, size_t size, struct memctx_error *err)
{
    if (backing_check_guest(&c->facts, NULL, err) < 0)
        return -1;
    snprintf(said, size, "%s, not encrypted", c->facts.arch);
    return 0;
}

static int
compute_layout(struct check *c, const struct memctx_qemuargs *args,
               struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_memconf *conf = malloc(sizeof(*conf));
    if (conf == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    conf_join(&c->facts, args, true, conf);
    return memctx_layout_compute(conf, MEMCTX_LAYOUT_LIKELIEST, &c->layout,
                                 err);
}

static int
check_layout(struct check *c, char *said, size_t size, struct memctx_error *err)
{
    if (compute_layout(c, NULL, err) < 0)
        return -1;
    snprintf(said, size, "%s, %zu pieces of RAM in %zu backends, low %#" PRIx64,
             c->facts.memory.machine, c->layout.n_extents, c->layout.n_backends,
             c->layout.low);
    return 0;
}

static int
check_running(struct check *c, char *said, size_t size,
              struct memctx_error *err)
{
    if (c->facts.id < 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the domain does not run, so that its RAM "
                                "cannot be tried; start it and check again");
    snprintf(said, size, "id %d", c->facts.id);
    return 0;
}

static int
check_process(struct check *c, char *said, size_t size,
              struct memctx_error *err)
{
    if (process_find(c->uri, c->facts.name, c->facts.uuid, &c->process, err) <
            0 ||
        backing_check_guest(&c->facts, &c->process.args, err) < 0 ||
        compute_layout(c, &c->process.args, err) < 0)
        return -1;
    snprintf(said, size, "QEMU is process %d", (int)c->process.pid);
    return 0;
}

static int
check_backing(struct check *c, char *said, size_t size,
              struct memctx_error *err)
{
    size_t own = 0;
    if (holdings_read(&c->process, &c->holdings, err) < 0 ||
        memctx_match_backends(&c->layout, &c->process.args, &c->holdings.list,
                              c->matches, err) < 0)
        return -1;
    for (size_t i = 0; i < c->layout.n_backends; i++)
        own += c->matches[i].file == NULL || !c->matches[i].mapping->shared;
    snprintf(said, size, "%zu backends in shared files, %zu in QEMU's memory",
             c->layout.n_backends - own, own);
    return 0;
}

static int
check_rights(struct check *c, char *said, size_t size, struct memctx_error *err)
{
    unsigned char byte;
    size_t n;
    if (backing_open(&c->process, &c->facts, &c->ram, err) < 0 ||
        memctx_rammap_check(c->ram.map, err) < 0)
        return -1;
    const struct memctx_extent *e = memctx_rammap_extents(c->ram.map, &n);
    if (memctx_rammap_read(c->ram.map, e[0].gpa, &byte, 1, err) < 0)
        return -1;
    snprintf(said, size, "all RAM was opened, read-only");
    return 0;
}

static int
check_metadata(struct check *c, char *said, size_t size,
               struct memctx_error *err)
{
    if (livexml_try_write(c->uri, err) < 0)
        return -1;
    snprintf(said, size, "libvirt lets us write it");
    return 0;
}

/* In this order; after one that is `needed` has failed nothing else can be
 * tried. The cure is for reasons that name none. */
static const struct {
    const char *name;
    check_fn *run;
    bool needed;
    const char *cure;
} checks[] = {
    {"libvirt", check_libvirt, true,
     "check the domain's name, the URI (--connect), and that libvirt runs"},
    {"guest", check_guest, false,
     "none: the host cannot read such a guest; memctxd calls it unsupported"},
    {"layout", check_layout, false,
     "use machine type q35 or pc: the place of RAM is not known for this one"},
    {"running", check_running, true, "start the domain"},
    {"process", check_process, true,
     "run memctxd on the host of the domain, as root or as libvirt's user"},
    {"backing", check_backing, true,
     "check again when the domain has started; else report its XML"},
    {"rights", check_rights, false, "restart the domain"},
    {"metadata", check_metadata, false,
     "run memctxd as root, or as a user that may write to libvirt"},
};

static void
add_string(json_object *to, const char *key, const char *text)
{
    json_object_object_add(to, key, json_object_new_string(text));
}

/* One finding, as a line or two, and for --json. */
static void
tell(struct check *c, const char *name, const char *said,
     const struct memctx_error *err, const char *cure)
{
    json_object *finding = json_object_new_object();
    char reason[MEMCTX_MESSAGE_MAX];
    bool ok = err->kind == MEMCTX_OK;
    snprintf(reason, sizeof(reason), "%s", ok ? said : err->message);
    char *named = ok ? NULL : strstr(reason, "; ");
    if (named != NULL) {
        *named = '\0';
        cure = named + 2;
    }
    add_string(finding, "check", name);
    json_object_object_add(finding, "ok", json_object_new_boolean(ok));
    add_string(finding, "text", reason);
    if (!ok)
        add_string(finding, "cure", cure);
    json_object_array_add(c->findings, finding);
    if (c->options->json)
        return;
    printf(" %-5s %-9s %s\n", ok ? "ok" : "FAIL", name, reason);
    if (!ok)
        printf(" %-5s %-9s cure: %s\n", "", "", cure);
}

static void
run_checks(struct check *c)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        char said[MEMCTX_MESSAGE_MAX] = "";
        bool failed = checks[i].run(c, said, sizeof(said), &err) < 0;
        tell(c, checks[i].name, said, &err, checks[i].cure);
        c->failed = c->failed || failed;
        if (failed && checks[i].needed)
            return;
    }
}

static void
print_verdict(const struct check *c)
{
    if (!c->options->json) {
        puts(c->failed ? "memctxd cannot serve this domain as it is."
                       : "memctxd can serve this domain.");
        return;
    }
    json_object *root = json_object_new_object();
    add_string(root, "domain", c->name);
    json_object_object_add(root, "ok", json_object_new_boolean(!c->failed));
    json_object_object_add(root, "checks", json_object_get(c->findings));
    puts(json_object_to_json_string_ext(
        root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}

enum exit_code
cmd_check(const struct options *options, int n_words, char **words)
{
    (void)n_words;
    MEMCTX_CLEANUP(cleanup_check)
    struct check *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return cmd_fail(EXIT_ERROR, "out of memory");
    c->options = options;
    c->name = words[0];
    c->process = (struct process)PROCESS_INIT;
    c->findings = json_object_new_array();
    run_checks(c);
    print_verdict(c);
    return c->failed ? EXIT_ERROR : EXIT_DONE;
}
