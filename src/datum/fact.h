/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A fact of the datum: where it stands, what it is, who may know it, and its
 * spelling. The facts themselves are in facts.h. */
#ifndef MEMCTX_FACT_H
#define MEMCTX_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datum/datum.h"

/* How a fact is kept and spelled. Addresses, sizes and times are strings in
 * JSON, too. */
enum memctx_fact_type {
    MEMCTX_FACT_GROUP,  /* no fact: an element that is there even if empty */
    MEMCTX_FACT_LIST,   /* elements of one name; in JSON an array */
    MEMCTX_FACT_HEX,    /* unsigned, of 2, 4 or 8 bytes: "0x1ad000" */
    MEMCTX_FACT_SIGNED, /* int64_t: "-0x27200000" */
    MEMCTX_FACT_COUNT,  /* unsigned, of 4 or 8 bytes: "7"; in JSON a number */
    MEMCTX_FACT_TEXT,   /* char[] */
    MEMCTX_FACT_NAMES,  /* char[], names by commas; in JSON an array */
    MEMCTX_FACT_WORD,   /* an enum; its constants but the first, which says
                           nothing, are spelled by `words` */
    MEMCTX_FACT_OS,     /* enum memctx_os */
    MEMCTX_FACT_PAGING, /* enum memctx_paging */
    MEMCTX_FACT_TIME,   /* uint64_t of Windows: "2026-11-22T13:40:00Z" */
    MEMCTX_FACT_TYPES
};

enum memctx_fact_duty {
    MEMCTX_FACT_OPTIONAL, /* absent where it is not known */
    MEMCTX_FACT_ALWAYS,   /* written even if it is 0 or empty */
    MEMCTX_FACT_REQUIRED, /* so, and what lacks it is no datum */
};

struct memctx_fact {
    /* Where it stands in <memctx>, as in XPath: "guest/@os" is an attribute,
     * "kcr3" the text of an element. In JSON the same members: guest.os. In an
     * item of a list the path begins at the item. NULL ends a table. */
    const char *path;
    enum memctx_fact_type type;
    enum memctx_fact_duty duty;
    size_t offset;     /* of the member, from the start of the datum or item */
    size_t size_bytes; /* of the member */
    size_t has;        /* offset of the bool that says whether it is known; 0:
                          known unless the member is 0 or empty */
    bool is_private;   /* for authorised readers only */
    bool is_one_way;   /* written for people; nobody reads it back */
    enum memctx_os os; /* only of this system; MEMCTX_OS_UNKNOWN: of any */
    const char *const *words; /* by constant: NULL for 0, and behind the last */
    unsigned otherwise; /* the constant that a word stands for which is none of
                           `words`, as of a later version; 0: for nothing */
    const struct memctx_fact_list *list;
    const char *variable; /* in the environment; NULL: in none */
};

/* The items of a list. */
struct memctx_fact_list {
    const char *plural;              /* the name of the array in JSON */
    const struct memctx_fact *facts; /* of an item; lists hold no list */
    size_t item_bytes;
    size_t count; /* offset of their number, a size_t, in the datum; that of
                     the pointer to them is the row's */
    size_t max;   /* how many are read */
};

/* Bytes of the longest fact as a text, with its NUL. */
#define MEMCTX_FACT_MAX 160

/* Does this row say anything of such a datum, for such readers? Not what is of
 * another system, and nothing private unless the place of the kernel's image is
 * known: a datum that was read from a public one knows nothing private. */
bool memctx_fact_applies(const struct memctx_fact *fact,
                         const struct memctx_datum *datum,
                         enum memctx_audience audience);

/* Spell a fact of `from`, the datum or an item of a list. False, with an
 * undefined text: it is optional and not known. No group and no list. */
bool memctx_fact_print(const struct memctx_fact *fact, const void *from,
                       char ret[MEMCTX_FACT_MAX]);

/* The number of a count. */
uint64_t memctx_fact_count(const struct memctx_fact *fact, const void *from);

/* Read a fact into `to`, the datum or an item. False: the text is none such, or
 * does not fit; `to` is untouched then. No group, no list, none that is one
 * way. */
bool memctx_fact_parse(const struct memctx_fact *fact, const char *text,
                       void *to);

/* What memctx_fact_parse() wants, in words: "a number". */
const char *memctx_fact_wanted(const struct memctx_fact *fact);

/* A fact of the datum as authorised readers get it: `text`, or NULL where it is
 * not known or empty. */
const char *memctx_fact_text(const struct memctx_fact *fact,
                             const struct memctx_datum *datum,
                             char text[MEMCTX_FACT_MAX]);

/* The items of a list in a datum: *n of them, item_bytes each. */
const void *memctx_fact_items(const struct memctx_fact *fact,
                              const struct memctx_datum *datum, size_t *n);

/* Give a datum that has no such items n of them, all zero, which are then its
 * own. NULL: out of memory. */
void *memctx_fact_make_items(const struct memctx_fact *fact,
                             struct memctx_datum *datum, size_t n);

#define MEMCTX_FACT_NAME_MAX 32

/* Copy the name of the element that a path begins with. Returns the path from
 * behind its slash; NULL: there is no slash, the path is the fact's own name.
 */
const char *memctx_fact_step(const char *path, char name[MEMCTX_FACT_NAME_MAX]);

#endif
