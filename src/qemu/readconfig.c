/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Turns sections into option arguments; knows no option. */
#include "qemu/readconfig.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024 /* of QEMU, which cuts longer ones */

struct section {
    char group[64]; /* "": none was begun */
    char option[4096];
    size_t len;
};

/* Append "key=value"; a comma in a value is doubled. False: it does not fit. */
static bool
append(struct section *s, const char *key, const char *value)
{
    int n = snprintf(s->option + s->len, sizeof(s->option) - s->len,
                     "%s%s=", s->len > 0 ? "," : "", key);
    if (n < 0 || (size_t)n >= sizeof(s->option) - s->len)
        return false;
    s->len += (size_t)n;
    for (; *value != '\0'; value++) {
        if (s->len + 3 > sizeof(s->option))
            return false;
        if (*value == ',')
            s->option[s->len++] = ',';
        s->option[s->len++] = *value;
    }
    s->option[s->len] = '\0';
    return true;
}

static bool
begin(struct section *s, const char *line)
{
    char id[64];
    *s = (struct section){.len = 0};
    if (sscanf(line, "[%63s \"%63[^\"]\"]", s->group, id) == 2)
        return append(s, "id", id);
    return sscanf(line, "[%63[^]]]", s->group) == 1;
}

static bool
add_line(struct section *s, const char *line)
{
    char key[64];
    char value[LINE_MAX_BYTES] = "";
    int n = 0; /* is set where all of it is there */
    if (sscanf(line, " %63s = \"%1023[^\"]\"%n", key, value, &n) != 2)
        sscanf(line, " %63s = \"\"%n", key, &n);
    if (n == 0)
        return false;
    return s->group[0] != '\0' && append(s, key, value);
}

static bool
end(const struct section *s, memctx_section_fn *visit, void *arg)
{
    return s->group[0] == '\0' || visit(s->group, s->option, arg) == 0;
}

static bool
take_line(struct section *s, const char *line, memctx_section_fn *visit,
          void *arg)
{
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (line[0] == '[')
        return end(s, visit, arg) && begin(s, line);
    return add_line(s, line);
}

int
memctx_readconfig_visit(const char *text, memctx_section_fn *visit, void *arg)
{
    struct section section = {.len = 0};
    /* Bounded by the text: each turn passes a line. */
    while (*text != '\0') {
        char line[LINE_MAX_BYTES];
        size_t len = strcspn(text, "\n");
        if (len >= sizeof(line))
            return -1;
        memcpy(line, text, len);
        line[len] = '\0';
        if (!take_line(&section, line, visit, arg))
            return -1;
        text += len + (text[len] == '\n');
    }
    return end(&section, visit, arg) ? 0 : -1;
}
