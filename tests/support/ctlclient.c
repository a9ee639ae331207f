/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
#include "ctlclient.h"

#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "stubagent.h"
#include "testdir.h"

void
ctlagent_init(struct ctlagent *a)
{
    static bool registered;
    if (!registered)
        stubagent_prepare_loop(50);
    registered = true;
    memset(a, 0, sizeof(*a));
    testdir_make(a->dir);
    chmod(a->dir, 0755);
    stubagent_settings(&a->settings, a->dir);
    a->log = (struct log){.level = LOG_LEVEL_ERROR};
    a->connection = virConnectOpen("test:///default");
    assert_non_null(a->connection);
}

static void *
run(void *arg)
{
    struct ctlagent *a = arg;
    while (agent_turn(a->agent))
        ;
    agent_destroy(a->agent);
    return NULL;
}

/* Until libvirt has told its domains, each request about them is refused. */
static bool
lists_domains(const struct ctlagent *a)
{
    int fd = ctl_connect(a, (uid_t)-1, NULL, 0);
    if (fd < 0)
        return false;
    const struct ctlreply *reply = ctl_ask(fd, "{\"op\":\"list\"}");
    bool lists = json_object_object_get(reply->object, "domains") != NULL;
    close(fd);
    return lists;
}

void
ctlagent_start(struct ctlagent *a)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(
        agent_create(&a->settings, a->dir, true, &a->log, &a->agent, &err),
        &err);
    assert_int_equal(pthread_create(&a->thread, NULL, run, a), 0);
    wait_until(lists_domains(a));
}

void
ctlagent_keep_log(struct ctlagent *a)
{
    logpipe_init(&a->logpipe);
    a->keeps_log = true;
    a->log.level = LOG_LEVEL_DEBUG;
}

void
ctlagent_stop(struct ctlagent *a)
{
    event_push(agent_queue(a->agent), event_create(EVENT_SIGNAL));
    pthread_join(a->thread, NULL);
    a->agent = NULL;
}

void
ctlagent_deinit(struct ctlagent *a)
{
    if (a->agent != NULL)
        ctlagent_stop(a);
    if (a->keeps_log)
        logpipe_deinit(&a->logpipe);
    virConnectClose(a->connection);
    testdir_remove(a->dir);
}

virDomainPtr
ctlagent_create_domain(struct ctlagent *a, const char *name)
{
    char xml[256];
    snprintf(xml, sizeof(xml),
             "<domain type='test'><name>%s</name><memory>8192</memory>"
             "<os><type arch='x86_64'>hvm</type></os></domain>",
             name);
    virDomainPtr domain = virDomainCreateXML(a->connection, xml, 0);
    assert_non_null(domain);
    return domain;
}

void
ctlagent_destroy_domain(virDomainPtr domain)
{
    virDomainDestroy(domain);
    virDomainFree(domain);
}

void
ctlagent_push(struct ctlagent *a, virDomainPtr domain, enum memctx_event what)
{
    struct event *event = event_create(EVENT_DOMAIN);
    assert_non_null(event);
    virDomainGetUUIDString(domain, event->uuid);
    event->name = strdup(virDomainGetName(domain));
    event->id = (int)virDomainGetID(domain);
    event->what = what;
    event_push(agent_queue(a->agent), event);
}

/* The bare system calls change this thread alone. */
static void
become(uid_t uid, const gid_t *groups, size_t n_groups)
{
    assert_int_equal(syscall(SYS_setgroups, n_groups, groups), 0);
    assert_int_equal(syscall(SYS_setresgid, -1, uid == 0 ? 0 : 65534, -1), 0);
    assert_int_equal(syscall(SYS_setresuid, -1, uid, -1), 0);
}

