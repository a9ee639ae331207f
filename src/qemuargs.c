/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses QEMU arguments; opens nothing. Any local user can start a process
 * with any arguments: whoever calls this checks whose they are. */
#include "qemuargs.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bytes.h"
#include "cleanup.h"

typedef int option_fn(struct memctx_qemuargs *args, const char *value,
                      struct memctx_error *err);

static void
cleanup_json(json_object **object)
{
    json_object_put(*object);
}

bool
memctx_qemuargs_size(const char *text, uint64_t unit, uint64_t *ret)
{
    static const char suffixes[] = "bkmgt";
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    /* QEMU knows no octal. */
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    uint64_t number = strtoull(text, &end, hex ? 16 : 10);
    if (errno != 0)
        return false;
    if (*end != '\0') {
        const char *suffix = strchr(suffixes, tolower((unsigned char)*end));
        if (suffix == NULL || end[1] != '\0')
            return false;
        unit = UINT64_C(1) << (10 * (suffix - suffixes));
    }
    return memctx_mul(number, unit, ret);
}

/* Cut the next part off an option's text, up to a comma; a doubled comma
 * stands for one. A part that does not fit is cut. */
static void
next_part(const char **text, char *part, size_t size)
{
    size_t n = 0;
    const char *at = *text;
    while (*at != '\0' && (*at != ',' || at[1] == ',')) {
        at += *at == ',';
        if (n + 1 < size)
            part[n++] = *at;
        at++;
    }
    part[n] = '\0';
    *text = at + (*at == ',');
}

/* The value of `key` in "word,key=value,...", QEMU's option syntax; of
 * repeated keys the last counts. "" as key is the first word. false: absent or
 * too long for `to`. */
static bool
option_value(const char *text, const char *key, char *to, size_t size)
{
    size_t key_len = strlen(key);
    bool found = false;
    /* Bounded by the text: each turn passes one comma. */
    for (bool first = true; *text != '\0'; first = false) {
        char part[512];
        const char *value = NULL;
        next_part(&text, part, sizeof(part));
        if (key_len == 0 && first && strchr(part, '=') == NULL)
            value = part;
        else if (key_len > 0 && strncmp(part, key, key_len) == 0 &&
                 part[key_len] == '=')
            value = part + key_len + 1;
        if (value == NULL || strlen(value) >= size)
            continue;
        memcpy(to, value, strlen(value) + 1);
        found = true;
    }
    return found;
}

static int
take_size(const char *text, const char *what, uint64_t unit, uint64_t *ret,
          struct memctx_error *err)
{
    if (!memctx_qemuargs_size(text, unit, ret))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's %s is no size: '%.40s'", what, text);
    return 0;
}

static int
take_uuid(struct memctx_qemuargs *args, const char *value,
          struct memctx_error *err)
{
    if (strlen(value) != sizeof(args->uuid) - 1)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's -uuid is no UUID: '%.40s'", value);
    memcpy(args->uuid, value, sizeof(args->uuid));
    return 0;
}

static int
take_machine(struct memctx_qemuargs *args, const char *value,
             struct memctx_error *err)
{
    char text[64];
    if (option_value(value, "", text, sizeof(text)) ||
        option_value(value, "type", text, sizeof(text)))
        memcpy(args->machine, text, sizeof(text));
    if (option_value(value, "memory-backend", text, sizeof(args->boot_backend)))
        memcpy(args->boot_backend, text, sizeof(args->boot_backend));
    if (option_value(value, "confidential-guest-support", text, sizeof(text)))
        args->confidential = true;
    if (option_value(value, "max-ram-below-4g", text, sizeof(text)))
        return take_size(text, "max-ram-below-4g", 1, &args->max_ram_below_4g,
                         err);
    return 0;
}

static int
take_memory(struct memctx_qemuargs *args, const char *value,
            struct memctx_error *err)
{
    char text[32];
    if ((option_value(value, "", text, sizeof(text)) ||
         option_value(value, "size", text, sizeof(text))) &&
        take_size(text, "-m", MEMCTX_MIB, &args->ram_bytes, err) < 0)
        return -1;
    if (option_value(value, "maxmem", text, sizeof(text)))
        return take_size(text, "maxmem", MEMCTX_MIB, &args->max_memory_bytes,
                         err);
    return 0;
}

static int
take_numa(struct memctx_qemuargs *args, const char *value,
          struct memctx_error *err)
{
    (void)err;
    char text[sizeof(args->boot_backend)];
    if (!option_value(value, "memdev", text, sizeof(text)))
        return 0;
    memcpy(args->boot_backend, text, sizeof(text));
    args->n_numa_backends++;
    return 0;
}

