/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx lsmod: the modules of a guest's kernel. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/explain.h"
#include "memctx/explained.h"
#include "memctx/print.h"
#include "memctx/quote.h"
#include "text/jsonguard.h"

struct lsmod_options {
    struct explained_from from;
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct lsmod_options),
    EXPLAINED_OPTIONS(struct lsmod_options),
    OPTIONS_END,
};

/* ---- reading ------------------------------------------------------------ */

static int
read_list(struct explained *explained, struct memctx_module_list **ret,
          struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, MEMCTX_EXPLAIN_STEPS, err) < 0)
        return -1;
    int result = memctx_explain_modules(&explained->target, ret, &why);
    return explained_end(explained, result, &why, err);
}

/* ---- printing ----------------------------------------------------------- */

static void
print_row(const struct memctx_module_info *module)
{
    size_t len = strlen(module->name);
    quote_print(module->name);
    printf("%*s %8" PRIu64 "  ", len < 19 ? (int)(19 - len) : 0, "",
           module->size);
    if (module->refcount != MEMCTX_UNKNOWN)
        printf("%" PRIu64, module->refcount);
    else
        putchar('-');
    for (size_t i = 0; i < module->n_users; i++) {
        putchar(i == 0 ? ' ' : ',');
        quote_print(module->users[i]);
    }
    putchar('\n');
}

static void
print_rows(const struct memctx_module_list *list)
{
    const struct memctx_module_info *module;
    puts("Module                  Size  Used by");
    for (size_t i = 0; (module = memctx_module_list_at(list, i)) != NULL; i++)
        print_row(module);
}

static json_object *
make_users(const struct memctx_module_info *module)
{
    json_object *array = json_object_new_array();
    for (size_t i = 0; i < module->n_users; i++)
        json_object_array_add(array, quote_json(module->users[i]));
    return array;
}

static void
print_object(const struct memctx_module_info *module)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *object = json_object_new_object();
    quote_add(object, "name", module->name);
    json_object_object_add(object, "size",
                           json_object_new_uint64(module->size));
    if (module->refcount != MEMCTX_UNKNOWN)
        json_object_object_add(object, "refcount",
                               json_object_new_uint64(module->refcount));
    json_object_object_add(object, "used_by", make_users(module));
    json_object_object_add(object, "state",
                           json_object_new_string(module->state));
    if (module->base != MEMCTX_UNKNOWN)
        json_object_object_add(object, "base", memctx_json_hex(module->base));
    print_member(object);
}

static void
print_objects(const struct memctx_module_list *list)
{
    const struct memctx_module_info *module;
    printf("{\"modules\":[");
    for (size_t i = 0; (module = memctx_module_list_at(list, i)) != NULL; i++) {
        if (i > 0)
            putchar(',');
        print_object(module);
    }
    printf("],\"complete\":%s}\n",
           memctx_module_list_broken(list) == NULL ? "true" : "false");
}

static enum exit_code
run(const struct invocation *in)
{
    const struct lsmod_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_module_list_cleanup)
    struct memctx_module_list *list = NULL;
    MEMCTX_CLEANUP(explained_deinit)
    struct explained explained = EXPLAINED_INIT;
    enum exit_code code = explained_open_linux(in, &options->from, &explained);
    if (code != EXIT_DONE)
        return code;
    if (read_list(&explained, &list, &err) < 0)
        return subject_fail(&explained.subject, &err);
    if (options->json)
        print_objects(list);
    else
        print_rows(list);
    return subject_broken(&explained.subject, memctx_module_list_broken(list));
}

const struct command command_lsmod = {
    .name = "lsmod",
    .group = COMMAND_MEMORY,
    .summary = "list the kernel modules of a guest",
    .usage = "lsmod DOMAIN [--json] [--timeout S]\n"
             "lsmod --ram FILE [--low SIZE] [--ram-format FORM] [--json]",
    .description =
        "List the modules that a guest's Linux has loaded, from its memory, in "
        "the columns of lsmod(8): name, size, how often it is used, and by "
        "which modules.\n\n"
        "The kernel's own types and symbols are needed (CONFIG_DEBUG_INFO_BTF, "
        "CONFIG_KALLSYMS_ALL). If the list broke off, what there is of it is "
        "printed and memctx exits with 1." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .min_words = 0,
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct lsmod_options),
    .run = run,
};
