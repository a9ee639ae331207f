/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Answers the control protocol for one domain. */
#include "fakeagent.h"

#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datum/datum.h"
#include "search/search.h"
#include "wire/sockets.h"

#define FDS_MAX 200u

#define TEXT_OF(number) #number
#define TEXT_OF_MACRO(macro) TEXT_OF(macro)

static void
must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static void
reply(int client, const void *bytes, size_t len, const int *fds, unsigned n_fds)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = {
        0};
    struct iovec io = {(void *)(uintptr_t)bytes, len};
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};
    if (n_fds > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    sendmsg(client, &message, MSG_NOSIGNAL);
}

static void
reply_text(int client, const char *text)
{
    reply(client, text, strlen(text), NULL, 0);
}

/* The state page, then RAM again and again. */
static void
reply_fds(struct fakeagent *fake, int client, const char *text, size_t len,
          unsigned n_fds)
{
    int fds[FDS_MAX] = {-1};
    must(n_fds <= FDS_MAX, "descriptors");
    for (unsigned i = 0; i < n_fds; i++)
        fds[i] = i == 0 ? fake->page_fd : guestimg_open(fake->img);
    reply(client, text, len, fds, n_fds);
    for (unsigned i = 1; i < n_fds; i++)
        close(fds[i]);
}

static bool
is_silent(const struct fakeagent *fake)
{
    return strcmp(fake->state, "silent") == 0;
}

static void
describe(const struct fakeagent *fake, char *to, size_t size)
{
    snprintf(to, size,
             "{\"name\":\"web1\",\"uuid\":\"" FAKEAGENT_UUID
             "\",\"id\":3,\"state\":\"%s\"%s%s%s%s}",
             fake->state, fake->reason != NULL ? ",\"reason\":\"" : "",
             fake->reason != NULL ? fake->reason : "",
             fake->reason != NULL ? "\"" : "",
             is_silent(fake) ? ",\"live\":\"no\",\"still\":61" : "");
}

static bool
is_ready(const struct fakeagent *fake)
{
    return strcmp(fake->state, "ready") == 0;
}

/* Is the domain served to a client that takes silent ones, or not? */
static bool
is_served(const struct fakeagent *fake, bool takes_silent)
{
    return is_ready(fake) || (takes_silent && is_silent(fake));
}

/* {"domain":D,"datum":"...", and what more `tail` has. */
static char *
shown(const struct fakeagent *fake, bool takes_silent, const char *tail)
{
    char domain[512];
    char *text;
    bool served = is_served(fake, takes_silent);
    json_object *xml =
        json_object_new_string(is_silent(fake) ? fake->silent_xml : fake->xml);
    describe(fake, domain, sizeof(domain));
    must(asprintf(&text, "{\"domain\":%s%s%s%s}", domain,
                  served ? ",\"datum\":" : "",
                  served ? json_object_to_json_string(xml) : "", tail) > 0,
         "asprintf");
    json_object_put(xml);
    return text;
}

static void
answer_show(const struct fakeagent *fake, int client, bool takes_silent)
{
    char *text = shown(fake, takes_silent, "");
    reply_text(client, text);
    free(text);
}

/* RAM above the split is a backend of its own when the agent reads it. */
static void
answer_open(struct fakeagent *fake, int client, bool takes_silent)
{
    char tail[1024];
    const struct guestimg *img = fake->img;
    uint64_t high = img->size - img->low;
    int n = snprintf(tail, sizeof(tail),
                     ",\"epoch\":\"0x%" PRIx64 "\",\"ram\":{\"backends\":["
                     "{\"name\":\"ram\",\"size\":\"0x%" PRIx64 "\"%s}%s],"
                     "\"extents\":[{\"gpa\":\"0x0\",\"size\":\"0x%" PRIx64
                     "\",\"offset\":\"0x0\",\"backend\":0}",
                     fake->epoch, img->size,
                     fake->by_agent && high == 0 ? ",\"why\":\"private\""
                                                 : ",\"fd\":1",
                     fake->by_agent && high != 0
                         ? ",{\"name\":\"private\",\"size\":\"0x80000000\"}"
                         : "",
                     img->low);
    if (high != 0)
        n += snprintf(tail + n, sizeof(tail) - (size_t)n,
                      ",{\"gpa\":\"0x100000000\",\"size\":%" PRIu64
                      ",\"offset\":%" PRIu64 ",\"backend\":%d}",
                      high, fake->by_agent ? 0 : img->low, fake->by_agent);
    snprintf(tail + n, sizeof(tail) - (size_t)n, "]}");
    if (!is_served(fake, takes_silent)) {
        reply_text(client, "{\"error\":\"not ready\",\"kind\":\"retry\"}");
        return;
    }
    char *text = shown(fake, takes_silent, tail);
    reply_fds(fake, client, text, strlen(text),
              fake->by_agent && high == 0 ? 1 : 2);
    free(text);
}

