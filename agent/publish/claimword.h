/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What agents say to each other about a domain, as an element of its metadata
 * beside the datum; claim.h tells the protocol.
 *
 *   <ask token="1f00..."/>   does anybody vouch for this domain?
 *   <held token="1f00..."/>  yes; who asked with this token is to leave
 *
 * A token is a digit for the rank of who asks and 128 random bits: it says
 * nothing of the host. */
#ifndef MEMCTXD_CLAIMWORD_H
#define MEMCTXD_CLAIMWORD_H

#include "base/error.h"

#define CLAIM_KEY "memctxagent" /* under EVENT_CLAIM_URI */

#define CLAIM_TOKEN_SIZE (1 + 32 + 1)
#define CLAIM_TEXT_SIZE (CLAIM_TOKEN_SIZE + 20)

enum claim_said {
    CLAIM_SAID_NOTHING, /* or nothing that we know */
    CLAIM_SAID_ASK,
    CLAIM_SAID_HELD,
};

struct claim_word {
    enum claim_said said;
    char token[CLAIM_TOKEN_SIZE]; /* "" with CLAIM_SAID_NOTHING */
};

/* Who of several that ask at once goes first: the smaller one. */
enum claim_rank {
    CLAIM_RANK_SENIOR,   /* has listened for long before it asks */
    CLAIM_RANK_NEWCOMER, /* a new agent */
    CLAIM_RANK_RETRACTS, /* only withdraws, and never vouches */
};

/* Make a token of that rank. Tokens compare by strcmp(): first by rank, then
 * one of the two is smaller. -1 with EXHAUSTED: no random bits. */
int claimword_make_token(enum claim_rank rank, char token[CLAIM_TOKEN_SIZE],
                         struct memctx_error *err);

/* The text of an element that says this; not CLAIM_SAID_NOTHING. */
void claimword_print(enum claim_said said, const char *token,
                     char text[CLAIM_TEXT_SIZE]);

/* What an element says, which anybody may have written; NULL: nothing. */
struct claim_word claimword_parse(const char *text);

#endif
