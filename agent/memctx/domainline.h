/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A domain as the agent describes it in answers to "list" and "wait", as a row
 * of a table. */
#ifndef MEMCTX_DOMAINLINE_H
#define MEMCTX_DOMAINLINE_H

#include <json-c/json.h>

#include "text/text.h"

/* Columns of the names where it is not known which ones there will be. */
#define DOMAINLINE_NAME_COLUMNS 20

/* So many columns hold the names of an array of domains, up to a bound. */
int domainline_name_columns(json_object *domains);

/* Add the head of the table, or the row of one domain, each with a newline. */
void domainline_add_head(struct memctx_text *text, int name_columns);
void domainline_add(struct memctx_text *text, json_object *domain,
                    int name_columns);

/* Add how many of `n_all` domains are in `shown`, and how many of these in
 * which state, in one line. */
void domainline_add_summary(struct memctx_text *text, json_object *shown,
                            size_t n_all);

/* Bytes of the beginning of a line of UTF-8 that take at most `columns`
 * columns; characters are taken to be one column wide. */
size_t domainline_cut(const char *line, size_t len_bytes, int columns);

#endif