static uint64_t
number(json_object *request, const char *key)
{
    json_object *member = json_object_object_get(request, key);
    return member != NULL ? strtoull(json_object_get_string(member), NULL, 0)
                          : 0;
}

static void
answer_read(struct fakeagent *fake, int client, bool takes_silent,
            json_object *request)
{
    static char packet[CONTROL_READ_MAX + 64];
    must(json_object_object_get_ex(request, "gpa", NULL) &&
             !json_object_object_get_ex(request, "gva", NULL) &&
             !json_object_object_get_ex(request, "root", NULL),
         "a read by gpa alone");
    uint64_t gpa = number(request, "gpa");
    size_t size = (size_t)number(request, "size");
    if (++fake->reads == fake->flip_at)
        fakeagent_set_page(fake, fake->flip_to);
    if (number(request, "epoch") != fake->epoch) {
        reply_text(client, "{\"error\":\"stale\",\"kind\":\"stale\"}");
        return;
    }
    if (is_silent(fake) && !takes_silent) {
        reply_text(client, "{\"error\":\"silent\",\"kind\":\"retry\"}");
        return;
    }
    must(size > 0 && size <= CONTROL_READ_MAX, "size of a read");
    off_t offset = (off_t)guestimg_offset(fake->img, gpa);
    off_t data = lseek(fake->img->fd, offset, SEEK_DATA);
    if (data < 0)
        data = (off_t)fake->img->size;
    if (data > offset) {
        snprintf(packet, sizeof(packet), "{\"hole\":\"0x%" PRIx64 "\"}",
                 (uint64_t)(data - offset));
        reply_text(client, packet);
        return;
    }
    int n = snprintf(packet, sizeof(packet), "{\"size\":\"0x%zx\"}\n", size);
    must(pread(fake->img->fd, packet + n, size, offset) == (ssize_t)size,
         "pread");
    reply(client, packet, (size_t)n + size, NULL, 0);
}

static void
drop(struct fakeagent *fake, unsigned i)
{
    close(fake->client[i]);
    fake->client[i] = -1;
    fake->waits[i] = false;
}

/* True: that was the answer. */
static bool
lie(struct fakeagent *fake, unsigned i, const char *op)
{
    const struct fakeagent_lie *lie = &fake->lie;
    if (lie->op == NULL || strcmp(lie->op, op) != 0)
        return false;
    if (lie->text == NULL)
        drop(fake, i);
    else if (lie->len != 0 || lie->text[0] != '\0')
        reply_fds(fake, fake->client[i], lie->text,
                  lie->len != 0 ? lie->len : strlen(lie->text), lie->n_fds);
    if (lie->next != NULL)
        reply_fds(fake, fake->client[i], lie->next, strlen(lie->next),
                  lie->n_fds);
    return true;
}

static void
answer(struct fakeagent *fake, unsigned i, json_object *request)
{
    char domain[512];
    char text[600];
    int client = fake->client[i];
    const char *op =
        json_object_get_string(json_object_object_get(request, "op"));
    bool takes_silent =
        json_object_get_boolean(json_object_object_get(request, "silent"));
    must(op != NULL, "a request without op");
    if (lie(fake, i, op))
        return;
    if (strcmp(op, "hello") == 0)
        reply_text(client, "{\"memctx\":" TEXT_OF_MACRO(
                               CONTROL_VERSION) ",\"version\":\"test\"}");
    else if (strcmp(op, "list") == 0) {
        describe(fake, domain, sizeof(domain));
        snprintf(text, sizeof(text), "{\"domains\":[%s],\"more\":true}",
                 domain);
        reply_text(client, text);
        reply_text(client, "{\"domains\":[]}");
    } else if (strcmp(op, "show") == 0)
        answer_show(fake, client, takes_silent);
    else if (strcmp(op, "wait") == 0) {
        fake->waits[i] = true;
        fake->takes_silent[i] = takes_silent;
    } else if (strcmp(op, "open") == 0)
        answer_open(fake, client, takes_silent);
    else if (strcmp(op, "read") == 0)
        answer_read(fake, client, takes_silent, request);
    else if (strcmp(op, "write") == 0)
        reply_text(client, "{\"error\":\"nobody may\",\"kind\":\"denied\"}");
    else
        must(false, op);
}

