/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx lsmod: the modules of a guest's kernel. */
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "explain/btfread.h"
#include "explain/modules.h"
#include "memctx/explained.h"
#include "memctx/print.h"
#include "memctx/quote.h"
#include "text/jsonguard.h"

#define STEPS (UINT64_C(1) << 22)

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
read_modules(struct explained *explained, struct memctx_modules *ret,
             struct memctx_error *err)
{
    struct memctx_landmarks landmarks;
    struct memctx_btf *btf;
    if (memctx_landmarks_read(&explained->target, &landmarks, err) < 0 ||
        memctx_btf_take(&explained->target, &landmarks, &btf, err) < 0)
        return -1;
    uint64_t gva = landmarks.gva[MEMCTX_AT_MODULES];
    int failed =
        gva == 0 ? memctx_error_set(err, MEMCTX_PERMANENT,
                                    "this kernel does not tell where its "
                                    "modules are: it was built without "
                                    "CONFIG_KALLSYMS_ALL")
                 : memctx_modules_read(&explained->target, btf, gva, ret, err);
    memctx_btf_destroy(btf);
    return failed;
}

/* A list that broke off is a list, if there is something in it; *broke_off then
 * says why. */
static int
read_list(struct explained *explained, struct memctx_modules *ret,
          struct memctx_error *broke_off, struct memctx_error *err)
{
    if (explained_begin(explained, STEPS, err) < 0)
        return -1;
    int result = read_modules(explained, ret, broke_off);
    return explained_end(explained, ret->n > 0 ? 0 : result, broke_off, err);
}

/* ---- printing ----------------------------------------------------------- */

/* The name of the module that is user number i. */
static const char *
user_name(const struct memctx_modules *modules, size_t i)
{
    const struct memctx_module *user =
        memctx_modules_find(modules, modules->user[i]);
    return user != NULL ? user->name : "?";
}

static void
print_row(const struct memctx_modules *modules,
          const struct memctx_module *module)
{
    size_t end = module->first_user + module->n_users;
    size_t len = strlen(module->name);
    quote_print(module->name);
    printf("%*s %8" PRIu64 "  ", len < 19 ? (int)(19 - len) : 0, "",
           module->size_bytes);
    if (module->has_refcount)
        printf("%" PRId32, module->refcount);
    else
        putchar('-');
    for (size_t i = module->first_user; i < end; i++) {
        putchar(i == module->first_user ? ' ' : ',');
        quote_print(user_name(modules, i));
    }
    putchar('\n');
}

static void
print_rows(const struct memctx_modules *modules)
{
    puts("Module                  Size  Used by");
    for (size_t i = 0; i < modules->n; i++)
        print_row(modules, &modules->module[i]);
}

static json_object *
make_users(const struct memctx_modules *modules,
           const struct memctx_module *module)
{
    json_object *array = json_object_new_array();
    for (size_t i = 0; i < module->n_users; i++)
        json_object_array_add(
            array, quote_json(user_name(modules, module->first_user + i)));
    return array;
}

static void
print_object(const struct memctx_modules *modules,
             const struct memctx_module *module)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *object = json_object_new_object();
    quote_add(object, "name", module->name);
    json_object_object_add(object, "size",
                           json_object_new_uint64(module->size_bytes));
    if (module->has_refcount)
        json_object_object_add(object, "refcount",
                               json_object_new_int(module->refcount));
    json_object_object_add(object, "used_by", make_users(modules, module));
    json_object_object_add(
        object, "state",
        json_object_new_string(memctx_module_state_name(module->state)));
    json_object_object_add(object, "base", memctx_json_hex(module->base));
    print_member(object);
}

static void
print_objects(const struct memctx_modules *modules, bool is_whole)
{
    printf("{\"modules\":[");
    for (size_t i = 0; i < modules->n; i++) {
        if (i > 0)
            putchar(',');
        print_object(modules, &modules->module[i]);
    }
    printf("],\"complete\":%s}\n", is_whole ? "true" : "false");
}

static enum exit_code
run(const struct invocation *in)
{
    const struct lsmod_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_error broke_off = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_modules_deinit)
    struct memctx_modules modules = MEMCTX_MODULES_INIT;
    MEMCTX_CLEANUP(explained_deinit)
    struct explained explained = EXPLAINED_INIT;
    enum exit_code code = explained_open_linux(in, &options->from, &explained);
    if (code != EXIT_DONE)
        return code;
    if (read_list(&explained, &modules, &broke_off, &err) < 0)
        return subject_fail(&explained.subject, &err);
    if (options->json)
        print_objects(&modules, broke_off.kind == MEMCTX_OK);
    else
        print_rows(&modules);
    return broke_off.kind == MEMCTX_OK
               ? EXIT_DONE
               : subject_fail(&explained.subject, &broke_off);
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