int
ctl_connect(const struct ctlagent *a, uid_t uid, const gid_t *groups,
            size_t n_groups)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock",
             a->dir);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (uid != (uid_t)-1)
        become(uid, groups, n_groups);
    int failed = connect(fd, (struct sockaddr *)&address, sizeof(address));
    if (uid != (uid_t)-1) {
        assert_int_equal(syscall(SYS_setresuid, -1, 0, -1), 0);
        become(0, NULL, 0);
    }
    if (failed == 0)
        return fd;
    close(fd);
    return -1;
}

int
ctl_send(int fd, const void *bytes, size_t len, const int *fds, unsigned n_fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(CTL_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {(void *)bytes, len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (n_fds > 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

void
ctlreply_deinit(struct ctlreply *reply)
{
    json_object_put(reply->object);
    for (unsigned i = 0; i < reply->n_fds; i++)
        close(reply->fds[i]);
    reply->object = NULL;
    reply->n_fds = 0;
}

static void
take_fds(struct msghdr *message, struct ctlreply *reply)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    if (c == NULL || c->cmsg_type != SCM_RIGHTS)
        return;
    reply->n_fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(reply->fds, CMSG_DATA(c), reply->n_fds * sizeof(int));
}

int
ctl_receive(int fd, struct ctlreply *reply)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    if (poll(&poller, 1, 60000) == 0)
        fail_msg("nothing comes");
    return ctl_take(fd, reply);
}

int
ctl_take(int fd, struct ctlreply *reply)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(CTL_FDS_MAX * sizeof(int))];
    } control;
    ctlreply_deinit(reply);
    struct iovec part = {reply->text, sizeof(reply->text) - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n <= 0)
        return -1;
    take_fds(&message, reply);
    reply->text[n] = '\0';
    unsigned char *newline = memchr(reply->text, '\n', (size_t)n);
    size_t head = newline != NULL ? (size_t)(newline - reply->text) : (size_t)n;
    reply->bytes = newline != NULL ? newline + 1 : NULL;
    reply->len_bytes = newline != NULL ? (size_t)n - head - 1 : 0;
    reply->text[head] = '\0';
    reply->object = json_tokener_parse((const char *)reply->text);
    return reply->object != NULL ? 0 : -1;
}

const struct ctlreply *
ctl_ask(int fd, const char *text)
{
    static struct ctlreply reply;
    assert_int_equal(ctl_send(fd, text, strlen(text), NULL, 0), 0);
    if (ctl_receive(fd, &reply) < 0)
        fail_msg("no answer to %s", text);
    return &reply;
}

/* One turn may have begun before the call, the next lets in who connects, a
 * third reads what is asked. */
void
ctl_let_turn(int fd)
{
    for (unsigned i = 0; i < 4; i++)
        ctl_ask(fd, "{\"op\":\"hello\"}");
}

const char *
ctl_text(const struct ctlreply *reply, const char *path)
{
    json_object *object = reply->object;
    char copy[64];
    char *rest = copy;
    char *key;
    snprintf(copy, sizeof(copy), "%s", path);
    while ((key = strsep(&rest, ".")) != NULL) {
        if (!json_object_object_get_ex(object, key, &object))
            return "";
    }
    return json_object_get_string(object);
}

const struct ctlreply *
ctl_ask_ready(int fd, const char *text)
{
    const struct ctlreply *reply = NULL;
    wait_until(strcmp(ctl_text(reply = ctl_ask(fd, text), "kind"), "retry") !=
               0);
    return reply;
}

const char *
ctl_read_request(int fd, const char *domain, uint64_t offset, uint64_t size)
{
    static char text[256];
    snprintf(text, sizeof(text), "{\"op\":\"show\",\"domain\":\"%s\"}", domain);
    const char *kcr3 = strstr(ctl_text(ctl_ask(fd, text), "datum"), "<kcr3>");
    assert_non_null(kcr3);
    uint64_t gpa = strtoull(kcr3 + strlen("<kcr3>"), NULL, 16) + offset;
    snprintf(text, sizeof(text),
             "{\"op\":\"read\",\"domain\":\"%s\",\"gpa\":%" PRIu64
             ",\"size\":%" PRIu64 "}",
             domain, gpa, size);
    return text;
}
