/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tries each thing that memctxd needs of a domain, in the order in which it
 * would need it. */
#include "memctx/checks.h"

#include <inttypes.h>
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
#include "memctx/inputfile.h"
#include "memctx/livexml.h"
#include "memctx/vouched.h"
#include "qemu/layout.h"
#include "qemu/match.h"
#include "text/jsonguard.h"

/* What is known of the domain so far, and what was found. The checks fill it in
 * their order. */
struct check {
    const struct common_options *common;
    const struct checks_subject *subject;
    char *xml;
    char *uri;
    struct memctx_domxml facts;
    struct process process;
    struct memctx_layout layout;
    struct holdings holdings;
    struct memctx_match matches[MEMCTX_BACKENDS_MAX];
    struct ram ram;
    struct checks_result *result;
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
    free(c->xml);
    free(c->uri);
    free(c);
}

static int
check_libvirt(struct check *c, char *said, size_t size,
              struct memctx_error *err)
{
    if (livexml_fetch(c->common->uri, c->subject->domain, &c->xml, &c->uri,
                      err) < 0 ||
        memctx_domxml_parse(c->xml, strlen(c->xml), &c->facts, err) < 0)
        return -1;
    snprintf(said, size, "%s", c->uri);
    return 0;
}

/* What libvirt was asked for already. */
static int
check_given(struct check *c, char *said, size_t size, struct memctx_error *err)
{
    const struct checks_subject *subject = c->subject;
    c->uri = strdup(subject->uri);
    if (c->uri == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (memctx_domxml_parse(subject->xml, strlen(subject->xml), &c->facts,
                            err) < 0)
        return -1;
    snprintf(said, size, "%s", c->uri);
    return 0;
}

/* Of a file, in place of the above. An id in it is of a run elsewhere. */
static int
check_file(struct check *c, char *said, size_t size, struct memctx_error *err)
{
    size_t len;
    if (inputfile_read(c->subject->xml_path, MEMCTX_DOMXML_MAX, &c->xml, &len,
                       err) < 0 ||
        memctx_domxml_parse_draft(c->xml, len, &c->facts, err) < 0)
        return -1;
    c->facts.id = -1;
    snprintf(said, size, "%s", c->facts.name);
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
    c->result->is_off = c->facts.id < 0;
    if (c->result->is_off)
        snprintf(said, size,
                 "no: it is off, and its RAM cannot be tried before it runs");
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
static const struct check_row {
    const char *name;
    check_fn *run;
    bool needed;
    const char *cure;
} rows[] = {
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

/* What takes the place of the first row for XML that is at hand. */
static const struct check_row file_row = {
    "xml", check_file, true, "check the file: virsh dumpxml writes such"};
static const struct check_row given_row = {"libvirt", check_given, true,
                                           "check again"};

static const struct check_row *
first_row(const struct checks_subject *subject)
{
    if (subject->xml != NULL)
        return &given_row;
    return subject->xml_path != NULL ? &file_row : &rows[0];
}

/* As far as it is known. */
static char *
name_of(const struct check *c)
{
    const struct checks_subject *subject = c->subject;
    if (c->facts.name[0] != '\0')
        return strdup(c->facts.name);
    if (subject->domain != NULL)
        return strdup(subject->domain);
    return strdup(subject->xml_path != NULL ? subject->xml_path : "");
}

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

/* `cure` NULL: all is well. */
static void
add_finding(struct check *c, const char *name, const char *text,
            const char *cure)
{
    json_object *finding = json_object_new_object();
    add_string(finding, "check", name);
    json_object_object_add(finding, "ok",
                           json_object_new_boolean(cure == NULL));
    add_string(finding, "text", text);
    if (cure != NULL)
        add_string(finding, "cure", cure);
    json_object_array_add(c->result->findings, finding);
}

/* Returns whether to go on. */
static bool
run_row(struct check *c, const struct check_row *row)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char said[MEMCTX_MESSAGE_MAX] = "";
    if (row->run(c, said, sizeof(said), &err) == 0) {
        add_finding(c, row->name, said, NULL);
        return !c->result->is_off;
    }
    const char *cure = cut_cure(err.message, row->cure);
    add_finding(c, row->name, err.message, cure);
    c->result->failed = true;
    c->result->serves = c->result->serves && row->run == check_datum;
    return !row->needed;
}

void
checks_result_deinit(struct checks_result *result)
{
    json_object_put(result->findings);
    free(result->name);
    *result = (struct checks_result){.name = NULL};
}

int
checks_run(const struct common_options *common,
           const struct checks_subject *subject, struct checks_result *ret,
           struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_check)
    struct check *c = calloc(1, sizeof(*c));
    *ret = (struct checks_result){.serves = true,
                                  .findings = json_object_new_array()};
    if (c == NULL || ret->findings == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    c->common = common;
    c->subject = subject;
    c->process = (struct process)PROCESS_INIT;
    c->result = ret;
    bool goes_on = run_row(c, first_row(subject));
    for (size_t i = 1; i < MEMCTX_ARRAY_LEN(rows) && goes_on; i++)
        goes_on = run_row(c, &rows[i]);
    ret->name = name_of(c);
    return ret->name != NULL
               ? 0
               : memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
}
