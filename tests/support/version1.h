/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What version 1 of the control protocol (memctx-control(7)) was like: packets
 * of memctx and memctxd as strace showed them, built of commit 467f6332483f.
 * The agent was memctxd --stub, asked by memctx list, show, wait and read. */
#ifndef MEMCTX_TESTS_VERSION1_H
#define MEMCTX_TESTS_VERSION1_H

#define VERSION1_HELLO "{\"op\":\"hello\"}"
#define VERSION1_LIST "{\"op\":\"list\"}"
#define VERSION1_SHOW "{\"op\":\"show\",\"domain\":\"test\"}"
#define VERSION1_WAIT "{\"op\":\"wait\",\"domain\":\"test\"}"
#define VERSION1_OPEN "{\"op\":\"open\",\"domain\":\"test\"}"

#define VERSION1_HELLO_ANSWER "{\"memctx\":1,\"version\":\"0.1.0\"}"
#define VERSION1_LIST_ANSWER                                \
    "{\"domains\":[{\"name\":\"test\",\"uuid\":\"6695eb01-" \
    "f6a4-8304-79aa-97f2502e193f\",\"id\":1,\"state\":\"ready\",\"generation\":1}]}"

#endif
