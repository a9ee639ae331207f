/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Rows of domains: names may be long, or hold what a terminal obeys. */
#include "memctx/domainline.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "domain/domain.h"

#define NAME_COLUMNS_MAX 40

/* A member as text; `otherwise` where there is none. */
static const char *
text_of(json_object *object, const char *key, const char *otherwise)
{
    json_object *member;
    if (!json_object_object_get_ex(object, key, &member))
        return otherwise;
    return json_object_get_string(member);
}

/* A character of UTF-8 has one byte that does not continue another one. */
static bool
begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

static int
columns_of(const char *text)
{
    int columns = 0;
    for (; *text != '\0'; text++)
        columns += begins_character(*text);
    return columns;
}

/* Control characters of ASCII, and those of ISO 8859-1 in UTF-8. */
static bool
has_controls(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (; *at != '\0'; at++) {
        if (*at < ' ' || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
            return true;
    }
    return false;
}

/* Letters of other languages stay what they are. Returns the columns taken. */
static int
add_name(struct memctx_text *text, const char *name)
{
    size_t before = text->len_bytes;
    if (!has_controls(name)) {
        memctx_text_add(text, "%s", name);
        return columns_of(name);
    }
    memctx_text_add_terminal(text, name, strlen(name));
    return (int)memctx_min(text->len_bytes - before, INT_MAX);
}

int
domainline_name_columns(json_object *domains)
{
    int widest = DOMAINLINE_NAME_COLUMNS;
    for (size_t i = 0; i < json_object_array_length(domains); i++) {
        json_object *domain = json_object_array_get_idx(domains, i);
        int columns = columns_of(text_of(domain, "name", ""));
        if (columns > widest && columns <= NAME_COLUMNS_MAX)
            widest = columns;
    }
    return widest;
}

void
domainline_add_head(struct memctx_text *text, int name_columns)
{
    memctx_text_add(text, " %-5s %-*s %-12s %-4s %s\n", "Id", name_columns,
                    "Name", "State", "Gen", "Reason");
    for (int i = 0; i < name_columns + 32; i++)
        memctx_text_add(text, "-");
    memctx_text_add(text, "\n");
}

void
domainline_add(struct memctx_text *text, json_object *domain, int name_columns)
{
    const char *name = text_of(domain, "name", "");
    const char *reason = text_of(domain, "reason", "");
    const char *still = text_of(domain, "still", "");
    memctx_text_add(text, " %-5s ", text_of(domain, "id", ""));
    int missing = name_columns - add_name(text, name);
    memctx_text_add(text, "%*s %-12s %-4s", missing > 0 ? missing : 0, "",
                    text_of(domain, "state", ""),
                    text_of(domain, "generation", "-"));
    if (still[0] != '\0')
        memctx_text_add(text, " still for %s s%s", still,
                        reason[0] != '\0' ? ":" : "");
    memctx_text_add(text, "%s%s\n", reason[0] != '\0' ? " " : "", reason);
}

static size_t
count_in(json_object *domains, const char *state)
{
    size_t n = 0;
    for (size_t i = 0; i < json_object_array_length(domains); i++) {
        json_object *domain = json_object_array_get_idx(domains, i);
        n += strcmp(text_of(domain, "state", ""), state) == 0;
    }
    return n;
}

void
domainline_add_summary(struct memctx_text *text, json_object *shown,
                       size_t n_all)
{
    size_t n = json_object_array_length(shown);
    const char *before = ": ";
    if (n < n_all)
        memctx_text_add(text, "%zu of ", n);
    memctx_text_add(text, "%zu domain%s", n_all, n_all == 1 ? "" : "s");
    for (enum memctx_state state = 0; state < MEMCTX_STATES; state++) {
        size_t in_state = count_in(shown, memctx_state_name(state));
        if (in_state == 0)
            continue;
        memctx_text_add(text, "%s%zu %s", before, in_state,
                        memctx_state_name(state));
        before = ", ";
    }
    memctx_text_add(text, "\n");
}

size_t
domainline_cut(const char *line, size_t len_bytes, int columns)
{
    for (size_t i = 0; i < len_bytes; i++) {
        if (begins_character(line[i]) && columns-- == 0)
            return i;
    }
    return len_bytes;
}
