/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Unix sockets in the agent's directory. */
#ifndef MEMCTXD_SOCKETS_H
#define MEMCTXD_SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/error.h"

/* Fill *ret with DIR/name. -1 with PERMANENT: too long for a socket's path. */
int sockets_address(const char *dir, const char *name, struct sockaddr_un *ret,
                    struct memctx_error *err);

/* Bind a non-blocking socket of this type to DIR/name. `mode` says who may
 * connect: 0600 root and the agent's own user. It has the mode from its first
 * moment on, and needs no chmod(2), which an agent may have given up
 * (sandbox/modes.h). The directory is the caller's alone, so that a socket that
 * stands there is a dead agent's, and is replaced. Returns a descriptor, which
 * the caller closes; -1 with PERMANENT. *address is where it was bound. */
int sockets_bind(const char *dir, const char *name, int type, mode_t mode,
                 struct sockaddr_un *address, struct memctx_error *err);

/* What stands at this address; all zero: nothing. */
struct stat sockets_at(const struct sockaddr_un *address);

/* Does still stand there what stood there, and is it a socket? Somebody may
 * have removed it, or its directory. */
bool sockets_stand(const struct sockaddr_un *address, const struct stat *stood);

/* Have n descriptors go with a message. `control` has CMSG_SPACE(n *
 * sizeof(int)) bytes, is aligned as a struct cmsghdr, and stays until the
 * message is sent. 0: none go. */
void sockets_put_fds(struct msghdr *message, void *control, const int *fds,
                     unsigned n);

/* Append the descriptors that came with a message to fds[*count], up to `max`
 * of them in all. Those that do not fit are closed: then it is false. */
bool sockets_take_fds(struct msghdr *message, int *fds, unsigned max,
                      unsigned *count);

#endif
