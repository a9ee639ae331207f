/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Texts that a guest has chosen, for where they are printed. */
#ifndef MEMCTX_QUOTE_H
#define MEMCTX_QUOTE_H

#include <json-c/json.h>

/* For a terminal: see memctx_text_add_terminal(). */
void quote_print(const char *text);

/* As a member of a JSON object: what is no UTF-8 becomes U+FFFD. */
void quote_add(json_object *object, const char *key, const char *text);

/* The same as a value; NULL: out of memory. */
json_object *quote_json(const char *text);

#endif
