/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Knows the names of levels and facilities. */
#include "memctx/logline.h"

#include <string.h>

#include "base/bytes.h"
#include "text/jsonguard.h"

static const char *const levels[8] = {
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
};

static const char *const facilities[24] = {
    "kern",   "user",   "mail",   "daemon", "auth",     "syslog",
    "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
    "res0",   "res1",   "res2",   "res3",   "local0",   "local1",
    "local2", "local3", "local4", "local5", "local6",   "local7",
};

/* ---- JSON ---------------------------------------------------------------- */

static json_object *
text_object(const struct memctx_printk_record *record)
{
    struct memctx_text utf8 = MEMCTX_TEXT_INIT;
    memctx_text_add_utf8(&utf8, record->text, record->len_bytes);
    json_object *ret = json_object_new_string_len(
        utf8.bytes != NULL ? utf8.bytes : "", (int)utf8.len_bytes);
    memctx_text_deinit(&utf8);
    return ret;
}

static json_object *
facility_object(unsigned facility)
{
    return facility < MEMCTX_ARRAY_LEN(facilities)
               ? json_object_new_string(facilities[facility])
               : json_object_new_int((int)facility);
}

void
logline_add_json(struct memctx_text *text,
                 const struct memctx_printk_record *record, uint64_t lost)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *object = json_object_new_object();
    json_object_object_add(object, "seq", json_object_new_uint64(record->seq));
    json_object_object_add(object, "time_ns",
                           json_object_new_uint64(record->ts_nsec));
    json_object_object_add(object, "facility",
                           facility_object(record->facility));
    json_object_object_add(object, "level",
                           json_object_new_string(levels[record->level % 8]));
    json_object_object_add(object, "text", text_object(record));
    if (lost > 0)
        json_object_object_add(object, "lost", json_object_new_uint64(lost));
    const char *line = json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    if (line == NULL)
        text->failed = true;
    else
        memctx_text_add_bytes(text, line, strlen(line));
}

/* ---- levels -------------------------------------------------------------- */

int
logline_parse_levels(const char *names, unsigned *ret, struct memctx_error *err)
{
    unsigned set = 0;
    const char *name = names;
    /* Bounded: each turn passes a name and a comma. */
    for (;; name++) {
        size_t len = strcspn(name, ",");
        bool above = len > 0 && name[len - 1] == '+';
        size_t own = len - above;
        unsigned level = 0;
        while (level < MEMCTX_ARRAY_LEN(levels) &&
               (strlen(levels[level]) != own ||
                memcmp(levels[level], name, own) != 0))
            level++;
        if (level == MEMCTX_ARRAY_LEN(levels))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "'%.*s' is no level: they are emerg, "
                                    "alert, crit, err, warn, notice, info, "
                                    "debug",
                                    (int)len, name);
        set |= above ? (2u << level) - 1 : 1u << level;
        name += len;
        if (*name == '\0')
            break;
    }
    *ret = set;
    return 0;
}
