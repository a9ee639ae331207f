/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Makes a RAM map of extents in JSON and descriptors beside it. */
#include "reader/openreply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "wire/clocks.h"

#define NEXT_MS 30000

static int
odd(struct memctx_error *err, const char *what)
{
    return memctx_error_set(err, MEMCTX_GONE, "memctxd's answer to \"open\" %s",
                            what);
}

/* Take descriptor number `number` out of a packet; -1: it is not there. */
static int
take_fd(struct client_packet *packet, uint64_t number)
{
    if (number >= packet->n_fds)
        return -1;
    int fd = packet->fds[number];
    packet->fds[number] = -1;
    return fd;
}

static int
add_file(struct lease *lease, const char *name, int fd, uint64_t size,
         struct memctx_error *err)
{
    unsigned index;
    if (memctx_rammap_add_backend(lease->map, name, fd, NULL, &index, err) < 0)
        return memctx_error_prefix(err, "backend %s", name);
    if (memctx_rammap_backend_size(lease->map, index) < size)
        return memctx_error_set(
            err, MEMCTX_GONE,
            "backend %s was truncated: it has %#" PRIx64
            " bytes, memctxd says %#" PRIx64,
            name, memctx_rammap_backend_size(lease->map, index), size);
    lease->fds[index] = fd;
    return 0;
}

static int
add_remote(struct lease *lease, const char *name, uint64_t size,
           struct memctx_error *err)
{
    unsigned index;
    struct remote *remote = &lease->remotes[lease->n_backends];
    *remote = (struct remote){.client = lease->client,
                              .domain = lease->uuid,
                              .epoch = lease->validity.epoch,
                              .takes_silent = lease->validity.takes_silent,
                              .map = lease->map,
                              .backend = lease->n_backends,
                              .failure = &lease->failure};
    const struct memctx_source source = {-1, -1, -1, 0, remote};
    return memctx_rammap_add_source(lease->map, name, &source, size, &remote_io,
                                    &index, err);
}

static int
add_backend(struct lease *lease, json_object *backend,
            struct client_packet *packet, struct memctx_error *err)
{
    const char *name = client_text(backend, "name");
    uint64_t size;
    uint64_t number;
    if (lease->n_backends == MEMCTX_BACKENDS_MAX)
        return odd(err, "has more backends than a guest can have");
    if (name == NULL || !client_number(backend, "size", &size) || size == 0)
        return odd(err, "has a backend without name or size");
    lease->fds[lease->n_backends] = -1;
    if (client_number(backend, "fd", &number)) {
        int fd = take_fd(packet, number);
        if (fd < 0)
            return odd(err, "names a descriptor that did not come with it");
        if (add_file(lease, name, fd, size, err) < 0)
            return -1;
    } else if (add_remote(lease, name, size, err) < 0)
        return -1;
    lease->n_backends++;
    return 0;
}

/* The backends of one packet: their number, or -1. */
static int
add_backends(struct lease *lease, json_object *ram,
             struct client_packet *packet, struct memctx_error *err)
{
    json_object *list = json_object_object_get(ram, "backends");
    if (!json_object_is_type(list, json_type_array))
        return odd(err, "has no backends");
    size_t n = json_object_array_length(list);
    for (size_t i = 0; i < n; i++) {
        if (add_backend(lease, json_object_array_get_idx(list, i), packet,
                        err) < 0)
            return -1;
    }
    return (int)n;
}

static bool
has_more(json_object *object)
{
    return json_object_get_boolean(json_object_object_get(object, "more"));
}

/* Bounded: each packet adds a backend, and there is a limit for those. */
static int
add_rest(struct lease *lease, struct memctx_error *err)
{
    bool more = true;
    while (more) {
        MEMCTX_CLEANUP(client_packet_deinit)
        struct client_packet packet = {.n_fds = 0};
        int got = client_reply(
            lease->client, (int64_t)clocks_now_ms() + NEXT_MS, &packet, err);
        if (got < 0)
            return -1;
        if (got == 0)
            return odd(err, "does not go on");
        int n = add_backends(
            lease, json_object_object_get(packet.object, "ram"), &packet, err);
        if (n <= 0)
            return n < 0 ? -1 : odd(err, "goes on without backends");
        more = has_more(packet.object);
    }
    return 0;
}

static int
add_extents(struct lease *lease, json_object *ram, struct memctx_error *err)
{
    json_object *list = json_object_object_get(ram, "extents");
    if (!json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) == 0)
        return odd(err, "has no extents");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *one = json_object_array_get_idx(list, i);
        struct memctx_extent e;
        uint64_t backend;
        if (!client_number(one, "gpa", &e.gpa) ||
            !client_number(one, "size", &e.size) ||
            !client_number(one, "offset", &e.offset) ||
            !client_number(one, "backend", &backend) ||
            backend >= lease->n_backends)
            return odd(err, "has an extent in which something is missing");
        e.backend = (unsigned)backend;
        if (memctx_rammap_add_extent(lease->map, &e, err) < 0)
            return memctx_error_prefix(err, "memctxd's answer to \"open\"");
    }
    return 0;
}

/* Readers and scripts get the datum as JSON, whatever XML the agent sent. */
static int
take_datum(struct lease *lease, json_object *object, struct memctx_error *err)
{
    const char *xml = client_text(object, "datum");
    if (xml == NULL)
        return odd(err, "has no datum");
    if (memctx_datum_from_xml(xml, strlen(xml), &lease->datum, err) < 0 ||
        memctx_datum_to_json(&lease->datum, &lease->json, err) < 0)
        return -1;
    lease->facts = json_tokener_parse(lease->json);
    return lease->facts != NULL ? 0 : odd(err, "has a datum that is none");
}

static int
take_names(struct lease *lease, struct client_packet *packet,
           struct memctx_error *err)
{
    json_object *domain = json_object_object_get(packet->object, "domain");
    const char *uuid = client_text(domain, "uuid");
    uint64_t epoch;
    if (uuid == NULL || strlen(uuid) >= sizeof(lease->uuid))
        return odd(err, "has no UUID");
    snprintf(lease->uuid, sizeof(lease->uuid), "%s", uuid);
    lease->domain = json_object_get(domain);
    if (!client_number(packet->object, "epoch", &epoch) ||
        epoch == STATEPAGE_UNKNOWN || epoch == STATEPAGE_OVER)
        return odd(err, "has no epoch");
    if (packet->n_fds == 0)
        return odd(err, "has no state page");
    return validity_init(&lease->validity, packet->fds[0], epoch, lease->client,
                         err);
}

int
openreply_receive(struct lease *lease, struct client_packet *first,
                  struct memctx_error *err)
{
    json_object *ram = json_object_object_get(first->object, "ram");
    if (take_names(lease, first, err) < 0 ||
        take_datum(lease, first->object, err) < 0)
        return -1;
    /* The state page is mapped; nobody may name its descriptor any more. */
    int page = take_fd(first, 0);
    memctx_close_fd(&page);
    if (add_backends(lease, ram, first, err) < 0 ||
        (has_more(first->object) && add_rest(lease, err) < 0))
        return -1;
    return add_extents(lease, ram, err);
}
