/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A client of the control socket for tests, and the whole agent on stub RAM in
 * a thread beside it. */
#ifndef MEMCTX_TESTS_CTLCLIENT_H
#define MEMCTX_TESTS_CTLCLIENT_H

#include <json-c/json.h>
#include <libvirt/libvirt.h>
#include <pthread.h>
#include <sys/types.h>

#include "agent.h"
#include "config/settings.h"
#include "logpipe.h"

struct ctlagent {
    char dir[64];
    struct settings settings; /* change them between ctlagent_init and _start */
    struct log log;
    struct logpipe logpipe; /* see ctlagent_keep_log() */
    bool keeps_log;
    virConnectPtr connection; /* to test:///default */
    struct agent *agent;
    pthread_t thread;
};

/* A directory, and settings for stub RAM. */
void ctlagent_init(struct ctlagent *a);
void ctlagent_start(struct ctlagent *a);

/* Before it starts: log everything into a->logpipe. */
void ctlagent_keep_log(struct ctlagent *a);
void ctlagent_stop(struct ctlagent *a);
void ctlagent_deinit(struct ctlagent *a);

/* Start and stop a domain of the test driver. */
virDomainPtr ctlagent_create_domain(struct ctlagent *a, const char *name);
void ctlagent_destroy_domain(virDomainPtr domain);

/* As if libvirt had told of it. */
void ctlagent_push(struct ctlagent *a, virDomainPtr domain,
                   enum memctx_event what);

#define CTL_FDS_MAX 253

/* What came back. */
struct ctlreply {
    json_object *object;        /* NULL: closed, or nothing there */
    const unsigned char *bytes; /* behind the newline */
    size_t len_bytes;
    int fds[CTL_FDS_MAX];
    unsigned n_fds;
    unsigned char text[400 * 1024];
};

/* Connect, as this user and with these supplementary groups (root's tests); -1
 * as the uid: as we are. -1: not accepted. */
int ctl_connect(const struct ctlagent *a, uid_t uid, const gid_t *groups,
                size_t n_groups);

/* Send a packet with descriptors. -1 with errno. */
int ctl_send(int fd, const void *bytes, size_t len, const int *fds,
             unsigned n_fds);

/* Wait for a reply and take it. Its texts are the caller's until the next. 0,
 * or -1: the end. Fails the test when nothing comes in a minute, which is for a
 * machine that stands still. */
int ctl_receive(int fd, struct ctlreply *reply);

/* Take a reply that is there. -1: there is none, or the end. */
int ctl_take(int fd, struct ctlreply *reply);

/* Send a text and take the reply, which stays until the next call. */
const struct ctlreply *ctl_ask(int fd, const char *text);

/* What others sent to the agent, or pushed to it, before this call has been
 * looked at when it returns: its loop has turned. `fd` must be one that nobody
 * follows on. */
void ctl_let_turn(int fd);

/* A member of the reply as text, "" when there is none; dots go inside. */
const char *ctl_text(const struct ctlreply *reply, const char *path);

/* Ask until the reply's "kind" is not "retry". */
const struct ctlreply *ctl_ask_ready(int fd, const char *text);

/* The request to read `size` bytes, `offset` bytes above the root table of a
 * ready domain's kernel: its stub lies there. Stays until the next call. */
const char *ctl_read_request(int fd, const char *domain, uint64_t offset,
                             uint64_t size);

void ctlreply_deinit(struct ctlreply *reply);

#endif