static int
take_global(struct memctx_qemuargs *args, const char *value,
            struct memctx_error *err)
{
    static const char *const names[] = {
        "q35-pcihost.pci-hole64-size",
        "i440FX-pcihost.pci-hole64-size",
    };
    char text[32];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++) {
        if (option_value(value, names[i], text, sizeof(text)))
            return take_size(text, names[i], 1, &args->pci_hole64_bytes, err);
    }
    return 0;
}

static enum memctx_backend_kind
kind_of(const char *type)
{
    if (strcmp(type, "memory-backend-ram") == 0)
        return MEMCTX_BACKEND_ANONYMOUS;
    if (strcmp(type, "memory-backend-memfd") == 0)
        return MEMCTX_BACKEND_MEMFD;
    if (strcmp(type, "memory-backend-file") == 0)
        return MEMCTX_BACKEND_FILE;
    return MEMCTX_BACKEND_OTHER;
}

static void
add_backend(struct memctx_qemuargs *args, const char *type, const char *id,
            uint64_t size)
{
    if (strncmp(type, "memory-backend-", 15) != 0)
        return;
    if (args->n_backends < MEMCTX_BACKEND_ARGS_MAX) {
        struct memctx_backend_arg *b = &args->backends[args->n_backends];
        snprintf(b->id, sizeof(b->id), "%s", id);
        b->kind = kind_of(type);
        b->size = size;
    }
    args->n_backends++;
}

static const char *
json_text(json_object *object, const char *key)
{
    json_object *member;
    if (!json_object_object_get_ex(object, key, &member) ||
        !json_object_is_type(member, json_type_string))
        return "";
    return json_object_get_string(member);
}

/* libvirt 6.10 and later pass -object as JSON. */
static int
take_json_object(struct memctx_qemuargs *args, const char *value,
                 struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_json)
    json_object *object = json_tokener_parse(value);
    if (object == NULL || !json_object_is_type(object, json_type_object))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's -object is no JSON object: '%.40s'",
                                value);
    json_object *size;
    uint64_t bytes = 0;
    if (json_object_object_get_ex(object, "size", &size))
        bytes = json_object_get_uint64(size);
    add_backend(args, json_text(object, "qom-type"), json_text(object, "id"),
                bytes);
    return 0;
}

static int
take_object(struct memctx_qemuargs *args, const char *value,
            struct memctx_error *err)
{
    if (value[0] == '{')
        return take_json_object(args, value, err);
    char type[64];
    char id[64];
    char size[32];
    uint64_t bytes = 0;
    if (!option_value(value, "", type, sizeof(type)) &&
        !option_value(value, "qom-type", type, sizeof(type)))
        return 0;
    if (!option_value(value, "id", id, sizeof(id)))
        id[0] = '\0';
    if (option_value(value, "size", size, sizeof(size)) &&
        !memctx_qemuargs_size(size, 1, &bytes))
        bytes = 0;
    add_backend(args, type, id, bytes);
    return 0;
}

static const struct {
    const char *name;
    option_fn *take;
} options[] = {
    {"-uuid", take_uuid},     {"-machine", take_machine}, {"-M", take_machine},
    {"-m", take_memory},      {"-object", take_object},   {"-numa", take_numa},
    {"-global", take_global},
};

static option_fn *
find_option(const char *arg)
{
    /* QEMU takes -option and --option alike. */
    if (arg[0] == '-' && arg[1] == '-')
        arg++;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(options); i++) {
        if (strcmp(arg, options[i].name) == 0)
            return options[i].take;
    }
    return NULL;
}

const struct memctx_backend_arg *
memctx_qemuargs_boot_backend(const struct memctx_qemuargs *args)
{
    size_t n = memctx_min(args->n_backends, MEMCTX_BACKEND_ARGS_MAX);
    for (size_t i = 0; i < n && args->boot_backend[0] != '\0'; i++) {
        if (strcmp(args->backends[i].id, args->boot_backend) == 0)
            return &args->backends[i];
    }
    return NULL;
}

int
memctx_qemuargs_parse(const char *args, size_t len_bytes,
                      struct memctx_qemuargs *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *copy =
        len_bytes <= MEMCTX_QEMUARGS_MAX ? malloc(len_bytes + 1) : NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_qemuargs *found = calloc(1, sizeof(*found));
    if (copy == NULL || found == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's arguments are too long: %zu bytes",
                                len_bytes);
    memcpy(copy, args, len_bytes);
    copy[len_bytes] = '\0';
    option_fn *take = NULL;
    for (size_t at = 0; at < len_bytes; at += strlen(copy + at) + 1) {
        if (take != NULL && take(found, copy + at, err) < 0)
            return -1;
        take = take != NULL ? NULL : find_option(copy + at);
    }
    *ret = *found;
    return 0;
}
