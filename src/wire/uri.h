/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a libvirt URI says of where its domains are. It is taken apart as
 * libvirt does it (with libxml2; remote_driver.c of libvirt 9.0 to 11.3 and
 * "Connection URIs" in its documentation): driver[+transport]://server/path. */
#ifndef MEMCTX_WIRE_URI_H
#define MEMCTX_WIRE_URI_H

#include <limits.h>

#include "base/error.h"

enum uri_scope {
    URI_DEFAULT, /* none is named: libvirt's own choice, by user */
    URI_SYSTEM,
    URI_SESSION,
    URI_EMBED, /* of one program, with a directory of its own */
    URI_OTHER  /* as those of the test driver */
};

struct uri {
    char driver[16]; /* "qemu", in lower case; "": libvirt's own choice */
    enum uri_scope scope;
    char root[PATH_MAX]; /* EMBED */
};

/* Take `text` apart; NULL or "": that of LIBVIRT_DEFAULT_URI, or DEFAULT. 0 and
 * *ret, or -1 with PERMANENT: no URI, or one of another host, whose domains no
 * agent of this host knows. A unix socket is of this host, and so is a URI that
 * names neither server nor transport; ssh, tls, tcp, ext and every server, this
 * host's name and address too, are taken for another's. */
int uri_parse(const char *text, struct uri *ret, struct memctx_error *err);

#endif
