/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx check: could memctxd read a domain if it ran with the rights of the
 * user that runs this? Tries each thing that memctxd needs, and names cures. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backing/backing.h"
#include "backing/emulator.h"
#include "backing/gather.h"
#include "backing/holdings.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "memctx/invocation.h"
#include "memctx/livexml.h"
#include "memctx/print.h"
#include "memctx/vouched.h"
#include "qemu/layout.h"
#include "qemu/match.h"
#include "text/jsonguard.h"

struct check_options {
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct check_options),
    OPTIONS_END,
};

/* What is known of the domain so far, and what was found. The checks fill it in
 * their order. */
struct check {
    const char *name;
    const struct common_options *common;
    bool json;
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
    bool is_off;
    bool serves; /* memctxd could serve the domain, as far as it was tried */
};

/* One step. Returns 0 and says in `said` what was found; or -1, and the message
 * of *err says what is wrong and, behind "; ", the cure. */
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
    if (livexml_fetch(c->common->uri, c->name, &c->xml, &c->uri, err) < 0 ||
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
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    gather_memconf(&c->facts, args, true, conf);
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

/* A domain that is off is not at fault. */
static int
check_running(struct check *c, char *said, size_t size,
              struct memctx_error *err)
{
    (void)err;
    c->is_off = c->facts.id < 0;
    if (c->is_off)
        snprintf(said, size,
                 "no: its RAM cannot be tried; start it and check again");
    else
        snprintf(said, size, "id %d", c->facts.id);
    return 0;
}

static int
check_process(struct check *c, char *said, size_t size,
              struct memctx_error *err)
{
    if (emulator_find(c->uri, c->facts.name, c->facts.uuid, &c->process, err) <
            0 ||
        backing_check_guest(&c->facts, c->process.args, err) < 0 ||
        compute_layout(c, c->process.args, err) < 0)
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
        backing_match(&c->process, &c->layout, &c->holdings, c->matches, err) <
            0)
        return -1;
    for (size_t i = 0; i < c->layout.n_backends; i++) {
        const struct memctx_match *match = &c->matches[i];
        if (match->file == NULL || !match->mapping->shared)
            own++;
    }
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

/* Look at the metadata and ask the agent, one after the other. An agent need
 * not run, and need not tell us. */
static int
compare_datum(struct check *c, char *said, size_t size,
              struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *xml = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *uri = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_json) json_object *answer = NULL;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (livexml_fetch(c->common->uri, c->facts.uuid, &xml, &uri, err) < 0)
        return -1;
    memctx_domxml_deinit(&c->facts);
    if (memctx_domxml_parse(xml, strlen(xml), &c->facts, err) < 0)
        return -1;
    if (vouched_ask(c->common, &c->facts, &answer, &why) == 0)
        return vouched_compare(&c->facts, answer, said, size, err);
    snprintf(said, size, "not compared: %s", why.message);
    return 0;
}

/* The datum may change between the two looks, and what others write is put
 * right within a second: what differs only for a moment is no finding. */
#define LOOKS 4
#define LOOK_AGAIN_MS 700

static int
check_datum(struct check *c, char *said, size_t size, struct memctx_error *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
    for (unsigned i = 1; i < LOOKS; i++) {
        if (compare_datum(c, said, size, NULL) == 0)
            return 0;
        nanosleep(&pause, NULL);
    }
    return compare_datum(c, said, size, err);
}

/* The steps in their order. When one fails that is `needed`, nothing behind it
 * can be tried. `cure` is printed where the message names none. */
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
    {"running", check_running, true, NULL},
    {"process", check_process, true,
     "run memctxd on the host of the domain, as root or as libvirt's user"},
    {"backing", check_backing, true,
     "check again when the domain has started; else report its XML"},
    {"rights", check_rights, false, "restart the domain"},
    {"metadata", check_metadata, false,
     "run memctxd as root, or as a user that may write to libvirt"},
    {"datum", check_datum, false, "check again"},
};

static void
add_string(json_object *to, const char *key, const char *text)
{
    json_object_object_add(to, key, json_object_new_string(text));
}

/* Cut the cure off a reason; `otherwise` if it names none. */
static const char *
cut_cure(char *reason, const char *otherwise)
{
    char *end = strstr(reason, "; ");
    if (end == NULL)
        return otherwise;
    *end = '\0';
    return end + strlen("; ");
}

static json_object *
make_finding(const char *name, const char *text, const char *cure)
{
    json_object *finding = json_object_new_object();
    add_string(finding, "check", name);
    json_object_object_add(finding, "ok",
                           json_object_new_boolean(cure == NULL));
    add_string(finding, "text", text);
    if (cure != NULL)
        add_string(finding, "cure", cure);
    return finding;
}

/* Print a finding, and keep it for --json. `cure` NULL: all is well. */
static void
tell(struct check *c, const char *name, const char *text, const char *cure)
{
    json_object_array_add(c->findings, make_finding(name, text, cure));
    if (c->json)
        return;
    printf(" %-5s %-9s %s\n", cure == NULL ? "ok" : "FAIL", name, text);
    if (cure != NULL)
        printf(" %-5s %-9s cure: %s\n", "", "", cure);
}

static void
run_checks(struct check *c)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(checks) && !c->is_off; i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        char said[MEMCTX_MESSAGE_MAX] = "";
        if (checks[i].run(c, said, sizeof(said), &err) == 0) {
            tell(c, checks[i].name, said, NULL);
            continue;
        }
        const char *cure = cut_cure(err.message, checks[i].cure);
        tell(c, checks[i].name, err.message, cure);
        c->failed = true;
        c->serves = c->serves && checks[i].run == check_datum;
        if (checks[i].needed)
            return;
    }
}

static void
print_verdict(const struct check *c)
{
    if (!c->json) {
        puts(!c->serves  ? "memctxd cannot serve this domain as it is."
             : c->is_off ? "memctxd can serve this domain, as far as its XML "
                           "tells."
                         : "memctxd can serve this domain.");
        return;
    }
    json_object *root = json_object_new_object();
    add_string(root, "domain", c->name);
    json_object_object_add(root, "ok", json_object_new_boolean(!c->failed));
    json_object_object_add(root, "checks", json_object_get(c->findings));
    print_json(root);
    json_object_put(root);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct check_options *options = in->options;
    MEMCTX_CLEANUP(cleanup_check)
    struct check *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return command_fail(EXIT_ERROR, "out of memory");
    c->name = in->words[0];
    c->common = &in->common;
    c->json = options->json;
    c->serves = true;
    c->process = (struct process)PROCESS_INIT;
    c->findings = json_object_new_array();
    run_checks(c);
    print_verdict(c);
    return c->failed ? EXIT_ERROR : EXIT_DONE;
}

const struct command command_check = {
    .name = "check",
    .group = COMMAND_ALONE,
    .summary =
        "check whether memctxd can read a domain, and say what to change",
    .usage = "check DOMAIN [--json]",
    .description =
        "Try what memctxd needs to read a domain and to publish its datum, "
        "one step after the other, with the rights of the user that runs "
        "this. A step that fails is printed with its cure. memctxd need not "
        "run; if it does, its datum is compared with that in the metadata." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .min_words = 1,
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct check_options),
    .run = run,
};
