/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx check: could memctxd read a domain, or each of them, and what is to be
 * changed if not? */
#include <stdio.h>

#include "base/cleanup.h"
#include "memctx/checks.h"
#include "memctx/livexml.h"
#include "memctx/print.h"
#include "text/jsonguard.h"

struct check_options {
    const char *xml;
    bool json;
};

static const struct option_row option_table[] = {
    {"xml", 0, OPTION_TEXT, "FILE", offsetof(struct check_options, xml),
     "check the domain that the XML in FILE describes"},
    COMMAND_OPTION_JSON(struct check_options),
    OPTIONS_END,
};

static const char *
text_of(json_object *finding, const char *key)
{
    return json_object_get_string(json_object_object_get(finding, key));
}

static bool
is_ok(json_object *finding)
{
    return json_object_get_boolean(json_object_object_get(finding, "ok"));
}

/* A line for each check, or only for those that failed. */
static void
print_findings(json_object *findings, bool all)
{
    for (size_t i = 0; i < json_object_array_length(findings); i++) {
        json_object *finding = json_object_array_get_idx(findings, i);
        bool ok = is_ok(finding);
        if (ok && !all)
            continue;
        printf(" %-5s %-9s %s\n", ok ? "ok" : "FAIL", text_of(finding, "check"),
               text_of(finding, "text"));
        if (!ok)
            printf(" %-5s %-9s cure: %s\n", "", "", text_of(finding, "cure"));
    }
}

static json_object *
make_object(const struct checks_result *result)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "domain",
                           json_object_new_string(result->name));
    json_object_object_add(object, "ok",
                           json_object_new_boolean(!result->failed));
    if (result->is_off)
        json_object_object_add(object, "off", json_object_new_boolean(1));
    json_object_object_add(object, "checks", json_object_get(result->findings));
    return object;
}

/* ---- one ---------------------------------------------------------------- */

static const char *
verdict(const struct checks_result *result)
{
    if (!result->serves)
        return "memctxd cannot serve this domain as it is.";
    return result->is_off
               ? "This domain is off. As far as its XML tells, memctxd can "
                 "serve it once it runs."
               : "memctxd can serve this domain.";
}

/* `domain` NULL: that of the file. */
static enum exit_code
check_one(const struct invocation *in, const char *domain)
{
    const struct check_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(checks_result_deinit)
    struct checks_result result = {.name = NULL};
    const struct checks_subject subject = {.domain = domain,
                                           .xml_path = options->xml};
    if (checks_run(&in->common, &subject, &result, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (options->json) {
        MEMCTX_CLEANUP(memctx_cleanup_json)
        json_object *object = make_object(&result);
        print_json(object);
    } else {
        print_findings(result.findings, true);
        puts(verdict(&result));
    }
    return result.failed ? EXIT_ERROR : EXIT_DONE;
}

/* ---- all ---------------------------------------------------------------- */

/* How many of all domains are what. */
struct tally {
    size_t n;
    size_t off;
    size_t failed;
};

static void
print_row(const struct checks_result *result)
{
    printf("%-20s %s\n", result->name,
           !result->serves  ? "cannot be served as it is"
           : result->is_off ? "off; can be served, as far as its XML tells"
           : result->failed ? "can be served, but"
                            : "can be served");
    print_findings(result->findings, false);
}

/* Prints each as soon as it was checked: there may be many. */
static enum exit_code
add_one(const struct invocation *in, const struct checks_subject *subject,
        struct tally *tally)
{
    const struct check_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(checks_result_deinit)
    struct checks_result result = {.name = NULL};
    if (checks_run(&in->common, subject, &result, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (options->json) {
        MEMCTX_CLEANUP(memctx_cleanup_json)
        json_object *object = make_object(&result);
        fputs(tally->n > 0 ? "," : "", stdout);
        print_member(object);
    } else {
        print_row(&result);
    }
    fflush(stdout);
    tally->n++;
    tally->off += result.is_off;
    tally->failed += result.failed;
    return EXIT_DONE;
}

static enum exit_code
check_all(const struct invocation *in)
{
    const struct check_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(livexml_all_deinit) struct livexml_all all;
    struct tally tally = {.n = 0};
    enum exit_code code = EXIT_DONE;
    if (livexml_fetch_all(in->common.uri, &all, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    fputs(options->json ? "[" : "", stdout);
    for (size_t i = 0; i < all.n && code == EXIT_DONE && !ferror(stdout); i++) {
        const struct checks_subject subject = {.xml = all.xml[i],
                                               .uri = all.canonical_uri};
        code = add_one(in, &subject, &tally);
    }
    if (options->json)
        puts("]");
    else if (code == EXIT_DONE)
        printf("%zu domain%s checked, %zu of them off: %zu failed\n", tally.n,
               tally.n == 1 ? "" : "s", tally.off, tally.failed);
    return code == EXIT_DONE && tally.failed > 0 ? EXIT_ERROR : code;
}

static enum exit_code
run(const struct invocation *in)
{
    const struct check_options *options = in->options;
    const char *domain = in->words[0]; /* NULL: none was given */
    if (options->xml != NULL && domain != NULL)
        return command_misused(in->command,
                               "DOMAIN and --xml FILE exclude each other");
    return domain == NULL && options->xml == NULL ? check_all(in)
                                                  : check_one(in, domain);
}

const struct command command_check = {
    .name = "check",
    .group = COMMAND_ALONE,
    .summary =
        "check whether memctxd can read a domain, and say what to change",
    .usage = "check [DOMAIN | --xml FILE] [--json]",
    .description =
        "Try what memctxd needs to read a domain and to publish its datum, "
        "one step after the other, with the rights of the user that runs "
        "this. A step that fails is printed with its cure. memctxd need not "
        "run; if it does, its datum is compared with that in the metadata. Of "
        "a domain that is off, or is not defined yet (--xml), its RAM cannot "
        "be tried.\n\n"
        "Without DOMAIN check all domains of the connection, and print of each "
        "what failed." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct check_options),
    .run = run,
};