static void
serve(struct fakeagent *fake, unsigned i)
{
    char text[CONTROL_REQUEST_MAX + 1];
    ssize_t n = recv(fake->client[i], text, sizeof(text) - 1, 0);
    if (n <= 0) {
        drop(fake, i);
        return;
    }
    text[n] = '\0';
    json_object *request = json_tokener_parse(text);
    answer(fake, i, request);
    json_object_put(request);
}

static void
admit(struct fakeagent *fake)
{
    int client = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
    const int room = CONTROL_REPLY_MAX + 4096;
    setsockopt(client, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    for (unsigned i = 0; i < FAKEAGENT_CLIENTS_MAX; i++) {
        if (fake->client[i] < 0) {
            fake->client[i] = client;
            return;
        }
    }
    must(false, "too many clients");
}

static void
answer_waiting(struct fakeagent *fake)
{
    bool never = strcmp(fake->state, "unsupported") == 0;
    for (unsigned i = 0; i < FAKEAGENT_CLIENTS_MAX; i++) {
        if (!fake->waits[i] ||
            !(never || is_served(fake, fake->takes_silent[i])))
            continue;
        answer_show(fake, fake->client[i], fake->takes_silent[i]);
        fake->waits[i] = false;
    }
}

static void *
run(void *arg)
{
    struct fakeagent *fake = arg;
    struct pollfd fds[FAKEAGENT_CLIENTS_MAX + 2];
    pthread_mutex_lock(&fake->lock);
    while (!fake->stop) {
        for (unsigned i = 0; i < FAKEAGENT_CLIENTS_MAX; i++)
            fds[i] = (struct pollfd){fake->client[i], POLLIN, 0};
        fds[FAKEAGENT_CLIENTS_MAX] = (struct pollfd){fake->listener, POLLIN, 0};
        fds[FAKEAGENT_CLIENTS_MAX + 1] = (struct pollfd){fake->wake, POLLIN, 0};
        pthread_mutex_unlock(&fake->lock);
        poll(fds, FAKEAGENT_CLIENTS_MAX + 2, -1);
        pthread_mutex_lock(&fake->lock);
        uint64_t count;
        if (fds[FAKEAGENT_CLIENTS_MAX + 1].revents != 0)
            must(read(fake->wake, &count, sizeof(count)) > 0, "wake");
        for (unsigned i = 0; !fake->stop && i < FAKEAGENT_CLIENTS_MAX; i++) {
            if (fds[i].fd >= 0 && fds[i].revents != 0)
                serve(fake, i);
        }
        if (fds[FAKEAGENT_CLIENTS_MAX].revents != 0)
            admit(fake);
        answer_waiting(fake);
    }
    pthread_mutex_unlock(&fake->lock);
    return NULL;
}

/* As memctx probe would print it, of a domain that runs and of a silent one. */
static void
find_datum(const struct guestimg *img, char **xml, char **silent_xml)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map = guestimg_rammap(img, NULL);
    const struct memctx_search_request request = {.all = true};
    struct memctx_search *search;
    struct memctx_search_result result;
    struct memctx_datum datum;
    must(memctx_search_create(&search, NULL) == 0, "memctx_search_create");
    if (memctx_search_try(search, map, &request, &result, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    must(memctx_datum_init(&datum,
                           &result.kernels[memctx_search_latest(&result)], map,
                           img->low, NULL) == 0,
         "memctx_datum_init");
    datum.generation = 1;
    must(memctx_datum_to_xml(&datum, MEMCTX_PRIVATE, xml, NULL) == 0,
         "memctx_datum_to_xml");
    datum.live = MEMCTX_LIVE_NO;
    must(memctx_datum_to_xml(&datum, MEMCTX_PRIVATE, silent_xml, NULL) == 0,
         "memctx_datum_to_xml");
    memctx_datum_deinit(&datum);
    memctx_search_destroy(search);
    memctx_rammap_destroy(map);
}

static void
make_page(struct fakeagent *fake)
{
    fake->page_fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    must(ftruncate(fake->page_fd, STATEPAGE_SIZE) == 0, "ftruncate");
    fake->page = mmap(NULL, STATEPAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                      fake->page_fd, 0);
    must(fake->page != MAP_FAILED, "mmap");
    memcpy(fake->page->magic, STATEPAGE_MAGIC, sizeof(fake->page->magic));
    must(fcntl(fake->page_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0,
         "F_ADD_SEALS");
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fake->page_fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    close(fake->page_fd);
    fake->page_fd = fd;
}

void
fakeagent_start(struct fakeagent *ret, const struct guestimg *img,
                const char *dir)
{
    struct sockaddr_un address;
    memset(ret, 0, sizeof(*ret));
    snprintf(ret->dir, sizeof(ret->dir), "%s",
             dir != NULL ? dir : "/tmp/memctx-fake-XXXXXX");
    must(dir != NULL || mkdtemp(ret->dir) != NULL, "mkdtemp");
    pthread_mutex_init(&ret->lock, NULL);
    ret->img = img;
    find_datum(img, &ret->xml, &ret->silent_xml);
    ret->state = "ready";
    make_page(ret);
    fakeagent_set_page(ret, 7);
    ret->epoch = 7;
    for (unsigned i = 0; i < FAKEAGENT_CLIENTS_MAX; i++)
        ret->client[i] = -1;
    ret->wake = eventfd(0, EFD_CLOEXEC);
    ret->listener = sockets_bind(ret->dir, CONTROL_SOCKET, SOCK_SEQPACKET, 0600,
                                 &address, NULL);
    must(ret->listener >= 0 && listen(ret->listener, 8) == 0, "listen");
    must(pthread_create(&ret->thread, NULL, run, ret) == 0, "pthread_create");
}

static void
wake(struct fakeagent *fake)
{
    const uint64_t one = 1;
    must(write(fake->wake, &one, sizeof(one)) > 0, "wake");
    pthread_mutex_unlock(&fake->lock);
}

void
fakeagent_stop(struct fakeagent *fake)
{
    char path[128];
    pthread_mutex_lock(&fake->lock);
    fake->stop = true;
    wake(fake);
    pthread_join(fake->thread, NULL);
    for (unsigned i = 0; i < FAKEAGENT_CLIENTS_MAX; i++) {
        if (fake->client[i] >= 0)
            drop(fake, i);
    }
    close(fake->listener);
    close(fake->wake);
    close(fake->page_fd);
    munmap(fake->page, STATEPAGE_SIZE);
    free(fake->xml);
    free(fake->silent_xml);
    snprintf(path, sizeof(path), "%s/%s", fake->dir, CONTROL_SOCKET);
    unlink(path);
    rmdir(fake->dir);
}

void
fakeagent_set_page(struct fakeagent *fake, uint64_t epoch)
{
    atomic_store_explicit(&fake->page->epoch, epoch, memory_order_release);
}

void
fakeagent_set_epoch(struct fakeagent *fake, uint64_t epoch)
{
    pthread_mutex_lock(&fake->lock);
    fake->epoch = epoch;
    fakeagent_set_page(fake, epoch);
    wake(fake);
}

void
fakeagent_set_state(struct fakeagent *fake, const char *state,
                    const char *reason)
{
    pthread_mutex_lock(&fake->lock);
    fake->state = state;
    fake->reason = reason;
    wake(fake);
}

void
fakeagent_set_silent(struct fakeagent *fake, bool silent, const char *reason)
{
    pthread_mutex_lock(&fake->lock);
    fake->state = silent ? "silent" : "ready";
    fake->reason = reason;
    atomic_store(&fake->page->silent, silent ? fake->epoch : STATEPAGE_UNKNOWN);
    atomic_store(&fake->page->epoch, silent ? STATEPAGE_UNKNOWN : fake->epoch);
    wake(fake);
}

void
fakeagent_set_by_agent(struct fakeagent *fake, bool by_agent)
{
    pthread_mutex_lock(&fake->lock);
    fake->by_agent = by_agent;
    pthread_mutex_unlock(&fake->lock);
}

void
fakeagent_flip(struct fakeagent *fake, unsigned reads, uint64_t to)
{
    pthread_mutex_lock(&fake->lock);
    fake->flip_at = fake->reads + reads;
    fake->flip_to = to;
    pthread_mutex_unlock(&fake->lock);
}

unsigned
fakeagent_take_reads(struct fakeagent *fake)
{
    pthread_mutex_lock(&fake->lock);
    unsigned reads = fake->reads;
    fake->reads = 0;
    pthread_mutex_unlock(&fake->lock);
    return reads;
}

void
fakeagent_set_lie(struct fakeagent *fake, const struct fakeagent_lie *lie)
{
    pthread_mutex_lock(&fake->lock);
    fake->lie = *lie;
    wake(fake);
}
